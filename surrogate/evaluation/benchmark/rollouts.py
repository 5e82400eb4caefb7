"""Roll-outs of a benchmark: of every model, of the true law's leapfrog, and of a perturbed truth."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from physics.baselines.references import leapfrog_forecast, perturbed_truth
from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.types import FloatArray
from surrogate.evaluation.benchmark.models import BenchmarkModel, force_evaluations
from surrogate.evaluation.evaluation_set import EvaluationSet, RolloutSet, rollout_set
from surrogate.evaluation.rollout_metrics import rollout_metrics
from surrogate.inference.rollout import States, model_step, rollout_batch
from surrogate.tasks.dynamics.scales import is_preset, rms_radius
from surrogate.tasks.dynamics.windows import given_arrays

PERTURBATION = 1e-6
"""Of the unit of length of our presets; of own data, of the RMS radius."""
MODEL_EVALUATIONS = (16, 32)
LEAPFROG_EVALUATIONS = (16, 32, 64, 128)
PAIR_STEPS_LIMIT = 2e10
"""Work allowed for the perturbed truth (about half a minute): many bodies get fewer windows."""


def benchmark_rollout_set(split: DataSplit, data: EvaluationSet, samples: int) -> RolloutSet | None:
    """The first windows, followed; None where the data end before two horizons, or are unevenly spaced."""
    try:
        found = rollout_set(split.head(min(samples, len(split))), data.first, data.horizon)
    except InputError:
        return None
    return found if found.n_horizons > 1 else None


def rollout_row(truth: RolloutSet, forecast: States) -> dict[str, Any]:
    """Valid time, error growth and drifts of one set of roll-outs.

    Returns
    -------
    dict
        valid_time_median, valid_time_mean [horizons]; rmse_median: at each horizon, over the truth's RMS radius;
        at 10 horizons (or the end): energy_drift_median, relative; momentum_drift_median and
        angular_momentum_drift_median, absolute. energy_drift_median is None where the law is unknown.
    """
    found = rollout_metrics(truth, forecast)
    numbers = found.summary()
    energy_drift = numbers.pop("energy_drift_median")
    return {
        **numbers,
        "rmse_median": np.median(found.rmse / found.radius, axis=0).tolist(),
        "drift_horizon": found.drift_horizon,
        "energy_drift_median": energy_drift,
        "momentum_drift_median": float(np.median(found.momentum_drift)),
        "angular_momentum_drift_median": float(np.median(found.angular_momentum_drift)),
    }


def model_rollouts(truth: RolloutSet, model: BenchmarkModel, evaluations: int | None) -> dict[str, Any]:
    """One model's roll-outs, all seeds, in float64: means over seeds, and the spread of the valid time."""
    w = truth.start
    rows = []
    for seed in model.seeds:
        chosen = seed.with_evaluations(evaluations) if evaluations else seed
        given = given_arrays(truth.split, chosen.takes)
        step, calls = model_step(chosen, w.q, w.m, torch.float64, given), list[float]()

        def counted(x: FloatArray, v: FloatArray) -> States:
            states = step(x, v)  # noqa: B023  (called before the loop goes on)
            calls.append(force_evaluations(chosen.cost))  # noqa: B023
            return states

        found = rollout_row(truth, rollout_batch(counted, w.x, w.v, truth.n_horizons))
        rows.append(found | {"law_calls_per_pair": float(np.mean(calls))})
    return mean_over_seeds(rows) | {"seeds": len(rows)}


def mean_over_seeds(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Numbers averaged over seeds (lists too), with the spread (standard deviation) of the median valid time."""
    result: dict[str, Any] = {}
    for key, value in rows[0].items():
        known = value is not None
        result[key] = np.mean([row[key] for row in rows], axis=0).tolist() if known else None
    times = [row["valid_time_median"] for row in rows]
    result["valid_time_spread"] = float(np.std(times, ddof=1)) if len(rows) > 1 else None
    return result


def leapfrog_rollouts(truth: RolloutSet, evaluations: int) -> dict[str, Any]:
    """The true law, exactly so many evaluations a horizon."""
    w = truth.start

    def step(x: FloatArray, v: FloatArray) -> States:
        return leapfrog_forecast(replace(w, x=x, v=v), truth.horizon, evaluations)

    found = rollout_row(truth, rollout_batch(step, w.x, w.v, truth.n_horizons))
    return found | {"law_calls_per_pair": float(evaluations)}


def perturbed_rollouts(truth: RolloutSet) -> dict[str, Any]:
    """The truth again from positions moved by 1e-6: what no forecast of these states can be asked to beat."""
    dt = truth.split.recipe.get("dt")
    if not isinstance(dt, float) or not 0 < dt < truth.horizon:
        raise InputError("the data do not say with which step they were made")
    n = truth.x.shape[2]
    cost = truth.n_horizons * truth.horizon / dt * n * (n - 1) / 2
    count = int(min(len(truth.start), max(PAIR_STEPS_LIMIT / cost, 1)))
    less = truth.first(count)
    times = np.asarray(truth.horizon * np.arange(truth.n_horizons + 1), dtype=np.float64)
    length = 1.0 if is_preset(truth.split) else rms_radius(less.start.x)
    x, v = perturbed_truth(less.start, times, dt, PERTURBATION * length)
    return rollout_row(less, (x[:, 1:], v[:, 1:])) | {"windows": count}


def rollout_rows(
    truth: RolloutSet, models: Sequence[BenchmarkModel], knows_law: bool, advance: Callable[[float], None]
) -> list[dict[str, Any]]:
    """Roll-outs of every model that can, of the true law's leapfrog, and of a perturbed truth."""
    rows: list[dict[str, Any]] = []

    def add(name: str, evaluations: float | None, result: dict[str, Any]) -> None:
        rows.append({"entrant": name, "evaluations": evaluations, **result})
        advance(1)

    for model in models:
        for k in MODEL_EVALUATIONS if model.chooses else (None,):
            add(model.name, k or model.seeds[0].evaluations, model_rollouts(truth, model, k))
    if knows_law:
        for k in LEAPFROG_EVALUATIONS:
            add("leapfrog", k, leapfrog_rollouts(truth, k))
        add("truth moved by 1e-6", None, perturbed_rollouts(truth))
    return rows


def rollout_count(models: Sequence[BenchmarkModel], knows_law: bool) -> int:
    """How many rows `rollout_rows` makes."""
    known = len(LEAPFROG_EVALUATIONS) + 1 if knows_law else 0
    return sum(len(MODEL_EVALUATIONS) if model.chooses else 1 for model in models) + known
