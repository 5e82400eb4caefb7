"""IAS15: a 15th-order Gauss-Radau integrator that chooses its own steps and is right to round-off.

Within a step, with h running from 0 to 1, the acceleration of each coordinate is a polynomial

    a(h) = a_0 + b_0 h + b_1 h^2 + ... + b_6 h^7,

fitted to the true acceleration at the seven Gauss-Radau nodes by a predictor-corrector loop, and integrated
exactly. A state at a time within a step is the end of a shorter step from the same start, fitted on its own, so
that output times never change the steps: read off the long step's polynomial it would be right to fewer digits.

Whatever a step adds up is kept to some thirty digits (:mod:`physics.kernels.precise`).
"""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from physics.kernels.precise import precise_acceleration, precise_product, precise_sum

FloatArray = NDArray[np.float64]

NODES = np.array(
    [
        0.0,
        0.05626256053692214646565219103231,
        0.18024069173689236498757994280918,
        0.35262471711316963737390777017124,
        0.54715362633055538300144855765235,
        0.73421017721541053152321060830661,
        0.88532094683909576809035976293249,
        0.97752061356128750189117450042919,
    ]
)
"""Roots of the Gauss-Radau polynomial of eight points, as shares of a step."""
DEGREE = 7
PRECISION = 1e-12
"""Share of the acceleration that the last term of the polynomial should have at most, roughly."""
GROWTH = (5040.0 * PRECISION) ** (1.0 / DEGREE)
"""The next step over the shortest time scale (Pham, Rein & Spiegel, eq. 16)."""
CONVERGED = 1e-16
"""The corrector stops when the last term changes by a smaller share of the acceleration."""
MOST_CORRECTIONS = 12
SAFETY = 0.25
"""A step is repeated where the next would be shorter than this share of it, and grows at most by its inverse."""
NEGLIGIBLE = 1e-14
"""Share of its velocity that a particle's acceleration must change in a step to have a say in the step."""
SMALLEST = 1e-14
"""Steps shorter than this share of the way are given up."""


def _newton_to_powers() -> FloatArray:
    """(7, 7): h times the product of (h - h_1) ... (h - h_j), in powers h^1 ... h^7."""
    rows = np.zeros((DEGREE, DEGREE))
    polynomial = np.array([0.0, 1.0])  # h
    for j in range(DEGREE):
        rows[j, : j + 1] = polynomial[1:]
        polynomial = np.convolve(polynomial, [-NODES[j + 1], 1.0])
    return rows


TO_POWERS = _newton_to_powers()
FROM_POWERS = np.linalg.inv(TO_POWERS)
BINOMIALS = np.array([[float(math.comb(j + 1, k + 1)) for j in range(DEGREE)] for k in range(DEGREE)])
"""[k, j] = (j + 1 choose k + 1): a polynomial's coefficients seen from its right end."""


def _weights() -> FloatArray:
    """(2, 2, 7): w and u; int a = a_0 + sum w (a_i - a_0), int (1 - h) a = a_0 / 2 + sum u (a_i - a_0).

    Each as a float64 and what rounding took from it, exact for the nodes as they are rounded: a weight that is
    wrong in its last digit pushes the energy in the same direction at every step.
    """
    nodes = [Fraction(float(h)) for h in NODES]
    weights = np.empty((2, 2, DEGREE))
    for i in range(1, DEGREE + 1):
        powers = [Fraction(1)]  # of the polynomial that is 1 at this node and 0 at the others
        for j in range(DEGREE + 1):
            if j != i:
                shifted = [Fraction(0), *powers]
                kept = [-nodes[j] * p for p in powers] + [Fraction(0)]
                powers = [(a + b) / (nodes[i] - nodes[j]) for a, b in zip(shifted, kept, strict=True)]
        integrals = (
            sum(p / (k + 1) for k, p in enumerate(powers)),
            sum(p / ((k + 1) * (k + 2)) for k, p in enumerate(powers)),
        )
        for which, exact in enumerate(integrals):
            weights[which, 0, i - 1] = float(exact)
            weights[which, 1, i - 1] = float(exact - Fraction(float(exact)))
    return weights


WEIGHTS = _weights()


HEAD = 5
"""Of a memory: a flag, t, dt and two numbers of the integrator's own stand in front of x and v."""


def memory_size(n_particles: int, n_dims: int) -> int:
    """Numbers carried from run to run: a flag, t, dt, the last dt, t's lost digits; x, v, theirs, b, e."""
    return HEAD + n_particles * n_dims * (4 + 2 * DEGREE)


