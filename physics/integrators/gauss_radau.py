"""IAS15: a 15th-order Gauss-Radau integrator that chooses its own steps and is right to round-off.

Within a step, with h running from 0 to 1, the acceleration of each coordinate is a polynomial

    a(h) = a_0 + b_0 h + b_1 h^2 + ... + b_6 h^7,

fitted to the true acceleration at the seven Gauss-Radau nodes by a predictor-corrector loop, and integrated
exactly. A state at a time within a step is the end of a shorter step from the same start, fitted on its own, so
that output times never change the steps: read off the long step's polynomial it would be right to fewer digits.

Whatever a step adds up is kept to some thirty digits (:mod:`physics.kernels.double_double`).
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from physics.integrators.base import HEAD
from physics.integrators.radau_polynomial import (
    DEGREE,
    FROM_POWERS,
    NODES,
    TO_POWERS,
    WEIGHTS,
    integral,
    predict,
    shorten,
)
from physics.kernels.double_double import precise_product, precise_sum
from physics.kernels.jit import inlined_kernel, kernel
from physics.kernels.parameters import Forces
from physics.sums.passages import before_passages
from physics.sums.precise import precise_acceleration

FloatArray = NDArray[np.float64]

PRECISION = 1e-12
"""Fraction of the acceleration that the last term of the polynomial should have at most, roughly."""
GROWTH = (5040.0 * PRECISION) ** (1.0 / DEGREE)
"""The next step over the shortest time scale (Pham, Rein & Spiegel, eq. 16)."""
CONVERGED = 1e-16
"""The corrector stops when the last term changes by a smaller fraction of the acceleration."""
MOST_CORRECTIONS = 12
SAFETY = 0.25
"""A step is repeated where the next would be a smaller fraction of it, and grows at most by the inverse."""
NEGLIGIBLE = 1e-14
"""Fraction of the largest speed that a particle's acceleration must change in a step to count for the step."""
SMALLEST = 1e-14
"""Steps shorter than this fraction of the run are given up."""


class Start(NamedTuple):
    """The start of a step, of all coordinates one behind the other; (size,) float64 each.

    Attributes
    ----------
    x, v : [length], [length/time]
    x_lost, v_lost
        Minus what rounding took from x and v.
    a, a_low : [length/time^2]
        Acceleration, and what rounding took from it.
    """

    x: FloatArray
    x_lost: FloatArray
    v: FloatArray
    v_lost: FloatArray
    a: FloatArray
    a_low: FloatArray


def ias15_memory(n_particles: int, n_dims: int) -> int:
    """Numbers carried from run to run: a flag, t, dt, the last dt, t's lost digits; x, v, theirs, b, e."""
    return HEAD + n_particles * n_dims * (4 + 2 * DEGREE)


@inlined_kernel
def acceleration(
    x: FloatArray,
    x_low: FloatArray,
    v: FloatArray,
    forces: Forces,
    shape: tuple[int, int],
    a: FloatArray,
    a_low: FloatArray,
) -> None:
    """Of one system with flat coordinates x + x_low, from everything that acts."""
    precise_acceleration(
        x.reshape(shape), x_low.reshape(shape), v.reshape(shape), forces, a.reshape(shape), a_low.reshape(shape)
    )


@inlined_kernel
def state_within(
    h: float, dt: float, start: Start, b: FloatArray, x: FloatArray, x_low: FloatArray, v: FloatArray
) -> None:
    """State at the fraction h of a step; `x_low` is what rounding took from x."""
    step, step_low = precise_product(h, 0.0, dt, 0.0)
    for i in range(start.x.shape[0]):
        position, speed = 0.0, 0.0
        for k in range(DEGREE - 1, -1, -1):
            position = h * (position + b[k, i] / ((k + 2) * (k + 3)))
            speed = h * (speed + b[k, i] / (k + 2))
        way, way_low = precise_product(step, step_low, start.v[i], -start.v_lost[i])
        way, way_low = precise_sum(way, way_low, step * step * (0.5 * start.a[i] + position), 0.0)
        x[i], x_low[i] = precise_sum(start.x[i], -start.x_lost[i], way, way_low)
        v[i] = start.v[i] + (step * (start.a[i] + speed) - start.v_lost[i])


