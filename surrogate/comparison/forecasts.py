"""A `Comparison` made of a truth already turned and one model."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from physics import __version__
from physics.errors import InputError
from physics.scenario_files import fields_tree
from physics.types import FloatArray, Trajectory
from surrogate.comparison.box import PeriodicBox
from surrogate.comparison.comparison import Comparison
from surrogate.comparison.extent import PAIR_ENERGIES, SMALL, affordable_extent, pair_passes, whole_extent
from surrogate.comparison.ground_truth import Rotation
from surrogate.evaluation.metrics import haar_matrices, relative_residuals
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.frame_pairs import FramePairs
from surrogate.inference.given_arrays import system_fields
from surrogate.inference.rollout import (
    Block,
    Indices,
    chained_rollout,
    finite_states,
    forecast_blocks,
    joined_blocks,
    model_pairs,
)
from surrogate.tasks.dynamics.ranges import States as InputStates

Progress = Callable[[float], None]
"""Called with the share done, 0 to 1; what it raises ends the work."""

WARM_UP = 300
"""Particles of a forecast that only compiles: as many as the kernels for large systems take."""


def outside_training(
    model: Forecaster,
    truth: Trajectory,
    law_known: bool,
    pairs: FramePairs | None = None,
    box: PeriodicBox | None = None,
) -> tuple[str, ...]:
    """Why sliding forecasts of a truth lie outside the model's training; empty inside.

    Times are compared where the law is known: where the clock of other data starts means nothing.

    Parameters
    ----------
    pairs : FramePairs, optional
        Of the frames that are forecast; by default all that can be.
    box : PeriodicBox, optional
    """
    pairs = model_pairs(model, truth) if pairs is None else pairs
    inputs = truth.part(np.unique(pairs.inputs))
    system, shape = truth.system, (inputs.n_frames, truth.system.n_particles)
    q, m = (np.broadcast_to(a, shape) for a in (system.charges, system.masses))
    lengths = None if box is None else np.broadcast_to(box.lengths, (inputs.n_frames, truth.n_dims))
    acting = None
    if model.card.get("fields") or not law_known:
        known = system_fields(system.fields, truth.n_dims)
        acting = {name: np.broadcast_to(a, (inputs.n_frames, *a.shape)) for name, a in known.items()}
    states = InputStates(inputs.positions, inputs.velocities, q, m, lengths, acting)
    if law_known:
        times = (float(inputs.times[0]), float(inputs.times[-1]))
        return model.outside_system(system, truth.n_dims, times, states=states)
    return model.outside(truth.n_dims, system.n_particles, states=states)


def comparison_parts(
    model: Forecaster,
    truth: Trajectory,
    rotation: Rotation,
    *,
    scenario_name: str,
    law_known: bool = True,
    command: str = "",
    details: dict[str, Any] | None = None,
    notes: tuple[str, ...] = (),
    box: PeriodicBox | None = None,
    chained: bool = True,
    dtype: torch.dtype = torch.float32,
    n_elements: int = 8,
    first_frame: int | None = None,
    seconds: float | None = None,
    thin: bool = True,
    progress: Progress = lambda _: None,
) -> Iterator[Comparison]:
    """Forecasts beside an already rotated truth: first the sliding ones, for those who wait, then all.

    The whole comparison has the roll-out (if `chained`) and the model's equivariance error, too. Forecasts are
    made in blocks of bounded memory. To stop, leave the iterator, or raise in `progress`.

    Parameters
    ----------
    n_elements : int
        Haar-random elements of O(n) that measure the equivariance error where there is no rotation.
    first_frame : int, optional
        A frame of the truth. Then there are comparisons before those two, of a growing number of frames: the
        nearest one to it first, then coarsely over all, then finely. `frames` says which frames of the truth they
        have, `forecasts_left` how many are to come (0 in the last two).
    seconds : float, optional
        Make of a large comparison about as much as this allows; what is left out is in `left_out`.
    thin : bool
        Whether frames may be left out for that.
    progress : callable
    """
    model.refuse_unfit(truth.n_dims, truth.system.n_particles, model.horizon)
    model = model.of_system(truth.system, truth.n_dims)
    pairs = model_pairs(model, truth)
    n = truth.system.n_particles
    extent = whole_extent(len(pairs), n_elements if rotation.identity else 1, chained=chained)
    states, blocks = (truth.positions, truth.velocities), list[Block]()
    if seconds is not None and pair_passes(extent, n, model.evaluations) > SMALL:
        each, block = _timed_forecast(model, truth, pairs, dtype)
        blocks.append(block)
        extent = affordable_extent(extent, pairs, max(int(seconds / max(each, 1e-9)), 1), thin=thin)
    energies, left_out = law_known, extent.left_out
    if seconds is not None and law_known and float(n) ** 2 * len(extent.frames) > PAIR_ENERGIES:
        energies, left_out = False, (*left_out, "energies")
    done = 0

    def made(count: int) -> None:
        nonlocal done
        done += count
        progress(min(done / extent.n_forecasts, 1.0))

    empty = Comparison(
        truth=truth,
        forecast=truth,
        rollout=None,
        rotation=rotation.matrix,
        equivariance_error=None,
        model_name=model.name,
        scenario_name=scenario_name,
        horizon=model.horizon,
        outside_training=outside_training(model, truth, law_known, pairs.some(extent.frames), box),
        law_known=law_known,
        command=command,
        details={
            "versions": {"isotwin": __version__, "torch": str(torch.__version__), "numpy": np.__version__},
            "checkpoint_sha256": model.digest,
            "turns": rotation.turns,
            "law": truth.system.law if law_known else None,
            "parameters": dict(truth.system.parameters) if law_known else None,
            "fields": fields_tree(truth.system.fields),
            "card": model.card,
            "gives_velocity": model.gives_velocity,
            **(details or {}),
        },
        notes=notes,
        left_out=left_out,
        box=box,
        energies=energies,
    )
    order = extent.frames[len(blocks) :]
    made(len(blocks))
    if first_frame is not None:
        nearest = int(np.argmin(np.abs(pairs.targets[order] - first_frame)))
        order = order[coarse_to_fine(len(order), nearest)]
    for block in forecast_blocks(model, truth.system, states, pairs, dtype, order):
        blocks.append(block)
        made(len(block[0]))
        left = len(extent.frames) - sum(len(which) for which, *_ in blocks)
        if first_frame is not None and left:
            yield _with_forecasts(empty, pairs, joined_blocks(blocks), left)
    which, x, v = joined_blocks(blocks)
    first = _with_forecasts(empty, pairs, (which, x, v), 0)
    yield first
    rolled, note = None, {}
    kept = pairs.some(which)
    try:
        if extent.chained:
            rolled = chained_rollout(model, truth, dtype, kept, made)
            rolled = rolled.part(np.isin(rolled.times, first.truth.times))
    except InputError as refusal:  # the sliding forecast is still worth showing
        note = {"rollout_note": f"no chained roll-out: {refusal}"}
    measured = extent.measured[np.isfinite(x[extent.measured]).all(axis=(1, 2))]
    error = _equivariance_error(model, truth, kept, measured, x, rotation, extent.n_elements, dtype, made)
    progress(1.0)
    yield replace(first, rollout=rolled, equivariance_error=error, details={**note, **first.details})


def coarse_to_fine(count: int, first: int) -> Indices:
    """The numbers below `count`, `first` at first, then such that any beginning covers all about evenly."""
    step, order = 1 << max(count - 1, 1).bit_length(), [first]
    while step:
        order += range(0, count, step)
        step //= 2
    return np.array(list(dict.fromkeys(order)), dtype=np.int64)


def _with_forecasts(empty: Comparison, pairs: FramePairs, block: Block, left: int) -> Comparison:
    """The comparison at the frames of a block whose forecast is finite.

    Raises
    ------
    InputError
        Where none is.
    """
    which, x, v = block
    truth, box = empty.truth, empty.box
    targets, notes = pairs.targets[which], empty.notes
    finite = finite_states(x, v)
    when = truth.times[targets[~finite]]
    if not finite.any():
        raise InputError(f"the forecast is not finite from t = {when[0]:g} on; this state is far outside training")
    if len(when):
        count = f"{len(when)} of {len(targets)} frames"
        notes = (*notes, f"the forecast is not finite at {count}, first at t = {when[0]:g}; they are left aside")
    targets, x, v = targets[finite], x[finite], v[finite]
    seen = truth.part(targets)
    if box is not None and (beside := box.beside(x, seen.positions)) is not x:
        x = beside
        notes = (*notes, "the model forecasts positions in the box: compared at their images nearest to the truth")
    forecast = Trajectory(seen.times, x, v, truth.system, truth.velocity_offset)
    return replace(empty, truth=seen, forecast=forecast, notes=notes, frames=targets, forecasts_left=left)


def _timed_forecast(
    model: Forecaster, truth: Trajectory, pairs: FramePairs, dtype: torch.dtype
) -> tuple[float, Block]:
    """Seconds of one forecast, once what it needs is compiled, and the forecast: that of the first pair."""
    system, at = truth.system, slice(0, WARM_UP)
    few = replace(system, charges=system.charges[at], masses=system.masses[at])
    first = np.zeros(1, dtype=np.int64)
    list(forecast_blocks(model, few, (truth.positions[:, at], truth.velocities[:, at]), pairs, dtype, first))
    begin = time.perf_counter()
    (block,) = forecast_blocks(model, system, (truth.positions, truth.velocities), pairs, dtype, first)
    return time.perf_counter() - begin, block


def _equivariance_error(
    model: Forecaster,
    truth: Trajectory,
    pairs: FramePairs,
    measured: Indices,
    x: FloatArray,
    rotation: Rotation,
    n_elements: int,
    dtype: torch.dtype,
    made: Callable[[int], None],
) -> float | None:
    """Median over frames and elements of O(n), or for the rotation of a turned world; None without frames."""
    if not len(measured):
        return None

    def forecast(matrix: FloatArray) -> FloatArray:
        found, states = [], (truth.positions @ matrix, truth.velocities @ matrix)
        for block in forecast_blocks(model.turned(matrix.T), truth.system, states, pairs, dtype, measured):
            found.append(block[1])
            made(len(block[0]))
        return np.concatenate(found)

    f = x[measured]
    if rotation.identity:
        matrices = haar_matrices(truth.n_dims, n_elements, 0)
        errors = np.concatenate([relative_residuals(forecast(g.T), f, g) for g in matrices])
    else:
        # The forecast of the turned state, which there is, against the turned forecast of the state before it.
        errors = relative_residuals(f, forecast(rotation.matrix), rotation.matrix)
    return float(np.median(errors))
