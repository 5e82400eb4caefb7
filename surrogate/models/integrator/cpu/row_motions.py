"""Two-body motions of the pairs (i, j > i) of some particles i, eight j at once: see `cpu/pair_rows.py`."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import inlined_kernel, kernel, leaf_kernel
from physics.kernels.vectors import (
    Vector,
    add,
    aligned_stack,
    broadcast,
    constant,
    div,
    fma,
    fnma,
    larger,
    load,
    mul,
    smaller,
    store,
    sub,
)
from physics.types import FloatArray
from surrogate.models.integrator.cpu.close_pairs import Close
from surrogate.models.integrator.cpu.fourth_order import SUBSTEP_ANGLE_4
from surrogate.models.integrator.cpu.substeps import substeps_for
from surrogate.models.integrator.cpu.system_law import HALF, SystemLaw, piece_laws, taylor_steps
from surrogate.models.integrator.cpu.vector_spline import LANES, all_positive, rough_laws

TINY = 1e-300
MOST_KEPT = 1024
"""Groups of pairs whose motions are kept between the passes: what fits into a core's own cache."""
Passed = Callable[..., None]


class Room(NamedTuple):
    """What a thread works in.

    Attributes
    ----------
    kept : (groups, 3 + 2 n, LANES) float64
        L, L', L'', d, e of groups of a row.
    p, w : (n, LANES) float64
    total, start : (2 n, LANES) float64
        Sums of a row; r and w of pairs that take sub-steps.
    factors : (C, LANES) float64
    lanes : (2, LANES) float64
        Sub-steps; 1 where there are none, 0 where there are.
    """

    kept: FloatArray
    p: FloatArray
    w: FloatArray
    total: FloatArray
    start: FloatArray
    factors: FloatArray
    lanes: FloatArray


