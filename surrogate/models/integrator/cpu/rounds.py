"""Numba kernels of the integrator: K rounds of two-body steps. `cpu/adjoint.py` goes back.

One round, from positions x, velocities v (per system; r = x_i - x_j, w = v_i - v_j, L(r) r the relative
acceleration of a pair):

    v <- exp(-gamma dt/2) (v - kappa dt/2 (x - x_com))
    (d, e)_ij = two-body motion of the pair over dt, less its free flight:   r(dt) - r - w dt,   w(dt) - w
    x_i <- x_i + dt v_i + sum_j mu_ij/m_i d_ij,       v_i <- v_i + sum_j mu_ij/m_i e_ij
    v <- exp(-gamma dt/2) v - kappa dt/2 (x - x_com)

The two-body motion is a drift-kick-drift of 2^k sub-steps, as many as the pair's own time scale asks for, so a
close pair never shortens the step of the others. L is a sum over channels c of k_ci k_cj (1/m_i + 1/m_j) T_c(u),
u = log(r^2 + s^2) / 2, T_c a uniform cubic B-spline (coefficients `table`). All arithmetic is float64. Systems
are independent: results do not depend on how they are divided among threads.
"""

import math

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel

FloatArray = NDArray[np.float64]

SUBSTEP_ANGLE = 0.15
"""Largest phase a sub-step may advance a pair by: a leapfrog sub-step is then right to about 1e-3 of its kick."""
MOST_SUBSTEPS = 64
"""Most of them for one pair and round, unless told otherwise; a power of two."""


@kernel
def spline_weights(place: float, weights: FloatArray, slopes: FloatArray) -> int:
    """The four cubic B-spline weights at `place` (in knots) and their derivatives; the first knot's index."""
    first = math.floor(place)
    t = place - first
    s = 1.0 - t
    weights[0] = s * s * s / 6.0
    weights[1] = (4.0 - 6.0 * t * t + 3.0 * t * t * t) / 6.0
    weights[2] = (4.0 - 6.0 * s * s + 3.0 * s * s * s) / 6.0
    weights[3] = t * t * t / 6.0
    slopes[0] = -0.5 * s * s
    slopes[1] = -2.0 * t + 1.5 * t * t
    slopes[2] = 2.0 * s - 1.5 * s * s
    slopes[3] = 0.5 * t * t
    return first


@kernel
def pair_law(
    r2: float,
    s2: float,
    u0: float,
    per_knot: float,
    table: FloatArray,
    factors: FloatArray,
    weights: FloatArray,
    slopes: FloatArray,
    out: FloatArray,
) -> int:
    """L in out[0], dL/du in out[1]; returns the first knot."""
    last = table.shape[1] - 4
    place = (0.5 * math.log(r2 + s2) - u0) * per_knot
    place = min(max(place, 0.0), last + 0.999999)
    first = spline_weights(place, weights, slopes)
    value, slope = 0.0, 0.0
    for c in range(table.shape[0]):
        if factors[c] != 0.0:
            t, dt = 0.0, 0.0
            for k in range(4):
                t += weights[k] * table[c, first + k]
                dt += slopes[k] * table[c, first + k]
            value += factors[c] * t
            slope += factors[c] * dt
    out[0] = value
    out[1] = slope * per_knot
    return first


@kernel
def substeps(
    r: FloatArray,
    w: FloatArray,
    dt: float,
    s2: float,
    u0: float,
    per_knot: float,
    table: FloatArray,
    factors: FloatArray,
    weights: FloatArray,
    slopes: FloatArray,
    out: FloatArray,
    most: int,
) -> int:
    """Sub-steps for one pair, at most `most`: from its closest approach on the straight path."""
    ww, rw = 0.0, 0.0
    for k in range(r.shape[0]):
        ww += w[k] * w[k]
        rw += r[k] * w[k]
    t = 0.0
    if ww > 0.0:
        t = min(max(-rw / ww, 0.0), dt)
    r2 = 0.0
    for k in range(r.shape[0]):
        r2 += (r[k] + t * w[k]) ** 2
    pair_law(r2, s2, u0, per_knot, table, factors, weights, slopes, out)
    phase = dt * math.sqrt(abs(out[0]) + ww / (r2 + s2))
    count = 1
    while 2 * count <= most and phase > SUBSTEP_ANGLE * count:
        count *= 2
    return count


@kernel
def pair_motion(
    r: FloatArray,
    w: FloatArray,
    dt: float,
    count: int,
    s2: float,
    u0: float,
    per_knot: float,
    table: FloatArray,
    factors: FloatArray,
    weights: FloatArray,
    slopes: FloatArray,
    out: FloatArray,
    d: FloatArray,
    e: FloatArray,
    path: FloatArray,
) -> None:
    """(d, e) of one pair over dt; path (count, n) keeps where each kick was taken."""
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
        pair_law(r2, s2, u0, per_knot, table, factors, weights, slopes, out)
        for k in range(n):
            e[k] += h * out[0] * path[s, k]
            d[k] += 0.5 * h * e[k]


