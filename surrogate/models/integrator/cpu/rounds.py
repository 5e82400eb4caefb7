"""Numba kernels of the integrator: K rounds of two-body steps. `cpu/adjoint.py` goes back.

One round, from positions x, velocities v (per system; r = x_i - x_j, w = v_i - v_j, L(r) r the relative
acceleration of a pair):

    first half of what acts on each particle by itself: `cpu/one_body.py`
    (d, e)_ij = two-body motion of the pair over dt, less its free flight:   r(dt) - r - w dt,   w(dt) - w
    x_i <- x_i + dt v_i + sum_j mu_ij/m_i d_ij,       v_i <- v_i + sum_j mu_ij/m_i e_ij
    second half of what acts on each particle by itself

The two-body motion is a drift-kick-drift of 2^k sub-steps, as many as the pair's own time scale asks for, so a
close pair never shortens the step of the others. L is a sum over channels c of k_ci k_cj (1/m_i + 1/m_j) T_c(u),
u = log(r^2 + s^2) / 2, T_c a uniform cubic B-spline (coefficients `table`). All arithmetic is float64. Systems
are independent: results do not depend on how they are divided among threads.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel, leaf_kernel
from physics.types import FloatArray
from surrogate.models.integrator.cpu.fourth_order import new_motions
from surrogate.models.integrator.cpu.one_body import OneBodyArrays, first_half, second_half
from surrogate.models.integrator.cpu.pair_chunks import PAIRS, new_chunk
from surrogate.models.integrator.cpu.pair_rows import rounds_room, row_sums
from surrogate.models.integrator.cpu.spline import Spline, pair_law
from surrogate.models.integrator.cpu.substeps import closest_approach, substeps_for
from surrogate.models.integrator.cpu.wide_pairs import wide_sums

SUBSTEP_ANGLE = 0.15
"""Largest phase a sub-step may advance a pair by: a leapfrog sub-step is then right to about 1e-3 of its kick."""
MOST_SUBSTEPS = 64
"""Most of them for one pair and round by default; a power of two."""


class Pair(NamedTuple):
    """Buffers for one pair, or for the gradients of one.

    Attributes
    ----------
    r, w : (n,) float64
        Relative position and velocity.
    d, e : (n,) float64
        What its motion is beyond free flight.
    factors : (C,) float64
        k_ci k_cj (1/m_i + 1/m_j).
    """

    r: FloatArray
    w: FloatArray
    d: FloatArray
    e: FloatArray
    factors: FloatArray


@kernel
def new_pair(n: int, n_channels: int) -> Pair:
    """Buffers for a pair in n dimensions."""
    return Pair(np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n_channels))


@leaf_kernel
def set_pair(
    pair: Pair, x: FloatArray, v: FloatArray, couplings: FloatArray, m: FloatArray, i: int, j: int
) -> tuple[float, float]:
    """Relative state and factors of a pair; returns m_j / (m_i + m_j), i's part of it, and 1/m_i + 1/m_j."""
    inverse = 1.0 / m[i] + 1.0 / m[j]
    for c in range(couplings.shape[0]):
        pair.factors[c] = couplings[c, i] * couplings[c, j] * inverse
    for k in range(x.shape[1]):
        pair.r[k] = x[i, k] - x[j, k]
        pair.w[k] = v[i, k] - v[j, k]
    return m[j] / (m[i] + m[j]), inverse


@leaf_kernel
def substeps(pair: Pair, dt: float, spline: Spline, most: int) -> int:
    """Sub-steps for one pair, at most `most`: from its closest approach on the straight path."""
    r2, ww = closest_approach(pair.r, pair.w, dt)
    law = pair_law(r2, spline, pair.factors)[0]
    return substeps_for(dt * math.sqrt(abs(law) + ww / (r2 + spline.s2)), SUBSTEP_ANGLE, most)


@leaf_kernel
def pair_motion(pair: Pair, dt: float, count: int, spline: Spline, path: FloatArray) -> None:
    """(d, e) of one pair over dt; path (count, n) keeps where each kick was taken."""
    r, w, d, e = pair.r, pair.w, pair.d, pair.e
    n = r.shape[0]
    h = dt / count
    for k in range(n):
        d[k] = 0.0
        e[k] = 0.0
    for s in range(count):
        t = (s + 0.5) * h
        r2 = 0.0
        for k in range(n):
            d[k] += 0.5 * h * e[k]
            p = r[k] + t * w[k] + d[k]
            path[s, k] = p
            r2 += p * p
        law = pair_law(r2, spline, pair.factors)[0]
        for k in range(n):
            e[k] += h * law * path[s, k]
            d[k] += 0.5 * h * e[k]


