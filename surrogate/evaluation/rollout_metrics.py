"""How good chained roll-outs of many systems are: how long they stay valid, how far energy and momentum drift."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from physics.baselines.references import Windows
from physics.datasets.split import DataSplit
from physics.kernels.parameters import Forces
from physics.sums.pairs import potential_energies
from physics.types import FloatArray
from surrogate.evaluation.evaluation_set import RolloutSet, rollout_set
from surrogate.evaluation.metrics import valid_times
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.rollout import States, model_step, rollout_batch
from surrogate.tasks.dynamics.frames import task_frames
from surrogate.tasks.dynamics.windows import given_arrays

DRIFT_HORIZON = 10


@dataclass(frozen=True, eq=False)
class RolloutMetrics:
    """The metrics of one set of roll-outs, by window.

    Attributes
    ----------
    rmse : (n_windows, n_horizons) float64 [length]
        Root of the mean over particles of the squared distance from the truth.
    radius : (n_windows, n_horizons) float64 [length]
        RMS distance of the truth's particles from their centroid.
    valid_times : (n_windows,) float64 [horizon]
    drift_horizon : int
        Drifts are those after so many horizons, or at the end.
    energy_drift : (n_windows,) float64 or None
        Relative; None where the law is unknown.
    momentum_drift, angular_momentum_drift : (n_windows,) float64
        Norm of the difference.
    """

    rmse: FloatArray
    radius: FloatArray
    valid_times: FloatArray
    drift_horizon: int
    energy_drift: FloatArray | None
    momentum_drift: FloatArray
    angular_momentum_drift: FloatArray

    def summary(self) -> dict[str, Any]:
        """Medians (and the mean valid time) over windows; valid_to_the_end is a share of the windows."""
        drift = self.energy_drift
        return {
            "valid_time_median": float(np.median(self.valid_times)),
            "valid_time_mean": float(self.valid_times.mean()),
            "valid_to_the_end": float((self.valid_times == self.rmse.shape[1]).mean()),
            "energy_drift_median": None if drift is None else float(np.median(drift)),
        }


def rollout_metrics(truth: RolloutSet, forecast: States) -> RolloutMetrics:
    """Compare forecasts with the truth; their positions and velocities are (n_windows, n_horizons, N, n)."""
    x_hat, v_hat = forecast
    w, count = truth.start, truth.n_horizons
    rmse = np.sqrt(np.mean(np.sum((x_hat - truth.x) ** 2, axis=-1), axis=-1))
    centred = truth.x - truth.x.mean(axis=2, keepdims=True)
    radius = np.sqrt(np.mean(np.sum(centred**2, axis=-1), axis=-1))
    at = min(DRIFT_HORIZON, count)
    end_x, end_v = x_hat[:, at - 1], v_hat[:, at - 1]
    energy_drift = None
    if w.law:
        start, end = energies(w, w.x, w.v), energies(w, end_x, end_v)
        energy_drift = np.abs((end - start) / start)
    return RolloutMetrics(
        rmse,
        radius,
        valid_times(np.arange(1, count + 1, dtype=np.float64), rmse, radius),
        at,
        energy_drift,
        _norm(_momentum(w, end_v) - _momentum(w, w.v)),
        _norm(_angular_momentum(w, end_x, end_v) - _angular_momentum(w, w.x, w.v)),
    )


def energies(windows: Windows, x: FloatArray, v: FloatArray) -> FloatArray:
    """Total energy of one state of each window, (n_windows,) [energy]."""
    packed = windows.packed()
    potential = np.empty(len(x))
    for index in range(len(x)):
        state = np.ascontiguousarray(x[index : index + 1])
        q, m = (np.ascontiguousarray(values[index][:, None]) for values in (windows.q, windows.m))
        potential_energies(state, Forces(q, m, packed), potential[index : index + 1])
    return np.asarray(potential + 0.5 * np.einsum("si,sik,sik->s", windows.m, v, v))


def _norm(values: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.sum(values.reshape(len(values), -1) ** 2, axis=-1)))


def _momentum(w: Windows, v: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("si,sik->sk", w.m, v))


def _angular_momentum(w: Windows, x: FloatArray, v: FloatArray) -> FloatArray:
    outer = np.einsum("si,sia,sib->sab", w.m, x, v)
    return np.asarray(outer - outer.transpose(0, 2, 1))


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
    truth = rollout_set(split, task_frames(split, split_name, -1, -1)[0], model.horizon)
    w = truth.start
    step = model_step(model, w.q, w.m, dtype, given_arrays(split, model.takes))
    found = rollout_metrics(truth, rollout_batch(step, w.x, w.v, truth.n_horizons))
    at = [count for count in (1, 5, 10) if count <= truth.n_horizons]
    return {
        "horizons": truth.n_horizons,
        **found.summary(),
        **{f"rmse_median_{count}": float(np.median(found.rmse[:, count - 1])) for count in at},
        "energy_drift_horizon": found.drift_horizon,
    }
