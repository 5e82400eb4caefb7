"""Screened charges."""

from math import exp, sqrt

from physics.kernels.jit import kernel
from physics.kernels.parameters import FloatArray, PairConstants
from physics.laws.base import NOT_NEGATIVE, POSITIVE, Law, PairForce, Parameter


@kernel
def _coefficients(constants: PairConstants, s2: FloatArray, count: int) -> None:
    for t in range(count):
        s = sqrt(s2[t])
        u = s / constants.own
        s2[t] = (1.0 + u) * exp(-u) / (s2[t] * s)


@kernel
def _coefficient(strength: float, s2: float, constants: PairConstants) -> float:
    s = sqrt(s2)
    u = s / constants.own
    return float(strength * (1.0 + u) * exp(-u) / (s2 * s))


@kernel
def _energy(strength: float, s2: float, constants: PairConstants) -> float:
    s = sqrt(s2)
    return float(strength * exp(-s / constants.own) / s)


YUKAWA = Law(
    formula="m_i a_i = q_i sum_j q_j (1 + s/screening) exp(-s/screening) r_ij / s^3, s^2 = r_ij^2 + eps^2",
    parameters={"eps": Parameter(0.1, NOT_NEGATIVE), "screening": Parameter(2.0, POSITIVE)},
    pair=PairForce(_coefficients, _coefficient, _energy),
    constants=lambda values, n_dims: PairConstants(softening=values["eps"], own=values["screening"]),
)
