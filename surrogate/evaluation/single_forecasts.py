"""Errors of single forecasts over the samples of a data set; with equivariance, evaluations and forward time."""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from physics.baselines.orientation import clean_windows, largest_forces
from physics.baselines.references import Windows
from physics.datasets.split import DataSplit
from physics.types import FloatArray
from surrogate.evaluation.chosen_windows import UNASKED, Asked, chosen_windows, no_splits_text, seen_text
from surrogate.evaluation.evaluation_set import frames_after, input_states, windows_at
from surrogate.evaluation.metrics import equivariance_errors, error_summary, haar_matrices, sample_errors
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.frame_pairs import affordable
from surrogate.inference.training_range import not_finite, preset_times
from surrogate.tasks.dynamics.windows import given_arrays

FORWARD_BATCH = 100
FORWARD_REPEATS = 20
STEPS_LIMIT = 100_000
"""Most integration steps of a window that is followed to find out whether it is clean."""


def evaluation(
    model: Forecaster,
    split: DataSplit,
    split_name: str,
    *,
    asked: Asked = UNASKED,
    has_splits: bool = True,
    rotations: int = 8,
    rotation_seed: int = 0,
    dtype: str = "float32",
    evaluations: int | None = None,
    tolerance: float | None = None,
) -> dict[str, Any]:
    """What `python -m surrogate.evaluate` writes: the numbers of one model on one split.

    Where the model chooses, `evaluations` message rounds are spent on each window, or with `tolerance` [length]
    as many as it takes until doubling them changes less than that.

    Parameters
    ----------
    asked : Asked
        Which windows; by default the data's task, or the model's.
    has_splits : bool
        Whether the data set has splits; of others everything is measured, whatever `split_name` says.

    Raises
    ------
    InputError
        Where the data's n, N or horizon do not fit the model.
    """
    given, chosen = split, chosen_windows(model, split, split_name, asked)
    split, first, last, horizon = chosen.split, chosen.first, chosen.last, chosen.horizon
    fewer = ""
    if model.horizons == "any":
        model, fewer = affordable(model.with_horizon(horizon), model.evaluations)
    model.refuse_unfit(split.n_dims, split.n_particles, horizon, torch.as_tensor(split.masses))
    if evaluations is not None:
        model = model.with_evaluations(evaluations)
    if tolerance is not None:
        model = model.with_tolerance(tolerance)
    kind = torch.float64 if dtype == "float64" else torch.float32
    w, target = windows_at(split, first), windows_at(split, last)
    beside = given_arrays(split, model.takes)
    forecast, velocities = model.forecast_in(w.x, w.v, w.q, kind, w.m, beside)
    cost = model.cost
    errors = sample_errors(forecast, target.x)
    result = error_summary(errors)
    ballistic = float(sample_errors(w.x + horizon * w.v, target.x).mean())
    result["mse_ballistic"] = ballistic if np.isfinite(ballistic) else None
    comparable = result["mse"] is not None and 0 < ballistic < np.inf
    result["relative_mse"] = result["mse"] / ballistic if comparable else None
    result["velocity_mse"] = None
    if velocities is not None and result["non_finite"] == 0:
        result["velocity_mse"] = float(sample_errors(velocities, target.v).mean())
    result |= _clean_errors(split, errors, w, horizon)
    result |= _equivariance(model, w, beside, kind, rotations, rotation_seed)
    seen = seen_text(chosen.seen, len(split), model.name)
    fewer = fewer if evaluations is None else ""
    notes = [*split.notes, *chosen.notes, *(text for text in (fewer, seen) if text)]
    if not has_splits:
        notes.insert(0, no_splits_text(len(split), chosen.split is given))
    at = float(split.times[first])
    outside = model.outside(
        split.n_dims,
        split.n_particles,
        split.recipe,
        preset_times(split.recipe, at, at),
        states=input_states(split, w),
        units=split.units,
    )
    result |= {
        "evaluations": cost.evaluations if tolerance else model.evaluations,
        "tolerance": tolerance,
        "law_calls_per_pair": cost.force_evaluations,
        "forward_ms": forward_milliseconds(model, w, kind, beside),
        "dtype": dtype,
        "model": model.name,
        "data": split.source,
        "split": split_name if has_splits else None,
        "input_frame": chosen.frames[0],
        "target_frame": chosen.frames[1],
        "horizon": horizon,
        "outside_training": [*outside, *not_finite(np.isfinite(errors))],
        "seen_in_training": None if chosen.seen is None else chosen.seen > 0,
        "notes": list(notes),
        "units": dict(split.units),
    }
    return result


