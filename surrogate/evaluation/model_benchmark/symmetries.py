"""By how much a trained model fails each symmetry of the law, on states of the test windows, in float64."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physics.baselines.references import Windows
from physics.rotations import random_orthogonal
from physics.types import FloatArray
from surrogate.evaluation.metrics import relative_residuals
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.given_arrays import turned_given

SYMMETRIES = {
    "rotations": "SO(n)",
    "reflections": "O(n)",
    "translations": "shift",
    "permutations": "permute",
    "charges": "q to -q",
}
"""What is done to the states, and its column."""
STATES, ELEMENTS = 200, 4
"""Windows and elements of each group."""
SHIFT = 2.0
"""Of each translation, along a direction drawn at random [length, in the run's units]."""


def symmetry_errors(
    model: Forecaster, w: Windows, given: Mapping[str, FloatArray], seed: int = 0
) -> dict[str, float | None]:
    """The median over states and elements of |f(g s) - g f(s)| / |f(s) - its centroid|; None where not finite.

    The network itself is asked, since what is around it moves states to their centroid before they are rounded.

    Parameters
    ----------
    given : mapping
        What the model takes beside the states.
    """
    w, given = w.part(slice(0, STATES)), {name: array[:STATES] for name, array in given.items()}
    rng = np.random.default_rng(seed)
    n, particles = w.x.shape[2], w.x.shape[1]
    call = network_call(model, w.m)
    x, q = w.x / model.scales.length, w.q / model.scales.charge
    v = w.v * (model.scales.time / model.scales.length)
    there = call(x, v, q, given)
    found: dict[str, list[FloatArray]] = {name: [] for name in SYMMETRIES}
    same = np.eye(n)
    for _ in range(ELEMENTS):
        turn = random_orthogonal(n, rng)
        mirror = turn.copy()
        mirror[0] *= -1
        proper, improper = (turn, mirror) if np.linalg.det(turn) > 0 else (mirror, turn)
        for name, m in (("rotations", proper), ("reflections", improper)):
            found[name].append(relative_residuals(call(x @ m.T, v @ m.T, q, turned_given(given, m)), there, m))
        shift = rng.standard_normal(n)
        shift *= SHIFT / float(np.linalg.norm(shift))
        found["translations"].append(relative_residuals(call(x + shift, v, q, given) - shift, there, same))
        order = rng.permutation(particles)
        moved = call(x[:, order], v[:, order], q[:, order], _permuted(given, order))
        found["permutations"].append(relative_residuals(moved, there[:, order], same))
    found["charges"].append(relative_residuals(call(x, v, -q, given), there, same))
    medians = {name: float(np.median(values)) for name, values in found.items()}
    return {name: value if np.isfinite(value) else None for name, value in medians.items()}


def _permuted(given: Mapping[str, FloatArray], order: NDArray[np.int64]) -> dict[str, FloatArray]:
    """What comes beside the states with its particles in another order."""
    kinds = {"species": lambda a: a[:, order], "edges": lambda a: a[:, order][:, :, order]}
    return {name: kinds.get(name, lambda a: a)(array) for name, array in given.items()}


def network_call(model: Forecaster, masses: FloatArray) -> Callable[..., FloatArray]:
    """A function of positions, velocities, charges and what is given, in the run's units, to positions."""
    network = model.network(torch.float64)
    horizon = model.horizon / model.scales.time
    chosen = {"evaluations": model.evaluations} if network.chooses_evaluations else {}

    def call(x: FloatArray, v: FloatArray, q: FloatArray, given: Mapping[str, FloatArray]) -> FloatArray:
        m: Tensor | None = torch.tensor(masses / model.scales.mass) if network.uses_masses else None
        state = (torch.tensor(np.asarray(a, dtype=np.float64)) for a in (x, v, q))
        beside = {name: torch.tensor(array / model.scales.unit_of(name)) for name, array in given.items()}
        with torch.no_grad():
            positions: FloatArray = network(*state, horizon, m, **chosen, **beside)[0].numpy()
        return positions

    return call
