"""`python -m physics.generate` as its users meet it: a subprocess, its exit status, its one line on stderr."""

import json
from contextlib import suppress

import numpy as np
import pytest

from physics import __version__
from physics import generate as command
from physics.cli import run_command
from physics.datasets import request as requests
from physics.datasets.presets import PRESETS, initial_states
from physics.datasets.reading import read_split
from physics.datasets.request import CHUNK_BYTES, request_from_options
from physics.generate import generate
from tests.physics import oracle
from tests.physics.commands import contents, run
from tests.physics.tolerances import tolerance


def test_help_version_and_list(capsys):
    shown = {}
    for option in ("--help", "--version", "--list"):
        with suppress(SystemExit):
            assert run_command(command.main, [option]) == 0
        shown[option], error = capsys.readouterr()
        assert error == ""
    assert "examples:\n  python -m physics.generate --preset" in shown["--help"]
    for option in ("--preset", "--out", "--split", "--dims", "--particles", "--seed", "--set", "--resume"):
        assert option in shown["--help"]
    assert shown["--version"] == f"isotwin {__version__}\n"
    for name in PRESETS:
        assert name in shown["--list"]


BOUND = ["--preset", "charged-bound", "--dims", 4, "--particles", 3, "--split", "train=70", "valid=3"]
BOUND += ["--set", "dt=0.01", "--seed", 5]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Data sets made by commands, the first as a process."""
    folder = tmp_path_factory.mktemp("made")
    free = ["--preset", "charged-iso", "--dims", 2, "--particles", 3, "--split", "train=4"]
    lines = {
        "bound-1": [*BOUND, "--workers", 1],
        "bound-2": [*BOUND, "--workers", 2],
        "bound-3": [*BOUND, "--workers", 3],
        "bound-seed": [*BOUND[:-1], 6, "--workers", 2],
        "iso": [*free, "--set", "dt=0.01"],
        "iso-set": [*free, "--set", "dt=0.01", "eps=0.3", "--set", "p=gauss"],
        "published": ["--preset", "nbody-reference", "--split", "train=5", "valid=3", "test=3"],
    }
    done = run(*lines.pop("bound-1"), "--out", folder / "bound-1")
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr  # a slow machine shows lines of progress
    assert str(folder / "bound-1") in done.stdout
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.showwarning", None)  # run_command replaces it
        for name, line in lines.items():
            assert run_command(command.main, [*map(str, line), "--out", str(folder / name)]) == 0, name
    return folder


def test_same_bytes_for_any_number_of_workers_and_other_bytes_for_another_seed(made):
    first = contents(made / "bound-1")
    assert first == contents(made / "bound-2") == contents(made / "bound-3")
    assert "manifest.json" in first
    other = contents(made / "bound-seed")
    assert other.keys() == first.keys()
    for name in ("positions/c/0/0/0/0", "velocities/c/0/0/0/0"):
        assert other[f"train/{name}"] != first[f"train/{name}"]


def test_bound_set_is_what_its_preset_says(made):
    for name, count in (("train", 70), ("valid", 3)):
        split = read_split(made / "bound-2", name)
        assert split.positions.shape == (count, 232, 3, 4)
        np.testing.assert_allclose(split.times, 0.1 * np.arange(232))
        assert set(np.unique(split.charges)) <= {-1.0, 1.0}
        np.testing.assert_array_equal(split.charges[:, :-1], -split.charges[:, 1:])
        np.testing.assert_allclose(split.positions.mean(axis=2), 0, atol=1e-10)
        np.testing.assert_allclose(split.velocities.mean(axis=2), 0, atol=1e-10)
        assert split.recipe["parameters"]["kappa"] == 0.5
        assert (split.recipe["seed"], split.recipe["dt"]) == (5, 0.01)
    train, valid = (read_split(made / "bound-2", name).positions for name in ("train", "valid"))
    assert not np.array_equal(train[:3], valid)
    assert len(np.unique(train[:, 0, 0, 0])) == 70


def test_free_set_starts_as_its_preset_says_and_set_changes_the_law(made):
    plain, changed = (read_split(made / name, "train") for name in ("iso", "iso-set"))
    assert plain.positions.shape == (4, 132, 3, 2)
    np.testing.assert_allclose(np.linalg.norm(plain.velocities[:, 0], axis=-1), 0.5)
    assert set(np.unique(plain.charges)) <= {-1.0, 1.0}
    np.testing.assert_array_equal(plain.positions[:, 0], changed.positions[:, 0])
    assert np.abs(plain.positions[:, -1] - changed.positions[:, -1]).max() > 1e-2
    assert plain.recipe["parameters"] == {"eps": 0.1, "p": 2.0, "kappa": 0.0}
    assert changed.recipe["parameters"] == {"eps": 0.3, "p": "gauss", "kappa": 0.0}


def test_spread_of_the_start_follows_the_number_of_particles():
    x, *_ = initial_states("charged-iso", "train", range(300), n_particles=40, n_dims=3, seed=0)
    assert x.std() == pytest.approx(2.0, rel=0.02)  # (40/5)^(1/3)


def test_published_splits_are_the_published_stream(made, published):
    train = read_split(made / "published", "train")
    np.testing.assert_array_equal(train.charges, published["charges"][:5])
    apart = np.abs(train.positions - published["positions"][:5]).reshape(5, -1).max(axis=1)
    assert np.median(apart) < tolerance("published_median")
    states = oracle.published_start(12_003)
    for name, first in (("valid", 10_000), ("test", 12_000)):
        split = read_split(made / "published", name)
        x, v, q = (np.array(values) for values in zip(*states[first : first + 3], strict=True))
        np.testing.assert_array_equal(split.charges, q)
        positions, velocities = oracle.published_path(x, v, q, 5)
        np.testing.assert_allclose(split.positions[:, :5], positions, atol=1e-9)
        np.testing.assert_allclose(split.velocities[:, :5], velocities, atol=1e-8)
        assert len(split.times) == 49
        assert split.times[0] == pytest.approx(0.1)


def test_a_trajectory_does_not_depend_on_how_many_are_made(tmp_path):
    def first(count):
        out = tmp_path / f"{count}.zarr"
        generate(request_from_options("charged-bound", {"train": str(count)}, 2, 2, 1, {"dt": "0.05"}), out)
        return read_split(out, "train").positions[:2].tobytes()

    assert first(2) == first(11)


def test_default_sizes_and_chunks():
    request = request_from_options("charged-iso", {}, None, None, None, {})
    assert request.sizes == {"train": 3000, "valid": 2000, "test": 2000}
    assert (request.n_dims, request.n_particles, request.seed, request.dt) == (3, 5, 0, 5e-5)
    assert request_from_options("nbody-reference", {}, 3, 5, 43, {}).sizes["train"] == 10_000
    samples = requests.chunk_samples(request, "train")
    assert CHUNK_BYTES / 2 < samples * 132 * 5 * 3 * 8 <= CHUNK_BYTES


def test_manifest_lists_every_file_with_its_size_and_hash(made):
    folder = made / "iso"
    files = json.loads((folder / "manifest.json").read_text())["files"]
    found = contents(folder)
    del found["manifest.json"]
    assert {name: entry["sha256"] for name, entry in files.items()} == found
    for name, entry in files.items():
        assert (folder / name).stat().st_size == entry["bytes"]
