"""Numba kernels of one pair at a time, plain scalars: energies of every law, and forces in a periodic box.

The fast pair loop of open space is :func:`physics.forces.lane_acceleration`; what is here serves energies,
virials, step sizes and boxes, where clearness is worth more than the last nanosecond.

Behind the law's own numbers and the fields' (:mod:`physics.kernels.fields`) kernels may find, if the law is a sum
or the space is not open: the number of further terms, code and three numbers of each, then the boundary's code,
onset, cut-off and sides (:func:`physics.laws.packed_parameters`).
"""

import math

import numpy as np
from numpy.typing import NDArray

from physics.kernels.fields import LAW_PARAMETERS
from physics.kernels.jit import kernel

FloatArray = NDArray[np.float64]

PERIODIC = 2
TERM = LAW_PARAMETERS + 1
"""Numbers of a further term: its code and its parameters."""


@kernel
def more_at(d: int) -> int:
    """Where the number of further terms stands, behind the fields."""
    return LAW_PARAMETERS + 2 + d + d * d


@kernel
def n_terms(parameters: FloatArray, d: int) -> int:
    """How many laws add up."""
    more = more_at(d)
    return 1 + int(parameters[more]) if parameters.shape[0] > more else 1


@kernel
def term_code(code: int, parameters: FloatArray, d: int, term: int) -> int:
    """The law of a term."""
    return code if term == 0 else int(parameters[more_at(d) + 1 + TERM * (term - 1)])


@kernel
def term_parameters(parameters: FloatArray, d: int, term: int) -> FloatArray:
    """The three numbers of a term."""
    at = 0 if term == 0 else more_at(d) + 2 + TERM * (term - 1)
    return parameters[at : at + LAW_PARAMETERS]


@kernel
def boundary_at(parameters: FloatArray, d: int) -> int:
    """Where the boundary's numbers begin; the array's end in open space."""
    more = more_at(d)
    if parameters.shape[0] <= more:
        return int(parameters.shape[0])
    return more + 1 + TERM * int(parameters[more])


@kernel
def is_periodic(parameters: FloatArray, d: int) -> bool:
    """Whether pairs see the nearest images."""
    at = boundary_at(parameters, d)
    return bool(at < parameters.shape[0] and parameters[at] == PERIODIC)


@kernel
def pull_of(code: int, parameters: FloatArray, n: int) -> float:
    """kappa/N or k/N of a law that has it."""
    return float(parameters[2]) / n if code == 0 or code == 3 else 0.0


@kernel
def coupling_of(code: int, q_i: float, q_j: float, m_i: float, m_j: float) -> float:
    """What scales a pair's force: q_i q_j (gravity: m_i m_j)."""
    return m_i * m_j if code == 2 else q_i * q_j


@kernel
def pair_energy(code: int, r2: float, coupling: float, parameters: FloatArray, pull: float) -> float:
    """Potential energy of one pair at squared distance `r2`.

    `coupling` is that of :func:`coupling_of`, `pull` is kappa/N or k/N.

    Notes
    -----
    q_i q_j s^(1-p) / (p-1) + (kappa / 2N) r^2 with s = sqrt(r^2 + eps^2); p = 1 (and softcore) gives
    -q_i q_j log s. The `reference` law's energy is that of its unclamped force. Gravity: -G m_i m_j / s;
    spring: (k / 2N) r^2; yukawa: q_i q_j exp(-s / screening) / s.
    """
    s2 = r2 + parameters[0] * parameters[0]
    p = parameters[1]
    energy = 0.0
    if code == 2:
        energy = -parameters[2] * coupling / math.sqrt(s2)
    elif code == 4:
        s = math.sqrt(s2)
        energy = coupling * math.exp(-s / parameters[2]) / s
    elif code == 3:
        energy = 0.0
    elif p == 1.0:
        energy = -0.5 * coupling * math.log(s2)
    elif p == 2.0:
        energy = coupling / math.sqrt(s2)
    else:
        energy = coupling * s2 ** (0.5 * (1.0 - p)) / (p - 1.0)
    return energy + 0.5 * pull * r2


