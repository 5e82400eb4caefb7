import math

import numpy as np
import pytest

from physics import State, System, simulate
from physics.errors import SimulationError
from physics.integrators import INTEGRATORS
from physics.laws import LAWS
from physics.observables import accelerations, potential_energy, single_frame
from physics.rotations import random_orthogonal
from physics.simulate import simulate_batch
from physics.stepping.schedule import schedule_through
from physics.sums.lanes import LANES
from tests.physics import oracle
from tests.physics.tolerances import tolerance

POWERS = (2.0, 1.0, 3.0, 2.5, "gauss")
# A law that is not named here is tested with its defaults.
VARIANTS = {
    "coulomb": [{"p": p, "eps": 0.1} for p in POWERS]
    + [{"p": p, "eps": 0.3, "kappa": 0.7} for p in POWERS]
    + [{"eps": 0.0}],
    "reference": [{}, {"force_limit": 0.5}, {"eps": 0.2}],
    "gravity": [{}, {"eps": 0.3, "G": 0.7}],
    "spring": [{}, {"k": 1.3}],
    "yukawa": [{}, {"eps": 0.3, "screening": 0.4}],
    "softcore": [{}, {"eps": 0.1}],
}
CASES = [
    pytest.param(law, variant, id=f"{law}-{'-'.join(f'{k}={v}' for k, v in variant.items()) or 'default'}")
    for law in LAWS
    for variant in VARIANTS.get(law, [{}])
]
DEFAULT_LAWS = [pytest.param(law, LAWS[law], id=law) for law in LAWS]


def drawn(rng, law, variant, n, N, apart=0.0):
    """A system with unequal charges and masses, and positions at least `apart` from each other."""
    system = System(rng.uniform(-2, 2, N), rng.uniform(0.5, 2, N), law, variant)
    while True:
        x = rng.standard_normal((N, n)) * (1 + 3 * apart)
        gaps = [np.linalg.norm(x[i] - x[j]) for i in range(N) for j in range(i)]
        if not gaps or min(gaps) > max(apart, 0.02):
            return system, x


def force(system, x):
    return system.masses[:, None] * accelerations(system, x[None])[0]


def energy(system, x):
    return float(potential_energy(single_frame(system, State(x, np.zeros_like(x))))[0])


def relative(got, expected):
    return float(np.max(np.abs(got - expected)) / (np.max(np.abs(expected)) + 1e-300))


def oracle_mismatch(system, x, acceleration):
    expected = oracle.ACCELERATION[system.law](x, system.charges, system.masses, **system.parameters)
    return relative(acceleration, expected) if np.any(expected) else float(np.max(np.abs(acceleration)))


