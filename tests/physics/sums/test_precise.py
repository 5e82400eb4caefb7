"""Arithmetic of thirty digits against exact fractions, and IAS15's forces against a hundred digits."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest

from physics import System
from physics.fields import Fields
from physics.kernels.double_double import precise_product, precise_sum
from physics.laws import LAWS
from physics.observables import accelerations
from physics.sums.precise import precise_acceleration

SMALL = 2.0**-60


def exact(pair):
    return Fraction(float(pair[0])) + Fraction(float(pair[1]))


@pytest.mark.parametrize("seed", range(20))
def test_sums_and_products(seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.standard_normal(2) * 10.0 ** rng.integers(-8, 8, 2)).tolist()
    a_low, b_low = a * SMALL * rng.uniform(-1, 1), b * SMALL * rng.uniform(-1, 1)
    left, right = exact((a, a_low)), exact((b, b_low))
    size = abs(left) + abs(right)
    assert abs(exact(precise_sum(a, a_low, b, b_low)) - (left + right)) < 1e-30 * size
    product = left * right
    assert abs(exact(precise_product(a, a_low, b, b_low)) - product) < 1e-30 * abs(product)
    assert abs(Fraction(a * b) - product) > 1e-22 * abs(product)  # the check bites


def pair_force(name, x, q, m, parameters):
    """Force of the second of two particles on the first in a hundred digits; what the row's formula says."""
    r = [Decimal(float(a)) - Decimal(float(b)) for a, b in zip(*x, strict=True)]
    number = {key: Decimal(float(value)) for key, value in parameters.items()}
    eps2 = Decimal(float(parameters.get("eps", 0.0)) ** 2)
    s = (sum(one * one for one in r) + eps2).sqrt()
    charges, masses = (Decimal(float(a)) * Decimal(float(b)) for a, b in (q, m))
    c = {
        "coulomb": lambda: charges / s**3,
        "reference": lambda: charges / s**3,
        "gravity": lambda: -number["G"] * masses / s**3,
        "spring": lambda: -number["k"] / 2,
        "softcore": lambda: charges / s**2,
    }[name]()
    return [c * one for one in r]


@pytest.mark.parametrize("name", [name for name in LAWS if name != "yukawa"])
def test_forces_to_thirty_digits(name):
    rng = np.random.default_rng(3)
    x, q, m = rng.standard_normal((2, 3)), np.array([1.0, -1.0]), np.array([1.0, 2.0])
    system = System(q, m, name, {"G": 0.5} if name == "gravity" else {})
    a, a_low = np.empty((2, 2, 3))
    zero = np.zeros_like(x)
    precise_acceleration(x, zero, zero, system.forces(3), a, a_low)
    with localcontext() as context:
        context.prec = 100
        wanted = pair_force(name, x, q, m, system.parameters)
        for k in range(3):
            assert abs(Decimal(a[0, k]) + Decimal(a_low[0, k]) - wanted[k]) < Decimal("1e-28") * abs(wanted[k])
            other = -wanted[k] / 2
            assert abs(Decimal(a[1, k]) + Decimal(a_low[1, k]) - other) < Decimal("1e-28") * abs(other)
    assert a_low.any()


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("scale", [1e-60, 1e-3, 1.0, 1e60])
def test_forces_are_those_of_the_engine(name, scale):
    """Numbers too large or too small to square keep the digits of a float64."""
    rng = np.random.default_rng(4)
    x, q, m = scale * rng.standard_normal((3, 2)), np.array([1.0, -1.0, 0.5]), np.array([1.0, 2.0, 0.3])
    system = System(q, m, name, fields=Fields(electric=[0.1, 0.2], trap=0.3))
    a, a_low = np.empty((2, 3, 2))
    zero = np.zeros_like(x)
    precise_acceleration(x, zero, zero, system.forces(2), a, a_low)
    np.testing.assert_allclose(a, accelerations(system, x[None])[0], rtol=1e-12, atol=1e-15)
    assert np.isfinite(a_low).all()
