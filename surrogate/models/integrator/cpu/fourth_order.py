"""The pair part of a round to fourth order: two-body motions, then what the other bodies change in them.

Of a pair with r = x_i - x_j, w = v_i - v_j and relative acceleration L(r) r, a sub-step of length h evaluates L
and its derivatives L', L'' by r^2/2 at the middle p of the straight path, where P = p.p, Q = p.w, W = w.w:

    r <- r + h w + a p + b w,     w <- w + c p + d w
    a = h^2/2 L - h^3/12 L'Q + h^4/24 L (L + L'P) + h^4/48 (L'W + L''Q^2),     b = h^4/24 L'Q - h^3/12 L
    c = h L + h^3/6 L (L + L'P) + h^3/24 (L'W + L''Q^2) + h^4/24 PQ (L L'' - L'^2)
    d = h^3/12 L'Q + h^4/24 L (L'P - L)

the Taylor series of the two-body motion to h^4, from one look at the spline. The sums D_i, E_i over all pairs of
what their motions are beyond free flight say how far the other bodies move a pair: by z(t), the cubic that starts
at rest and ends at D_i - D_j with the velocity E_i - E_j, less the pair's own part. The tidal acceleration J z,
J the derivative of L(r) r along the two-body path, is added up over the round, times 1 / (1 + (S / 12)^2) with
S = dt int L dt, which differs from 1 where a round is far too long for the pair. What is left of the three-body
error is of fifth order in dt.

A trap about the centre of mass is equal springs between all pairs, kappa (m_i + m_j) / M less in L.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import inlined_kernel, kernel, leaf_kernel
from physics.types import FloatArray
from surrogate.models.integrator.cpu.spline import Spline, law_derivatives, rough_law
from surrogate.models.integrator.cpu.substeps import closest_approach, substeps_for

SUBSTEP_ANGLE_4 = 0.3
"""Largest phase a Taylor sub-step may advance a pair by: it is then right to about 1e-5 of its kick."""
STIFFEST = 12.0
"""S of a pair whose tidal change is halved: there the response is not linear, and would grow without bound."""


class Motions(NamedTuple):
    """The two-body motions of all pairs of a system over one round, and the sub-steps they took.

    Attributes
    ----------
    first : (pairs + 1,) int64
        Where each pair's sub-steps begin in the arrays below.
    d, e : (pairs, n) float64
        Relative displacement and velocity at the end, beyond free flight.
    p, w : (S, n) float64
        The middle of each sub-step's path, the relative velocity at its start.
    law : (S, 3) float64
        L, L', L'' there.
    """

    first: NDArray[np.int64]
    d: FloatArray
    e: FloatArray
    p: FloatArray
    w: FloatArray
    law: FloatArray


@kernel
def new_motions(n_pairs: int, n: int, n_substeps: int) -> Motions:
    """Buffers for `n_substeps` sub-steps of all pairs together."""
    each, steps = np.empty((2, n_pairs, n)), np.empty((2, n_substeps, n))
    return Motions(
        np.zeros(n_pairs + 1, dtype=np.int64), each[0], each[1], steps[0], steps[1], np.empty((n_substeps, 3))
    )


@inlined_kernel
def taylor(
    h: float, law: float, by1: float, by2: float, pp: float, pw: float, ww: float
) -> tuple[float, float, float, float]:
    """a, b, c, d of the module's first lines."""
    h2, h3, h4 = h * h, h * h * h, h * h * h * h
    bent, turned = law * (law + by1 * pp), by1 * ww + by2 * pw * pw
    a = 0.5 * h2 * law - h3 / 12.0 * by1 * pw + h4 / 24.0 * bent + h4 / 48.0 * turned
    b = h4 / 24.0 * by1 * pw - h3 / 12.0 * law
    c = h * law + h3 / 6.0 * bent + h3 / 24.0 * turned + h4 / 24.0 * pp * pw * (law * by2 - by1 * by1)
    d = h3 / 12.0 * by1 * pw + h4 / 24.0 * law * (by1 * pp - law)
    return a, b, c, d


@inlined_kernel
def moments(start: float, h: float, dt: float) -> tuple[float, float, float, float]:
    """Integrals over a sub-step of (t/dt)^2 and (t/dt)^3, and of these times t less its middle."""
    s, e = start / dt, (start + h) / dt
    mid = 0.5 * (s + e)
    two, three = (e**3 - s**3) / 3.0, (e**4 - s**4) / 4.0
    return dt * two, dt * three, dt * dt * (three - mid * two), dt * dt * ((e**5 - s**5) / 5.0 - mid * three)


