"""The adjoint of the integrator's rounds (`cpu/rounds.py`), by hand, as Numba kernels.

A pair's sub-steps are computed again; of a round only its first state was kept.
"""

import math

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel, leaf_kernel
from physics.types import FloatArray
from surrogate.models.integrator.cpu.fourth_order import new_motions, tidal_changes, two_body_motions
from surrogate.models.integrator.cpu.fourth_order_adjoint import Gradients, fourth_order_adjoint
from surrogate.models.integrator.cpu.one_body import (
    OneBodyArrays,
    first_half,
    first_half_adjoint,
    second_half_adjoint,
)
from surrogate.models.integrator.cpu.rounds import (
    Pair,
    new_pair,
    pair_motion,
    set_pair,
    sum_pair_motions,
)
from surrogate.models.integrator.cpu.spline import Spline, pair_law


@leaf_kernel
def pair_motion_adjoint(
    pair: Pair, g: Pair, dt: float, count: int, spline: Spline, path: FloatArray, g_table: FloatArray
) -> None:
    """Adjoint of `pair_motion`: g.d and g.e are used up, g.r, g.w and g.factors are set, g_table gains."""
    table, factors = spline.table, pair.factors
    n = pair.r.shape[0]
    h = dt / count
    pair_motion(pair, dt, count, spline, path)
    for k in range(n):
        g.r[k] = 0.0
        g.w[k] = 0.0
    for c in range(table.shape[0]):
        g.factors[c] = 0.0
    for s in range(count - 1, -1, -1):
        t = (s + 0.5) * h
        r2, along = 0.0, 0.0
        for k in range(n):
            r2 += path[s, k] * path[s, k]
            g.e[k] += 0.5 * h * g.d[k]
            along += h * g.e[k] * path[s, k]
        law, slope, first, weights = pair_law(r2, spline, factors)
        for c in range(table.shape[0]):
            for k in range(4):
                g_table[c, first + k] += along * factors[c] * weights[k]
                g.factors[c] += along * weights[k] * table[c, first + k]
        for k in range(n):
            g_path = law * h * g.e[k] + along * slope * path[s, k] / (r2 + spline.s2)
            g.r[k] += g_path
            g.w[k] += t * g_path
            g.d[k] += g_path
            g.e[k] += 0.5 * h * g.d[k]


@kernel
def pair_motions_adjoint(
    x: FloatArray,
    v: FloatArray,
    couplings: FloatArray,
    m: FloatArray,
    dt: float,
    spline: Spline,
    counts: NDArray[np.int64],
    pair: Pair,
    g: Pair,
    path: FloatArray,
    gx: FloatArray,
    gv: FloatArray,
    g_couplings: FloatArray,
    g_table: FloatArray,
) -> None:
    """Adjoint of x <- x + dt v + dx, v <- v + dv by `sum_pair_motions`, at its inputs x, v (N, n).

    gx, gv change in place, g_couplings and g_table are added to.
    """
    number, n = x.shape
    gdx, gdv = gx.copy(), gv.copy()
    for i in range(number):
        for k in range(n):
            gv[i, k] += dt * gx[i, k]
    place = 0
    for i in range(number):
        for j in range(i + 1, number):
            share, inverse = set_pair(pair, x, v, couplings, m, i, j)
            for k in range(n):
                g.d[k] = share * gdx[i, k] - (1.0 - share) * gdx[j, k]
                g.e[k] = share * gdv[i, k] - (1.0 - share) * gdv[j, k]
            pair_motion_adjoint(pair, g, dt, counts[place], spline, path, g_table)
            place += 1
            for c in range(couplings.shape[0]):
                ki, kj = couplings[c, i], couplings[c, j]
                g_couplings[c, i] += g.factors[c] * inverse * kj
                g_couplings[c, j] += g.factors[c] * inverse * ki
            for k in range(n):
                gx[i, k] += g.r[k]
                gx[j, k] -= g.r[k]
                gv[i, k] += g.w[k]
                gv[j, k] -= g.w[k]


@kernel
def rounds_backward(
    kept: FloatArray,
    couplings: FloatArray,
    m: FloatArray,
    one: OneBodyArrays,
    spline: Spline,
    dt: float,
    gx: FloatArray,
    gv: FloatArray,
    g_couplings: FloatArray,
    g_one: OneBodyArrays,
    g_table: FloatArray,
    growth: float,
    most: int,
    trap: FloatArray,
    g_trap: FloatArray,
    order: int,
) -> None:
    """Adjoint of `rounds_forward`: gx, gv enter as gradients of the end and leave as those of the start.

    g_couplings (C, B, N), g_one, g_table (C, G) and g_trap (B,) are added to.
    Where the gradient of a (chaotic) system has grown more than `growth` times, it is scaled down.
    """
    n_systems, n_rounds, _, number, n = kept.shape
    n_channels = couplings.shape[0]
    pair, g, path = new_pair(n, n_channels), new_pair(n, n_channels), np.empty((most, n))
    x, v = np.empty((number, n)), np.empty((number, n))
    x1, v1 = np.empty((number, n)), np.empty((number, n))
    motions, changes = new_motions(number * (number - 1) // 2, n, number * number), np.empty((2, 2, number, n))
    buffers = np.empty((4, n))
    sums = np.zeros(2)
    counts = np.empty(number * (number - 1) // 2, dtype=np.int64)
    for b in range(n_systems):
        sums[:] = 0.0
        ceiling = growth * math.sqrt((gx[b] * gx[b]).sum() + (gv[b] * gv[b]).sum())
        for step in range(n_rounds - 1, -1, -1):
            x[:] = kept[b, step, 0]
            v[:] = kept[b, step, 1]
            first_half(x, v, m[b], one, b, dt)
            if order == 4:
                springs = trap[b] / m[b].sum()
                motions = two_body_motions(
                    x, v, couplings[:, b], m[b], springs, dt, spline, most, motions, changes[0]
                )
                tidal_changes(m[b], dt, motions, changes[0], changes[1], buffers)
                x1[:] = changes[0, 0] + changes[1, 0]
                v1[:] = changes[0, 1] + changes[1, 1]
            else:
                sum_pair_motions(x, v, couplings[:, b], m[b], dt, spline, most, pair, path, x1, v1, counts)
            for i in range(number):  # the state before the second half
                for k in range(n):
                    x1[i, k] += x[i, k] + dt * v[i, k]
                    v1[i, k] += v[i, k]
            second_half_adjoint(x1, v1, m[b], one, b, dt, gx[b], gv[b], g_one, sums)
            if order == 4:
                given = Gradients(gx[b], gv[b], g_couplings[:, b], g_table)
                by_springs = fourth_order_adjoint(couplings[:, b], m[b], dt, spline, motions, changes[0], given)
                g_trap[b] += by_springs / m[b].sum()
            else:
                pair_motions_adjoint(
                    x,
                    v,
                    couplings[:, b],
                    m[b],
                    dt,
                    spline,
                    counts,
                    pair,
                    g,
                    path,
                    gx[b],
                    gv[b],
                    g_couplings[:, b],
                    g_table,
                )
            x[:] = kept[b, step, 0]
            v[:] = kept[b, step, 1]
            first_half_adjoint(x, v, m[b], one, b, dt, gx[b], gv[b], g_one, sums)
            norm = math.sqrt((gx[b] * gx[b]).sum() + (gv[b] * gv[b]).sum())
            if norm > ceiling:
                gx[b] *= ceiling / norm
                gv[b] *= ceiling / norm
        g_one.kappa[b] += sums[0]
        g_one.gamma[0] += sums[1]
