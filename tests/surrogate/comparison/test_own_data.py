"""compare on files of one's own: any clock, filled-in velocities, boxes, unknown laws, lost forecasts."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from surrogate import compare
from tests.surrogate.helpers import command, npz, refused, saved_model, tiny_arrays

Capture = pytest.CaptureFixture[str]


def compared(capsys: Capture, model: Path, data: Path, *more: object) -> tuple[str, dict[str, Any], Path]:
    """What it prints, its metrics and its folder."""
    out = data.parent / f"out{len(list(data.parent.iterdir()))}"
    given = (model, "--data", data, "--index", 0, "--formats", "csv,npz", "--out", out, *more)
    status, said, error = command(compare.main, capsys, *given)
    assert status == 0, error

    def refuse(text: str) -> None:
        raise AssertionError(f"{text} in JSON")

    return said, json.loads((out / "metrics.json").read_text(), parse_constant=refuse), out


@pytest.fixture
def free(tmp_path: Path) -> Path:
    """A model of any horizon."""
    return saved_model(tmp_path / "free", "integrator")


@pytest.mark.parametrize(
    ("times", "frames", "said"),
    [
        (0.3 * np.arange(8), 5, "horizon 0.9 (3 frames)"),
        (np.array([0.0, 0.3]), 1, "horizon 0.3 (1 frame)"),
        ((1000 + 0.1 * np.arange(14)).astype(np.float32), 4, ""),
        (np.array([0.0, 0.4, 1.0, 1.3, 2.1, 2.2]), 4, "uneven"),
    ],
)
def test_frames_of_any_times_are_compared(
    times: np.ndarray, frames: int, said: str, free: Path, tmp_path: Path, capsys: Capture
) -> None:
    data = npz(tmp_path / "mine.npz", {**tiny_arrays(frames=len(times), particles=5), "times": times})
    printed, found, _ = compared(capsys, free, data)
    assert len(found["times"]) == frames
    assert said in printed
    assert any(said in note for note in found["notes"]) or not said
    assert not any(reason.startswith("t =") for reason in found["outside_training"])


def test_the_horizon_that_is_asked_for(free: Path, tmp_path: Path, capsys: Capture) -> None:
    data = npz(tmp_path / "mine.npz", tiny_arrays(frames=8, particles=5, spacing=0.3))
    _, found, _ = compared(capsys, free, data, "--horizon", 0.6)
    assert (found["horizon"], len(found["times"])) == (0.6, 6)
    given = ("--data", data, "--index", 0, "--out", tmp_path / "o")
    status, _, error = command(compare.main, capsys, free, *given, "--horizon", 0.5)
    assert "choose 0.3 or 0.6" in refused(status, error)
    fixed = saved_model(tmp_path / "fixed", "egnn")
    status, _, error = command(compare.main, capsys, fixed, *given)
    assert all(words in refused(status, error) for words in ("0.3 apart", "horizon of 1 ", "any horizon"))
    assert not (tmp_path / "o").exists()


def test_filled_in_velocities_start_where_they_are_known_and_are_said(
    free: Path, tmp_path: Path, capsys: Capture
) -> None:
    arrays = tiny_arrays(frames=6, particles=5)
    printed, found, out = compared(capsys, free, npz(tmp_path / "a.npz", arrays, velocities=None, charges=None))
    assert found["times"][0] == arrays["times"][3]  # frame 1, the first with a velocity, is two frames earlier
    assert any("velocities" in note for note in found["notes"])
    assert any("charges" in note for note in found["notes"])
    assert "backward differences" in printed
    assert "backward differences" in (out / "comparison.json").read_text()
    two = npz(tmp_path / "b.npz", tiny_arrays(frames=2, particles=5), velocities=None)
    status, _, error = command(compare.main, capsys, free, "--data", two, "--index", 0, "--out", tmp_path / "o")
    assert "frame 0 has not" in refused(status, error)


def test_of_an_unknown_law_nothing_is_claimed(free: Path, tmp_path: Path, capsys: Capture) -> None:
    data = npz(tmp_path / "mine.npz", tiny_arrays(frames=6, particles=5))
    _, found, out = compared(capsys, free, data)
    assert [found[f"energy_{source}"] for source in ("truth", "forecast", "rollout")] == [None] * 3
    assert "energy" not in (out / "metrics.csv").read_text()
    assert "coulomb" not in json.dumps({**json.loads((out / "comparison.json").read_text()), "details": {
        key: value for key, value in json.loads((out / "comparison.json").read_text())["details"].items()
        if key != "card"
    }})  # fmt: skip


def test_positions_in_a_box_run_on_and_its_energies_turn_with_the_world(
    free: Path, tmp_path: Path, capsys: Capture
) -> None:
    recipe = {"law": "coulomb", "parameters": {"eps": 0.1}}
    arrays = tiny_arrays(frames=6, particles=5) | {"box": np.full(3, 6.0)}
    data = npz(tmp_path / "mine.npz", arrays, recipe=recipe)
    _, plain, _ = compared(capsys, free, data)
    _, turned, _ = compared(capsys, free, data, "--rotate", "0-1:30")
    assert plain["energy_truth"] == pytest.approx(turned["energy_truth"], rel=1e-9)
    open_space = npz(tmp_path / "open.npz", {**arrays, "box": None}, recipe=recipe)
    _, free_space, _ = compared(capsys, free, open_space)
    assert plain["energy_truth"] != pytest.approx(free_space["energy_truth"], rel=1e-3)  # it bites
    assert plain["position_rmse"] == free_space["position_rmse"]


def test_a_forecast_that_is_lost_shows_what_there_is(tmp_path: Path, capsys: Capture) -> None:
    model = saved_model(tmp_path / "model", "egnn")
    arrays = tiny_arrays(frames=6, particles=5, spacing=1.0)
    arrays["positions"][:, 3] *= 1e30
    printed, found, _ = compared(capsys, model, npz(tmp_path / "some.npz", arrays))
    assert len(found["times"]) == 4
    assert any("not finite at 1 of 5 frames, first at t = 4" in note for note in found["notes"])
    assert "not finite" in printed
    arrays["positions"] *= 1e30
    data = npz(tmp_path / "all.npz", arrays)
    given = (model, "--data", data, "--index", 0, "--out", tmp_path / "o")
    status, _, error = command(compare.main, capsys, *given)
    assert "not finite from t = 1" in refused(status, error)


def test_a_file_without_splits_is_no_test_set(free: Path, tmp_path: Path, capsys: Capture) -> None:
    printed, _, _ = compared(capsys, free, npz(tmp_path / "mine.npz", tiny_arrays(frames=6, particles=5)))
    assert "mine.npz, sample 0" in printed
