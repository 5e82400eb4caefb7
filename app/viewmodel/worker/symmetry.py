"""How far forecasts and the engine are from equivariant: rotation, reflection, translation, permutation; in words.

Three things make a turned forecast differ from the forecast of the turned world: a model (or a law) that is not
equivariant, round-off, and chaos, which makes round-off large. They are told apart by measurement: what a model
lacks in equivariance is the same in double precision, what is round-off is smaller by the precision gained.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.worker.detail import FULL, Detail
from physics.rotations import random_rotation

if TYPE_CHECKING:
    from physics.types import Trajectory

FloatArray = NDArray[np.float64]
Arrays = tuple[FloatArray, FloatArray, FloatArray, FloatArray]
"""Positions and velocities (samples, N, n), charges and masses (samples, N)."""

NAMES = ("rotation", "reflection", "translation", "permutation")

ROUND_OFF = 1e-4
"""An equivariance error below this is round-off of float32 arithmetic."""

EXACT = 1e-8
"""A model whose median error in double precision is above this is not equivariant."""

FAR_ABOVE = 100.0
"""An error so many times that of exact symmetries at the same time is not round-off made large."""


@dataclass(frozen=True, eq=False)
class Element:
    """A transformation of the world: x -> R x + t, with the particles in another order.

    Attributes
    ----------
    matrix : (n, n) float64
    shift : (n,) float64 [length]
    order : (N,) int64
    """

    matrix: FloatArray
    shift: FloatArray
    order: NDArray[np.int64]

    def states(self, arrays: Arrays) -> Arrays:
        """What becomes of states."""
        x, v, q, m = arrays
        turned = (self.positions(x), (v @ self.matrix.T)[:, self.order])
        return (*turned, q[:, self.order], m[:, self.order])

    def positions(self, x: FloatArray) -> FloatArray:
        """What becomes of positions (samples, N, n)."""
        return np.asarray((x @ self.matrix.T + self.shift)[:, self.order])


def elements(n_dims: int, n_particles: int, size: float, rotation: FloatArray | None) -> dict[str, Element]:
    """One element of each kind, by name.

    Parameters
    ----------
    size : float [length]
        How far the translation goes.
    rotation : (n, n) float64, or None
        The world rotation; None for a Haar draw.
    """
    rng = np.random.default_rng(1)
    same, still, order = np.eye(n_dims), np.zeros(n_dims), np.arange(n_particles)
    normal = _direction(rng, n_dims)
    turned = random_rotation(n_dims, rng) if rotation is None else rotation
    return {
        "rotation": Element(turned, still, order),
        "reflection": Element(same - 2.0 * np.outer(normal, normal), still, order),
        "translation": Element(same, size * _direction(rng, n_dims), order),
        "permutation": Element(same, still, np.roll(order, 1)),
    }


def _direction(rng: np.random.Generator, n_dims: int) -> FloatArray:
    drawn = rng.standard_normal(n_dims)
    return np.asarray(drawn / np.linalg.norm(drawn))


@dataclass(frozen=True, eq=False)
class Symmetry:
    """Equivariance errors |f(g x) - g f(x)| / |f - centroid of f| of one forecaster.

    Attributes
    ----------
    frames : (n_sampled,) int64
        Which frames were measured, increasing.
    errors : mapping of str to (n_sampled,) float64
        By name of NAMES.
    double : mapping of str to float
        Median over some frames in double precision; empty where there is no other precision.
    """

    frames: NDArray[np.int64]
    errors: Mapping[str, FloatArray]
    double: Mapping[str, float]

    def at(self, name: str, frame: int) -> float:
        """The error at the measured frame nearest to one."""
        return float(self.errors[name][np.argmin(np.abs(self.frames - frame))])

    def broken(self) -> tuple[str, ...]:
        """The names of what it is not equivariant under."""
        return tuple(name for name in NAMES if self.double.get(name, 0.0) > EXACT)

    def first_large(self, names: Sequence[str] = NAMES) -> int | None:
        """The first frame at which an error (of these) is more than round-off; None if there is none."""
        large = np.max([self.errors[name] for name in names], axis=0) > ROUND_OFF
        return int(self.frames[np.argmax(large)]) if large.any() else None


def relative(turned: FloatArray, f: FloatArray) -> FloatArray:
    """|turned - f| / |f - centroid of f| of each sample, (samples,)."""
    size = np.linalg.norm(f - f.mean(axis=1, keepdims=True), axis=(1, 2))
    return np.asarray(np.linalg.norm(turned - f, axis=(1, 2)) / np.maximum(size, 1e-300))


def sampled_frames(n_frames: int, most: int) -> NDArray[np.int64]:
    """At most so many evenly spread frames, the first one among them."""
    return np.arange(0, n_frames, max(-(-n_frames // most), 1), dtype=np.int64)


Forecast = Callable[[Arrays], FloatArray]
"""Positions (samples, N, n) one horizon after states."""


def model_symmetry(
    single: Forecast,
    double: Forecast,
    truth: "Trajectory",
    rotation: FloatArray | None,
    n_seen: int,
    detail: Detail = FULL,
) -> Symmetry:
    """Of a model, at frames of the sliding forecast.

    Parameters
    ----------
    single, double : callable
        The model in both precisions.
    truth : Trajectory
        Under the world rotation; its last horizon holds no input.
    rotation : (n, n) float64, or None
        The world rotation: the states before it are turned by it.
    n_seen : int
        Frames of the forecast.
    detail : Detail
        At how many of them.
    """
    frames = sampled_frames(n_seen, detail.sampled)
    few = sampled_frames(len(frames), detail.double_sampled)
    shape = (len(frames), truth.system.n_particles)
    charges, masses = (np.broadcast_to(a, shape) for a in (truth.system.charges, truth.system.masses))
    arrays = (truth.positions[frames], truth.velocities[frames], charges, masses)
    if rotation is not None:
        arrays = (arrays[0] @ rotation, arrays[1] @ rotation, *arrays[2:])

    def errors(states: Arrays, forecast: Forecast) -> dict[str, FloatArray]:
        plain = forecast(states)
        size = float(np.abs(states[0]).max())
        group = elements(truth.n_dims, shape[1], size, rotation)
        return {k: relative(forecast(g.states(states)), g.positions(plain)) for k, g in group.items()}

    x, v, q, m = arrays
    exact = errors((x[few], v[few], q[few], m[few]), double)
    medians = {name: float(np.median(values)) for name, values in exact.items()}
    return Symmetry(frames, errors((x, v, q, m), single), medians)


Simulation = Callable[[Arrays, FloatArray], FloatArray]
"""Positions (n_frames, N, n) from a start (arrays of one sample) in fields turned by a matrix (n, n)."""


def engine_errors(plain: "Trajectory", simulate: Simulation) -> dict[str, FloatArray]:
    """Of the engine, over the whole run at all frames: what its round-off becomes, by name.

    Parameters
    ----------
    plain : Trajectory
    simulate : callable
        Runs the same scenario from another start.
    """
    start = plain.state(0)
    system = plain.system
    one = (start.positions[None], start.velocities[None], system.charges[None], system.masses[None])
    size = float(np.abs(start.positions).max())
    group = elements(plain.n_dims, system.n_particles, size, None)
    return {
        name: relative(simulate(element.states(one), element.matrix), element.positions(plain.positions))
        for name, element in group.items()
    }


def model_verdict(name: str, found: Symmetry, times: FloatArray) -> str:
    """What the errors of a model mean, in a sentence."""
    broken = found.broken()
    if broken:
        worst = max(found.double[kind] for kind in broken)
        return f"{name} is not equivariant ({', '.join(broken)}): {worst:.1g} off, in double precision too."
    frame = found.first_large()
    if frame is None:
        return f"{name} is equivariant to round-off."
    return f"{name} is equivariant; the difference is chaos after t = {times[frame]:.1f}."


def truth_verdict(found: Symmetry, times: FloatArray, law: str, isotropic: bool, trapped: bool = False) -> str:
    """What the errors of the engine mean, in a sentence.

    Translations and permutations are symmetries of every law here, so that their errors show what chaos has made
    of round-off by then: a law that is not isotropic is to blame for what is far above that. A trap is about the
    origin, which leaves no symmetry under translations.
    """
    still = [name for name in ("translation", "permutation") if not (trapped and name == "translation")]
    note = " A translation is no symmetry of it: the trap is about the origin." if trapped else ""
    large = np.maximum(found.errors["rotation"], found.errors["reflection"]) > ROUND_OFF
    if not isotropic and large.any():
        first = int(np.argmax(large))
        turned = max(found.errors[name][first] for name in ("rotation", "reflection"))
        floor = max(found.errors[name][first] for name in still)
        if turned > FAR_ABOVE * floor:
            when = times[found.frames[first]]
            start = f"The truth itself is not equivariant (from t = {when:.1f} on)"
            return f"{start}: the {law} law is not isotropic.{note}"
    frame = found.first_large(("rotation", "reflection", *still))
    if frame is None:
        return f"The truth is equivariant to round-off.{note}"
    return f"The truth is equivariant; the difference is chaos after t = {times[frame]:.1f}.{note}"