@leaf_kernel
def sum_pair_motions(
    x: FloatArray,
    v: FloatArray,
    couplings: FloatArray,
    m: FloatArray,
    dt: float,
    spline: Spline,
    most: int,
    pair: Pair,
    path: FloatArray,
    dx: FloatArray,
    dv: FloatArray,
    counts: NDArray[np.int64],
) -> int:
    """Sums of (d, e) over the pairs of one system into dx, dv (N, n), sub-steps of each pair into counts.

    Returns their sum: the evaluations of the law.
    """
    number, n = x.shape
    dx[:] = 0.0
    dv[:] = 0.0
    evaluations, place = 0, 0
    for i in range(number):
        for j in range(i + 1, number):
            share, _ = set_pair(pair, x, v, couplings, m, i, j)
            count = substeps(pair, dt, spline, most)
            pair_motion(pair, dt, count, spline, path)
            counts[place] = count
            evaluations += count
            place += 1
            for k in range(n):
                dx[i, k] += share * pair.d[k]
                dv[i, k] += share * pair.e[k]
                dx[j, k] -= (1.0 - share) * pair.d[k]
                dv[j, k] -= (1.0 - share) * pair.e[k]
    return evaluations


@kernel
def rounds_forward(
    x: FloatArray,
    v: FloatArray,
    couplings: FloatArray,
    m: FloatArray,
    one: OneBodyArrays,
    spline: Spline,
    dt: float,
    n_rounds: int,
    kept: FloatArray,
    most: int,
    trap: FloatArray,
    order: int,
) -> int:
    """Advance systems in place; returns the number of evaluations of the law.

    Parameters
    ----------
    x, v : (B, N, n) float64
    couplings : (C, B, N) float64
    m : (B, N) float64
    one : OneBodyArrays
        For this dt.
    kept : (B, n_rounds, 2, N, n) float64, or (0, 0, 0, 0, 0)
        Filled with x and v at the start of each round, unless it is empty.
    most : int
        Sub-steps a pair may take in a round.
    trap : (B,) float64
        Strength of a trap that pairs take as springs: of order 4 alone.
    order : int
        2, or 4 as in `cpu/fourth_order.py`.
    """
    n_systems, number, n = x.shape
    wide = number * (number - 1) // 2 > PAIRS
    pairs = number * (number - 1) // 2 if order == 4 and not wide else 0
    motions, chunk = new_motions(pairs, n, pairs * most), new_chunk(number, n, couplings.shape[0])
    rows, sums = np.arange(number), np.empty((2, number, n))
    pair, path = new_pair(n, couplings.shape[0]), np.empty((most, n))
    counts = np.empty(number * (number - 1) // 2, dtype=np.int64)
    evaluations = 0
    for b in range(n_systems):
        own, springs = couplings[:, b].copy(), trap[b] / m[b].sum()
        if order == 4 and wide:
            law, room, close = rounds_room(spline, own, m[b], n, springs, dt, most)
        for step in range(n_rounds):
            if kept.shape[0] > 0:
                kept[b, step, 0] = x[b]
                kept[b, step, 1] = v[b]
            first_half(x[b], v[b], m[b], one, b, dt)
            if order == 4 and wide:
                close, count = row_sums(x[b], v[b], law, rows, room, close, sums)
                evaluations += count
            elif order == 4:
                evaluations += wide_sums(x[b], v[b], own, m[b], springs, dt, spline, most, chunk, motions, sums)
            else:
                evaluations += sum_pair_motions(
                    x[b], v[b], own, m[b], dt, spline, most, pair, path, sums[0], sums[1], counts
                )
            for i in range(number):
                for k in range(n):
                    x[b, i, k] += dt * v[b, i, k] + sums[0, i, k]
                    v[b, i, k] += sums[1, i, k]
            second_half(x[b], v[b], m[b], one, b, dt)
    return evaluations
