"""How fast things happen: the rate that sets an adaptive step, and the worst a system can do to a fixed one."""

import math

import numpy as np
from numpy.typing import NDArray

from physics.errors import InputError
from physics.forces import FORCES
from physics.kernels.fields import LAW_PARAMETERS
from physics.kernels.jit import kernel
from physics.kernels.pairs import (
    bounded_coefficient,
    coupling_of,
    n_terms,
    nearest,
    pair_coefficient,
    pull_of,
    sides_at,
    switch_range,
    term_code,
    term_parameters,
)
from physics.laws import packed_parameters, term_values
from physics.types import State, System

FloatArray = NDArray[np.float64]

SLOWEST = 1e-3
"""Rate of a system in which nothing happens [1/time]."""

LARGEST_COUPLING = 1e100
"""Charges and masses beyond it have no finite force."""
REFERENCE_DT = 0.001
"""Step of the published generator."""
LARGEST_DT = 5e-4
UNSOFTENED_DT = 1e-4
"""No equal step resolves a contact without softening; this one is right for most of the way."""
SHARE = 0.02
"""Of the shortest time scale, for a step of the default fixed steppers."""


@kernel
def shortest_rate(
    code: int, x: FloatArray, v: FloatArray, q: FloatArray, m: FloatArray, parameters: FloatArray
) -> float:
    """1 / (shortest time scale of one system), a smooth function of its state.

    Parameters
    ----------
    x, v : (N, n) float64 [length], [length/time]
    q, m : (N, 1) float64
    parameters : float64
        As packed.

    Notes
    -----
    The fourth root of the sum of rate^4 over pairs and particles, which is close to the largest. A pair's rate^2
    is |c| (1/m + 1/m') + w^2 / s^2: c its force over its distance, w its relative speed, s its softened distance
    (a spring is the same at every distance and has no second term). A particle's is |k| / m in a trap.
    """
    n, d = x.shape
    onset, cutoff = switch_range(parameters, d)
    sides = sides_at(parameters, d)
    trap = abs(parameters[LAW_PARAMETERS + 1]) if parameters.shape[0] > LAW_PARAMETERS else 0.0
    total = SLOWEST**4
    for i in range(n):
        total += (trap / m[i, 0]) ** 2
        for j in range(i + 1, n):
            r2, w2, rate2 = 0.0, 0.0, 0.0
            for k in range(d):
                r = nearest(x[i, k] - x[j, k], parameters, sides, k)
                w = v[i, k] - v[j, k]
                r2 += r * r
                w2 += w * w
            for term in range(n_terms(parameters, d)):
                own_code, own = term_code(code, parameters, d, term), term_parameters(parameters, d, term)
                coupling = coupling_of(own_code, q[i, 0], q[j, 0], m[i, 0], m[j, 0])
                pull = pull_of(own_code, own, n)
                c = bounded_coefficient(own_code, r2, coupling, own, pull, onset, cutoff)
                rate2 += abs(c) * (1.0 / m[i, 0] + 1.0 / m[j, 0])
                if own_code != 3 and coupling != 0.0 and (cutoff == 0.0 or r2 < cutoff * cutoff):
                    rate2 += w2 / (r2 + own[0] * own[0])
            total += rate2 * rate2
    return math.sqrt(math.sqrt(total))


def shortest_time(system: System, state: State) -> float:
    """The shortest time scale of pairs and trap at one moment [time]."""
    packed = packed_parameters(system.law, system.parameters, state.n_dims, system.fields, system.boundary)
    x, v = (np.array(values, dtype=np.float64) for values in (state.positions, state.velocities))
    q, m = (np.ascontiguousarray(values[:, None]) for values in (system.charges, system.masses))
    code = FORCES[next(iter(term_values(system.law, system.parameters)))].code
    return 1.0 / float(shortest_rate(code, x, v, q, m, packed))


def default_dt(system: System, n_dims: int = 3) -> float:
    """A step that resolves the shortest time scale any state of the system can have, in time units.

    Notes
    -----
    0.02 over the fastest of: a head-on passage of the strongest pair through each softened term, the oscillation
    in a spring, under a confinement kappa or in the trap, the gyration, the decay by drag; at most 5e-4.
    `reference` has the published generator's step, an unsoftened term 1e-4.

    Parameters
    ----------
    n_dims : int
        What "gauss" is read for.
    """
    lightest = float(system.masses.min())
    longest = LARGEST_DT
    for name, parameters in term_values(system.law, system.parameters).items():
        if name == "reference":
            return REFERENCE_DT
        if parameters.get("eps") == 0.0:
            longest = min(longest, UNSOFTENED_DT)
            continue
        code, packed = FORCES[name].code, packed_parameters(name, parameters, n_dims)
        if FORCES[name].couplings != "none":
            of = system.masses if FORCES[name].couplings == "masses" else system.charges
            largest = float(np.max(np.abs(of)))
            if largest > LARGEST_COUPLING:
                raise InputError(
                    f"the largest of the {FORCES[name].couplings} is {largest:g}; no step resolves its force"
                )
            strongest = largest**2
            at_contact = abs(float(pair_coefficient(code, 0.0, strongest, packed, 0.0)))
            longest = min(longest, _step(at_contact / lightest))
        longest = min(longest, _step(max(float(parameters.get(key, 0.0)) for key in ("kappa", "k")) / lightest))
    fields = system.fields
    longest = min(longest, _step(abs(fields.trap) / lightest))
    gyration = float(np.linalg.norm(fields.magnetic, 2)) if fields.magnetic.size else 0.0
    fastest = max(gyration * float(np.max(np.abs(system.charges))), fields.drag) / lightest
    return min(longest, _step(fastest**2))


def _step(rate2: float) -> float:
    """The share of a time scale given as the square of its rate."""
    return SHARE / math.sqrt(max(rate2, 1e-12))
