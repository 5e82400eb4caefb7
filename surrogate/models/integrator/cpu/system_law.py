"""The pair law of one system in rounds of one length: channels that are alike are one, the spline polynomials."""

from typing import NamedTuple

import numpy as np

from physics.kernels.jit import inlined_kernel, kernel
from physics.kernels.vectors import Vector, add, constant, div, fma, larger, load, mul, smaller, sub
from physics.types import FloatArray
from surrogate.models.integrator.cpu.fourth_order import SUBSTEP_ANGLE_4
from surrogate.models.integrator.cpu.spline import Spline
from surrogate.models.integrator.cpu.vector_spline import LANES, LN2, ODD, binary_parts, four_of_row, whole

HALF = 0.49
"""Where neither part of a pair's rate has this share of what makes it take sub-steps, it takes none."""


class SystemLaw(NamedTuple):
    """What stays the same over the rounds of one system; P is the number of particles and LANES more.

    Attributes
    ----------
    pieces : (C, G - 3, 4) float64
        L between knots as polynomials of the place between them, from the constant on.
    spline : Spline
        The same as coefficients.
    couplings : (C, P) float64
    inverse, m : (P,) float64
        1 / m, m; all are zero past the particles.
    trap, dt : float
    most : int
        Sub-steps a pair may take.
    cut2 : float [length^2]
        Beyond this squared distance L alone is too weak for sub-steps.
    """

    pieces: FloatArray
    spline: Spline
    couplings: FloatArray
    inverse: FloatArray
    m: FloatArray
    trap: float
    dt: float
    most: int
    cut2: float


@kernel
def system_law(
    spline: Spline, couplings: FloatArray, m: FloatArray, trap: float, dt: float, most: int
) -> SystemLaw:
    """See SystemLaw; couplings (C, N), m (N,), trap over the mass of the system."""
    number, given = len(m), len(couplings)
    alike = np.empty(given, dtype=np.bool_)
    for c in range(given):
        alike[c] = True
        for i in range(number):
            alike[c] = alike[c] and couplings[c, i] == couplings[c, 0]
    channels, place = given - alike.sum() + (1 if alike.any() else 0), 0
    table, own = np.zeros((channels, spline.table.shape[1])), np.zeros((channels, number + LANES))
    for c in range(given):
        if alike[c]:  # all of these into the last one
            table[channels - 1] += couplings[c, 0] * couplings[c, 0] * spline.table[c]
            own[channels - 1, :number] = 1.0
        else:
            table[place] = spline.table[c]
            own[place, :number] = couplings[c]
            place += 1
    inverse, mass = np.zeros(number + LANES), np.zeros(number + LANES)
    inverse[:number] = 1.0 / m
    mass[:number] = m
    enough = HALF * (SUBSTEP_ANGLE_4 / dt) ** 2 - 2.0 * trap * m.max()
    cut2 = weak_beyond(table, own, inverse, spline, enough)
    own_spline = Spline(table, spline.s2, spline.u0, spline.per_knot)
    return SystemLaw(polynomials(table), own_spline, own, inverse, mass, trap, dt, most, cut2)


@kernel
def polynomials(table: FloatArray) -> FloatArray:
    """The cubic B-splines of coefficients (C, G) between knots: (C, G - 3, 4), from the constant on."""
    pieces = np.empty((len(table), table.shape[1] - 3, 4))
    for c in range(pieces.shape[0]):
        for k in range(pieces.shape[1]):
            t0, t1, t2, t3 = table[c, k], table[c, k + 1], table[c, k + 2], table[c, k + 3]
            pieces[c, k, 0] = (t0 + 4.0 * t1 + t2) / 6.0
            pieces[c, k, 1] = 0.5 * (t2 - t0)
            pieces[c, k, 2] = 0.5 * (t0 - 2.0 * t1 + t2)
            pieces[c, k, 3] = (t3 - t0 + 3.0 * (t1 - t2)) / 6.0
    return pieces


@kernel
def weak_beyond(
    table: FloatArray, couplings: FloatArray, inverse: FloatArray, spline: Spline, enough: float
) -> float:
    """The squared distance from which on no pair of the system has a rough |L| above `enough`."""
    first = table.shape[1] - 4
    strongest = np.zeros(len(table))
    while first >= 0:
        value = 0.0
        for c in range(len(table)):
            strongest[c] = max(strongest[c], abs(table[c, first + 1]))
            value += 2.0 * inverse.max() * np.abs(couplings[c]).max() ** 2 * strongest[c]
        if value > enough:
            break
        first -= 1
    if first == table.shape[1] - 4:
        return np.inf
    return float(np.exp(2.0 * (spline.u0 + (first + 1) / spline.per_knot)) - spline.s2) if first >= 0 else -1.0


