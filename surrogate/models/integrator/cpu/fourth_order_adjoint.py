"""The adjoint of `cpu/fourth_order.py`, by hand, as Numba kernels."""

import math
from typing import NamedTuple

import numpy as np

from physics.kernels.jit import kernel, leaf_kernel
from physics.types import FloatArray
from surrogate.models.integrator.cpu.fourth_order import (
    STIFFEST,
    Motions,
    moments,
    others,
    taylor,
)
from surrogate.models.integrator.cpu.spline import Spline, law_derivatives, spline_weights


class Gradients(NamedTuple):
    """What the adjoint adds to.

    Attributes
    ----------
    x, v : (N, n) float64
        In: by the positions and velocities at the end of the pair part. Out: at its start.
    couplings : (C, N) float64
    table : (C, G) float64
    """

    x: FloatArray
    v: FloatArray
    couplings: FloatArray
    table: FloatArray


@leaf_kernel
def taylor_adjoint(
    h: float,
    law: float,
    by1: float,
    by2: float,
    pp: float,
    pw: float,
    ww: float,
    ga: float,
    gb: float,
    gc: float,
    gd: float,
) -> tuple[float, float, float, float, float, float]:
    """Gradients by L, L', L'', P, Q and W from those by a, b, c and d of `taylor`."""
    h2, h3, h4 = h * h, h * h * h, h * h * h * h
    bent = h4 / 24.0 * ga + h3 / 6.0 * gc
    turned = h4 / 48.0 * ga + h3 / 24.0 * gc
    curl = h4 / 24.0 * gc
    speed = -h3 / 12.0 * ga + h4 / 24.0 * gb + h3 / 12.0 * gd
    late = h4 / 24.0 * gd
    g_law = 0.5 * h2 * ga - h3 / 12.0 * gb + h * gc + bent * (2.0 * law + by1 * pp)
    g_law += curl * pp * pw * by2 + late * (by1 * pp - 2.0 * law)
    g_by1 = speed * pw + bent * law * pp + turned * ww - 2.0 * curl * pp * pw * by1 + late * law * pp
    g_by2 = turned * pw * pw + curl * pp * pw * law
    both = law * by2 - by1 * by1
    g_pp = bent * law * by1 + curl * pw * both + late * law * by1
    g_pw = speed * by1 + 2.0 * turned * by2 * pw + curl * pp * both
    return g_law, g_by1, g_by2, g_pp, g_pw, turned * by1


@leaf_kernel
def law_adjoint(
    r2: float,
    spline: Spline,
    factors: FloatArray,
    g_law: float,
    g_by1: float,
    g_by2: float,
    g_table: FloatArray,
    g_factors: FloatArray,
) -> float:
    """Adds to the gradients by the table and the factors; returns that by r^2/2."""
    table = spline.table
    rho2 = r2 + spline.s2
    last = table.shape[1] - 4
    place = (0.5 * math.log(rho2) - spline.u0) * spline.per_knot
    inside = 1.0 if place < last + 0.999999 else 0.0
    first, a, b = spline_weights(min(max(place, 0.0), last + 0.999999))
    t = min(max(place, 0.0), last + 0.999999) - first
    c2 = (1.0 - t, 3.0 * t - 2.0, 1.0 - 3.0 * t, t)
    one = inside * spline.per_knot * (g_by1 - 2.0 * g_by2 / rho2) / rho2
    two = inside * spline.per_knot * spline.per_knot * g_by2 / (rho2 * rho2)
    for c in range(table.shape[0]):
        for k in range(4):
            weight = g_law * a[k] + one * b[k] + two * c2[k]
            g_table[c, first + k] += factors[c] * weight
            g_factors[c] += weight * table[c, first + k]
    _, by1, by2, by3 = law_derivatives(r2, table, spline.s2, spline.u0, spline.per_knot, factors)
    return g_law * by1 + g_by1 * by2 + g_by2 * by3