@leaf_kernel
def moved_pair(
    r: FloatArray,
    w: FloatArray,
    factors: FloatArray,
    spring: float,
    dt: float,
    count: int,
    spline: Spline,
    kept: Motions,
    used: int,
    q: FloatArray,
    u: FloatArray,
) -> None:
    """The motion of a pair in `count` sub-steps beyond free flight into q, u; sub-steps into kept from `used`."""
    n, h = len(r), dt / count
    q[:] = 0.0
    u[:] = 0.0
    for step in range(used, used + count):
        start = (step - used) * h
        pp, pw, ww = 0.0, 0.0, 0.0
        for k in range(n):
            at = r[k] + (start + 0.5 * h) * w[k] + q[k] + 0.5 * h * u[k]
            moving = w[k] + u[k]
            kept.p[step, k] = at
            kept.w[step, k] = moving
            pp += at * at
            pw += at * moving
            ww += moving * moving
        law, by1, by2, _ = law_derivatives(pp, spline.table, spline.s2, spline.u0, spline.per_knot, factors)
        law -= spring
        kept.law[step, 0] = law
        kept.law[step, 1] = by1
        kept.law[step, 2] = by2
        a, b, c, d = taylor(h, law, by1, by2, pp, pw, ww)
        for k in range(n):
            q[k] += h * u[k] + a * kept.p[step, k] + b * kept.w[step, k]
            u[k] += c * kept.p[step, k] + d * kept.w[step, k]


@inlined_kernel
def set_relative(
    x: FloatArray,
    v: FloatArray,
    couplings: FloatArray,
    m: FloatArray,
    i: int,
    j: int,
    r: FloatArray,
    w: FloatArray,
    factors: FloatArray,
) -> None:
    """Relative position and velocity and the factors of a pair, in place."""
    inverse = 1.0 / m[i] + 1.0 / m[j]
    for c in range(factors.shape[0]):
        factors[c] = couplings[c, i] * couplings[c, j] * inverse
    for k in range(x.shape[1]):
        r[k] = x[i, k] - x[j, k]
        w[k] = v[i, k] - v[j, k]


@leaf_kernel
def set_first(
    x: FloatArray,
    v: FloatArray,
    couplings: FloatArray,
    m: FloatArray,
    trap: float,
    dt: float,
    spline: Spline,
    most: int,
    first: NDArray[np.int64],
    pair: FloatArray,
    factors: FloatArray,
) -> None:
    """Set Motions.first by the sub-steps that pairs take; pair (4, n) and factors (C,) are worked in."""
    r, w = pair[0], pair[1]
    place = 0
    for i in range(len(m)):
        for j in range(i + 1, len(m)):
            set_relative(x, v, couplings, m, i, j, r, w, factors)
            r2, ww = closest_approach(r, w, dt)
            rough = rough_law(r2, spline.table, spline.s2, spline.u0, spline.per_knot, factors)
            phase = dt * math.sqrt(abs(rough - trap * (m[i] + m[j])) + ww / (r2 + spline.s2))
            first[place + 1] = first[place] + substeps_for(phase, SUBSTEP_ANGLE_4, most)
            place += 1


@leaf_kernel
def add_motions(
    x: FloatArray,
    v: FloatArray,
    couplings: FloatArray,
    m: FloatArray,
    trap: float,
    dt: float,
    spline: Spline,
    kept: Motions,
    sums: FloatArray,
    pair: FloatArray,
    factors: FloatArray,
) -> None:
    """The motions of all pairs into kept, whose `first` is set, and their sums into sums (2, N, n)."""
    number, n = x.shape
    r, w, q, u = pair[0], pair[1], pair[2], pair[3]
    sums[:] = 0.0
    place = 0
    for i in range(number):
        for j in range(i + 1, number):
            set_relative(x, v, couplings, m, i, j, r, w, factors)
            share, used = m[j] / (m[i] + m[j]), kept.first[place]
            count = kept.first[place + 1] - used
            moved_pair(r, w, factors, trap * (m[i] + m[j]), dt, count, spline, kept, used, q, u)
            for k in range(n):
                kept.d[place, k] = q[k]
                kept.e[place, k] = u[k]
                sums[0, i, k] += share * q[k]
                sums[1, i, k] += share * u[k]
                sums[0, j, k] -= (1.0 - share) * q[k]
                sums[1, j, k] -= (1.0 - share) * u[k]
            place += 1


