"""A formula as text and numbers, and how far it is from the true law, or else from the learned one."""

from typing import Any

import numpy as np

from physics.types import FloatArray
from surrogate.evaluation.formula.digits import rounded, with_error
from surrogate.evaluation.formula.search import Formula
from surrogate.evaluation.pair_law_recovery import Recovery, coupling_factors

NO_FORM = "no simple form"
ERRORS = ("largest_error", "median_error", "largest_error_at", "largest_error_force")
"""Keys of what is said of a relative error."""


def formula_text(formula: Formula) -> str:
    """The force of j on i along r_ij, positive where it repels; or that there is none."""
    if formula.candidate is None:
        return NO_FORM
    return "F_ij = " + formula.candidate.formula(
        [rounded(v, e) for v, e in zip(formula.values, formula.errors, strict=True)]
    )


def formula_forces(formula: Formula, pairs: FloatArray, distances: FloatArray) -> FloatArray:
    """The formula's force on particle i of each pair, along r_ij: (P, R) [force]."""
    assert formula.candidate is not None
    radial = formula.candidate.coefficients(distances, formula.values, formula.couplings)
    return np.asarray(np.einsum("pc,cr->pr", coupling_factors(pairs, formula.couplings), radial) * distances)


def formula_curve(recovery: Recovery, formula: Formula) -> FloatArray:
    """The formula's force on the pair whose force the recovery's figure shows: (R,)."""
    return np.asarray(formula_forces(formula, recovery.pairs, recovery.distances)[recovery.strongest])


def formula_numbers(recovery: Recovery, formula: Formula) -> dict[str, Any]:
    """The keys of `recover --json` that a formula adds.

    `largest_error` is the relative one of the formula's force over the distances and pairs of the recovery:
    against the true law where it is known, else against the learned one; of the learned force where there is no
    formula. `largest_error_at` is where [length], `largest_error_force` the force there as a share of its largest.
    """
    numbers: dict[str, Any] = {
        "formula": formula_text(formula),
        "form": formula.form,
        "parameters": {},
        "largest_correction": formula.correction,
        "candidates": [
            {
                "form": t.candidate.name,
                "parameters": dict(zip(t.candidate.parameters, t.values.tolist(), strict=True)),
                "log_likelihood": float(t.logs.sum()),
            }
            for t in formula.tried
        ],
    }
    known = recovery.learned if recovery.true is None else recovery.true
    against = "learned force" if recovery.true is None else "true law"
    if formula.candidate is None:
        force = recovery.learned
        numbers["largest_error_of"] = "the learned force against the true law"
        if recovery.true is None:
            return numbers | dict.fromkeys(ERRORS)
    else:
        found = zip(formula.candidate.parameters, formula.values.tolist(), formula.errors.tolist(), strict=True)
        numbers["parameters"] = {name: {"value": value, "error": error} for name, value, error in found}
        force = formula_forces(formula, recovery.pairs, recovery.distances)
        numbers["largest_error_of"] = f"the formula against the {against}"
    errors = np.abs(force - known) / np.maximum(np.abs(known), 1e-300)
    pair, at = np.unravel_index(errors.argmax(), errors.shape)
    share = np.abs(known[pair, at]) / np.abs(known[pair]).max()
    values = (errors[pair, at], np.median(errors), recovery.distances[at], share)
    return numbers | {name: float(value) for name, value in zip(ERRORS, values, strict=True)}


def formula_summary(numbers: dict[str, Any]) -> str:
    """Lines for the terminal of what `formula_numbers` has."""
    lines = [NO_FORM if numbers["form"] is None else f"{numbers['form']}: {numbers['formula']}"]
    lines += [f"{name} = {with_error(p['value'], p['error'])}" for name, p in numbers["parameters"].items()]
    return "\n  ".join([*lines, *formula_remarks(numbers)]) + "\n"


def formula_remarks(numbers: dict[str, Any]) -> list[str]:
    """How good what was found is."""
    remarks = []
    if numbers["largest_error"] is not None:
        remarks.append(
            f"relative error of {numbers['largest_error_of']}: median {numbers['median_error']:.2%}, largest "
            f"{numbers['largest_error']:.2%} at r = {numbers['largest_error_at']:.3g}, where the force is "
            f"{numbers['largest_error_force']:.1%} of its largest"
        )
    if numbers["form"] is None:
        return [
            *remarks,
            f"the data ask for corrections of {numbers['largest_correction']:.0%} of the best candidate's force",
        ]
    if numbers["largest_error_of"].endswith("learned force"):
        remarks.append("(the formula is fitted to the data, not to the learned force, unsure where that is weak)")
    remarks.append(f"corrections that the data ask for: at most {numbers['largest_correction']:.2%} of the force")
    return remarks
