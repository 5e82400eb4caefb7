"""IAS15: right to round-off, by steps of its own, and two runs that have the bits of one."""

import numpy as np
import pytest

from physics import State, System, simulate
from physics.datasets.presets import draw_state
from physics.errors import EnergyWarning, InputError, SimulationError
from physics.fields import Fields
from physics.integrators import INTEGRATORS
from physics.integrators.radau_polynomial import FROM_POWERS, NODES, TO_POWERS
from physics.observables import kinetic_energy, momentum, potential_energy, total_energy
from physics.simulate import simulate_batch
from physics.stepping.schedule import Schedule
from tests.physics.oracle import Kepler

ECCENTRIC = Kepler(e=0.9)
PAIR = System([1.0, -1.0], ECCENTRIC.masses, parameters={"eps": 0.0})


def energy_error(path):
    """Largest change of the energy over the size of its terms."""
    energy = total_energy(path)
    terms = kinetic_energy(path) + np.abs(potential_energy(path))
    return float((np.abs(energy - energy[0]) / terms).max())


def five(n=3, seed=0, fields=None):
    rng = np.random.default_rng(seed)
    x, v = rng.standard_normal((2, 5, n))
    v *= 0.5 / np.linalg.norm(v, axis=1, keepdims=True)
    system = System(rng.choice([-1.0, 1.0], 5), fields=fields or Fields())
    return system, State(x - x.mean(0), v - v.mean(0))


def test_nodes_and_tables():
    """Gauss-Radau quadrature of eight points is exact for polynomials of degree 14, and not of 15."""
    h = NODES
    weights = np.linalg.solve(np.vander(h, 8, increasing=True).T, 1 / np.arange(1, 9))
    for degree in range(15):
        assert weights @ h**degree == pytest.approx(1 / (degree + 1), abs=1e-13)
    assert abs(weights @ h**15 - 1 / 16) > 1e-10
    np.testing.assert_allclose(TO_POWERS @ FROM_POWERS, np.eye(7), atol=1e-12)


def test_a_hundred_eccentric_orbits():
    times = np.linspace(0.0, 100 * ECCENTRIC.period, 101)
    path = simulate(PAIR, State(*ECCENTRIC.state(0.0)), times[-1], times=times, integrator="ias15")
    errors = [np.abs(path.positions[k] - ECCENTRIC.state(t)[0]).max() for k, t in enumerate(times)]
    assert max(errors) < 1e-9  # round-off alone, growing as t^1.5; leapfrog at a million steps is at 1e-2
    assert energy_error(path) < 1e-13


def test_far_from_the_origin_nothing_is_lost():
    """Positions carry what rounding takes, so that a close pair far away is as right as one at the origin."""
    pair = System([1.0, -1.0], parameters={"eps": 0.0})
    v = [[0.0, np.sqrt(5.0)], [0.0, -np.sqrt(5.0)]]
    near, far = np.array([[0.0625, 0.0], [-0.0625, 0.0]]), np.array([[0.0625, 0.0], [-0.0625, 0.0]]) + 1024.0
    paths = [simulate(pair, State(x, v), 20.0, n_frames=41, integrator="ias15") for x in (near, far)]
    apart = [np.linalg.norm(path.velocities[:, 0] - path.velocities[:, 1], axis=-1) for path in paths]
    assert np.abs(apart[1] - apart[0]).max() < 1e-11  # without, 1e-13 / 0.1 in every force


def drawn(n, seed):
    """Five bodies of the `charged-iso` preset in the centre-of-mass frame."""
    x, v, q = draw_state("charged-iso", 5, n, np.random.default_rng(seed))
    return System(q), State(x - x.mean(0), v - v.mean(0))


@pytest.mark.parametrize("n", [2, 3, 4, 5])
@pytest.mark.parametrize("seed", [0, 2])
def test_energy_of_five_bodies(n, seed):
    path = simulate(*drawn(n, seed), 100.0, n_frames=501, integrator="ias15")
    assert energy_error(path) < 1e-14
    assert np.abs(momentum(path)).max() < 1e-13
    other = simulate(*drawn(n, seed), 10.0, n_frames=51, integrator="leapfrog", dt=1e-3)
    assert energy_error(other) > 1e-10  # the check bites


def test_a_state_within_a_step_is_as_right_as_one_at_its_end():
    """Frames much closer together than the steps: none stands out (read off the polynomial, some do by 4e-15)."""
    path = simulate(*five(fields=Fields(trap=0.5)), 5.0, n_frames=4001, integrator="ias15")
    assert energy_error(path) < 2e-15


@pytest.mark.slow
def test_energy_over_ten_thousand_units_in_a_trap():
    trapped = simulate(*five(fields=Fields(trap=0.5)), 1e4, n_frames=1001, integrator="ias15")
    assert energy_error(trapped) < 1e-14


@pytest.mark.slow
def test_energy_of_an_eccentric_pair_over_ten_thousand_units():
    pair = simulate(PAIR, State(*ECCENTRIC.state(0.0)), 1e4, n_frames=1001, integrator="ias15")
    assert energy_error(pair) < 1e-14


@pytest.mark.parametrize("n", [4, 5])
def test_an_orbit_in_many_dimensions_stays_in_its_plane(n):
    orbit = Kepler(e=0.5, n_dims=n, axes=(n - 1, 1))
    system = System([1.0, -1.0], orbit.masses, parameters={"eps": 0.0})
    path = simulate(system, State(*orbit.state(0.0)), 10 * orbit.period, n_frames=41, integrator="ias15")
    others = [k for k in range(n) if k not in (n - 1, 1)]
    assert (path.positions[..., others] == 0.0).all()