@kernel
def pair_coefficient(code: int, r2: float, coupling: float, parameters: FloatArray, pull: float) -> float:
    """C in the force c r_ij of j on i; arguments as :func:`pair_energy`, of which it is -dU/dr / r."""
    s2 = r2 + parameters[0] * parameters[0]
    p = parameters[1]
    c = 0.0
    if code == 2:
        c = -parameters[2] * coupling / (s2 * math.sqrt(s2))
    elif code == 3:
        c = 0.0
    elif code == 4:
        s = math.sqrt(s2)
        u = s / parameters[2]
        c = coupling * (1.0 + u) * math.exp(-u) / (s2 * s)
    elif p == 2.0:
        c = coupling / (s2 * math.sqrt(s2))
    else:
        c = coupling * s2 ** (-0.5 * (p + 1.0))
    return c - pull


@kernel
def switch(r: float, onset: float, cutoff: float) -> tuple[float, float]:
    """S and dS/dr: 1 up to the onset, 0 from the cut-off on, three continuous derivatives at both."""
    if r <= onset:
        return 1.0, 0.0
    if r >= cutoff:
        return 0.0, 0.0
    width = cutoff - onset
    t = (r - onset) / width
    t3 = t * t * t
    value = 1.0 - t3 * t * (35.0 + t * (-84.0 + t * (70.0 - 20.0 * t)))
    slope = -140.0 * t3 * (1.0 - t) * (1.0 - t) * (1.0 - t) / width
    return value, slope


@kernel
def bounded_energy(
    code: int, r2: float, coupling: float, parameters: FloatArray, pull: float, onset: float, cutoff: float
) -> float:
    """(U(r) - U(cutoff)) S(r): that of :func:`pair_energy`, switched off; as it is where `cutoff` is 0."""
    energy = pair_energy(code, r2, coupling, parameters, pull)
    if cutoff == 0.0:
        return energy
    if r2 >= cutoff * cutoff:
        return 0.0
    value, _ = switch(math.sqrt(r2), onset, cutoff)
    return (energy - pair_energy(code, cutoff * cutoff, coupling, parameters, pull)) * value


@kernel
def bounded_coefficient(
    code: int, r2: float, coupling: float, parameters: FloatArray, pull: float, onset: float, cutoff: float
) -> float:
    """The coefficient that belongs to :func:`bounded_energy`: exactly the law's up to the onset."""
    if cutoff == 0.0 or r2 <= onset * onset:
        return pair_coefficient(code, r2, coupling, parameters, pull)
    if r2 >= cutoff * cutoff:
        return 0.0
    r = math.sqrt(r2)
    value, slope = switch(r, onset, cutoff)
    energy = pair_energy(code, r2, coupling, parameters, pull)
    energy -= pair_energy(code, cutoff * cutoff, coupling, parameters, pull)
    return pair_coefficient(code, r2, coupling, parameters, pull) * value - energy * slope / r


@kernel
def switch_range(parameters: FloatArray, d: int) -> tuple[float, float]:
    """Onset and cut-off of a periodic box; zeros elsewhere."""
    if not is_periodic(parameters, d):
        return 0.0, 0.0
    at = boundary_at(parameters, d)
    return float(parameters[at + 1]), float(parameters[at + 2])


@kernel
def nearest(r: float, parameters: FloatArray, sides_at: int, k: int) -> float:
    """A coordinate of a separation, to the nearest image where `sides_at` is not 0."""
    if sides_at == 0:
        return r
    side = float(parameters[sides_at + k])
    return r - side * math.floor(r / side + 0.5)


@kernel
def sides_at(parameters: FloatArray, d: int) -> int:
    """Where a periodic box's sides stand; 0 elsewhere."""
    return boundary_at(parameters, d) + 3 if is_periodic(parameters, d) else 0


