"""Formulas of laws that are among the candidates, with their parameters, and none of laws that are not."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from surrogate.evaluation.formula.forms import FORMS, Candidate, Term, candidates
from surrogate.evaluation.formula.report import formula_text, rounded
from surrogate.evaluation.formula.search import Formula, formula_of
from surrogate.evaluation.pair_law_recovery import seen_distances
from surrogate.tasks.dynamics.scales import Scales
from tests.surrogate.evaluation.formulas import Radial, data_under, knowing

LAWS: dict[str, tuple[str, Radial, dict[str, float]]] = {
    "softened-power": ("masses", lambda r: -1.5 / (r**2 + 0.2**2) ** 1.75, {"k": -1.5, "p": 2.5, "s": 0.2}),
    "spring": ("constant", lambda r: -0.3 + 0 * r, {"k": 0.3}),
    "spring-rest": ("constant", lambda r: -0.8 * (1 - 1.2 / r), {"k": 0.8, "rest": 1.2}),
    "yukawa": (
        "charges",
        lambda r: (1 + np.hypot(r, 0.3)) * np.exp(-np.hypot(r, 0.3)) / np.hypot(r, 0.3) ** 3,
        {"k": 1.0, "length": 1.0, "s": 0.3},
    ),
    "gaussian": ("constant", lambda r: np.exp(-(r**2) / 2), {"k": 1.0, "width": 1.0}),
    "soft-core": ("charges", lambda r: 1 / (r**2 + 0.5**2), {"k": 1.0, "s": 0.5}),
}


def found_for(radial: Radial, couplings: str) -> Formula:
    split = data_under(radial, couplings)
    return formula_of(knowing(radial, couplings), split, seen_distances(split))


@pytest.mark.parametrize("form", list(LAWS))
def test_a_law_among_the_candidates_is_found_with_its_parameters(form: str) -> None:
    """From a model whose force is 3 % off."""
    couplings, radial, expected = LAWS[form]
    found = found_for(radial, couplings)
    assert found.form == form
    assert found.candidate is not None
    values = dict(zip(found.candidate.parameters, found.values, strict=True))
    assert values == pytest.approx(expected, rel=0.01)


OTHERS: dict[str, Radial] = {
    "wave": lambda r: np.cos(4 * r) / (r**2 + 0.2),
    "well": lambda r: 3 * (r - 1.2) * np.exp(-4 * (r - 1.2) ** 2) / r,
}


@pytest.mark.parametrize("law", list(OTHERS))
def test_a_law_that_is_no_candidate_has_no_simple_form(law: str) -> None:
    """Even where the model has learned it exactly."""
    found = found_for(OTHERS[law], "constant")
    assert found.form is None
    assert found.correction > 0.01
    assert formula_text(found) == "no simple form"


def test_parameters_are_in_the_units_of_the_data() -> None:
    couplings, radial, expected = LAWS["yukawa"]
    scales = Scales(2.0, 3.0, 1.5, 4.0)
    split = data_under(radial, couplings)
    found = formula_of(knowing(radial, couplings, scales), split, seen_distances(split))
    assert found.candidate is not None
    values = dict(zip(found.candidate.parameters, found.values, strict=True))
    assert values == pytest.approx(expected, rel=0.01)


def test_a_field_that_is_given_does_not_count_as_part_of_the_pair_force() -> None:
    couplings, radial, expected = LAWS["soft-core"]
    split = data_under(radial, couplings)
    field = np.array([0.0, 0.5, -1.0])
    t = split.times[:, None, None]
    fallen = replace(
        split,
        positions=split.positions + 0.5 * field * t**2,
        velocities=split.velocities + field * t,
        uniform_field=np.tile(field, (len(split), 1)),
    )
    model = knowing(radial, couplings, fields="given-uniform")
    (values,) = (p for name, p in model.network(torch.float64).named_parameters() if "given-uniform" in name)
    values.data = torch.tensor([1.0, 0.0])  # per mass, per charge
    found = formula_of(model, fallen, seen_distances(fallen))
    assert found.candidate is not None
    assert dict(zip(found.candidate.parameters, found.values, strict=True)) == pytest.approx(expected, rel=0.01)


def test_forms_are_linear_in_their_strengths_and_formatted_with_all_parameters() -> None:
    r = np.geomspace(0.3, 4, 7)
    for coupling_sets in (("charges",), ("constant", "masses")):
        for n_terms in (1, 2):
            for candidate in candidates(coupling_sets, n_terms):
                values = np.linspace(0.5, 1.5, len(candidate.parameters))
                once = candidate.coefficients(r, values, coupling_sets)
                values[: candidate.n_strengths] *= 2
                np.testing.assert_allclose(candidate.coefficients(r, values, coupling_sets), 2 * once)
                names = [f"<{name}>" for name in candidate.parameters]
                assert all(name in candidate.formula(names) for name in names)
    assert {term.form for c in candidates(("charges",), 1) for term in c.terms} == set(FORMS)


def test_a_formula_says_what_it_scales_with() -> None:
    sum_of_two = Candidate((Term("spring", "constant"), Term("yukawa", "charges")))
    assert sum_of_two.parameters == ("k1", "k2", "length2", "s2")
    text = sum_of_two.formula(["A", "B", "L", "s"])
    assert text == "[-A r] + q_i q_j [B r (1 + d/L) exp(-d/L) / d^3, d^2 = r^2 + s^2]"


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.00023, 0.0004, "1.0002"),
        (0.1234567, 0.03, "0.12"),
        (-5117.3, 723.0, "-5.1e+03"),
        (2.0, 0.0, "2"),
        (0.0, 1.0, "0"),
    ],
)
def test_values_are_rounded_to_what_their_error_leaves(value: float, error: float, text: str) -> None:
    assert rounded(value, error) == text
