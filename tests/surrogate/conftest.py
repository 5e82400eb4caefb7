"""Light by default: one thread, so that tests share a machine with training runs and give the same bytes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from physics import State, System, simulate
from physics.types import Trajectory
from surrogate.comparison.comparison import Comparison
from tests.surrogate.helpers import npz

torch.set_num_threads(1)


def _noisy(truth: Trajectory, growth: float, seed: int) -> Trajectory:
    """The truth plus a smooth drift that grows with time: stands for a forecast."""
    rng = np.random.default_rng(seed)
    drift = growth * rng.standard_normal(truth.positions.shape[1:])
    elapsed = truth.times[:, None, None] - truth.times[0]
    return Trajectory(truth.times, truth.positions + drift * elapsed, truth.velocities + drift, truth.system)


@pytest.fixture
def comparison_of() -> Callable[..., Comparison]:
    def build(n: int = 3, n_frames: int = 12, rollout: bool = True, **changes: object) -> Comparison:
        rng = np.random.default_rng(n)
        system = System(charges=np.array([1.0, -1.0, 1.0, -1.0, 1.0]))
        state = State(rng.standard_normal((5, n)), 0.5 * rng.standard_normal((5, n)))
        truth = simulate(system, state, 0.1 * (n_frames - 1), n_frames=n_frames)
        given: dict[str, object] = {
            "truth": truth,
            "forecast": _noisy(truth, 0.1, 1),
            "rollout": _noisy(truth, 0.3, 2) if rollout else None,
            "rotation": np.eye(n),
            "equivariance_error": 1.2e-7,
            "model_name": "egnn-nbody",
            "scenario_name": "free",
            "horizon": 0.5 if rollout else None,
        }
        return Comparison(**(given | changes))  # type: ignore[arg-type]

    return build


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with a small data set."""
    monkeypatch.chdir(tmp_path)
    npz(tmp_path / "data.npz")
    return tmp_path
