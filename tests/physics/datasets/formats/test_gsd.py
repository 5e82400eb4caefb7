"""GSD files: what HOOMD-blue leaves out of later frames, two dimensions, and indexes that lie."""

import gsd.hoomd
import numpy as np
import pytest

from physics.datasets.formats import base
from physics.datasets.formats.gsd import HEADER, _load, _refuse_damage
from physics.datasets.formats.importer import checked
from physics.errors import InputError
from tests.physics.datasets.files import refused

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

X = np.random.default_rng(0).uniform(-1, 1, (3, 4, 3)).astype(np.float32)


def read(path):
    """In this process: the reader is not what is tested here."""
    _refuse_damage(path)
    return checked(path, _load(path, "", base.Hints()))


def written(tmp_path, change=lambda frame, k: None, frames=3):
    path = tmp_path / "a.gsd"
    with gsd.hoomd.open(str(path), "w") as file:
        for k in range(frames):
            frame = gsd.hoomd.Frame()
            frame.configuration.step = k
            frame.configuration.box = [9, 9, 9, 0, 0, 0]
            frame.particles.N, frame.particles.position = 4, X[k]
            change(frame, k)
            file.append(frame)
    return path


def test_velocities_of_the_first_frame_alone_are_not_those_of_all(tmp_path):
    def change(frame, k):
        if k == 0:
            frame.particles.velocity = X[0]

    split = read(written(tmp_path, change))
    assert split.first_state == 1
    assert any("velocities are stored for the first frame only" in note for note in split.notes)
    every = read(written(tmp_path, lambda frame, k: setattr(frame.particles, "velocity", X[k])))
    np.testing.assert_array_equal(every.velocities[0], X)
    assert read(written(tmp_path)).first_state == 1


def test_two_dimensions_and_no_steps(tmp_path):
    def change(frame, k):
        frame.configuration.dimensions, frame.configuration.step = 2, 0
        frame.configuration.box = [9, 9, 0, 0, 0, 0]

    split = read(written(tmp_path, change))
    np.testing.assert_array_equal(split.positions[0], X[..., :2])
    np.testing.assert_array_equal(split.box, [[9, 9]])
    assert split.units == {"time": "frame"}


def test_refused_in_a_line(tmp_path):
    def more(frame, k):
        frame.particles.N = 4 + k
        frame.particles.position = np.zeros((4 + k, 3))

    def tilted(frame, k):
        frame.configuration.box = [9, 9, 9, 0.5, 0, 0]

    def charged(frame, k):
        frame.particles.charge = [k, 0, 0, 0]

    for change, words in (
        (more, "frame 1 has 5 particles, frame 0 has 4"),
        (tilted, "triclinic"),
        (charged, "charges of particle 0 changes"),
        (lambda frame, k: setattr(frame.particles, "position", np.full((4, 3), np.nan)), "must be finite"),
    ):
        with pytest.raises(InputError, match=words):
            read(written(tmp_path, change))
    refused(written(tmp_path, frames=0), "no frames")


def test_indexes_that_lie(tmp_path):
    raw = bytearray(written(tmp_path).read_bytes())
    path = tmp_path / "a.gsd"
    header = np.frombuffer(raw[: HEADER.itemsize], HEADER)[0]
    for field, value, words in (
        ("index", 10**12, "its index lies past"),
        ("entries", 10**12, "its index lies past"),
        ("names", 2**62, "its index lies past"),
    ):
        damaged = raw.copy()
        place = HEADER.fields[field][1]
        damaged[place : place + 8] = int(value).to_bytes(8, "little")
        path.write_bytes(damaged)
        refused(path, words)
    damaged = raw.copy()
    rows = int(header["index"]) + 8
    damaged[rows : rows + 8] = (10**12).to_bytes(8, "little")
    path.write_bytes(damaged)
    refused(path, "chunks lie past")
    damaged = raw.copy()
    at = damaged.index(b"hoomd\0")
    damaged[at : at + 5] = b"other"
    path.write_bytes(damaged)
    refused(path, "expected 'hoomd'")
