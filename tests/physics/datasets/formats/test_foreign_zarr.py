"""Zarr groups of others: read with a warning where whole, and refused where hostile."""

import shutil

import numpy as np
import pytest
import zarr

from physics.datasets.formats import base
from physics.datasets.formats import zarr as zarr_format
from physics.datasets.reading import read_split
from tests.physics.datasets.files import ARRAYS, edited, foreign, refused


def test_foreign_zarr_is_read_with_a_warning_when_whole(tmp_path, arrays):
    path = foreign(tmp_path / "other.zarr", arrays)
    with pytest.warns(UserWarning, match="no manifest, so its contents cannot be verified"):
        split = read_split(path, "train")
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(split, name), arrays[name])
    assert split.recipe == {}
    group = zarr.open_group(path, mode="r+")
    group.attrs["recipe"] = {"law": "mine"}
    with pytest.warns(UserWarning, match="no manifest"):
        assert read_split(path, "train").recipe == {"law": "mine"}


def test_foreign_zarr_in_shards(tmp_path, arrays):
    path = foreign(tmp_path / "other.zarr", arrays)
    shutil.rmtree(path / "positions")
    group = zarr.open_group(path, mode="r+")
    x = arrays["positions"]
    chunk, shard = (1, *x.shape[1:]), (3, *x.shape[1:])  # five samples in two shards: the last is not full
    group.create_array("positions", shape=x.shape, dtype=x.dtype, chunks=chunk, shards=shard)
    group["positions"][...] = x
    with pytest.warns(UserWarning, match="no manifest"):
        np.testing.assert_array_equal(read_split(path, "train").positions, x)
    (path / "positions/c/1/0/0/0").unlink()
    refused(path, "positions: 1 of 2 chunks missing")


def test_foreign_zarr_with_an_empty_chunk_left_out_says_how_to_store_it(tmp_path, arrays):
    arrays["charges"][:] = 0.0
    refused(foreign(tmp_path / "other.zarr", arrays), "charges: 6 of 6 chunks missing", "write_empty_chunks")


def test_foreign_zarr_with_a_missing_or_damaged_chunk_is_refused(tmp_path, arrays):
    path = foreign(tmp_path / "other.zarr", arrays, compressors=(zarr.codecs.Crc32cCodec(),))
    chunk = path / "velocities/c/1/0/1/0"
    raw = chunk.read_bytes()
    chunk.write_bytes(raw[:-3])
    refused(path, "damaged Zarr data")
    chunk.write_bytes(bytes([raw[0] ^ 1]) + raw[1:])
    refused(path, "damaged Zarr data")
    chunk.unlink()
    refused(path, "velocities", "1 of", "chunks missing")


def test_hostile_zarr_metadata(tmp_path, arrays, monkeypatch):
    def fresh():
        return foreign(tmp_path / "other.zarr", arrays)

    node = tmp_path / "other.zarr" / "positions" / "zarr.json"
    fresh()
    edited(node, lambda tree: tree["codecs"].append({"name": "numcodecs.pickle"}))
    refused(fresh_path := tmp_path / "other.zarr", "codec 'numcodecs.pickle' is not one of")
    fresh()
    inner = {"codecs": [{"name": "evil"}], "index_codecs": [], "chunk_shape": [1]}
    edited(node, lambda tree: tree.update(codecs=[{"name": "sharding_indexed", "configuration": inner}]))
    refused(fresh_path, "codec 'evil'")
    fresh()
    hidden = {"metadata": {"positions": {"codecs": ["evil"]}}}
    edited(fresh_path / "zarr.json", lambda tree: tree.update(consolidated_metadata=hidden))
    refused(fresh_path, "codec 'evil'")
    fresh()
    edited(node, lambda tree: tree.update(zarr_format=2))
    refused(fresh_path, "zarr_format 2; expected 3")
    fresh()
    edited(node, lambda tree: tree.update(shape=[10**9, 4, 3, 2]))
    refused(fresh_path, "declares 192.0 GB")
    fresh()
    tiny = {"name": "regular", "configuration": {"chunk_shape": [1, 1, 1, 1]}}
    edited(node, lambda tree: tree.update(shape=[10**7, 4, 3, 2], chunk_grid=tiny))
    refused(fresh_path, "of 240000000 chunks missing")  # found without walking them all
    fresh()
    edited(node, lambda tree: tree.update(shape="large"))
    refused(fresh_path, "damaged Zarr data")
    fresh()
    edited(node, lambda tree: tree.update(chunk_grid={"name": "regular", "configuration": {"chunk_shape": [0]}}))
    refused(fresh_path, "damaged Zarr data")
    fresh()
    node.write_text("[" * 100_000)
    refused(fresh_path, "damaged JSON")
    fresh()
    node.write_text(" " * (base.METADATA_LIMIT + 1))
    refused(fresh_path, "metadata above 1 MiB")
    fresh()
    monkeypatch.setattr(zarr_format, "CHUNK_LIMIT", 16)
    refused(fresh_path, "chunks above")
    monkeypatch.undo()
    monkeypatch.setattr(base, "available_memory", lambda: 100)
    refused(fresh_path, "fit in memory")


def test_oversized_declaration_is_refused_before_it_is_read(tmp_path, arrays):
    path = tmp_path / "other.zarr"
    foreign(path, arrays)
    huge = {"name": "regular", "configuration": {"chunk_shape": [10**7, 4, 3, 2]}}
    node = path / "positions" / "zarr.json"
    edited(node, lambda tree: tree.update(shape=[10**7, 4, 3, 2], chunk_grid=huge))
    refused(path, "chunks above 256 MiB")
