"""One pair at a time, plain scalars: energies and virials under every law, and forces in a periodic box.

The fast pair loop of open space is :func:`physics.sums.lanes.passes`; what is here serves energies, virials, step
sizes and boxes, where clearness is worth more than the last nanosecond.
"""

import math

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from physics.kernels.parameters import Forces, Term, n_terms, nearest, periodic_sides, term_of
from physics.laws import pair_coefficient, pair_energy

FloatArray = NDArray[np.float64]


@kernel
def strength_of(term: Term, q_i: float, q_j: float, m_i: float, m_j: float) -> float:
    """What scales the force of a pair: the product of its charges or masses, times the law's factor."""
    return term.constants.scale * (m_i * m_j if term.by_mass else q_i * q_j)


@kernel
def open_energy(term: Term, r2: float, strength: float) -> float:
    """Potential energy of one pair at squared distance `r2`, in open space."""
    eps = term.constants.softening
    energy = pair_energy(term.form, strength, r2 + eps * eps, term.constants)
    return float(energy + 0.5 * term.pull * r2)


@kernel
def open_coefficient(term: Term, r2: float, strength: float) -> float:
    """C in the force c r_ij of j on i, in open space: -dU/dr / r of :func:`open_energy`."""
    eps = term.constants.softening
    c = pair_coefficient(term.form, strength, r2 + eps * eps, term.constants)
    return float(c - term.pull)


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
def bounded_energy(term: Term, r2: float, strength: float) -> float:
    """(U(r) - U(cutoff)) S(r): that of :func:`open_energy`, switched off; as it is in open space."""
    energy = open_energy(term, r2, strength)
    if term.cutoff == 0.0:
        return energy
    if r2 >= term.cutoff * term.cutoff:
        return 0.0
    value, _ = switch(math.sqrt(r2), term.onset, term.cutoff)
    return (energy - open_energy(term, term.cutoff * term.cutoff, strength)) * value


@kernel
def bounded_coefficient(term: Term, r2: float, strength: float) -> float:
    """The coefficient that belongs to :func:`bounded_energy`: exactly the law's up to the onset."""
    if term.cutoff == 0.0 or r2 <= term.onset * term.onset:
        return open_coefficient(term, r2, strength)
    if r2 >= term.cutoff * term.cutoff:
        return 0.0
    r = math.sqrt(r2)
    value, slope = switch(r, term.onset, term.cutoff)
    energy = open_energy(term, r2, strength)
    energy -= open_energy(term, term.cutoff * term.cutoff, strength)
    return open_coefficient(term, r2, strength) * value - energy * slope / r


@kernel
def periodic_acceleration(term: int, x: FloatArray, forces: Forces, a: FloatArray) -> None:
    """Add the accelerations of one law of the sum in a periodic box.

    Parameters
    ----------
    term : int
        Its place in the sum.
    x, a : (n_particles, n_dims, lanes) float64 [length], [length/time^2]
    """
    n, d, lanes = x.shape
    q, m = forces.charges, forces.masses
    law, sides = term_of(forces.parameters, d, n, term), periodic_sides(forces.parameters, d)
    limit = law.constants.limit
    r = np.empty(d)
    force = np.empty((n, d))
    for w in range(lanes):
        force[:] = 0.0
        for i in range(n):
            for j in range(i + 1, n):
                r2 = 0.0
                for k in range(d):
                    r[k] = nearest(x[i, k, w] - x[j, k, w], sides, k)
                    r2 += r[k] * r[k]
                c = bounded_coefficient(law, r2, strength_of(law, q[i, w], q[j, w], m[i, w], m[j, w]))
                for k in range(d):
                    force[i, k] += c * r[k]
                    force[j, k] -= c * r[k]
        for i in range(n):
            for k in range(d):
                f = force[i, k]
                if limit < np.inf:
                    f = min(max(f, -limit), limit)
                a[i, k, w] += f / m[i, w]


@kernel
def pair_sums(x: FloatArray, forces: Forces, term: int, sums: FloatArray) -> None:
    """Of one law in each state of one system, each particle's half of its pairs' energies and of their r.F.

    Parameters
    ----------
    x : (n_states, n_particles, n_dims) float64 [length]
    forces : Forces
        charges, masses : (n_particles, 1)
    sums : (2, n_states, n_particles) float64 [energy]
        Added to: energies, then virials.
    """
    n_states, n, d = x.shape
    q, m = forces.charges[:, 0], forces.masses[:, 0]
    law, sides = term_of(forces.parameters, d, n, term), periodic_sides(forces.parameters, d)
    for f in range(n_states):
        for i in range(n):
            for j in range(i + 1, n):
                r2 = 0.0
                for k in range(d):
                    r = nearest(x[f, i, k] - x[f, j, k], sides, k)
                    r2 += r * r
                strength = strength_of(law, q[i], q[j], m[i], m[j])
                half = 0.5 * bounded_energy(law, r2, strength)
                virial = 0.5 * r2 * bounded_coefficient(law, r2, strength)
                sums[0, f, i] += half
                sums[0, f, j] += half
                sums[1, f, i] += virial
                sums[1, f, j] += virial


@kernel
def potential_energies(x: FloatArray, forces: Forces, energies: FloatArray) -> None:
    """Potential energy of each state of one system, of all pairs under all laws, written into `energies`.

    Parameters
    ----------
    x : (n_states, n_particles, n_dims) float64 [length]
    forces : Forces
        charges, masses : (n_particles, 1)
    energies : (n_states,) float64 [energy]
    """
    n_states, n, d = x.shape
    q, m = forces.charges[:, 0], forces.masses[:, 0]
    sides = periodic_sides(forces.parameters, d)
    energies[:] = 0.0
    for term in range(n_terms(forces.parameters, d)):
        law = term_of(forces.parameters, d, n, term)
        for f in range(n_states):
            total = 0.0
            for i in range(n):
                for j in range(i + 1, n):
                    r2 = 0.0
                    for k in range(d):
                        r = nearest(x[f, i, k] - x[f, j, k], sides, k)
                        r2 += r * r
                    total += bounded_energy(law, r2, strength_of(law, q[i], q[j], m[i], m[j]))
            energies[f] += total
