"""Quantities of a trajectory, in any number of dimensions: energies, momenta, virial, temperature, distances.

Velocities are first brought to the time of the positions: an integrator that stores them half a step behind
says so in `Trajectory.velocity_offset`, and -velocity_offset * acceleration is added.
"""

import numpy as np

from physics.errors import InputError
from physics.fields import field_energies
from physics.kernels.parameters import Forces
from physics.laws.names import law_terms
from physics.massless import without_traces
from physics.sums.accelerations import total_acceleration
from physics.sums.lanes import LANES
from physics.sums.pairs import pair_sums, potential_energies
from physics.types import FloatArray, State, System, Trajectory


def accelerations(system: System, positions: FloatArray) -> FloatArray:
    """Acceleration of every particle in each of several states, without forces that depend on velocities.

    Parameters
    ----------
    positions : (n_states, n_particles, n_dims) float64 [length]

    Returns
    -------
    (n_states, n_particles, n_dims) float64 [length/time^2]
    """
    n_states, n, d = positions.shape
    forces = system.forces(d)
    result = np.empty((n_states, n, d))
    for start in range(0, n_states, LANES):
        x = np.array(np.moveaxis(positions[start : start + LANES], 0, -1), order="C")
        q, m = (np.repeat(values, x.shape[-1], axis=1) for values in (forces.charges, forces.masses))
        a = np.empty_like(x)
        total_acceleration(x, Forces(q, m, forces.parameters), a)
        result[start : start + LANES] = np.moveaxis(a, -1, 0)
    return without_traces(result, system.masses)


def synchronised_velocities(trajectory: Trajectory) -> FloatArray:
    """Velocities at the times of the positions, (n_frames, n_particles, n_dims) [length/time]."""
    if trajectory.velocity_offset == 0.0:
        return trajectory.velocities
    shift = -trajectory.velocity_offset
    return trajectory.velocities + shift * accelerations(trajectory.system, trajectory.positions)


def kinetic_energy(trajectory: Trajectory) -> FloatArray:
    """Sum of m v^2 / 2 of each frame, (n_frames,) float64 [energy]."""
    v = synchronised_velocities(trajectory)
    return np.asarray(0.5 * np.einsum("i,fik,fik->f", trajectory.system.masses, v, v))


def potential_energy(trajectory: Trajectory) -> FloatArray:
    """Energy of pairs and fields in each frame, (n_frames,) float64 [energy].

    Of the unclamped force for `reference`; a magnetic field has none.
    """
    energies = np.empty(trajectory.n_frames)
    x = np.ascontiguousarray(trajectory.positions)
    potential_energies(x, _gravitating(trajectory), energies)
    return np.asarray(energies + np.sum(list(_field_energies(trajectory).values()), axis=(0, 2)))


def energy_parts(trajectory: Trajectory) -> dict[str, FloatArray]:
    """The energy of each frame by part, (n_frames,) float64 each [energy].

    Returns
    -------
    dict
        "kinetic", one entry for each law of the sum under its name, "electric" and "trap" where there is one. They
        add up to :func:`total_energy`.
    """
    parts = {"kinetic": kinetic_energy(trajectory)}
    for term, name in enumerate(law_terms(trajectory.system.law)):
        parts[name] = _pair_sums(trajectory, term)[0].sum(axis=1)
    fields = trajectory.system.fields
    own = {"electric": bool(np.any(fields.electric)), "trap": bool(fields.trap)}
    parts |= {name: energies.sum(axis=1) for name, energies in _field_energies(trajectory).items() if own[name]}
    return parts


def virial(trajectory: Trajectory) -> FloatArray:
    """Sum over pairs of r_ij . F_ij in each frame, (n_frames,) float64 [energy].

    Of the unclamped force for `reference`; between nearest images in a periodic box. For a pair energy that falls
    as r^(1-p) it is (p - 1) times the potential energy, and a bound system alone in open space has twice its mean
    kinetic energy as minus its mean (the virial theorem).
    """
    terms = range(len(law_terms(trajectory.system.law)))
    return np.asarray(np.sum([_pair_sums(trajectory, term)[1] for term in terms], axis=(0, 2)))


