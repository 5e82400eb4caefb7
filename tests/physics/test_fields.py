"""Fields, drag and trap: closed forms, symmetries, energies, and what may not be asked."""

import numpy as np
import pytest

from physics import State, System, simulate
from physics.errors import InputError
from physics.fields import Fields
from physics.integrators import INTEGRATORS
from physics.observables import accelerations, particle_energies, total_energy
from physics.rotations import random_orthogonal

ABLE = [name for name, row in INTEGRATORS.items() if row.takes_velocity_forces]
UNABLE = [name for name in INTEGRATORS if name not in ABLE]
B = np.array([[0.0, 2.0, 0.0], [-2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
"""b = (0, 0, 2) in three dimensions."""


def turning(n, seed=0):
    a = np.random.default_rng(seed).standard_normal((n, n))
    return a - a.T


def one(fields, x=(0.3, 0.0, -0.2), v=(1.0, 0.5, 0.3), duration=5.0, q=-1.5, m=2.0, **options):
    return simulate(System([q], [m], fields=fields), State([x], [v]), duration, n_frames=21, **options)


def gyration(times, x, v, q, m, b):
    """Helix about the third axis for b = (0, 0, b)."""
    w = q * b / m
    c, s = np.cos(w * times), np.sin(w * times)
    vx, vy = v[0] * c + v[1] * s, v[1] * c - v[0] * s
    px = x[0] + (v[0] * s + v[1] * (1 - c)) / w
    py = x[1] + (v[1] * s - v[0] * (1 - c)) / w
    return np.stack([px, py, x[2] + v[2] * times], -1), np.stack([vx, vy, np.full_like(times, v[2])], -1)


@pytest.mark.parametrize("dt", [0.5, 0.01])
def test_gyration_is_exact_whatever_the_step(dt):
    path = one(Fields(magnetic=B), dt=dt)
    x, v = gyration(path.times, (0.3, 0.0, -0.2), (1.0, 0.5, 0.3), -1.5, 2.0, 2.0)
    np.testing.assert_allclose(path.positions[:, 0], x, atol=1e-12)
    np.testing.assert_allclose(path.velocities[:, 0], v, atol=1e-12)
    wrong, _ = gyration(path.times, (0.3, 0.0, -0.2), (1.0, 0.5, 0.3), 1.5, 2.0, 2.0)  # the check bites
    assert np.abs(path.positions[:, 0] - wrong).max() > 0.1


@pytest.mark.parametrize("n", [1, 2, 4, 5, 8])
def test_speed_stays_in_every_dimension(n):
    rng = np.random.default_rng(n)
    path = one(Fields(magnetic=turning(n)), rng.standard_normal(n), rng.standard_normal(n), dt=0.1)
    speed = np.linalg.norm(path.velocities[:, 0], axis=-1)
    np.testing.assert_allclose(speed, speed[0], rtol=1e-12)
    assert n == 1 or np.abs(path.velocities[-1] - path.velocities[0]).max() > 0.01


def test_electric_and_magnetic_drift():
    """Over whole turns the mean velocity is E x b / b^2, whatever charge and mass."""
    electric, b, q, m = np.array([0.4, 0.0, 0.0]), 2.0, -1.5, 2.0
    period = 2 * np.pi * m / (abs(q) * b)
    for name, dt in (("boris", period / 400), ("rk4", period / 400)):
        system = System([q], [m], fields=Fields(electric, B))
        path = simulate(
            system, State([[0.0, 0, 0]], [[0.2, 0, 0]]), 4 * period, n_frames=3, integrator=name, dt=dt
        )
        drift = (path.positions[-1, 0] - path.positions[0, 0]) / (4 * period)
        np.testing.assert_allclose(drift, np.cross(electric, [0, 0, b]) / b**2, atol=1e-5)
        assert abs(drift[1]) > 0.19


@pytest.mark.parametrize("name", ABLE)
def test_drag_is_exponential(name):
    path = one(Fields(drag=0.7), integrator=name, dt=0.01)
    shrink = np.exp(-0.7 / 2.0 * path.times)[:, None]
    np.testing.assert_allclose(path.velocities[:, 0], shrink * path.velocities[0, 0], atol=1e-9)
    way = (1 - shrink) / (0.7 / 2.0) * path.velocities[0, 0]
    np.testing.assert_allclose(path.positions[:, 0], path.positions[0, 0] + way, atol=1e-9)


@pytest.mark.parametrize("name", list(INTEGRATORS))
def test_a_trap_is_a_harmonic_oscillator(name):
    path = one(Fields(trap=0.5), integrator=name, dt=1e-3)
    w = np.sqrt(0.5 / 2.0)
    c, s = np.cos(w * path.times)[:, None], np.sin(w * path.times)[:, None]
    expected = np.array([0.3, 0.0, -0.2]) * c + np.array([1.0, 0.5, 0.3]) * s / w
    np.testing.assert_allclose(path.positions[:, 0], expected, atol=2e-3 if name == "symplectic-euler" else 1e-6)


def crowd(fields, n=3, seed=1):
    rng = np.random.default_rng(seed)
    system = System(rng.choice([-1.0, 1.0], 4), rng.uniform(0.5, 2.0, 4), fields=fields)
    return system, State(rng.standard_normal((4, n)), 0.5 * rng.standard_normal((4, n)))


def test_able_integrators_agree():
    system, state = crowd(Fields([0.3, -0.2, 0.1], turning(3), 0.1, 0.4))
    paths = [simulate(system, state, 1.0, n_frames=3, integrator=name, dt=2e-4) for name in ABLE]
    assert len(paths) > 1
    for other in paths[1:]:
        np.testing.assert_allclose(other.positions, paths[0].positions, atol=1e-6)


def test_energy_stays_without_drag_and_falls_with_it():
    for drag in (0.0, 0.2):
        system, state = crowd(Fields([0.3, -0.2, 0.1], turning(3), drag, 0.4))
        path = simulate(system, state, 4.0, n_frames=41, dt=1e-4)
        energies = total_energy(path)
        np.testing.assert_allclose(particle_energies(path).sum(axis=1), energies, rtol=1e-12)
        if drag:
            assert (np.diff(energies) < 0).all()
        else:
            np.testing.assert_allclose(energies, energies[0], atol=2e-5)


def test_accelerations_are_minus_the_slope_of_the_energy():
    system, state = crowd(Fields([0.3, -0.2, 0.1], (), 0.0, 0.4))
    h, i = 1e-5, 2
    for k in range(3):
        ends = []
        for sign in (1, -1):
            x = state.positions.copy()
            x[i, k] += sign * h
            moved = simulate(system, State(x, 0 * x), 1e-9, n_frames=2, dt=1e-9)
            ends.append(total_energy(moved)[0])
        slope = (ends[0] - ends[1]) / (2 * h)
        force = system.masses[i] * accelerations(system, state.positions[None])[0, i, k]
        assert force == pytest.approx(-slope, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_fields_turn_with_the_world(n):
    fields = Fields(np.linspace(0.1, 0.4, n), turning(n), 0.1, 0.4)
    system, state = crowd(fields, n)
    r = random_orthogonal(n, np.random.default_rng(3))
    turned = System(system.charges, system.masses, fields=fields.transformed(r))
    there = simulate(turned, State(state.positions @ r.T, state.velocities @ r.T), 1.0, n_frames=3, dt=1e-3)
    here = simulate(system, state, 1.0, n_frames=3, dt=1e-3)
    np.testing.assert_allclose(there.positions, here.positions @ r.T, atol=1e-10)
    kept = simulate(system, State(state.positions @ r.T, state.velocities @ r.T), 1.0, n_frames=3, dt=1e-3)
    assert np.abs(kept.positions - here.positions @ r.T).max() > 1e-3  # unturned fields show the difference


def test_without_fields_boris_is_leapfrog():
    system, state = crowd(Fields())
    a, b = (simulate(system, state, 1.0, n_frames=3, integrator=name) for name in ("boris", "leapfrog"))
    np.testing.assert_allclose(a.positions, b.positions, rtol=0, atol=1e-11)


@pytest.mark.parametrize("name", UNABLE)
@pytest.mark.parametrize("fields", [Fields(magnetic=B), Fields(drag=0.1)], ids=["magnetic", "drag"])
def test_others_refuse_what_depends_on_velocity(name, fields):
    with pytest.raises(
        InputError, match=f"integrator '{name}' takes no magnetic field and no drag; these do: boris"
    ):
        one(fields, integrator=name)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"electric": [[1.0]]}, r"electric must be \(n_dims,\)"),
        ({"magnetic": [1.0, 2.0]}, "magnetic must be"),
        ({"magnetic": [[0.0, 1.0], [1.0, 0.0]]}, r"antisymmetric; got 1 at \(0, 1\) and 1 at \(1, 0\)"),
        ({"electric": [1.0, 2.0], "magnetic": B}, "electric has 2 dimensions but magnetic has 3"),
        ({"drag": -0.1}, "drag must be >= 0"),
        ({"trap": np.nan}, "trap must be finite"),
        ({"electric": "up"}, "electric must be numbers"),
    ],
)
def test_what_fields_cannot_be(given, said):
    with pytest.raises(InputError, match=said):
        Fields(**given)


def test_fields_of_another_dimension_are_refused():
    with pytest.raises(InputError, match="fields are for n = 3; the state has n = 2"):
        one(Fields(magnetic=B), (0.0, 1.0), (1.0, 0.0))
