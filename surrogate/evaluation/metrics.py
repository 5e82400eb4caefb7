"""Metrics of a forecast: errors over windows, equivariance, valid time."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from physics.rotations import random_orthogonal
from physics.types import FloatArray
from surrogate.inference.given_arrays import turned_given

StateMap = Callable[..., FloatArray]

VALID_TIME_LIMIT = 0.1
"""A roll-out is valid while its RMSE is below this share of the RMS radius."""


def sample_errors(forecast: FloatArray, target: FloatArray) -> FloatArray:
    """Mean squared error of each sample over particles and coordinates, (samples,)."""
    return np.asarray(np.mean((forecast - target) ** 2, axis=(1, 2)))


def error_summary(errors: FloatArray) -> dict[str, Any]:
    """Mean, median, 99th percentile and standard error of per-sample errors; null where any is not finite."""
    finite = np.isfinite(errors)
    keys = ("mse", "mse_median", "mse_p99", "mse_stderr")
    summary: dict[str, Any] = {"samples": len(errors), "non_finite": int((~finite).sum())}
    if not finite.all() or not len(errors):
        return {**dict.fromkeys(keys), **summary}
    spread = float(errors.std(ddof=1) / np.sqrt(len(errors))) if len(errors) > 1 else None
    values = (float(errors.mean()), float(np.median(errors)), float(np.quantile(errors, 0.99)), spread)
    return {**dict(zip(keys, values, strict=True)), **summary}


def equivariance_errors(
    forecast: StateMap,
    x: FloatArray,
    v: FloatArray,
    matrices: list[FloatArray],
    given: Mapping[str, FloatArray] | None = None,
) -> FloatArray:
    """|f(Rx, Rv) - R f(x, v)| / |f - centroid of f| of each sample and matrix, (matrices, samples).

    Parameters
    ----------
    forecast : callable
        (positions, velocities) to positions, all (samples, N, n) float64.
    x, v : (samples, N, n) float64
    matrices : list of (n, n) float64
        Elements of O(n), applied about the origin in float64.
    given : mapping, optional
        What the model takes beside the states, a third argument of `forecast`: its fields turn along.
    """
    f = forecast(x, v) if given is None else forecast(x, v, given)

    def turned(m: FloatArray) -> FloatArray:
        state = (x @ m.T, v @ m.T)
        return forecast(*state) if given is None else forecast(*state, turned_given(given, m))

    return np.array([relative_residuals(turned(m), f, m) for m in matrices])


def relative_residuals(turned: FloatArray, f: FloatArray, matrix: FloatArray) -> FloatArray:
    """|turned - R f| / |f - centroid of f| of each sample, (samples,), from forecasts (samples, N, n)."""
    size = np.linalg.norm(f - f.mean(axis=1, keepdims=True), axis=(1, 2))
    return np.asarray(np.linalg.norm(turned - f @ matrix.T, axis=(1, 2)) / np.maximum(size, 1e-300))


def haar_matrices(n_dims: int, count: int, seed: int) -> list[FloatArray]:
    """`count` Haar-random elements of O(n) from one seed."""
    rng = np.random.default_rng(seed)
    return [random_orthogonal(n_dims, rng) for _ in range(count)]


def valid_times(times: FloatArray, rmse: FloatArray, radius: FloatArray) -> FloatArray:
    """How long each roll-out stays valid: the last time before its error passes the limit.

    Parameters
    ----------
    times : (n_frames,) float64, from the start of the roll-out
    rmse : (samples, n_frames) float64
        Root of the mean over particles of the squared distance.
    radius : (samples, n_frames) float64
        RMS distance of the truth's particles from their centroid.

    Returns
    -------
    (samples,) float64
    """
    bad = ~(rmse < VALID_TIME_LIMIT * radius)
    first = np.where(bad.any(axis=1), bad.argmax(axis=1), bad.shape[1])
    padded = np.concatenate([[0.0], times])
    return np.asarray(padded[first])
