"""Rounds of fourth order for forecasts of many bodies: each row of pairs (i, j > i) eight at once.

What `cpu/fourth_order.py` computes, to round-off. The sums of a row stay in vectors, those of its senders are
changed in place; pairs that take sub-steps are put aside (`cpu/close_pairs.py`), and which they are is asked only
of those that may be near or fast enough. Between the two passes the motions of MOST_KEPT groups are kept; those of
larger systems are computed twice, so memory grows with the particles. Rows may be divided into parts that threads
share; parts are summed in order, so that results do not depend on the number of threads.
"""

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import inlined_kernel, kernel, leaf_kernel
from physics.kernels.vectors import add, aligned_stack, broadcast, constant, div, fma, fnma, load, mul, store, sub
from physics.types import FloatArray
from surrogate.models.integrator.cpu.close_pairs import (
    Close,
    close_motions,
    close_tides,
    grouped,
    new_close,
    with_room,
)
from surrogate.models.integrator.cpu.fourth_order import STIFFEST
from surrogate.models.integrator.cpu.row_motions import Passed, Room, add_row, new_room, row_motions
from surrogate.models.integrator.cpu.spline import Spline
from surrogate.models.integrator.cpu.system_law import SystemLaw, system_law
from surrogate.models.integrator.cpu.vector_spline import LANES


def tides_in(n_dims: int) -> Passed:
    """The second pass over some rows, whose motions are kept, in n_dims dimensions; 0: in any."""

    @leaf_kernel
    def tides(
        rows: NDArray[np.int64],
        first: int,
        last: int,
        x: FloatArray,
        v: FloatArray,
        law: SystemLaw,
        room: Room,
        sums: FloatArray,
        changes: FloatArray,
    ) -> None:
        aligned_stack()
        n, padded, number = n_dims or x.shape[0], x.shape[1], x.shape[1] - LANES
        mass, dt, kept, y_ij, z_ij, total = law.m, law.dt, room.kept, room.p, room.w, room.total
        block, at = (3 + 2 * n) * LANES, 0
        one, zero, half = broadcast(1.0, LANES), broadcast(0.0, LANES), broadcast(0.5 * dt, LANES)
        for index in range(first, last):
            i = rows[index]
            m_i = broadcast(mass[i], LANES)
            total[:] = 0.0
            for j in range(i + 1, number, LANES):
                value, by1 = load(kept, at, LANES), load(kept, at + LANES, LANES)
                by2 = load(kept, at + 2 * LANES, LANES)
                pz, py, pw, wy = zero, zero, zero, zero
                for k in range(n):
                    to = k * padded + j
                    w = sub(broadcast(v[k, i], LANES), load(v, to, LANES))
                    p = fma(half, w, sub(broadcast(x[k, i], LANES), load(x, to, LANES)))
                    far = sub(broadcast(sums[0, k, i], LANES), load(sums, to, LANES))
                    far = sub(far, load(kept, at + (3 + k) * LANES, LANES))
                    fast = sub(broadcast(sums[1, k, i], LANES), load(sums, n * padded + to, LANES))
                    fast = sub(fast, load(kept, at + (3 + n + k) * LANES, LANES))
                    # integrals over the round of z(t) and of z(t) (t - dt / 2)
                    z = fma(constant(0.5 * dt, far), far, mul(constant(-dt * dt / 12.0, fast), fast))
                    y = fma(constant(0.1 * dt * dt, far), far, mul(constant(-dt * dt * dt / 120.0, fast), fast))
                    store(y_ij, k * LANES, y)
                    store(z_ij, k * LANES, z)
                    pz, py, pw, wy = fma(p, z, pz), fma(p, y, py), fma(p, w, pw), fma(w, y, wy)
                stiff = mul(constant(dt * dt / STIFFEST, value), value)
                m_j = load(mass, j, LANES)
                part = div(one, mul(add(m_i, m_j), fma(stiff, stiff, one)))
                share, other = mul(m_j, part), mul(m_i, part)
                bent = fma(by1, wy, mul(by2, mul(pw, py)))
                by_pz, by_py, by_pw = mul(by1, pz), mul(by1, py), mul(by1, pw)
                for k in range(n):
                    to = k * padded + j
                    w = sub(broadcast(v[k, i], LANES), load(v, to, LANES))
                    p = fma(half, w, sub(broadcast(x[k, i], LANES), load(x, to, LANES)))
                    y, z = load(y_ij, k * LANES, LANES), load(z_ij, k * LANES, LANES)
                    tide = fma(value, z, mul(by_pz, p))
                    e = fma(by_pw, y, fma(by_py, w, fma(bent, p, tide)))
                    d = fnma(value, y, fnma(by_py, p, mul(half, tide)))
                    store(total, k * LANES, fma(share, d, load(total, k * LANES, LANES)))
                    store(total, (n + k) * LANES, fma(share, e, load(total, (n + k) * LANES, LANES)))
                    store(changes, to, fnma(other, d, load(changes, to, LANES)))
                    to += n * padded
                    store(changes, to, fnma(other, e, load(changes, to, LANES)))
                at += block
            add_row(i, total, changes)

    return tides


