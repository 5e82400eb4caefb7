"""All pairs of a small system side by side: filled from particles, added up over them."""

from typing import NamedTuple

import numpy as np

from physics.kernels.jit import kernel, leaf_kernel
from physics.types import FloatArray
from surrogate.models.integrator.cpu.vector_spline import LANES

PAIRS = 128
"""Pairs in a chunk; systems of more have their rows one after another (`cpu/pair_rows.py`)."""


class Chunk(NamedTuple):
    """Pairs (i, j > i), one a column: C-contiguous arrays whose rows hold PAIRS numbers.

    Attributes
    ----------
    facts : (7, PAIRS) float64
        m_j / (m_i + m_j), the trap's part of L, the phase over the round squared; L, L', L''; sub-steps.
    factors : (C, PAIRS) float64
    r, w : (n, PAIRS) float64
        Relative position and velocity.
    d, e : (n, PAIRS) float64
        The pair's motion beyond free flight; then what the others change in it.
    z2, z3 : (n, PAIRS) float64
        How the others move the pair.
    x, v : (n, N) float64
        The state.
    found : (2, 2, n, N) float64
        Sums of motions, and of what the others change in them.
    pair : (4, n) float64
        What a pair that takes sub-steps is worked on in.
    pair_factors : (C,) float64
    """

    facts: FloatArray
    factors: FloatArray
    r: FloatArray
    w: FloatArray
    d: FloatArray
    e: FloatArray
    z2: FloatArray
    z3: FloatArray
    x: FloatArray
    v: FloatArray
    found: FloatArray
    pair: FloatArray
    pair_factors: FloatArray


@kernel
def new_chunk(number: int, n: int, n_channels: int) -> Chunk:
    """An empty one for a system of so many particles."""
    return Chunk(
        np.zeros((7, PAIRS)),
        np.zeros((n_channels, PAIRS)),
        np.zeros((n, PAIRS)),
        np.zeros((n, PAIRS)),
        np.zeros((n, PAIRS)),
        np.zeros((n, PAIRS)),
        np.zeros((n, PAIRS)),
        np.zeros((n, PAIRS)),
        np.zeros((n, number)),
        np.zeros((n, number)),
        np.zeros((2, 2, n, number)),
        np.zeros((4, n)),
        np.zeros(n_channels),
    )


@leaf_kernel
def fill(chunk: Chunk, couplings: FloatArray, m: FloatArray, trap: float) -> int:
    """All pairs of the state x, v. Returns how many there are.

    Columns up to the next multiple of LANES are pairs without a force.
    """
    x, v = chunk.x, chunk.v
    n, number = x.shape
    size = 0
    for i in range(number - 1):
        count, inverse_i = number - 1 - i, 1.0 / m[i]
        j = i + 1
        for p in range(count):
            chunk.facts[0, size + p] = m[j + p] / (m[i] + m[j + p])
            chunk.facts[1, size + p] = trap * (m[i] + m[j + p])
        for c in range(couplings.shape[0]):
            for p in range(count):
                chunk.factors[c, size + p] = couplings[c, i] * couplings[c, j + p] * (inverse_i + 1.0 / m[j + p])
        for k in range(n):
            for p in range(count):
                chunk.r[k, size + p] = x[k, i] - x[k, j + p]
            for p in range(count):
                chunk.w[k, size + p] = v[k, i] - v[k, j + p]
        size += count
    for empty in range(size, -(-size // LANES) * LANES):
        chunk.facts[:, empty] = 0.0
        chunk.factors[:, empty] = 0.0
        chunk.r[:, empty] = 1.0
        chunk.w[:, empty] = 0.0
    return size


@leaf_kernel
def pulled(chunk: Chunk, dt: float, sums: FloatArray) -> None:
    """How the others move the pairs by the sums (2, n, N) over all, into z2 and z3."""
    n, number = sums.shape[1:]
    first = 0
    for i in range(number - 1):
        j, count = i + 1, number - 1 - i
        for k in range(n):
            far_i, fast_i = sums[0, k, i], sums[1, k, i]
            for p in range(count):
                far = far_i - sums[0, k, j + p] - chunk.d[k, first + p]
                fast = dt * (fast_i - sums[1, k, j + p] - chunk.e[k, first + p])
                chunk.z2[k, first + p] = 3.0 * far - fast
                chunk.z3[k, first + p] = fast - 2.0 * far
        first += count


@leaf_kernel
def scatter(chunk: Chunk, sums: FloatArray) -> None:
    """Add d and e of the pairs to the sums (2, n, N) of their particles."""
    n, number = sums.shape[1:]
    first = 0
    for i in range(number - 1):
        j, count = i + 1, number - 1 - i
        for part in range(2):
            values = chunk.d if part == 0 else chunk.e
            for k in range(n):
                total = 0.0
                for p in range(first, first + count):
                    total += chunk.facts[0, p] * values[k, p]
                sums[part, k, i] += total
                for p in range(count):
                    sums[part, k, j + p] -= (1.0 - chunk.facts[0, first + p]) * values[k, first + p]
        first += count
