"""Numbers of one row of a benchmark: over windows, over seeds, and paired with a baseline."""

from typing import Any

import numpy as np

from physics.types import FloatArray
from surrogate.evaluation.benchmark.baselines import PublishedSet
from surrogate.evaluation.benchmark.models import Measurement

RESAMPLES = 2000


def summary(measured: Measurement, published: PublishedSet | None) -> dict[str, Any]:
    """The numbers of one row: over windows, and over seeds where there are several.

    Returns
    -------
    dict
        mse, mse_median, mse_p99: mean over seeds; their *_spread: standard deviation over seeds; mse_stderr:
        standard error over windows of the seeds' mean; on the published set mse_clean, mse_clean_median, and
        excess, excess_low, excess_high: mean paired excess over the isotropic simulator with its 95 %
        bootstrap interval. Null where a forecast is not finite.
    """
    e = measured.errors
    result: dict[str, Any] = {
        "evaluations": measured.evaluations,
        "law_calls_per_pair": measured.force_evaluations,
        "ms_per_window": measured.milliseconds,
        "setting": measured.setting,
        "seeds": len(e),
        "windows": e.shape[1],
        "non_finite": int((~np.isfinite(e)).sum()),
    }
    finite = result["non_finite"] == 0
    columns: dict[str, FloatArray] = {
        "mse": e.mean(axis=1),
        "mse_median": np.median(e, axis=1),
        "mse_p99": np.quantile(e, 0.99, axis=1),
    }
    if published is not None:
        columns["mse_clean"] = e[:, published.clean].mean(axis=1)
        columns["mse_clean_median"] = np.median(e[:, published.clean], axis=1)
    for key, values in columns.items():
        result[key] = float(values.mean()) if finite else None
        result[f"{key}_spread"] = float(values.std(ddof=1)) if finite and len(e) > 1 else None
    per_window = e.mean(axis=0)
    many = len(per_window) > 1 and finite
    result["mse_stderr"] = float(per_window.std(ddof=1) / np.sqrt(len(per_window))) if many else None
    if published is not None and finite:
        result |= paired_excess(per_window, published.isotropic)
    return result


def paired_excess(errors: FloatArray, baseline: FloatArray, seed: int = 0) -> dict[str, Any]:
    """Mean of errors - baseline over the same windows, and its 95 % interval from 2000 resamplings of windows."""
    rng = np.random.default_rng(seed)
    difference = errors - baseline
    means = np.array(
        [difference[rng.integers(0, len(difference), len(difference))].mean() for _ in range(RESAMPLES)]
    )
    low, high = np.quantile(means, [0.025, 0.975])
    return {
        "excess": float(difference.mean()),
        "excess_low": float(low),
        "excess_high": float(high),
        "excess_share": float(difference.mean() / max(baseline.mean(), 1e-300)),
    }
