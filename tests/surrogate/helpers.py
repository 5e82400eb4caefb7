"""What several test files share: tiny models and data sets, and a command run in this process."""

import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from physics.cli import run_command
from surrogate.models import MODELS
from surrogate.models.base import SurrogateModel
from surrogate.training.checkpoint import save_checkpoint
from surrogate.training.config import Config, config_from_tree

TINY: dict[str, dict[str, Any]] = {
    "cgenn": {"hidden": 4, "layers": 1},
    "linear": {},
    "gnn": {"hidden": 8, "layers": 2},
    "gnn+": {"hidden": 8, "layers": 2},
    "egnn": {"hidden": 8, "layers": 2},
    "egnn-recurrent": {"hidden": 8, "steps": 2},
    "edge-cloud": {"hidden": 8, "layers": 2, "basis": 8},
    "egno": {"hidden": 8, "layers": 2, "points": 3},
    "integrator": {"hidden": 8, "evaluations": 2},
    "painn": {"hidden": 8, "layers": 2, "basis": 8},
    "ponita": {"hidden": 8, "layers": 2, "basis": 8, "orientations": 6, "layer_scale": 1.0},
    "radial-field": {"hidden": 8, "layers": 2},
    "schnet": {"hidden": 8, "layers": 2, "basis": 8},
    "segno": {"hidden": 8, "steps": 2},
    "segnn": {"channels": 4, "layers": 2},
    "se3-transformer": {"channels": 4, "layers": 1, "heads": 2, "radial": 8},
    "tfn": {"channels": 4, "layers": 2, "radial": 8},
}


def tiny_config(name: str = "egnn", **changes: Any) -> Config:
    return config_from_tree({"model": {"name": name, **TINY.get(name, {}), **changes}}, "test")


def tiny_model(name: str = "egnn", **changes: Any) -> SurrogateModel:
    """A small model whose weights are all of order 0.3, so that nothing it does is near zero."""
    config = tiny_config(name, **changes)
    torch.manual_seed(3)
    model = MODELS[name](config.model_config)
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3)
    return model


def info_of(config: Config, **changes: Any) -> dict[str, Any]:
    card = {"dims": [3], "particles": [5], "laws": [{"preset": "p", "law": "coulomb", "parameters": {"eps": 0.1}}]}
    scales = {"length": 1.0, "time": 1.0}
    return {"config": config.as_dict(), "scales": scales, "horizon": 1.0, "card": card, **changes}


def saved_model(folder: Path, name: str = "egnn", *, info: dict[str, Any] | None = None, **changes: Any) -> Path:
    model = tiny_model(name, **changes)
    save_checkpoint(folder, {**info_of(tiny_config(name, **changes)), **(info or {})}, dict(model.state_dict()))
    return folder


def tiny_arrays(
    samples: int = 12, frames: int = 4, n: int = 3, particles: int = 3, seed: int = 0, spacing: float = 0.5
) -> dict[str, Any]:
    """Smooth trajectories of charges: x(t) = x + v t + a t^2 / 2 with softened Coulomb accelerations."""
    rng = np.random.default_rng(seed)
    x, v = rng.standard_normal((2, samples, particles, n))
    q = rng.choice([-1.0, 1.0], (samples, particles))
    r = x[:, :, None] - x[:, None]
    a = (q[:, :, None, None] * q[:, None, :, None] * r / ((r**2).sum(-1, keepdims=True) + 0.5)).sum(2)
    times = spacing * np.arange(frames)
    t = times[:, None, None]
    positions = x[:, None] + v[:, None] * t + 0.5 * a[:, None] * t**2
    return {"positions": positions, "velocities": v[:, None] + a[:, None] * t, "charges": q, "times": times}


def state(samples: int = 4, particles: int = 5, n: int = 3, dtype: Any = np.float64) -> list[np.ndarray]:
    """Positions, velocities and charges, drawn."""
    rng = np.random.default_rng(7)
    x, v = rng.standard_normal((2, samples, particles, n))
    q = rng.choice([-1.0, 1.0], (samples, particles))
    return [a.astype(dtype) for a in (x, v, q)]


def npz(path: Path, arrays: dict[str, Any] | None = None, **changes: Any) -> Path:
    values = {**(tiny_arrays() if arrays is None else arrays), **changes}
    if isinstance(values.get("recipe"), dict):
        values["recipe"] = np.array(json.dumps(values["recipe"]))
    np.savez(path, **{name: value for name, value in values.items() if value is not None})
    return path


def command(
    main: Callable[[Sequence[str]], None], capsys: pytest.CaptureFixture[str], *argv: object
) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command run here as the shell would see it."""
    capsys.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        status = run_command(main, [str(a) for a in argv])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def refused(status: int, stderr: str) -> str:
    """The one line of a refusal; checks that there is nothing else but warnings."""
    lines = [line for line in stderr.splitlines() if line.strip() and not line.startswith("warning: ")]
    assert status == 2, stderr
    assert len(lines) == 1, stderr
    assert lines[0].startswith("error: ")
    assert "Traceback" not in stderr
    return lines[0]


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes, to see that nothing was written."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() if p.is_file() else b"/" for p in folder.rglob("*")}
