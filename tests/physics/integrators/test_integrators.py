"""What each row of INTEGRATORS claims, measured on a Kepler pair whose orbit is known in closed form."""

import numpy as np
import pytest

from physics import State, System, simulate
from physics.errors import InputError
from physics.integrators import INTEGRATORS
from physics.integrators.base import Integrator
from physics.integrators.leapfrog import leapfrog
from physics.kernels.parameters import Forces
from physics.observables import total_energy
from physics.stepping.batch import pack_lanes
from physics.sums.accelerations import lane_acceleration
from tests.physics.oracle import Kepler
from tests.physics.tolerances import tolerance

ROWS = [pytest.param(row, id=name) for name, row in INTEGRATORS.items() if not row.adaptive]
ORBIT = Kepler()
PAIR = System([1.0, -1.0], ORBIT.masses, parameters={"eps": 0.0})


def explicit_euler(x, v, forces, a, dt, n_steps):
    for _ in range(n_steps):
        lane_acceleration(x, forces, a)
        x += dt * v
        v += dt * a


def flipped_sign(x, v, forces, a, dt, n_steps):
    turned = Forces(-forces.charges * np.array([[1.0], [-1.0]]), forces.masses, forces.parameters)
    leapfrog(x, v, turned, a, dt, n_steps)


def midpoint(x, v, forces, a, dt, n_steps):
    """Second-order Runge-Kutta: the right order, but neither symplectic nor reversible."""
    for _ in range(n_steps):
        lane_acceleration(x, forces, a)
        x_mid, v_mid = x + 0.5 * dt * v, v + 0.5 * dt * a
        lane_acceleration(x_mid, forces, a)
        x += dt * v_mid
        v += dt * a


WRONG = {"explicit-euler": explicit_euler, "flipped-sign": flipped_sign, "midpoint": midpoint}


def advanced(step, x, v, dt, n_steps):
    """Positions and velocities after `n_steps` of a stepper for the pair."""
    x, v = pack_lanes(x[None]), pack_lanes(v[None])
    step(x, v, PAIR.forces(x.shape[1]), np.empty_like(x), dt, n_steps)
    return x[..., 0].copy(), v[..., 0].copy()


def fitted_order(step, order=2):
    t = 0.4 * ORBIT.period
    expected, _ = ORBIT.state(t)
    counts = np.array([250, 500, 1000, 2000]) if order < 6 else np.array([30, 60, 90, 120])  # above round-off
    errors = [np.abs(advanced(step, *ORBIT.state(0), t / n, n)[0] - expected).max() for n in counts]
    return -np.polyfit(np.log(counts), np.log(errors), 1)[0]


@pytest.mark.parametrize("row", ROWS)
def test_order(row):
    assert abs(fitted_order(row.step, row.order) - row.order) < tolerance("order")


@pytest.mark.parametrize(("wrong", "order"), [("explicit-euler", 2), ("flipped-sign", 1), ("flipped-sign", 2)])
def test_order_check_bites(wrong, order):
    assert abs(fitted_order(WRONG[wrong]) - order) > tolerance("order")


def reversal_error(step):
    start = ORBIT.state(0)
    there = advanced(step, *start, 0.02, 50)
    back = advanced(step, *there, -0.02, 50)
    assert np.abs(there[0] - start[0]).max() > 0.1
    return max(np.abs(a - b).max() for a, b in zip(back, start, strict=True))


@pytest.mark.parametrize("row", ROWS)
def test_reversibility_is_what_the_row_claims(row):
    assert (reversal_error(row.step) < tolerance("reversal")) == row.reversible


@pytest.mark.parametrize("wrong", ["explicit-euler", "midpoint"])
def test_reversal_check_bites(wrong):
    assert reversal_error(WRONG[wrong]) > tolerance("reversal")


@pytest.mark.parametrize("name", list(INTEGRATORS))
def test_negative_duration_needs_a_reversible_integrator(name):
    state = State(*ORBIT.state(0))
    if INTEGRATORS[name].reversible:
        there = simulate(PAIR, state, 2.0, n_frames=5, integrator=name)
        back = simulate(PAIR, there.state(-1), -2.0, n_frames=5, integrator=name)
        np.testing.assert_allclose(back.times, there.times[::-1], atol=1e-15)
        np.testing.assert_allclose(back.positions, there.positions[::-1], atol=tolerance("reversal"))
        np.testing.assert_allclose(back.velocities, there.velocities[::-1], atol=tolerance("reversal"))
    else:
        with pytest.raises(InputError, match=f"duration must be positive for integrator '{name}'.*leapfrog"):
            simulate(PAIR, state, -2.0, integrator=name)


def drift(monkeypatch, row):
    """Largest energy error in the last tenth of 60 orbits over that in the first tenth."""
    monkeypatch.setitem(INTEGRATORS, "tried", row)
    duration = 60 * ORBIT.period
    path = simulate(PAIR, State(*ORBIT.state(0)), duration, n_frames=1201, integrator="tried", dt=0.02)
    energies = total_energy(path)[1:]
    error = np.abs(energies - energies[0])
    return error[-120:].max() / error[:120].max()


@pytest.mark.parametrize("row", ROWS)
def test_energy_error_stays_bounded_where_the_row_says_symplectic(row, monkeypatch):
    assert (drift(monkeypatch, row) < tolerance("drift")) == row.symplectic


@pytest.mark.filterwarnings("ignore:energy changed")
@pytest.mark.parametrize("wrong", ["explicit-euler", "midpoint"])
def test_drift_check_bites(wrong, monkeypatch):
    row = Integrator(WRONG[wrong], order=2, symplectic=True, reversible=False, velocity_offset=0.0)
    assert drift(monkeypatch, row) > tolerance("drift")


@pytest.mark.parametrize("row", ROWS)
def test_half_and_half_is_the_whole(row):
    whole = advanced(row.step, *ORBIT.state(0), 1e-2, 50)
    halves = advanced(row.step, *advanced(row.step, *ORBIT.state(0), 1e-2, 25), 1e-2, 25)
    for one, other in zip(whole, halves, strict=True):
        assert one.tobytes() == other.tobytes()


def orbit_error(step):
    count = round(ORBIT.period / 5e-4)
    x, _ = advanced(step, *ORBIT.state(0), ORBIT.period / count, count)
    return np.abs(x - ORBIT.state(0)[0]).max()


def test_kepler_orbit_closes():
    assert orbit_error(leapfrog) < tolerance("orbit")
    for wrong in ("explicit-euler", "flipped-sign"):
        assert orbit_error(WRONG[wrong]) > tolerance("orbit")


@pytest.mark.parametrize("n", [2, 3, 5])
def test_kepler_orbit_in_any_plane(n):
    orbit = Kepler(masses=(0.5, 3.0), e=0.5, n_dims=n, axes=(n - 1, 0))
    system = System([1.0, -1.0], orbit.masses, parameters={"eps": 0.0})
    times = np.linspace(0.0, orbit.period, 9)
    path = simulate(system, State(*orbit.state(0.0)), orbit.period, times=times, dt=1e-4)
    for frame, t in enumerate(times):
        x, v = orbit.state(t)
        np.testing.assert_allclose(path.positions[frame], x, atol=1e-6)
        np.testing.assert_allclose(path.velocities[frame], v, atol=1e-5)
