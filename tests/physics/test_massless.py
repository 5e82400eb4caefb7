"""Particles of mass 0: test particles of gravity, and what is refused for them."""

import numpy as np
import pytest

from physics import State, System, simulate
from physics.boundaries import Boundary
from physics.errors import InputError
from physics.fields import Fields
from physics.integrators import INTEGRATORS
from physics.observables import (
    accelerations,
    angular_momentum,
    centre_of_mass,
    closest_approach,
    energy_parts,
    momentum,
    particle_energies,
    temperature,
    total_energy,
    virial,
)
from physics.simulate import simulate_batch
from physics.stepping.schedule import schedule_through
from tests.physics.oracle import gravity_acceleration

LAWS_WITH_GRAVITY = ["gravity", "gravity+coulomb", "reference+gravity"]


def few(rng, with_mass=3, without=4, n=3, law="gravity", **choices):
    """A system in which the last particles have no mass, the same without them, and their states."""
    N = with_mass + without
    m = np.concatenate([rng.uniform(0.5, 2.0, with_mass), np.zeros(without)])
    x, v = 2.0 * rng.standard_normal((N, n)), 0.5 * rng.standard_normal((N, n))
    if with_mass == 1:
        x[0], v[0] = 0.0, 0.0
    q = np.zeros(N)
    q[:with_mass] = 0.1 * rng.choice([-1.0, 1.0], with_mass)
    alone = System(q[:with_mass], m[:with_mass], law, **choices)
    return (System(q, m, law, **choices), State(x, v)), (alone, State(x[:with_mass], v[:with_mass]))


