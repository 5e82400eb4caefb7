"""Data sets read block by block are what is read whole, and refused for the same reasons."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from physics.datasets.reading import declared_shape, read_split, split_blocks
from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.generate import generate, request_from_options
from tests.surrogate.helpers import npz, tiny_arrays

BLOCK = 8 * 4 * 3 * 3 * 5
"""Five samples of the tiny arrays."""


def whole(blocks: list[DataSplit], name: str) -> Any:
    return np.concatenate([getattr(block, name) for block in blocks])


def assert_same(path: Path, split: str, samples: range, block: int = BLOCK) -> list[DataSplit]:
    expected = read_split(path, split).part(slice(samples.start, samples.stop))
    found = list(split_blocks(path, split, samples, block))
    for name in ("positions", "velocities", "charges", "masses"):
        np.testing.assert_array_equal(whole(found, name), getattr(expected, name))
    assert all((block.times == expected.times).all() and block.recipe == expected.recipe for block in found)
    return found


@pytest.mark.parametrize("packed", [False, True])
def test_an_npz(packed: bool, tmp_path: Path) -> None:
    arrays = {**tiny_arrays(23), "masses": np.random.default_rng(0).uniform(1, 2, (23, 3)), "recipe": '{"a": 1}'}
    path = tmp_path / "a.npz"
    (np.savez_compressed if packed else np.savez)(path, **arrays)
    assert declared_shape(path, "train") == (23, 4, 3, 3)
    assert [len(block) for block in assert_same(path, "train", range(23))] == [5, 5, 5, 5, 3]
    assert_same(path, "train", range(7, 20))


def test_what_is_filled_in_is_said_once(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", tiny_arrays(23), velocities=None, charges=None)
    with pytest.warns(UserWarning, match="velocities by backward|charges set") as told:
        found = list(split_blocks(path, "train", range(23), BLOCK))
    assert len(told) == 2
    with pytest.warns(UserWarning, match="velocities by backward|charges set"):
        expected = read_split(path, "train")
    np.testing.assert_array_equal(whole(found, "velocities"), expected.velocities)


def test_a_zarr_of_ours_and_a_foreign_one(tmp_path: Path) -> None:
    request = request_from_options("charged-iso", {"train": "9", "valid": "3"}, 2, 3, 1, {"dt": "0.02"})
    path = tmp_path / "iso.zarr"
    generate(request, path, workers=1)
    assert_same(path, "valid", range(3))
    assert len(assert_same(path, "train", range(1, 8), 1)) == 7
    (path / "manifest.json").unlink()
    group = zarr.open_group(path, mode="a")
    group.attrs.clear()
    with pytest.warns(UserWarning, match="no manifest"):
        assert_same(path, "train", range(9), 1)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda a: a["positions"].__setitem__((20, 0, 0, 0), np.nan), "positions must be finite"),
        (lambda a: a.pop("positions"), "no array 'positions'"),
        (lambda a: a.__setitem__("positions", np.asfortranarray(a["positions"])), "column by column"),
        (lambda a: a.__setitem__("charges", a["charges"][:9]), "fewer bytes than its header declares"),
        (lambda a: a.__setitem__("charges", a["charges"].astype(object)), "pickled objects"),
    ],
)
def test_refusals(spoil: Any, said: str, tmp_path: Path) -> None:
    arrays = tiny_arrays(23)
    spoil(arrays)
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=said):
        list(split_blocks(tmp_path / "a.npz", "train", range(23), BLOCK))


def test_a_damaged_file_is_refused_before_its_end(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", tiny_arrays(23))
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        list(split_blocks(path, "train", range(23), BLOCK))


def test_samples_that_are_not_there(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", tiny_arrays(6))
    with pytest.raises(InputError, match="samples 3 to 9 of 6"):
        next(split_blocks(path, "train", range(3, 9)))
    with pytest.raises(InputError, match="no such data set"):
        declared_shape(tmp_path / "none.npz", "train")