_in_3, _in_any = tides_in(3), tides_in(0)


@inlined_kernel
def rows_at_once(rows: NDArray[np.int64], first: int, number: int, groups: int) -> tuple[int, int]:
    """Where the rows from `first` on end whose groups find room, at least one, and their pairs."""
    last, used, pairs = first, 0, 0
    while last < len(rows):
        used += -(-(number - 1 - rows[last]) // LANES)
        if used > groups and last > first:
            break
        pairs += number - 1 - rows[last]
        last += 1
    return last, pairs


@kernel
def first_pass(
    x: FloatArray,
    v: FloatArray,
    law: SystemLaw,
    rows: NDArray[np.int64],
    room: Room,
    close: Close,
    sums: FloatArray,
) -> tuple[Close, int]:
    """Two-body motions of the pairs of some rows, added to sums (2, n, P); x, v (n, P), P as in SystemLaw.

    Returns
    -------
    close : Close
        The pairs that take sub-steps, with their motions; perhaps in larger arrays.
    evaluations : int
        Of the law.
    """
    number, first, evaluations = x.shape[1] - LANES, 0, 0
    close.size[:] = 0
    while first < len(rows):
        last, pairs = rows_at_once(rows, first, number, len(room.kept))
        close = with_room(close, pairs)
        row_motions(rows, first, last, x, v, law, room, close, True, sums)
        evaluations += pairs
        first = last
    if close.size[0] > 0:
        close = grouped(close, law.most)
        close_motions(x, v, law, close, room.start, room.total, room.factors, room.lanes, sums)
        for pair in range(close.size[0]):
            evaluations += close.pairs[pair, 2] - 1
    return close, evaluations


@kernel
def second_pass(
    x: FloatArray,
    v: FloatArray,
    law: SystemLaw,
    rows: NDArray[np.int64],
    room: Room,
    close: Close,
    sums: FloatArray,
    changes: FloatArray,
) -> None:
    """What the others, by the sums over all pairs, change in the pairs of some rows: to changes (2, n, P)."""
    number, first = x.shape[1] - LANES, 0
    while first < len(rows):
        last, _ = rows_at_once(rows, first, number, len(room.kept))
        if first > 0 or last < len(rows):  # else what the first pass kept is still there
            row_motions(rows, first, last, x, v, law, room, close, False, sums)
        if x.shape[0] == 3:
            _in_3(rows, first, last, x, v, law, room, sums, changes)
        else:
            _in_any(rows, first, last, x, v, law, room, sums, changes)
        first = last
    if close.size[0] > 0:
        close_tides(law, close, room.start, room.total, sums, changes)


@kernel
def columns_of(values: FloatArray) -> FloatArray:
    """Positions or velocities (N, n) as (n, P): zero past the particles."""
    made = np.zeros((values.shape[1], values.shape[0] + LANES))
    made[:, : values.shape[0]] = values.T
    return made


@kernel
def rounds_room(
    spline: Spline, couplings: FloatArray, m: FloatArray, n: int, trap: float, dt: float, most: int
) -> tuple[SystemLaw, Room, Close]:
    """What the rounds of one system need; trap over its mass."""
    law = system_law(spline, couplings, m, trap, dt, most)
    return law, new_room(len(m), n, len(law.couplings)), new_close(n, len(m), len(m), len(m))


@kernel
def row_sums(
    x: FloatArray,
    v: FloatArray,
    law: SystemLaw,
    rows: NDArray[np.int64],
    room: Room,
    close: Close,
    sums: FloatArray,
) -> tuple[Close, int]:
    """What all pairs move one system (N, n) beyond free flight, into sums (2, N, n); evaluations of the law."""
    x, v = columns_of(x), columns_of(v)
    found = np.zeros((2, 2, *x.shape))
    close, evaluations = first_pass(x, v, law, rows, room, close, found[0])
    second_pass(x, v, law, rows, room, close, found[0], found[1])
    for part in range(2):
        sums[part] = (found[0, part] + found[1, part])[:, : len(rows)].T
    return close, evaluations
