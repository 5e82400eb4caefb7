"""Leapfrog with steps of its own, chosen so that the run back retraces them: energy errors stay bounded.

A step dt = fraction / density follows a density of steps that is integrated along the path instead of being set
anew from the state of each moment,

    density_(n+1/2) = density_(n-1/2) + fraction G(x_n, v_n),   G = d/dt log(rate),

with the rate of :func:`physics.sums.rates.shortest_rate`. Forward and backward this is the same rule. Setting the
step from the state at its start would make each step depend on the direction, and the energy drift.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from physics.integrators.base import HEAD
from physics.kernels.jit import kernel
from physics.kernels.parameters import Forces
from physics.sums.accelerations import total_acceleration
from physics.sums.rates import shortest_rate

FloatArray = NDArray[np.float64]

LARGEST_FRACTION = 0.2
"""Of the shortest time scale a step may be at most; beyond it the rule for the density breaks down."""
DIFFERENCE = 1e-4
"""Half the span, in shortest time scales, over which the rate's slope is taken."""
SMALLEST = 1e-14
"""Steps shorter than this fraction of the run are given up."""


def adaptive_leapfrog_memory(n_particles: int, n_dims: int) -> int:
    """Numbers carried from run to run: a flag, t, dt, density, fraction; x, v at the start of the step begun."""
    return HEAD + 2 * n_particles * n_dims


@kernel
def _acceleration(x: FloatArray, forces: Forces, a: FloatArray) -> None:
    shape = (x.shape[0], x.shape[1], 1)
    total_acceleration(x.reshape(shape), forces, a.reshape(shape))


@kernel
def growth(x: FloatArray, v: FloatArray, a: FloatArray, forces: Forces) -> float:
    """d/dt log(rate) along the motion, by a difference that turns its sign with the direction, bit for bit."""
    span = DIFFERENCE / shortest_rate(x, v, forces)
    after = shortest_rate(x + span * v, v + span * a, forces)
    before = shortest_rate(x - span * v, v - span * a, forces)
    return (math.log(after) - math.log(before)) / (2.0 * span)


class Motion(NamedTuple):
    """Positions, velocities and accelerations of one system, (N, n) float64 each."""

    x: FloatArray
    v: FloatArray
    a: FloatArray


@kernel
def _step(start: Motion, forces: Forces, dt: float, end: Motion) -> None:
    """Kick, drift, kick."""
    n, d = start.x.shape
    for i in range(n):
        for k in range(d):
            end.v[i, k] = start.v[i, k] + 0.5 * dt * start.a[i, k]
            end.x[i, k] = start.x[i, k] + dt * end.v[i, k]
    _acceleration(end.x, forces, end.a)
    for i in range(n):
        for k in range(d):
            end.v[i, k] += 0.5 * dt * end.a[i, k]


@kernel
def adaptive_leapfrog(
    x: FloatArray,
    v: FloatArray,
    forces: Forces,
    times: FloatArray,
    dt: float,
    memory: FloatArray,
    x_out: FloatArray,
    v_out: FloatArray,
) -> int:
    """States of one system at all times; arguments and answer as `physics.integrators.gauss_radau.ias15`.

    Notes
    -----
    `dt` is the first step; the later ones keep its fraction of the shortest time scale, so that the error falls as
    dt^2. One force evaluation a step. Between its ends a step is the one polynomial of fifth degree that meets
    position, velocity and acceleration at both, the same from either end; output times never change the steps.
    Run on in the other direction, a memory goes back over the same steps.

    **Source** Hairer & Soederlind 2005, "Explicit, time reversible, adaptive step size control": the integrating
    controller.
    **Deviations** the logarithmic slope of the rate is taken by a central difference along the motion.
    **Checked by** tests/physics/integrators/test_adaptive_leapfrog.py.
    """
    n, d = x.shape
    direction = 1.0 if times[-1] > times[0] else -1.0
    smallest = SMALLEST * abs(times[-1] - times[0])
    keep = memory[HEAD:].reshape((2, n, d))
    x0, v0 = keep[0], keep[1]
    x1, v1, a0, a1 = np.empty((n, d)), np.empty((n, d)), np.empty((n, d)), np.empty((n, d))
    start, end = Motion(x0, v0, a0), Motion(x1, v1, a1)
    if memory[0] == 0.0:
        x0[:] = x
        v0[:] = v
        _acceleration(x0, forces, a0)
        rate = shortest_rate(x0, v0, forces)
        fraction = min(abs(dt) * rate, LARGEST_FRACTION)
        density = rate + 0.5 * fraction * direction * growth(x0, v0, a0, forces)
        memory[0], memory[1], memory[2] = 1.0, times[0], direction * fraction / density
        memory[3], memory[4] = density, fraction
    t, step, density, fraction = memory[1], memory[2], memory[3], memory[4]
    _acceleration(x0, forces, a0)
    if step * direction < 0.0:  # turned round: the step begun is gone back over from its end
        _step(start, forces, step, end)
        x0[:], v0[:], a0[:] = x1, v1, a1
        t, step = t + step, -step
        memory[1], memory[2] = t, step
    x_out[0] = x
    v_out[0] = v
    frame, steps = 1, 0
    while True:
        if not (density > 0.0 and smallest <= abs(step) < np.inf):
            return -1
        _step(start, forces, step, end)
        while frame < times.shape[0] and direction * (times[frame] - (t + step)) <= 0.0:
            h = (times[frame] - t) / step
            bend, slope = h**3 * (-1.5 + 2.5 * h - h * h), h * h * (-4.5 + 10.0 * h - 5.0 * h * h)
            for i in range(n):
                for k in range(d):
                    change = a1[i, k] - a0[i, k]
                    x_out[frame, i, k] = x0[i, k] + step * (
                        h * (v0[i, k] + 0.5 * h * step * a0[i, k]) + step * bend * change
                    )
                    v_out[frame, i, k] = v0[i, k] + step * (h * a0[i, k] + slope * change)
            frame += 1
        if frame == times.shape[0]:
            return steps  # memory holds the start of this step, so that another run takes it again
        x0[:], v0[:], a0[:] = x1, v1, a1
        t += step
        steps += 1
        density += direction * fraction * growth(x0, v0, a0, forces)
        step = direction * fraction / density
        memory[1], memory[2], memory[3] = t, step, density
