"""Rounds of fourth order for forecasts of few bodies: all pairs that need no sub-steps eight at once.

What `cpu/fourth_order.py` computes, to round-off. The others take theirs one by one.
"""

import math

from physics.kernels.jit import leaf_kernel
from physics.kernels.vectors import add, constant, div, fma, fnma, larger, load, mul, smaller, store, sub
from physics.types import FloatArray
from surrogate.models.integrator.cpu.fourth_order import (
    STIFFEST,
    SUBSTEP_ANGLE_4,
    Motions,
    moved_pair,
    tide_of_pair,
)
from surrogate.models.integrator.cpu.pair_chunks import PAIRS, Chunk, fill, pulled, scatter
from surrogate.models.integrator.cpu.spline import Spline
from surrogate.models.integrator.cpu.substeps import substeps_for
from surrogate.models.integrator.cpu.vector_spline import LANES, laws, rough_laws

TINY = 1e-300


@leaf_kernel
def phases(chunk: Chunk, size: int, dt: float, spline: Spline) -> None:
    """The phase of each pair over dt at the closest approach of its straight path, squared."""
    n = chunk.r.shape[0]
    for at in range(0, size, LANES):
        r = load(chunk.r, at, LANES)
        zero = constant(0.0, r)
        ww, rw = zero, zero
        for k in range(n):
            r, w = load(chunk.r, k * PAIRS + at, LANES), load(chunk.w, k * PAIRS + at, LANES)
            ww, rw = fma(w, w, ww), fma(r, w, rw)
        t = div(sub(zero, rw), larger(ww, constant(TINY, ww)))
        t = smaller(larger(t, zero), constant(dt, t))
        near = zero
        for k in range(n):
            p = fma(t, load(chunk.w, k * PAIRS + at, LANES), load(chunk.r, k * PAIRS + at, LANES))
            near = fma(p, p, near)
        s2, u0, per_knot = spline.s2, spline.u0, spline.per_knot
        law = rough_laws(near, spline.table, s2, u0, per_knot, chunk.factors, at)
        law = sub(law, load(chunk.facts, PAIRS + at, LANES))
        rate2 = add(larger(law, sub(zero, law)), div(ww, add(near, constant(s2, near))))
        store(chunk.facts, 2 * PAIRS + at, mul(rate2, constant(dt * dt, rate2)))


@leaf_kernel
def moved(chunk: Chunk, size: int, dt: float, spline: Spline) -> None:
    """Put d and e of all pairs in one Taylor step; L, L', L'' into facts."""
    n = chunk.r.shape[0]
    s2, u0, per_knot = spline.s2, spline.u0, spline.per_knot
    h, h2, h3, h4 = dt, dt * dt, dt * dt * dt, dt * dt * dt * dt
    for at in range(0, size, LANES):
        r = load(chunk.r, at, LANES)
        zero, half = constant(0.0, r), constant(0.5 * dt, r)
        pp, pw, ww = zero, zero, zero
        for k in range(n):
            w = load(chunk.w, k * PAIRS + at, LANES)
            p = fma(half, w, load(chunk.r, k * PAIRS + at, LANES))
            pp, pw, ww = fma(p, p, pp), fma(p, w, pw), fma(w, w, ww)
        law, by1, by2 = laws(pp, spline.table, s2, u0, per_knot, chunk.factors, at)
        law = sub(law, load(chunk.facts, PAIRS + at, LANES))
        store(chunk.facts, 3 * PAIRS + at, law)
        store(chunk.facts, 4 * PAIRS + at, by1)
        store(chunk.facts, 5 * PAIRS + at, by2)
        bent = mul(law, fma(by1, pp, law))
        turned = fma(by1, ww, mul(by2, mul(pw, pw)))
        speed, curl = mul(by1, pw), mul(mul(pp, pw), fma(law, by2, mul(by1, sub(zero, by1))))
        a = fma(constant(0.5 * h2, law), law, mul(constant(-h3 / 12.0, law), speed))
        a = fma(constant(h4 / 24.0, a), bent, fma(constant(h4 / 48.0, a), turned, a))
        b = fma(constant(h4 / 24.0, a), speed, mul(constant(-h3 / 12.0, a), law))
        c = fma(constant(h, a), law, mul(constant(h3 / 6.0, a), bent))
        c = fma(constant(h3 / 24.0, a), turned, fma(constant(h4 / 24.0, a), curl, c))
        late = mul(law, fma(by1, pp, sub(zero, law)))
        d = fma(constant(h3 / 12.0, a), speed, mul(constant(h4 / 24.0, a), late))
        for k in range(n):
            w = load(chunk.w, k * PAIRS + at, LANES)
            p = fma(half, w, load(chunk.r, k * PAIRS + at, LANES))
            store(chunk.d, k * PAIRS + at, fma(a, p, mul(b, w)))
            store(chunk.e, k * PAIRS + at, fma(c, p, mul(d, w)))


