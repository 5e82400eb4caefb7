"""Energy by part, virial, temperature, closest approach, Lyapunov estimate: closed forms and sums."""

import math

import numpy as np
import pytest

from physics import State, System, simulate
from physics.errors import InputError
from physics.fields import Fields
from physics.laws import LAWS
from physics.lyapunov import PERTURBATION, lyapunov_exponent, separation_growth
from physics.observables import (
    accelerations,
    closest_approach,
    energy_parts,
    kinetic_energy,
    potential_energy,
    single_frame,
    temperature,
    total_energy,
    virial,
)
from tests.physics.oracle import Kepler


def frame(system, x, v=None):
    x = np.asarray(x, dtype=float)
    return single_frame(system, State(x, np.zeros_like(x) if v is None else v))


def test_parts_by_hand():
    fields = Fields(electric=[0.5, 0.0], magnetic=[[0.0, 1.0], [-1.0, 0.0]], trap=4.0)
    parameters = {"gravity.eps": 0.0, "gravity.G": 2.0, "coulomb.eps": 0.0, "coulomb.kappa": 1.0}
    system = System([2.0, -3.0], [1.0, 2.0], "gravity+coulomb", parameters, fields)
    parts = energy_parts(frame(system, [[1.0, 0.0], [0.0, 2.0]], [[0.0, 1.0], [3.0, 0.0]]))
    r = math.sqrt(5.0)
    expected = {"kinetic": 9.5, "gravity": -4 / r, "coulomb": -6 / r + 0.25 * 5, "electric": -1.0, "trap": 10.0}
    assert list(parts) == list(expected)
    for name, value in expected.items():
        assert parts[name][0] == pytest.approx(value)
    plain = energy_parts(frame(System([1.0, 1.0]), np.eye(2)))
    assert list(plain) == ["kinetic", "coulomb"]


@pytest.mark.parametrize("law", [*LAWS, "+".join(LAWS)])
def test_parts_add_up(law, rng):
    fields = Fields(electric=[0.1, 0.2, 0.3], trap=0.4)
    system = System(rng.uniform(-2, 2, 4), rng.uniform(0.5, 2, 4), law, fields=fields)
    path = frame(system, rng.standard_normal((4, 3)), rng.standard_normal((4, 3)))
    parts = energy_parts(path)
    assert sum(parts.values())[0] == pytest.approx(total_energy(path)[0], rel=1e-12)
    assert sum(parts.values())[0] - parts["trap"][0] != pytest.approx(total_energy(path)[0], rel=1e-3)


@pytest.mark.parametrize("p", [2.0, 3.0, 2.5, 4.0])
def test_virial_of_a_power_law(p, rng):
    path = frame(System([1.0, -2.0, 1.0], parameters={"p": p, "eps": 0.0}), rng.standard_normal((3, 3)))
    assert virial(path)[0] == pytest.approx((p - 1) * potential_energy(path)[0])


@pytest.mark.parametrize("law", [name for name, row in LAWS.items() if row.conservative])
def test_virial_is_positions_times_forces(law, rng):
    """Whatever the origin: pair forces add up to nought."""
    system = System(rng.uniform(-2, 2, 4), rng.uniform(0.5, 2, 4), law)
    x = rng.standard_normal((4, 3)) + 5.0
    force = system.masses[:, None] * accelerations(system, x[None])[0]
    assert virial(frame(system, x))[0] == pytest.approx(float(np.sum(x * force)), rel=1e-10)


def test_the_virial_theorem():
    orbit = Kepler(e=0.4)
    system = System([1.0, -1.0], orbit.masses, parameters={"eps": 0.0})
    path = simulate(system, State(*orbit.state(0.0)), 3 * orbit.period, n_frames=601, integrator="ias15")
    kinetic, pairs = kinetic_energy(path)[:-1].mean(), virial(path)[:-1].mean()
    assert 2 * kinetic == pytest.approx(-pairs, rel=1e-6)
    assert 2 * kinetic_energy(path)[0] != pytest.approx(-virial(path)[0], rel=0.1)


def test_temperature():
    """Velocities of a given variance have it as their temperature over the mass, in any frame of reference."""
    rng = np.random.default_rng(5)
    for n in (1, 2, 3, 5):
        system = System(np.zeros(4000), 2.0)
        v = 1.5 * rng.standard_normal((4000, n)) + 7.0
        assert temperature(frame(system, rng.standard_normal((4000, n)), v))[0] == pytest.approx(4.5, rel=0.05)
    two = frame(System([0.0, 0.0], [1.0, 3.0]), np.eye(2), [[3.0, 0.0], [-1.0, 0.0]])
    assert temperature(two)[0] == pytest.approx((9.0 + 3.0) / 2)
    with pytest.raises(InputError, match="at least two particles"):
        temperature(frame(System([1.0]), [[0.0]]))


def test_closest_approach():
    path = simulate(
        System([0.0, 0.0]), State([[0.0, 1.0], [4.0, 0.0]], [[1.0, 0.0], [-1.0, 0.0]]), 4.0, n_frames=5
    )
    np.testing.assert_allclose(closest_approach(path), np.hypot(4 - 2 * path.times, 1.0))
    assert np.isinf(closest_approach(frame(System([1.0]), [[0.0]])))


def test_lyapunov_of_a_saddle():
    """Pushed outward with k/m = -4 everything parts as exp(2 t); in a trap nothing does."""
    state = State([[0.1, 0.0], [0.0, -0.1]], np.zeros((2, 2)))
    saddle = System([0.0, 0.0], fields=Fields(trap=-4.0))
    times, growth = separation_growth(saddle, state, 5.0, n_intervals=20, dt=1e-3)
    assert (times[0], growth[0], len(times)) == (0.0, 0.0, 21)
    assert lyapunov_exponent(saddle, state, 5.0, n_intervals=20, dt=1e-3) == pytest.approx(2.0, rel=1e-3)
    bound = System([0.0, 0.0], fields=Fields(trap=4.0))
    assert abs(lyapunov_exponent(bound, state, 4 * np.pi, n_intervals=20, dt=1e-3)) < 0.05
    assert PERTURBATION == 1e-6
    with pytest.raises(InputError, match="n_intervals must be at least 1"):
        separation_growth(saddle, state, 5.0, n_intervals=0)
