"""Default steps follow the time scales of any masses and speeds, and what passes too fast for a step is named."""

import numpy as np
import pytest

from physics import State, System, simulate
from physics.boundaries import Boundary
from physics.errors import StepWarning
from physics.fields import Fields
from physics.stepping.defaults import MANY_STEPS, default_dt, passing_dt

SOLAR = 4 * np.pi**2


def apart(path, other):
    """Largest difference of positions over the size of the system."""
    return np.abs(path.positions - other.positions).max() / np.ptp(other.positions)


def planets(unit=1.0, **parameters):
    """Sun, Earth and Jupiter in solar masses, years and astronomical units, lengths in another unit."""
    x = np.array([[0.0, 0.0], [1.0, 0.0], [5.2, 0.0]])
    v = np.array([[0.0, 0.0], [0.0, 2 * np.pi], [0.0, 2 * np.pi / np.sqrt(5.2)]])
    system = System(np.zeros(3), [1.0, 3e-6, 1e-3], "gravity", {"G": SOLAR * unit**3, **parameters})
    return system, State(unit * x, unit * v)


def test_the_step_of_gravity_follows_the_heaviest_mass_alone():
    """G (m_i + m_j) / eps^3: whether Earth weighs 3e-6 or nothing, it swings as fast."""
    for lightest in (1e-3, 3e-6, 1e-30, 0.0):
        system = System(np.zeros(2), [1.0, lightest], "gravity", {"G": SOLAR})
        assert default_dt(system) == pytest.approx(0.02 / np.sqrt(SOLAR / 0.1**3))
    system, state = planets()
    path, exact = (simulate(system, state, 10.0, integrator=name) for name in ("auto", "ias15"))
    assert path.memory is None
    assert 10.0 / passing_dt(system, state, 10.0) < 1.1e5  # sqrt(1 / 3e-6) times more before
    assert apart(path, exact) < 1e-5
    assert apart(simulate(system, state, 10.0, dt=0.05), exact) > 1e-2  # the check bites


@pytest.mark.parametrize(
    ("charges", "masses"),
    [
        ([1.0, -1.0], [1836.0, 1.0]),
        ([79.0, -1.0, -1.0], [4e5, 1.0, 1.0]),
        ([1.0, 0.0, -1.0], [1.0, 1e-9, 1.0]),
    ],
)
def test_the_step_of_charges_follows_the_pairs_that_there_are(charges, masses, rng):
    q, m = np.array(charges), np.array(masses)
    fastest2 = max(
        abs(q[i] * q[j]) * (1 / m[i] + 1 / m[j]) / 2 for i in range(len(q)) for j in range(len(q)) if i != j
    )
    system = System(q, m)
    assert 0.5 <= default_dt(system) / min(5e-4, 0.02 / np.sqrt(fastest2 / 0.1**3)) <= 1.0
    x = np.arange(len(q))[:, None] * [1.0, 0.3] + 0.1 * rng.standard_normal((len(q), 2))
    state = State(x, rng.standard_normal((len(q), 2)))
    assert apart(*(simulate(system, state, 3.0, integrator=name) for name in ("auto", "ias15"))) < 1e-4


def test_equal_masses_and_ordinary_speeds_keep_the_step_they_had(rng):
    """As for the shipped scenarios: the largest charge against itself, and nothing of speeds."""
    for charge, mass, eps in ((1.0, 1.0, 0.1), (3.0, 2.0, 0.05), (0.5, 4.0, 0.02)):
        system = System([charge, -charge, 0.1], mass, parameters={"eps": eps})
        expected = min(5e-4, 0.02 / np.sqrt(charge**2 / eps**3 / mass))
        assert default_dt(system) == expected
        state = State(rng.standard_normal((3, 3)), 2.0 * rng.standard_normal((3, 3)))
        assert passing_dt(system, state, 10.0) == expected


def flyby(speed, mass=1.0, law="coulomb", b=0.1, **choices):
    """A particle flies past one at rest, and the time after which it is as far on the other side."""
    system = System([1.0, 1.0], [mass, 1.0], law, **choices)
    return system, State([[-3.0, b], [0.0, 0.0]], [[speed, 0.0], [0.0, 0.0]]), 6.0 / speed


@pytest.mark.parametrize("law", ["coulomb", "gravity", "yukawa", "softcore", "gravity+coulomb"])
@pytest.mark.parametrize("speed", [3.0, 100.0, 3000.0, 3e5])
@pytest.mark.parametrize("longer", [1.0, 40.0])
def test_the_kick_of_a_passage_is_right_at_any_speed(law, speed, longer):
    system, state, duration = flyby(speed, 1e-3 if "gravity" in law else 1.0, law)
    path, exact = (
        simulate(system, state, longer * duration, n_frames=2, integrator=name) for name in ("auto", "ias15")
    )
    kick = (exact.velocities[-1] - state.velocities)[:, 1]
    np.testing.assert_allclose((path.velocities[-1] - state.velocities)[:, 1], kick, rtol=2e-3)
    assert np.abs(kick).max() > 0


