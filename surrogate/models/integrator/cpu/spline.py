"""Numba kernels of the pair law: its spline at a squared distance, with derivatives."""

import math
from typing import NamedTuple

from physics.kernels.jit import inlined_kernel, kernel, leaf_kernel
from physics.types import FloatArray

Four = tuple[float, float, float, float]


class Spline(NamedTuple):
    """The pair law as a spline in u = log(r^2 + s2) / 2.

    Attributes
    ----------
    table : (C, G) float64
        Coefficients of each channel.
    s2 : float [length^2]
        The softening's square.
    u0 : float
        Where the table begins.
    per_knot : float
        One over the distance of knots.
    """

    table: FloatArray
    s2: float
    u0: float
    per_knot: float


@kernel
def spline_weights(place: float) -> tuple[int, Four, Four]:
    """At `place` (in knots): the first knot's index, the four cubic B-spline weights and their derivatives."""
    first = math.floor(place)
    t = place - first
    s = 1.0 - t
    weights = (
        s * s * s / 6.0,
        (4.0 - 6.0 * t * t + 3.0 * t * t * t) / 6.0,
        (4.0 - 6.0 * s * s + 3.0 * s * s * s) / 6.0,
        t * t * t / 6.0,
    )
    slopes = (-0.5 * s * s, -2.0 * t + 1.5 * t * t, 2.0 * s - 1.5 * s * s, 0.5 * t * t)
    return first, weights, slopes


@leaf_kernel
def pair_law(r2: float, spline: Spline, factors: FloatArray) -> tuple[float, float, int, Four]:
    """L, dL/du, the first knot and the weights of the spline at a squared distance."""
    table = spline.table
    last = table.shape[1] - 4
    place = (0.5 * math.log(r2 + spline.s2) - spline.u0) * spline.per_knot
    place = min(max(place, 0.0), last + 0.999999)
    first, a, b = spline_weights(place)
    value, slope = 0.0, 0.0
    for c in range(table.shape[0]):
        if factors[c] != 0.0:
            t0, t1, t2, t3 = table[c, first], table[c, first + 1], table[c, first + 2], table[c, first + 3]
            value += factors[c] * (a[0] * t0 + a[1] * t1 + a[2] * t2 + a[3] * t3)
            slope += factors[c] * (b[0] * t0 + b[1] * t1 + b[2] * t2 + b[3] * t3)
    return value, slope * spline.per_knot, first, a


@inlined_kernel
def rough_law(r2: float, table: FloatArray, s2: float, u0: float, per_knot: float, factors: FloatArray) -> float:
    """L to some percent, to choose steps by: the coefficient of the knot below."""
    place = min(max((0.5 * math.log(r2 + s2) - u0) * per_knot, 0.0), table.shape[1] - 4.0)
    near, value = int(place) + 1, 0.0
    for c in range(table.shape[0]):
        value += factors[c] * table[c, near]
    return value


@inlined_kernel
def law_derivatives(
    r2: float, table: FloatArray, s2: float, u0: float, per_knot: float, factors: FloatArray
) -> tuple[float, float, float, float]:
    """L and its first three derivatives by r^2/2; beyond the table's end they are zero."""
    rho2 = r2 + s2
    last = table.shape[1] - 4
    place = (0.5 * math.log(rho2) - u0) * per_knot
    inside = 1.0 if place < last + 0.999999 else 0.0
    place = min(max(place, 0.0), last + 0.999999)
    first = int(place)
    t = place - first
    s = 1.0 - t
    law, by1, by2, by3 = 0.0, 0.0, 0.0, 0.0
    for c in range(table.shape[0]):
        f = factors[c]
        t0, t1, t2, t3 = table[c, first], table[c, first + 1], table[c, first + 2], table[c, first + 3]
        law += f * (s * s * s * t0 + (4.0 - 6.0 * t * t + 3.0 * t * t * t) * t1)
        law += f * ((4.0 - 6.0 * s * s + 3.0 * s * s * s) * t2 + t * t * t * t3)
        by1 += f * (
            -0.5 * s * s * t0 + (1.5 * t * t - 2.0 * t) * t1 + (2.0 * s - 1.5 * s * s) * t2 + 0.5 * t * t * t3
        )
        by2 += f * (s * t0 + (3.0 * t - 2.0) * t1 + (3.0 * s - 2.0) * t2 + t * t3)
        by3 += f * (3.0 * (t1 - t2) + t3 - t0)
    by1 *= inside * per_knot
    by2 *= inside * per_knot * per_knot
    by3 *= inside * per_knot * per_knot * per_knot
    inverse = 1.0 / rho2
    first_by = by1 * inverse
    second_by = (by2 - 2.0 * by1) * inverse * inverse
    third_by = (by3 - 6.0 * by2 + 8.0 * by1) * inverse * inverse * inverse
    return law / 6.0, first_by, second_by, third_by
