"""Forecast trajectories: sliding (every frame from the truth one horizon earlier) and chained."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch

from physics.errors import InputError
from physics.types import FloatArray, State, System, Trajectory
from surrogate.inference.forecaster import Forecaster

States = tuple[FloatArray, FloatArray]
"""Positions and velocities, (samples, N, n) [length], [length/time]."""
Step = Callable[[FloatArray, FloatArray], States]
"""From states to the states one horizon later."""


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


def model_step(model: Forecaster, q: FloatArray, m: FloatArray, dtype: torch.dtype) -> Step:
    """One horizon of a model for systems of these charges and masses, (samples, N) float64.

    Without a velocity of its own the model's mean velocity over the horizon stands in.
    """

    def step(x: FloatArray, v: FloatArray) -> States:
        positions, velocities = model.forecast_in(x, v, q, dtype, m)
        return positions, (positions - x) / model.horizon if velocities is None else velocities

    return step


def repeated(step: Step, x: FloatArray, v: FloatArray, count: int) -> Iterator[States]:
    """The states after 1, 2, ..., `count` steps, each step from the state before it."""
    for _ in range(count):
        x, v = step(x, v)
        yield x, v


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
    x, v = model_step(model, q, m, dtype)(truth.positions[:-k], truth.velocities[:-k])
    return _trajectory(truth, truth.times[k:], x, v)


def chained_rollout(model: Forecaster, truth: Trajectory, dtype: torch.dtype = torch.float32) -> Trajectory:
    """The model fed with its own forecasts, on truth.times[K:].

    The frames of the truth's first horizon start K chains, so that every frame is a whole number of
    forecasts away from the truth: frame f is f // K of them away.
    """
    k = _frames_per_forecast(model, truth)
    wanted = truth.n_frames - k
    step = model_step(model, *_per_sample(truth.system, k), dtype)
    parts = repeated(step, truth.positions[:k], truth.velocities[:k], -(-wanted // k))
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
    states = [(x, v), *repeated(model_step(model, *_per_sample(system, 1), dtype), x, v, count)]
    positions, velocities = (np.concatenate(arrays) for arrays in zip(*states, strict=True))
    times = np.asarray(state.time + model.horizon * np.arange(count + 1), dtype=np.float64)
    return Trajectory(times, positions, velocities, system)


def rollout_batch(step: Step, x: FloatArray, v: FloatArray, count: int) -> States:
    """Chained steps of many systems, (samples, count, N, n) positions and velocities.

    A system whose state stops being finite stays where it was last (its error says the rest).
    """

    def kept_finite(x: FloatArray, v: FloatArray) -> States:
        x_new, v_new = step(x, v)
        finite = (np.isfinite(x_new) & np.isfinite(v_new)).all(axis=(1, 2), keepdims=True)
        return np.where(finite, x_new, x), np.where(finite, v_new, v)

    positions, velocities = zip(*repeated(kept_finite, x, v, count), strict=True)
    return np.stack(positions, axis=1), np.stack(velocities, axis=1)


def _trajectory(truth: Trajectory, times: FloatArray, x: FloatArray, v: FloatArray) -> Trajectory:
    if not (np.isfinite(x).all() and np.isfinite(v).all()):
        bad = ~np.isfinite(x).all(axis=(1, 2))
        when = times[int(np.argmax(bad))] if bad.any() else times[0]
        raise InputError(f"the forecast is not finite from t = {when:g} on; this state is far outside training")
    return Trajectory(times, x, v, truth.system, truth.velocity_offset)
