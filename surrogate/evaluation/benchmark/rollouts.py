"""Roll-outs of many windows beside each other: how long each entrant stays valid, and what it loses on the way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from physics.baselines.references import Windows, leapfrog_forecast, perturbed_truth
from physics.datasets.reading import DataSplit
from physics.errors import InputError
from surrogate.evaluation.benchmark.models import Arena, Entrant, forecast_with_cost, law_calls
from surrogate.evaluation.metrics import valid_times
from surrogate.evaluation.rollout_metrics import energies
from surrogate.inference.rollout import horizon_in_frames

FloatArray = NDArray[np.float64]
Step = Callable[[Windows], tuple[FloatArray, FloatArray]]
Path = tuple[FloatArray, FloatArray]

DRIFT_HORIZON = 10
PERTURBATION = 1e-6
MODEL_EVALUATIONS = (16, 32)
LEAPFROG_EVALUATIONS = (16, 32, 64, 128)
PAIR_STEPS_LIMIT = 2e10
"""Work allowed for the perturbed truth (about half a minute): many bodies get fewer windows."""


@dataclass(frozen=True, eq=False)
class Course:
    """The truth at every horizon after the task's input frame.

    Attributes
    ----------
    start : Windows
    x, v : (n_windows, n_horizons, N, n) float64
    horizon : float [time]
    split : DataSplit
        The windows' part of the data (its law gives energies).
    """

    start: Windows
    x: FloatArray
    v: FloatArray
    horizon: float
    split: DataSplit

    @property
    def n_horizons(self) -> int:
        """How many horizons are followed."""
        return int(self.x.shape[1])


def course_of(split: DataSplit, arena: Arena, samples: int) -> Course | None:
    """The windows to be followed; None where the data end at the task's target, or are unevenly spaced."""
    first = arena.input_frame
    try:
        k = horizon_in_frames(np.asarray(split.times[first:], dtype=np.float64), arena.horizon)
    except InputError:
        return None
    count = (len(split.times) - 1 - first) // k
    if count < 2:
        return None
    part = split.head(min(samples, len(split)))
    frames = first + k * np.arange(1, count + 1)
    x, v = (np.asarray(a[:, frames], dtype=np.float64) for a in (part.positions, part.velocities))
    return Course(arena.windows.part(slice(0, len(part))), x, v, arena.horizon, part)


def chained(course: Course, step: Step) -> Path:
    """Each forecast fed into the next; a system that stops being finite stays where it was."""
    w = course.start
    xs, vs = [], []
    for _ in range(course.n_horizons):
        x, v = step(w)
        alive = (np.isfinite(x) & np.isfinite(v)).all(axis=(1, 2), keepdims=True)
        x, v = np.where(alive, x, w.x), np.where(alive, v, w.v)
        w = Windows(x, v, w.q, w.m, w.law, w.parameters)
        xs.append(x)
        vs.append(v)
    return np.stack(xs, axis=1), np.stack(vs, axis=1)


def judged(course: Course, path: Path) -> dict[str, Any]:
    """Valid time, error growth and drifts of one set of roll-outs.

    Returns
    -------
    dict
        valid_time_median, valid_time_mean [horizons]; rmse_median: at each horizon, over the truth's RMS radius;
        at 10 horizons (or the end): energy_drift_median, relative; momentum_drift_median and
        angular_momentum_drift_median, absolute. energy_drift_median is None where the law is unknown.
    """
    x_hat, v_hat = path
    w, truth = course.start, course.x
    rmse = np.sqrt(np.mean(np.sum((x_hat - truth) ** 2, axis=-1), axis=-1))
    radius = np.sqrt(np.mean(np.sum((truth - truth.mean(axis=2, keepdims=True)) ** 2, axis=-1), axis=-1))
    valid = valid_times(np.arange(1, course.n_horizons + 1, dtype=np.float64), rmse, radius)
    at = min(DRIFT_HORIZON, course.n_horizons)
    end_x, end_v = x_hat[:, at - 1], v_hat[:, at - 1]
    result: dict[str, Any] = {
        "valid_time_median": float(np.median(valid)),
        "valid_time_mean": float(valid.mean()),
        "valid_to_the_end": float((valid == course.n_horizons).mean()),
        "rmse_median": np.median(rmse / radius, axis=0).tolist(),
        "drift_horizon": at,
        "energy_drift_median": None,
        "momentum_drift_median": float(np.median(_norm(_momentum(w, end_v) - _momentum(w, w.v)))),
        "angular_momentum_drift_median": float(
            np.median(_norm(_angular(w, end_x, end_v) - _angular(w, w.x, w.v)))
        ),
    }
    if w.law:
        start, end = (energies(course.split, x, v, w.q, w.m) for x, v in ((w.x, w.v), (end_x, end_v)))
        result["energy_drift_median"] = float(np.median(np.abs((end - start) / start)))
    return result


