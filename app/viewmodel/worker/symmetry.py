"""How far forecasts and the engine are from equivariant: rotation, reflection, translation, permutation; in words.

Three things make a turned forecast differ from the forecast of the turned world: a model (or a law) that is not
equivariant, round-off, and chaos, which makes round-off large. Measurements distinguish them: what a model
lacks in equivariance is the same in double precision, what is round-off is smaller by the precision gained.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.state.detail import FULL, Detail
from app.viewmodel.state.symmetry import Symmetry
from physics.rotations import random_rotation
from physics.types import FloatArray

if TYPE_CHECKING:
    from physics.types import Trajectory

Arrays = tuple[FloatArray, FloatArray, FloatArray, FloatArray]
"""Positions and velocities (samples, N, n), charges and masses (samples, N)."""


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


def relative(turned: FloatArray, f: FloatArray) -> FloatArray:
    """|turned - f| / |f - centroid of f| of each sample, (samples,)."""
    size = np.linalg.norm(f - f.mean(axis=1, keepdims=True), axis=(1, 2))
    return np.asarray(np.linalg.norm(turned - f, axis=(1, 2)) / np.maximum(size, 1e-300))


def sampled_frames(n_frames: int, most: int) -> NDArray[np.int64]:
    """At most so many evenly spread frames, the first one among them."""
    return np.arange(0, n_frames, max(-(-n_frames // most), 1), dtype=np.int64)


Forecast = Callable[[Arrays, FloatArray], FloatArray]
"""Positions (samples, N, n) one horizon after states, in the truth's fields turned by a matrix (n, n)."""


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
    back = np.eye(truth.n_dims)
    if rotation is not None:
        back = rotation.T
        arrays = (arrays[0] @ rotation, arrays[1] @ rotation, *arrays[2:])

    def errors(states: Arrays, forecast: Forecast) -> dict[str, FloatArray]:
        plain = forecast(states, back)
        size = float(np.abs(states[0]).max())
        group = elements(truth.n_dims, shape[1], size, rotation)
        return {
            k: relative(forecast(g.states(states), g.matrix @ back), g.positions(plain)) for k, g in group.items()
        }

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
