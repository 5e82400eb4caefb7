"""Kicks around the exact motion in a magnetic field and drag, in any dimension."""

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from physics.kernels.parameters import LAW_PARAMETERS, Forces
from physics.sums.accelerations import total_acceleration
from physics.sums.fields import free_flow

FloatArray = NDArray[np.float64]


@kernel
def boris(
    x: FloatArray,
    v: FloatArray,
    forces: Forces,
    a: FloatArray,
    dt: float,
    n_steps: int,
) -> None:
    """Half a kick, the exact free motion in B and drag over dt, half a kick; arguments as leapfrog.

    Notes
    -----
    One force evaluation a step. Gyration and drag alone are exact; without either this is leapfrog.

    **Source** Boris 1970 (kicks around a rotation), as a Strang splitting.
    **Deviations** between the kicks positions and velocities follow the exact motion (a matrix exponential for
    each particle) instead of straight drifts and a rotation by its tangent.
    """
    n, d, lanes = x.shape
    h = 0.5 * dt
    flows = np.zeros((n, lanes, 2, d, d))
    for i in range(n):
        for w in range(lanes):
            if forces.parameters.shape[0] > LAW_PARAMETERS:
                free_flow(forces.charges[i, w], forces.masses[i, w], forces.parameters, d, dt, flows[i, w])
            else:
                for k in range(d):
                    flows[i, w, 0, k, k] = 1.0
                    flows[i, w, 1, k, k] = dt
    moved = np.empty((2, d))
    total_acceleration(x, forces, a)
    for _ in range(n_steps):
        for i in range(n):
            for w in range(lanes):
                flow = flows[i, w]
                for k in range(d):
                    v[i, k, w] += h * a[i, k, w]
                for k in range(d):
                    turned, shift = 0.0, 0.0
                    for j in range(d):
                        turned += flow[0, k, j] * v[i, j, w]
                        shift += flow[1, k, j] * v[i, j, w]
                    moved[0, k] = turned
                    moved[1, k] = shift
                for k in range(d):
                    v[i, k, w] = moved[0, k]
                    x[i, k, w] += moved[1, k]
        total_acceleration(x, forces, a)
        for i in range(n):
            for k in range(d):
                for w in range(lanes):
                    v[i, k, w] += h * a[i, k, w]
