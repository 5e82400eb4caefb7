"""The adjoint of the integrator's rounds (`cpu/rounds.py`), by hand, as Numba kernels.

A pair's sub-steps are made again on the way back; of a round only its first state was kept.
"""

import math

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from surrogate.models.integrator.cpu.rounds import half_kick, pair_law, pair_motion, sum_pair_motions

FloatArray = NDArray[np.float64]


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
