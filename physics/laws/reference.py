"""The law of the published charged sets: charges, each Cartesian component of the total force clamped."""

from physics.kernels.parameters import PairConstants
from physics.laws.base import NOT_NEGATIVE, POSITIVE, Law, Parameter
from physics.laws.inverse_power import INVERSE_POWER

REFERENCE_DT = 0.001
"""Step of the published generator [time]."""

REFERENCE_FORCE_LIMIT = 100.0
"""It clamps each Cartesian component of the total force here (0.1 / dt)."""

REFERENCE = Law(
    formula="m_i a_i = clamp(q_i sum_j q_j r_ij / (r_ij^2 + eps^2)^(3/2), +-force_limit per Cartesian component)",
    conservative=False,
    isotropic=False,
    smooth_at_contact=False,
    parameters={
        "force_limit": Parameter(REFERENCE_FORCE_LIMIT, POSITIVE),
        "eps": Parameter(0.0, NOT_NEGATIVE),
    },
    pair=INVERSE_POWER,
    constants=lambda values, n_dims: PairConstants(
        softening=values["eps"], exponent=2.0, limit=values["force_limit"]
    ),
    integrator="symplectic-euler",
    dt=REFERENCE_DT,
)
"""Its energy is that of the unclamped force."""