@kernel
def periodic_acceleration(
    code: int,
    term: int,
    x: FloatArray,
    q: FloatArray,
    m: FloatArray,
    parameters: FloatArray,
    a: FloatArray,
) -> None:
    """Add the accelerations of one term in a periodic box.

    Parameters
    ----------
    term : int
        Its place in the sum.
    x, a : (n_particles, n_dims, lanes) float64 [length], [length/time^2]
    q, m : (n_particles, lanes) float64 [charge], [mass]
    """
    n, d, lanes = x.shape
    own_code, own = term_code(code, parameters, d, term), term_parameters(parameters, d, term)
    pull = pull_of(own_code, own, n)
    onset, cutoff = switch_range(parameters, d)
    sides = sides_at(parameters, d)
    r = np.empty(d)
    force = np.empty((n, d))
    for w in range(lanes):
        force[:] = 0.0
        for i in range(n):
            for j in range(i + 1, n):
                r2 = 0.0
                for k in range(d):
                    r[k] = nearest(x[i, k, w] - x[j, k, w], parameters, sides, k)
                    r2 += r[k] * r[k]
                coupling = coupling_of(own_code, q[i, w], q[j, w], m[i, w], m[j, w])
                c = bounded_coefficient(own_code, r2, coupling, own, pull, onset, cutoff)
                for k in range(d):
                    force[i, k] += c * r[k]
                    force[j, k] -= c * r[k]
        for i in range(n):
            for k in range(d):
                f = force[i, k]
                if own_code == 1:
                    f = min(max(f, -own[2]), own[2])
                a[i, k, w] += f / m[i, w]


@kernel
def pair_sums(
    code: int, x: FloatArray, q: FloatArray, m: FloatArray, parameters: FloatArray, term: int, sums: FloatArray
) -> None:
    """Of one term in each state of one system, each particle's half of its pairs' energies and of their r.F.

    Parameters
    ----------
    x : (n_states, n_particles, n_dims) float64 [length]
    q, m : (n_particles,) float64 [charge], [mass]
    sums : (2, n_states, n_particles) float64 [energy]
        Added to: energies, then virials.
    """
    n_states, n, d = x.shape
    own_code, own = term_code(code, parameters, d, term), term_parameters(parameters, d, term)
    pull = pull_of(own_code, own, n)
    onset, cutoff = switch_range(parameters, d)
    sides = sides_at(parameters, d)
    for f in range(n_states):
        for i in range(n):
            for j in range(i + 1, n):
                r2 = 0.0
                for k in range(d):
                    r = nearest(x[f, i, k] - x[f, j, k], parameters, sides, k)
                    r2 += r * r
                coupling = coupling_of(own_code, q[i], q[j], m[i], m[j])
                half = 0.5 * bounded_energy(own_code, r2, coupling, own, pull, onset, cutoff)
                virial = 0.5 * r2 * bounded_coefficient(own_code, r2, coupling, own, pull, onset, cutoff)
                sums[0, f, i] += half
                sums[0, f, j] += half
                sums[1, f, i] += virial
                sums[1, f, j] += virial


@kernel
def potential_energies(
    code: int, x: FloatArray, q: FloatArray, m: FloatArray, parameters: FloatArray, energies: FloatArray
) -> None:
    """Potential energy of each state of one system, the sum of its pairs' over all terms, written into `energies`.

    Parameters
    ----------
    x : (n_states, n_particles, n_dims) float64 [length]
    q, m : (n_particles,) float64 [charge], [mass]
    energies : (n_states,) float64 [energy]
    """
    n_states, n, d = x.shape
    terms = n_terms(parameters, d)
    onset, cutoff = switch_range(parameters, d)
    sides = sides_at(parameters, d)
    energies[:] = 0.0
    for term in range(terms):
        own_code, own = term_code(code, parameters, d, term), term_parameters(parameters, d, term)
        pull = pull_of(own_code, own, n)
        for f in range(n_states):
            total = 0.0
            for i in range(n):
                for j in range(i + 1, n):
                    r2 = 0.0
                    for k in range(d):
                        r = nearest(x[f, i, k] - x[f, j, k], parameters, sides, k)
                        r2 += r * r
                    coupling = coupling_of(own_code, q[i], q[j], m[i], m[j])
                    total += bounded_energy(own_code, r2, coupling, own, pull, onset, cutoff)
            energies[f] += total