def _clean_errors(split: DataSplit, errors: FloatArray, w: Windows, horizon: float) -> dict[str, Any]:
    if split.recipe.get("law") != "reference":
        return {}
    dt = split.recipe.get("dt", 0.001)
    if not isinstance(dt, float) or not horizon / STEPS_LIMIT < dt <= horizon:
        return {}  # a recipe that was not written by us
    eps = float(w.parameters.get("eps", 0.0))
    steps = round(horizon / dt)
    clean = clean_windows(largest_forces(w.x, w.v, w.q, dt=dt, n_steps=steps, eps=eps, external=w.external))
    summary = error_summary(errors[clean])
    return {
        "mse_clean": summary["mse"],
        "mse_clean_median": summary["mse_median"],
        "samples_clean": summary["samples"],
    }


def _equivariance(
    model: Forecaster, w: Windows, given: Mapping[str, FloatArray], kind: torch.dtype, count: int, chosen: int
) -> dict[str, Any]:
    def positions(x: FloatArray, v: FloatArray, given: Mapping[str, FloatArray]) -> FloatArray:
        return model.forecast_in(x, v, w.q, kind, w.m, given)[0]

    values = equivariance_errors(positions, w.x, w.v, haar_matrices(w.x.shape[-1], count, chosen), given)
    finite = bool(np.isfinite(values).all())
    return {
        "equivariance_error": float(np.median(values)) if finite else None,
        "equivariance_error_max": float(values.max()) if finite else None,
        "rotations": count,
        "rotation_seed": chosen,
    }


def median_milliseconds(call: Callable[[], object], repeats: int) -> float:
    """Median wall time of a call made so many times, after one to warm up."""
    call()
    samples = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        samples.append(1e3 * (time.perf_counter() - begin))
    return float(np.median(samples))


def forward_milliseconds(
    model: Forecaster, w: Windows, kind: torch.dtype, given: Mapping[str, FloatArray] = MappingProxyType({})
) -> float:
    """Median wall time of 20 forwards on a batch of 100, after one to warm up."""
    rows = np.resize(np.arange(len(w)), FORWARD_BATCH)
    w, given = w.part(rows), {name: array[rows] for name, array in given.items()}
    return median_milliseconds(lambda: model.forecast_in(w.x, w.v, w.q, kind, w.m, given), FORWARD_REPEATS)


def evaluation_table(result: dict[str, Any]) -> str:
    """The numbers for people."""

    def number(key: str) -> str:
        value = result.get(key)
        if value is None:
            return "-"
        return f"{value:.4g}" if isinstance(value, float) else str(value)

    length, time = (result["units"].get(name, "") for name in ("length", "time"))
    gain = f" {length}^2" if length else ""
    if result["mse"] and result["mse_ballistic"]:
        times = result["mse_ballistic"] / result["mse"]
        how = f"{times:.1f} times better" if times >= 1 else f"{1 / times:.1f} times worse"
        gain += f"  ({how} than x + v t)"
    where = f"{result['split']}, " if result["split"] else ""
    lines = [
        f"model                 {result['model']} on {result['data']} ({where}"
        f"frame {result['input_frame']} -> {result['target_frame']}, horizon {number('horizon')}"
        f"{f' {time}' if time else ''})",
        f"mse                   {number('mse')} +- {number('mse_stderr')}{gain}",
        f"  median, p99         {number('mse_median')}, {number('mse_p99')}",
    ]
    if "mse_clean" in result:
        lines.append(
            f"  clean windows       {number('mse_clean')} (median {number('mse_clean_median')}, "
            f"{result['samples_clean']} of {result['samples']})"
        )
    lines += [
        f"velocity mse          {number('velocity_mse')}",
        f"equivariance error    {number('equivariance_error')}, largest {number('equivariance_error_max')} "
        f"({result['rotations']} elements of O(n), {result['dtype']})",
        f"evaluations           {number('evaluations')}"
        + (f"  (mean; tolerance {number('tolerance')})" if result["tolerance"] else "")
        + (f"  (law calls per pair: {number('law_calls_per_pair')})" if result["law_calls_per_pair"] else ""),
        f"forward, batch 100    {result['forward_ms']:.2f} ms",
    ]
    if result["non_finite"]:
        lines.append(f"non-finite forecasts  {result['non_finite']} of {result['samples']}")
    if result["outside_training"]:
        lines.append("outside training      " + "; ".join(result["outside_training"]))
    lines += [f"note                  {note}" for note in result["notes"]]
    return "\n".join(lines) + "\n"


def window_errors(
    model: Forecaster, samples: DataSplit, first: int, dtype: torch.dtype = torch.float32
) -> FloatArray:
    """Root mean square of the position error of each sample, one horizon after frame `first`, (samples,)."""
    model.refuse_unfit(samples.n_dims, samples.n_particles, model.horizon)
    target = np.asarray(samples.positions[:, frames_after(samples, first, model.horizon)[0]], dtype=np.float64)
    w = windows_at(samples, first)
    forecast, _ = model.forecast_in(w.x, w.v, w.q, dtype, w.m, given_arrays(samples, model.takes))
    return np.asarray(np.sqrt(sample_errors(forecast, target)))
