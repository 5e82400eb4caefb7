"""Forecast trajectories: sliding (every frame from the truth one horizon earlier) and chained."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from physics.errors import InputError
from physics.types import State, System, Trajectory
from surrogate.inference.forecaster import Forecaster

FloatArray = NDArray[np.float64]


def horizon_in_frames(times: FloatArray, horizon: float) -> int:
    """How many frames one horizon spans.

    Raises
    ------
    InputError
        Where frames are not equally spaced or the horizon is not a multiple of the spacing.
    """
    if len(times) < 2:
        raise InputError(f"one frame spans less than the model's horizon of {horizon:g}")
    spacing = np.diff(times)
    count = round(horizon / float(spacing[0]))
    equal = np.allclose(spacing, spacing[0], rtol=1e-6, atol=0)
    if not equal or count < 1 or abs(count * spacing[0] - horizon) > 1e-6 * horizon:
        raise InputError(
            f"frames must be equally spaced and divide the horizon {horizon:g}; spacing is {spacing[0]:g}"
        )
    return count


def _frames_per_forecast(model: Forecaster, truth: Trajectory) -> int:
    """Frames in one horizon, once model and truth have been found to fit."""
    model.refuse_unfit(truth.n_dims, truth.system.n_particles, model.horizon)
    k = horizon_in_frames(truth.times, model.horizon)
    if k >= truth.n_frames:
        raise InputError(f"{truth.n_frames} frames span less than the model's horizon of {model.horizon:g}")
    return k


def _step(
    model: Forecaster, x: FloatArray, v: FloatArray, q: FloatArray, m: FloatArray, dtype: torch.dtype
) -> tuple[FloatArray, FloatArray]:
    """One horizon; without a velocity of its own the model's mean velocity over the horizon stands in."""
    positions, velocities = model.forecast_in(x, v, q, dtype, m)
    if velocities is None:
        velocities = (positions - x) / model.horizon
    return positions, velocities


def _per_sample(system: System, count: int) -> tuple[FloatArray, FloatArray]:
    """Charges and masses of one system, repeated for `count` samples."""
    return np.repeat(system.charges[None], count, axis=0), np.repeat(system.masses[None], count, axis=0)


def sliding_forecast(model: Forecaster, truth: Trajectory, dtype: torch.dtype = torch.float32) -> Trajectory:
    """Every frame from one horizon on, predicted from the truth one horizon earlier.

    Returns
    -------
    Trajectory
        On truth.times[K:], K frames to a horizon.
    """
    k = _frames_per_forecast(model, truth)
    q, m = _per_sample(truth.system, truth.n_frames - k)
    x, v = _step(model, truth.positions[:-k], truth.velocities[:-k], q, m, dtype)
    return _trajectory(truth, truth.times[k:], x, v)


def chained_rollout(model: Forecaster, truth: Trajectory, dtype: torch.dtype = torch.float32) -> Trajectory:
    """The model fed with its own forecasts, on truth.times[K:].

    The frames of the truth's first horizon start K chains, so that every frame is a whole number of
    forecasts away from the truth: frame f is f // K of them away.
    """
    k = _frames_per_forecast(model, truth)
    x, v = truth.positions[:k], truth.velocities[:k]
    q, m = _per_sample(truth.system, k)
    parts = []
    for _ in range(0, truth.n_frames - k, k):
        x, v = _step(model, x, v, q, m, dtype)
        parts.append((x, v))
    wanted = truth.n_frames - k
    positions, velocities = (np.concatenate(arrays)[:wanted] for arrays in zip(*parts, strict=True))
    return _trajectory(truth, truth.times[k:], positions, velocities)


def rollout(
    model: Forecaster, system: System, state: State, duration: float, dtype: torch.dtype = torch.float32
) -> Trajectory:
    """The model's chained forecast of one state, frame 0 the state itself, one frame a horizon.

    Parameters
    ----------
    duration : float [time]
        A positive multiple of the model's horizon.
    """
    count = round(duration / model.horizon) if math.isfinite(duration) else 0
    model.refuse_unfit(state.n_dims, system.n_particles, model.horizon)
    if count < 1 or abs(count * model.horizon - duration) > 1e-6 * duration:
        raise InputError(
            f"duration must be a positive multiple of the horizon {model.horizon:g}; got {duration:g}"
        )
    x, v = state.positions[None], state.velocities[None]
    frames = [(x[0], v[0])]
    q, m = _per_sample(system, 1)
    for _ in range(count):
        x, v = _step(model, x, v, q, m, dtype)
        frames.append((x[0], v[0]))
    positions, velocities = (np.array(values) for values in zip(*frames, strict=True))
    times = np.asarray(state.time + model.horizon * np.arange(count + 1), dtype=np.float64)
    return Trajectory(times, positions, velocities, system)


def rollout_batch(
    model: Forecaster,
    x: FloatArray,
    v: FloatArray,
    q: FloatArray,
    m: FloatArray,
    count: int,
    dtype: torch.dtype,
) -> tuple[FloatArray, FloatArray]:
    """Chained forecasts of many states, (samples, count, N, n) positions and velocities.

    A system whose forecast stops being finite stays where it was last (its error says the rest).
    """
    positions, velocities = [], []
    for _ in range(count):
        x_new, v_new = _step(model, x, v, q, m, dtype)
        alive = (np.isfinite(x_new) & np.isfinite(v_new)).all(axis=(1, 2), keepdims=True)
        x, v = np.where(alive, x_new, x), np.where(alive, v_new, v)
        positions.append(x)
        velocities.append(v)
    return np.stack(positions, axis=1), np.stack(velocities, axis=1)


def _trajectory(truth: Trajectory, times: FloatArray, x: FloatArray, v: FloatArray) -> Trajectory:
    if not (np.isfinite(x).all() and np.isfinite(v).all()):
        bad = ~np.isfinite(x).all(axis=(1, 2))
        when = times[int(np.argmax(bad))] if bad.any() else times[0]
        raise InputError(f"the forecast is not finite from t = {when:g} on; this state is far outside training")
    return Trajectory(times, x, v, truth.system, truth.velocity_offset)
