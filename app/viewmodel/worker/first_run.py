"""The comparison of the first run, stored: shown while the child process loads PyTorch; the computed one follows.

`python -m app.viewmodel.worker.first_run` makes it anew; a test compares it with what the
shipped models forecast.
"""

import json
import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from app.viewmodel.state.results import ComparisonResult
from app.viewmodel.state.setup import Setup
from physics.cli import run_command
from physics.types import System, Trajectory
from resources import FIRST_RUN
from surrogate.comparison.comparison import Comparison

SETUP = Setup(scenario="bound", model="integrator-nd", contrast="gnn-nbody")
"""What the application shows first."""

SOURCES = ("truth", "forecast", "contrast")


def first_result(setup: Setup, path: Path = FIRST_RUN) -> ComparisonResult | None:
    """The stored comparison if it is that of a setup, not measured yet; else None."""
    if setup != SETUP or not path.exists():
        return None
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    facts = json.loads(str(arrays["facts"]))
    system = System(arrays["charges"].astype(np.float64), 1.0, facts["law"], facts["parameters"])
    trajectories = {
        source: Trajectory(
            arrays["times"],
            arrays[f"{source}-x"].astype(np.float64),
            arrays[f"{source}-v"].astype(np.float64),
            system,
        )
        for source in SOURCES
    }
    common: dict[str, Any] = {
        "truth": trajectories["truth"],
        "rollout": None,
        "rotation": np.eye(trajectories["truth"].n_dims),
        "equivariance_error": None,
        "scenario_name": facts["scenario_name"],
        "horizon": facts["horizon"],
    }
    comparison = Comparison(
        forecast=trajectories["forecast"],
        model_name=setup.model,
        command=facts["command"],
        outside_training=tuple(facts["outside"][0]),
        details={"description": facts["description"], "law": facts["law"], "parameters": facts["parameters"]},
        energy_shares={source: arrays[f"{source}-e"] for source in ("truth", "forecast")},
        **common,
    )
    contrast = Comparison(
        forecast=trajectories["contrast"],
        model_name=setup.contrast,
        outside_training=tuple(facts["outside"][1]),
        energy_shares={"truth": arrays["truth-e"], "forecast": arrays["contrast-e"]},
        **common,
    )
    return ComparisonResult(
        setup=setup,
        comparison=comparison,
        contrast=contrast,
        contrast_note="",
        growth=np.ones(trajectories["truth"].n_frames),
        truth_residual=None,
        advice="",
        seconds=0.0,
        drawn=True,
        seed=facts["seed"],
        measured=False,
    )


def result_bytes(result: ComparisonResult) -> bytes:
    """A comparison with its contrast as the bytes of an .npz file, in single precision."""
    comparison, contrast = result.comparison, result.contrast
    assert contrast is not None
    trajectories = (comparison.truth, comparison.forecast, contrast.forecast)
    arrays: dict[str, Any] = {"times": comparison.truth.times, "charges": comparison.truth.system.charges}
    shares = (*(comparison.energy_shares[s] for s in SOURCES[:2]), contrast.energy_shares["forecast"])
    for source, trajectory, energies in zip(SOURCES, trajectories, shares, strict=True):
        arrays[f"{source}-e"] = energies
        arrays[f"{source}-x"] = trajectory.positions.astype(np.float32)
        arrays[f"{source}-v"] = trajectory.velocities.astype(np.float32)
    system = comparison.truth.system
    facts = {
        "law": system.law,
        "parameters": dict(system.parameters),
        "scenario_name": comparison.scenario_name,
        "horizon": comparison.horizon,
        "command": comparison.command,
        "description": comparison.details["description"],
        "outside": [list(comparison.outside_training), list(contrast.outside_training)],
        "seed": result.seed,
    }
    buffer = BytesIO()
    np.savez_compressed(buffer, facts=np.array(json.dumps(facts)), **arrays)
    return buffer.getvalue()


def main(argv: Sequence[str]) -> None:
    """Make the comparison and store it with the resources."""
    from app.viewmodel.worker.comparison import result_of
    from physics.files import atomic_write

    atomic_write(FIRST_RUN, result_bytes(result_of(SETUP)))
    sys.stdout.write(f"{FIRST_RUN}\n")


if __name__ == "__main__":
    sys.exit(run_command(main))
