import numpy as np
import pytest

from physics import State, System, simulate
from physics.laws import LAWS
from physics.observables import (
    accelerations,
    angular_momentum,
    centre_of_mass,
    kinetic_energy,
    momentum,
    particle_energies,
    potential_energy,
    single_frame,
    synchronised_velocities,
    total_energy,
)
from physics.types import Trajectory
from tests.physics.oracle import Kepler
from tests.physics.tolerances import tolerance


def bound_path(n, rng, **choices):
    """Four unequal masses that stay apart, in a frame where nothing is at rest."""
    x = 2.0 * np.eye(4, n) + 0.3 * rng.standard_normal((4, n)) + 3.0 * np.eye(4)[:, 3:] * (np.arange(n) == 0)
    system = System([1.0, -1.0, 1.0, 0.5], rng.uniform(0.5, 2, 4), parameters={"eps": 0.3, "kappa": 0.2})
    return simulate(system, State(x, rng.standard_normal((4, n))), 3.0, n_frames=7, dt=2e-3, **choices)


@pytest.mark.parametrize("n", range(1, 7))
def test_invariants_in_any_dimension(n, rng):
    path = bound_path(n, rng)
    L, P = angular_momentum(path), momentum(path)
    assert L.shape == (7, n, n)
    np.testing.assert_array_equal(L, -L.transpose(0, 2, 1))
    assert np.abs(L - L[0]).max() < tolerance("conserved") * max(1.0, np.abs(L).max())
    assert np.abs(P - P[0]).max() < tolerance("conserved") * max(1.0, np.abs(P).max())
    assert np.ptp(total_energy(path)) < 1e-3 * np.ptp(potential_energy(path))
    drift = centre_of_mass(path)[0] + np.outer(path.times, P[0]) / path.system.masses.sum()
    np.testing.assert_allclose(centre_of_mass(path), drift, atol=1e-11)


@pytest.mark.parametrize("n", range(2, 5))
def test_invariant_checks_bite(n, rng):
    path = bound_path(n, rng)
    assert np.abs(path.positions[-1] - path.positions[0]).max() > 0.1
    kicked = path.velocities.copy()
    kicked[-1, 0, 0] += 1e-9
    wrong = Trajectory(path.times, path.positions, kicked, path.system)
    for quantity in (angular_momentum, momentum):
        values = quantity(wrong)
        assert np.abs(values - values[0]).max() > tolerance("conserved") * max(1.0, np.abs(values).max())


def test_values_by_hand():
    system = System([2.0, -3.0], [1.0, 2.0], parameters={"eps": 0.0})
    state = State([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]], [[0.0, 1.0, 0.0], [3.0, 0.0, 1.0]], 5.0)
    frame = single_frame(system, state)
    np.testing.assert_allclose(kinetic_energy(frame), [0.5 + 10.0])
    np.testing.assert_allclose(potential_energy(frame), [-6.0 / np.sqrt(5.0)])
    np.testing.assert_allclose(momentum(frame), [[6.0, 1.0, 2.0]])
    np.testing.assert_allclose(centre_of_mass(frame), [[1 / 3, 4 / 3, 0.0]])
    L = angular_momentum(frame)[0]
    usual = sum(m * np.cross(x, v) for m, x, v in zip([1, 2], state.positions, state.velocities, strict=True))
    np.testing.assert_allclose([L[1, 2], L[2, 0], L[0, 1]], usual)


def test_accelerations_of_any_number_of_states(rng):
    system = System([1.0, -1.0, 1.0])
    x = rng.standard_normal((19, 3, 2))
    together = accelerations(system, x)
    assert together.shape == x.shape
    for k in range(19):
        assert accelerations(system, x[k : k + 1])[0].tobytes() == together[k].tobytes()


@pytest.mark.parametrize("n", [2, 3, 4])
def test_synchronised_velocities_mend_the_energy_of_symplectic_euler(n):
    orbit = Kepler(e=0.4, n_dims=n, axes=(0, n - 1))
    system = System([1.0, -1.0], orbit.masses, parameters={"eps": 0.0})
    dt = 1e-3
    start = State(*orbit.state(0.0))
    begin = State(start.positions, start.velocities - dt / 2 * accelerations(system, start.positions[None])[0])
    path = simulate(system, begin, 5.0, n_frames=51, integrator="symplectic-euler", dt=dt)
    assert path.velocity_offset == pytest.approx(-dt / 2)
    as_stored = Trajectory(path.times, path.positions, path.velocities, system)  # forgets the offset

    def error(trajectory):
        energies = total_energy(trajectory)
        return np.abs(energies - energies[0]).max()

    assert error(as_stored) > tolerance("synchronised") * error(path)
    np.testing.assert_array_equal(synchronised_velocities(as_stored), path.velocities)
    wrong_way = Trajectory(path.times, path.positions, path.velocities, system, -path.velocity_offset)
    assert error(wrong_way) > tolerance("synchronised") * error(path)
    L = angular_momentum(path)
    assert np.abs(L - L[0]).max() < tolerance("conserved")


@pytest.mark.parametrize("law", LAWS)
def test_the_particles_share_the_energy(law, rng):
    """The shares add up to the whole; halves of the pairs, so equal particles of a pair get equal shares."""
    x, v = rng.standard_normal((2, 3, 4, 3))
    path = Trajectory(np.arange(3.0), x, v, System([1.0, -2.0, 1.0, 0.5], [1.0, 2.0, 0.5, 1.0], law))
    shares = particle_energies(path)
    assert shares.shape == (3, 4)
    np.testing.assert_allclose(shares.sum(1), total_energy(path), rtol=1e-12)
    pair = Trajectory(np.arange(1.0), x[:1, :2], np.zeros((1, 2, 3)), System([1.0, -2.0], [1.0, 2.0], law))
    np.testing.assert_allclose(particle_energies(pair), 0.5 * np.tile(potential_energy(pair), (1, 2)))
