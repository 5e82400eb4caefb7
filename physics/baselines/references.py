"""Forecasts that know the law.

Leapfrog of the true law with exactly K evaluations in every window, or with steps chosen in each window from its
smallest pair time scale; and the truth from a perturbed start. All work on batches of windows of any n and N, one
thread, nothing learned. What concerns the published set's clamp is in :mod:`physics.baselines.orientation`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.boundaries import OPEN, Boundary
from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.integrators.kick_drift import drift
from physics.integrators.walls import kick
from physics.kernels.jit import kernel
from physics.kernels.parameters import Forces, term_of
from physics.laws.names import is_law, resolve_parameters
from physics.laws.packing import packed_parameters
from physics.laws.reference import REFERENCE_FORCE_LIMIT
from physics.simulate import simulate_batch
from physics.stepping.batch import pack_lanes, run_blocks
from physics.stepping.external import NO_EXTERNAL, External
from physics.stepping.schedule import Schedule
from physics.sums.external import LaneExternal, external_acceleration, turn
from physics.types import FloatArray

ADAPTIVE_LAWS = ("coulomb", "reference", "gravity")
"""Laws whose pair time scale is known here."""

AT_A_TIME = 16
"""Windows that are run before it is asked whether they spend too much."""

MOST_STEPS = 1_000_000
"""An adaptive window never takes more steps than this, even where particles almost coincide."""


@dataclass(frozen=True, eq=False)
class Windows:
    """States at the start of each window, and the law they obey.

    Attributes
    ----------
    x, v : (n_windows, N, n) float64 [length], [length/time]
    q, m : (n_windows, N) float64 [charge], [mass]
    law : str
        A row of LAWS, or a sum of them.
    parameters : mapping
        Of the law; what is left out has its default.
    norm_limit : float [force]
        The norm of each particle's total force is cut down to this (isotropic; infinite: never). With it the law
        `reference` loses its per-component clamp.
    external : External
        What acts beside the law.
    """

    x: FloatArray
    v: FloatArray
    q: FloatArray
    m: FloatArray
    law: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    norm_limit: float = math.inf
    external: External = NO_EXTERNAL

    def __len__(self) -> int:
        return len(self.x)

    def packed(self) -> FloatArray:
        """The law's parameters as kernels read them."""
        n_dims = self.x.shape[-1]
        if self.external.any or self.norm_limit < math.inf:
            return self.external.law(self.law, self.parameters, n_dims)[0]
        return packed_parameters(self.law, resolve_parameters(self.law, self.parameters), n_dims)

    def beside(self, block: slice) -> LaneExternal:
        """What acts on a block of windows beside the law, and the clamp that takes it in."""
        limit = math.inf
        if self.external.any and self.norm_limit == math.inf:
            limit = self.external.law(self.law, self.parameters, self.x.shape[-1])[1]
        return self.external.lanes(block, block.stop - block.start, limit, self.norm_limit)

    def isotropic(self, limit: float = REFERENCE_FORCE_LIMIT) -> "Windows":
        """The same windows with the clamp on the norm of the force."""
        return replace(self, norm_limit=limit)

    def part(self, which: Any) -> "Windows":
        """Some of the windows."""
        some = {name: getattr(self, name)[which] for name in ("x", "v", "q", "m")}
        return replace(self, **some, external=self.external.part(which))


def windows_at(split: DataSplit, frame: int) -> Windows:
    """The states of all samples of a data set at one frame; `law` is "" where the data do not say one.

    What acts beside the law is the data's own: fields that are the same in all samples, edges, walls.
    """
    x, v, q, m = (
        np.asarray(a, dtype=np.float64)
        for a in (split.positions[:, frame], split.velocities[:, frame], split.charges, split.masses)
    )
    law, parameters = split.recipe.get("law"), split.recipe.get("parameters")
    external = _external_of(split)
    known = str(law) if is_law(law) and external is not None else ""
    given = parameters if isinstance(parameters, dict) else {}
    return Windows(x, v, q, m, known, given, external=external or NO_EXTERNAL)


