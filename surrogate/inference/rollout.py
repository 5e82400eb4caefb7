"""Forecast trajectories: sliding (every frame from the truth one horizon earlier) and chained."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from physics.errors import InputError
from physics.types import FloatArray, State, System, Trajectory
from surrogate.inference.batched_forward import samples_at_once
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.frame_pairs import FramePairs, frame_pairs

States = tuple[FloatArray, FloatArray]
"""Positions and velocities, (samples, N, n) [length], [length/time]."""
Step = Callable[[FloatArray, FloatArray], States]
"""From states to the states one horizon later."""
Indices = NDArray[np.int64]
Block = tuple[Indices, FloatArray, FloatArray]
"""Which pairs, and the positions and velocities of their targets, (n_block, N, n) each."""


def model_step(
    model: Forecaster,
    q: FloatArray,
    m: FloatArray,
    dtype: torch.dtype,
    given: Mapping[str, FloatArray] | None = None,
) -> Step:
    """One horizon of a model for systems of these charges and masses, (samples, N) float64.

    `given` holds what the model takes beside the states, (samples, ...), unless it is bound to some.

    Without a velocity of its own the model's mean velocity over the horizon stands in.
    """

    def step(x: FloatArray, v: FloatArray) -> States:
        positions, velocities = model.forecast_in(x, v, q, dtype, m, given)
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


def forecast_blocks(
    model: Forecaster,
    system: System,
    states: States,
    pairs: FramePairs,
    dtype: torch.dtype = torch.float32,
    order: Indices | None = None,
) -> Iterator[Block]:
    """Forecasts of frames from frames before them, in blocks of bounded memory: each is one pass of the network.

    Parameters
    ----------
    states : States
        Of all frames, (n_frames, N, n).
    pairs : FramePairs
    order : (n_chosen,) int64, optional
        Which pairs to forecast, the first ones first; all of them in their order by default.
    """
    chosen = np.arange(len(pairs)) if order is None else order
    most = samples_at_once(system.n_particles)
    start = 0
    while start < len(chosen):
        horizon = pairs.horizons[chosen[start]]
        same = pairs.horizons[chosen[start : start + most]] == horizon
        stop = start + (len(same) if same.all() else int(np.argmin(same)))
        which = chosen[start:stop]
        bound = _bound(model, float(horizon)).of_system(system, states[0].shape[2])
        step = model_step(bound, *_per_sample(system, len(which)), dtype)
        at = pairs.inputs[which]
        yield (which, *step(states[0][at], states[1][at]))
        start = stop


def sliding_forecast(
    model: Forecaster, truth: Trajectory, dtype: torch.dtype = torch.float32, pairs: FramePairs | None = None
) -> Trajectory:
    """Frames predicted from the truth one horizon earlier, every one that has such a frame by default.

    Returns
    -------
    Trajectory
        On the times of the pairs' targets.

    Raises
    ------
    InputError
        Where model and frames do not fit, or a forecast is not finite.
    """
    pairs = model_pairs(model, truth) if pairs is None else pairs
    _, x, v = joined_blocks(
        forecast_blocks(model, truth.system, (truth.positions, truth.velocities), pairs, dtype)
    )
    return _trajectory(truth, truth.times[pairs.targets], x, v)


def chained_rollout(
    model: Forecaster,
    truth: Trajectory,
    dtype: torch.dtype = torch.float32,
    pairs: FramePairs | None = None,
    made: Callable[[int], None] = lambda _: None,
) -> Trajectory:
    """The model fed with its own forecasts, on the times of the pairs' targets.

    A frame whose input is itself forecast starts from that forecast, else from the truth. Of K equally spaced
    frames to a horizon, the first K start K chains, and frame f is f // K forecasts away from the truth.

    Parameters
    ----------
    made : callable
        Called with the number of frames forecast, as they come; may raise to stop.

    Raises
    ------
    InputError
        As of `sliding_forecast`.
    """
    pairs = model_pairs(model, truth) if pairs is None else pairs
    x, v = truth.positions.copy(), truth.velocities.copy()  # forecasts take the place of the truth, level by level
    level = np.zeros(truth.n_frames, dtype=np.int64)
    for start, target in zip(pairs.inputs, pairs.targets, strict=True):
        level[target] = level[start] + 1
    for depth in range(1, int(level.max()) + 1):
        which = np.flatnonzero(level[pairs.targets] == depth)
        for part, new_x, new_v in forecast_blocks(model, truth.system, (x, v), pairs, dtype, which):
            at = pairs.targets[part]
            x[at], v[at] = new_x, new_v
            made(len(part))
        at = pairs.targets[which]
        _trajectory(truth, truth.times[at], x[at], v[at])  # else the next level starts from what is not finite
    return _trajectory(truth, truth.times[pairs.targets], x[pairs.targets], v[pairs.targets])


def model_pairs(model: Forecaster, truth: Trajectory) -> FramePairs:
    """The frames of a truth that a model can forecast, once both have been found to fit."""
    model.refuse_unfit(truth.n_dims, truth.system.n_particles, model.horizon)
    return frame_pairs(truth.times, model.horizon, any_horizon=model.horizons == "any")


def joined_blocks(blocks: Iterable[Block]) -> Block:
    """Some blocks as one, their pairs in increasing order."""
    which, x, v = (np.concatenate(arrays) for arrays in zip(*blocks, strict=True))
    order = np.argsort(which, kind="stable")
    return which[order], x[order], v[order]


def _bound(model: Forecaster, horizon: float) -> Forecaster:
    """The model at another horizon; a number of evaluations that was chosen for its own is scaled along."""
    return model if horizon == model.horizon else model.with_horizon(horizon)


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
    model = model.of_system(system, state.n_dims)
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
        finite = finite_states(x_new, v_new)[:, None, None]
        return np.where(finite, x_new, x), np.where(finite, v_new, v)

    positions, velocities = zip(*repeated(kept_finite, x, v, count), strict=True)
    return np.stack(positions, axis=1), np.stack(velocities, axis=1)


def finite_states(x: FloatArray, v: FloatArray) -> NDArray[np.bool_]:
    """Of which states (samples, N, n) all numbers are finite, (samples,)."""
    return np.asarray(np.isfinite(x).all(axis=(1, 2)) & np.isfinite(v).all(axis=(1, 2)))


def _trajectory(truth: Trajectory, times: FloatArray, x: FloatArray, v: FloatArray) -> Trajectory:
    if not (np.isfinite(x).all() and np.isfinite(v).all()):
        bad = ~np.isfinite(x).all(axis=(1, 2))
        when = times[int(np.argmax(bad))] if bad.any() else times[0]
        raise InputError(f"the forecast is not finite from t = {when:g} on; this state is far outside training")
    return Trajectory(times, x, v, truth.system, truth.velocity_offset)
