"""Boxes: what stays conserved, which symmetries they break, and what may not be asked."""

import itertools

import numpy as np
import pytest

from physics import State, System, simulate
from physics.boundaries import BOUNDARIES, OPEN, Boundary, minimum_image
from physics.errors import InputError, SimulationError
from physics.fields import Fields
from physics.integrators import INTEGRATORS
from physics.laws import LAWS
from physics.observables import closest_approach, kinetic_energy, momentum, total_energy, virial
from physics.rotations import random_orthogonal
from physics.sums.pairs import switch
from tests.physics.laws.test_laws import force, gradient_mismatch, newton_mismatch, relative
from tests.physics.oracle import pair_exponent
from tests.physics.tolerances import tolerance

WALLED = [name for name, row in INTEGRATORS.items() if row.takes_walls]
OTHERS = [name for name in INTEGRATORS if name not in WALLED]
CUBE = {"open": OPEN, "reflecting": Boundary("reflecting", 6.0), "periodic": Boundary("periodic", 6.0)}


def spread(rng, n, N=5, side=6.0, apart=0.4):
    """Positions in the box, at least `apart` from each other's images."""
    box = Boundary("periodic", side)
    while True:
        x = rng.uniform(-0.5 * side, 0.5 * side, (N, n))
        if min(np.linalg.norm(box.nearest_images(x[i] - x[j])) for i in range(N) for j in range(i)) > apart:
            return x


def charged(rng, N=5, law="coulomb", boundary=CUBE["periodic"], **choices):
    return System(rng.choice([-1.0, 1.0], N), rng.uniform(0.5, 2.0, N), law, boundary=boundary, **choices)


def test_every_kind_is_tested():
    assert set(CUBE) == set(BOUNDARIES)
    assert len({row.code for row in BOUNDARIES.values()}) == len(BOUNDARIES)


# -- periodic ----------------------------------------------------------------------------------------------------


def test_the_switch_is_smooth_and_its_slope_is_its_slope():
    r = np.linspace(0.5, 2.5, 4001)
    value, slope = np.array([switch(float(at), 1.0, 2.0) for at in r]).T
    assert value[0] == 1.0
    assert value[-1] == 0.0
    np.testing.assert_allclose(np.gradient(value, r), slope, atol=2e-6)
    assert np.abs(np.diff(value, 3)).max() < 2e-8  # no jump up to the second derivative


