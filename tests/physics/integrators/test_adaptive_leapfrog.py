"""Leapfrog with steps of its own: second order, retraced backward, bounded energy, two runs as one."""

import numpy as np
import pytest

from physics import State, System, simulate
from physics.errors import InputError, SimulationError
from physics.fields import Fields
from physics.observables import total_energy
from physics.simulate import simulate_batch
from physics.stepping.defaults import shortest_time
from physics.stepping.schedule import Schedule
from tests.physics.integrators.test_gauss_radau import five
from tests.physics.oracle import Kepler
from tests.physics.tolerances import tolerance

ECCENTRIC = Kepler(e=0.9)
PAIR = System([1.0, -1.0], ECCENTRIC.masses, parameters={"eps": 0.0})
START = State(*ECCENTRIC.state(0.0))
NAME = "adaptive-leapfrog"


def run(system, state, duration, **choices):
    return simulate(system, state, duration, integrator=NAME, **choices)


def test_order():
    """Errors at one time of an eccentric orbit; what lies between the steps is of the same order."""
    t = 2.4 * ECCENTRIC.period
    expected, _ = ECCENTRIC.state(t)
    steps = 1e-4 * np.array([8.0, 4.0, 2.0, 1.0])
    errors = [np.abs(run(PAIR, START, t, n_frames=2, dt=dt).positions[-1] - expected).max() for dt in steps]
    assert abs(np.polyfit(np.log(steps), np.log(errors), 1)[0] - 2) < tolerance("order")


def drift(duration):
    """Energy errors after each orbit."""
    times = np.append(ECCENTRIC.period * np.arange(round(duration / ECCENTRIC.period)), duration)
    energies = total_energy(run(PAIR, START, duration, times=times, dt=2e-3))
    return np.abs(energies - energies[0])


def test_energy_error_stays_bounded_over_many_orbits():
    error = drift(200 * ECCENTRIC.period)
    assert error.max() < 0.05
    assert np.median(error[-40:]) < 1.5 * np.median(error[1:41])  # single frames depend on the phase they meet


def naive(system, state, duration, share):
    """The same share of the same time scale, set anew at the start of each step: not the same run backward."""
    from physics.observables import accelerations

    x, v, t = state.positions.copy(), state.velocities.copy(), 0.0
    a = accelerations(system, x[None])[0]
    while t < duration:
        dt = share * shortest_time(system, State(x, v))
        v += 0.5 * dt * a
        x += dt * v
        a = accelerations(system, x[None])[0]
        v += 0.5 * dt * a
        t += dt
    return State(x, v, t)


def test_the_energy_check_bites():
    """Steps without the symmetry add energy with every orbit."""
    energy = float(total_energy(run(PAIR, START, 1e-3, n_frames=2))[0])
    share = 2e-3 / shortest_time(PAIR, START)
    errors = []
    for orbits in (20, 40):
        end = naive(PAIR, START, orbits * ECCENTRIC.period, share)
        errors.append(float(total_energy(run(PAIR, end, 1e-3, n_frames=2))[0]) - energy)
    assert errors[1] / errors[0] == pytest.approx(2.0, rel=0.3)  # a drift
    assert errors[1] > 5 * drift(40 * ECCENTRIC.period).max()


def test_a_run_turned_round_goes_back_over_its_steps():
    system, state = five()
    there = run(system, state, 3.0, n_frames=7)
    back = run(system, there.state(-1), -3.0, n_frames=7)
    assert np.abs(there.positions[-1] - state.positions).max() > 0.5
    np.testing.assert_allclose(back.positions, there.positions[::-1], atol=tolerance("reversal"))
    np.testing.assert_allclose(back.velocities, there.velocities[::-1], atol=10 * tolerance("reversal"))
    forgetful = State(there.positions[-1], there.velocities[-1], 3.0)
    other = run(system, forgetful, -3.0, n_frames=7)
    assert np.abs(other.positions - there.positions[::-1]).max() > 100 * tolerance("reversal")


@pytest.mark.parametrize("cut", [0.004, 1.3, 2.999])
def test_two_runs_have_the_bits_of_one(cut):
    system, state = five()
    whole = run(system, state, 3.0, times=[0.0, cut, 3.0])
    first = run(system, state, cut, times=[0.0, cut])
    second = run(system, first.state(-1), 3.0 - cut, times=[cut, 3.0])
    np.testing.assert_array_equal(second.positions[-1], whole.positions[-1])
    np.testing.assert_array_equal(second.velocities[-1], whole.velocities[-1])
    forgetful = State(first.positions[-1], first.velocities[-1], cut)
    assert (run(system, forgetful, 3.0 - cut, times=[cut, 3.0]).positions[-1] != whole.positions[-1]).any()


def test_output_times_do_not_change_the_steps():
    system, state = five()
    coarse = run(system, state, 3.0, times=[0.0, 1.5, 3.0])
    fine = run(system, state, 3.0, times=np.linspace(0.0, 3.0, 61))
    np.testing.assert_array_equal(coarse.positions, fine.positions[::30])


def test_between_steps_velocity_is_the_slope_of_position():
    h = 1e-4
    times = np.sort(np.concatenate([[0.0], *(at + h * np.array([-1, 0, 1]) for at in np.linspace(0.1, 2.0, 40))]))
    path = run(PAIR, START, times[-1], times=times, dt=1e-3)
    slope = (path.positions[3::3] - path.positions[1:-2:3])[:40] / (2 * h)
    np.testing.assert_allclose(slope, path.velocities[2::3][:40], atol=2e-4)
    for frame in range(2, 60, 9):
        np.testing.assert_allclose(path.positions[frame], ECCENTRIC.state(times[frame])[0], atol=2e-3)


def test_a_trap_sets_the_pace_of_one_particle():
    system = System([0.0], [2.0], fields=Fields(trap=8.0))
    path = run(system, State([[1.0]], [[0.0]]), 5.0, n_frames=6)
    np.testing.assert_allclose(path.positions[:, 0, 0], np.cos(2.0 * path.times), atol=2e-3)


def test_a_batch_is_its_systems():
    runs = [five(seed=s) for s in range(3)]
    x, v = (np.array([getattr(state, name) for _, state in runs]) for name in ("positions", "velocities"))
    q = np.array([system.charges for system, _ in runs])
    schedule = Schedule.through(np.array([0.0, 0.5, 1.0]), 0.01)
    found, _ = simulate_batch(x, v, q, schedule=schedule, integrator=NAME, workers=2)
    for s, (system, state) in enumerate(runs):
        np.testing.assert_array_equal(found[s], run(system, state, 1.0, n_frames=3, dt=0.01).positions)


def test_what_cannot_be():
    with pytest.raises(SimulationError, match=r"near t = 0\.\d+ \(particles 0 and 1, .* apart\).*raise eps"):
        run(PAIR, State([[0.5], [-0.5]], [[0.0], [0.0]]), 1.0)
    with pytest.raises(InputError, match=r"the state's memory must be \(13,\)"):
        run(PAIR, State(START.positions, START.velocities, 0.0, np.zeros(3)), 1.0)
    with pytest.raises(InputError, match="means 1e\\+12 steps"):
        run(PAIR, START, 1.0, dt=1e-12)
