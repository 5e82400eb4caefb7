"""A 1/r force between charges, with a soft core."""

from physics.kernels.parameters import PairConstants
from physics.laws.base import NOT_NEGATIVE, Law, Parameter
from physics.laws.inverse_power import INVERSE_POWER

SOFTCORE = Law(
    formula="m_i a_i = q_i sum_j q_j r_ij / (r_ij^2 + eps^2)",
    parameters={"eps": Parameter(0.5, NOT_NEGATIVE)},
    pair=INVERSE_POWER,
    constants=lambda values, n_dims: PairConstants(softening=values["eps"], exponent=1.0),
)
