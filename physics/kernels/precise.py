"""Numba kernels of about thirty digits: sums and products of two float64 (high + low), and IAS15's forces in them.

A force in float64 is wrong by a random share of 1e-16, and each step of a long run adds that to the energy. Here
positions come with the digits that rounding took from them, and accelerations leave with theirs, so that what is
left is the rounding of an acceleration's change within a step.
"""

import math

import numpy as np
from numpy.typing import NDArray

from physics.kernels.fields import LAW_PARAMETERS, add_velocity_fields
from physics.kernels.jit import kernel
from physics.kernels.pairs import (
    bounded_coefficient,
    coupling_of,
    n_terms,
    nearest,
    pull_of,
    sides_at,
    switch_range,
    term_code,
    term_parameters,
)

FloatArray = NDArray[np.float64]

SPLITTER = 2.0**27 + 1.0
"""Splits a float64 into two halves."""
HIGHEST_POWER = 16
"""Laws that fall faster have the digits of a float64."""
REFINABLE = 1e-12
"""A float64 result that misses by more has met a number too large or too small to square: it stays as it is."""


@kernel
def product_error(a: float, b: float) -> float:
    """A b minus its rounded value, exactly (Dekker's splitting into halves of 26 bits)."""
    split_a, split_b = SPLITTER * a, SPLITTER * b
    a_high, b_high = split_a - (split_a - a), split_b - (split_b - b)
    a_low, b_low = a - a_high, b - b_high
    return a_low * b_low - (((a * b - a_high * b_high) - a_low * b_high) - a_high * b_low)