@leaf_kernel
def tides(chunk: Chunk, size: int, dt: float) -> None:
    """What the others change in pairs of one Taylor step, into d and e."""
    n = chunk.r.shape[0]
    for at in range(0, size, LANES):
        r = load(chunk.r, at, LANES)
        zero, one, half = constant(0.0, r), constant(1.0, r), constant(0.5 * dt, r)
        law = load(chunk.facts, 3 * PAIRS + at, LANES)
        by1, by2 = load(chunk.facts, 4 * PAIRS + at, LANES), load(chunk.facts, 5 * PAIRS + at, LANES)
        pz, py, pw, wy = zero, zero, zero, zero
        for k in range(n):
            w = load(chunk.w, k * PAIRS + at, LANES)
            p = fma(half, w, load(chunk.r, k * PAIRS + at, LANES))
            z2, z3 = load(chunk.z2, k * PAIRS + at, LANES), load(chunk.z3, k * PAIRS + at, LANES)
            y = fma(constant(dt * dt / 12.0, z2), z2, mul(constant(dt * dt * 0.075, z2), z3))
            z = fma(constant(dt / 3.0, z2), z2, mul(constant(dt * 0.25, z2), z3))
            pz, py, pw, wy = fma(p, z, pz), fma(p, y, py), fma(p, w, pw), fma(w, y, wy)
        stiff = mul(constant(dt * dt / STIFFEST, law), law)
        part = div(one, fma(stiff, stiff, one))
        bent = fma(by1, wy, mul(by2, mul(pw, py)))
        for k in range(n):
            w = load(chunk.w, k * PAIRS + at, LANES)
            p = fma(half, w, load(chunk.r, k * PAIRS + at, LANES))
            z2, z3 = load(chunk.z2, k * PAIRS + at, LANES), load(chunk.z3, k * PAIRS + at, LANES)
            y = fma(constant(dt * dt / 12.0, z2), z2, mul(constant(dt * dt * 0.075, z2), z3))
            z = fma(constant(dt / 3.0, z2), z2, mul(constant(dt * 0.25, z2), z3))
            tide = fma(law, z, mul(mul(by1, pz), p))
            ge = fma(by1, fma(pw, y, mul(py, w)), fma(bent, p, tide))
            gd = fnma(law, y, fma(half, tide, mul(mul(by1, sub(zero, py)), p)))
            store(chunk.d, k * PAIRS + at, mul(part, gd))
            store(chunk.e, k * PAIRS + at, mul(part, ge))


@leaf_kernel
def counted(chunk: Chunk, size: int, most: int) -> int:
    """Sub-steps of the pairs that take some, into facts; returns their sum."""
    total = 0
    for p in range(size):
        count = 1
        if most > 1 and chunk.facts[2, p] > SUBSTEP_ANGLE_4 * SUBSTEP_ANGLE_4:
            count = max(substeps_for(math.sqrt(chunk.facts[2, p]), SUBSTEP_ANGLE_4, most), 2)
            total += count
        chunk.facts[6, p] = count
    return total


@leaf_kernel
def moved_by_substeps(chunk: Chunk, size: int, dt: float, spline: Spline, close: Motions) -> int:
    """The motions of pairs that take sub-steps into `close`, one after another; returns their number."""
    n, n_channels, pair, factors = chunk.r.shape[0], chunk.factors.shape[0], chunk.pair, chunk.pair_factors
    r, w, q, u = pair[0], pair[1], pair[2], pair[3]
    number = 0
    for p in range(size):
        count = int(chunk.facts[6, p])
        if count > 1:
            for k in range(n):
                r[k] = chunk.r[k, p]
                w[k] = chunk.w[k, p]
            for c in range(n_channels):
                factors[c] = chunk.factors[c, p]
            used = close.first[number]
            moved_pair(r, w, factors, chunk.facts[1, p], dt, count, spline, close, used, q, u)
            for k in range(n):
                chunk.d[k, p] = q[k]
                chunk.e[k, p] = u[k]
            number += 1
            close.first[number] = used + count
    return number


@leaf_kernel
def tides_by_substeps(chunk: Chunk, size: int, dt: float, close: Motions) -> None:
    """What the others change in the pairs of `close`, into d and e."""
    n, n_close, pair = chunk.r.shape[0], 0, chunk.pair
    z2, z3, gd, ge = pair[0], pair[1], pair[2], pair[3]
    for p in range(size):
        if chunk.facts[6, p] > 1:
            for k in range(n):
                z2[k] = chunk.z2[k, p]
                z3[k] = chunk.z3[k, p]
            part = tide_of_pair(close, n_close, dt, z2, z3, gd, ge)
            n_close += 1
            for k in range(n):
                chunk.d[k, p] = part * gd[k]
                chunk.e[k, p] = part * ge[k]


@leaf_kernel
def wide_sums(
    x: FloatArray,
    v: FloatArray,
    couplings: FloatArray,
    m: FloatArray,
    trap: float,
    dt: float,
    spline: Spline,
    most: int,
    chunk: Chunk,
    close: Motions,
    sums: FloatArray,
) -> int:
    """What all pairs move one system beyond free flight, into sums (2, N, n); returns evaluations of the law.

    Parameters
    ----------
    x, v : (N, n) float64
        Of at most PAIRS pairs.
    close : Motions
        Buffers for the pairs that take sub-steps, with room for `most` of each.
    """
    number, n = x.shape
    for i in range(number):
        for k in range(n):
            chunk.x[k, i] = x[i, k]
            chunk.v[k, i] = v[i, k]
    found = chunk.found
    found[:] = 0.0
    size = fill(chunk, couplings, m, trap)
    phases(chunk, size, dt, spline)
    moved(chunk, size, dt, spline)
    more, n_close = counted(chunk, size, most), 0
    if more > 0:
        n_close = moved_by_substeps(chunk, size, dt, spline, close)
    scatter(chunk, found[0])
    pulled(chunk, dt, found[0])
    tides(chunk, size, dt)
    if n_close > 0:
        tides_by_substeps(chunk, size, dt, close)
    scatter(chunk, found[1])
    for part in range(2):
        for i in range(number):
            for k in range(n):
                sums[part, i, k] = found[0, part, k, i] + found[1, part, k, i]
    return size + more - n_close