@kernel
def two_body_motions(
    x: FloatArray,
    v: FloatArray,
    couplings: FloatArray,
    m: FloatArray,
    trap: float,
    dt: float,
    spline: Spline,
    most: int,
    kept: Motions,
    sums: FloatArray,
) -> Motions:
    """The motions of all pairs of one system, and their sums D, E in sums (2, N, n).

    Parameters
    ----------
    x, v : (N, n) float64
    couplings : (C, N) float64
    m : (N,) float64
    trap : float
        Strength of the trap over the mass of the system.
    most : int
        Sub-steps a pair may take.
    kept : Motions
        Buffers, which may be replaced by larger ones.

    Returns
    -------
    Motions
    """
    pair, factors = np.empty((4, x.shape[1])), np.empty(couplings.shape[0])
    set_first(x, v, couplings, m, trap, dt, spline, most, kept.first, pair, factors)
    if kept.first[-1] > len(kept.law):
        wide = new_motions(len(kept.d), x.shape[1], 2 * kept.first[-1])
        wide.first[:] = kept.first
        kept = wide
    add_motions(x, v, couplings, m, trap, dt, spline, kept, sums, pair, factors)
    return kept


@leaf_kernel
def tidal_changes(
    m: FloatArray, dt: float, kept: Motions, sums: FloatArray, changes: FloatArray, buffers: FloatArray
) -> None:
    """What the other bodies change in the motions of the pairs, summed into changes (2, N, n) as D and E are.

    buffers (4, n) are worked in.
    """
    number, n = sums.shape[1:]
    z2, z3, gd, ge = buffers[0], buffers[1], buffers[2], buffers[3]
    changes[:] = 0.0
    place = 0
    for i in range(number):
        for j in range(i + 1, number):
            share = m[j] / (m[i] + m[j])
            others(kept, sums, place, i, j, dt, z2, z3)
            part = tide_of_pair(kept, place, dt, z2, z3, gd, ge)
            for k in range(n):
                changes[0, i, k] += part * share * gd[k]
                changes[1, i, k] += part * share * ge[k]
                changes[0, j, k] -= part * (1.0 - share) * gd[k]
                changes[1, j, k] -= part * (1.0 - share) * ge[k]
            place += 1


@leaf_kernel
def tide_of_pair(
    kept: Motions, place: int, dt: float, z2: FloatArray, z3: FloatArray, gd: FloatArray, ge: FloatArray
) -> float:
    """What the others change in a pair, into gd and ge; returns the share of it that is taken."""
    n = len(z2)
    gd[:] = 0.0
    ge[:] = 0.0
    stiff = 0.0
    first, last = kept.first[place], kept.first[place + 1]
    h = dt / (last - first)
    for step in range(first, last):
        start = (step - first) * h
        i2, i3, m2, m3 = moments(start, h, dt)
        law, by1, by2 = kept.law[step, 0], kept.law[step, 1], kept.law[step, 2]
        stiff += dt * h * law
        pz, py, pw, wy = 0.0, 0.0, 0.0, 0.0
        for k in range(n):
            p, w = kept.p[step, k], kept.w[step, k]
            y = m2 * z2[k] + m3 * z3[k]
            pz += p * (i2 * z2[k] + i3 * z3[k])
            py += p * y
            pw += p * w
            wy += w * y
        left = dt - start - 0.5 * h
        for k in range(n):
            p, w = kept.p[step, k], kept.w[step, k]
            y = m2 * z2[k] + m3 * z3[k]
            tide = law * (i2 * z2[k] + i3 * z3[k]) + by1 * pz * p
            ge[k] += tide + by1 * (pw * y + py * w + wy * p) + by2 * pw * py * p
            gd[k] += left * tide - law * y - by1 * py * p
    return 1.0 / (1.0 + (stiff / STIFFEST) ** 2)


@inlined_kernel
def others(
    kept: Motions, sums: FloatArray, place: int, i: int, j: int, dt: float, z2: FloatArray, z3: FloatArray
) -> None:
    """How the other bodies move a pair: z(t) = z2 (t/dt)^2 + z3 (t/dt)^3, in place."""
    for k in range(len(z2)):
        far = sums[0, i, k] - sums[0, j, k] - kept.d[place, k]
        fast = dt * (sums[1, i, k] - sums[1, j, k] - kept.e[place, k])
        z2[k] = 3.0 * far - fast
        z3[k] = fast - 2.0 * far
