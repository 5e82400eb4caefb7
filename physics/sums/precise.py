"""One system's accelerations to about thirty digits (:mod:`physics.kernels.double_double`), for IAS15.

A force in float64 has a random error of relative size 1e-16, which each step of a long run adds to the energy.
Here positions come with the digits that rounding took from them, and accelerations leave with theirs: what is left
is the rounding of an acceleration's change within a step.
"""

import math

import numpy as np
from numpy.typing import NDArray

from physics.kernels.double_double import precise_product, precise_sum, product_error
from physics.kernels.jit import kernel
from physics.kernels.parameters import (
    FIELDS,
    LAW_PARAMETERS,
    Forces,
    Term,
    n_terms,
    nearest,
    periodic_sides,
    term_of,
)
from physics.sums.fields import add_velocity_fields
from physics.sums.pairs import bounded_coefficient, strength_of

FloatArray = NDArray[np.float64]

HIGHEST_POWER = 16
"""Laws that fall faster have the digits of a float64."""
REFINABLE = 1e-12
"""A float64 result that misses by more has met a number too large or too small to square: it stays as it is."""


@kernel
def power_of(exponent: float) -> int:
    """The P of a law c = strength / s^P, a whole number; 0 for laws of another form."""
    power = exponent + 1.0
    if not 1.0 <= power <= HIGHEST_POWER or power != math.floor(power):
        return 0
    return int(power)


@kernel
def precise_coefficient(term: Term, r2: float, r2_low: float, strength: float) -> tuple[float, float]:
    """That of :func:`physics.sums.pairs.bounded_coefficient`, and what rounding took from it.

    Of laws that are no whole power, and behind the onset of a periodic box, 0 is given for the second.
    """
    power = power_of(term.constants.exponent)
    if power == 0 or (term.cutoff != 0.0 and r2 > term.onset * term.onset):
        return bounded_coefficient(term, r2, strength), 0.0
    if strength == 0.0:
        return -term.pull, 0.0
    eps = term.constants.softening
    s2, s2_low = precise_sum(eps * eps, 0.0, r2, r2_low)
    d, d_low = 1.0, 0.0
    for _ in range(power):
        d, d_low = precise_product(d, d_low, s2, s2_low)
    near = s2 ** (-0.5 * power)
    square = near * near
    missing, missing_low = precise_product(square, product_error(near, near), d, d_low)
    miss = (1.0 - missing) - missing_low  # of near^2 s^(2P) = 1
    low = 0.5 * near * miss if abs(miss) < REFINABLE else 0.0
    c, c_low = precise_product(strength, 0.0, near, low)
    return precise_sum(c, c_low, -term.pull, 0.0)


@kernel
def precise_pairs(
    term: int, x: FloatArray, x_low: FloatArray, forces: Forces, a: FloatArray, a_low: FloatArray
) -> None:
    """Add the accelerations of one law of the sum; arguments as :func:`precise_acceleration`."""
    n, d = x.shape
    q, m = forces.charges, forces.masses
    law, sides = term_of(forces.parameters, d, n, term), periodic_sides(forces.parameters, d)
    limit = law.constants.limit
    r, r_low = np.empty(d), np.empty(d)
    force, force_low = np.zeros((n, d)), np.zeros((n, d))
    for i in range(n):
        for j in range(i + 1, n):
            r2, r2_low = 0.0, 0.0
            for k in range(d):
                r[k], r_low[k] = precise_sum(x[i, k], x_low[i, k], -x[j, k], -x_low[j, k])
                r[k] = nearest(r[k], sides, k)
                square, square_low = precise_product(r[k], r_low[k], r[k], r_low[k])
                r2, r2_low = precise_sum(r2, r2_low, square, square_low)
            strength = strength_of(law, q[i, 0], q[j, 0], m[i, 0], m[j, 0])
            c, c_low = precise_coefficient(law, r2, r2_low, strength)
            for k in range(d):
                f, f_low = precise_product(c, c_low, r[k], r_low[k])
                force[i, k], force_low[i, k] = precise_sum(force[i, k], force_low[i, k], f, f_low)
                force[j, k], force_low[j, k] = precise_sum(force[j, k], force_low[j, k], -f, -f_low)
    for i in range(n):
        for k in range(d):
            if abs(force[i, k]) > limit:
                force[i, k], force_low[i, k] = math.copysign(limit, force[i, k]), 0.0
            add_force(force[i, k], force_low[i, k], m[i, 0], a, a_low, i, k)


@kernel
def add_force(f: float, f_low: float, m: float, a: FloatArray, a_low: FloatArray, i: int, k: int) -> None:
    """Add (f + f_low) / m to a[i, k] + a_low[i, k]."""
    quotient = f / m
    quotient_low = ((f - quotient * m) - product_error(quotient, m) + f_low) / m
    a[i, k], a_low[i, k] = precise_sum(a[i, k], a_low[i, k], quotient, quotient_low)


@kernel
def precise_acceleration(
    x: FloatArray, x_low: FloatArray, v: FloatArray, forces: Forces, a: FloatArray, a_low: FloatArray
) -> None:
    """Of one system at positions x + x_low, from everything that acts; what depends on velocities to float64.

    Parameters
    ----------
    x, x_low : (N, n) float64 [length]
    v : (N, n) float64 [length/time]
    a, a_low : (N, n) float64 [length/time^2]
        Written.
    """
    n, d = x.shape
    q, m, parameters = forces.charges, forces.masses, forces.parameters
    a[:] = 0.0
    a_low[:] = 0.0
    for term in range(n_terms(parameters, d)):
        precise_pairs(term, x, x_low, forces, a, a_low)
    if parameters.shape[0] > LAW_PARAMETERS:
        trap = parameters[FIELDS + 1]
        from_velocities = np.zeros((n, d, 1))
        add_velocity_fields(v.reshape((n, d, 1)), forces, from_velocities)
        for i in range(n):
            for k in range(d):
                electric = q[i, 0] * parameters[FIELDS + 2 + k]
                pulled, pulled_low = precise_product(-trap, 0.0, x[i, k], x_low[i, k])
                f, f_low = precise_sum(electric, 0.0, pulled, pulled_low)
                add_force(f, f_low, m[i, 0], a, a_low, i, k)
                a[i, k], a_low[i, k] = precise_sum(a[i, k], a_low[i, k], from_velocities[i, k, 0], 0.0)
    for i in range(n):
        for k in range(d):
            if not math.isfinite(a_low[i, k]):  # numbers too large to split
                a_low[i, k] = 0.0