@pytest.mark.parametrize("law", [*LAWS, "gravity+coulomb"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_periodic_force_is_minus_the_gradient(law, n, rng):
    x = spread(rng, n, 4)
    assert gradient_mismatch(charged(rng, 4, law), x) < tolerance("gradient")


def test_the_gradient_check_bites_in_a_box(rng):
    """A force that is cut off without its energy's switch is no gradient."""
    x = np.array([[0.0, 0.0], [2.6, 0.3]])
    system = System([1.0, 1.0], boundary=Boundary("periodic", 6.0))
    other = System([1.0, 1.0], boundary=Boundary("periodic", 6.0, onset=2.2))
    assert gradient_mismatch(system, x) < tolerance("gradient")
    assert gradient_mismatch(system, x, other) > 1e-3


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_periodic_force_equals_plain_numpy(n, rng):
    """Below the onset it is exactly the law's, between nearest images; beyond the cut-off nothing."""
    system, x = charged(rng, 6), spread(rng, n, 6)
    box, expected = system.boundary, np.zeros((6, n))
    for i, j in itertools.permutations(range(6), 2):
        r_ij = box.nearest_images(x[i] - x[j])
        r, s = np.linalg.norm(r_ij), np.sqrt(r_ij @ r_ij + 0.01)
        u = [system.charges[i] * system.charges[j] / np.sqrt(at * at + 0.01) for at in (r, box.cutoff)]
        value, slope = switch(float(r), box.onset, box.cutoff)
        law = system.charges[i] * system.charges[j] / s ** (pair_exponent(2, n) + 1)
        expected[i] += (law * value - (u[0] - u[1]) * slope / r) * r_ij
    assert relative(force(system, x), expected) < tolerance("oracle")
    assert newton_mismatch(force(system, x)) < tolerance("newton")
    image = x.copy()
    image[2] += 6.0 * np.arange(1, n + 1)
    assert relative(force(system, image), force(system, x)) < tolerance("symmetry")
    assert relative(force(charged(rng, 6, boundary=OPEN), image), force(system, x)) > 1e-3


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("name", [name for name, row in INTEGRATORS.items() if row.order > 1])
def test_periodic_run_keeps_energy_and_momentum(name, n, rng):
    system = charged(rng, parameters={"eps": 0.3})
    x = spread(rng, n)
    path = simulate(system, State(x, rng.standard_normal((5, n))), 4.0, n_frames=21, integrator=name, dt=1e-3)
    assert np.ptp(total_energy(path)) < 2e-3
    assert np.abs(momentum(path) - momentum(path)[0]).max() < 1e-11
    assert np.abs(path.positions).max() > 3.0  # somebody left the box: positions run on
    inside = system.boundary.wrapped(path.positions)
    assert np.abs(inside).max() <= 3.0
    assert np.isfinite(virial(path)).all()


BRICK = (4.0, 7.0, 5.5, 9.0)
"""Sides of their own along every axis."""


def in_brick(rng, n, N=6, **choices):
    """A system in such a box, and positions of which no two are close."""
    box = Boundary("periodic", BRICK[:n])
    while True:
        x = rng.uniform(-0.5, 0.5, (N, n)) * BRICK[:n]
        if min(np.linalg.norm(box.nearest_images(x[i] - x[j])) for i in range(N) for j in range(i)) > 0.3:
            return charged(rng, N, boundary=box, **choices), x


@pytest.mark.parametrize("law", [*LAWS, "gravity+coulomb"])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_whole_sides_of_a_brick_change_nothing(law, n, rng):
    """Of any particle along any axis, each by its own side: forces, energies, virial, distances."""
    system, x = in_brick(rng, n, law=law)
    turns = rng.integers(-3, 4, x.shape)
    image = x + turns * BRICK[:n]
    assert relative(force(system, image), force(system, x)) < tolerance("symmetry")
    assert gradient_mismatch(system, x) < tolerance("gradient")
    paths = [simulate(system, State(at, np.zeros_like(x)), 1e-4, n_frames=2) for at in (x, image)]
    for quantity in (total_energy, virial, closest_approach):
        first, second = (quantity(path)[0] for path in paths)
        assert second == pytest.approx(first, rel=1e-11), quantity.__name__
    swapped = image + np.roll(BRICK[:n], 1) * (turns + 1)  # another axis' side is none of its own
    assert n == 1 or relative(force(system, swapped), force(system, x)) > 1e-3


@pytest.mark.parametrize("name", list(INTEGRATORS))
def test_every_integrator_in_a_brick(name, rng):
    """The same run from images of the start, and the same again from the wrapped state half-way."""
    system, x = in_brick(rng, 3, parameters={"eps": 0.4})
    state = State(x, 3.0 * rng.standard_normal(x.shape))
    moved = State(x + BRICK[:3] * rng.integers(-2, 3, x.shape), state.velocities)
    choices = {"n_frames": 3, "integrator": name, "dt": 1e-3}
    path, other = (simulate(system, start, 2.0, **choices) for start in (state, moved))
    np.testing.assert_allclose(other.positions - moved.positions, path.positions - x, atol=1e-9)
    assert (np.abs(path.positions[-1]).max(axis=0) > 0.5 * np.array(BRICK[:3])).any()  # somebody left
    half = path.state(1)
    wrapped = State(system.boundary.wrapped(half.positions), half.velocities, half.time)
    again = simulate(system, wrapped, 1.0, n_frames=2, integrator=name, dt=1e-3)
    atol = 1e-5 if INTEGRATORS[name].adaptive else 1e-9
    apart = minimum_image(again.positions[-1] - path.positions[-1], BRICK[:3])
    np.testing.assert_allclose(apart, 0.0, atol=atol)


def test_a_large_system_in_a_brick_is_the_sum_over_nearest_images(rng):
    """300 particles against one at a time."""
    system = charged(rng, 300, boundary=Boundary("periodic", BRICK[:2]), parameters={"eps": 0.4})
    x = rng.uniform(-2.0, 2.0, (300, 2)) * BRICK[:2]
    total = np.zeros(2)
    for j in range(1, 300):
        pair = System(
            system.charges[[0, j]], system.masses[[0, j]], "coulomb", {"eps": 0.4}, boundary=system.boundary
        )
        total += force(pair, x[[0, j]])[0]
    assert relative(force(system, x)[0], total) < 1e-11


# -- reflecting --------------------------------------------------------------------------------------------------


def triangle(position, half):
    """Where straight flight is after bouncing between +-half."""
    phase = (position + half) % (4 * half)
    return np.where(phase <= 2 * half, phase - half, 3 * half - phase)


@pytest.mark.parametrize("name", WALLED)
@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("dt", [1e-2, 0.7, 9.0])
def test_free_flight_bounces_exactly(name, n, dt, rng):
    sides = np.linspace(1.0, 2.0, n)
    system = System(np.zeros(3), boundary=Boundary("reflecting", sides))
    x, v = rng.uniform(-0.5, 0.5, (3, n)) * sides, rng.standard_normal((3, n))
    path = simulate(system, State(x, v), 18.0, n_frames=3, integrator=name, dt=dt)
    for frame, t in enumerate(path.times):
        np.testing.assert_allclose(path.positions[frame], triangle(x + v * t, 0.5 * sides), atol=1e-10)
    np.testing.assert_array_equal(np.abs(path.velocities), np.abs(path.velocities[:1]).repeat(3, 0))
    assert (np.abs(path.positions) <= 0.5 * sides).all()
    assert np.abs(path.positions[-1] - (x + 18.0 * v)).max() > 1.0  # and open space is elsewhere


@pytest.mark.parametrize("name", WALLED)
def test_a_reflecting_run_comes_back_where_the_row_says_reversible(name, rng):
    system = charged(rng, 3, boundary=Boundary("reflecting", 3.0), parameters={"eps": 0.5})
    start = State(spread(rng, 2, 3, 3.0), rng.standard_normal((3, 2)))
    if not INTEGRATORS[name].reversible:
        return
    there = simulate(system, start, 3.0, n_frames=3, integrator=name, dt=1e-2)
    back = simulate(system, there.state(-1), -3.0, n_frames=3, integrator=name, dt=1e-2)
    np.testing.assert_allclose(back.positions[-1], start.positions, atol=1e-9)
    np.testing.assert_allclose(back.velocities[-1], start.velocities, atol=1e-9)
    free = simulate(System(system.charges, system.masses, parameters={"eps": 0.5}), start, 3.0, n_frames=3)
    assert np.abs(free.positions[-1] - there.positions[-1]).max() > 0.1  # walls were met


def test_walls_keep_the_energy_to_first_order(rng):
    system = charged(rng, 3, boundary=Boundary("reflecting", 3.0), parameters={"eps": 0.5})
    start = State(spread(rng, 2, 3, 3.0), 2.0 * rng.standard_normal((3, 2)))
    errors = []
    for dt in (8e-3, 1e-3, 1.25e-4):
        energies = total_energy(simulate(system, start, 4.0, n_frames=41, dt=dt))
        errors.append(np.abs(energies - energies[0]).max())
    assert errors[2] < errors[0] / 8
    assert errors[2] < 1e-3 * kinetic_energy(simulate(system, start, 0.1, n_frames=2))[0]


# -- symmetries --------------------------------------------------------------------------------------------------


def turned_mismatch(boundary, matrix, rng, n):
    """How far a turned run is from the turned run."""
    system = charged(rng, 4, boundary=boundary, parameters={"eps": 0.5})
    x = spread(rng, n, 4) * (0.5 if boundary.reflects else 1.0)  # so that no turn leads outside
    x *= min(1.0, 2.9 / np.linalg.norm(x, axis=1).max()) if boundary.reflects else 1.0
    v = 3.0 * rng.standard_normal((4, n))
    plain, turned = (
        simulate(system, State(x @ r.T, v @ r.T), 1.5, n_frames=2, dt=1e-3).positions[-1]
        for r in (np.eye(n), matrix)
    )
    return float(np.abs(turned - plain @ matrix.T).max())


@pytest.mark.parametrize("kind", list(BOUNDARIES))
@pytest.mark.parametrize("n", [2, 3, 4])
def test_isotropy_is_what_the_row_claims(kind, n, rng):
    mismatch = turned_mismatch(CUBE[kind], random_orthogonal(n, rng), rng, n)
    assert (mismatch < 1e-8) == BOUNDARIES[kind].isotropic
    assert mismatch < 1e-8 or mismatch > 1e-2
    swapped = np.roll(np.eye(n), 1, axis=0) * rng.choice([-1.0, 1.0], n)  # a cube keeps these
    assert turned_mismatch(CUBE[kind], swapped, rng, n) < 1e-8


@pytest.mark.parametrize("kind", list(BOUNDARIES))
def test_momentum_is_what_the_row_claims(kind, rng):
    system = charged(rng, 4, boundary=CUBE[kind], parameters={"eps": 0.5})
    path = simulate(system, State(0.5 * spread(rng, 3, 4), 3.0 * rng.standard_normal((4, 3))), 3.0, n_frames=4)
    change = np.abs(momentum(path) - momentum(path)[0]).max()
    assert (change < 1e-11) == BOUNDARIES[kind].keeps_momentum
    assert change < 1e-11 or change > 0.1


# -- what may not be asked ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OTHERS)
def test_others_refuse_walls(name):
    system = System([1.0, -1.0], boundary=CUBE["reflecting"])
    with pytest.raises(InputError, match=f"integrator '{name}' takes no reflecting walls; these do: symplectic"):
        simulate(system, State(np.eye(2), np.eye(2)), 1.0, integrator=name)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "periodc"}, "unknown boundary 'periodc'; did you mean 'periodic'"),
        ({"kind": "periodic"}, "a periodic boundary needs sides above 0"),
        ({"kind": "reflecting", "sides": [1.0, 0.0]}, "needs sides above 0"),
        ({"kind": "open", "sides": 1.0}, "an open boundary has no sides"),
        ({"kind": "reflecting", "sides": np.inf}, "must be finite"),
        ({"kind": "reflecting", "sides": "wide"}, "must be numbers"),
        ({"kind": "reflecting", "sides": [[1.0]]}, r"a number or \(n_dims,\)"),
        ({"kind": "reflecting", "sides": 1.0, "cutoff": 0.3}, "cutoff is of a periodic boundary"),
        ({"kind": "periodic", "sides": [4.0, 2.0], "cutoff": 1.1}, "at most half the shortest side, 1; got 1.1"),
        ({"kind": "periodic", "sides": 4.0, "onset": 2.0}, "onset must be above 0 and below the cut-off 2"),
    ],
)
def test_what_a_boundary_cannot_be(given, said):
    with pytest.raises(InputError, match=said):
        Boundary(**given)


