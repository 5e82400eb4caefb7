"""Time steppers on lane blocks (see :mod:`physics.forces` for the layout), and what each claims.

Each kernel advances a block of independent systems by `n_steps` equal steps in place. The tests fit the order,
reverse the time and compare energies for what a row of :data:`INTEGRATORS` claims.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from physics.forces import lane_acceleration
from physics.jit import kernel

FloatArray = NDArray[np.float64]
Step = Callable[[int, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, float, int], None]


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
    n, d, lanes = x.shape
    for _ in range(n_steps):
        lane_acceleration(code, x, q, m, parameters, a)
        for i in range(n):
            for k in range(d):
                for w in range(lanes):
                    v[i, k, w] += dt * a[i, k, w]
                    x[i, k, w] += dt * v[i, k, w]


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
    """Kick-drift-kick (velocity Verlet). Advances x and v in place; arguments as symplectic_euler.

    Notes
    -----
    One force evaluation a step: the closing kick of a step and the opening kick of the next share it.
    """
    n, d, lanes = x.shape
    h = 0.5 * dt
    lane_acceleration(code, x, q, m, parameters, a)
    for _ in range(n_steps):
        for i in range(n):
            for k in range(d):
                for w in range(lanes):
                    v[i, k, w] += h * a[i, k, w]
                    x[i, k, w] += dt * v[i, k, w]
        lane_acceleration(code, x, q, m, parameters, a)
        for i in range(n):
            for k in range(d):
                for w in range(lanes):
                    v[i, k, w] += h * a[i, k, w]


@dataclass(frozen=True)
class Integrator:
    """A stepper and what it claims.

    Attributes
    ----------
    step : callable
        The lane kernel.
    order : int
        Global error falls as dt**order.
    symplectic : bool
        Energy error stays bounded for a conservative law.
    reversible : bool
        Running back with -dt returns to the start up to round-off.
    velocity_offset : float
        Stored velocities belong to t + velocity_offset * dt.
    """

    step: Step
    order: int
    symplectic: bool
    reversible: bool
    velocity_offset: float


INTEGRATORS: dict[str, Integrator] = {
    "symplectic-euler": Integrator(
        symplectic_euler, order=1, symplectic=True, reversible=False, velocity_offset=-0.5
    ),
    "leapfrog": Integrator(leapfrog, order=2, symplectic=True, reversible=True, velocity_offset=0.0),
}
