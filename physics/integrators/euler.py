"""Symplectic Euler, with the published generator's order of kick and drift."""

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from physics.kernels.parameters import LAW_PARAMETERS, Forces
from physics.sums.accelerations import total_acceleration
from physics.sums.lanes import inverses, kick, passes
from physics.sums.passes import Kicks

FloatArray = NDArray[np.float64]


@kernel
def symplectic_euler(
    x: FloatArray,
    v: FloatArray,
    forces: Forces,
    a: FloatArray,
    dt: float,
    n_steps: int,
) -> None:
    """Full kick, then drift: v <- v + dt a(x), x <- x + dt v. Advances x and v in place.

    Parameters
    ----------
    x, v, a : (n_particles, n_dims, lanes) float64
        State, and scratch for the acceleration.
    forces : Forces
    dt : float [time]
    n_steps : int

    Notes
    -----
    The stored velocity is the one that produced the stored position (half a step behind): this is the
    update of the published charged N-body generator.
    """
    if forces.parameters.shape[0] == LAW_PARAMETERS:  # the law alone: force, kick and drift in one pass
        a[:] = 0.0
        passes(x, v, forces, inverses(forces.masses), a, Kicks(dt, 0.0, dt), n_steps)
        return
    for _ in range(n_steps):
        total_acceleration(x, forces, a)
        kick(v, a, dt)
        kick(x, v, dt)
