"""Equal springs between all pairs: nothing but a confinement."""

from physics.kernels.jit import kernel
from physics.kernels.parameters import FloatArray, PairConstants
from physics.laws.base import NOT_NEGATIVE, Law, PairForce, Parameter


@kernel
def _coefficients(constants: PairConstants, s2: FloatArray, count: int) -> None:
    s2[:count] = 0.0


@kernel
def _nothing(strength: float, s2: float, constants: PairConstants) -> float:
    return 0.0


SPRING = Law(
    formula="m_i a_i = -(k/N) sum_j r_ij",
    couplings=(),
    parameters={"k": Parameter(0.5, NOT_NEGATIVE)},
    pair=PairForce(_coefficients, _nothing, _nothing),
    constants=lambda values, n_dims: PairConstants(scale=0.0, confinement=values["k"]),
)
