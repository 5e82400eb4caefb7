"""What `simulate()` chooses by itself, how right it says it is, and when it warns."""

import numpy as np
import pytest

from physics import State, System, simulate
from physics.boundaries import OPEN, Boundary
from physics.errors import EnergyWarning
from physics.fields import Fields
from physics.integrators import INTEGRATORS
from physics.stepping.defaults import default_dt, default_integrator, shortest_time
from physics.stepping.guards import energy_change
from tests.physics.integrators.test_gauss_radau import five
from tests.physics.oracle import Kepler

TURNING = Fields(magnetic=[[0.0, 2.0], [-2.0, 0.0]])
WALLS = Boundary("reflecting", 4.0)


@pytest.mark.parametrize(
    ("law", "fields", "boundary", "singular", "expected"),
    [
        ("coulomb", Fields(), OPEN, False, "leapfrog"),
        ("gravity+spring", Fields(trap=1.0), OPEN, False, "leapfrog"),
        ("coulomb", TURNING, OPEN, False, "boris"),
        ("coulomb", Fields(drag=0.1), Boundary("periodic", 4.0), False, "boris"),
        ("coulomb", Fields(), OPEN, True, "ias15"),
        ("coulomb", TURNING, OPEN, True, "ias15"),
        ("coulomb", Fields(), WALLS, True, "leapfrog"),
        ("reference", Fields(), OPEN, True, "symplectic-euler"),
        ("reference+spring", Fields(), OPEN, True, "symplectic-euler"),
    ],
)
def test_the_default_integrator_takes_what_it_is_given(law, fields, boundary, singular, expected):
    assert default_integrator(law, fields, boundary, singular=singular) == expected
    row = INTEGRATORS[expected]
    assert row.takes_velocity_forces or not fields.on_velocity
    assert row.takes_walls or not boundary.reflects


def test_an_unsoftened_encounter_is_resolved_by_default():
    orbit = Kepler(e=0.999)
    system = System([1.0, -1.0], orbit.masses, parameters={"eps": 0.0})
    path = simulate(system, State(*orbit.state(0.5 * orbit.period)), orbit.period, n_frames=5)
    assert path.memory is not None  # it was ias15
    assert np.abs(path.positions[-1] - path.positions[0]).max() < 1e-8
    with pytest.warns(EnergyWarning, match="energy changed by .* choose integrator 'ias15'"):
        fixed = simulate(system, State(*orbit.state(0.5 * orbit.period)), orbit.period, n_frames=5, dt=1e-3)
    assert np.abs(fixed.positions[-1] - fixed.positions[0]).max() > 1e-2


SLOW = {"eps": 10.0}


@pytest.mark.parametrize(
    ("faster", "factor"),
    [
        ({"parameters": {**SLOW, "kappa": 4e4}}, 0.2),
        ({"parameters": {"eps": 0.01}}, 0.04),
        ({"parameters": {"eps": 0.05, "p": 5.0}}, 0.005),
        ({"parameters": {"eps": 0.01, "p": 1.0}}, 0.4),
        ({"parameters": SLOW, "fields": Fields(trap=4e4)}, 0.2),
        ({"parameters": SLOW, "fields": Fields(trap=-4e4)}, 0.2),
        ({"parameters": SLOW, "fields": Fields(magnetic=[[0.0, 200.0], [-200.0, 0.0]])}, 0.2),
        ({"parameters": SLOW, "fields": Fields(drag=200.0)}, 0.2),
        ({"law": "spring", "parameters": {"k": 4e4}}, 0.2),
        ({"law": "gravity", "parameters": {"G": 1e4, "eps": 0.1}}, 0.0127),
        ({"law": "spring+coulomb", "parameters": {"spring.k": 4e4}}, 0.2),
        ({"law": "spring+gravity", "parameters": {"gravity.eps": 0.01}}, 0.04),
        ({"parameters": {"eps": 0.0}}, 0.2),
    ],
    ids=str,
)
def test_the_default_step_is_a_share_of_every_time_scale(faster, factor):
    assert default_dt(System([1.0, -1.0], parameters=SLOW)) == 5e-4
    system = System([1.0, -1.0], **faster)
    assert default_dt(system) == pytest.approx(5e-4 * factor, rel=0.01)


def test_gauss_is_read_for_the_dimension():
    system = System([1.0, -1.0], parameters={"p": "gauss", "eps": 0.03})
    assert default_dt(system, 3) == default_dt(System([1.0, -1.0], parameters={"p": 2.0, "eps": 0.03}))
    assert default_dt(system, 5) < 0.2 * default_dt(system, 4) < 0.04 * default_dt(system, 3) * 2


def test_the_shortest_time_of_known_motions():
    """A circle of frequency w: force over distance gives w, the angular speed w again: together sqrt(2) w."""
    orbit = Kepler(e=0.0)
    pair = System([1.0, -1.0], orbit.masses, parameters={"eps": 0.0})
    w = 2 * np.pi / orbit.period
    assert shortest_time(pair, State(*orbit.state(0.1))) == pytest.approx(1 / (np.sqrt(2) * w))
    trapped = System([0.0], [2.0], fields=Fields(trap=8.0))
    assert shortest_time(trapped, State([[1.0]], [[5.0]])) == pytest.approx(0.5)
    springs = System([1.0, 1.0], law="spring", parameters={"k": 9.0})
    assert shortest_time(springs, State([[1.0], [0.0]], [[5.0], [0.0]])) == pytest.approx(1 / 3)


@pytest.mark.parametrize("name", [name for name, row in INTEGRATORS.items() if row.order < 15])
def test_the_estimated_error_is_the_error(name):
    orbit = Kepler(e=0.3)
    system = System([1.0, -1.0], orbit.masses, parameters={"eps": 0.0})
    dt = {1: 1e-3, 2: 1e-2, 4: 4e-2, 6: 4e-2}[INTEGRATORS[name].order]
    path = simulate(
        system,
        State(*orbit.state(0.0)),
        1.7 * orbit.period,
        n_frames=9,
        integrator=name,
        dt=dt,
        estimate_error=True,
    )
    truth = np.array([orbit.state(t)[0] for t in path.times])
    error = np.linalg.norm(path.positions - truth, axis=-1).max(axis=-1)
    assert path.position_errors[0] == 0.0
    np.testing.assert_allclose(path.position_errors[2:], error[2:], rtol=0.35)
    assert error.max() > 1e-7
    plain = simulate(system, State(*orbit.state(0.0)), 1.7 * orbit.period, n_frames=9, integrator=name, dt=dt)
    np.testing.assert_array_equal(plain.positions, path.positions)
    assert plain.position_errors is None


def test_the_estimated_error_of_ias15_is_round_off():
    system, state = five()
    path = simulate(system, state, 5.0, n_frames=6, integrator="ias15", estimate_error=True)
    assert path.position_errors.max() < 1e-13  # measured 0: runs of different steps end in the same float64
    coarse = simulate(system, state, 5.0, n_frames=6, integrator="leapfrog", estimate_error=True)
    assert coarse.position_errors.max() > 1e-9  # the check bites
    turned = path.transformed(np.eye(3)[[1, 0, 2]])
    np.testing.assert_array_equal(turned.position_errors, path.position_errors)


def test_energy_change_is_a_share_of_all_terms():
    system, state = five()
    path = simulate(system, state, 1.0, n_frames=3)
    assert energy_change(path)[0] == 0.0
    assert energy_change(path).max() < 1e-5
