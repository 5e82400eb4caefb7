"""Zarr groups of ours: every damage is found by the manifest."""

import json
import shutil

import numpy as np
import pytest
import zarr

from physics.datasets.manifest import MARK
from physics.datasets.reading import available_splits, read_split
from physics.datasets.request import request_from_options
from physics.generate import generate
from tests.physics.datasets.files import flipped, refused


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """A small data set of ours; copy it before damaging it."""
    path = tmp_path_factory.mktemp("data") / "ours.zarr"
    settings = {"dt": "0.05"}
    generate(request_from_options("charged-iso", {"train": "3", "test": "2"}, 2, 2, None, settings), path)
    return path


@pytest.fixture
def ours(shipped, tmp_path):
    return shutil.copytree(shipped, tmp_path / "ours.zarr")


def test_our_zarr_round_trip(shipped):
    assert available_splits(shipped) == ("train", "test")
    split = read_split(shipped, "test")  # any warning would be an error here
    assert split.positions.shape == (2, 132, 2, 2)
    assert split.positions.dtype == np.float64
    group = zarr.open_group(shipped, mode="r")
    for name in ("positions", "velocities", "charges", "times"):
        np.testing.assert_array_equal(getattr(split, name), group[f"test/{name}"][...])
    assert split.recipe["preset"] == "charged-iso"
    assert split.recipe["split"] == "test"
    assert split.recipe["parameters"] == {"eps": 0.1, "p": 2.0, "kappa": 0.0}
    assert split.recipe["format"] == MARK
    assert {"law", "integrator", "dt", "seed", "velocity_offset", "versions"} <= set(split.recipe)
    np.testing.assert_allclose(split.times, 0.1 * np.arange(132))
    refused(shipped, "no split 'valid'", "train, test", split="valid")


def test_every_flip_in_our_data_is_found(ours):
    for name in (
        "positions/c/0/0/0/0",
        "velocities/c/0/0/0/0",
        "charges/c/0/0",
        "times/c/0",
        "positions/zarr.json",
    ):
        path = ours / "train" / name
        raw = path.read_bytes()
        for position in (0, len(raw) // 2, -1):
            flipped(path, position)
            message = refused(ours)
            assert "SHA-256 differs" in message or "damaged JSON" in message or "zarr_format" in message
            path.write_bytes(raw)
        path.write_bytes(raw[:-1])
        assert "the manifest says" in refused(ours) or name.endswith(".json")
        path.unlink()
        refused(ours)
        path.write_bytes(raw)
    read_split(ours, "train")


def test_damage_in_one_split_leaves_the_other_readable(ours):
    flipped(ours / "train/positions/c/0/0/0/0")
    refused(ours, "SHA-256 differs")
    assert len(read_split(ours, "test")) == 2


def test_damaged_manifest(ours):
    path = ours / "manifest.json"
    raw = path.read_bytes()
    for damaged in (
        raw[: len(raw) // 2],
        b"",
        b"[]",
        b"{}",
        b'{"files": 3}',
        b'{"files": {"zarr.json": null}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ):
        path.write_bytes(damaged)
        refused(ours, "manifest")
    tree = json.loads(raw)
    entry = tree["files"]["train/times/c/0"]
    for wrong in ({"bytes": entry["bytes"]}, {"bytes": 1, "sha256": entry["sha256"]}, {"sha256": "0" * 64}):
        tree["files"]["train/times/c/0"] = wrong
        path.write_text(json.dumps(tree))
        refused(ours, "times/c/0")
    tree["files"] = {"train/../../../etc/hostname": {"bytes": 1, "sha256": ""}}
    path.write_text(json.dumps(tree))
    refused(ours, "listed in the manifest but missing")


def test_our_data_without_manifest_is_incomplete(ours):
    (ours / "manifest.json").unlink()
    refused(ours, "incomplete", "--resume")


def test_a_flip_in_our_mark_does_not_switch_the_manifest_off(ours):
    root = ours / "zarr.json"
    root.write_text(root.read_text().replace(MARK, "isotwin-dataset/!"))
    refused(ours, "zarr.json", "SHA-256 differs")