@leaf_kernel
def tidal_adjoint(
    m: FloatArray,
    dt: float,
    kept: Motions,
    sums: FloatArray,
    g_end: FloatArray,
    g_sums: FloatArray,
    g_pairs: FloatArray,
    parts: FloatArray,
    buffers: FloatArray,
) -> None:
    """Adjoint of `tidal_changes` by the sums D and E, and by each pair's own part of them.

    Parameters
    ----------
    g_end : (2, N, n) float64
        By the changes.
    g_sums : (2, N, n) float64
        Gains those by D and E.
    g_pairs : (2, pairs, n) float64
        Set to those by d and e.
    parts : (2, pairs) float64
        Set to the share of a pair's tidal change that is taken, and the gradient by its S.
    buffers : (6, n) float64
    """
    number, n = g_end.shape[1:]
    hd, he, g2, g3, z2, z3 = buffers[0], buffers[1], buffers[2], buffers[3], buffers[4], buffers[5]
    place = 0
    for i in range(number):
        for j in range(i + 1, number):
            share = m[j] / (m[i] + m[j])
            for k in range(n):
                hd[k] = share * g_end[0, i, k] - (1.0 - share) * g_end[0, j, k]
                he[k] = share * g_end[1, i, k] - (1.0 - share) * g_end[1, j, k]
            others(kept, sums, place, i, j, dt, z2, z3)
            g2[:] = 0.0
            g3[:] = 0.0
            stiff = 0.0
            first, last = kept.first[place], kept.first[place + 1]
            h = dt / (last - first)
            for step in range(first, last):
                start = (step - first) * h
                i2, i3, m2, m3 = moments(start, h, dt)
                law, by1, by2 = kept.law[step, 0], kept.law[step, 1], kept.law[step, 2]
                stiff += dt * h * law
                left = dt - start - 0.5 * h
                p_hz, p_hd, p_he, w_he, pw = 0.0, 0.0, 0.0, 0.0, 0.0
                for k in range(n):
                    p, w = kept.p[step, k], kept.w[step, k]
                    p_hz += p * (he[k] + left * hd[k])
                    p_hd += p * hd[k]
                    p_he += p * he[k]
                    w_he += w * he[k]
                    pw += p * w
                for k in range(n):
                    p, w = kept.p[step, k], kept.w[step, k]
                    gz = law * (he[k] + left * hd[k]) + by1 * p_hz * p
                    gy = by1 * (pw * he[k] + w_he * p + p_he * w - p_hd * p) + by2 * pw * p_he * p - law * hd[k]
                    g2[k] += i2 * gz + m2 * gy
                    g3[k] += i3 * gz + m3 * gy
            part, change = 1.0 / (1.0 + (stiff / STIFFEST) ** 2), 0.0
            for k in range(n):
                change += g2[k] * z2[k] + g3[k] * z3[k]
            parts[0, place], parts[1, place] = part, -2.0 * stiff / STIFFEST**2 * part * part * change
            for k in range(n):
                far, fast = part * (3.0 * g2[k] - 2.0 * g3[k]), part * dt * (g3[k] - g2[k])
                g_sums[0, i, k] += far
                g_sums[0, j, k] -= far
                g_sums[1, i, k] += fast
                g_sums[1, j, k] -= fast
                g_pairs[0, place, k] = -far
                g_pairs[1, place, k] = -fast
            place += 1


@leaf_kernel
def pair_adjoint(
    kept: Motions,
    place: int,
    dt: float,
    spline: Spline,
    factors: FloatArray,
    others_move: FloatArray,
    g_stiff: float,
    g_end: FloatArray,
    g_own: FloatArray,
    g_pair: FloatArray,
    g_table: FloatArray,
    g_factors: FloatArray,
    buffers: FloatArray,
) -> float:
    """Adjoint of one pair's motion and tidal change; returns the gradient by its L.

    Parameters
    ----------
    others_move : (2, n) float64
        z2 and z3 of `others`.
    g_stiff : float
        By the pair's S.
    g_end : (2, n) float64
        By the pair's changes.
    g_own : (2, n) float64
        By its d and e; used up.
    g_pair : (2, n) float64
        Set to the gradients by r and w.
    buffers : (4, n) float64
    """
    n = g_pair.shape[1]
    first, last = kept.first[place], kept.first[place + 1]
    h = dt / (last - first)
    z, y, gp, gw = buffers[0], buffers[1], buffers[2], buffers[3]
    g_pair[:] = 0.0
    total = 0.0
    hd, he, gq, gu = g_end[0], g_end[1], g_own[0], g_own[1]
    for step in range(last - 1, first - 1, -1):
        start = (step - first) * h
        i2, i3, m2, m3 = moments(start, h, dt)
        left = dt - start - 0.5 * h
        law, by1, by2 = kept.law[step, 0], kept.law[step, 1], kept.law[step, 2]
        p, w = kept.p[step], kept.w[step]
        pp, pw, ww, pz, py, wy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        p_hz, p_hd, p_he, w_he, y_he, same = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        p_gq, w_gq, p_gu, w_gu = 0.0, 0.0, 0.0, 0.0
        for k in range(n):
            z[k] = i2 * others_move[0, k] + i3 * others_move[1, k]
            y[k] = m2 * others_move[0, k] + m3 * others_move[1, k]
            hz = he[k] + left * hd[k]
            pp += p[k] * p[k]
            pw += p[k] * w[k]
            ww += w[k] * w[k]
            pz += p[k] * z[k]
            py += p[k] * y[k]
            wy += w[k] * y[k]
            p_hz += p[k] * hz
            p_hd += p[k] * hd[k]
            p_he += p[k] * he[k]
            w_he += w[k] * he[k]
            y_he += y[k] * he[k]
            same += hz * z[k] - hd[k] * y[k]
            p_gq += p[k] * gq[k]
            w_gq += w[k] * gq[k]
            p_gu += p[k] * gu[k]
            w_gu += w[k] * gu[k]
        ca, cb, cc, cd = taylor(h, law, by1, by2, pp, pw, ww)
        g_law, g_by1, g_by2, g_pp, g_pw, g_ww = taylor_adjoint(
            h, law, by1, by2, pp, pw, ww, p_gq, w_gq, p_gu, w_gu
        )
        g_law += same + dt * h * g_stiff
        g_by1 += p_hz * pz - p_hd * py + pw * y_he + py * w_he + wy * p_he
        g_by2 += pw * py * p_he
        g_pw += by1 * y_he + by2 * py * p_he
        total += g_law
        half = law_adjoint(pp, spline, factors, g_law, g_by1, g_by2, g_table, g_factors)
        for k in range(n):
            hz = he[k] + left * hd[k]
            gp[k] = ca * gq[k] + cc * gu[k] + (half + 2.0 * g_pp) * p[k] + g_pw * w[k]
            gp[k] += by1 * (pz * hz + p_hz * z[k] - py * hd[k] - p_hd * y[k] + w_he * y[k] + wy * he[k])
            gp[k] += by2 * pw * (p_he * y[k] + py * he[k])
            gw[k] = cb * gq[k] + cd * gu[k] + g_pw * p[k] + 2.0 * g_ww * w[k] + by1 * (py * he[k] + p_he * y[k])
            g_pair[0, k] += gp[k]
            g_pair[1, k] += (start + 0.5 * h) * gp[k] + gw[k]
            gu[k] += h * gq[k] + 0.5 * h * gp[k] + gw[k]
            gq[k] += gp[k]
    return total


