"""Passages too fast for the forces to show in time: two particles that fly past each other nearly straight."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from physics.kernels.parameters import Forces, n_terms, nearest, periodic_sides, term_of
from physics.sums.pairs import bounded_coefficient, strength_of

FloatArray = NDArray[np.float64]

NEGLIGIBLE = 1e-12
"""Fraction of their relative speed by which two particles must deflect each other for their passage to count."""


PASSAGE_FRACTION = 0.1
"""Of the time that a passage takes: equal steps of that length sum up its kick to round-off, and half of it to a
thousandth."""


class Passage(NamedTuple):
    """Two particles that fly past each other.

    Attributes
    ----------
    rate : float [1/time]
        Their relative speed over their softened distance at closest approach; 0 where nobody passes.
    time : float [time]
        How long it takes until then.
    i, j : int
        Which they are.
    """

    rate: float
    time: float
    i: int
    j: int


@kernel
def fastest_passage(
    x: FloatArray, v: FloatArray, forces: Forces, duration: float, nearness: float, most_bent: float = 1.0
) -> Passage:
    """The fastest passage of two particles within a time, as they fly now.

    Parameters
    ----------
    x, v : (N, n) float64 [length], [length/time]
    duration : float [time]
        Negative looks back.
    nearness : float
        Fraction of the distance of closest approach that is reckoned with: 1 for straight flight, less where it
        may bend.
    most_bent : float
        Only passages count where the square of the rate that the force gives, which steps follow anyway, is less
        than so many times that of the passage.

    Notes
    -----
    In a periodic box particles that fly farther than half a side may meet any image, head-on.
    """
    n, d = x.shape
    q, m, parameters = forces.charges, forces.masses, forces.parameters
    sides = periodic_sides(parameters, d)
    half = 0.5 * sides.min() if sides.shape[0] > 0 else np.inf
    forward = math.copysign(1.0, duration)
    fastest, when, first, second = 0.0, 0.0, 0, 0
    r, w = np.empty(d), np.empty(d)
    for i in range(n):
        for j in range(i + 1, n):
            w2, along = 0.0, 0.0
            for k in range(d):
                r[k] = nearest(x[i, k] - x[j, k], sides, k)
                w[k] = forward * (v[i, k] - v[j, k])
                w2 += w[k] * w[k]
                along += r[k] * w[k]
            if w2 == 0.0:
                continue
            time, b2 = min(max(-along / w2, 0.0), abs(duration)), 0.0
            for k in range(d):
                b2 += (r[k] + time * w[k]) ** 2
            b2 *= nearness * nearness if w2 * duration * duration < half * half else 0.0
            for term in range(n_terms(parameters, d)):
                law = term_of(parameters, d, n, term)
                strength = strength_of(law, q[i, 0], q[j, 0], m[i, 0], m[j, 0])
                s2 = b2 + law.constants.softening * law.constants.softening
                if strength == 0.0 or s2 == 0.0 or w2 <= fastest * fastest * s2:
                    continue
                bend2 = abs(bounded_coefficient(law, b2, strength)) * (1.0 / m[i, 0] + 1.0 / m[j, 0])
                if NEGLIGIBLE * w2 < bend2 * s2 < most_bent * w2:
                    fastest, when, first, second = math.sqrt(w2 / s2), time, i, j
    return Passage(fastest, when, first, second)


@kernel
def worst_passage(
    x: FloatArray, v: FloatArray, forces: Forces, intervals: FloatArray, steps: FloatArray
) -> tuple[int, Passage]:
    """The passage with the largest product of rate and step, and the frame before it.

    Parameters
    ----------
    x, v : (n_frames, N, n) float64 [length], [length/time]
    intervals, steps : (n_frames - 1,) float64 [time]
        From each frame to the next, and of the integrator in between.
    """
    at, worst = 0, Passage(0.0, 0.0, 0, 0)
    for frame in range(intervals.shape[0]):
        passage = fastest_passage(x[frame], v[frame], forces, intervals[frame], 1.0)
        if passage.rate * abs(steps[frame]) > worst.rate * abs(steps[at]):
            at, worst = frame, passage
    return at, worst


@kernel
def before_passages(x: FloatArray, v: FloatArray, forces: Forces, dt: float) -> float:
    """A step dt, shortened to half the way to a passage that it or the next would leap over.

    An adaptive step sees the forces at its own places only, and nothing of one that is short-ranged or brief. In a
    periodic box it is no longer than the fastest pair needs for half a side.
    """
    n, d = x.shape
    sides = periodic_sides(forces.parameters, d)
    if sides.shape[0] > 0:
        speed2 = 0.0
        for i in range(n):
            total = 0.0
            for k in range(d):
                total += v[i, k] * v[i, k]
            speed2 = max(speed2, total)
        way = 4.0 * math.sqrt(speed2) * abs(dt)
        if way > 0.5 * sides.min():
            dt *= 0.499 * sides.min() / way
    for _ in range(n):
        passage = fastest_passage(x, v, forces, 2.0 * dt, 1.0, np.inf)
        if not (0.0 < passage.time < 2.0 * abs(dt) and passage.rate * abs(dt) > 2.0):
            break
        dt = math.copysign(max(0.5 * passage.time, 0.5 / passage.rate), dt)
    return dt
