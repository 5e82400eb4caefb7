"""Quantities of a trajectory, in any number of dimensions: energy, momentum, angular momentum, centre of mass.

Velocities are first brought to the time of the positions: an integrator that stores them half a step behind
says so in `Trajectory.velocity_offset`, and -velocity_offset * acceleration is added.
"""

import numpy as np
from numpy.typing import NDArray

from physics.fields import field_energies
from physics.forces import (
    FORCES,
    LANES,
    packed_parameters,
    potential_energies,
    shared_potential_energies,
    total_acceleration,
)
from physics.types import State, System, Trajectory

FloatArray = NDArray[np.float64]


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
    packed = packed_parameters(system.law, system.parameters, d, system.fields)
    result = np.empty((n_states, n, d))
    for start in range(0, n_states, LANES):
        x = np.array(np.moveaxis(positions[start : start + LANES], 0, -1), order="C")
        q, m = (np.repeat(values[:, None], x.shape[-1], axis=1) for values in (system.charges, system.masses))
        a = np.empty_like(x)
        total_acceleration(FORCES[system.law].code, x, q, m, packed, a)
        result[start : start + LANES] = np.moveaxis(a, -1, 0)
    return result


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

    Of the unclamped force for `reference`.
    """
    energies = np.empty(trajectory.n_frames)
    potential_energies(*_pairs_of(trajectory), energies)
    return np.asarray(energies + _field_energies(trajectory).sum(axis=1))


def particle_energies(trajectory: Trajectory) -> FloatArray:
    """Every particle's own energy and half of that of its pairs, (n_frames, n_particles) float64 [energy].

    They add up to :func:`total_energy`.
    """
    energies = np.empty(trajectory.positions.shape[:2])
    shared_potential_energies(*_pairs_of(trajectory), energies)
    energies += _field_energies(trajectory)
    v = synchronised_velocities(trajectory)
    return np.asarray(energies + 0.5 * trajectory.system.masses * np.einsum("fik,fik->fi", v, v))


def _field_energies(trajectory: Trajectory) -> FloatArray:
    system = trajectory.system
    return field_energies(system.fields, system.charges, trajectory.positions)


def _pairs_of(trajectory: Trajectory) -> tuple[int, FloatArray, FloatArray, FloatArray, FloatArray]:
    """What the energy kernels take: code, positions, charges, masses, packed parameters."""
    system = trajectory.system
    packed = packed_parameters(system.law, system.parameters, trajectory.n_dims)
    x = np.ascontiguousarray(trajectory.positions)
    return FORCES[system.law].code, x, system.charges, system.masses, packed


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
    """Mass-weighted mean position of each frame, (n_frames, n_dims) float64 [length]."""
    m = trajectory.system.masses
    return np.asarray(np.einsum("i,fik->fk", m, trajectory.positions) / m.sum())


def single_frame(system: System, state: State, velocity_offset: float = 0.0) -> Trajectory:
    """One state as a trajectory of one frame, so that every quantity here takes it."""
    return Trajectory(
        np.array([state.time]), state.positions[None], state.velocities[None], system, velocity_offset
    )
