"""The rounds of `cpu/rounds.py` for one large system, whose rows threads share.

The same numbers to round-off: rows of pairs are summed in PARTS parts, whose sums are added up in order, so that a
result does not depend on the number of threads. Memory grows with the particles, not with their pairs. Forecasts
only: nothing is kept for gradients.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from physics.kernels.jit import inlined_kernel, kernel
from physics.types import FloatArray
from surrogate.models.integrator.cpu.close_pairs import Close
from surrogate.models.integrator.cpu.one_body import OneBodyArrays, first_half, second_half
from surrogate.models.integrator.cpu.pair_rows import columns_of, first_pass, rounds_room, second_pass
from surrogate.models.integrator.cpu.rounds import SUBSTEP_ANGLE
from surrogate.models.integrator.cpu.row_motions import Room
from surrogate.models.integrator.cpu.spline import Spline
from surrogate.models.integrator.cpu.substeps import closest_approach, substeps_for
from surrogate.models.integrator.cpu.system_law import SystemLaw
from surrogate.nn.cpu.threads import for_each

LARGE = 256
"""Particles from which on a system is worth it."""
PARTS = 8
"""Each is a call from Python, and a copy of the sums."""


@inlined_kernel
def law_at(r2: float, table: FloatArray, s2: float, u0: float, per_knot: float, factors: FloatArray) -> float:
    """L at a squared distance: see :func:`surrogate.models.integrator.cpu.rounds.pair_law`."""
    last = table.shape[1] - 4
    place = min(max((0.5 * math.log(r2 + s2) - u0) * per_knot, 0.0), last + 0.999999)
    first = int(place)
    t = place - first
    s = 1.0 - t
    a0 = s * s * s / 6.0
    a1 = (4.0 - 6.0 * t * t + 3.0 * t * t * t) / 6.0
    a2 = (4.0 - 6.0 * s * s + 3.0 * s * s * s) / 6.0
    a3 = t * t * t / 6.0
    value = 0.0
    for c in range(table.shape[0]):
        row = a0 * table[c, first] + a1 * table[c, first + 1] + a2 * table[c, first + 2] + a3 * table[c, first + 3]
        value += factors[c] * row
    return value


@kernel
def row_motions(
    x: FloatArray,
    v: FloatArray,
    couplings: FloatArray,
    m: FloatArray,
    dt: float,
    table: FloatArray,
    s2: float,
    u0: float,
    per_knot: float,
    most: int,
    rows: NDArray[np.int64],
    dx: FloatArray,
    dv: FloatArray,
) -> int:
    """Sums of what pairs (i, j > i) of some rows i move beyond free flight, into dx, dv (N, n).

    Returns the evaluations of the law.
    """
    number, n = x.shape
    factors = np.empty(couplings.shape[0])
    r, w, d, e, p = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    dx[:] = 0.0
    dv[:] = 0.0
    evaluations = 0
    for i in rows:
        inverse_i = 1.0 / m[i]
        for j in range(i + 1, number):
            inverse = inverse_i + 1.0 / m[j]
            share = m[j] / (m[i] + m[j])
            for c in range(factors.shape[0]):
                factors[c] = couplings[c, i] * couplings[c, j] * inverse
            for k in range(n):
                r[k] = x[i, k] - x[j, k]
                w[k] = v[i, k] - v[j, k]
            r2, ww = closest_approach(r, w, dt)
            law = law_at(r2, table, s2, u0, per_knot, factors)
            count = substeps_for(dt * math.sqrt(abs(law) + ww / (r2 + s2)), SUBSTEP_ANGLE, most)
            h = dt / count
            for k in range(n):
                d[k] = 0.0
                e[k] = 0.0
            for step in range(count):
                t = (step + 0.5) * h
                r2 = 0.0
                for k in range(n):
                    d[k] += 0.5 * h * e[k]
                    p[k] = r[k] + t * w[k] + d[k]
                    r2 += p[k] * p[k]
                law = h * law_at(r2, table, s2, u0, per_knot, factors)
                for k in range(n):
                    e[k] += law * p[k]
                    d[k] += 0.5 * h * e[k]
            evaluations += count
            for k in range(n):
                dx[i, k] += share * d[k]
                dv[i, k] += share * e[k]
                dx[j, k] -= (1.0 - share) * d[k]
                dv[j, k] -= (1.0 - share) * e[k]
    return evaluations


def rounds_of_large_systems(
    x: FloatArray,
    v: FloatArray,
    couplings: FloatArray,
    m: FloatArray,
    one: OneBodyArrays,
    spline: Spline,
    dt: float,
    n_rounds: int,
    most: int,
    trap: FloatArray,
    order: int,
) -> int:
    """As :func:`surrogate.models.integrator.cpu.rounds.rounds_forward`, one system after the other."""
    n_systems, number, n = x.shape
    rows, evaluations = row_parts(number), 0
    spline = spline._replace(table=np.ascontiguousarray(spline.table))
    for b in range(n_systems):
        c, springs = np.ascontiguousarray(couplings[:, b]), float(trap[b] / m[b].sum())
        facts = (spline, c, m[b], n, springs, dt, most)
        kept = [rounds_room(*facts) for _ in rows] if order == 4 else []
        for _ in range(n_rounds):
            first_half(x[b], v[b], m[b], one, b, dt)
            if order == 4:
                sums, count = _row_sums_in_parts(x[b], v[b], rows, kept)
            else:
                sums, count = _sums_in_parts(x[b], v[b], c, m[b], dt, spline, most, rows)
            evaluations += count
            x[b] += dt * v[b] + sums[0]
            v[b] += sums[1]
            second_half(x[b], v[b], m[b], one, b, dt)
    return evaluations


Rows = list[NDArray[np.int64]]
Kept = tuple[SystemLaw, Room, Close]


def _sums_in_parts(
    x: FloatArray,
    v: FloatArray,
    couplings: FloatArray,
    m: FloatArray,
    dt: float,
    spline: Spline,
    most: int,
    rows: Rows,
) -> tuple[FloatArray, int]:
    """What all pairs of a system move beyond free flight, (2, N, n), and evaluations of the law."""
    sums, counts = np.empty((len(rows), 2, *x.shape)), [0] * len(rows)

    def work(part: int) -> None:
        counts[part] = row_motions(x, v, couplings, m, dt, *spline, most, rows[part], *sums[part])

    for_each(work, len(rows), torch.get_num_threads())
    return sums.sum(axis=0), sum(counts)


def _row_sums_in_parts(x: FloatArray, v: FloatArray, rows: Rows, kept: list[Kept]) -> tuple[FloatArray, int]:
    """As `_sums_in_parts`, of fourth order; the buffers of each part may be replaced by larger ones."""
    columns = columns_of(x), columns_of(v)
    sums, counts = np.zeros((2, len(rows), 2, *columns[0].shape)), [0] * len(rows)

    def first(part: int) -> None:
        law, room, close = kept[part]
        close, counts[part] = first_pass(*columns, law, rows[part], room, close, sums[0, part])
        kept[part] = (law, room, close)

    for_each(first, len(rows), torch.get_num_threads())
    total = sums[0].sum(axis=0)

    def second(part: int) -> None:
        law, room, close = kept[part]
        second_pass(*columns, law, rows[part], room, close, total, sums[1, part])

    for_each(second, len(rows), torch.get_num_threads())
    return (total + sums[1].sum(axis=0))[:, :, : len(x)].transpose(0, 2, 1), sum(counts)


def row_parts(number: int) -> list[NDArray[np.int64]]:
    """The rows of all pairs in PARTS parts of about as many pairs each: long and short rows in each."""
    return [np.arange(part, number, PARTS) for part in range(PARTS)]