def temperature(trajectory: Trajectory) -> FloatArray:
    """Twice the kinetic energy in the centre-of-mass frame per degree of freedom, (n_frames,) [energy].

    (N - 1) n degrees of freedom of N particles with mass; Boltzmann's constant is 1.

    Raises
    ------
    InputError
        For one particle with mass, which has none.
    """
    system = trajectory.system
    count = int(np.count_nonzero(system.masses))
    if count < 2:
        raise InputError(f"a temperature needs at least two particles with mass; got {count}")
    v = synchronised_velocities(trajectory)
    v = v - np.einsum("i,fik->fk", system.masses, v)[:, None] / system.masses.sum()
    freedom = (count - 1) * trajectory.n_dims
    return np.asarray(np.einsum("i,fik,fik->f", system.masses, v, v) / freedom)


def closest_approach(trajectory: Trajectory) -> FloatArray:
    """Distance of the closest pair in each frame, (n_frames,) float64 [length]; between nearest images.

    Infinite for one particle. Frames only: what happened between them is not seen.
    """
    x, boundary = trajectory.positions, trajectory.system.boundary
    closest = np.full(trajectory.n_frames, np.inf)
    for i in range(1, x.shape[1]):
        apart = np.linalg.norm(boundary.nearest_images(x[:, :i] - x[:, i : i + 1]), axis=-1)
        closest = np.minimum(closest, apart.min(axis=1))
    return closest


def particle_energies(trajectory: Trajectory) -> FloatArray:
    """Every particle's own energy and half of that of its pairs, (n_frames, n_particles) float64 [energy].

    They add up to :func:`total_energy`.
    """
    terms = range(len(law_terms(trajectory.system.law)))
    energies = sum(_pair_sums(trajectory, term)[0] for term in terms) + sum(_field_energies(trajectory).values())
    v = synchronised_velocities(trajectory)
    return np.asarray(energies + 0.5 * trajectory.system.masses * np.einsum("fik,fik->fi", v, v))


def _field_energies(trajectory: Trajectory) -> dict[str, FloatArray]:
    system = trajectory.system
    return field_energies(system.fields, system.charges, trajectory.positions)


def _pair_sums(trajectory: Trajectory, term: int) -> FloatArray:
    """Energies and virials of one law of the sum, shared by the particles, (2, n_frames, n_particles)."""
    sums = np.zeros((2, *trajectory.positions.shape[:2]))
    x = np.ascontiguousarray(trajectory.positions)
    pair_sums(x, _gravitating(trajectory), term, sums)
    return sums


def _gravitating(trajectory: Trajectory) -> Forces:
    """The forces for energies, to which test particles add nothing."""
    forces = trajectory.system.forces(trajectory.n_dims)
    return forces._replace(masses=trajectory.system.masses[:, None].copy())


def total_energy(trajectory: Trajectory) -> FloatArray:
    """Kinetic plus potential energy of each frame, (n_frames,) float64 [energy]."""
    return kinetic_energy(trajectory) + potential_energy(trajectory)


def momentum(trajectory: Trajectory) -> FloatArray:
    """Total momentum of each frame, (n_frames, n_dims) float64 [mass length/time]."""
    return np.asarray(np.einsum("i,fik->fk", trajectory.system.masses, trajectory.velocities))


def angular_momentum(trajectory: Trajectory) -> FloatArray:
    """Angular momentum about the origin as an antisymmetric matrix, L_ab = sum m (x_a v_b - x_b v_a).

    Returns
    -------
    (n_frames, n_dims, n_dims) float64 [mass length^2/time]
        In three dimensions the usual vector is (L_12, L_20, L_01).
    """
    v = synchronised_velocities(trajectory)
    outer = np.einsum("i,fia,fib->fab", trajectory.system.masses, trajectory.positions, v)
    return np.asarray(outer - outer.transpose(0, 2, 1))


def centre_of_mass(trajectory: Trajectory) -> FloatArray:
    """Mass-weighted mean position of each frame, (n_frames, n_dims) float64 [length]; plain without any mass."""
    m = trajectory.system.masses
    m = m if m.any() else np.ones_like(m)
    return np.asarray(np.einsum("i,fik->fk", m, trajectory.positions) / m.sum())


def single_frame(system: System, state: State, velocity_offset: float = 0.0) -> Trajectory:
    """One state as a trajectory of one frame, so that every quantity here takes it."""
    return Trajectory(
        np.array([state.time]), state.positions[None], state.velocities[None], system, velocity_offset
    )
