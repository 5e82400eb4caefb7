"""Files that tests of reading write, damage and see refused."""

import json
import warnings

import numpy as np
import pytest
import zarr

from physics.datasets.reading import read_split
from physics.errors import InputError

ARRAYS = ("positions", "velocities", "charges", "times", "masses")


def saved(tmp_path, arrays, **changes):
    path = tmp_path / "data.npz"
    np.savez(path, **{name: value for name, value in (arrays | changes).items() if value is not None})
    return path


def foreign(path, arrays, chunk=2, **options):
    """A Zarr group that somebody else wrote: no manifest, no mark of ours."""
    group = zarr.open_group(path, mode="w")
    for name, values in arrays.items():
        chunks = tuple(min(chunk, size) for size in values.shape)
        stored = group.create_array(name, shape=values.shape, dtype=values.dtype, chunks=chunks, **options)
        stored[...] = values
    return path


def flipped(path, position=-1, bit=0):
    raw = bytearray(path.read_bytes())
    raw[position] ^= 1 << bit
    path.write_bytes(raw)


def edited(path, change):
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))


def refused(path, *words, split="train"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InputError) as caught:
            read_split(path, split)
    message = " ".join(str(caught.value).split())
    for word in words:
        assert word in message, message
    assert path.name in message
    return message
