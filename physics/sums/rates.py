"""How fast things happen in a system at one moment: what an adaptive step is chosen by."""

import math

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from physics.kernels.parameters import FIELDS, LAW_PARAMETERS, Forces, n_terms, nearest, periodic_sides, term_of
from physics.sums.pairs import bounded_coefficient, strength_of

FloatArray = NDArray[np.float64]

SLOWEST = 1e-3
"""Rate of a system in which nothing happens [1/time]."""


@kernel
def shortest_rate(x: FloatArray, v: FloatArray, forces: Forces) -> float:
    """1 / (shortest time scale of one system), a smooth function of its state.

    Parameters
    ----------
    x, v : (N, n) float64 [length], [length/time]

    Notes
    -----
    The fourth root of the sum of rate^4 over pairs and particles, which is close to the largest. A pair's rate^2
    is |c| (1/m + 1/m') + w^2 / s^2: c its force over its distance, w its relative speed, s its softened distance
    (a spring is the same at every distance and has no second term). A particle's is |k| / m in a trap.
    """
    n, d = x.shape
    q, m, parameters = forces.charges, forces.masses, forces.parameters
    trap = abs(parameters[FIELDS + 1]) if parameters.shape[0] > LAW_PARAMETERS else 0.0
    sides = periodic_sides(parameters, d)
    total = SLOWEST**4
    for i in range(n):
        total += (trap / m[i, 0]) ** 2
        for j in range(i + 1, n):
            r2, w2, rate2 = 0.0, 0.0, 0.0
            for k in range(d):
                r = nearest(x[i, k] - x[j, k], sides, k)
                w = v[i, k] - v[j, k]
                r2 += r * r
                w2 += w * w
            for term in range(n_terms(parameters, d)):
                law = term_of(parameters, d, n, term)
                strength = strength_of(law, q[i, 0], q[j, 0], m[i, 0], m[j, 0])
                rate2 += abs(bounded_coefficient(law, r2, strength)) * (1.0 / m[i, 0] + 1.0 / m[j, 0])
                if strength != 0.0 and (law.cutoff == 0.0 or r2 < law.cutoff * law.cutoff):
                    rate2 += w2 / (r2 + law.constants.softening * law.constants.softening)
            total += rate2 * rate2
    return math.sqrt(math.sqrt(total))
