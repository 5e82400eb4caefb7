"""Leapfrog, kick-drift-kick."""

import numpy as np
from numpy.typing import NDArray

from physics.forces import total_acceleration
from physics.kernels.fields import LAW_PARAMETERS
from physics.kernels.jit import kernel
from physics.kernels.lane_sums import inverses, kick, passes

FloatArray = NDArray[np.float64]


@kernel
def leapfrog(
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
    """Kick-drift-kick (velocity Verlet), in place; arguments as `physics.integrators.euler.symplectic_euler`.

    Notes
    -----
    One force evaluation a step: the closing kick of a step and the opening kick of the next share it.
    """
    h = 0.5 * dt
    if parameters.shape[0] == LAW_PARAMETERS:  # the law alone: force, kicks and drift in one pass
        a[:] = 0.0
        inverse_mass = inverses(m)
        once = min(n_steps, 1)
        for closing, opening, drift, count in ((0.0, h, dt, once), (h, h, dt, n_steps - 1), (h, 0.0, 0.0, once)):
            passes(code, x, v, q, m, inverse_mass, parameters, a, closing, opening, drift, count)
        return
    total_acceleration(code, x, q, m, parameters, a)
    for _ in range(n_steps):
        kick(v, a, h)
        kick(x, v, dt)
        total_acceleration(code, x, q, m, parameters, a)
        kick(v, a, h)
