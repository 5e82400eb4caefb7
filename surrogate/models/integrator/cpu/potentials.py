"""The energy of the learned law of many bodies, eight pairs at once; memory grows with the particles."""

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from physics.kernels.vectors import broadcast, constant, fma, larger, load, mul, smaller, store, sub
from physics.types import FloatArray
from surrogate.models.integrator.cpu.large_systems import LARGE, row_parts
from surrogate.models.integrator.cpu.pair_rows import columns_of
from surrogate.models.integrator.cpu.vector_spline import LANES, four_of_row, place_of, whole
from surrogate.nn.cpu.threads import for_each


@kernel
def row_potentials(
    x: FloatArray,
    couplings: FloatArray,
    pieces: FloatArray,
    s2: float,
    u0: float,
    step: float,
    rows: NDArray[np.int64],
) -> float:
    """Energy of the pairs (i, j > i) of some rows i.

    Parameters
    ----------
    x : (n, P) float64
        As `columns_of` makes it.
    couplings : (C, N) float64
    pieces : (C, n_nodes, 4) float64
        Polynomials between nodes of distance `step` in u.
    """
    n, padded, size = x.shape[0], x.shape[1], pieces.shape[1]
    number, per_step = padded - LANES, 1.0 / step
    k_ij, lanes = np.zeros((len(couplings), padded)), np.empty(LANES)
    k_ij[:, :number] = couplings
    total = broadcast(0.0, LANES)
    for i in rows:
        for j in range(i + 1, number, LANES):
            r2 = broadcast(0.0, LANES)
            for k in range(n):
                r = sub(broadcast(x[k, i], LANES), load(x, k * padded + j, LANES))
                r2 = fma(r, r, r2)
            place = place_of(r2, s2, u0, per_step)
            node = whole(smaller(place, constant(size - 1.0, place)))
            node = larger(constant(0.0, node), node)  # a place that is no number has the first one
            t, at = sub(place, node), mul(node, constant(4.0, node))
            for c in range(len(couplings)):
                a0, a1, a2, a3 = four_of_row(pieces, c * size * 4, at)
                factors = mul(broadcast(couplings[c, i], LANES), load(k_ij, c * padded + j, LANES))
                total = fma(factors, fma(t, fma(t, fma(t, a3, a2), a1), a0), total)
    store(lanes, 0, total)
    energy = 0.0
    for lane in range(LANES):
        energy += lanes[lane]
    return energy


@kernel
def system_potentials(
    x: FloatArray, couplings: FloatArray, pieces: FloatArray, s2: float, u0: float, step: float
) -> FloatArray:
    """Energies (B,) of systems x (B, N, n) with couplings (C, B, N), one after the other."""
    found, rows = np.empty(len(x)), np.arange(x.shape[1])
    for b in range(len(x)):
        found[b] = row_potentials(columns_of(x[b]), couplings[:, b].copy(), pieces, s2, u0, step, rows)
    return found


def potentials_of_many_bodies(
    x: FloatArray, couplings: FloatArray, values: FloatArray, slopes: FloatArray, s2: float, u0: float, step: float
) -> FloatArray:
    """Energies of pairs of each system, (B,); threads share systems, or the rows of large ones.

    Parameters
    ----------
    x : (B, N, n) float64
    couplings : (C, B, N) float64
    values, slopes : (C, n_nodes + 1) float64
        Of the potential at its nodes, slopes per node: cubic Hermite between them.
    """
    change, start, end = np.diff(values), slopes[:, :-1], slopes[:, 1:]
    pieces = np.stack([values[:, :-1], start, 3.0 * change - 2.0 * start - end, start + end - 2.0 * change], -1)
    facts, threads, found = (pieces, s2, u0, step), torch.get_num_threads(), np.empty(len(x))
    if x.shape[1] >= LARGE:
        rows = row_parts(x.shape[1])
        for b in range(len(x)):
            columns, own, parts = columns_of(x[b]), np.ascontiguousarray(couplings[:, b]), np.empty(len(rows))

            def work(part: int, columns: FloatArray, own: FloatArray, parts: FloatArray) -> None:
                parts[part] = row_potentials(columns, own, *facts, rows[part])

            for_each(partial(work, columns=columns, own=own, parts=parts), len(rows), threads)
            found[b] = parts.sum()
        return found
    bounds = np.linspace(0, len(x), min(threads, len(x)) + 1).round().astype(int)

    def some(index: int) -> None:
        here = slice(bounds[index], bounds[index + 1])
        found[here] = system_potentials(x[here], couplings[:, here].copy(), pieces.copy(), *facts[1:])

    for_each(some, len(bounds) - 1, threads)
    return found
