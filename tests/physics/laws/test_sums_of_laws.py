"""Sums of laws: each equals the sum of its terms' oracles, and claims what all its terms claim."""

import itertools

import numpy as np
import pytest

from physics import State, System, simulate
from physics.errors import InputError, SimulationError
from physics.integrators import INTEGRATORS
from physics.laws import LAWS
from physics.laws.names import is_law, law_claims, law_terms, singular_at_contact, term_values
from physics.laws.packing import packed_parameters
from physics.observables import total_energy
from physics.rotations import random_orthogonal
from physics.scenario_files import scenario_text, write_scenario
from physics.scenarios import load_scenario, scenario_from_tree
from tests.physics import oracle
from tests.physics.laws.test_laws import (
    clamped,
    energy,
    equivariance_mismatch,
    force,
    gradient_mismatch,
    newton_mismatch,
    relative,
)
from tests.physics.tolerances import tolerance

PAIRS = ["+".join(pair) for pair in itertools.combinations(LAWS, 2)]
SUMS = [*PAIRS, "gravity+coulomb+spring", "+".join(LAWS)]
CHOSEN = {"gravity+coulomb": {"gravity.G": 0.7, "coulomb.eps": 0.3, "coulomb.p": "gauss", "coulomb.kappa": 0.4}}


def drawn(rng, law, n, N, apart=0.3):
    system = System(rng.uniform(-2, 2, N), rng.uniform(0.5, 2, N), law, CHOSEN.get(law, {}))
    while True:
        x = 2.0 * rng.standard_normal((N, n)) * (1 + apart)
        if min(np.linalg.norm(x[i] - x[j]) for i in range(N) for j in range(i)) > apart:
            return system, x


def summed(system, x, registry):
    """The sum of the oracles of its terms."""
    values = term_values(system.law, system.parameters)
    return sum(registry[name](x, system.charges, system.masses, **values[name]) for name in values)


@pytest.mark.parametrize("law", SUMS)
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_a_sum_equals_the_sum_of_the_oracles(law, n, rng):
    system, x = drawn(rng, law, n, 4)
    a = force(system, x) / system.masses[:, None]
    expected = summed(system, x, oracle.ACCELERATION)
    assert relative(a, expected) < tolerance("oracle")
    assert energy(system, x) == pytest.approx(summed(system, x, oracle.ENERGY), rel=1e-11, abs=1e-11)
    for name in law_terms(law):  # the check bites: any term left out is seen
        own = oracle.ACCELERATION[name](
            x, system.charges, system.masses, **term_values(law, system.parameters)[name]
        )
        assert relative(a, expected - own) > tolerance("oracle")


@pytest.mark.parametrize("law", SUMS)
def test_a_sum_claims_what_all_its_terms_claim(law, rng):
    row, rows = law_claims(law), [LAWS[name] for name in law_terms(law)]
    for claim in ("conservative", "isotropic", "smooth_at_contact"):
        assert getattr(row, claim) == all(getattr(term, claim) for term in rows)
    system, x = drawn(rng, law, 3, 3)
    if row.conservative:
        assert gradient_mismatch(system, x) < tolerance("gradient")
        assert newton_mismatch(force(system, x)) < tolerance("newton")
    else:
        assert gradient_mismatch(System([1.0, -1.0, 1.0], law=law), clamped(3)) > 1e-2
    R = random_orthogonal(3, rng)
    if row.isotropic:
        assert equivariance_mismatch(system, x, lambda x: x @ R.T) < tolerance("symmetry")
    else:
        strange = System([1.0, -1.0, 1.0], law=law)
        assert equivariance_mismatch(strange, clamped(3), lambda x: x @ R.T) > 1e-3
    same_place = State(np.repeat([[0.0], [0.0], [1.0]], 3, axis=1), np.zeros((3, 3)))
    plain = System([1.0, 1.0, -1.0], law=law)
    if row.smooth_at_contact:
        assert np.isfinite(simulate(plain, same_place, 0.01, n_frames=2).positions).all()
    else:
        with pytest.raises(SimulationError, match="particles 0 and 1 coincide"):
            simulate(plain, same_place, 0.01, n_frames=2)