@inlined_kernel
def piece_laws(
    r2: Vector, pieces: FloatArray, s2: float, u0: float, per_knot: float, factors: FloatArray
) -> tuple[Vector, Vector, Vector]:
    """L, L', L'' of LANES pairs as `vector_spline.laws`, by polynomials; factors (C, LANES)."""
    one, size = constant(1.0, r2), pieces.shape[1]
    rho2 = add(r2, constant(s2, r2))
    k, m = binary_parts(rho2)
    both = div(one, mul(rho2, add(m, one)))  # one division for two quotients
    f, inverse = mul(sub(m, one), mul(rho2, both)), mul(add(m, one), both)
    square = mul(f, f)
    series = constant(ODD[10], f)
    for odd in (ODD[9], ODD[8], ODD[7], ODD[6], ODD[5], ODD[4], ODD[3], ODD[2], ODD[1], ODD[0]):
        series = fma(series, square, constant(odd, f))
    place = fma(mul(f, series), constant(per_knot, k), constant(-u0 * per_knot, k))
    place = fma(k, constant(0.5 * LN2 * per_knot, k), place)
    place = larger(constant(0.0, place), place)  # a place that is no number becomes 0
    end = constant(size - 1.0 + 0.999999, place)
    inside = larger(constant(0.0, one), smaller(one, mul(sub(end, place), constant(1e300, one))))
    place = smaller(place, end)
    first = whole(place)
    t, at = sub(place, first), mul(first, constant(4.0, first))
    t0, t1, t2, t3 = four_of_row(pieces, 0, at)
    g = load(factors, 0, LANES)
    a0, a1, a2, a3 = mul(g, t0), mul(g, t1), mul(g, t2), mul(g, t3)
    for c in range(1, pieces.shape[0]):
        t0, t1, t2, t3 = four_of_row(pieces, c * size * 4, at)
        g = load(factors, c * LANES, LANES)
        a0, a1, a2, a3 = fma(g, t0, a0), fma(g, t1, a1), fma(g, t2, a2), fma(g, t3, a3)
    twice, thrice = add(a2, a2), mul(constant(3.0, t), a3)
    by_u, by_uu = fma(t, fma(t, thrice, twice), a1), fma(add(t, t), thrice, twice)
    scale = mul(inside, inverse)
    bent = fma(constant(per_knot * per_knot, t), by_uu, mul(constant(-2.0 * per_knot, t), by_u))
    law = fma(t, fma(t, fma(t, a3, a2), a1), a0)
    return law, mul(by_u, mul(constant(per_knot, t), scale)), mul(bent, mul(scale, inverse))


@inlined_kernel
def taylor_steps(
    h: float, law: Vector, by1: Vector, by2: Vector, pp: Vector, pw: Vector, ww: Vector
) -> tuple[Vector, Vector, Vector, Vector]:
    """`fourth_order.taylor` of LANES pairs."""
    h2, h3, h4 = h * h, h * h * h, h * h * h * h
    bent = mul(law, fma(by1, pp, law))
    turned = fma(by1, ww, mul(by2, mul(pw, pw)))
    minus = constant(0.0, law)
    speed, curl = mul(by1, pw), mul(mul(pp, pw), fma(law, by2, mul(by1, sub(minus, by1))))
    a = fma(constant(0.5 * h2, law), law, mul(constant(-h3 / 12.0, law), speed))
    a = fma(constant(h4 / 24.0, law), bent, fma(constant(h4 / 48.0, law), turned, a))
    b = fma(constant(h4 / 24.0, law), speed, mul(constant(-h3 / 12.0, law), law))
    c = fma(constant(h, law), law, mul(constant(h3 / 6.0, law), bent))
    c = fma(constant(h3 / 24.0, law), turned, fma(constant(h4 / 24.0, law), curl, c))
    late = mul(law, fma(by1, pp, sub(minus, law)))
    return a, b, c, fma(constant(h3 / 12.0, law), speed, mul(constant(h4 / 24.0, law), late))
