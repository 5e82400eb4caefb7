"""Steppers in a reflecting box: their drifts are folded back at the walls, exactly.

Between kicks a particle flies straight and bounces: its path is the straight one of open space folded into the
box, with the component of the velocity turned round at every odd number of bounces along its axis. That is exact
whatever the step, and as reversible as a straight drift. What falls is the order: a kick knows nothing of the
moment of the bounce, so that a particle that is pushed along the wall's normal while it bounces gains or loses
energy in proportion to dt, whatever the method.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from physics.integrators.yoshida import FOURTH, SIXTH
from physics.kernels.jit import kernel
from physics.kernels.parameters import Forces, boundary_at
from physics.sums.accelerations import total_acceleration

FloatArray = NDArray[np.float64]

WHOLE = np.ones(1)
"""Leapfrog as a composition of one step."""


@kernel
def folded_drift(x: FloatArray, v: FloatArray, dt: float, parameters: FloatArray) -> None:
    """Fly for dt between the walls; x, v (n_particles, n_dims, lanes) in place."""
    n, d, lanes = x.shape
    sides = boundary_at(parameters, d) + 3
    for i in range(n):
        for k in range(d):
            half = 0.5 * parameters[sides + k]
            for w in range(lanes):
                y = x[i, k, w] + dt * v[i, k, w]
                if abs(y) <= 3.0 * half:  # one bounce at most, without a rounding more than needed
                    if abs(y) > half:
                        y = math.copysign(2.0 * half, y) - y
                        v[i, k, w] = -v[i, k, w]
                elif abs(y) < np.inf:
                    passed = math.floor((y + half) / (2.0 * half))
                    y = y - 2.0 * half * passed
                    if passed % 2.0 != 0.0:
                        y = -y
                        v[i, k, w] = -v[i, k, w]
                    y = min(max(y, -half), half)
                x[i, k, w] = y


@kernel
def kick(v: FloatArray, a: FloatArray, dt: float) -> None:
    """V <- v + dt a."""
    n, d, lanes = v.shape
    for i in range(n):
        for k in range(d):
            for w in range(lanes):
                v[i, k, w] += dt * a[i, k, w]


@kernel
def composed_in_box(
    x: FloatArray,
    v: FloatArray,
    forces: Forces,
    a: FloatArray,
    dt: float,
    n_steps: int,
    fractions: FloatArray,
) -> None:
    """Kick, folded drift, kick, for dt times each fraction in turn."""
    total_acceleration(x, forces, a)
    for _ in range(n_steps):
        for s in range(fractions.shape[0]):
            h = fractions[s] * dt
            kick(v, a, 0.5 * h)
            folded_drift(x, v, h, forces.parameters)
            total_acceleration(x, forces, a)
            kick(v, a, 0.5 * h)


@kernel
def symplectic_euler_in_box(
    x: FloatArray,
    v: FloatArray,
    forces: Forces,
    a: FloatArray,
    dt: float,
    n_steps: int,
) -> None:
    """Full kick, then folded drift; arguments as `physics.integrators.euler.symplectic_euler`."""
    for _ in range(n_steps):
        total_acceleration(x, forces, a)
        kick(v, a, dt)
        folded_drift(x, v, dt, forces.parameters)


def in_box(fractions: FloatArray) -> Callable[..., None]:
    """Leapfrogs of these fractions of the step, between walls; the arguments are leapfrog's."""

    @kernel
    def steps(
        x: FloatArray,
        v: FloatArray,
        forces: Forces,
        a: FloatArray,
        dt: float,
        n_steps: int,
    ) -> None:
        composed_in_box(x, v, forces, a, dt, n_steps, fractions)

    return steps


leapfrog_in_box, yoshida4_in_box, yoshida6_in_box = in_box(WHOLE), in_box(FOURTH), in_box(SIXTH)