def test_what_does_not_go_with_a_box():
    with pytest.raises(InputError, match="a trap has a middle and a periodic box has none"):
        System([1.0], fields=Fields(trap=1.0), boundary=CUBE["periodic"])
    walled = System([1.0, 1.0], boundary=Boundary("reflecting", [1.0, 2.0]))
    with pytest.raises(InputError, match=r"particle 1 is outside the reflecting box: .* axis 0 .* 0\.5; got 0\.6"):
        simulate(walled, State([[0.0, 0.0], [0.6, 0.0]], np.zeros((2, 2))), 1.0)
    with pytest.raises(InputError, match="the boundary's sides are for n = 2; the state has n = 3"):
        simulate(walled, State(0.1 * np.eye(2, 3), np.zeros((2, 3))), 1.0)
    turning = System([1.0], fields=Fields(magnetic=[[0.0, 1.0], [-1.0, 0.0]]), boundary=CUBE["reflecting"])
    with pytest.raises(InputError, match="takes no magnetic field"):
        simulate(turning, State([[0, 0]], [[1, 0]]), 1.0)
    twins = System([1.0, 1.0], parameters={"eps": 0.0}, boundary=CUBE["periodic"])
    with pytest.raises(SimulationError, match="particles 0 and 1 coincide"):
        simulate(twins, State([[-3.0, 0.0], [3.0, 0.0]], np.zeros((2, 2))), 1.0)


def test_distances_are_those_of_nearest_images():
    system = System([1.0, 1.0], boundary=CUBE["periodic"])
    path = simulate(system, State([[-2.9, 0.0], [2.9, 0.0]], np.zeros((2, 2))), 1e-3, n_frames=2)
    assert closest_approach(path)[0] == pytest.approx(0.2)
