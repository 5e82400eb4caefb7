"""Leapfrog, kick-drift-kick."""

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from physics.kernels.parameters import LAW_PARAMETERS, Forces
from physics.sums.accelerations import total_acceleration
from physics.sums.lanes import inverses, kick, passes
from physics.sums.passes import Kicks

FloatArray = NDArray[np.float64]


@kernel
def leapfrog(
    x: FloatArray,
    v: FloatArray,
    forces: Forces,
    a: FloatArray,
    dt: float,
    n_steps: int,
) -> None:
    """Kick-drift-kick (velocity Verlet), in place; arguments as `physics.integrators.euler.symplectic_euler`.

    Notes
    -----
    One force evaluation a step: the closing kick of a step and the opening kick of the next share it.
    """
    h = 0.5 * dt
    if forces.parameters.shape[0] == LAW_PARAMETERS:  # the law alone: force, kicks and drift in one pass
        a[:] = 0.0
        inverse_mass = inverses(forces.masses)
        once = min(n_steps, 1)
        for closing, opening, drift, count in ((0.0, h, dt, once), (h, h, dt, n_steps - 1), (h, 0.0, 0.0, once)):
            passes(x, v, forces, inverse_mass, a, Kicks(closing, opening, drift), count)
        return
    total_acceleration(x, forces, a)
    for _ in range(n_steps):
        kick(v, a, h)
        kick(x, v, dt)
        total_acceleration(x, forces, a)
        kick(v, a, h)
