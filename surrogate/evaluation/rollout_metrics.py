"""Roll-outs judged over many systems: how long they stay valid, how far energy and momentum drift."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from physics.datasets.reading import DataSplit
from physics.kernels.pairs import potential_energies
from physics.laws import force_of, is_law, packed_parameters, resolve_parameters
from surrogate.evaluation.metrics import valid_times
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.rollout import horizon_in_frames, rollout_batch
from surrogate.tasks.dynamics.windows import task_frames

FloatArray = NDArray[np.float64]
DRIFT_HORIZON = 10


def rollout_summary(
    model: Forecaster, split: DataSplit, split_name: str, *, dtype: torch.dtype = torch.float32
) -> dict[str, Any]:
    """Chained forecasts from the task's input frame to the end of the data.

    Returns
    -------
    dict
        horizons (how many were run), valid_time_median and valid_time_mean in horizons,
        energy_drift_median (relative, after 10 horizons or at the end; None where the law is unknown),
        rmse_median at 1, 5 and 10 horizons.
    """
    first, _ = task_frames(split, split_name, -1, -1)
    times = np.asarray(split.times[first:], dtype=np.float64)
    k = horizon_in_frames(times, model.horizon)
    count = (len(times) - 1) // k
    frames = first + k * np.arange(count + 1)
    x, v = (np.asarray(a[:, frames], dtype=np.float64) for a in (split.positions, split.velocities))
    q, masses = (np.asarray(a, dtype=np.float64) for a in (split.charges, split.masses))
    x_hat, v_hat = rollout_batch(model, x[:, 0], v[:, 0], q, masses, count, dtype)
    rmse = np.sqrt(np.mean(np.sum((x_hat - x[:, 1:]) ** 2, axis=-1), axis=-1))
    centred = x[:, 1:] - x[:, 1:].mean(axis=2, keepdims=True)
    radius = np.sqrt(np.mean(np.sum(centred**2, axis=-1), axis=-1))
    valid = valid_times(np.arange(1, count + 1, dtype=np.float64), rmse, radius)
    result: dict[str, Any] = {
        "horizons": count,
        "valid_time_median": float(np.median(valid)),
        "valid_time_mean": float(valid.mean()),
        "valid_to_the_end": float((valid == count).mean()),
    }
    for horizon in (1, 5, 10):
        if horizon <= count:
            result[f"rmse_median_{horizon}"] = float(np.median(rmse[:, horizon - 1]))
    at = min(DRIFT_HORIZON, count)
    result["energy_drift_horizon"] = at
    result["energy_drift_median"] = None
    if is_law(split.recipe.get("law")):
        start = energies(split, x[:, 0], v[:, 0], q, masses)
        end = energies(split, x_hat[:, at - 1], v_hat[:, at - 1], q, masses)
        result["energy_drift_median"] = float(np.median(np.abs((end - start) / start)))
    return result


def energies(split: DataSplit, x: FloatArray, v: FloatArray, q: FloatArray, m: FloatArray) -> FloatArray:
    """Total energy of one state of each sample, (samples,) [energy]."""
    law = str(split.recipe["law"])
    packed = packed_parameters(law, resolve_parameters(law, split.recipe.get("parameters") or {}), x.shape[-1])
    potential = np.empty(len(x))
    for index in range(len(x)):
        state = np.ascontiguousarray(x[index : index + 1])
        charges, masses = (np.ascontiguousarray(values[index]) for values in (q, m))
        potential_energies(force_of(law).code, state, charges, masses, packed, potential[index : index + 1])
    return np.asarray(potential + 0.5 * np.einsum("si,sik,sik->s", m, v, v))
