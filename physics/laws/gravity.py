"""Softened gravity: masses attract."""

from physics.kernels.parameters import PairConstants
from physics.laws.base import NOT_NEGATIVE, Law, Parameter
from physics.laws.inverse_power import INVERSE_POWER

GRAVITY = Law(
    formula="m_i a_i = -G m_i sum_j m_j r_ij / (r_ij^2 + eps^2)^(3/2)",
    couplings=("masses",),
    parameters={"eps": Parameter(0.1, NOT_NEGATIVE), "G": Parameter(1.0)},
    pair=INVERSE_POWER,
    constants=lambda values, n_dims: PairConstants(softening=values["eps"], exponent=2.0, scale=-values["G"]),
)
