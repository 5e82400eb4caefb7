"""What is made of a comparison of many particles, and what is said to be left out."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from physics import State, System
from physics.types import Trajectory
from surrogate import compare
from surrogate.comparison import forecasts
from surrogate.comparison.comparison import Comparison
from surrogate.comparison.extent import affordable_extent, whole_extent
from surrogate.comparison.forecasts import coarse_to_fine, comparison_parts
from surrogate.comparison.ground_truth import rotation_of
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.frame_pairs import frame_pairs
from tests.surrogate.helpers import command, npz, saved_model, tiny_arrays, tiny_model


def lasting(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every forecast is measured, and seems to take so long."""
    timed = forecasts._timed_forecast
    monkeypatch.setattr(forecasts, "SMALL", 0)
    monkeypatch.setattr(forecasts, "_timed_forecast", lambda *given: (seconds, timed(*given)[1]))


@pytest.mark.parametrize("count", range(1, 140, 3))
def test_no_more_is_made_than_can_be_afforded_and_chains_stay_chains(count: int) -> None:
    pairs = frame_pairs(0.1 * np.arange(60), 1.0, any_horizon=True)
    whole = whole_extent(len(pairs), 8, chained=True)
    extent = affordable_extent(whole, pairs, count)
    assert extent.n_forecasts <= count
    assert len(extent.frames) >= 1
    assert bool(extent.left_out)
    if extent.chained:  # what a frame starts from is forecast, too, or lies before the first forecast
        chosen = pairs.some(extent.frames)
        assert set(chosen.inputs.tolist()) <= {*chosen.targets.tolist(), *range(10)}
    assert affordable_extent(whole, pairs, whole.n_forecasts) is whole
    assert len(affordable_extent(whole, pairs, count, thin=False).frames) == len(pairs)


def test_what_is_left_out_is_said_and_null(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lasting(compare.SECONDS / 4, monkeypatch)
    monkeypatch.setattr(forecasts, "PAIR_ENERGIES", 0)
    arrays = tiny_arrays(frames=14, particles=5, spacing=0.2)
    data = npz(tmp_path / "mine.npz", arrays, recipe={"law": "coulomb", "parameters": {"eps": 0.1}})
    model = saved_model(tmp_path / "m", "integrator")
    given = (model, "--data", data, "--index", 0, "--formats", "csv,npz")
    status, said, error = command(compare.main, capsys, *given, "--out", tmp_path / "some")
    assert status == 0, error
    found = json.loads((tmp_path / "some" / "metrics.json").read_text())
    assert len(found["times"]) == 3
    np.testing.assert_allclose(found["times"], arrays["times"][[5, 8, 11]])
    nothing = ("energy_truth", "energy_forecast", "rollout_position_rmse", "energy_rollout")
    assert [found[name] for name in nothing] == [None] * 4
    assert found["equivariance_error"] is not None
    for words in ("forecasts of 6 of 9 frames", "chained roll-out", "energies", "equivariance error but for"):
        assert words in said
        assert any(words in text for text in found["left_out"])
    status, said, error = command(compare.main, capsys, *given, "--in-full", "--out", tmp_path / "all")
    assert status == 0, error
    whole = json.loads((tmp_path / "all" / "metrics.json").read_text())
    assert whole["left_out"] == []
    assert len(whole["times"]) == 9 == len(whole["energy_rollout"])
    np.testing.assert_allclose(whole["position_rmse"][::3], found["position_rmse"], rtol=1e-6)


@pytest.fixture
def parts_of(monkeypatch: pytest.MonkeyPatch) -> list[Comparison]:
    arrays = tiny_arrays(1, 24, particles=4, spacing=0.1)
    truth = Trajectory(
        arrays["times"], arrays["positions"][0], arrays["velocities"][0], System(arrays["charges"][0])
    )
    monkeypatch.setattr("surrogate.inference.rollout.samples_at_once", lambda n: 3)
    model = Forecaster(tiny_model("integrator"), name="m", card={}, horizon=0.5)
    seen: list[float] = []
    rotation = rotation_of(3, None, None, None)
    parts = list(comparison_parts(model, truth, rotation, scenario_name="s", first_frame=17, progress=seen.append))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert isinstance(truth.state(0), State)
    return parts


def test_forecasts_come_the_wanted_frame_first_in_growing_sets(parts_of: list[Comparison]) -> None:
    frames = [set(part.frames.tolist()) for part in parts_of if part.frames is not None]
    assert 17 in frames[0]
    assert all(a <= b for a, b in itertools.pairwise(frames))
    left = [part.forecasts_left for part in parts_of]
    assert left[-2:] == [0, 0]
    assert all(left[:-2])
    whole = parts_of[-1]
    assert whole.frames is not None
    for part in parts_of:
        assert part.frames is not None
        places = np.searchsorted(whole.frames, part.frames)
        np.testing.assert_array_equal(part.truth.positions, whole.truth.positions[places])
        np.testing.assert_allclose(part.forecast.positions, whole.forecast.positions[places], atol=1e-6)
    assert whole.rollout is not None


def test_coarse_to_fine_covers_all_once() -> None:
    for count in (1, 2, 3, 10, 64, 65):
        order = coarse_to_fine(count, count // 2)
        assert order[0] == count // 2
        assert sorted(order.tolist()) == list(range(count))
