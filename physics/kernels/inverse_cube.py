"""The inverse cube of a distance, from its square: what the pair forces of the common laws need."""

from typing import Any

from physics.kernels.jit import kernel
from physics.kernels.vectors import constant, fma, fnma, mul, root_seed

GROUP = 16
"""Numbers worked on in lockstep: two AVX-512 registers, so that one's latency hides behind the other's."""

# (1 - e)^(-1/2) for -0.0692 <= e <= 0.0676, what the seed leaves: Chebyshev interpolation, right to 7.7e-7.
S0, S1, S2, S3 = 0.9999992542200361, 0.5000013100682639, 0.37627877982309865, 0.3128024358351471
FARTHEST = 1e150
"""Coordinates beyond this are refused: squared distances would overflow, and infinity has no square root seed."""


@kernel
def inverse_cube(r2: Any) -> Any:
    """r2^(-3/2) to 3e-16, in a third of the time of a root and a division; of a vector, or of several in a tuple.

    Notes
    -----
    y = 1/sqrt(r2) (1 - e)^(1/2) with e = 1 - r2 y^2, first from the bits of r2, then by one series step. The
    second step is that of the cube: r2^(-3/2) = y^3 (1 - e)^(-3/2). Zero gives NaN.

    **Checked by** tests/physics/sums/test_lanes.py.
    """
    one = constant(1.0, r2)
    y = root_seed(r2)
    e = fnma(r2, mul(y, y), one)
    series = fma(fma(constant(S3, r2), e, constant(S2, r2)), e, constant(S1, r2))
    y = mul(y, fma(series, e, constant(S0, r2)))
    y2 = mul(y, y)
    e = fnma(r2, y2, one)
    cube = mul(y2, y)
    return fma(fma(e, constant(1.875, r2), constant(1.5, r2)), mul(cube, e), cube)
