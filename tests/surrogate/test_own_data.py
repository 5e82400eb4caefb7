"""One's own data through train, evaluate and benchmark: what is measured, what was seen, what lies outside."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from physics.errors import InputError
from surrogate import benchmark as benchmark_command
from surrogate import train as train_command
from surrogate.evaluate import main
from surrogate.training.checkpoint import read_checkpoint, save_checkpoint
from surrogate.training.config import config_from_tree
from surrogate.training.run import train
from tests.surrogate.helpers import command, npz, refused, tiny_arrays

pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split", "ignore:.*one trajectory")

UNITS = np.array(json.dumps({"length": "nm", "time": "ps", "charge": "e"}))


def trained(data: Path, out: Path, name: str = "egnn", **of_data: Any) -> Path:
    tree = {
        "model": {"name": name, "hidden": 8, "layers": 1} if name == "egnn" else {"name": name, "hidden": 8},
        "data": {"paths": [str(data)], **of_data},
        "train": {"epochs": 2, "batch_size": 8, "validate_every": 1, "threads": 1, "lr": 1e-3},
    }
    train(config_from_tree(tree, "test"), out, resume=False, device="cpu", command="", quiet=True)
    return out


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on 40 samples of 6 frames, 0.5 apart, with windows of two frames, from the third on."""
    folder = tmp_path_factory.mktemp("own")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = npz(folder / "train.npz", tiny_arrays(40, frames=6), units=UNITS)
        trained(data, folder / "run", input_frame=2, target_frame=4)
    npz(folder / "other.npz", tiny_arrays(30, frames=6, seed=5))
    return folder


@pytest.fixture(autouse=True)
def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(home)
    monkeypatch.setattr("surrogate.evaluation.single_forecasts.FORWARD_REPEATS", 1)
    return home


def evaluated(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[dict[str, Any], str]:
    status, out, err = command(main, capsys, *argv, "--rotations", "1", "--json", "out.json", "--overwrite")
    assert status == 0, err
    found: dict[str, Any] = json.loads(Path("out.json").read_text())
    return found, out


# Which windows, and of what


def test_without_frames_a_model_is_measured_on_its_own_task(capsys: pytest.CaptureFixture[str]) -> None:
    found, out = evaluated(capsys, "run", "--data", "other.npz", "--split", "valid")
    assert (found["input_frame"], found["target_frame"], found["horizon"]) == (2, 4, 1.0)
    assert found["split"] is None
    assert "no splits: all 30 samples are measured" in found["notes"]
    assert "no splits: all 30 samples are measured" in out
    assert "(valid" not in out
    assert "frames 2 -> 4: as trained" in out
    assert found["relative_mse"] == pytest.approx(found["mse"] / found["mse_ballistic"])


def test_where_its_frames_are_missing_its_horizon_is_looked_for(capsys: pytest.CaptureFixture[str]) -> None:
    npz(Path("fine.npz"), tiny_arrays(20, frames=11, spacing=0.25))
    found, out = evaluated(capsys, "run", "--data", "fine.npz")
    assert (found["input_frame"], found["target_frame"], found["horizon"]) == (0, 4, 1.0)
    assert "frames 0 -> 4: the horizon of 1 that run forecasts" in out
    assert evaluated(capsys, "run", "--data", "fine.npz", "--input-frame", "3")[0]["target_frame"] == 7
    uneven = tiny_arrays(20, frames=4) | {"times": np.array([0.0, 0.3, 1.1, 1.3])}
    npz(Path("uneven.npz"), uneven)
    found, _ = evaluated(capsys, "run", "--data", "uneven.npz")
    assert (found["input_frame"], found["target_frame"]) == (1, 3)


def test_a_model_of_any_horizon_takes_one(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("free").exists():
        trained(home / "train.npz", home / "free", "integrator", horizon=0.5)
    found, _ = evaluated(capsys, "free", "--data", "other.npz", "--horizon", "2")
    assert (found["input_frame"], found["target_frame"], found["horizon"]) == (0, 4, 2.0)
    assert any(reason.startswith("horizon 2 (measured: up to 0.5)") for reason in found["outside_training"])
    assert evaluated(capsys, "free", "--data", "other.npz")[0]["horizon"] == 0.5
    npz(Path("thirds.npz"), tiny_arrays(20, frames=5, spacing=0.3))
    found, out = evaluated(capsys, "free", "--data", "thirds.npz")
    assert found["horizon"] == pytest.approx(0.6)
    assert "frames 0 -> 2: horizon 0.6 (2 frames): frames are 0.3 apart" in out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--target-frame", "1"], "a horizon of 1 only; got 0.5 (frames 0 -> 1); use --horizon 1, which is "
                                  "--input-frame 0 --target-frame 2 here"),
        (["--horizon", "0.7"], "no frame is 0.7 after frame 0 (t = 0); frames are at t = 0, 0.5, 1, 1.5, 2, 2.5"),
        (["--horizon", "1", "--target-frame", "2"], "--horizon and --target-frame exclude each other"),
        (["--horizon", "0"], "--horizon"),
    ],
)  # fmt: skip
def test_refusals_name_the_way_out(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = command(main, capsys, "run", "--data", "other.npz", *argv)
    assert said in refused(status, err)


def test_no_frames_so_far_apart_are_said_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    npz(Path("short.npz"), tiny_arrays(20, frames=3, spacing=0.1))
    status, _, err = command(main, capsys, "run", "--data", "short.npz")
    text = refused(status, err)
    for part in ("a horizon of 1 only", "(its frames 2 -> 4)", "t = 0, 0.1, 0.2", "data.horizon"):
        assert part in text


def test_filled_in_velocities_are_said_and_measured_from_frame_one(capsys: pytest.CaptureFixture[str]) -> None:
    arrays = tiny_arrays(20, frames=6)
    del arrays["velocities"]
    npz(Path("still.npz"), arrays)
    found, out = evaluated(capsys, "run", "--data", "still.npz")
    assert any("backward differences" in note for note in found["notes"])
    assert "backward differences" in out
    assert found["mse_ballistic"] > 1e-3
    status, _, err = command(main, capsys, "run", "--data", "still.npz", "--input-frame", "0")
    assert status == 2
    assert "--input-frame 1" in err


# What was trained on


def converted(change: str) -> Path:
    arrays = tiny_arrays(40, frames=6)
    order = np.random.default_rng(0).permutation(36)
    rows: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "as it is": lambda a: a,
        "a subset in another order": lambda a: a[order[:9]],
        "single precision": lambda a: a.astype(np.float32),
        "a text of eight digits": lambda a: np.vectorize(lambda x: float(f"{x:.8g}"))(a),
    }
    changed = {name: a if name == "times" else rows[change](a) for name, a in arrays.items()}
    return npz(Path("again.npz"), changed)