@inlined_kernel
def shortest_time(start: Start, b: FloatArray, dt: float, d: int) -> float:
    """The shortest time scale of any particle at the end of a step, squared, in steps.

    2 a^2 / (j^2 + |a| |s|) from acceleration a, jerk j and snap s. Derivatives this low are not drowned by
    round-off in close encounters, as the last term of the polynomial is. A particle whose acceleration changes
    nothing of the largest speed does not count: where a force fades in or out smoothly the
    quotient tends to zero.
    """
    a0, v0 = start.a, start.v
    shortest, fastest2 = np.inf, 0.0
    for first in range(0, v0.shape[0], d):
        v2 = 0.0
        for i in range(first, first + d):
            v2 += v0[i] * v0[i]
        fastest2 = max(fastest2, v2)
    for first in range(0, a0.shape[0], d):
        a2, j2, s2 = 0.0, 0.0, 0.0
        for i in range(first, first + d):
            acceleration, jerk, snap = a0[i], 0.0, 0.0
            for k in range(DEGREE):
                acceleration += b[k, i]
                jerk += (k + 1) * b[k, i]
                snap += (k + 1) * k * b[k, i]
            a2 += acceleration * acceleration
            j2 += jerk * jerk
            s2 += snap * snap
        change = j2 + math.sqrt(a2 * s2)
        if a2 * dt * dt < NEGLIGIBLE * NEGLIGIBLE * fastest2:
            continue
        if change > 0.0:
            shortest = min(shortest, 2.0 * a2 / change)
        elif math.isnan(change):
            return np.nan
    return shortest


@kernel
def fit(
    dt: float, start: Start, forces: Forces, shape: tuple[int, int], b: FloatArray, differences: FloatArray
) -> None:
    """Correct the guess b of a step's polynomial until nothing changes.

    Parameters
    ----------
    b : (7, size) float64
        Updated.
    differences : (2, 7, size) float64
        Written: the accelerations at the nodes minus that at the start, and what rounding took from that.
    """
    size = start.x.shape[0]
    g = np.zeros((DEGREE, size))
    a, a_low, x, x_low, v = np.empty(size), np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    for i in range(size):
        for j in range(DEGREE):
            total = 0.0
            for k in range(j, DEGREE):
                total += FROM_POWERS[k, j] * b[k, i]
            g[j, i] = total
    change = 1e300
    for correction in range(MOST_CORRECTIONS):
        before = change
        largest_a, largest_change = 0.0, 0.0
        for node in range(1, DEGREE + 1):
            state_within(NODES[node], dt, start, b, x, x_low, v)
            acceleration(x, x_low, v, forces, shape, a, a_low)
            for i in range(size):
                rise, rise_low = precise_sum(a[i], a_low[i], -start.a[i], -start.a_low[i])
                differences[0, node - 1, i], differences[1, node - 1, i] = rise, rise_low
                new = rise / NODES[node]
                for j in range(node - 1):
                    new = (new - g[j, i]) / (NODES[node] - NODES[j + 1])
                difference = new - g[node - 1, i]
                g[node - 1, i] = new
                for k in range(node):
                    b[k, i] += difference * TO_POWERS[node - 1, k]
                if node == DEGREE:
                    largest_a = max(largest_a, abs(a[i]))
                    largest_change = max(largest_change, abs(difference))
        change = largest_change / largest_a if largest_a > 0.0 else 0.0
        if change < CONVERGED or (correction > 2 and change >= before):
            break


@kernel
def advance(dt: float, start: Start, differences: FloatArray) -> None:
    """Bring the start of a step to its end in place, by quadrature of the accelerations at the nodes.

    The polynomial's b say the same but lose more: each divided difference multiplies what rounding does.
    """
    x, x_lost, v, v_lost, a0, a0_low = start
    dt2, dt2_low = precise_product(dt, 0.0, dt, 0.0)
    for i in range(x.shape[0]):
        place, place_low = integral(WEIGHTS[1], differences, i)
        place, place_low = precise_sum(place, place_low, 0.5 * a0[i], 0.5 * a0_low[i])
        place, place_low = precise_product(place, place_low, dt2, dt2_low)
        speed, speed_low = integral(WEIGHTS[0], differences, i)
        speed, speed_low = precise_sum(speed, speed_low, a0[i], a0_low[i])
        speed, speed_low = precise_product(speed, speed_low, dt, 0.0)
        way, way_low = precise_product(v[i], -v_lost[i], dt, 0.0)
        way, way_low = precise_sum(way, way_low, place, place_low)
        x[i], taken = precise_sum(x[i], -x_lost[i], way, way_low)
        x_lost[i] = -taken
        v[i], taken = precise_sum(v[i], -v_lost[i], speed, speed_low)
        v_lost[i] = -taken


