"""Leapfrog, kick-drift-kick."""

import numpy as np
from numpy.typing import NDArray

from physics.forces import total_acceleration
from physics.jit import kernel

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
    n, d, lanes = x.shape
    h = 0.5 * dt
    total_acceleration(code, x, q, m, parameters, a)
    for _ in range(n_steps):
        for i in range(n):
            for k in range(d):
                for w in range(lanes):
                    v[i, k, w] += h * a[i, k, w]
                    x[i, k, w] += dt * v[i, k, w]
        total_acceleration(code, x, q, m, parameters, a)
        for i in range(n):
            for k in range(d):
                for w in range(lanes):
                    v[i, k, w] += h * a[i, k, w]