def _norm(values: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.sum(values.reshape(len(values), -1) ** 2, axis=-1)))


def _momentum(w: Windows, v: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("si,sik->sk", w.m, v))


def _angular(w: Windows, x: FloatArray, v: FloatArray) -> FloatArray:
    outer = np.einsum("si,sia,sib->sab", w.m, x, v)
    return np.asarray(outer - outer.transpose(0, 2, 1))


def entrant_rollouts(course: Course, entrant: Entrant, evaluations: int | None) -> dict[str, Any]:
    """One model's roll-outs, all seeds, in float64: means over seeds, and the spread of the valid time."""
    rows = []
    for model in entrant.seeds:
        chosen = model.with_evaluations(evaluations) if evaluations else model
        calls: list[float] = []

        def step(w: Windows, chosen: Any = chosen, calls: list[float] = calls) -> tuple[FloatArray, FloatArray]:
            x, v, spent = forecast_with_cost(chosen, w, torch.float64)
            calls.append(law_calls(spent))
            return x, (x - w.x) / course.horizon if v is None else v

        result = judged(course, chained(course, step))
        rows.append(result | {"law_calls_per_pair": float(np.mean(calls))})
    return mean_of(rows) | {"seeds": len(rows)}


def mean_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Numbers averaged over seeds (lists too), with the spread (standard deviation) of the median valid time."""
    result: dict[str, Any] = {}
    for key, value in rows[0].items():
        known = value is not None
        result[key] = np.mean([row[key] for row in rows], axis=0).tolist() if known else None
    times = [row["valid_time_median"] for row in rows]
    result["valid_time_spread"] = float(np.std(times, ddof=1)) if len(rows) > 1 else None
    return result


def leapfrog_rollouts(course: Course, evaluations: int) -> dict[str, Any]:
    """The true law, exactly so many evaluations a horizon."""
    result = judged(course, chained(course, lambda w: leapfrog_forecast(w, course.horizon, evaluations)))
    return result | {"law_calls_per_pair": float(evaluations)}


def perturbed_rollouts(course: Course) -> dict[str, Any]:
    """The truth again from positions moved by 1e-6: what no forecast of these states can be asked to beat."""
    dt = course.split.recipe.get("dt")
    if not isinstance(dt, float) or not 0 < dt < course.horizon:
        raise InputError("the data do not say with which step they were made")
    n = course.x.shape[2]
    cost = course.n_horizons * course.horizon / dt * n * (n - 1) / 2
    count = int(min(len(course.start), max(PAIR_STEPS_LIMIT / cost, 1)))
    part = slice(0, count)
    less = Course(course.start.part(part), course.x[part], course.v[part], course.horizon, course.split.part(part))
    times = np.asarray(course.horizon * np.arange(course.n_horizons + 1), dtype=np.float64)
    x, v = perturbed_truth(less.start, times, dt, PERTURBATION)
    return judged(less, (x[:, 1:], v[:, 1:])) | {"windows": count}
