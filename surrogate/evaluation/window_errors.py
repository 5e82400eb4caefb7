"""Errors of single forecasts over the samples of a data set."""

import numpy as np
import torch
from numpy.typing import NDArray

from physics.datasets.reading import DataSplit
from physics.errors import InputError
from surrogate.evaluation.metrics import sample_errors
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.rollout import horizon_in_frames

FloatArray = NDArray[np.float64]


def window_errors(
    model: Forecaster, samples: DataSplit, first: int, dtype: torch.dtype = torch.float32
) -> FloatArray:
    """Root mean square of the position error of each sample, one horizon after frame `first`, (samples,)."""
    model.refuse_unfit(samples.n_dims, samples.n_particles, model.horizon)
    target = first + horizon_in_frames(samples.times[first:], model.horizon)
    if target >= len(samples.times):
        raise InputError(f"{samples.source}: shorter than the model's horizon of {model.horizon:g}")
    x, v = (np.asarray(a[:, first], dtype=np.float64) for a in (samples.positions, samples.velocities))
    q, m = (np.asarray(a, dtype=np.float64) for a in (samples.charges, samples.masses))
    forecast, _ = model.forecast_in(x, v, q, dtype, m)
    return np.asarray(np.sqrt(sample_errors(forecast, samples.positions[:, target].astype(np.float64))))