def test_output_times_do_not_change_the_steps():
    system, state = five()
    coarse = simulate(system, state, 5.0, times=[0.0, 2.5, 5.0], integrator="ias15")
    fine = simulate(system, state, 5.0, times=np.linspace(0.0, 5.0, 101), integrator="ias15")
    np.testing.assert_array_equal(coarse.positions, fine.positions[::50])


@pytest.mark.parametrize("cut", [0.004, 1.3, 4.999])
def test_two_runs_have_the_bits_of_one(cut):
    system, state = five()
    whole = simulate(system, state, 5.0, times=[0.0, cut, 5.0], integrator="ias15")
    first = simulate(system, state, cut, times=[0.0, cut], integrator="ias15")
    second = simulate(system, first.state(-1), 5.0 - cut, times=[cut, 5.0], integrator="ias15")
    np.testing.assert_array_equal(second.positions[-1], whole.positions[-1])
    np.testing.assert_array_equal(second.velocities[-1], whole.velocities[-1])
    forgetful = State(first.positions[-1], first.velocities[-1], cut)
    without = simulate(system, forgetful, 5.0 - cut, times=[cut, 5.0], integrator="ias15")
    assert (without.positions[-1] != whole.positions[-1]).any()  # it is the memory that does it
    assert first.state(0).memory is None


def test_back_in_time():
    system, state = five()
    there = simulate(system, state, 5.0, n_frames=11, integrator="ias15")
    for end in (State(there.positions[-1], there.velocities[-1], 5.0), there.state(-1)):
        back = simulate(system, end, -5.0, n_frames=11, integrator="ias15")
        np.testing.assert_allclose(back.positions, there.positions[::-1], atol=1e-9)


def test_an_encounter_that_equal_steps_get_wrong():
    """Two bodies almost head on, unsoftened: they pass at some 5e-7."""
    system = System([1.0, -1.0], parameters={"eps": 0.0})
    state = State([[0.5, 0.0], [-0.5, 0.0]], [[0.0, 5e-4], [0.0, -5e-4]])
    path = simulate(system, state, 2.0, n_frames=21, integrator="ias15")
    assert energy_error(path) < 1e-9
    assert np.abs(path.positions).max() < 0.6
    with pytest.warns(EnergyWarning, match="energy changed by"):
        fixed = simulate(system, state, 2.0, n_frames=21, integrator="leapfrog", dt=1e-4)
    assert energy_error(fixed) > 0.01


def test_fields_and_drag():
    b = np.array([[0.0, 1.0, 0.2], [-1.0, 0.0, 0.0], [-0.2, 0.0, 0.0]])
    system, state = five(fields=Fields([0.3, 0.0, -0.1], b, 0.1, 0.4))
    path = simulate(system, state, 1.0, n_frames=3, integrator="ias15")
    fine = simulate(system, state, 1.0, n_frames=3, integrator="rk4", dt=1e-4)
    np.testing.assert_allclose(path.positions, fine.positions, atol=1e-9)


def test_a_batch_is_its_systems():
    runs = [five(seed=s) for s in range(3)]
    x, v = (np.array([getattr(state, name) for _, state in runs]) for name in ("positions", "velocities"))
    q = np.array([system.charges for system, _ in runs])
    schedule = Schedule.through(np.array([0.0, 0.5, 1.0]), 0.01)
    for workers in (1, 2):
        found, _ = simulate_batch(x, v, q, schedule=schedule, integrator="ias15", workers=workers)
        for s, (system, state) in enumerate(runs):
            alone = simulate(system, state, 1.0, n_frames=3, integrator="ias15", dt=0.01)
            np.testing.assert_array_equal(found[s], alone.positions)


def test_a_free_particle_and_particles_at_rest():
    free = simulate(System([0.0]), State([[0.0, 1.0]], [[1.0, 0.0]]), 3.0, n_frames=4, integrator="ias15")
    np.testing.assert_allclose(free.positions[:, 0], [[0, 1], [1, 1], [2, 1], [3, 1]], atol=1e-14)
    still = simulate(System([0.0, 0.0]), State(np.eye(2), np.zeros((2, 2))), 3.0, n_frames=2, integrator="ias15")
    np.testing.assert_array_equal(still.positions[1], np.eye(2))


def test_what_cannot_be():
    system, state = five()
    with pytest.raises(InputError, match="the state's memory must be"):
        simulate(system, State(state.positions, state.velocities, 0.0, np.zeros(3)), 1.0, integrator="ias15")
    end = simulate(system, state, 1.0, integrator="ias15").state(-1)
    with pytest.raises(InputError, match=r"memory is of a step from t = 0\.9\d* to 1\.\d*; its time is 3"):
        simulate(system, State(end.positions, end.velocities, 3.0, end.memory), 1.0, integrator="ias15")
    with pytest.raises(InputError, match="dt must be positive"):
        simulate(system, state, 1.0, integrator="ias15", dt=0.0)
    head_on = System([1.0, -1.0], parameters={"eps": 0.0})
    with pytest.raises(SimulationError, match=r"the step became too small near t = 0\.\d+.*raise eps"):
        simulate(head_on, State([[0.5], [-0.5]], [[0.0], [0.0]]), 1.0, integrator="ias15")
    assert INTEGRATORS["ias15"].adaptive
    assert not INTEGRATORS["leapfrog"].adaptive
