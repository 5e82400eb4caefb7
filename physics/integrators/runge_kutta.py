"""The classical Runge-Kutta method of fourth order: the plain one, neither symplectic nor reversible."""

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from physics.kernels.parameters import LAW_PARAMETERS, Forces
from physics.sums.accelerations import total_acceleration
from physics.sums.fields import add_velocity_fields

FloatArray = NDArray[np.float64]


@kernel
def rk4(
    x: FloatArray,
    v: FloatArray,
    forces: Forces,
    a: FloatArray,
    dt: float,
    n_steps: int,
) -> None:
    """Four force evaluations a step; arguments as leapfrog."""
    n, d, lanes = x.shape
    x_sum, v_sum = np.empty_like(x), np.empty_like(x)
    x_at, v_at = np.empty_like(x), np.empty_like(x)
    weights = (1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0)
    ahead = (0.5, 0.5, 1.0, 0.0)
    for _ in range(n_steps):
        x_at[:] = x
        v_at[:] = v
        x_sum[:] = x
        v_sum[:] = v
        for stage in range(4):
            total_acceleration(x_at, forces, a)
            if forces.parameters.shape[0] > LAW_PARAMETERS:
                add_velocity_fields(v_at, forces, a)
            weight, h = weights[stage] * dt, ahead[stage] * dt
            for i in range(n):
                for k in range(d):
                    for w in range(lanes):
                        speed = v_at[i, k, w]
                        x_sum[i, k, w] += weight * speed
                        v_sum[i, k, w] += weight * a[i, k, w]
                        x_at[i, k, w] = x[i, k, w] + h * speed
                        v_at[i, k, w] = v[i, k, w] + h * a[i, k, w]
        x[:] = x_sum
        v[:] = v_sum
