"""Formulas of laws that are among the candidates, with their parameters, and none of laws that are not."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from physics.errors import InputError
from surrogate.evaluation.formula.curve_fit import Curve, CurveFit, curve_fit
from surrogate.evaluation.formula.data_fit import Search
from surrogate.evaluation.formula.digits import rounded, with_error
from surrogate.evaluation.formula.forms import FORMS, Candidate, Term, candidates
from surrogate.evaluation.formula.law_windows import with_given_law
from surrogate.evaluation.formula.report import formula_numbers, formula_remarks, formula_text
from surrogate.evaluation.formula.search import Formula, formula_of
from surrogate.evaluation.pair_law_recovery import Recovery, seen_distances
from surrogate.models.integrator.pair_law import spline
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
    """Of nanometres and picoseconds in metres and seconds; with an exponent, a strength's unit depends on it."""
    couplings, radial, expected = LAWS["softened-power"]
    length, time = 1e-9, 1e-12
    split = data_under(radial, couplings)
    tiny = replace(
        split,
        positions=length * split.positions,
        velocities=length / time * split.velocities,
        times=time * split.times,
    )
    model = knowing(lambda r: radial(r / length) / time**2, couplings, Scales(2 * length, 3 * time, 1.5, 4.0))
    found = formula_of(model, tiny, seen_distances(tiny))
    assert found.candidate is not None
    values = dict(zip(found.candidate.parameters, found.values, strict=True))
    in_metres = {"k": expected["k"] * length ** (expected["p"] + 1) / time**2, "p": 2.5, "s": 0.2 * length}
    assert values == pytest.approx(in_metres, rel=0.01)
    relative = dict(zip(found.candidate.parameters, found.errors / np.abs(found.values), strict=True))
    assert relative["s"] < 0.01
    assert relative["k"] > 20 * relative["p"]  # r^-p at 1 m is what k says, extrapolated from 1 nm


def test_noise_is_told_from_a_law_that_is_no_candidate() -> None:
    for form, law in ("wave", OTHERS["wave"]), ("soft-core", LAWS["soft-core"][1]):
        split = data_under(law, "constant", samples=10)
        clean = Search(knowing(law, "constant", wrong=0.003), split, seen_distances(split))
        assert not clean.noisy, form
        noise = 0.01 * np.random.default_rng(0).standard_normal(split.positions.shape)
        seen = replace(split, positions=split.positions + noise)
        noisy = Search(knowing(law, "constant"), seen, seen_distances(seen))
        assert noisy.noisy, form
        assert noisy.windows.horizon == pytest.approx(4 * clean.windows.horizon)
        assert noisy.finer.horizon > noisy.windows.horizon


def test_a_model_of_charges_needs_pairs_that_have_some() -> None:
    couplings, radial, _ = LAWS["soft-core"]
    split = data_under(radial, couplings, samples=4)
    neutral = replace(split, charges=0 * split.charges)
    with pytest.raises(InputError, match="no pair has charges"):
        formula_of(knowing(radial, couplings), neutral, seen_distances(split))


def test_a_candidate_that_stopped_on_its_way_begins_again_on_what_the_best_has_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    couplings, radial, expected = LAWS["softened-power"]
    astray = []
    real = curve_fit

    def misled(candidate: Candidate, curve: Curve) -> CurveFit:
        """The first start of the right form is so far off that it does not come back."""
        fit = real(candidate, curve)
        if candidate.name == "softened-power" and not astray:
            astray.append(candidate)
            return replace(fit, values=np.array([0.01, 5.0, 3.0]))
        return fit

    monkeypatch.setattr("surrogate.evaluation.formula.search.curve_fit", misled)
    found = found_for(radial, couplings)
    assert astray
    assert found.form == "softened-power"
    assert found.candidate is not None
    assert dict(zip(found.candidate.parameters, found.values, strict=True)) == pytest.approx(expected, rel=0.01)


def test_a_candidate_is_itself_at_the_centre() -> None:
    couplings, radial, expected = LAWS["softened-power"]
    split = data_under(radial, couplings, samples=4)
    search = Search(knowing(radial, couplings), split, seen_distances(split))
    candidate = Candidate((Term("softened-power", couplings),))
    table = search.law_table(candidate, np.array(list(expected.values())))
    r = np.array([1e-3, 0.01, 0.02])
    law = search.windows.network.law
    found = spline(torch.as_tensor(table), torch.as_tensor(r**2), law.softening, law.u0).numpy()[0]
    np.testing.assert_allclose(found, radial(r), rtol=5e-3)
    singular = search.law_table(Candidate((Term("power", couplings),)), np.array([1.0, 2.0]))
    assert np.abs(singular).max() < 1e6  # bounded, although 1 / r^3 is not


def test_rounds_of_a_fit_are_of_fourth_order_whatever_the_model_has() -> None:
    model = knowing(LAWS["soft-core"][1], order=2)
    assert with_given_law(model).order == 4
    assert model.network(torch.float64).order == 2


@pytest.mark.parametrize("known", [True, False])
def test_the_largest_error_is_said_with_its_place(known: bool) -> None:
    r = np.array([0.5, 1.0, 2.0, 4.0])
    formula = Formula(
        Candidate((Term("power", "constant"),)), np.array([1.0, 2.0]), np.ones(2), ("constant",), 0, ()
    )
    learned = np.array([[4.0, 1.0, 0.25, 0.05]])
    found = Recovery(
        r, 1.01 * r[None] ** -2.0 if known else None, learned, np.ones((1, 4)), r, None, ("constant",)
    )
    numbers = formula_numbers(found, formula)
    (meaning, *_) = remarks = formula_remarks(numbers)
    if known:
        assert numbers["largest_error"] == pytest.approx(0.01 / 1.01)
        assert "true law" in meaning
        return
    assert numbers["largest_error"] == pytest.approx(0.25)
    assert numbers["largest_error_at"] == 4.0
    assert numbers["largest_error_force"] == pytest.approx(0.0125)
    assert (
        "against the learned force: median 0.00%, largest 25.00% at r = 4, where the force is 1.2% of its largest"
        in meaning
    )
    assert any("fitted to the data" in remark for remark in remarks)


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
        (-5117.3, 723.0, "-5100"),
        (8987.55178, 0.6, "8987.6"),
        (2.00000012, 1e-11, "2"),
        (-3.14159e-10, 2e-14, "-3.1416e-10"),
        (6.5e7, 3e5, "6.5e+07"),
        (2.0, 0.0, "2"),
        (0.0, 1.0, "0"),
    ],
)
def test_values_are_rounded_to_what_their_error_leaves(value: float, error: float, text: str) -> None:
    assert rounded(value, error) == text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.00023, 0.0004, "1.00023 +- 0.00040"),
        (8987.55178, 0.6, "8987.55 +- 0.60"),
        (-5117.0, 723.0, "-5117 +- 723"),
        (-3.14159e-10, 2e-14, "(-3.14159 +- 0.00020)e-10"),
        (0.5, 3e-11, "0.500000 +- 3e-11"),
        (0.1, 1e12, "(0.0 +- 1.0)e+12"),
        (2.0, np.inf, "2 +- inf"),
    ],
)
def test_a_value_and_its_error_have_the_digits_of_the_error(value: float, error: float, text: str) -> None:
    assert with_error(value, error) == text
