"""Baselines of the published set, whose clamp of each Cartesian component of the force breaks its isotropy.

The published simulator with an isotropic clamp; the orientation-blind reference, which knows the simulator but
not how a window is oriented; the published map run backwards, which shows that states tell their orientation; and
the clean windows, in which the clamp never acts.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from physics.baselines.references import Windows, in_blocks
from physics.datasets.streams import SPEED
from physics.integrators.euler import symplectic_euler
from physics.integrators.kick_drift import kick_drift
from physics.integrators.walls import kick
from physics.kernels.jit import kernel
from physics.kernels.parameters import Forces
from physics.laws.packing import packed_parameters
from physics.laws.reference import REFERENCE, REFERENCE_DT, REFERENCE_FORCE_LIMIT
from physics.rotations import random_rotation
from physics.stepping.batch import pack_lanes, run_blocks
from physics.stepping.external import NO_EXTERNAL, External
from physics.sums.accelerations import lane_acceleration
from physics.sums.external import LaneExternal, external_acceleration
from physics.types import FloatArray

LIKELY_SHARE = 0.05
"""Fraction of the rotations, those with the likeliest past, that the informed average is over."""

BLIND_ROTATIONS = 500
"""Rotations drawn for each window of the orientation-blind reference: fewer move it by several per cent."""


@kernel
def _euler_backwards(x: FloatArray, v: FloatArray, forces: Forces, dt: float, n_steps: int) -> None:
    """The exact inverse of the published kick-then-drift: x <- x - dt v, v <- v - dt a(x)."""
    a = np.empty_like(x)
    for _ in range(n_steps):
        kick(x, v, -dt)
        lane_acceleration(x, forces, a)
        kick(v, a, -dt)


def isotropic_simulation(
    windows: Windows, n_steps: int, dt: float = REFERENCE_DT, limit: float = REFERENCE_FORCE_LIMIT
) -> tuple[FloatArray, FloatArray]:
    """The published simulator with its clamp moved to the norm of the force: isotropic, otherwise the same.

    Parameters
    ----------
    windows : Windows
        With velocities as the published set stores them, half a step behind.

    Returns
    -------
    positions, velocities : (n_windows, N, n) float64
    """
    return in_blocks(
        windows.isotropic(limit),
        lambda x, v, forces, beside: kick_drift(x, v, forces, beside, np.empty_like(x), dt, n_steps),
    )


def _published(windows: Windows) -> Windows:
    """The windows under the published law with its per-component clamp."""
    return replace(windows, norm_limit=math.inf)


def published_start(windows: Windows, n_steps: int, dt: float = REFERENCE_DT) -> tuple[FloatArray, FloatArray]:
    """Where the published simulator came from, `n_steps` steps earlier: its map run backwards, exactly."""
    return in_blocks(_published(windows), lambda x, v, forces, _: _euler_backwards(x, v, forces, dt, n_steps))


def published_step(windows: Windows, n_steps: int, dt: float = REFERENCE_DT) -> tuple[FloatArray, FloatArray]:
    """The published simulator run on: full kick, then drift, with its per-component clamp."""
    if windows.external.any:
        return in_blocks(
            _published(windows),
            lambda x, v, forces, beside: kick_drift(x, v, forces, beside, np.empty_like(x), dt, n_steps),
        )
    return in_blocks(
        _published(windows),
        lambda x, v, forces, _: symplectic_euler(x, v, forces, np.empty_like(x), dt, n_steps),
    )


def turned_copies(windows: Windows, index: int, rotations: FloatArray) -> Windows:
    """One window in every orientation: x, v (M, N, n) as seen after each of `rotations` (M, n, n)."""
    count = len(rotations)
    x, v = (np.einsum("mab,ib->mia", rotations, a[index]) for a in (windows.x, windows.v))
    q, m = (np.repeat(a[index][None], count, axis=0) for a in (windows.q, windows.m))
    return replace(windows, x=x, v=v, q=q, m=m)


@dataclass(frozen=True, eq=False)
class OrientationStudy:
    """The orientation-blind reference, and what states tell about the orientation after all.

    Attributes
    ----------
    blind : (n_windows, N, n) float64
        Average of the back-rotated outcomes over all rotations of a window.
    informed : (n_windows, N, n) float64, or None
        The same average over the 5 % of the rotations whose past, run backwards, looks most like a start of the
        published recipe: every particle at speed 0.5.
    speed_error : (n_windows,) float64, or None
        How far the speeds at t = 0 are from 0.5 in the data's own orientation (root mean square over particles).
    speed_error_turned, speed_error_least : (n_windows,) float64, or None
        The same in the median rotation, and in the best of them.
    """

    blind: FloatArray
    informed: FloatArray | None = None
    speed_error: FloatArray | None = None
    speed_error_turned: FloatArray | None = None
    speed_error_least: FloatArray | None = None


def orientation_study(
    windows: Windows,
    n_steps: int,
    *,
    rotations: int = BLIND_ROTATIONS,
    seed: int = 0,
    dt: float = REFERENCE_DT,
    steps_before: int = 0,
    progress: Callable[[int], None] | None = None,
) -> OrientationStudy:
    """Forecasts that know the published simulator but not how the window is oriented.

    Parameters
    ----------
    windows : Windows
        Of the published set. Windows that the clamp leaves alone may be left out: every orientation gives the
        same outcome there.
    n_steps : int
    rotations : int
        Haar draws, fresh ones for each window.
    steps_before : int
        Steps between t = 0 and the window's start; 0: the past is not looked at.

    Notes
    -----
    Both forecasts depend on the state only up to a rotation (the draws are uniform), so both are what an
    equivariant predictor could do. The second shows that the first is a baseline, not a bound.
    """
    x_blind, x_informed = np.empty_like(windows.x), np.empty_like(windows.x)
    own, median, least = (np.empty(len(windows)) for _ in range(3))
    few = max(round(LIKELY_SHARE * rotations), 1)
    for index in range(len(windows)):
        rng = np.random.default_rng([seed, index])
        matrices = np.array([random_rotation(windows.x.shape[-1], rng) for _ in range(rotations)])
        turned = turned_copies(windows, index, matrices)
        outcomes = np.einsum("mab,mia->mib", matrices, published_step(turned, n_steps, dt)[0])  # turned back
        x_blind[index] = outcomes.mean(axis=0)
        if steps_before:
            errors = _speed_errors(turned, steps_before, dt)
            x_informed[index] = outcomes[np.argsort(errors, kind="stable")[:few]].mean(axis=0)
            own[index] = _speed_errors(windows.part([index]), steps_before, dt)[0]
            median[index], least[index] = np.median(errors), errors.min()
        if progress:
            progress(1)
    if not steps_before:
        return OrientationStudy(x_blind)
    return OrientationStudy(x_blind, x_informed, own, median, least)


def _speed_errors(windows: Windows, n_steps: int, dt: float) -> FloatArray:
    """Root mean square over particles of |v(0)| - 0.5, after running the published map backwards."""
    _, v = published_start(windows, n_steps, dt)
    speeds = np.linalg.norm(v, axis=-1)
    return np.asarray(np.sqrt(np.mean((speeds - SPEED) ** 2, axis=-1)))


@kernel
def largest_unclamped_force(x: FloatArray, q: FloatArray, largest: FloatArray) -> None:
    """Raise `largest` to the largest norm of an unsoftened Coulomb force in each of some systems.

    Parameters
    ----------
    x : (n_particles, n_dims, lanes) float64
    q : (n_particles, lanes) float64
    largest : (lanes,) float64
        Updated in place.
    """
    n, d, lanes = x.shape
    for w in range(lanes):
        for i in range(n):
            f2 = 0.0
            total = np.zeros(d)
            for j in range(n):
                if j == i:
                    continue
                r2 = 0.0
                for k in range(d):
                    r = x[i, k, w] - x[j, k, w]
                    r2 += r * r
                c = q[i, w] * q[j, w] / (r2 * math.sqrt(r2))
                for k in range(d):
                    total[k] += c * (x[i, k, w] - x[j, k, w])
            for k in range(d):
                f2 += total[k] * total[k]
            largest[w] = max(largest[w], math.sqrt(f2))


@kernel
def _follow(x: FloatArray, v: FloatArray, forces: Forces, dt: float, n_steps: int, largest: FloatArray) -> None:
    a = np.empty_like(x)
    for _ in range(n_steps):
        largest_unclamped_force(x, forces.charges, largest)
        symplectic_euler(x, v, forces, a, dt, 1)


@kernel
def _follow_all(
    x: FloatArray,
    v: FloatArray,
    forces: Forces,
    external: LaneExternal,
    dt: float,
    n_steps: int,
    largest: FloatArray,
) -> None:
    """The same among external forces, which count in, or under a softened law."""
    n, d, lanes = x.shape
    a = np.empty_like(x)
    unclamped = LaneExternal(external.uniform, external.edges, external.turns, np.inf, np.inf)
    for _ in range(n_steps):
        external_acceleration(x, v, forces, unclamped, True, a)
        for w in range(lanes):
            for i in range(n):
                f2 = 0.0
                for k in range(d):
                    f2 += (forces.masses[i, w] * a[i, k, w]) ** 2
                largest[w] = max(largest[w], math.sqrt(f2))
        kick_drift(x, v, forces, external, a, dt, 1)


def largest_forces(
    positions: FloatArray,
    velocities: FloatArray,
    charges: FloatArray,
    *,
    dt: float,
    n_steps: int,
    eps: float = 0.0,
    external: External = NO_EXTERNAL,
) -> FloatArray:
    """Largest unclamped |F| of any particle along each window, following the published law.

    Parameters
    ----------
    positions, velocities : (n_samples, N, n) float64
        As stored at the input frame (the velocity half a step behind).
    charges : (n_samples, N) float64
    dt : float [time]
    n_steps : int
    eps : float [length]
        The law's softening.
    external : External
        What acts beside the law; it counts in.

    Returns
    -------
    (n_samples,) float64 [force]
    """
    result = np.zeros(len(positions))
    softened, limit = external.law("reference", {"eps": eps}, positions.shape[-1])
    packed = packed_parameters("reference", REFERENCE.defaults, positions.shape[-1])

    def run(block: slice) -> int:
        x, v, q = (pack_lanes(np.asarray(a[block], dtype=np.float64)) for a in (positions, velocities, charges))
        largest = np.zeros(q.shape[-1])
        if eps or external.any:
            beside = external.lanes(block, q.shape[-1], limit)
            _follow_all(x, v, Forces(q, np.ones_like(q), softened), beside, dt, n_steps, largest)
        else:
            _follow(x, v, Forces(q, np.ones_like(q), packed), dt, n_steps, largest)
        result[block] = largest
        return int(block.stop - block.start)

    run_blocks(run, len(positions))
    return result


def clean_windows(largest: FloatArray) -> NDArray[np.bool_]:
    """Which windows the clamp leaves alone, (n_samples,) bool: its largest |F| is within the limit."""
    return np.asarray(largest <= REFERENCE_FORCE_LIMIT)
