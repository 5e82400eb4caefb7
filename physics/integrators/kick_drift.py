"""The update of the published generators among everything that their sets have: fields, edges, walls, a clamp."""

import numpy as np
from numpy.typing import NDArray

from physics.integrators.walls import folded_drift, kick
from physics.kernels.jit import kernel
from physics.kernels.parameters import Forces, boundary_at
from physics.sums.external import LaneExternal, external_acceleration

FloatArray = NDArray[np.float64]


@kernel
def drift(x: FloatArray, v: FloatArray, forces: Forces, dt: float) -> None:
    """X <- x + dt v, between walls if there are any."""
    if boundary_at(forces.parameters, x.shape[1]) < forces.parameters.shape[0]:
        folded_drift(x, v, dt, forces.parameters)
    else:
        kick(x, v, dt)


@kernel
def kick_drift(
    x: FloatArray, v: FloatArray, forces: Forces, external: LaneExternal, a: FloatArray, dt: float, n_steps: int
) -> None:
    """Full kick by all forces at the old position and velocity, then drift, between walls if there are any.

    Parameters
    ----------
    x, v, a : (n_particles, n_dims, lanes) float64
        State, advanced in place, and scratch for the acceleration.
    forces : Forces
    external : LaneExternal
    dt : float [time]
    n_steps : int

    Notes
    -----
    The stored velocity is the one that produced the stored position, half a step behind, as in
    :func:`physics.integrators.euler.symplectic_euler`. With a magnetic field the update is not symplectic: the
    speed of a free charge grows by half of (q B dt)^2 a step.
    """
    for _ in range(n_steps):
        external_acceleration(x, v, forces, external, True, a)
        kick(v, a, dt)
        drift(x, v, forces, dt)
