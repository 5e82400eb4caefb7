"""Those that know the law, and straight lines, on the windows of a column."""

from typing import Any

import numpy as np

from physics.baselines.orientation import isotropic_simulation, published_step
from physics.laws.reference import REFERENCE_DT
from physics.types import FloatArray
from surrogate.evaluation.benchmark import baselines
from surrogate.evaluation.evaluation_set import EvaluationSet
from surrogate.evaluation.metrics import error_summary

LEAPFROG = (16, 64, 128)
"""Evaluations per unit of time of the leapfrog that knows the law."""


def has_fields(data: EvaluationSet) -> bool:
    """Whether fields act on the particles of these windows."""
    return data.split.uniform_field is not None or data.split.magnetic_field is not None


def isotropic_errors(sets: list[EvaluationSet]) -> FloatArray | None:
    """Errors (n_windows,) of the isotropic simulator, whose clamp is on the norm; None for laws without clamp."""
    if sets[0].windows.law != "reference" or has_fields(sets[0]):
        return None
    steps = [round(data.horizon / REFERENCE_DT) for data in sets]
    errors = [data.errors(isotropic_simulation(data.windows, n)[0]) for data, n in zip(sets, steps, strict=True)]
    return np.asarray(np.mean(errors, axis=0))


def floors(sets: list[EvaluationSet]) -> dict[str, dict[str, Any]]:
    """Errors and law calls of each baseline by its name."""
    rows: dict[str, dict[str, Any]] = {}

    def add(name: str, errors: list[FloatArray], calls: float) -> None:
        rows[name] = {**error_summary(np.mean(errors, axis=0)), "law_calls_per_pair": calls}

    last = sets[-1]
    add("x + v t", [data.errors(data.windows.x + data.horizon * data.windows.v) for data in sets], 0.0)
    if (isotropic := isotropic_errors(sets)) is not None:
        steps = round(last.horizon / REFERENCE_DT)
        add("isotropic simulator", [isotropic], steps)
        generated = [
            data.errors(published_step(data.windows, round(data.horizon / REFERENCE_DT))[0]) for data in sets
        ]
        add("the generator's law", generated, steps)
    if has_fields(last):  # the baselines know none
        return rows
    if last.knows_law:
        for rate in LEAPFROG:
            found = [baselines.leapfrog(data, max(round(rate * data.horizon), 1)) for data in sets]
            add(f"leapfrog, {rate} a unit of time", [m.errors[0] for m in found], found[-1].force_evaluations)
    if baselines.adaptive_knows_law(last):
        for rate in LEAPFROG:
            found = [baselines.adaptive(data, rate * data.horizon) for data in sets]
            add(f"adaptive, {rate} a unit of time", [m.errors[0] for m in found], found[-1].force_evaluations)
    return rows
