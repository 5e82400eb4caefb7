"""Sliding and chained forecasts agree where they must, and refuse what does not fit."""

import numpy as np
import pytest
import torch

from physics import State, System, simulate
from physics.errors import InputError
from physics.types import Trajectory
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.frame_pairs import horizon_in_frames
from surrogate.inference.rollout import (
    chained_rollout,
    model_step,
    rollout,
    rollout_batch,
    sliding_forecast,
)
from tests.surrogate.helpers import tiny_model


def forecaster(name: str = "egnn-recurrent", horizon: float = 0.4) -> Forecaster:
    model = tiny_model(name)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(0.3)
    return Forecaster(model, name=name, card={}, horizon=horizon)


def _twice(system: System) -> tuple[np.ndarray, np.ndarray]:
    return np.tile(system.charges, (2, 1)), np.tile(system.masses, (2, 1))


@pytest.fixture(scope="module")
def truth() -> Trajectory:
    rng = np.random.default_rng(2)
    system = System(np.array([1.0, -1, 1, -1]), law="coulomb", parameters={"eps": 0.3})
    state = State(rng.standard_normal((4, 3)), 0.5 * rng.standard_normal((4, 3)), time=2.0)
    return simulate(system, state, 1.5, n_frames=16, dt=0.01)


def test_the_first_horizon_of_both_is_the_same(truth: Trajectory) -> None:
    model = forecaster()
    sliding, chained = sliding_forecast(model, truth), chained_rollout(model, truth)
    assert sliding.n_frames == chained.n_frames == 12
    np.testing.assert_array_equal(sliding.times, truth.times[4:])
    np.testing.assert_array_equal(chained.times, truth.times[4:])
    np.testing.assert_allclose(sliding.positions[:4], chained.positions[:4], rtol=0, atol=1e-6)
    np.testing.assert_allclose(sliding.velocities[:4], chained.velocities[:4], rtol=0, atol=1e-6)
    assert np.abs(sliding.positions[4:] - chained.positions[4:]).max() > 1e-3


def test_each_frame_is_what_the_model_says(truth: Trajectory) -> None:
    model = forecaster()
    q = truth.system.charges
    sliding = sliding_forecast(model, truth, torch.float64)
    chained = chained_rollout(model, truth, torch.float64)
    for f in range(12):
        one = model.forecast(truth.positions[f], truth.velocities[f], q, 0.4)
        np.testing.assert_allclose(sliding.positions[f], one.positions, rtol=0, atol=1e-12)
        if f >= 4:
            one = model.forecast(chained.positions[f - 4], chained.velocities[f - 4], q, 0.4)
        np.testing.assert_allclose(chained.positions[f], one.positions, rtol=0, atol=1e-12)
        np.testing.assert_allclose(chained.velocities[f], one.velocities, rtol=0, atol=1e-12)


def test_without_its_own_velocity_the_mean_velocity_stands_in(truth: Trajectory) -> None:
    model = forecaster("egnn")
    sliding = sliding_forecast(model, truth)
    np.testing.assert_allclose(sliding.velocities, (sliding.positions - truth.positions[:-4]) / 0.4, atol=1e-12)


def test_a_rollout_is_the_chain_of_its_first_state(truth: Trajectory) -> None:
    model = forecaster()
    free = rollout(model, truth.system, truth.state(0), 1.2)
    np.testing.assert_allclose(free.times, 2.0 + 0.4 * np.arange(4))
    np.testing.assert_array_equal(free.positions[0], truth.positions[0])
    chained = chained_rollout(model, truth)
    np.testing.assert_allclose(free.positions[1:], chained.positions[::4][:3], rtol=0, atol=1e-6)
    step = model_step(model, *_twice(truth.system), torch.float32)
    batch_x, batch_v = rollout_batch(step, truth.positions[:2], truth.velocities[:2], 3)
    assert batch_x.shape == (2, 3, 4, 3)
    np.testing.assert_allclose(batch_x[0], free.positions[1:], rtol=0, atol=1e-6)
    np.testing.assert_allclose(batch_v[0], free.velocities[1:], rtol=0, atol=1e-6)


def test_a_lost_system_of_a_batch_stands_still_and_spares_the_others(truth: Trajectory) -> None:
    model = forecaster()
    x, v = truth.positions[:2].copy(), truth.velocities[:2].copy()
    q, m = _twice(truth.system)
    alone, _ = rollout_batch(model_step(model, q[1:], m[1:], torch.float32), x[1:], v[1:], 3)
    x[0] *= 1e30
    lost, _ = rollout_batch(model_step(model, q, m, torch.float32), x, v, 3)
    assert np.isfinite(lost).all()
    np.testing.assert_array_equal(lost[0, 2], x[0])
    np.testing.assert_allclose(lost[1], alone[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_frames_in_a_horizon_in_any_unit(unit: float) -> None:
    times = unit * (3.0 + 0.1 * np.arange(20))
    assert horizon_in_frames(times, 1.0 * unit) == 10
    assert horizon_in_frames(times, 0.1 * unit) == 1
    for horizon in (0.25, 0.04, 0.999):
        with pytest.raises(InputError, match="frames must be equally spaced and divide"):
            horizon_in_frames(times, horizon * unit)
    uneven = times.copy()
    uneven[7] += 0.01 * unit
    with pytest.raises(InputError, match="frames must be equally spaced"):
        horizon_in_frames(uneven, unit)


def test_too_few_frames(truth: Trajectory) -> None:
    def cut(frames: int) -> Trajectory:
        return truth.part(slice(0, frames))

    for forecast in (sliding_forecast, chained_rollout):
        for frames in (1, 2, 4):
            with pytest.raises(InputError, match=r"less than the model's horizon of 0\.4"):
                forecast(forecaster(), cut(frames))
        assert forecast(forecaster(), cut(5)).n_frames == 1


def test_horizons_and_dimensions_that_do_not_fit(truth: Trajectory) -> None:
    flat = System(truth.system.charges)
    state = State(np.eye(4)[:, :2], np.zeros((4, 2)))
    for forecast in (sliding_forecast, chained_rollout):
        with pytest.raises(InputError, match=r"0\.1 apart, and the model's horizon of 0\.15 is no multiple"):
            forecast(forecaster(horizon=0.15), truth)
        with pytest.raises(InputError, match="runs in n = 3 only; got n = 2"):
            forecast(
                forecaster("gnn"),
                Trajectory(truth.times, truth.positions[..., :2], truth.velocities[..., :2], flat),
            )
    with pytest.raises(InputError, match="runs in n = 3 only; got n = 2"):
        rollout(forecaster("gnn"), flat, state, 0.4)
    for duration in (0.0, -0.4, 0.5, np.nan, np.inf):
        with pytest.raises(InputError, match=r"duration must be a positive multiple of the horizon 0\.4"):
            rollout(forecaster(), truth.system, truth.state(0), duration)


def test_a_forecast_that_is_not_finite_says_when(truth: Trajectory) -> None:
    far = Trajectory(truth.times, truth.positions * 1e30, truth.velocities, truth.system)
    with pytest.raises(InputError, match=r"the forecast is not finite from t = 2\.4 on"):
        sliding_forecast(forecaster(), far)