@kernel
def acceleration(
    code: int,
    x: FloatArray,
    x_low: FloatArray,
    v: FloatArray,
    q: FloatArray,
    m: FloatArray,
    parameters: FloatArray,
    shape: tuple[int, int],
    a: FloatArray,
    a_low: FloatArray,
) -> None:
    """Of one system with flat coordinates x + x_low, from everything that acts."""
    precise_acceleration(
        code,
        x.reshape(shape),
        x_low.reshape(shape),
        v.reshape(shape),
        q,
        m,
        parameters,
        a.reshape(shape),
        a_low.reshape(shape),
    )


@kernel
def state_within(
    h: float,
    dt: float,
    x0: FloatArray,
    x_lost: FloatArray,
    v0: FloatArray,
    v_lost: FloatArray,
    a0: FloatArray,
    b: FloatArray,
    x: FloatArray,
    x_low: FloatArray,
    v: FloatArray,
) -> None:
    """State at the share h of a step; `x_low` is what rounding took from x."""
    step, step_low = precise_product(h, 0.0, dt, 0.0)
    for i in range(x0.shape[0]):
        position, speed = 0.0, 0.0
        for k in range(DEGREE - 1, -1, -1):
            position = h * (position + b[k, i] / ((k + 2) * (k + 3)))
            speed = h * (speed + b[k, i] / (k + 2))
        way, way_low = precise_product(step, step_low, v0[i], -v_lost[i])
        way, way_low = precise_sum(way, way_low, step * step * (0.5 * a0[i] + position), 0.0)
        x[i], x_low[i] = precise_sum(x0[i], -x_lost[i], way, way_low)
        v[i] = v0[i] + (step * (a0[i] + speed) - v_lost[i])


@kernel
def predict(ratio: float, b: FloatArray, e: FloatArray, b_from: FloatArray, e_from: FloatArray) -> None:
    """Guess b of a step `ratio` times as long as the last: its polynomial carried on, plus the last miss."""
    for i in range(b.shape[1]):
        power = 1.0
        for k in range(DEGREE):
            power *= ratio
            carried = 0.0
            for j in range(k, DEGREE):
                carried += BINOMIALS[k, j] * b_from[j, i]
            e[k, i] = power * carried
            b[k, i] = e[k, i] + (b_from[k, i] - e_from[k, i])


@kernel
def shortest_time(a0: FloatArray, b: FloatArray, v0: FloatArray, dt: float, d: int) -> float:
    """The shortest time scale of any particle at the end of a step, squared, in steps.

    2 a^2 / (j^2 + |a| |s|) from acceleration a, jerk j and snap s. Derivatives this low are not drowned by
    round-off in close encounters, as the last term of the polynomial is. A particle whose acceleration changes
    nothing of its velocity sets no pace: where a force fades out smoothly the quotient goes to nought.
    """
    shortest = np.inf
    for first in range(0, a0.shape[0], d):
        a2, j2, s2, v2 = 0.0, 0.0, 0.0, 0.0
        for i in range(first, first + d):
            acceleration, jerk, snap = a0[i], 0.0, 0.0
            for k in range(DEGREE):
                acceleration += b[k, i]
                jerk += (k + 1) * b[k, i]
                snap += (k + 1) * k * b[k, i]
            a2 += acceleration * acceleration
            j2 += jerk * jerk
            s2 += snap * snap
            v2 += v0[i] * v0[i]
        change = j2 + math.sqrt(a2 * s2)
        if a2 * dt * dt < NEGLIGIBLE * NEGLIGIBLE * v2:
            continue
        if change > 0.0:
            shortest = min(shortest, 2.0 * a2 / change)
        elif math.isnan(change):
            return np.nan
    return shortest


@kernel
def integral(weights: FloatArray, apart: FloatArray, i: int) -> tuple[float, float]:
    """Sum of the weights, (2, 7), times column i of (2, 7, size), and what rounding took from it."""
    total, low = 0.0, 0.0
    for k in range(DEGREE):
        part, part_low = precise_product(weights[0, k], weights[1, k], apart[0, k, i], apart[1, k, i])
        total, low = precise_sum(total, low, part, part_low)
    return total, low


@kernel
def fit(
    code: int,
    dt: float,
    x0: FloatArray,
    x_lost: FloatArray,
    v0: FloatArray,
    v_lost: FloatArray,
    a0: FloatArray,
    a0_low: FloatArray,
    q: FloatArray,
    m: FloatArray,
    parameters: FloatArray,
    shape: tuple[int, int],
    b: FloatArray,
    apart: FloatArray,
) -> None:
    """Correct the guess b of a step's polynomial until nothing changes.

    Parameters
    ----------
    b : (7, size) float64
        Updated.
    apart : (2, 7, size) float64
        Written: the accelerations at the nodes minus a_0, and what rounding took from that.
    """
    size = x0.shape[0]
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
            state_within(NODES[node], dt, x0, x_lost, v0, v_lost, a0, b, x, x_low, v)
            acceleration(code, x, x_low, v, q, m, parameters, shape, a, a_low)
            for i in range(size):
                rise, rise_low = precise_sum(a[i], a_low[i], -a0[i], -a0_low[i])
                apart[0, node - 1, i], apart[1, node - 1, i] = rise, rise_low
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
def shorten(share: float, b: FloatArray, part: FloatArray) -> None:
    """The polynomial of the first share of a step."""
    for i in range(b.shape[1]):
        power = 1.0
        for k in range(DEGREE):
            power *= share
            part[k, i] = power * b[k, i]


