"""NumPy archives: read as written, never as something else, and never unpickled."""

import io
import json
import warnings
import zipfile

import numpy as np
import pytest

from physics.datasets.formats import base, npz
from physics.datasets.reading import available_splits, read_split
from physics.errors import InputError
from tests.physics.datasets.files import ARRAYS, flipped, refused, saved


def test_npz_round_trip(tmp_path, arrays):
    recipe = {"law": "coulomb", "velocity_offset": -0.5}
    split = read_split(saved(tmp_path, arrays, recipe=np.array(json.dumps(recipe))), "any")
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(split, name), arrays[name])
    assert split.recipe == recipe
    assert split.notes == ()
    assert (len(split), split.n_dims, split.n_particles) == (5, 2, 3)
    head, part = split.head(2), split.part(slice(3, 5))
    assert (len(head), len(part)) == (2, 2)
    np.testing.assert_array_equal(part.masses, arrays["masses"][3:])
    assert part.recipe == recipe
    assert available_splits(tmp_path / "data.npz") == ()


def test_pickles_are_never_loaded(tmp_path, arrays):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was loaded",))

    for name in ("positions", "masses"):
        refused(saved(tmp_path, arrays, **{name: np.array([Bomb()], dtype=object)}), "pickled objects", "never")
    refused(saved(tmp_path, arrays, recipe=np.array({"law": "x"}, dtype=object)), "pickled objects")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damaged_npz_never_reads_as_something_else(tmp_path, arrays, save, rng):
    path = tmp_path / "data.npz"
    save(path, **arrays)
    raw = path.read_bytes()
    for size in [*range(0, len(raw), 211), len(raw) - 1]:
        path.write_bytes(raw[:size])
        refused(path)
    refusals = 0
    for position in [*rng.integers(0, len(raw), 120), *range(len(raw) - 60, len(raw))]:
        path.write_bytes(raw)
        flipped(path, position, int(rng.integers(8)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                split = read_split(path, "train")
            except InputError:
                refusals += 1
                continue
        # a name that the flip made unknown is filled in, and the notes say so; everything else is intact
        if not split.notes and (split.masses != 1).any():
            for name in ARRAYS:
                np.testing.assert_array_equal(getattr(split, name), arrays[name])
    assert refusals > 70


def test_npz_that_declares_more_than_it_holds(tmp_path, arrays, monkeypatch):
    def with_header(shape):
        member = io.BytesIO()
        header = {"descr": "<f8", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(member, header)
        path = saved(tmp_path, arrays, positions=None)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("positions.npy", member.getvalue() + bytes(64))
        return path

    for shape in ((10**6, 10**6, 3, 2), (2**31, 2**31, 2, 2), (-1, 4, 3, 2), (5, 4, 3, 2)):
        refused(with_header(shape), "damaged .npz")
    with zipfile.ZipFile(saved(tmp_path, arrays, positions=None), "a") as archive:
        archive.writestr("positions.npy", b"hello")
    refused(tmp_path / "data.npz", "positions is not a NumPy array file")
    monkeypatch.setattr(base, "available_memory", lambda: 1000)
    refused(saved(tmp_path, arrays), "declares", "GB", "fit in memory")


def test_nothing_packed_small_is_not_unpacked(tmp_path, arrays, monkeypatch):
    path = tmp_path / "packed.npz"
    np.savez_compressed(path, **arrays, padding=np.zeros(200_000))
    with pytest.warns(UserWarning, match="left aside: padding"):
        read_split(path, "train")
    monkeypatch.setattr(npz, "PACKED_LIMIT", 1_000_000)
    refused(path, "do not pack so small")