@kernel
def exact_sum(a: float, b: float) -> tuple[float, float]:
    """A + b, rounded, and what rounding took (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@kernel
def precise_sum(a: float, a_low: float, b: float, b_low: float) -> tuple[float, float]:
    """(a + a_low) + (b + b_low)."""
    total, low = exact_sum(a, b)
    return exact_sum(total, low + (a_low + b_low))


@kernel
def precise_product(a: float, a_low: float, b: float, b_low: float) -> tuple[float, float]:
    """(a + a_low) (b + b_low)."""
    high = a * b
    return exact_sum(high, product_error(a, b) + (a * b_low + a_low * b))


@kernel
def power_of(code: int, parameters: FloatArray) -> int:
    """The P of a law c = coupling / s^P, a whole number; 0 for laws of another form."""
    power = 3.0 if code == 1 or code == 2 else parameters[1] + 1.0
    if code == 3 or code == 4 or power != math.floor(power) or power < 1.0 or power > HIGHEST_POWER:
        return 0
    return int(power)


@kernel
def precise_coefficient(
    code: int,
    r2: float,
    r2_low: float,
    coupling: float,
    parameters: FloatArray,
    pull: float,
    onset: float,
    cutoff: float,
) -> tuple[float, float]:
    """That of :func:`physics.kernels.pairs.bounded_coefficient`, and what rounding took from it.

    Of laws that are no whole power, and behind the onset of a periodic box, 0 is given for the second.
    """
    power = power_of(code, parameters)
    if (power == 0 and code != 3) or (cutoff != 0.0 and r2 > onset * onset):
        return bounded_coefficient(code, r2, coupling, parameters, pull, onset, cutoff), 0.0
    if power == 0 or coupling == 0.0:
        return -pull, 0.0
    s2, s2_low = precise_sum(parameters[0] * parameters[0], 0.0, r2, r2_low) if code != 1 else (r2, r2_low)
    strength = -parameters[2] * coupling if code == 2 else coupling
    d, d_low = 1.0, 0.0
    for _ in range(power):
        d, d_low = precise_product(d, d_low, s2, s2_low)
    near = s2 ** (-0.5 * power)
    square = near * near
    missing, missing_low = precise_product(square, product_error(near, near), d, d_low)
    miss = (1.0 - missing) - missing_low  # of near^2 s^(2P) = 1
    low = 0.5 * near * miss if abs(miss) < REFINABLE else 0.0
    c, c_low = precise_product(strength, 0.0, near, low)
    return precise_sum(c, c_low, -pull, 0.0)


@kernel
def precise_pairs(
    code: int,
    term: int,
    x: FloatArray,
    x_low: FloatArray,
    q: FloatArray,
    m: FloatArray,
    parameters: FloatArray,
    a: FloatArray,
    a_low: FloatArray,
) -> None:
    """Add the accelerations of one term of a sum; arguments as :func:`precise_acceleration`."""
    n, d = x.shape
    own_code, own = term_code(code, parameters, d, term), term_parameters(parameters, d, term)
    pull = pull_of(own_code, own, n)
    onset, cutoff = switch_range(parameters, d)
    sides = sides_at(parameters, d)
    r, r_low = np.empty(d), np.empty(d)
    force, force_low = np.zeros((n, d)), np.zeros((n, d))
    for i in range(n):
        for j in range(i + 1, n):
            r2, r2_low = 0.0, 0.0
            for k in range(d):
                r[k], r_low[k] = precise_sum(x[i, k], x_low[i, k], -x[j, k], -x_low[j, k])
                r[k] = nearest(r[k], parameters, sides, k)
                square, square_low = precise_product(r[k], r_low[k], r[k], r_low[k])
                r2, r2_low = precise_sum(r2, r2_low, square, square_low)
            coupling = coupling_of(own_code, q[i, 0], q[j, 0], m[i, 0], m[j, 0])
            c, c_low = precise_coefficient(own_code, r2, r2_low, coupling, own, pull, onset, cutoff)
            for k in range(d):
                f, f_low = precise_product(c, c_low, r[k], r_low[k])
                force[i, k], force_low[i, k] = precise_sum(force[i, k], force_low[i, k], f, f_low)
                force[j, k], force_low[j, k] = precise_sum(force[j, k], force_low[j, k], -f, -f_low)
    for i in range(n):
        for k in range(d):
            if own_code == 1 and abs(force[i, k]) > own[2]:
                force[i, k], force_low[i, k] = math.copysign(own[2], force[i, k]), 0.0
            add_force(force[i, k], force_low[i, k], m[i, 0], a, a_low, i, k)


@kernel
def add_force(f: float, f_low: float, m: float, a: FloatArray, a_low: FloatArray, i: int, k: int) -> None:
    """Add (f + f_low) / m to a[i, k] + a_low[i, k]."""
    share = f / m
    share_low = ((f - share * m) - product_error(share, m) + f_low) / m
    a[i, k], a_low[i, k] = precise_sum(a[i, k], a_low[i, k], share, share_low)


@kernel
def precise_acceleration(
    code: int,
    x: FloatArray,
    x_low: FloatArray,
    v: FloatArray,
    q: FloatArray,
    m: FloatArray,
    parameters: FloatArray,
    a: FloatArray,
    a_low: FloatArray,
) -> None:
    """Of one system at positions x + x_low, from everything that acts; what depends on velocities to float64.

    Parameters
    ----------
    x, x_low : (N, n) float64 [length]
    v : (N, n) float64 [length/time]
    q, m : (N, 1) float64 [charge], [mass]
    a, a_low : (N, n) float64 [length/time^2]
        Written.
    """
    n, d = x.shape
    a[:] = 0.0
    a_low[:] = 0.0
    for term in range(n_terms(parameters, d)):
        precise_pairs(code, term, x, x_low, q, m, parameters, a, a_low)
    if parameters.shape[0] > LAW_PARAMETERS:
        trap = parameters[LAW_PARAMETERS + 1]
        from_velocities = np.zeros((n, d, 1))
        add_velocity_fields(v.reshape((n, d, 1)), q, m, parameters, from_velocities)
        for i in range(n):
            for k in range(d):
                electric = q[i, 0] * parameters[LAW_PARAMETERS + 2 + k]
                pulled, pulled_low = precise_product(-trap, 0.0, x[i, k], x_low[i, k])
                f, f_low = precise_sum(electric, 0.0, pulled, pulled_low)
                add_force(f, f_low, m[i, 0], a, a_low, i, k)
                a[i, k], a_low[i, k] = precise_sum(a[i, k], a_low[i, k], from_velocities[i, k, 0], 0.0)
    for i in range(n):
        for k in range(d):
            if not math.isfinite(a_low[i, k]):  # numbers too large to split
                a_low[i, k] = 0.0
