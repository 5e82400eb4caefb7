"""comparison.npz: every array of a comparison and its details as a JSON string; opens without pickle."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.files import atomic_path
from surrogate.comparison.comparison import Comparison
from surrogate.export.base import ExportJob
from surrogate.export.metrics import sidecar
from surrogate.render.captions import sources


def comparison_arrays(comparison: Comparison) -> dict[str, NDArray[Any]]:
    """Arrays by name.

    Returns
    -------
    dict
        `times` (n_frames,), `charges` and `masses` (n_particles,), `rotation` (n_dims, n_dims); for each of
        truth, forecast and, if there is one, rollout: `<source>_positions`, `<source>_velocities`
        (n_frames, n_particles, n_dims) and, but for the truth, `<source>_rmse` (n_frames,); all float64.
        `details` is a 0-d string: the JSON of comparison.json.
    """
    system = comparison.truth.system
    arrays: dict[str, NDArray[Any]] = {
        "times": comparison.truth.times,
        "charges": system.charges,
        "masses": system.masses,
        "rotation": np.asarray(comparison.rotation, dtype=np.float64),
    }
    for source in sources(comparison):
        trajectory = getattr(comparison, source)
        arrays[f"{source}_positions"] = trajectory.positions
        arrays[f"{source}_velocities"] = trajectory.velocities
        if source != "truth":
            arrays[f"{source}_rmse"] = comparison.position_rmse(trajectory)
    arrays["details"] = np.array(json.dumps(sidecar(comparison), allow_nan=False))
    return arrays


def export(job: ExportJob) -> list[Path]:
    """Write comparison.npz."""
    path = job.folder / "comparison.npz"
    job.step(0.0)
    arrays: dict[str, Any] = comparison_arrays(job.comparison)
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)
        job.step(1.0)
    return [path]