@pytest.mark.parametrize(("law", "variant"), CASES)
@pytest.mark.parametrize("n", range(1, 6))
@pytest.mark.parametrize("N", [1, 2, 5])
def test_equals_the_oracle(law, variant, n, N, rng):
    for _ in range(3):
        system, x = drawn(rng, law, variant, n, N)
        assert oracle_mismatch(system, x, accelerations(system, x[None])[0]) < tolerance("oracle")
        expected = oracle.ENERGY[law](x, system.charges, system.masses, **system.parameters)
        assert energy(system, x) == pytest.approx(expected, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize(("law", "variant"), CASES)
def test_oracle_check_bites(law, variant, rng):
    system, x = drawn(rng, law, variant, 3, 5)
    a = accelerations(system, x[None])[0]
    dropped = a.copy()
    dropped[2] -= 1e-10 * np.abs(a).max()
    for wrong in (-a, a * system.masses[:, None], dropped, a[::-1]):
        assert oracle_mismatch(system, x, wrong) > tolerance("oracle")


def gradient_mismatch(system, x, energy_of=None):
    """Largest difference of m a and -grad U by central differences, relative to the largest force."""
    energy_of = energy_of or system
    h = 1e-5
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = h
        gradient[index] = (energy(energy_of, x + step) - energy(energy_of, x - step)) / (2 * h)
    return relative(force(system, x), -gradient)


CONSERVATIVE = [case for case in CASES if LAWS[case.values[0]].conservative]
OTHERS = [pytest.param(law, id=law) for law in LAWS if not LAWS[law].conservative]


@pytest.mark.parametrize(("law", "variant"), CONSERVATIVE)
@pytest.mark.parametrize("n", range(1, 6))
def test_conservative_force_is_minus_the_gradient(law, variant, n, rng):
    system, x = drawn(rng, law, variant, n, 4, apart=0.3)
    assert gradient_mismatch(system, x) < tolerance("gradient")


@pytest.mark.parametrize("wrong", [{"kappa": 0.0}, {"p": 2.1}, {"eps": 0.1001}], ids=str)
def test_gradient_check_bites(wrong, rng):
    right = {"eps": 0.1, "p": 2.0, "kappa": 0.01}
    system, x = drawn(rng, "coulomb", right, 3, 4, apart=0.3)
    other = System(system.charges, system.masses, "coulomb", right | wrong)
    assert gradient_mismatch(system, x, other) > tolerance("gradient")


def clamped(n):
    """Three particles so close together that the reference law clamps some components and not others."""
    x = np.zeros((3, n))
    x[1, 0], x[2, 0] = 0.05, -1.0
    if n > 1:
        x[1, 1], x[2, 1] = 0.02, 0.5
    return x


@pytest.mark.parametrize("law", OTHERS)
@pytest.mark.parametrize("n", range(1, 6))
def test_law_that_claims_no_energy_is_not_conservative(law, n):
    system = System([1.0, -1.0, 1.0], law=law)
    assert gradient_mismatch(system, clamped(n)) > 1e-2


@pytest.mark.parametrize("law", OTHERS)
@pytest.mark.parametrize("n", range(1, 6))
def test_energy_without_claim_still_belongs_to_the_unclamped_force(law, n, rng):
    system, x = drawn(rng, law, {}, n, 4, apart=0.3)
    assert gradient_mismatch(system, x) < tolerance("gradient")


def newton_mismatch(forces):
    return float(np.abs(forces.sum(axis=0)).max() / np.abs(forces).max())


@pytest.mark.parametrize(("law", "forces"), DEFAULT_LAWS)
@pytest.mark.parametrize("n", range(1, 6))
def test_newtons_third_law(law, forces, n, rng):
    for variant in VARIANTS.get(law, [{}])[: None if forces.conservative else 1]:
        system, x = drawn(rng, law, variant, n, 5, apart=0.3)
        assert newton_mismatch(force(system, x)) < tolerance("newton")


def test_newton_check_bites():
    system = System([1.0, -1.0, 1.0], law="reference")
    assert newton_mismatch(force(system, clamped(3))) > tolerance("newton")


def test_two_particles_attract_and_repel():
    x = np.array([[0.0, 0.0], [2.0, 0.0]])
    np.testing.assert_allclose(force(System([1, 3], parameters={"eps": 0}), x), [[-0.75, 0], [0.75, 0]])
    np.testing.assert_allclose(force(System([1, -3], parameters={"eps": 0}), x), [[0.75, 0], [-0.75, 0]])
    pull = System([0, 0], parameters={"kappa": 0.5})  # -kappa (x_i - x_com) for unit masses
    np.testing.assert_allclose(force(pull, x), [[0.5, 0], [-0.5, 0]])


def equivariance_mismatch(system, x, transform):
    return relative(force(system, transform(x)), transform(force(system, x)))


ISOTROPIC = [case for case in CASES if LAWS[case.values[0]].isotropic]
ANISOTROPIC = [pytest.param(law, id=law) for law in LAWS if not LAWS[law].isotropic]


@pytest.mark.parametrize(("law", "variant"), ISOTROPIC)
@pytest.mark.parametrize("n", range(1, 6))
def test_isotropic_law_commutes_with_every_turn_and_reflection(law, variant, n, rng):
    signs = set()
    for _ in range(6):
        R = random_orthogonal(n, rng)
        signs.add(round(float(np.linalg.det(R))))
        system, x = drawn(rng, law, variant, n, 5, apart=0.1)
        assert equivariance_mismatch(system, x, lambda x, R=R: x @ R.T) < tolerance("symmetry")
        assert energy(system, x @ R.T) == pytest.approx(energy(system, x), rel=1e-11)
    assert signs == {-1, 1}


@pytest.mark.parametrize("law", ANISOTROPIC)
@pytest.mark.parametrize("n", range(2, 6))
def test_law_that_claims_no_isotropy_breaks_it(law, n, rng):
    R = random_orthogonal(n, rng)
    system = System([1.0, -1.0, 1.0], law=law)
    assert equivariance_mismatch(system, clamped(n), lambda x: x @ R.T) > 1e-2


@pytest.mark.parametrize(("law", "variant"), CASES)
@pytest.mark.parametrize("n", range(1, 6))
def test_shift_and_permutation(law, variant, n, rng):
    system, x = drawn(rng, law, variant, n, 5, apart=0.1)
    shifted = force(system, x + rng.standard_normal(n))
    assert relative(shifted, force(system, x)) < tolerance("symmetry")
    order = rng.permutation(5)
    renamed = System(system.charges[order], system.masses[order], law, variant)
    assert relative(force(renamed, x[order]), force(system, x)[order]) < tolerance("symmetry")
    left_behind = relative(force(system, x[order]), force(system, x)[order])
    if not LAWS[law].couplings:  # it claims to see neither charges nor masses
        assert left_behind < tolerance("symmetry")
    elif n > 1:  # and the check bites: charges left behind
        assert left_behind > tolerance("symmetry")


@pytest.mark.parametrize(("law", "row"), DEFAULT_LAWS)
def test_a_law_is_scaled_by_what_it_claims(law, row, rng):
    system, x = drawn(rng, law, {}, 3, 4, apart=0.3)
    other_charges = System(0.5 * system.charges, system.masses, law)
    other_masses = System(system.charges, 0.5 * system.masses, law)
    changed = [relative(force(s, x), force(system, x)) > 1e-3 for s in (other_charges, other_masses)]
    assert changed == [name in row.couplings for name in ("charges", "masses")]


def test_gravity_and_springs_pull_and_like_charges_repel():
    x = np.array([[0.0, 0.0], [2.0, 0.0]])
    np.testing.assert_allclose(force(System([0, 0], [1, 3], "gravity", {"eps": 0}), x), [[0.75, 0], [-0.75, 0]])
    np.testing.assert_allclose(force(System([0, 0], law="spring"), x), [[0.5, 0], [-0.5, 0]])
    np.testing.assert_allclose(force(System([1, 3], law="softcore", parameters={"eps": 0}), x)[0], [-1.5, 0])
    pushed = -3 * (1 / 4 + 1 / 4) * np.exp(-1)
    np.testing.assert_allclose(force(System([1, 3], law="yukawa", parameters={"eps": 0}), x)[0], [pushed, 0])


@pytest.mark.parametrize(("law", "row"), DEFAULT_LAWS)
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_contact(law, row, n):
    system = System([1.0, 1.0, -1.0], law=law)
    x = np.zeros((3, n))
    x[2] = 1.0
    state = State(x, np.zeros_like(x))
    if row.smooth_at_contact:
        assert np.isfinite(force(system, x)).all()
        assert np.isfinite(energy(system, x))
        assert np.isfinite(simulate(system, state, 0.1, n_frames=2).positions).all()
    else:
        assert not (np.isfinite(force(system, x)).all() and np.isfinite(energy(system, x)))
        with pytest.raises(SimulationError, match="particles 0 and 1 coincide"):
            simulate(system, state, 0.1, n_frames=2)


@pytest.mark.parametrize(("law", "variant"), CASES)
@pytest.mark.parametrize("integrator", list(INTEGRATORS))
def test_same_bits_alone_in_any_lane_and_for_any_workers(law, variant, integrator, rng):
    count = 2 * LANES + 3
    x, v = rng.standard_normal((2, count, 3, 2))
    q, m = rng.uniform(-2, 2, (count, 3)), rng.uniform(0.5, 2, (count, 3))
    schedule = schedule_through(np.array([0.0, 0.01, 0.1]), 1e-3)

    def run(which, workers=1):
        return simulate_batch(
            x[which],
            v[which],
            q[which],
            masses=m[which],
            law=law,
            parameters=dict(variant),
            integrator=integrator,
            schedule=schedule,
            workers=workers,
        )

    whole = run(slice(None))
    for workers in (2, 3):
        for one, other in zip(whole, run(slice(None), workers), strict=True):
            assert one.tobytes() == other.tobytes()
    for index in (0, 5, LANES, count - 1):
        for one, other in zip(whole, run(slice(index, index + 1)), strict=True):
            assert one[index].tobytes() == other[0].tobytes()
    for width in (2, 3, 4, 7, 8, 9, 17):  # whatever vector width and remainder the compiler chose
        for one, other in zip(whole, run(slice(0, width)), strict=True):
            assert one[:width].tobytes() == other.tobytes()
    for roll in (1, 2, 3, 5, 7, LANES // 2, LANES - 1):
        order = np.roll(np.arange(count), roll)
        for one, other in zip(whole, run(order), strict=True):
            assert one[order].tobytes() == other.tobytes()


def test_gauss_law_has_the_same_flux_through_every_sphere():
    for n in range(1, 6):
        system = System([1.0, 1.0], parameters={"p": "gauss", "eps": 0.0})
        flux = []
        for r in (0.5, 1.0, 3.0):
            x = np.zeros((2, n))
            x[1, 0] = r
            flux.append(force(system, x)[1, 0] * r ** (n - 1))
        assert math.isclose(min(flux), max(flux), rel_tol=1e-12), n