@kernel
def ias15(
    x: FloatArray,
    v: FloatArray,
    forces: Forces,
    times: FloatArray,
    dt: float,
    memory: FloatArray,
    x_out: FloatArray,
    v_out: FloatArray,
) -> int:
    """States of one system at all times.

    Parameters
    ----------
    x, v : (N, n) float64
        At times[0].
    times : (n_frames,) float64, monotonic [time]
    dt : float [time]
        Size of the first step tried.
    memory : (ias15_memory(N, n),) float64
        Zeros for a fresh start, or what an earlier run that ended at times[0] left: it then goes on with the
        same step, and every bit is that of one long run. Updated.
    x_out, v_out : (n_frames, N, n) float64
        Written.

    Returns
    -------
    int
        Steps taken; -1 where the step became too small.

    Notes
    -----
    **Source** Rein & Spiegel 2015, "IAS15" (the scheme of Everhart 1985); steps by Pham, Rein & Spiegel 2024.
    **Deviations** a precision of 1e-12 instead of 1e-9: twice the steps, and energies at round-off.
    **Checked by** tests/physics/integrators/test_gauss_radau.py.
    """
    shape = (x.shape[0], x.shape[1])
    size = x.shape[0] * x.shape[1]
    direction = 1.0 if times[-1] > times[0] else -1.0
    smallest = SMALLEST * abs(times[-1] - times[0])
    keep = memory[HEAD:].reshape((4 + 2 * DEGREE, size))
    a0, a0_low = np.empty(size), np.empty(size)
    start = Start(keep[0], keep[2], keep[1], keep[3], a0, a0_low)
    b_last, e_last = keep[4 : 4 + DEGREE], keep[4 + DEGREE :]
    if memory[2] * direction < 0.0:
        memory[:] = 0.0  # it was on its way in the other direction: nothing to go on with
    if memory[0] == 0.0:
        start.x[:] = x.copy().reshape(size)
        start.v[:] = v.copy().reshape(size)
        memory[0], memory[1], memory[2], memory[3] = 1.0, times[0], direction * abs(dt), 0.0
    t, dt, dt_last = memory[1], memory[2], memory[3]
    t_lost = memory[4]
    b, e, differences = np.zeros((DEGREE, size)), np.zeros((DEGREE, size)), np.zeros((2, DEGREE, size))
    b_part, differences_part = np.zeros((DEGREE, size)), np.zeros((2, DEGREE, size))
    x_at, x_at_lost, v_at, v_at_lost = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    inside = Start(x_at, x_at_lost, v_at, v_at_lost, a0, a0_low)
    x_out[0] = x
    v_out[0] = v
    frame, steps = 1, 0
    acceleration(start.x, -start.x_lost, start.v, forces, shape, a0, a0_low)
    while frame < times.shape[0]:
        dt = before_passages(start.x.reshape(shape), start.v.reshape(shape), forces, dt)
        if dt_last != 0.0:
            predict(dt / dt_last, b, e, b_last, e_last)
        else:
            b[:] = 0.0
            e[:] = 0.0
        fit(dt, start, forces, shape, b, differences)
        factor = min(1.0 / SAFETY, GROWTH * math.sqrt(shortest_time(start, b, dt, shape[1])))
        finite = factor == factor
        if not finite or factor < SAFETY:
            dt *= max(factor, 0.01) if finite else 0.1
            if abs(dt) < smallest:
                return -1
            continue
        while frame < times.shape[0] and direction * (times[frame] - (t + dt)) <= 0.0:
            way = (times[frame] - t) + t_lost
            shorten(way / dt, b, b_part)
            fit(way, start, forces, shape, b_part, differences_part)
            x_at[:], x_at_lost[:], v_at[:], v_at_lost[:] = start.x, start.x_lost, start.v, start.v_lost
            advance(way, inside, differences_part)
            x_out[frame] = x_at.reshape(shape)
            v_out[frame] = v_at.reshape(shape)
            frame += 1
        if frame == times.shape[0]:
            break  # memory holds the start of this step, so that another run takes it again
        advance(dt, start, differences)
        way = dt - t_lost
        after = t + way
        t_lost = (after - t) - way
        t = after
        steps += 1
        dt_last = dt
        dt *= factor
        b_last[:] = b
        e_last[:] = e
        memory[1], memory[2], memory[3], memory[4] = t, dt, dt_last, t_lost
        acceleration(start.x, -start.x_lost, start.v, forces, shape, a0, a0_low)
    memory[2] = dt
    return steps
