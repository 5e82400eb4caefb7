"""Softened charges in any dimension, held together by a weak pull if wanted."""

from collections.abc import Mapping
from typing import Any

from physics.kernels.parameters import PairConstants
from physics.laws.base import NOT_NEGATIVE, Law, Parameter
from physics.laws.inverse_power import INVERSE_POWER


def _constants(values: Mapping[str, Any], n_dims: int) -> PairConstants:
    exponent = float(n_dims - 1 if values["p"] == "gauss" else values["p"])
    return PairConstants(softening=values["eps"], exponent=exponent, confinement=values["kappa"])


COULOMB = Law(
    formula="m_i a_i = q_i sum_j q_j r_ij / (r_ij^2 + eps^2)^((p+1)/2) - (kappa/N) sum_j r_ij",
    parameters={
        "eps": Parameter(0.1, NOT_NEGATIVE),
        "p": Parameter(2.0, or_gauss=True),
        "kappa": Parameter(0.0, NOT_NEGATIVE),
    },
    pair=INVERSE_POWER,
    constants=_constants,
)
