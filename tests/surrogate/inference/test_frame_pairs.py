"""Which frame each forecast starts from, and the horizon that fits frames of any spacing, origin and dtype."""

import numpy as np
import pytest

from physics.errors import InputError
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.frame_pairs import MOST_ROUNDS, fitted, fitting_horizon, frame_pairs
from surrogate.inference.rollout import chained_rollout, sliding_forecast
from tests.surrogate.helpers import tiny_model
from tests.surrogate.inference.test_rollout import truth as truth

UNEVEN = np.array([0.0, 0.3, 0.4, 0.9, 1.0, 1.35, 2.0, 7.0])


@pytest.mark.parametrize("start", [0.0, 1000.0, -7.25])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("unit", [1.0, 1e-15, 86400.0])
def test_frames_find_their_partner_whatever_the_clock_s_origin_dtype_and_unit(
    start: float, kind: type, unit: float
) -> None:
    times = (unit * (start + 0.1 * np.arange(30))).astype(kind).astype(np.float64)
    pairs = frame_pairs(times, unit, any_horizon=False)
    np.testing.assert_array_equal(pairs.targets - pairs.inputs, 10)
    assert len(pairs) == 20
    assert (pairs.horizons == unit).all()


@pytest.mark.parametrize(
    ("spacing", "count", "frames"),
    [(0.1, 30, 10), (0.3, 12, 3), (0.3, 2, 1), (7.0, 5, 1), (1e-15, 60, 10), (1e-15, 5, 2), (0.5, 2, 1)],
)
def test_a_horizon_that_fits_the_frames(spacing: float, count: int, frames: int) -> None:
    times = 5.0 * spacing + spacing * np.arange(count)
    horizon, note = fitting_horizon(times, 1.0)
    assert horizon == pytest.approx(frames * spacing)
    assert bool(note) == (abs(horizon - 1.0) > 1e-9)
    assert len(frame_pairs(times, horizon, any_horizon=True)) == count - frames


def test_uneven_times_by_the_actual_differences() -> None:
    pairs = frame_pairs(UNEVEN, 1.0, any_horizon=True)
    np.testing.assert_allclose(UNEVEN[pairs.targets] - UNEVEN[pairs.inputs], pairs.horizons)
    assert (np.abs(pairs.horizons - 1.0) <= 0.5).all()
    assert 7 not in pairs.targets  # five after the frame before it
    fixed = frame_pairs(UNEVEN, 1.0, any_horizon=False)
    assert (fixed.inputs.tolist(), fixed.targets.tolist()) == ([0, 4], [4, 6])
    horizon, note = fitting_horizon(UNEVEN, 1.0)
    assert horizon == 1.0
    assert "uneven" in note


@pytest.mark.parametrize(
    ("times", "horizon", "any_horizon", "said"),
    [
        (0.3 * np.arange(9), 1.0, False, ("0.3 apart", "horizon of 1", "any horizon")),
        (0.3 * np.arange(9), 1.0, True, ("0.3 apart", "choose 0.9 or 1.2")),
        (0.1 * np.arange(5), 1.0, False, ("5 frames 0.1 apart", "horizon of 1", "any horizon")),
        (0.1 * np.arange(5), 1.0, True, ("choose 0.4",)),
        (UNEVEN, 0.77, False, ("frame 0 (t = 0)", "0.77", "any horizon")),
        (UNEVEN, 70.0, True, ("frame 1 (t = 0.3)", "70", "--horizon")),
        (np.zeros(1), 1.0, True, ("one frame",)),
    ],
)
def test_what_does_not_fit_is_refused_with_spacing_horizon_and_the_way_out(
    times: np.ndarray, horizon: float, any_horizon: bool, said: tuple[str, ...]
) -> None:
    with pytest.raises(InputError) as refusal:
        frame_pairs(times, horizon, any_horizon=any_horizon)
    assert all(words in str(refusal.value) for words in said), refusal.value
    assert "\n" not in str(refusal.value)


def test_a_model_is_bound_to_what_fits_and_takes_no_million_rounds() -> None:
    free = Forecaster(tiny_model("integrator"), name="free", card={}, horizon=1.0)
    fixed = Forecaster(tiny_model("egnn"), name="fixed", card={}, horizon=1.0)
    assert fitted(free, 0.3 * np.arange(9))[0].horizon == pytest.approx(0.9)
    assert fitted(free, 0.3 * np.arange(9), 0.6)[0].horizon == 0.6
    assert fitted(free, 0.3 * np.arange(9), 0.6, 5)[0].evaluations == 5
    assert fitted(free, 0.1 * np.arange(30)) == (free, "")
    bound, note = fitted(free, 86400.0 * np.arange(9))
    assert (bound.horizon, bound.evaluations) == (86400.0, MOST_ROUNDS)
    assert "evaluations" in note
    with pytest.raises(InputError, match="forecasts a horizon of 1 only"):
        fitted(fixed, 0.3 * np.arange(9), 0.9)


def test_uneven_forecasts_are_those_of_each_time_difference(truth: object) -> None:
    kept = np.array([0, 1, 3, 4, 8, 9, 13])
    uneven = truth.part(kept)  # type: ignore[attr-defined]
    model = Forecaster(tiny_model("integrator"), name="free", card={}, horizon=0.4)
    pairs = frame_pairs(uneven.times, 0.4, any_horizon=True)
    sliding, chained = sliding_forecast(model, uneven), chained_rollout(model, uneven)
    np.testing.assert_array_equal(sliding.times, uneven.times[pairs.targets])
    q, states = uneven.system.charges, {0: (uneven.positions[0], uneven.velocities[0])}
    for place, (a, b, h) in enumerate(zip(pairs.inputs, pairs.targets, pairs.horizons, strict=True)):
        one = model.with_horizon(float(h)).forecast(uneven.positions[a], uneven.velocities[a], q)
        np.testing.assert_allclose(sliding.positions[place], one.positions, atol=1e-5)
        before = states.get(int(a), (uneven.positions[a], uneven.velocities[a]))
        one = model.with_horizon(float(h)).forecast(*before, q)
        states[int(b)] = one.positions, one.velocities
        np.testing.assert_allclose(chained.positions[place], one.positions, atol=1e-4)
