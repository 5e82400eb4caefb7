"""Symplectic Euler, with the published generator's order of kick and drift."""

import numpy as np
from numpy.typing import NDArray

from physics.forces import total_acceleration
from physics.kernels.fields import LAW_PARAMETERS
from physics.kernels.jit import kernel
from physics.kernels.lane_sums import inverses, kick, passes

FloatArray = NDArray[np.float64]


@kernel
def symplectic_euler(
    code: int,
    x: FloatArray,
    v: FloatArray,
    q: FloatArray,
    m: FloatArray,
    parameters: FloatArray,
    a: FloatArray,
    dt: float,
    n_steps: int,
) -> None:
    """Full kick, then drift: v <- v + dt a(x), x <- x + dt v. Advances x and v in place.

    Parameters
    ----------
    x, v, a : (n_particles, n_dims, lanes) float64
        State, and scratch for the acceleration.
    q, m : (n_particles, lanes) float64
    dt : float [time]
    n_steps : int

    Notes
    -----
    The stored velocity is the one that produced the stored position (half a step behind): this is the
    update of the published charged N-body generator.
    """
    if parameters.shape[0] == LAW_PARAMETERS:  # the law alone: force, kick and drift in one pass
        a[:] = 0.0
        passes(code, x, v, q, m, inverses(m), parameters, a, dt, 0.0, dt, n_steps)
        return
    for _ in range(n_steps):
        total_acceleration(code, x, q, m, parameters, a)
        kick(v, a, dt)
        kick(x, v, dt)