def test_gradient_check_bites_on_a_sum(rng):
    system, x = drawn(rng, "gravity+coulomb", 3, 4)
    for name, value in (("gravity.G", 0.701), ("coulomb.kappa", 0.39)):
        other = System(system.charges, system.masses, system.law, {**system.parameters, name: value})
        assert gradient_mismatch(system, x, other) > tolerance("gradient")


@pytest.mark.parametrize("name", list(INTEGRATORS))
def test_every_integrator_takes_a_sum(name, rng):
    system, x = drawn(rng, "gravity+coulomb", 3, 3)
    there = simulate(system, State(x, 0 * x), 0.5, n_frames=3, integrator=name, dt=1e-3)
    known = simulate(system, State(x, 0 * x), 0.5, n_frames=3, integrator="rk4", dt=1e-3)
    np.testing.assert_allclose(there.positions, known.positions, atol=1e-3 if name == "symplectic-euler" else 1e-5)
    assert np.ptp(total_energy(there)) < 1e-2


def test_names():
    assert law_terms("gravity + coulomb") == ("gravity", "coulomb")
    system = System([1.0, 1.0], law="gravity + coulomb", parameters={"coulomb.eps": 0.3})
    assert system.law == "gravity+coulomb"
    assert dict(system.parameters) == {
        "gravity.eps": 0.1,
        "gravity.G": 1.0,
        "coulomb.eps": 0.3,
        "coulomb.p": 2.0,
        "coulomb.kappa": 0.0,
    }
    assert law_claims("gravity+coulomb").couplings == ("charges", "masses")
    assert law_claims("coulomb") is LAWS["coulomb"]
    assert is_law("gravity+spring")
    assert not any(is_law(name) for name in ("gravity+", "", None, 3, ["coulomb"], "gravity+gravity"))
    assert singular_at_contact("gravity+coulomb", {**system.parameters, "gravity.eps": 0.0})
    assert not singular_at_contact("gravity+coulomb", system.parameters)


def test_gauss_is_one_less_than_the_dimensions():
    values = {"eps": 0.1, "kappa": 0.2}
    for n in range(1, 6):
        as_number = packed_parameters("coulomb", {**values, "p": float(n - 1)}, n)
        np.testing.assert_array_equal(packed_parameters("coulomb", {**values, "p": "gauss"}, n), as_number)


@pytest.mark.parametrize(
    ("law", "parameters", "said"),
    [
        ("gravity+coulom", {}, "unknown law 'coulom'; did you mean 'coulomb'"),
        ("gravity+", {}, "unknown law ''"),
        ("gravity+gravity", {}, "law 'gravity' comes twice"),
        ("gravity+coulomb", {"G": 1.0}, r"unknown parameter .* 'G'; did you mean 'gravity.G'\?"),
        ("gravity+coulomb", {"eps": 1.0}, r"did you mean 'gravity.eps' or 'coulomb.eps'\?"),
        ("gravity+coulomb", {"gravity.g": 1.0}, "did you mean 'gravity.G'"),
        ("gravity+coulomb", {"coulomb.eps": -1.0}, "coulomb.eps .* must be >= 0"),
        ("gravity+yukawa", {"yukawa.screening": 0.0}, "yukawa.screening .* must be > 0"),
        ("gravity+coulomb", {"coulomb.p": "gaus"}, "'gauss'; got 'gaus'"),
    ],
)
def test_what_a_sum_cannot_be(law, parameters, said):
    with pytest.raises(InputError, match=said):
        System([1.0, 1.0], law=law, parameters=parameters)


def test_a_scenario_of_a_sum_is_read_back(tmp_path):
    tree = {
        "title": "both",
        "law": "gravity+coulomb",
        "parameters": {"gravity.G": 0.25, "coulomb.p": "gauss"},
        "particles": {
            "charges": [1.0, -1.0],
            "positions": [[0.5, 0.0], [-0.5, 0.0]],
            "velocities": [[0.0, 0.7], [0.0, -0.7]],
        },
    }
    scenario = scenario_from_tree(tree, "both", "here")
    write_scenario(tmp_path / "both.toml", scenario)
    again = load_scenario(str(tmp_path / "both.toml"))
    assert scenario_text(again) == scenario_text(scenario)
    assert again.initial()[0].parameters["gravity.G"] == 0.25