@leaf_kernel
def pairs_adjoint(
    couplings: FloatArray,
    m: FloatArray,
    dt: float,
    spline: Spline,
    kept: Motions,
    sums: FloatArray,
    by_pairs: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    g: Gradients,
    factors: FloatArray,
    buffers: FloatArray,
) -> float:
    """The adjoints of all pairs, added to g; returns the gradient by `trap`.

    by_pairs are those of `tidal_adjoint`; factors (2, C), buffers (12, n) are worked in.
    """
    g_end, g_sums, g_pairs, parts = by_pairs
    n, number = g_end.shape[2], len(m)
    own_factors, g_factors = factors[0], factors[1]
    moved, end, own, pair = buffers[:2], buffers[2:4], buffers[4:6], buffers[6:8]
    work = buffers[8:]
    g_trap, place = 0.0, 0
    for i in range(number):
        for j in range(i + 1, number):
            inverse, share = 1.0 / m[i] + 1.0 / m[j], m[j] / (m[i] + m[j])
            for c in range(factors.shape[1]):
                own_factors[c] = couplings[c, i] * couplings[c, j] * inverse
                g_factors[c] = 0.0
            others(kept, sums, place, i, j, dt, moved[0], moved[1])
            for a in range(2):
                for k in range(n):
                    end[a, k] = parts[0, place] * (share * g_end[a, i, k] - (1.0 - share) * g_end[a, j, k])
                    own[a, k] = share * g_sums[a, i, k] - (1.0 - share) * g_sums[a, j, k] + g_pairs[a, place, k]
            by_law = pair_adjoint(
                kept,
                place,
                dt,
                spline,
                own_factors,
                moved,
                parts[1, place],
                end,
                own,
                pair,
                g.table,
                g_factors,
                work,
            )
            g_trap -= (m[i] + m[j]) * by_law
            for c in range(factors.shape[1]):
                ki, kj = couplings[c, i], couplings[c, j]
                g.couplings[c, i] += g_factors[c] * inverse * kj
                g.couplings[c, j] += g_factors[c] * inverse * ki
            for k in range(n):
                g.x[i, k] += pair[0, k]
                g.x[j, k] -= pair[0, k]
                g.v[i, k] += pair[1, k]
                g.v[j, k] -= pair[1, k]
            place += 1
    return g_trap


@kernel
def fourth_order_adjoint(
    couplings: FloatArray,
    m: FloatArray,
    dt: float,
    spline: Spline,
    kept: Motions,
    sums: FloatArray,
    g: Gradients,
) -> float:
    """Adjoint of x <- x + dt v + D, v <- v + E by `fourth_order.py`, at its inputs x, v (N, n).

    Parameters
    ----------
    kept, sums : Motions, (2, N, n) float64
        Of `two_body_motions` of them.

    Returns
    -------
    float
        The gradient by `trap`.
    """
    n_pairs, n = kept.d.shape
    number = len(m)
    g_end, g_sums = np.empty((2, 2, number, n))
    g_end[0] = g.x
    g_end[1] = g.v
    g_sums[:] = g_end
    g_pairs, parts, buffers = np.empty((2, n_pairs, n)), np.empty((2, n_pairs)), np.empty((12, n))
    tidal_adjoint(m, dt, kept, sums, g_end, g_sums, g_pairs, parts, buffers)
    factors = np.empty((2, couplings.shape[0]))
    g.v[:] += dt * g.x
    by_pairs = (g_end, g_sums, g_pairs, parts)
    return pairs_adjoint(couplings, m, dt, spline, kept, sums, by_pairs, g, factors, buffers)