def test_the_kick_of_a_fast_charge_is_that_of_straight_flight():
    """2 b / (w (b^2 + eps^2)), whose half was left by steps of 5e-4, and the warning names a step that will do."""
    system, state, _ = flyby(3000.0)
    kick = 2 * 0.1 / (3000.0 * (0.1**2 + 0.1**2))
    path = simulate(system, state, 1.0)
    assert path.velocities[-1, 0, 1] == pytest.approx(kick, rel=1e-3)
    said = r"particles 0 and 1 pass each other near t = 0\.001 .* speed 3e\+03, .* too fast .* 0\.0005; dt = 5e-06"
    with pytest.warns(StepWarning, match=said) as caught:
        coarse = simulate(system, state, 1.0, dt=5e-4)
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)
    assert abs(coarse.velocities[-1, 0, 1] / kick - 1) > 0.5
    fine = simulate(system, state, 1.0, dt=5e-6)
    assert fine.velocities[-1, 0, 1] == pytest.approx(kick, rel=1e-3)


def test_a_passage_late_in_the_run_is_warned_of_and_backwards_too():
    system = System([1.0, 1.0], [1.0, 1e4], fields=Fields(electric=[200.0, 0.0]))
    falling = State([[-10.0, 0.05], [0.0, 0.0]], np.zeros((2, 2)))  # slow at first: passes at a speed of 60
    with pytest.warns(StepWarning, match="relative speed 6"):
        simulate(system, falling, 0.5, n_frames=51, dt=5e-3)
    system, state, duration = flyby(3000.0)
    end = simulate(system, state, duration, n_frames=2).state(-1)
    with pytest.warns(StepWarning):
        simulate(system, end, -duration, n_frames=2, dt=1e-3)


def test_what_does_not_deflect_is_not_warned_of_and_costs_no_steps():
    for charges, speed in (([1.0, 0.0], 3000.0), ([1e-9, 1e-9], 3000.0), ([1.0, 1.0], 1e9)):
        system = System(charges)
        state = State([[-3.0, 0.1], [0.0, 0.0]], [[speed, 0.0], [0.0, 0.0]])
        assert passing_dt(system, state, 1.0) == 5e-4
        simulate(system, state, 1.0, n_frames=2, dt=1e-3)
    system, state, _ = flyby(3000.0)
    away = State(state.positions, -state.velocities)
    assert passing_dt(system, away, 1.0) == pytest.approx(5e-5, rel=0.1)  # 0.1 of 3 / 3000, halved


@pytest.mark.parametrize(
    "around",
    [
        {"boundary": Boundary("periodic", 6.0)},
        {"boundary": Boundary("reflecting", 6.0)},
        {"fields": Fields(trap=400.0)},
    ],
    ids=["periodic", "reflecting", "trap"],
)
def test_where_paths_bend_the_fastest_pair_may_meet_head_on(around, rng):
    system = System([1.0, -1.0, 1.0], **around)
    x = np.array([[-2.0, 0.0], [2.0, 0.1], [0.0, 1.0]])
    state = State(x, np.zeros((3, 2)) if "fields" in around else [[300.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    speed = 300.0 if "boundary" in around else 20.0 * 3.5
    assert passing_dt(system, state, 1.0) < 0.1 * 0.1 / speed * 1.1
    simulate(system, state, 0.1)  # without a warning


def test_a_run_of_too_many_equal_steps_is_given_to_an_adaptive_integrator():
    """In SI metres the softening of 0.1 means 1e21 steps for ten orbits."""
    system, state = planets(1.496e11)
    path = simulate(system, state, 10.0)
    assert path.memory is not None  # it was ias15
    plain, exact = planets(eps=0.0), planets()[0]
    assert exact.n_particles == 3
    assert apart(path, simulate(*planets(1.496e11, eps=0.0), 10.0)) < 1e-9
    scaled = simulate(*plain, 10.0).positions
    assert np.abs(path.positions / 1.496e11 - scaled).max() < 1e-9
    assert 10.0 / default_dt(system) > MANY_STEPS
    slow = State(state.positions, state.velocities / 3.156e7)  # seconds: a million orbits, first steps of 20 s
    seconds = System(system.charges, system.masses, "gravity", {"G": SOLAR * 1.496e11**3 / 3.156e7**2})
    assert apart(simulate(seconds, slow, 3.156e8), path) < 1e-9


def test_ias15_does_not_leap_over_forces_of_short_range():
    """Nothing acts until the cut-off, at two: from far away its steps grew past the whole encounter."""
    box = Boundary("periodic", 1000.0, cutoff=2.0)
    for speed, start in ((300.0, -2.5), (300.0, -100.0), (30.0, -10.0), (3.0, -100.0)):
        system = System([1.0, 1.0], boundary=box)
        state = State([[start, 0.02], [0.0, -0.02]], [[speed, 0.0], [0.0, 0.0]])
        path = simulate(system, state, -2 * start / speed, n_frames=2, integrator="ias15")
        exact = simulate(system, state, -2 * start / speed, n_frames=2, dt=1e-3 / speed)
        np.testing.assert_allclose(path.velocities[-1], exact.velocities[-1], rtol=1e-4, atol=1e-5 * speed)
        assert np.abs(exact.velocities[-1, :, 1]).min() > 1e-2