@kernel
def new_room(number: int, n: int, n_channels: int) -> Room:
    """For systems of so many particles, of up to so many channels."""
    groups = min(max(MOST_KEPT, -(-number // LANES)), -(-number // LANES) * number)
    return Room(
        np.zeros((groups, 3 + 2 * n, LANES)),
        np.zeros((n, LANES)),
        np.zeros((n, LANES)),
        np.zeros((2 * n, LANES)),
        np.zeros((2 * n, LANES)),
        np.zeros((n_channels, LANES)),
        np.zeros((2, LANES)),
    )


@inlined_kernel
def mark_substeps(
    i: int,
    j: int,
    x: FloatArray,
    w_ij: FloatArray,
    spring: Vector,
    dt: float,
    most: int,
    table: FloatArray,
    s2: float,
    u0: float,
    per_knot: float,
    factors: FloatArray,
    lanes: FloatArray,
) -> bool:
    """Whether of the pairs (i, j), (i, j + 1), ... some take sub-steps, as `fourth_order` has it; into `lanes`."""
    n, padded, number = x.shape[0], x.shape[1], x.shape[1] - LANES
    zero = broadcast(0.0, LANES)
    ww, rw, near = zero, zero, zero
    for k in range(n):
        r = sub(broadcast(x[k, i], LANES), load(x, k * padded + j, LANES))
        w = load(w_ij, k * LANES, LANES)
        ww, rw = fma(w, w, ww), fma(r, w, rw)
    t = div(sub(zero, rw), larger(ww, constant(TINY, ww)))
    t = smaller(larger(t, zero), constant(dt, t))
    for k in range(n):
        r = sub(broadcast(x[k, i], LANES), load(x, k * padded + j, LANES))
        p = fma(t, load(w_ij, k * LANES, LANES), r)
        near = fma(p, p, near)
    rough = sub(rough_laws(near, table, s2, u0, per_knot, factors, 0), spring)
    rate2 = add(larger(rough, sub(zero, rough)), div(ww, add(near, constant(s2, near))))
    store(lanes, 0, mul(rate2, constant(dt * dt, rate2)))
    found = False
    for lane in range(LANES):
        phase2 = lanes[0, lane]
        lanes[0, lane], lanes[1, lane] = 1.0, 1.0
        if phase2 > SUBSTEP_ANGLE_4 * SUBSTEP_ANGLE_4 and j + lane < number:
            lanes[0, lane] = max(substeps_for(math.sqrt(phase2), SUBSTEP_ANGLE_4, most), 2)
            lanes[1, lane] = 0.0
            found = True
    return found


@inlined_kernel
def add_row(i: int, total: FloatArray, sums: FloatArray) -> None:
    """Add the sums of a row (2 n, LANES) to those of its particle."""
    n = sums.shape[1]
    for part in range(2):
        for k in range(n):
            value = 0.0
            for lane in range(LANES):
                value += total[part * n + k, lane]
            sums[part, k, i] += value


def motions_in(n_dims: int) -> Passed:
    """The first pass over some rows in n_dims dimensions; 0: in any."""

    @leaf_kernel
    def motions(
        rows: NDArray[np.int64],
        first: int,
        last: int,
        x: FloatArray,
        v: FloatArray,
        law: SystemLaw,
        room: Room,
        close: Close,
        adds: bool,
        sums: FloatArray,
    ) -> None:
        aligned_stack()
        n, padded, number = n_dims or x.shape[0], x.shape[1], x.shape[1] - LANES
        couplings, inverse, mass, pieces, spline = law.couplings, law.inverse, law.m, law.pieces, law.spline
        table, s2, u0, per_knot = spline.table, spline.s2, spline.u0, spline.per_knot
        dt, trap, most, cut2 = law.dt, law.trap, law.most, law.cut2
        kept, p_ij, w_ij, total, _, factors, lanes = room
        block, pairs, n_close = (3 + 2 * n) * LANES, close.pairs, close.size[0]
        one, zero, half = broadcast(1.0, LANES), broadcast(0.0, LANES), broadcast(0.5 * dt, LANES)
        slowest, at = HALF * (SUBSTEP_ANGLE_4 / dt) ** 2, 0
        for index in range(first, last):
            i = rows[index]
            m_i, inverse_i = broadcast(mass[i], LANES), broadcast(inverse[i], LANES)
            total[:] = 0.0
            for j in range(i + 1, number, LANES):
                pp, pw, ww = zero, zero, zero
                for k in range(n):
                    w = sub(broadcast(v[k, i], LANES), load(v, k * padded + j, LANES))
                    r = sub(broadcast(x[k, i], LANES), load(x, k * padded + j, LANES))
                    p = fma(half, w, r)
                    store(p_ij, k * LANES, p)
                    store(w_ij, k * LANES, w)
                    pp, pw, ww = fma(p, p, pp), fma(p, w, pw), fma(w, w, ww)
                weight = add(inverse_i, load(inverse, j, LANES))
                f = mul(broadcast(couplings[0, i], LANES), load(couplings, j, LANES))
                store(factors, 0, mul(f, weight))
                for c in range(1, len(couplings)):
                    f = mul(broadcast(couplings[c, i], LANES), load(couplings, c * padded + j, LANES))
                    store(factors, c * LANES, mul(f, weight))
                value, by1, by2 = piece_laws(pp, pieces, s2, u0, per_knot, factors)
                m_j = load(mass, j, LANES)
                both = add(m_i, m_j)
                spring = mul(broadcast(trap, LANES), both)
                value = sub(value, spring)
                if most > 1:  # (r + t w)^2 >= near for 0 <= t <= dt: most groups need no closer look
                    near = fnma(constant(dt, pw), larger(pw, sub(zero, pw)), pp)
                    slow = sub(mul(constant(slowest, near), add(near, constant(s2, near))), ww)
                    if not all_positive(smaller(sub(near, constant(cut2, near)), slow)) and mark_substeps(
                        i, j, x, w_ij, spring, dt, most, table, s2, u0, per_knot, factors, lanes
                    ):
                        here = load(lanes, LANES, LANES)
                        value, by1, by2 = mul(value, here), mul(by1, here), mul(by2, here)
                        for lane in range(LANES if adds else 0):
                            if lanes[1, lane] == 0.0:
                                pairs[n_close, 0] = i
                                pairs[n_close, 1] = j + lane
                                pairs[n_close, 2] = int(lanes[0, lane])
                                n_close += 1
                store(kept, at, value)
                store(kept, at + LANES, by1)
                store(kept, at + 2 * LANES, by2)
                a, b, c_, d_ = taylor_steps(dt, value, by1, by2, pp, pw, ww)
                share = div(m_j, both)
                other = sub(one, share)
                for k in range(n):
                    p, w = load(p_ij, k * LANES, LANES), load(w_ij, k * LANES, LANES)
                    d, e = fma(a, p, mul(b, w)), fma(c_, p, mul(d_, w))
                    store(kept, at + (3 + k) * LANES, d)
                    store(kept, at + (3 + n + k) * LANES, e)
                    if adds:
                        store(total, k * LANES, fma(share, d, load(total, k * LANES, LANES)))
                        store(total, (n + k) * LANES, fma(share, e, load(total, (n + k) * LANES, LANES)))
                        to = k * padded + j
                        store(sums, to, fnma(other, d, load(sums, to, LANES)))
                        to += n * padded
                        store(sums, to, fnma(other, e, load(sums, to, LANES)))
                at += block
            if adds:
                add_row(i, total, sums)
        if adds:
            close.size[0] = n_close

    return motions


_in_3, _in_any = motions_in(3), motions_in(0)


@leaf_kernel
def row_motions(
    rows: NDArray[np.int64],
    first: int,
    last: int,
    x: FloatArray,
    v: FloatArray,
    law: SystemLaw,
    room: Room,
    close: Close,
    adds: bool,
    sums: FloatArray,
) -> None:
    """Two-body motions of the rows first..last-1 into room.kept; where `adds`, also to sums and to close."""
    if x.shape[0] == 3:
        _in_3(rows, first, last, x, v, law, room, close, adds, sums)
    else:
        _in_any(rows, first, last, x, v, law, room, close, adds, sums)
