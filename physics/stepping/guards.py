"""What a run is refused for or warned of: coincidence, states that are not finite, energy that is not kept."""

import math
import warnings
from collections.abc import Callable

import numpy as np

from physics.boundaries import OPEN, Boundary
from physics.errors import EnergyWarning, SimulationError, StepWarning
from physics.laws import LAWS
from physics.laws.names import law_claims, law_terms
from physics.observables import energy_parts
from physics.stepping.schedule import Schedule
from physics.sums.passages import PASSAGE_FRACTION, worst_passage
from physics.types import FloatArray, Trajectory

Advance = Callable[[int, int, FloatArray, FloatArray, int], None]

ENERGY_ALARM = 0.1
"""Fraction of the sum of all energy terms by which a conservative system's energy may change before a warning."""


def refuse_coincident(law: str, positions: FloatArray, boundary: Boundary = OPEN) -> None:
    """Refuse two particles of a system at one place (or at images of it); positions (n_systems, N, n)."""
    if found := _coincident(boundary.wrapped(positions)):
        index, i, j = found
        raise SimulationError(
            f"particles {i} and {j} coincide in system {index}: law {law!r} without softening "
            "is singular there; use eps > 0 or move one"
        )


def _coincident(positions: FloatArray) -> tuple[int, int, int] | None:
    """The first system with two particles in one place, and these two."""
    along = np.sort(positions[:, :, 0], axis=1)
    for index in np.flatnonzero((along[:, 1:] == along[:, :-1]).any(axis=1)):  # the others cannot hold any
        x = positions[index] + 0.0  # -0 becomes 0
        _, first, which = np.unique(x, axis=0, return_index=True, return_inverse=True)
        twins = np.flatnonzero(first[which.reshape(-1)] != np.arange(len(x)))
        if len(twins):
            return int(index), int(first[which.reshape(-1)[twins[0]]]), int(twins[0])
    return None


def refuse_non_finite(
    x: FloatArray, v: FloatArray, schedule: Schedule, start_time: float, first: int, advance: Advance | None = None
) -> None:
    """Refuse states that are not finite, naming the first: its time, particle and step.

    Parameters
    ----------
    x, v : (n_systems, n_frames, N, n) float64
    first : int
        Number of the first of these systems.
    advance : callable, optional
        Given a system, a frame, x, v (N, n, 1) and a count: moves x and v on in place by so many of the steps that
        lead to that frame. With it the step is found.
    """
    bad = ~(np.isfinite(x) & np.isfinite(v)).all(axis=-1)
    if not bad.any():
        return
    system, frame, particle = map(int, np.argwhere(bad)[np.argmin(np.argwhere(bad)[:, 1])])
    when = schedule.times(start_time)[frame]
    step = ""
    if advance is not None and frame > 0:
        count = _first_bad_step(
            x[system, frame - 1],
            v[system, frame - 1],
            int(schedule.n_steps[frame - 1]),
            lambda x, v, n_steps: advance(first + system, frame, x, v, n_steps),
        )
        number = int(schedule.n_steps[: frame - 1].sum()) + count
        step = f" at step {number} of size {abs(schedule.dt[frame - 1]):g}"
    raise SimulationError(
        f"state of system {first + system} is not finite by t = {when:g} (particle {particle}){step}: "
        "step too large for a close encounter; reduce dt or raise eps"
    )


def _first_bad_step(
    x: FloatArray, v: FloatArray, n_steps: int, advance: Callable[[FloatArray, FloatArray, int], None]
) -> int:
    """The number, from 1 on, of the first step after which the state is not finite (bisection)."""
    low, high = 0, n_steps
    while high - low > 1:
        middle = (low + high) // 2
        there = [np.array(values[..., None], order="C") for values in (x, v)]
        advance(there[0], there[1], middle)
        low, high = (middle, high) if np.isfinite(there).all() else (low, middle)
    return high


def warn_of_passages(trajectory: Trajectory, dt: float) -> None:
    """Warn where two particles passed each other in less than a step of at most dt: their kicks are wrong.

    Reckoned from every frame on in straight flight. Nothing is said of laws that are defined with a step.
    """
    system = trajectory.system
    if system.n_particles < 2 or any(LAWS[name].dt is not None for name in law_terms(system.law)):
        return
    x, v = (np.array(values) for values in (trajectory.positions, trajectory.velocities))
    steps = Schedule.through(trajectory.times, dt).dt
    frame, passage = worst_passage(x, v, system.forces(trajectory.n_dims), np.diff(trajectory.times), steps)
    if not passage.rate * abs(steps[frame]) > 1.0:
        return
    pair = [passage.i, passage.j]
    speed = float(np.linalg.norm(np.diff(v[frame, pair], axis=0)))
    when = float(trajectory.times[frame]) + math.copysign(passage.time, steps[frame])
    warnings.warn(
        f"particles {pair[0]} and {pair[1]} pass each other near t = {when:.3g} with relative speed {speed:.3g}, "
        f"in a time of {1 / passage.rate:.2g}: too fast for steps of {abs(steps[frame]):.2g}; "
        f"dt = {PASSAGE_FRACTION / passage.rate:.1g} resolves it",
        StepWarning,
        stacklevel=3,
    )


def energy_change(trajectory: Trajectory) -> FloatArray:
    """Change of the energy since the first frame over the sum of the sizes of all its terms, (n_frames,)."""
    parts = np.array(list(energy_parts(trajectory).values()))
    total, size = parts.sum(axis=0), np.abs(parts).sum(axis=0)
    largest = np.maximum(size, size[0])
    return np.asarray(np.abs(total - total[0]) / np.where(largest > 0, largest, 1.0))


def warn_of_energy(trajectory: Trajectory) -> bool:
    """Warn where a system that keeps its energy did not: the step was too large for what happened; whether."""
    system = trajectory.system
    if not law_claims(system.law).conservative or system.fields.drag:
        return False
    with np.errstate(over="ignore", invalid="ignore"):  # of 1e300: no number says anything about them
        change = energy_change(trajectory)
    if not (change > ENERGY_ALARM).any():
        return False
    frame = int(np.argmax(change > ENERGY_ALARM))
    warnings.warn(
        f"energy changed by {100 * change[frame]:.0f} % of the sum of its terms by t = {trajectory.times[frame]:g}"
        ": the step is too large for a close encounter; reduce dt, raise eps, or choose integrator 'ias15'",
        EnergyWarning,
        stacklevel=3,
    )
    return True
