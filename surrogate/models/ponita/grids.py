"""Grids of orientations: unit vectors that are spread over a sphere."""

from functools import lru_cache

import numpy as np

from physics.errors import InputError
from physics.types import FloatArray

STEPS = 600
"""Of the repulsion: 16 points reach the least energy that is known, 92.9117."""
GRIDS = ("repulsion", "icosahedron")


@lru_cache(maxsize=16)
def orientations(kind: str, n_dims: int, count: int) -> FloatArray:
    """Unit vectors (count, n_dims) float64, the same ones whenever and wherever they are asked for, to rounding.

    Parameters
    ----------
    kind : str
        "repulsion": spread by it, from a seeded start; on a circle they are at equal angles. "icosahedron": the 12
        vertices of one (n = 3), whatever `count` says.

    Raises
    ------
    InputError
    """
    if kind not in GRIDS:
        raise InputError(f"model.grid must be one of {', '.join(GRIDS)}; got {kind!r}")
    if kind == "icosahedron" and n_dims != 3:
        raise InputError(f"model.grid: an icosahedron is for n = 3; got model.dims = {n_dims}")
    found = _icosahedron() if kind == "icosahedron" else _repelled(n_dims, count)
    found.setflags(write=False)
    return found


def _icosahedron() -> FloatArray:
    """(0, +-1, +-golden ratio) and its cyclic permutations, of length 1."""
    golden = (1 + 5**0.5) / 2
    points = [np.roll([0.0, a, b * golden], k) for k in range(3) for a in (-1, 1) for b in (-1, 1)]
    return np.asarray(np.stack(points) / np.hypot(1.0, golden))


def _repelled(n_dims: int, count: int) -> FloatArray:
    """Points of a Coulomb gas on the sphere, moved downhill by steps that become shorter."""
    if n_dims == 1:
        return np.where(np.arange(count) % 2, -1.0, 1.0)[:, None]
    if n_dims == 2:
        angles = 2 * np.pi * np.arange(count) / count
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points = np.random.default_rng(count).standard_normal((count, n_dims))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    for step in range(STEPS):
        r = points[:, None] - points
        d2 = (r**2).sum(-1) + np.eye(count)
        force = (r / d2[..., None] ** 1.5).sum(1)
        force -= (force * points).sum(1, keepdims=True) * points
        longest = max(float(np.linalg.norm(force, axis=1).max()), 1e-12)
        reach = 0.5 / count ** (1 / (n_dims - 1)) * (1 - step / STEPS) ** 2
        points = points + force * (reach * min(1.0, 1 / longest))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points
