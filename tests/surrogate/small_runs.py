"""Training runs of a second, and what is asked of their files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from surrogate.training.checkpoint import FILE_NAME, read_checkpoint
from surrogate.training.config import load_config
from surrogate.training.run import train
from surrogate.training.state import Trainer
from tests.surrogate.helpers import npz, tree

CONFIG = """
[model]
name = "egnn"
hidden = 8
layers = 1
velocity_head = true
[data]
paths = ["data.npz"]
[train]
epochs = 8
batch_size = 2
validate_every = 2
velocity_epochs = 4
ema = 0.9
lr = 1e-3
threads = 1
"""
STEPS = 60
"""Of a run of it: 40 of the positions, 20 of the velocities, five an epoch."""

ARGUMENTS = ["--config", "tiny.toml", "--device", "cpu", "--out", "run"]


def begun(folder: Path) -> Path:
    """The data and the configuration of such a run, written to the folder to stand in."""
    npz(folder / "data.npz")
    (folder / "tiny.toml").write_text(CONFIG, encoding="utf-8")
    return folder


def run(out: str, *, resume: bool = False, device: str = "cpu", **changes: str) -> Path:
    """Train it; `train__epochs="9"` changes a setting."""
    config = load_config("tiny.toml", {key.replace("__", "."): value for key, value in changes.items()})
    train(config, Path(out), resume=resume, device=device, command="the command", quiet=True)
    return Path(out)


def kept(out: Path) -> dict[str, bytes]:
    """All its files but the one with the time it took."""
    return {name: data for name, data in tree(out).items() if not name.endswith("run.json")}


def loadable(out: Path) -> bool:
    """Whether every file with a final name that is there is whole."""
    for path in out.rglob(FILE_NAME):
        read_checkpoint(path)
    return True


def valid(out: Path) -> float:
    """Its last validation error."""
    return float((out / "metrics.csv").read_text().splitlines()[-1].split(",")[5])


@contextmanager
def injected(step: int, factor: float) -> Iterator[None]:
    """Multiply the training loss of one step."""
    whole, seen = Trainer.loss, [0]

    def loss(self: Trainer, batch: object) -> torch.Tensor:
        seen[0] += 1
        return whole(self, batch) * (factor if seen[0] == step else 1.0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "loss", loss)
        yield
