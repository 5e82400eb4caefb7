"""The pair force of laws that fall as a power of the softened distance: strength / s^p."""

from math import log, sqrt

from physics.kernels.inverse_cube import GROUP, inverse_cube
from physics.kernels.jit import kernel
from physics.kernels.parameters import FloatArray, PairConstants
from physics.kernels.vectors import load, store
from physics.laws.base import PairForce


@kernel
def _coefficients(constants: PairConstants, s2: FloatArray, count: int) -> None:
    """1 / s^(p+1)."""
    p = constants.exponent
    if p == 2.0:
        for t in range(0, count, GROUP):
            store(s2, t, inverse_cube(load(s2, t, GROUP)))
    elif p == 1.0:
        for t in range(count):
            s2[t] = 1.0 / s2[t]
    elif p == 3.0:
        for t in range(count):
            s2[t] = 1.0 / (s2[t] * s2[t])
    else:
        for t in range(count):
            s2[t] = s2[t] ** (-0.5 * (p + 1.0))


@kernel
def _coefficient(strength: float, s2: float, constants: PairConstants) -> float:
    p = constants.exponent
    if p == 2.0:
        return strength / (s2 * sqrt(s2))
    return float(strength * s2 ** (-0.5 * (p + 1.0)))


@kernel
def _energy(strength: float, s2: float, constants: PairConstants) -> float:
    """Strength s^(1-p) / (p-1); of p = 1 -strength log s."""
    p = constants.exponent
    if p == 1.0:
        return -0.5 * strength * log(s2)
    if p == 2.0:
        return strength / sqrt(s2)
    return float(strength * s2 ** (0.5 * (1.0 - p)) / (p - 1.0))


INVERSE_POWER = PairForce(_coefficients, _coefficient, _energy)