def _external_of(split: DataSplit) -> External | None:
    """What acts beside the law of a data set; None where that cannot be run."""
    fields = [split.uniform_field, split.magnetic_field]
    if any(values is not None and (values != values[0]).any() for values in fields):
        return None
    by_mass = split.uniform_field is None or split.recipe.get("uniform_field_per") == "mass"
    if not by_mass or (split.edges is not None and split.recipe.get("law") != "spring"):
        return None
    uniform, magnetic = (None if values is None else np.array(values[0], dtype=np.float64) for values in fields)
    edges = None if split.edges is None else np.asarray(split.edges, dtype=np.float64)
    half = split.recipe.get("half_side")
    boundary = Boundary("reflecting", np.array(2.0 * half)) if isinstance(half, float) and half > 0 else OPEN
    return External(uniform, magnetic, edges, boundary)


@kernel
def _kick(v: FloatArray, a: FloatArray, forces: Forces, external: LaneExternal, dt: float) -> None:
    """V <- v + dt a; with a magnetic field half of it before and half after the exact rotation over dt."""
    if external.turns:
        kick(v, a, 0.5 * dt)
        turn(v, forces, dt)
        kick(v, a, 0.5 * dt)
    else:
        kick(v, a, dt)


@kernel
def _leapfrog(
    x: FloatArray, v: FloatArray, forces: Forces, external: LaneExternal, dt: float, n_steps: int
) -> None:
    """Drift-kick-drift: exactly one evaluation a step. Advances x and v (N, n, lanes) in place."""
    a = np.empty_like(x)
    h = 0.5 * dt
    for s in range(n_steps):
        drift(x, v, forces, h)
        external_acceleration(x, v, forces, external, False, a)
        # the closing drift of a step and the opening one of the next are made as one
        h = dt if s < n_steps - 1 else 0.5 * dt
        _kick(v, a, forces, external, dt)
    drift(x, v, forces, h)


@kernel
def _fastest_rate(x: FloatArray, v: FloatArray, forces: Forces) -> float:
    """1 / (smallest pair time scale) of one system (lane 0): the root of the largest rate^2 below.

    rate^2 = |k k'| (1/m + 1/m') / s^(p+1) + w^2 / s^2 + pull, k the charges, or the masses of gravity and G.
    Pairs without charge feel nothing of each other and do not count.
    """
    n, d, _ = x.shape
    m, term = forces.masses, term_of(forces.parameters, d, n, 0)
    law, coupling = term.constants, m if term.by_mass else forces.charges
    eps2, p, pull = law.softening * law.softening, law.exponent, law.confinement
    fastest = pull
    for i in range(n):
        for j in range(i + 1, n):
            strength = abs(law.scale * coupling[i, 0] * coupling[j, 0]) * (1.0 / m[i, 0] + 1.0 / m[j, 0])
            if strength == 0.0:
                continue
            s2 = eps2
            w2 = 0.0
            for k in range(d):
                r = x[i, k, 0] - x[j, k, 0]
                w = v[i, k, 0] - v[j, k, 0]
                s2 += r * r
                w2 += w * w
            fastest = max(fastest, strength * s2 ** (-0.5 * (p + 1.0)) + w2 / s2 + pull)
    return math.sqrt(fastest)


@kernel
def _adaptive_leapfrog(
    x: FloatArray,
    v: FloatArray,
    forces: Forces,
    external: LaneExternal,
    eta: float,
    horizon: float,
    most_steps: int,
) -> int:
    """Drift-kick-drift of one system (one lane), each step eta times its smallest pair time scale; steps taken."""
    a = np.empty_like(x)
    left = horizon
    count = 0
    while left > 0.0:
        dt = left
        rate = _fastest_rate(x, v, forces)
        if rate * left > eta:
            dt = max(eta / rate, horizon / most_steps)
        dt = min(dt, left)
        drift(x, v, forces, 0.5 * dt)
        external_acceleration(x, v, forces, external, False, a)
        _kick(v, a, forces, external, dt)
        drift(x, v, forces, 0.5 * dt)
        count += 1
        left -= dt
        if left < 1e-12 * horizon:
            break
    return count