@kernel
def sum_pair_motions(
    x: FloatArray,
    v: FloatArray,
    couplings: FloatArray,
    m: FloatArray,
    dt: float,
    s2: float,
    u0: float,
    per_knot: float,
    table: FloatArray,
    factors: FloatArray,
    weights: FloatArray,
    slopes: FloatArray,
    out: FloatArray,
    d: FloatArray,
    e: FloatArray,
    path: FloatArray,
    dx: FloatArray,
    dv: FloatArray,
    counts: NDArray[np.int64],
    most: int,
) -> int:
    """Sums of (d, e) over the pairs of one system into dx, dv (N, n), sub-steps of each pair into counts.

    Returns their sum: the law calls.
    """
    number, n = x.shape
    r, w = np.empty(n), np.empty(n)
    dx[:] = 0.0
    dv[:] = 0.0
    calls, place = 0, 0
    for i in range(number):
        for j in range(i + 1, number):
            inverse = 1.0 / m[i] + 1.0 / m[j]
            for c in range(table.shape[0]):
                factors[c] = couplings[c, i] * couplings[c, j] * inverse
            for k in range(n):
                r[k] = x[i, k] - x[j, k]
                w[k] = v[i, k] - v[j, k]
            count = substeps(r, w, dt, s2, u0, per_knot, table, factors, weights, slopes, out, most)
            pair_motion(r, w, dt, count, s2, u0, per_knot, table, factors, weights, slopes, out, d, e, path)
            counts[place] = count
            calls += count
            place += 1
            share = m[j] / (m[i] + m[j])
            for k in range(n):
                dx[i, k] += share * d[k]
                dv[i, k] += share * e[k]
                dx[j, k] -= (1.0 - share) * d[k]
                dv[j, k] -= (1.0 - share) * e[k]
    return calls


@kernel
def half_kick(x: FloatArray, v: FloatArray, m: FloatArray, kappa: float, gamma: float, dt: float) -> None:
    """First or second half of the one-body part: damp, then pull (`dt` > 0), or pull, then damp (`dt` < 0)."""
    number, n = x.shape
    step = abs(dt)
    shrink = math.exp(-0.5 * gamma * step)
    total = 0.0
    for i in range(number):
        total += m[i]
    for k in range(n):
        centre = 0.0
        for i in range(number):
            centre += m[i] * x[i, k]
        centre /= total
        for i in range(number):
            if dt > 0.0:
                v[i, k] = shrink * v[i, k] - 0.5 * step * kappa * (x[i, k] - centre)
            else:
                v[i, k] = shrink * (v[i, k] - 0.5 * step * kappa * (x[i, k] - centre))


@kernel
def rounds_forward(
    x: FloatArray,
    v: FloatArray,
    couplings: FloatArray,
    m: FloatArray,
    kappa: FloatArray,
    gamma: float,
    table: FloatArray,
    u0: float,
    per_knot: float,
    softening: float,
    dt: float,
    n_rounds: int,
    kept: FloatArray,
    most: int,
) -> int:
    """Advance systems in place; returns the number of law calls.

    Parameters
    ----------
    x, v : (B, N, n) float64
    couplings : (C, B, N) float64
    m : (B, N) float64
    kappa : (B,) float64
    table : (C, G) float64
    kept : (B, n_rounds, 2, N, n) float64, or (0, 0, 0, 0, 0)
        Filled with x and v at the start of each round where it has room.
    most : int
        Sub-steps a pair may take in a round.
    """
    n_systems, number, n = x.shape
    n_channels = table.shape[0]
    s2 = softening * softening
    d, e = np.empty(n), np.empty(n)
    path = np.empty((most, n))
    weights, slopes, out, factors = np.empty(4), np.empty(4), np.empty(2), np.empty(n_channels)
    dx, dv = np.empty((number, n)), np.empty((number, n))
    counts = np.empty(number * (number - 1) // 2, dtype=np.int64)
    calls = 0
    for b in range(n_systems):
        for step in range(n_rounds):
            if kept.shape[0] > 0:
                kept[b, step, 0] = x[b]
                kept[b, step, 1] = v[b]
            half_kick(x[b], v[b], m[b], kappa[b], gamma, dt)
            calls += sum_pair_motions(
                x[b],
                v[b],
                couplings[:, b],
                m[b],
                dt,
                s2,
                u0,
                per_knot,
                table,
                factors,
                weights,
                slopes,
                out,
                d,
                e,
                path,
                dx,
                dv,
                counts,
                most,
            )
            for i in range(number):
                for k in range(n):
                    x[b, i, k] += dt * v[b, i, k] + dx[i, k]
                    v[b, i, k] += dv[i, k]
            half_kick(x[b], v[b], m[b], kappa[b], gamma, -dt)
    return calls
