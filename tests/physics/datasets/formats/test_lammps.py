"""LAMMPS dumps: every kind of coordinates, boxes of all kinds, and what cannot be one sample."""

from pathlib import Path

import numpy as np
import pytest

from physics.datasets.reading import read_split
from tests.physics.datasets.files import refused

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

LENGTHS = np.array([4.0, 5.0, 6.0])
X = np.array([[[0.5, 1.0, 1.5], [3.9, 2.0, 5.9]], [[0.6, 1.1, 1.6], [4.3, 2.1, 6.2]]])  # the second one leaves


def frame(step, columns, rows, bounds="pp pp pp", low=0.0, count=None, head=""):
    lines = "\n".join(f"{low} {low + length}" for length in LENGTHS)
    body = "\n".join(" ".join(str(word) for word in row) for row in rows)
    return (
        f"{head}ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{len(rows) if count is None else count}\n"
        f"ITEM: BOX BOUNDS {bounds}\n{lines}\nITEM: ATOMS {columns}\n{body}\n"
    )


def written(tmp_path, *frames):
    path = tmp_path / "run.lammpstrj"
    path.write_text("".join(frames))
    return path


def of(tmp_path, columns, values, **options):
    rows = [[[i + 1, *values[k][i]] for i in (1, 0)] for k in (0, 1)]
    return written(tmp_path, *(frame(10 * k, f"id {columns}", rows[k], **options) for k in (0, 1)))


IMAGES = np.floor(X / LENGTHS).astype(int)
KINDS = {
    "x y z": X - IMAGES * LENGTHS,
    "x y z ix iy iz": np.concatenate([X - IMAGES * LENGTHS, IMAGES], axis=2).astype(object),
    "xs ys zs": X / LENGTHS - IMAGES,
    "xs ys zs ix iy iz": np.concatenate([X / LENGTHS - IMAGES, IMAGES], axis=2).astype(object),
    "xu yu zu": X,
    "xsu ysu zsu": X / LENGTHS,
}


@pytest.mark.parametrize("columns", KINDS)
def test_all_kinds_of_coordinates_run_on_through_the_box(columns, tmp_path):
    values = KINDS[columns].copy()
    if "ix" in columns:
        values[..., 3:] = values[..., 3:].astype(int)
    split = read_split(of(tmp_path, columns, values), "any")
    np.testing.assert_allclose(split.positions[0], X, atol=1e-12)
    np.testing.assert_array_equal(split.box, LENGTHS[None])
    np.testing.assert_array_equal(split.times, [0, 10])
    assert "no times: steps are counted" in split.notes
    assert split.units == {"time": "step"}


def test_scaled_coordinates_start_at_the_lower_bound(tmp_path):
    split = read_split(of(tmp_path, "xs ys zs", KINDS["xs ys zs"], low=-2.0), "any")
    np.testing.assert_allclose(split.positions[0], X - 2.0, atol=1e-12)


def test_a_box_that_is_none_of_ours_is_left_aside_and_said(tmp_path):
    split = read_split(of(tmp_path, "x y z", KINDS["x y z"], bounds="pp pp ff"), "any")
    assert split.box is None
    assert any("periodic along coordinate 0, 1 only" in note for note in split.notes)
    np.testing.assert_allclose(split.positions[0, :, 1, 0], X[:, 1, 0])  # unwrapped along the periodic ones
    np.testing.assert_allclose(split.positions[0, :, 1, 2], KINDS["x y z"][:, 1, 2])
    split = read_split(of(tmp_path, "xu yu zu", X, bounds="ff ss mm"), "any")
    assert split.box is None
    assert not any("box" in note for note in split.notes)
    split = read_split(of(tmp_path, "x y z", X, bounds=""), "any")
    assert any("does not say whether its box is periodic" in note for note in split.notes)
    one, two = (frame(10 * k, "id xu yu zu", [[1, *X[k, 0]], [2, *X[k, 1]]]) for k in (0, 1))
    split = read_split(written(tmp_path, one, two.replace("0.0 4.0", "0.0 4.5")), "any")
    assert split.box is None
    assert any("its size changes in time" in note for note in split.notes)


def test_moves_of_more_than_half_a_box_keep_their_images(tmp_path):
    far = X.copy()
    far[1, 0, 0] += 3.0  # 3 of 4 lengths from one frame to the next, and the file knows
    images = np.floor(far / LENGTHS).astype(int)
    values = np.concatenate([far - images * LENGTHS, images], axis=2).astype(object)
    values[..., 3:] = values[..., 3:].astype(int)
    split = read_split(of(tmp_path, "x y z ix iy iz", values), "any")
    np.testing.assert_allclose(split.positions[0], far, atol=1e-12)
    assert any("more than half of it" in note for note in split.notes)


def test_triclinic_boxes(tmp_path):
    tilted = [
        text.replace("0.0 4.0", "0.0 4.0 0.5").replace("0.0 5.0", "0.0 5.0 0").replace("0.0 6.0", "0.0 6.0 0")
        for text in (frame(10 * k, "id x y z", [[1, *X[k, 0]]], bounds="xy xz yz pp pp pp") for k in (0, 1))
    ]
    refused(written(tmp_path, *tilted), "a triclinic box", "xu yu zu")
    split = read_split(written(tmp_path, *(text.replace("x y z", "xu yu zu") for text in tilted)), "any")
    assert any("triclinic" in note for note in split.notes)
    straight = [text.replace("4.0 0.5", "4.0 0") for text in tilted]
    assert read_split(written(tmp_path, *straight), "any").box is not None
    refused(written(tmp_path, frame(0, "id x y z", [[1, 0, 0, 0]], bounds="abc origin")), "general triclinic")


