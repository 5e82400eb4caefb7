"""Some pairs of a system side by side: filled from particles, added up over them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from physics.types import FloatArray
from surrogate.models.integrator.cpu.vector_spline import LANES

PAIRS = 128
"""Pairs in a chunk."""


class Chunk(NamedTuple):
    """Some pairs, one a column: C-contiguous arrays whose rows hold PAIRS numbers.

    Attributes
    ----------
    at : (2, PAIRS) int64
        The two particles of each pair.
    facts : (7, PAIRS) float64
        m_j / (m_i + m_j), the trap's part of L, the phase over the round squared; L, L', L''; sub-steps.
    factors : (C, PAIRS) float64
    r, w : (n, PAIRS) float64
        Relative position and velocity.
    d, e : (n, PAIRS) float64
        The pair's motion beyond free flight; then what the others change in it.
    z2, z3 : (n, PAIRS) float64
        How the others move the pair.
    """

    at: NDArray[np.int64]
    facts: FloatArray
    factors: FloatArray
    r: FloatArray
    w: FloatArray
    d: FloatArray
    e: FloatArray
    z2: FloatArray
    z3: FloatArray


@kernel
def new_chunk(n: int, n_channels: int) -> Chunk:
    """An empty one."""
    return Chunk(
        np.zeros((2, PAIRS), dtype=np.int64),
        np.zeros((7, PAIRS)),
        np.zeros((n_channels, PAIRS)),
        np.zeros((n, PAIRS)),
        np.zeros((n, PAIRS)),
        np.zeros((n, PAIRS)),
        np.zeros((n, PAIRS)),
        np.zeros((n, PAIRS)),
        np.zeros((n, PAIRS)),
    )


@kernel
def fill(
    chunk: Chunk,
    x: FloatArray,
    v: FloatArray,
    couplings: FloatArray,
    m: FloatArray,
    trap: float,
    rows: NDArray[np.int64],
    place: NDArray[np.int64],
) -> int:
    """The next pairs (i, j > i) of some rows i of x, v (n, N).

    They begin at `place` (index of the row, j), which moves along. Returns how many there are; columns up to the
    next multiple of LANES are pairs without a force.
    """
    n, number = x.shape
    size = 0
    while size < PAIRS and place[0] < len(rows):
        i, j = rows[place[0]], place[1]
        if j <= i:
            j = i + 1
        count = min(number - j, PAIRS - size)
        inverse_i = 1.0 / m[i]
        for p in range(count):
            chunk.at[0, size + p] = i
            chunk.at[1, size + p] = j + p
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
        if j + count == number:
            place[0] += 1
            place[1] = 0
        else:
            place[1] = j + count
    for empty in range(size, -(-size // LANES) * LANES):
        chunk.facts[:, empty] = 0.0
        chunk.factors[:, empty] = 0.0
        chunk.r[:, empty] = 1.0
        chunk.w[:, empty] = 0.0
    return size


@kernel
def run_of(chunk: Chunk, size: int, first: int) -> tuple[int, int, int]:
    """Pairs (i, j), (i, j + 1), ... from column `first` on: i, j and where they end."""
    i, last = chunk.at[0, first], first
    while last < size and chunk.at[0, last] == i:
        last += 1
    return i, chunk.at[1, first], last


@kernel
def pulled(chunk: Chunk, size: int, dt: float, sums: FloatArray) -> None:
    """How the others move the pairs by the sums (2, n, N) over all, into z2 and z3."""
    n, first = chunk.r.shape[0], 0
    while first < size:
        i, j, last = run_of(chunk, size, first)
        for k in range(n):
            far_i, fast_i = sums[0, k, i], sums[1, k, i]
            for p in range(first, last):
                far = far_i - sums[0, k, j + p - first] - chunk.d[k, p]
                fast = dt * (fast_i - sums[1, k, j + p - first] - chunk.e[k, p])
                chunk.z2[k, p] = 3.0 * far - fast
                chunk.z3[k, p] = fast - 2.0 * far
        first = last


@kernel
def scatter(chunk: Chunk, size: int, sums: FloatArray) -> None:
    """Add d and e of the pairs to the sums (2, n, N) of their particles."""
    n, first = chunk.r.shape[0], 0
    while first < size:
        i, j, last = run_of(chunk, size, first)
        for part in range(2):
            values = chunk.d if part == 0 else chunk.e
            for k in range(n):
                total = 0.0
                for p in range(first, last):
                    total += chunk.facts[0, p] * values[k, p]
                sums[part, k, i] += total
                for p in range(first, last):
                    sums[part, k, j + p - first] -= (1.0 - chunk.facts[0, p]) * values[k, p]
        first = last