@pytest.mark.parametrize(
    "change", ["as it is", "a subset in another order", "single precision", "a text of eight digits"]
)
def test_data_that_a_model_was_trained_on_are_known_again(change: str, capsys: pytest.CaptureFixture[str]) -> None:
    converted(change)
    found, out = evaluated(capsys, "run", "--data", "again.npz")
    assert found["seen_in_training"] is True
    said = "about 36 of these 40 samples" if change != "a subset in another order" else "these samples"
    assert f"run was trained on {said}: no held-out data" in out


def test_another_frame_of_them_too(capsys: pytest.CaptureFixture[str]) -> None:
    arrays = tiny_arrays(40, frames=6)
    later = {
        name: a[1:] if name == "times" else a if name == "charges" else a[:, 1:] for name, a in arrays.items()
    }
    npz(Path("later.npz"), later)
    assert evaluated(capsys, "run", "--data", "later.npz")[0]["seen_in_training"] is True


def test_other_data_are_not(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, out = evaluated(capsys, "run", "--data", "other.npz")
    assert found["seen_in_training"] is False
    assert "was trained on" not in out
    kept = read_checkpoint(home / "run" / "best")
    card = {name: value for name, value in kept.info["card"].items() if name != "seen"}
    save_checkpoint(home / "older", {**kept.info, "card": card}, kept.tensors)
    assert evaluated(capsys, "older", "--data", "again.npz" if Path("again.npz").exists() else "other.npz")[0][
        "seen_in_training"
    ] is None  # fmt: skip


def test_samples_that_start_from_one_lattice_are_told_apart(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their first positions are equal; their velocities are not."""
    lattice = tiny_arrays(1)["positions"][:, :1]

    def started(seed: int) -> dict[str, Any]:
        arrays = tiny_arrays(30, seed=seed)
        return arrays | {"positions": arrays["positions"] - arrays["positions"][:, :1] + lattice}

    trained(npz(home / "lattice.npz", started(1)), home / "lattice")
    npz(home / "lattice2.npz", started(2))
    assert evaluated(capsys, "lattice", "--data", "lattice2.npz")[0]["seen_in_training"] is False
    assert evaluated(capsys, "lattice", "--data", "lattice.npz")[0]["seen_in_training"] is True


def test_of_one_trajectory_the_held_out_part_is_measured(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    t = 0.1 * np.arange(120)
    angle = t[:, None] * np.array([1.0, 1.3, 0.7]) + np.array([0.0, 2.0, 4.0])
    x = np.stack([np.cos(angle), np.sin(angle)], axis=-1)[None]
    arrays = {"positions": x, "velocities": np.gradient(x, t, axis=1), "charges": np.ones((1, 3)), "times": t}
    trained(npz(home / "long.npz", arrays), home / "long", horizon=0.5)
    found, out = evaluated(capsys, "long", "--data", "long.npz")
    assert "long was trained on this trajectory up to t = 10.4" in out
    assert (found["samples"], found["seen_in_training"]) == (11, False)
    assert found["input_frame"] == 104
    arrays["positions"] = np.stack([np.cos(angle + 1), np.sin(angle + 1)], axis=-1)[None]
    npz(home / "new.npz", arrays)
    found, out = evaluated(capsys, "long", "--data", "new.npz")
    assert (found["samples"], found["seen_in_training"]) == (115, False)
    assert "one trajectory: 115 windows of 0.5, frames 0 to 119" in out
    assert evaluated(capsys, "long", "--data", "new.npz", "--input-frame", "7")[0]["samples"] == 1


# What lies outside


@pytest.mark.parametrize(
    ("name", "factor", "said"),
    [
        ("charges", 3.0, "charges -3 to 3 (trained: -1 to 1)"),
        ("velocities", 40.0, "speeds up to"),
        ("positions", 10.0, "pair distances"),
    ],
)
def test_states_unlike_those_of_the_training_are_flagged(
    name: str, factor: float, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays = tiny_arrays(30, frames=6, seed=5)
    arrays[name] = arrays[name] * factor
    npz(Path("odd.npz"), arrays)
    found, out = evaluated(capsys, "run", "--data", "odd.npz")
    assert any(reason.startswith(said) for reason in found["outside_training"])
    assert f"outside training      {said}" in out


def test_a_clock_that_starts_elsewhere_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    arrays = tiny_arrays(30, frames=6, seed=5)
    for recipe in ({}, {"law": "coulomb", "parameters": {"eps": 0.7}}):
        npz(Path("late.npz"), arrays | {"times": arrays["times"] + 1000.0}, recipe=recipe)
        found, _ = evaluated(capsys, "run", "--data", "late.npz")
        assert not any(reason.startswith("t =") for reason in found["outside_training"])


# Units, notes and the benchmark


def test_the_units_of_the_data_are_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, out = evaluated(capsys, "run", "--data", "train.npz")
    assert found["units"] == {"length": "nm", "time": "ps", "charge": "e"}
    assert "nm^2" in out
    assert "horizon 1 ps" in out
    assert read_checkpoint(home / "run" / "best").info["card"]["units"] == found["units"]


def test_other_units_are_named_and_not_mixed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    angstrom = np.array(json.dumps({"length": "A", "time": "ps"}))
    npz(home / "angstrom.npz", tiny_arrays(40, frames=6, seed=8), units=angstrom)
    found, _ = evaluated(capsys, "run", "--data", "angstrom.npz")
    assert found["outside_training"] == ["length in A (trained: nm)"]
    config = {"model": {"name": "egnn"}, "data": {"paths": ["train.npz", "angstrom.npz"]}}
    with pytest.raises(InputError, match=r"angstrom\.npz: length in A, where another data set of the run has nm"):
        train(config_from_tree(config, "test"), home / "x", resume=False, device="cpu", command="", quiet=True)


def test_training_says_losses_in_the_units_of_the_data(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "tiny.toml").write_text(
        '[model]\nname = "egnn"\nhidden = 8\nlayers = 1\n[train]\nepochs = 2\nbatch_size = 8\nvalidate_every = 1\n'
        "threads = 1\n"
    )
    argv = ["--config", "tiny.toml", "--data", "train.npz", "--out", "said", "--overwrite", "--device", "cpu"]
    status, _, err = command(train_command.main, capsys, *argv)
    assert status == 0, err
    rows = [line.split(",") for line in (home / "said/metrics.csv").read_text().splitlines()]
    last = dict(zip(rows[0], rows[-1], strict=True))
    line = next(text for text in err.splitlines() if "epoch 2/2" in text)
    assert f"valid {float(last['valid_mse']):.5g} " in line
    assert f"nm^2 ({float(last['valid_relative']):.3g} times that of x + v t)" in line


def test_the_benchmark_flags_and_notes_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    arrays = tiny_arrays(40, frames=6)
    arrays["charges"] = 3 * arrays["charges"]
    npz(Path("both.npz"), arrays, units=UNITS)
    argv = ["--models", "run", "--data", "both.npz", "--opponent", "run", "--out", "bench", "--overwrite"]
    status, _, err = command(benchmark_command.main, capsys, *argv)
    assert status == 0, err
    found = json.loads(Path("bench/benchmark.json").read_text())
    assert (found["input_frame"], found["target_frame"]) == (2, 4)
    assert found["outside_training"]["run"][0].startswith("charges -3 to 3")
    assert any(note.startswith("model run was trained on about 36 of these 40 samples") for note in found["notes"])
    assert "no splits: all 40 samples are measured" in found["notes"]
    assert "squared position error [nm^2]" in Path("bench/benchmark.md").read_text()
    status, _, err = command(benchmark_command.main, capsys, *argv, "--horizon", "0.7")
    assert "no frame is 0.7 after" in refused(status, err)
