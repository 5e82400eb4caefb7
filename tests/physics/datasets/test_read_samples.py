"""Some samples of a data set: the same numbers as the whole, and only their chunks are verified."""

import json

import numpy as np
import pytest

from physics.datasets import request as requests
from physics.datasets.reading import read_samples, read_split
from physics.errors import InputError
from physics.generate import generate
from tests.surrogate.helpers import npz, tiny_arrays

NAMES = ("positions", "velocities", "charges", "masses", "times")


@pytest.fixture(scope="module")
def chunked(tmp_path_factory):
    """Nine samples in chunks of two, with masses."""
    out = tmp_path_factory.mktemp("data") / "a.zarr"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests, "CHUNK_BYTES", 2 * 132 * 3 * 3 * 8)
        request = requests.request_from_options(
            "law-gravity", {"train": "9", "valid": "2", "test": "2"}, 3, 3, None, {"dt": "1e-3"}
        )
        generate(request, out)
    return out


def copy(chunked, tmp_path):
    import shutil

    return shutil.copytree(chunked, tmp_path / "copy.zarr")


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (3, 4), (1, 6), (8, 9), (7, 40), (0, 9)])
def test_the_same_numbers_as_the_whole(chunked, start, stop):
    some, count = read_samples(chunked, "train", range(start, stop))
    whole = read_split(chunked, "train")
    assert count == len(whole) == 9
    for name in NAMES:
        wanted = getattr(whole, name)
        assert np.array_equal(getattr(some, name), wanted if name == "times" else wanted[start:stop])
    assert some.recipe == whole.recipe


def test_only_what_is_read_is_verified(chunked, tmp_path):
    path = copy(chunked, tmp_path)
    files = sorted(f for f in (path / "train" / "positions" / "c").rglob("*") if f.is_file())
    assert len(files) == 5
    damaged = bytearray(files[2].read_bytes())
    damaged[7] ^= 1
    files[2].write_bytes(damaged)
    for fine in (0, 3, 6, 8):
        read_samples(path, "train", range(fine, fine + 1))
    for hit in (range(4, 5), range(5, 6), range(3, 7)):
        with pytest.raises(InputError, match="SHA-256 differs"):
            read_samples(path, "train", hit)
    files[4].unlink()
    read_samples(path, "train", range(1))
    with pytest.raises(InputError, match="missing"):
        read_samples(path, "train", range(8, 9))


def test_metadata_and_times_are_verified_always(chunked, tmp_path):
    path = copy(chunked, tmp_path)
    times = next(f for f in (path / "train" / "times" / "c").rglob("*") if f.is_file())
    times.write_bytes(times.read_bytes()[:-1] + b"\x00")
    with pytest.raises(InputError, match=r"SHA-256|bytes"):
        read_samples(path, "train", range(1))


def test_a_chunk_that_the_manifest_does_not_know(chunked, tmp_path):
    path = copy(chunked, tmp_path)
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["files"] = {k: v for k, v in manifest["files"].items() if "/charges/c/0" not in k}
    (path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="not in the manifest"):
        read_samples(path, "train", range(1))


@pytest.mark.parametrize("samples", [range(9, 10), range(-1, 1), range(2, 2)])
def test_no_such_sample(chunked, samples):
    with pytest.raises(InputError, match=f"no sample {samples.start}; it has 9"):
        read_samples(chunked, "train", samples)
    with pytest.raises(InputError, match="no split 'x'"):
        read_samples(chunked, "x", range(1))


def test_npz_and_an_incomplete_zarr(chunked, tmp_path):
    path = npz(tmp_path / "a.npz", tiny_arrays(samples=5))
    some, count = read_samples(path, "test", range(3, 5))
    assert count == 5
    assert np.array_equal(some.positions, read_split(path, "test").positions[3:5])
    with pytest.raises(InputError, match="no sample 5"):
        read_samples(path, "test", range(5, 6))
    unfinished = copy(chunked, tmp_path)
    (unfinished / "manifest.json").unlink()
    with pytest.raises(InputError, match="incomplete"):
        read_samples(unfinished, "train", range(1))


def test_a_foreign_zarr_is_read_with_the_same_warning(tmp_path):
    import zarr

    group = zarr.open_group(tmp_path / "f.zarr", mode="w")
    for name, array in tiny_arrays(samples=4).items():
        group.create_array(name, data=array)
    with pytest.warns(UserWarning, match="no manifest"):
        some, count = read_samples(tmp_path / "f.zarr", "test", range(2, 3))
    assert (len(some), count) == (1, 4)
