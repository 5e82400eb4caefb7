"""How the initial states of data sets of our own are drawn: (n_particles, n_dims, rng) -> x, v (N, n), q (N,).

And the edges of those that have some: (charges (N,), rng) -> weights (N, N).
"""

import numpy as np

from physics.datasets.streams import SPEED, State
from physics.types import FloatArray


def _free(n_particles: int, n_dims: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Positions N(0, 1) (N/5)^(1/3) and velocities of speed 0.5 in random directions."""
    x = rng.standard_normal((n_particles, n_dims)) * (n_particles / 5) ** (1 / 3)
    v = rng.standard_normal((n_particles, n_dims))
    v *= SPEED / np.linalg.norm(v, axis=-1, keepdims=True)
    return x, v


def free_charges(n_particles: int, n_dims: int, rng: np.random.Generator) -> State:
    """Charges of +-1."""
    x, v = _free(n_particles, n_dims, rng)
    return x, v, rng.choice([-1.0, 1.0], size=n_particles)


def spread_charges(n_particles: int, n_dims: int, rng: np.random.Generator) -> State:
    """Charges of +-1, then positions N(0, 1) ((N/5)^(1/3) + 0.1) and velocities of speed 0.5 (FastEGNN)."""
    q = rng.choice([1.0, -1.0], n_particles)
    x = rng.standard_normal((n_particles, n_dims)) * ((n_particles / 5) ** (1 / 3) + 0.1)
    v = rng.standard_normal((n_particles, n_dims))
    return x, v * SPEED / np.linalg.norm(v, axis=-1, keepdims=True), q


def near_no_charges(n_particles: int, n_dims: int, rng: np.random.Generator) -> State:
    """Positions N(0, 1) / 2 and velocities of speed 0.5; charges of 0 (NRI)."""
    x, v, q = no_charges(n_particles, n_dims, rng)
    return x * 0.5 / (n_particles / 5) ** (1 / 3), v, q


def real_charges(n_particles: int, n_dims: int, rng: np.random.Generator) -> State:
    """Charges of 0.5 to 2 and either sign."""
    x, v, signs = free_charges(n_particles, n_dims, rng)
    return x, v, signs * rng.uniform(0.5, 2.0, n_particles)


def no_charges(n_particles: int, n_dims: int, rng: np.random.Generator) -> State:
    """Charges of 0."""
    return *_free(n_particles, n_dims, rng), np.zeros(n_particles)


def bound_charges(n_particles: int, n_dims: int, rng: np.random.Generator) -> State:
    """In the centre-of-mass frame, with charges that alternate from one random sign."""
    x, v = _free(n_particles, n_dims, rng)
    x -= x.mean(axis=0)
    v -= v.mean(axis=0)
    return x, v, rng.choice([-1.0, 1.0]) * np.where(np.arange(n_particles) % 2 == 0, 1.0, -1.0)


def two_groups(n_particles: int, n_dims: int, rng: np.random.Generator) -> State:
    """Charges of +1 for one half of the particles, drawn, and -1 for the others."""
    x, v = _free(n_particles, n_dims, rng)
    return x, v, rng.permutation(np.where(np.arange(n_particles) < n_particles // 2, 1.0, -1.0))


def half_of_pairs(charges: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Edges of weight 0 or 1, drawn for each pair."""
    below = np.tril(rng.choice([0.0, 1.0], (len(charges), len(charges))), -1)
    return np.asarray(below + below.T)


def within_groups(charges: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Edges of weight 1 between charges of one sign."""
    same_sign = np.outer(charges, charges) > 0
    return np.asarray(same_sign & ~np.eye(len(charges), dtype=bool), dtype=np.float64)
