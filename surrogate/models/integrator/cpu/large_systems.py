"""The rounds of `cpu/rounds.py` and the energy of the learned law for one large system, whose rows threads share.

The same numbers to round-off: rows of pairs are summed in PARTS parts, whose sums are added up in order, so that a
result does not depend on the number of threads. Memory grows with the particles, not with their pairs. Forecasts
only: nothing is kept for gradients.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from physics.kernels.jit import inlined_kernel, kernel
from physics.types import FloatArray
from surrogate.models.integrator.cpu.fourth_order import Motions, new_motions
from surrogate.models.integrator.cpu.one_body import OneBodyArrays, first_half, second_half
from surrogate.models.integrator.cpu.pair_chunks import Chunk, new_chunk
from surrogate.models.integrator.cpu.rounds import SUBSTEP_ANGLE
from surrogate.models.integrator.cpu.spline import Spline
from surrogate.models.integrator.cpu.substeps import closest_approach, substeps_for
from surrogate.models.integrator.cpu.wide_pairs import first_pass, second_pass
from surrogate.nn.cpu.threads import for_each

LARGE = 256
"""Particles from which on a system is worth it."""
PARTS = 32


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


@kernel
def row_potentials(
    x: FloatArray,
    couplings: FloatArray,
    values: FloatArray,
    slopes: FloatArray,
    s2: float,
    u0: float,
    step: float,
    rows: NDArray[np.int64],
) -> float:
    """Energy of the pairs (i, j > i) of some rows i: cubic Hermite between the nodes of the law's potential."""
    number, n = x.shape
    n_nodes = values.shape[1] - 1
    total = 0.0
    for i in rows:
        for j in range(i + 1, number):
            r2 = 0.0
            for k in range(n):
                r2 += (x[i, k] - x[j, k]) ** 2
            place = (0.5 * math.log(r2 + s2) - u0) / step
            node = int(min(max(place, 0.0), n_nodes - 1.0))
            t = place - node
            s = 1.0 - t
            for c in range(couplings.shape[0]):
                hermite = values[c, node] * (1.0 + 2.0 * t) * s * s + values[c, node + 1] * (1.0 + 2.0 * s) * t * t
                hermite += (slopes[c, node] * s - slopes[c, node + 1] * t) * s * t
                total += couplings[c, i] * couplings[c, j] * hermite
    return total


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
    kept = [(new_chunk(n, len(couplings)), new_motions(number, n, 2 * number)) for _ in rows] if order == 4 else []
    for b in range(n_systems):
        c = np.ascontiguousarray(couplings[:, b])
        for _ in range(n_rounds):
            first_half(x[b], v[b], m[b], one, b, dt)
            if order == 4:
                springs = float(trap[b] / m[b].sum())
                sums, count = _wide_sums_in_parts((x[b], v[b], c, m[b], springs, dt, spline, most), rows, kept)
            else:
                sums, count = _sums_in_parts(x[b], v[b], c, m[b], dt, spline, most, rows)
            evaluations += count
            x[b] += dt * v[b] + sums[0]
            v[b] += sums[1]
            second_half(x[b], v[b], m[b], one, b, dt)
    return evaluations


Rows = list[NDArray[np.int64]]
System = tuple[FloatArray, FloatArray, FloatArray, FloatArray, float, float, Spline, int]


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


def _wide_sums_in_parts(system: System, rows: Rows, kept: list[tuple[Chunk, Motions]]) -> tuple[FloatArray, int]:
    """As `_sums_in_parts`, of fourth order; the buffers of each part may be replaced by larger ones."""
    x, v, couplings, m, springs, dt, spline, most = system
    columns: System = (
        np.ascontiguousarray(x.T),
        np.ascontiguousarray(v.T),
        couplings,
        m,
        springs,
        dt,
        spline,
        most,
    )
    sums, counts = np.zeros((2, len(rows), 2, *columns[0].shape)), [0] * len(rows)

    def first(part: int) -> None:
        chunk, close = kept[part]
        close, counts[part] = first_pass(*columns, rows[part], chunk, close, sums[0, part])
        kept[part] = (chunk, close)

    for_each(first, len(rows), torch.get_num_threads())
    total = sums[0].sum(axis=0)

    def second(part: int) -> None:
        second_pass(*columns, rows[part], *kept[part], total, sums[1, part])

    for_each(second, len(rows), torch.get_num_threads())
    return (total + sums[1].sum(axis=0)).transpose(0, 2, 1), sum(counts)


def potentials_of_large_systems(
    x: FloatArray, couplings: FloatArray, values: FloatArray, slopes: FloatArray, s2: float, u0: float, step: float
) -> FloatArray:
    """Energies of pairs of each system, (B,).

    Parameters
    ----------
    x : (B, N, n) float64
    couplings : (C, B, N) float64
    values, slopes : (C, n_nodes + 1) float64
        Of the potential at its nodes, slopes per node.
    """
    rows, found = row_parts(x.shape[1]), np.empty(len(x))
    for b in range(len(x)):
        sums, c = np.empty(len(rows)), np.ascontiguousarray(couplings[:, b])
        work: Callable[[int], None] = _potential_of(x[b], c, values, slopes, (s2, u0, step), rows, sums)
        for_each(work, len(rows), torch.get_num_threads())
        found[b] = sums.sum()
    return found


def _potential_of(
    x: FloatArray,
    couplings: FloatArray,
    values: FloatArray,
    slopes: FloatArray,
    grid: tuple[float, float, float],
    rows: list[NDArray[np.int64]],
    sums: FloatArray,
) -> Callable[[int], None]:
    def work(part: int) -> None:
        sums[part] = row_potentials(x, couplings, values, slopes, *grid, rows[part])

    return work


def row_parts(number: int) -> list[NDArray[np.int64]]:
    """The rows of all pairs in PARTS parts of about as many pairs each: long and short rows in each."""
    return [np.arange(part, number, PARTS) for part in range(PARTS)]
