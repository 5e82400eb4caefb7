"""Numba kernels of the integrator: K rounds of two-body steps, and their adjoint.

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
def pair_motion_adjoint(
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
    gd: FloatArray,
    ge: FloatArray,
    gr: FloatArray,
    gw: FloatArray,
    g_table: FloatArray,
    g_factors: FloatArray,
) -> None:
    """Adjoint of `pair_motion`: gd, ge of (d, e) are used up; gr, gw, g_factors are set, g_table gains."""
    n = r.shape[0]
    h = dt / count
    pair_motion(r, w, dt, count, s2, u0, per_knot, table, factors, weights, slopes, out, d, e, path)
    for k in range(n):
        gr[k] = 0.0
        gw[k] = 0.0
    for c in range(table.shape[0]):
        g_factors[c] = 0.0
    for s in range(count - 1, -1, -1):
        t = (s + 0.5) * h
        r2, along = 0.0, 0.0
        for k in range(n):
            r2 += path[s, k] * path[s, k]
            ge[k] += 0.5 * h * gd[k]
            along += h * ge[k] * path[s, k]
        first = pair_law(r2, s2, u0, per_knot, table, factors, weights, slopes, out)
        for c in range(table.shape[0]):
            for k in range(4):
                g_table[c, first + k] += along * factors[c] * weights[k]
                g_factors[c] += along * weights[k] * table[c, first + k]
        for k in range(n):
            gp = out[0] * h * ge[k] + along * out[1] * path[s, k] / (r2 + s2)
            gr[k] += gp
            gw[k] += t * gp
            gd[k] += gp
            ge[k] += 0.5 * h * gd[k]


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


@kernel
def half_kick_adjoint(
    x: FloatArray,
    v: FloatArray,
    m: FloatArray,
    kappa: float,
    gamma: float,
    dt: float,
    gx: FloatArray,
    gv: FloatArray,
    sums: FloatArray,
) -> None:
    """Adjoint of `half_kick` at its inputs x, v; gx, gv change in place, sums gains d/dkappa and d/dgamma."""
    number, n = x.shape
    step = abs(dt)
    shrink = math.exp(-0.5 * gamma * step)
    total = 0.0
    for i in range(number):
        total += m[i]
    for k in range(n):
        centre, centre_gradient = 0.0, 0.0
        for i in range(number):
            centre += m[i] * x[i, k]
        centre /= total
        for i in range(number):
            reach = x[i, k] - centre
            g = gv[i, k]
            if dt > 0.0:
                pulled = g
                sums[1] += -0.5 * step * shrink * v[i, k] * g
            else:
                pulled = shrink * g
                sums[1] += -0.5 * step * shrink * (v[i, k] - 0.5 * step * kappa * reach) * g
            sums[0] += -0.5 * step * reach * pulled
            gx[i, k] += -0.5 * step * kappa * pulled
            centre_gradient += 0.5 * step * kappa * pulled
            gv[i, k] = shrink * g
        for i in range(number):
            gx[i, k] += m[i] / total * centre_gradient


@kernel
def rounds_backward(
    kept: FloatArray,
    couplings: FloatArray,
    m: FloatArray,
    kappa: FloatArray,
    gamma: float,
    table: FloatArray,
    u0: float,
    per_knot: float,
    softening: float,
    dt: float,
    gx: FloatArray,
    gv: FloatArray,
    g_couplings: FloatArray,
    g_kappa: FloatArray,
    g_table: FloatArray,
    limit: float,
    most: int,
) -> float:
    """Adjoint of `rounds_forward`: gx, gv enter as gradients of the end and leave as those of the start.

    g_couplings (C, B, N), g_kappa (B,) and g_table (C, G) are added to; returns the gradient of gamma.
    Where the gradient of a (chaotic) system has grown more than `limit` times on its way back, it is scaled down.
    """
    n_systems, n_rounds, _, number, n = kept.shape
    n_channels = table.shape[0]
    s2 = softening * softening
    r, w, d, e = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    path = np.empty((most, n))
    weights, slopes, out, factors = np.empty(4), np.empty(4), np.empty(2), np.empty(n_channels)
    g_factors = np.empty(n_channels)
    x, v = np.empty((number, n)), np.empty((number, n))
    x1, v1 = np.empty((number, n)), np.empty((number, n))
    gdx, gdv = np.empty((number, n)), np.empty((number, n))
    gd, ge, gr, gw = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    sums = np.zeros(2)
    counts = np.empty(number * (number - 1) // 2, dtype=np.int64)
    gamma_total = 0.0
    for b in range(n_systems):
        sums[:] = 0.0
        ceiling = limit * math.sqrt((gx[b] * gx[b]).sum() + (gv[b] * gv[b]).sum())
        for step in range(n_rounds - 1, -1, -1):
            x[:] = kept[b, step, 0]
            v[:] = kept[b, step, 1]
            half_kick(x, v, m[b], kappa[b], gamma, dt)
            sum_pair_motions(
                x,
                v,
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
                x1,
                v1,
                counts,
                most,
            )
            for i in range(number):  # the state before the second half kick
                for k in range(n):
                    x1[i, k] += x[i, k] + dt * v[i, k]
                    v1[i, k] += v[i, k]
            half_kick_adjoint(x1, v1, m[b], kappa[b], gamma, -dt, gx[b], gv[b], sums)
            gdx[:] = gx[b]
            gdv[:] = gv[b]
            for i in range(number):
                for k in range(n):
                    gv[b, i, k] += dt * gx[b, i, k]
            place = 0
            for i in range(number):
                for j in range(i + 1, number):
                    inverse = 1.0 / m[b, i] + 1.0 / m[b, j]
                    for c in range(n_channels):
                        factors[c] = couplings[c, b, i] * couplings[c, b, j] * inverse
                    share = m[b, j] / (m[b, i] + m[b, j])
                    for k in range(n):
                        r[k] = x[i, k] - x[j, k]
                        w[k] = v[i, k] - v[j, k]
                        gd[k] = share * gdx[i, k] - (1.0 - share) * gdx[j, k]
                        ge[k] = share * gdv[i, k] - (1.0 - share) * gdv[j, k]
                    pair_motion_adjoint(
                        r,
                        w,
                        dt,
                        counts[place],
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
                        gd,
                        ge,
                        gr,
                        gw,
                        g_table,
                        g_factors,
                    )
                    place += 1
                    for c in range(n_channels):
                        ki, kj = couplings[c, b, i], couplings[c, b, j]
                        g_couplings[c, b, i] += g_factors[c] * inverse * kj
                        g_couplings[c, b, j] += g_factors[c] * inverse * ki
                    for k in range(n):
                        gx[b, i, k] += gr[k]
                        gx[b, j, k] -= gr[k]
                        gv[b, i, k] += gw[k]
                        gv[b, j, k] -= gw[k]
            x[:] = kept[b, step, 0]
            v[:] = kept[b, step, 1]
            half_kick_adjoint(x, v, m[b], kappa[b], gamma, dt, gx[b], gv[b], sums)
            norm = math.sqrt((gx[b] * gx[b]).sum() + (gv[b] * gv[b]).sum())
            if norm > ceiling:
                gx[b] *= ceiling / norm
                gv[b] *= ceiling / norm
        g_kappa[b] += sums[0]
        gamma_total += sums[1]
    return gamma_total