def test_two_dimensions_elements_and_atoms_without_ids(tmp_path):
    frames = [frame(k, "element x y", [["H", 0.1 * k, 0.2], ["O", 1.0, 0.3 * k]]) for k in (0, 1)]
    split = read_split(written(tmp_path, *frames), "any")
    assert split.positions.shape == (1, 2, 2, 2)
    assert split.species.tolist() == [[1, 8]]
    assert split.masses.tolist() == [[1.008, 15.999]]
    assert any("no ids" in note for note in split.notes)
    assert split.units["mass"] == "Da"


def test_units_of_a_style(tmp_path):
    times = [frame(k, "id x y z", [[1, *X[k, 0]]], head=f"ITEM: TIME\n{k / 2}\n") for k in (0, 1)]
    split = read_split(written(tmp_path, "ITEM: UNITS\nreal\n", *times), "any")
    assert split.units == {"length": "Å", "time": "fs", "charge": "e", "mass": "Da"}
    np.testing.assert_array_equal(split.times, [0, 0.5])
    split = read_split(written(tmp_path, "ITEM: UNITS\nlj\n", *times), "any")
    assert split.units == {}


def test_velocities_that_disagree_with_steps_tell_the_time_of_a_step(tmp_path):
    v = (X[1] - X[0]) / (10 * 0.002)
    values = [np.concatenate([X[k], v], axis=1) for k in (0, 1)]
    split = read_split(of(tmp_path, "xu yu zu vx vy vz", values), "any")
    assert any("a step takes about 0.002" in note for note in split.notes)


DATA = Path(__file__).parents[3] / "data"


def test_files_that_lammps_wrote():
    """Of LAMMPS 22 July 2025: eight atoms that leave a box of 7.6 Å, the same frames in three files."""
    split = read_split(DATA / "lammps_custom.lammpstrj", "any")
    assert split.units == {"length": "Å", "time": "ps", "charge": "e", "mass": "Da"}
    np.testing.assert_allclose(split.times, [0, 0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(split.box, np.full((1, 3), 7.6))
    assert set(split.masses[0]) == {39.948, 20.18}
    np.testing.assert_array_equal(split.charges[0], np.where(split.species[0] == 2, 0.25, 0.0))
    moved = np.abs(np.diff(split.positions[0], axis=0)).max()
    assert 1 < moved < 3
    assert np.abs(split.positions).max() > 7.6
    unwrapped = read_split(DATA / "lammps_unwrapped.lammpstrj", "any")
    np.testing.assert_allclose(unwrapped.positions, split.positions, atol=1e-8)
    np.testing.assert_array_equal(unwrapped.times, [0, 100, 200, 300, 400])
    dcd = read_split(DATA / "lammps.dcd", "any")
    np.testing.assert_allclose(dcd.positions, split.positions, atol=1e-5)
    np.testing.assert_allclose(dcd.times, split.times, rtol=1e-6)
    assert dcd.units == {}
    assert any("written by LAMMPS" in note for note in dcd.notes)


TWO = [[1, 0, 0, 0], [2, 1, 1, 1]]
REFUSED = {
    "fewer atoms": (
        [frame(0, "id x y z", TWO), frame(1, "id x y z", TWO[:1])],
        "frame 1 has 1 particles, frame 0 has 2",
    ),
    "other atoms": ([frame(0, "id x y z", TWO), frame(1, "id x y z", [TWO[0], [3, 1, 1, 1]])], "of id 3"),
    "twice": ([frame(0, "id x y z", [TWO[0], TWO[0]])], "the id 1 twice"),
    "huge": ([frame(0, "id x y z", TWO, count=10**12)], "declares 1000000000000 particles"),
    "negative": ([frame(0, "id x y z", TWO, count=-1)], "declares -1 particles"),
    "no number": ([frame(0, "id x y z", TWO, count="many")], "expected the number of particles; got 'many'"),
    "words": ([frame(0, "id x y z", [[1, 0, "zero", 0]])], "frame 0", "zero"),
    "nan": ([frame(k, "id x y z", [[1, "nan", 0, 0]]) for k in (0, 1)], "positions must be finite"),
    "columns change": ([frame(0, "id x y z", TWO), frame(1, "id y x z", TWO)], "frame 1 has the columns"),
    "no positions": ([frame(k, "id vx vy vz", TWO) for k in (0, 1)], "no positions"),
    "no x": ([frame(k, "id y z", [row[:3] for row in TWO]) for k in (0, 1)], "no positions"),
    "charges change": (
        [frame(k, "id x y z q", [[*row, k] for row in TWO]) for k in (0, 1)],
        "charges of particle 0 changes from 0.0 to 1.0 in frame 1",
    ),
    "steps repeat": ([frame(0, "id x y z", TWO)] * 2, "times[1] = 0 repeats"),
    "local dump": (["ITEM: TIMESTEP\n0\nITEM: NUMBER OF ENTRIES\n3\n"], "not of a dump of atoms"),
    "no header": (["ITEM: ATOMS id x y z\n1 0 0 0\n"], "before TIMESTEP"),
    "header only": (["ITEM: TIMESTEP\n"], "ends in its header"),
    "garbage after": ([frame(0, "id x y z", TWO), "and more\n"], "expected a line 'ITEM: ...'; got 'and more'"),
    "bounds": ([frame(0, "id x y z", TWO).replace("0.0 4.0", "low high")], "the bounds of the box"),
    "zero box": ([frame(k, "id x y z", TWO).replace("0.0 4.0", "0 0") for k in (0, 1)], "box must be positive"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_a_line(case, tmp_path):
    frames, *words = REFUSED[case]
    refused(written(tmp_path, *frames), *words)
