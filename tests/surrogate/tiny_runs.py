"""Runs in this process by configurations made here: any model, any setting."""

from pathlib import Path
from typing import Any

from surrogate.models import MODELS
from surrogate.training.config import Config, config_from_tree
from surrogate.training.run import train
from tests.surrogate.helpers import TINY


def config(name: str = "egnn", data: tuple[str, ...] = ("data.npz",), **settings: Any) -> Config:
    """A tiny model, four short epochs; settings of model, training and windows by their names."""
    short = {"epochs": 4, "batch_size": 4, "validate_every": 2, "threads": 1, "lr": 1e-2}
    model = {key: value for key, value in settings.items() if key in MODELS[name].Config.__dataclass_fields__}
    section = {key: value for key, value in settings.items() if key not in model and key != "windows"}
    return config_from_tree(
        {
            "model": {"name": name, **TINY[name], **model},
            "data": {"paths": list(data), "windows": settings.get("windows", "task")},
            "train": {**short, **section},
        },
        "test",
    )


def run(chosen: Config, out: Path | str = "run", resume: bool = False, **more: Any) -> Path:
    """Train it on this process's CPU."""
    train(chosen, Path(out), resume=resume, device="cpu", command="the command", quiet=True, **more)
    return Path(out)