@kernel
def advance(
    dt: float,
    a0: FloatArray,
    a0_low: FloatArray,
    apart: FloatArray,
    x: FloatArray,
    x_lost: FloatArray,
    v: FloatArray,
    v_lost: FloatArray,
) -> None:
    """From the start of a step to its end, by quadrature of the accelerations at the nodes.

    The polynomial's b say the same but lose more: each divided difference multiplies what rounding does.
    """
    dt2, dt2_low = precise_product(dt, 0.0, dt, 0.0)
    for i in range(x.shape[0]):
        place, place_low = integral(WEIGHTS[1], apart, i)
        place, place_low = precise_sum(place, place_low, 0.5 * a0[i], 0.5 * a0_low[i])
        place, place_low = precise_product(place, place_low, dt2, dt2_low)
        speed, speed_low = integral(WEIGHTS[0], apart, i)
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
    code: int,
    x: FloatArray,
    v: FloatArray,
    q: FloatArray,
    m: FloatArray,
    parameters: FloatArray,
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
    q, m : (N, 1) float64
    times : (n_frames,) float64, monotonic [time]
    dt : float [time]
        Size of the first step tried.
    memory : (memory_size(N, n),) float64
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
    x0, v0, x_lost, v_lost = keep[0], keep[1], keep[2], keep[3]
    b_last, e_last = keep[4 : 4 + DEGREE], keep[4 + DEGREE :]
    if memory[2] * direction < 0.0:
        memory[:] = 0.0  # it was on its way in the other direction: nothing to go on with
    if memory[0] == 0.0:
        x0[:] = x.copy().reshape(size)
        v0[:] = v.copy().reshape(size)
        memory[0], memory[1], memory[2], memory[3] = 1.0, times[0], direction * abs(dt), 0.0
    t, dt, dt_last = memory[1], memory[2], memory[3]
    t_lost = memory[4]
    b, e, apart = np.zeros((DEGREE, size)), np.zeros((DEGREE, size)), np.zeros((2, DEGREE, size))
    b_part, apart_part = np.zeros((DEGREE, size)), np.zeros((2, DEGREE, size))
    a0, a0_low = np.empty(size), np.empty(size)
    x_at, x_at_lost, v_at, v_at_lost = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    x_out[0] = x
    v_out[0] = v
    frame, steps = 1, 0
    acceleration(code, x0, -x_lost, v0, q, m, parameters, shape, a0, a0_low)
    while frame < times.shape[0]:
        if dt_last != 0.0:
            predict(dt / dt_last, b, e, b_last, e_last)
        else:
            b[:] = 0.0
            e[:] = 0.0
        fit(code, dt, x0, x_lost, v0, v_lost, a0, a0_low, q, m, parameters, shape, b, apart)
        factor = min(1.0 / SAFETY, GROWTH * math.sqrt(shortest_time(a0, b, v0, dt, shape[1])))
        finite = factor == factor
        if not finite or factor < SAFETY:
            dt *= max(factor, 0.01) if finite else 0.1
            if abs(dt) < smallest:
                return -1
            continue
        while frame < times.shape[0] and direction * (times[frame] - (t + dt)) <= 0.0:
            way = (times[frame] - t) + t_lost
            shorten(way / dt, b, b_part)
            fit(code, way, x0, x_lost, v0, v_lost, a0, a0_low, q, m, parameters, shape, b_part, apart_part)
            x_at[:], x_at_lost[:], v_at[:], v_at_lost[:] = x0, x_lost, v0, v_lost
            advance(way, a0, a0_low, apart_part, x_at, x_at_lost, v_at, v_at_lost)
            x_out[frame] = x_at.reshape(shape)
            v_out[frame] = v_at.reshape(shape)
            frame += 1
        if frame == times.shape[0]:
            break  # memory holds the start of this step, so that another run takes it again
        advance(dt, a0, a0_low, apart, x0, x_lost, v0, v_lost)
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
        acceleration(code, x0, -x_lost, v0, q, m, parameters, shape, a0, a0_low)
    memory[2] = dt
    return steps