@pytest.mark.parametrize("law", LAWS_WITH_GRAVITY)
@pytest.mark.parametrize("name", list(INTEGRATORS))
@pytest.mark.parametrize("with_mass", [1, 3])
def test_they_feel_gravity_and_pull_nothing(name, law, with_mass, rng):
    (system, state), (alone, rest) = few(rng, with_mass, law=law)
    path, without = (simulate(*given, 0.3, n_frames=4, integrator=name, dt=1e-3) for given in (
        (system, state), (alone, rest)
    ))  # fmt: skip
    if INTEGRATORS[name].adaptive:  # its steps follow the test particles too
        atol = 1e-7 if name == "adaptive-leapfrog" else 1e-14
        np.testing.assert_allclose(path.positions[:, :with_mass], without.positions, atol=atol)
    else:
        np.testing.assert_array_equal(path.positions[:, :with_mass], without.positions)
        np.testing.assert_array_equal(path.velocities[:, :with_mass], without.velocities)
    heavier = System(system.charges, np.where(system.masses > 0, system.masses, 1e-14), law)
    light = simulate(heavier, state, 0.3, n_frames=4, integrator=name, dt=1e-3)
    np.testing.assert_allclose(path.positions, light.positions, atol=1e-7 if "adaptive" in name else 1e-11)
    assert np.abs(path.positions[-1] - state.positions - 0.3 * state.velocities)[with_mass:].max() > 1e-3
    if INTEGRATORS[name].reversible:
        back = simulate(system, path.state(-1), -0.3, n_frames=2, integrator=name, dt=1e-3)
        np.testing.assert_allclose(back.positions[-1], state.positions, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("N", [4, 10, 300])
def test_their_acceleration_is_that_of_the_formula_over_any_mass(n, N, rng):
    """300 particles are summed as one large system."""
    (system, state), _ = few(rng, 2, N - 2, n)
    unit = np.where(system.masses > 0, system.masses, 1e-30)
    expected = gravity_acceleration(state.positions, None, unit, 0.1, 1.0) if N < 300 else None
    a = accelerations(system, state.positions[None])[0]
    if expected is not None:
        np.testing.assert_allclose(a, expected, rtol=1e-12, atol=1e-14)
    few_of_them = System(np.zeros(4), system.masses[:4], "gravity")
    np.testing.assert_allclose(a[:4], accelerations(few_of_them, state.positions[None, :4])[0], rtol=1e-13)
    dt = 1e-3
    path = simulate(system, state, dt, n_frames=2, dt=dt, integrator="symplectic-euler")
    np.testing.assert_allclose(path.velocities[-1], state.velocities + dt * a, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("boundary", [Boundary("periodic", [5.0, 6.0, 7.0]), Boundary("reflecting", 20.0)])
def test_in_boxes_too(boundary, rng):
    (system, state), (alone, rest) = few(rng, boundary=boundary)
    path, without = simulate(system, state, 0.5, dt=1e-3), simulate(alone, rest, 0.5, dt=1e-3)
    np.testing.assert_array_equal(path.positions[:, :3], without.positions)
    assert np.isfinite(path.positions).all()


def test_a_batch_has_the_same_bits_as_each_alone(rng):
    systems = [few(rng, 2, 3)[0] for _ in range(3)] + [few(rng, 5, 0)[0]]
    x, v = (np.array([getattr(state, name) for _, state in systems]) for name in ("positions", "velocities"))
    q, m = (np.array([getattr(system, name) for system, _ in systems]) for name in ("charges", "masses"))
    schedule = schedule_through(0.1 * np.arange(3), 1e-3)
    for name in ("leapfrog", "ias15"):
        paths = simulate_batch(x, v, q, masses=m, law="gravity", schedule=schedule, integrator=name)
        for s, (system, state) in enumerate(systems):
            alone = simulate(system, state, 0.2, times=schedule.times(0.0), dt=1e-3, integrator=name)
            np.testing.assert_array_equal(paths[0][s], alone.positions)
    with pytest.raises(
        InputError, match=r"masses must be positive for charged .* law 'coulomb'; got 0 at index \(0, 2\)"
    ):
        simulate_batch(x, v, q + 1.0, masses=m, schedule=schedule)


def test_energies_and_momenta_are_those_of_the_particles_with_mass(rng):
    (system, state), (alone, rest) = few(rng)
    path, without = simulate(system, state, 0.5, n_frames=5), simulate(alone, rest, 0.5, n_frames=5)
    for quantity in (total_energy, momentum, angular_momentum, centre_of_mass, temperature, virial):
        np.testing.assert_allclose(quantity(path), quantity(without), rtol=1e-12, err_msg=quantity.__name__)
    each = particle_energies(path)
    np.testing.assert_array_equal(each[:, 3:], 0.0)
    np.testing.assert_allclose(each[:, :3], particle_energies(without), rtol=1e-12)
    assert all(np.isfinite(part).all() for part in energy_parts(path).values())
    assert np.isfinite(closest_approach(path)).all()


def test_without_any_mass_everyone_flies_straight(rng):
    x, v = rng.standard_normal((2, 3, 2))
    for name in ("auto", *INTEGRATORS):
        path = simulate(System(np.zeros(3), 0.0, "gravity"), State(x, v), 1.0, n_frames=3, integrator=name)
        np.testing.assert_allclose(path.positions[-1], x + v, atol=1e-12)
    np.testing.assert_array_equal(total_energy(path), 0.0)
    np.testing.assert_allclose(centre_of_mass(path)[0], x.mean(axis=0))
    with pytest.raises(InputError, match="at least two particles with mass; got 0"):
        temperature(path)


def test_neutral_ones_fly_straight_among_charges(rng):
    """Force over mass is finite where there is no force."""
    system = System([1.0, -1.0, 0.0], [1.0, 2.0, 0.0], fields=Fields(electric=[1.0, 0.0]))
    x, v = rng.standard_normal((2, 3, 2))
    path = simulate(system, State(x, v), 1.0, n_frames=3)
    np.testing.assert_allclose(path.positions[-1, 2], x[2] + v[2], atol=1e-12)
    turning = Fields(magnetic=[[0.0, 1.0], [-1.0, 0.0]])
    path = simulate(System(system.charges, system.masses, fields=turning), State(x, v), 1.0, n_frames=3)
    np.testing.assert_allclose(path.positions[-1, 2], x[2] + v[2], atol=1e-12)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"charges": [1.0, 1.0]},
            r"masses must be positive for charged particles under law 'coulomb'; got 0 at index",
        ),
        (
            {"charges": [0.0, 1.0], "law": "yukawa"},
            r"under law 'yukawa'; got 0 at index \(1,\), whose acceleration",
        ),
        ({"charges": [0.0, 1.0], "law": "gravity+coulomb"}, "a particle of mass 0 feels gravity alone"),
        ({"law": "spring"}, r"masses must be positive under law 'spring'; got 0 at index \(1,\)"),
        ({"parameters": {"kappa": 0.5}}, "masses must be positive under law 'coulomb'"),
        ({"law": "gravity", "fields": Fields(trap=1.0)}, "masses must be positive under a trap"),
        ({"law": "gravity", "fields": Fields(drag=1.0)}, "masses must be positive under drag"),
        (
            {"charges": [0.0, 1.0], "law": "gravity", "fields": Fields(electric=[1.0])},
            "masses must be positive for charged particles under an electric field",
        ),
        (
            {"masses": [1.0, -0.5], "law": "gravity"},
            r"masses must be positive, or 0 .*; got -0\.5 at index \(1,\)",
        ),
    ],
)
def test_what_has_no_finite_acceleration_is_refused_with_the_reason(given, said):
    with pytest.raises(InputError, match=said) as caught:
        System(**{"charges": np.zeros(2), "masses": [1.0, 0.0], **given})
    assert "\n" not in str(caught.value)


def test_they_move_as_those_of_rebound(rng):
    """IAS15 of REBOUND, whose test particles (N_active) feel and do not pull."""
    rebound = pytest.importorskip("rebound")
    (system, state), _ = few(rng, 2, 5, parameters={"eps": 0.05})
    other = rebound.Simulation()
    other.integrator, other.softening, other.N_active = "ias15", 0.05, 2
    for m, x, v in zip(system.masses, state.positions, state.velocities, strict=True):
        other.add(m=m, x=x[0], y=x[1], z=x[2], vx=v[0], vy=v[1], vz=v[2])
    path = simulate(system, state, 3.0, n_frames=2, integrator="ias15")
    other.integrate(3.0)
    np.testing.assert_allclose(path.positions[-1], [p.xyz for p in other.particles], atol=1e-10)
