"""How an entry is trained: under one common budget of optimiser steps, or by the recipe that was published."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from physics.datasets.reading import declared_shape
from surrogate.evaluation.chosen_windows import Asked
from surrogate.evaluation.model_benchmark.entries import Entry
from surrogate.evaluation.model_benchmark.published import PUBLISHED
from surrogate.training.config import Config, config_from_tree, load_config, shipped_configs, typed_value

RECIPES = ("common", "own")
STEPS = 20_000
COMMON = {
    "data.train_samples": "3000",
    "train.batch_size": "100",
    "train.schedule": "one-cycle",
    "train.ema": "0.999",
    "train.weight_decay": "1e-12",
    "train.validate_every": "5",
}
"""The same for every model; peak learning rate, the norm gradients are clipped to and augmentation are its own."""
DEFAULT_LR, DEFAULT_CLIP = 1e-3, 1.0
"""Of a model without a shipped configuration."""


@dataclass(frozen=True)
class Setting:
    """What a training is asked for, beside its entry.

    Attributes
    ----------
    data : Path
    asked : Asked
        The window; by default the data's task.
    steps : int
        The common budget.
    threads : int
    changes : mapping of str to str
        As `--set` takes them: applied to every configuration.
    """

    data: Path
    asked: Asked
    steps: int = STEPS
    threads: int = 1
    changes: Mapping[str, str] | None = None

    def steps_per_epoch(self, samples: int, batch: int) -> int:
        """Whole batches in the training samples that are there."""
        there = declared_shape(self.data, "train")[0]
        return max(min(samples or there, there) // batch, 1)


def own_config(entry: Entry) -> str:
    """The shipped configuration that says how this model is best trained; "" where there is none."""
    name = entry.config or f"{entry.model}-nbody"
    return name if name in shipped_configs() else ""


def has_recipe(label: str, entry: Entry, recipe: str) -> bool:
    """Whether an entry can be trained so: by its own recipe where one was published or ships for this set."""
    return recipe == "common" or label in PUBLISHED or own_config(entry) == f"{entry.model}-nbody"


def configured(label: str, entry: Entry, recipe: str, seed: int, setting: Setting) -> Config:
    """The configuration of a training."""
    changes = _common(entry, setting) if recipe == "common" else _own(label, entry)
    window = setting.asked
    changes |= {f"model.{key}": json.dumps(value) for key, value in entry.settings.items()}
    changes |= {
        "model.name": json.dumps(entry.model),
        "data.paths": json.dumps([str(setting.data)]),
        "data.input_frame": str(window.input_frame),
        "data.target_frame": str(window.target_frame),
        "data.horizon": str(window.horizon),
        "train.threads": str(setting.threads),
        "train.seed": str(seed),
        "train.velocity_epochs": "0",
        **(setting.changes or {}),
    }
    tree: dict[str, Any] = {}
    for key, text in changes.items():
        section, _, leaf = key.partition(".")
        tree.setdefault(section, {})[leaf] = typed_value(text)
    return config_from_tree(tree, f"{label}, {recipe} recipe")


def _common(entry: Entry, setting: Setting) -> dict[str, str]:
    kept = own_config(entry)
    shipped = load_config(kept) if kept else None
    lr, clip = (shipped.train.lr, shipped.train.clip) if shipped else (DEFAULT_LR, DEFAULT_CLIP)
    asked = {**COMMON, **(setting.changes or {})}
    per_epoch = setting.steps_per_epoch(int(asked["data.train_samples"]), int(asked["train.batch_size"]))
    steps = min(setting.steps, entry.steps or setting.steps)
    return {
        **COMMON,
        "train.lr": str(lr),
        "train.clip": str(clip),
        "train.augment": json.dumps(shipped.task_config.augment if shipped else "none"),
        "train.epochs": str(math.ceil(steps / per_epoch)),
    }


def _own(label: str, entry: Entry) -> dict[str, str]:
    known = PUBLISHED.get(label)
    if known is None:
        tree = load_config(own_config(entry)).as_dict()["train"]
        return {"data.train_samples": "3000", **{f"train.{key}": json.dumps(value) for key, value in tree.items()}}
    return {
        **COMMON,
        "train.ema": "0",
        "train.schedule": json.dumps(known.schedule),
        "train.lr": str(known.lr),
        "train.clip": str(known.clip),
        "train.weight_decay": str(known.weight_decay),
        "train.epochs": str(known.epochs),
        "train.warmup": str(known.warmup),
        "train.augment": json.dumps(known.augmentation),
    }
