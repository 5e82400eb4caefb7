"""A formula as text and numbers, and how far it is from the true law, or else from the learned one."""

import math
from typing import Any

import numpy as np

from physics.types import FloatArray
from surrogate.evaluation.formula.search import Formula
from surrogate.evaluation.pair_law_recovery import Recovery, coupling_factors

NO_FORM = "no simple form"
DIGITS = 4
"""Significant digits of a value whose error is smaller."""


def formula_text(formula: Formula) -> str:
    """The force of j on i along r_ij, positive where it repels; or that there is none."""
    if formula.candidate is None:
        return NO_FORM
    return "F_ij = " + formula.candidate.formula(
        [rounded(v, e) for v, e in zip(formula.values, formula.errors, strict=True)]
    )


def rounded(value: float, error: float) -> str:
    """A value to the digits its error leaves, at least DIGITS where the error is smaller."""
    if not (value and math.isfinite(value)):
        return f"{value:g}"
    digits = DIGITS
    if 0 < error < math.inf:
        digits = max(math.floor(math.log10(abs(value))) - math.floor(math.log10(error)) + 1, 1)
        digits = min(max(digits, DIGITS if error < 1e-3 * abs(value) else 2), 8)
    return f"{value:.{digits}g}"


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

    `largest_error` is that of the formula's force over the distances and pairs of the recovery: against the true
    law where it is known, else against the learned one; of the learned force where there is no formula.
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
    if formula.candidate is None:
        errors = recovery.errors
        numbers["largest_error"] = None if errors is None else float(errors.max())
        numbers["largest_error_of"] = "the learned force against the true law"
        return numbers
    found = zip(formula.candidate.parameters, formula.values.tolist(), formula.errors.tolist(), strict=True)
    numbers["parameters"] = {name: {"value": value, "error": error} for name, value, error in found}
    force = formula_forces(formula, recovery.pairs, recovery.distances)
    known = recovery.learned if recovery.true is None else recovery.true
    numbers["largest_error"] = float(np.max(np.abs(force - known) / np.maximum(np.abs(known), 1e-300)))
    numbers["largest_error_of"] = (
        f"the formula against the {'learned force' if recovery.true is None else 'true law'}"
    )
    return numbers


def formula_summary(numbers: dict[str, Any]) -> str:
    """Lines for the terminal of what `formula_numbers` has."""
    lines = [NO_FORM if numbers["form"] is None else f"{numbers['form']}: {numbers['formula']}"]
    lines += [f"{name} = {p['value']:.6g} +- {p['error']:.2g}" for name, p in numbers["parameters"].items()]
    return "\n  ".join([*lines, *formula_remarks(numbers)]) + "\n"


def formula_remarks(numbers: dict[str, Any]) -> list[str]:
    """How good what was found is."""
    if numbers["form"] is None:
        return [
            f"the data ask for corrections of {numbers['largest_correction']:.0%} of the best candidate's force"
        ]
    return [
        f"largest difference of {numbers['largest_error_of']}: {numbers['largest_error']:.2%}",
        f"corrections that the data ask for: at most {numbers['largest_correction']:.2%} of the force",
    ]
