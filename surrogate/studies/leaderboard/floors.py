"""Those that know the law, and straight lines, on the windows of a column."""

from typing import Any

import numpy as np

from physics.baselines.floors import ISOTROPIC, LAW, STRAIGHT
from physics.baselines.floors import floors as floors_of_window
from physics.baselines.orientation import isotropic_simulation
from physics.laws.reference import REFERENCE_DT
from physics.types import FloatArray
from surrogate.evaluation.evaluation_set import EvaluationSet
from surrogate.evaluation.metrics import error_summary
from surrogate.studies.leaderboard.columns import Column

RATES = (16, 64, 128)
"""Evaluations per unit of time of the leapfrogs that know the law."""
FEW_RATE = 64
"""The same where there are more than FEW particles, and at the rounds of the tables: what chooses the adaptive
one's steps takes minutes."""
FEW = 5
NAMES = {STRAIGHT: "x + v t", LAW: "the generator's law", ISOTROPIC: "isotropic simulator"}


def isotropic_errors(sets: list[EvaluationSet]) -> FloatArray | None:
    """Errors (n_windows,) of the isotropic simulator, whose clamp is on the norm; None for laws without clamp."""
    if sets[0].windows.law != "reference":
        return None
    steps = [round(data.horizon / REFERENCE_DT) for data in sets]
    errors = [data.errors(isotropic_simulation(data.windows, n)[0]) for data, n in zip(sets, steps, strict=True)]
    return np.asarray(np.mean(errors, axis=0))


def rates(column: Column) -> tuple[int, ...]:
    """At which the leapfrogs are run."""
    return RATES if column.particles <= FEW else tuple(sorted({FEW_RATE, column.rounds[0]}))


def floors(sets: list[EvaluationSet], chosen: tuple[int, ...]) -> dict[str, dict[str, Any]]:
    """Errors and law calls of each baseline by its name; of several targets the mean, and the last one's calls.

    Leapfrogs at the `chosen` rates.
    """
    errors: dict[str, list[FloatArray]] = {}
    calls: dict[str, float] = {}
    for data in sets:
        evaluations = [max(round(rate * data.horizon), 1) for rate in chosen]
        names = NAMES | {
            f"{kind} {k}": f"{kind}, {rate} a unit of time"
            for kind in ("leapfrog", "adaptive")
            for k, rate in zip(evaluations, chosen, strict=True)
        }
        found = floors_of_window(data.split, data.input_frame, data.target_frame, evaluations)
        for name, floor in found.items():
            errors.setdefault(names[name], []).append(floor.errors)
            calls[names[name]] = floor.evaluations
    return {
        name: {**error_summary(np.mean(each, axis=0)), "law_calls_per_pair": calls[name]}
        for name, each in errors.items()
    }
