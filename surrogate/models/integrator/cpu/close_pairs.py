"""Pairs that take sub-steps, eight of the same number at once: their motions and what the others change."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel, leaf_kernel
from physics.kernels.vectors import add, broadcast, constant, div, fma, fnma, load, mul, store, sub
from physics.types import FloatArray
from surrogate.models.integrator.cpu.fourth_order import STIFFEST, moments
from surrogate.models.integrator.cpu.system_law import SystemLaw, piece_laws, taylor_steps
from surrogate.models.integrator.cpu.vector_spline import LANES


class Close(NamedTuple):
    """Some pairs of a system and their motions in a round.

    Attributes
    ----------
    size : (2,) int64
        Pairs, groups of them.
    pairs : (capacity, 3) int64
        i, j and the number of sub-steps, a power of two.
    lanes : (groups, LANES) int64
        The pairs of each group; -1 is none.
    counts : (groups,) int64
        The sub-steps of each group.
    motions : (groups, 2 n, LANES) float64
        d and e: displacement and velocity beyond free flight.
    path : (sub-steps, 2 n + 3, LANES) float64
        p, w, L, L', L'' of each sub-step: see `fourth_order.Motions`.
    """

    size: NDArray[np.int64]
    pairs: NDArray[np.int64]
    lanes: NDArray[np.int64]
    counts: NDArray[np.int64]
    motions: FloatArray
    path: FloatArray


@kernel
def new_close(n: int, pairs: int, groups: int, substeps: int) -> Close:
    """Room for so many."""
    return Close(
        np.zeros(2, dtype=np.int64),
        np.empty((pairs, 3), dtype=np.int64),
        np.empty((groups, LANES), dtype=np.int64),
        np.empty(groups, dtype=np.int64),
        np.empty((groups, 2 * n, LANES)),
        np.empty((substeps, 2 * n + 3, LANES)),
    )


@kernel
def with_room(close: Close, more: int) -> Close:
    """The same with room for so many pairs more."""
    size = close.size[0]
    pairs = close.pairs
    if size + more > len(pairs):
        pairs = np.empty((2 * (size + more), 3), dtype=np.int64)
        pairs[:size] = close.pairs[:size]
    return Close(close.size, pairs, close.lanes, close.counts, close.motions, close.path)


@kernel
def grouped(close: Close, most: int) -> Close:
    """Put pairs of the same number of sub-steps, up to `most`, into groups, with room for their motions."""
    size, lanes, counts, path = close.size[0], close.lanes, close.counts, close.path
    groups, substeps, count = 0, 0, 2
    while count <= most:
        same = -(-(close.pairs[:size, 2] == count).sum() // LANES)
        groups += same
        substeps += same * count
        count *= 2
    motions = close.motions
    if groups > len(counts) or substeps > len(path):
        wide = new_close(motions.shape[1] // 2, 0, 2 * groups, 2 * substeps)
        lanes, counts, motions, path = wide.lanes, wide.counts, wide.motions, wide.path
    group, count = 0, 2
    while count <= most:
        lane = 0
        for pair in range(size):
            if close.pairs[pair, 2] == count:
                if lane == 0:
                    lanes[group] = -1
                    counts[group] = count
                lanes[group, lane] = pair
                lane += 1
                if lane == LANES:
                    lane = 0
                    group += 1
        group += 1 if lane > 0 else 0
        count *= 2
    close.size[1] = group
    return Close(close.size, close.pairs, lanes, counts, motions, path)


@leaf_kernel
def close_motions(
    x: FloatArray,
    v: FloatArray,
    law: SystemLaw,
    close: Close,
    start: FloatArray,
    beyond: FloatArray,
    factors: FloatArray,
    lanes: FloatArray,
    sums: FloatArray,
) -> None:
    """Motions of all groups, kept, and added to sums (2, n, P); x, v (n, P), others as in `row_motions.Room`."""
    n, used, dt, pieces = x.shape[0], 0, law.dt, law.pieces
    block = (2 * n + 3) * LANES
    s2, u0, per_knot = law.spline.s2, law.spline.u0, law.spline.per_knot
    couplings, inverse, mass, trap = law.couplings, law.inverse, law.m, law.trap
    pairs, members, counts, motions, path = close.pairs, close.lanes, close.counts, close.motions, close.path
    start[:] = 0.0
    for group in range(close.size[1]):
        count = counts[group]
        h = dt / count
        for lane in range(LANES):
            pair = members[group, lane]
            if pair < 0:
                factors[:, lane] = 0.0
                lanes[0, lane] = 0.0
                continue
            i, j = pairs[pair, 0], pairs[pair, 1]
            for c in range(len(couplings)):
                factors[c, lane] = couplings[c, i] * couplings[c, j] * (inverse[i] + inverse[j])
            lanes[0, lane] = trap * (mass[i] + mass[j])
            for k in range(n):
                start[k, lane] = x[k, i] - x[k, j]
                start[n + k, lane] = v[k, i] - v[k, j]
        beyond[:] = 0.0
        for step in range(count):
            at = (used + step) * block
            middle, half = broadcast((step + 0.5) * h, LANES), broadcast(0.5 * h, LANES)
            zero = broadcast(0.0, LANES)
            pp, pw, ww = zero, zero, zero
            for k in range(n):
                w, u = load(start, (n + k) * LANES, LANES), load(beyond, (n + k) * LANES, LANES)
                p = add(load(start, k * LANES, LANES), load(beyond, k * LANES, LANES))
                p, w = fma(middle, w, fma(half, u, p)), add(w, u)
                store(path, at + k * LANES, p)
                store(path, at + (n + k) * LANES, w)
                pp, pw, ww = fma(p, p, pp), fma(p, w, pw), fma(w, w, ww)
            value, by1, by2 = piece_laws(pp, pieces, s2, u0, per_knot, factors)
            value = sub(value, load(lanes, 0, LANES))
            store(path, at + 2 * n * LANES, value)
            store(path, at + (2 * n + 1) * LANES, by1)
            store(path, at + (2 * n + 2) * LANES, by2)
            a, b, c_, d_ = taylor_steps(h, value, by1, by2, pp, pw, ww)
            for k in range(n):
                p, w = load(path, at + k * LANES, LANES), load(path, at + (n + k) * LANES, LANES)
                u = load(beyond, (n + k) * LANES, LANES)
                q = fma(constant(h, u), u, load(beyond, k * LANES, LANES))
                store(beyond, k * LANES, fma(a, p, fma(b, w, q)))
                store(beyond, (n + k) * LANES, fma(c_, p, fma(d_, w, u)))
        used += count
        for k in range(2 * n):
            store(motions, (group * 2 * n + k) * LANES, load(beyond, k * LANES, LANES))
        add_to_particles(pairs, members, group, beyond, mass, sums)


@leaf_kernel
def add_to_particles(
    pairs: NDArray[np.int64],
    members: NDArray[np.int64],
    group: int,
    values: FloatArray,
    mass: FloatArray,
    sums: FloatArray,
) -> None:
    """Add what pairs of a group move, (2 n, LANES), to the sums (2, n, P) of their particles."""
    n = sums.shape[1]
    for lane in range(LANES):
        pair = members[group, lane]
        if pair >= 0:
            i, j = pairs[pair, 0], pairs[pair, 1]
            share = mass[j] / (mass[i] + mass[j])
            for part in range(2):
                for k in range(n):
                    sums[part, k, i] += share * values[part * n + k, lane]
                    sums[part, k, j] -= (1.0 - share) * values[part * n + k, lane]


@leaf_kernel
def close_tides(
    law: SystemLaw, close: Close, others: FloatArray, found: FloatArray, sums: FloatArray, changes: FloatArray
) -> None:
    """What the others change in all groups, by the sums (2, n, P) over all pairs: added to changes (2, n, P).

    others, found (2 n, LANES) are worked in.
    """
    n, used, dt, mass = sums.shape[1], 0, law.dt, law.m
    block = (2 * n + 3) * LANES
    pairs, members, counts, motions, path = close.pairs, close.lanes, close.counts, close.motions, close.path
    others[:] = 0.0
    for group in range(close.size[1]):
        count = counts[group]
        h = dt / count
        for lane in range(LANES):
            pair = members[group, lane]
            if pair >= 0:
                i, j = pairs[pair, 0], pairs[pair, 1]
                for k in range(n):
                    far = sums[0, k, i] - sums[0, k, j] - motions[group, k, lane]
                    fast = dt * (sums[1, k, i] - sums[1, k, j] - motions[group, n + k, lane])
                    others[k, lane] = 3.0 * far - fast
                    others[n + k, lane] = fast - 2.0 * far
        found[:] = 0.0
        zero, one = broadcast(0.0, LANES), broadcast(1.0, LANES)
        stiff = zero
        for step in range(count):
            at = (used + step) * block
            i2, i3, m2, m3 = moments(step * h, h, dt)
            value = load(path, at + 2 * n * LANES, LANES)
            by1, by2 = load(path, at + (2 * n + 1) * LANES, LANES), load(path, at + (2 * n + 2) * LANES, LANES)
            stiff = fma(constant(dt * h / STIFFEST, value), value, stiff)
            pz, py, pw, wy = zero, zero, zero, zero
            for k in range(n):
                p, w = load(path, at + k * LANES, LANES), load(path, at + (n + k) * LANES, LANES)
                z2, z3 = load(others, k * LANES, LANES), load(others, (n + k) * LANES, LANES)
                y = fma(constant(m2, z2), z2, mul(constant(m3, z3), z3))
                pz = fma(p, fma(constant(i2, z2), z2, mul(constant(i3, z3), z3)), pz)
                py, pw, wy = fma(p, y, py), fma(p, w, pw), fma(w, y, wy)
            left = broadcast(dt - (step + 0.5) * h, LANES)
            bent = fma(by1, wy, mul(by2, mul(pw, py)))
            by_pz, by_py, by_pw = mul(by1, pz), mul(by1, py), mul(by1, pw)
            for k in range(n):
                p, w = load(path, at + k * LANES, LANES), load(path, at + (n + k) * LANES, LANES)
                z2, z3 = load(others, k * LANES, LANES), load(others, (n + k) * LANES, LANES)
                y = fma(constant(m2, z2), z2, mul(constant(m3, z3), z3))
                tide = fma(value, fma(constant(i2, z2), z2, mul(constant(i3, z3), z3)), mul(by_pz, p))
                e = fma(by_pw, y, fma(by_py, w, fma(bent, p, tide)))
                d = fnma(value, y, fnma(by_py, p, mul(left, tide)))
                store(found, k * LANES, add(load(found, k * LANES, LANES), d))
                store(found, (n + k) * LANES, add(load(found, (n + k) * LANES, LANES), e))
        used += count
        part = div(one, fma(stiff, stiff, one))
        for k in range(2 * n):
            store(found, k * LANES, mul(part, load(found, k * LANES, LANES)))
        add_to_particles(pairs, members, group, found, mass, changes)