def in_blocks(
    windows: Windows,
    advance: Callable[[FloatArray, FloatArray, Forces, LaneExternal], None],
    progress: Callable[[int], None] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Positions and velocities after `advance` worked on each lane block in place; one thread."""
    x_out, v_out = np.empty_like(windows.x), np.empty_like(windows.v)
    packed = windows.packed()

    def run(block: slice) -> int:
        x, v, q, m = (pack_lanes(a[block]) for a in (windows.x, windows.v, windows.q, windows.m))
        advance(x, v, Forces(q, m, packed), windows.beside(block))
        x_out[block], v_out[block] = np.moveaxis(x, -1, 0), np.moveaxis(v, -1, 0)
        return int(block.stop - block.start)

    run_blocks(run, len(windows), 1, progress)
    return x_out, v_out


def leapfrog_forecast(windows: Windows, horizon: float, evaluations: int) -> tuple[FloatArray, FloatArray]:
    """Leapfrog of the true law with exactly `evaluations` equal steps in every window.

    Returns
    -------
    positions, velocities : (n_windows, N, n) float64
        At the end of the horizon [time].
    """
    if evaluations < 1:
        raise InputError(f"evaluations must be at least 1; got {evaluations}")
    dt = horizon / evaluations
    return in_blocks(windows, lambda x, v, forces, beside: _leapfrog(x, v, forces, beside, dt, evaluations))


def adaptive_leapfrog_forecast(
    windows: Windows, horizon: float, eta: float
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Leapfrog of the true law with a step of `eta` times the smallest pair time scale of the moment.

    Returns
    -------
    positions, velocities : (n_windows, N, n) float64
    evaluations : (n_windows,) int64
        Force evaluations of each window; passes that choose the step are not counted.

    Notes
    -----
    The pair time scale is 1 / sqrt(|q q'| (1/m + 1/m') / s^3 + w^2 / s^2 + kappa), s the softened distance and
    w the relative speed; kappa is the bound set's confinement. Of gravity G m m' stands for q q'. The last step
    takes what remains.
    """
    if windows.law not in ADAPTIVE_LAWS:
        raise InputError(f"the adaptive leapfrog knows the laws {', '.join(ADAPTIVE_LAWS)}; got {windows.law!r}")
    if not (math.isfinite(eta) and eta > 0):
        raise InputError(f"eta must be positive and finite; got {eta}")
    packed = windows.packed()
    x_out, v_out = np.array(windows.x), np.array(windows.v)
    counts = np.empty(len(windows), dtype=np.int64)
    for index in range(len(windows)):
        x, v, q, m = (
            np.array(a[index][..., None], order="C") for a in (windows.x, windows.v, windows.q, windows.m)
        )
        counts[index] = _adaptive_leapfrog(
            x, v, Forces(q, m, packed), windows.beside(slice(index, index + 1)), eta, horizon, MOST_STEPS
        )
        x_out[index], v_out[index] = x[..., 0], v[..., 0]
    return x_out, v_out, counts


def eta_for(windows: Windows, horizon: float, evaluations: float, rounds: int = 12) -> float:
    """The eta at which the adaptive leapfrog spends a mean of about `evaluations` a window (bisection)."""
    low, high = math.log(1e-3), math.log(10.0)
    for _ in range(rounds):
        middle = 0.5 * (low + high)
        more = _spends_more(windows, horizon, math.exp(middle), evaluations)
        low, high = (middle, high) if more else (low, middle)
    return math.exp(0.5 * (low + high))


def _spends_more(windows: Windows, horizon: float, eta: float, evaluations: float) -> bool:
    """Whether the mean is above `evaluations`; known long before the last window where eta is far too small."""
    spent = 0
    for first in range(0, len(windows), AT_A_TIME):
        some = windows.part(slice(first, first + AT_A_TIME))
        spent += int(adaptive_leapfrog_forecast(some, horizon, eta)[2].sum())
        if spent > evaluations * len(windows):
            return True
    return False


def perturbed_truth(
    windows: Windows, times: FloatArray, dt: float, size: float, seed: int = 0
) -> tuple[FloatArray, FloatArray]:
    """The truth again from positions moved by `size` times a standard normal draw.

    Parameters
    ----------
    times : (n_frames,) float64 [time]
        From the windows' start on.
    dt : float [time]
        The step that the data were made with, so that only the perturbation differs.

    Returns
    -------
    positions, velocities : (n_windows, n_frames, N, n) float64
    """
    shift = size * np.random.default_rng(seed).standard_normal(windows.x.shape)
    return simulate_batch(
        windows.x + shift,
        windows.v,
        windows.q,
        masses=windows.m,
        law=windows.law,
        parameters=dict(windows.parameters),
        schedule=Schedule.through(times, dt),
        workers=1,
    )
