"""The files of a run: its best weights, the restart point, the metrics; and going on from a restart point."""

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from physics import __version__
from physics.errors import InputError
from physics.files import atomic_write
from surrogate.checkpoint import read_checkpoint, save_checkpoint
from surrogate.config import config_from_tree
from surrogate.trainer import Progress, Trainer


def save_best(trainer: Trainer, error: float) -> None:
    """The averaged weights as a checkpoint that `surrogate.load` opens."""
    info = {
        "config": trainer.config.as_dict(),
        "scales": {"length": trainer.scales.length, "time": trainer.scales.time},
        "horizon": trainer.horizon,
        "card": {
            **trainer.card,
            "best_epoch": trainer.progress.best_epoch,
            "steps": trainer.progress.step,
            f"valid_mse_{trainer.stages[trainer.progress.stage].name}": error,
        },
    }
    save_checkpoint(trainer.out / "best", info, trainer.average)


def save_restart_point(trainer: Trainer) -> None:
    """Everything `--resume` needs, atomically."""
    tensors = {f"model.{name}": value for name, value in trainer.model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in trainer.average.items()}
    for index, state in trainer.optimiser.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{name}": torch.as_tensor(value) for name, value in state.items()}
    p = trainer.progress
    info = {
        "config": trainer.config.as_dict(),
        "data": trainer.identity,
        "command": trainer.card["command"],
        "version": __version__,
        "progress": {
            "stage": p.stage,
            "epoch": p.epoch,
            "step": p.step,
            "best": p.best if math.isfinite(p.best) else None,
            "best_epoch": p.best_epoch,
            "history": p.history,
        },
    }
    save_checkpoint(trainer.out / "latest", info, tensors)


def load_restart_point(trainer: Trainer) -> None:
    """Go back to the last restart point.

    Raises
    ------
    InputError
        Where it belongs to another configuration or other data.
    """
    checkpoint = read_checkpoint(trainer.out / "latest")
    stored = checkpoint.info
    then = config_from_tree(stored.get("config", {}), str(trainer.out)).as_dict()  # older ones lack newer keys
    _refuse_changed(trainer.out, "the configuration", then, trainer.config.as_dict())
    _refuse_changed(trainer.out, "the data", *_comparable(stored.get("data"), trainer.identity))
    trainer.card["command"] = stored.get("command", trainer.card["command"])
    kept = stored["progress"]
    best = math.inf if kept["best"] is None else kept["best"]
    trainer.progress = Progress(
        kept["stage"], kept["epoch"], kept["step"], best, kept["best_epoch"], kept["history"]
    )
    trainer.start_stage(trainer.progress.stage)
    groups: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "adam": {}}
    for name, tensor in checkpoint.tensors.items():
        group, _, rest = name.partition(".")
        groups[group][rest] = tensor.to(trainer.device)
    trainer.model.load_state_dict(groups["model"])
    trainer.average = groups["average"]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in groups["adam"].items():
        index, _, leaf = name.partition(".")
        state.setdefault(int(index), {})[leaf] = tensor.cpu() if leaf == "step" else tensor
    whole = trainer.optimiser.state_dict()
    trainer.optimiser.load_state_dict({"state": state, "param_groups": whole["param_groups"]})


def _refuse_changed(out: Path, what: str, stored: Any, now: Any) -> None:
    now = json.loads(json.dumps(now))
    if stored == now:
        return
    changed = ""
    if isinstance(stored, dict) and isinstance(now, dict):
        for section, values in now.items():
            old = stored.get(section)
            if isinstance(values, dict) and isinstance(old, dict):
                different = [f"{section}.{k}" for k in values if old.get(k) != values[k]]
                changed += "".join(f" {name}" for name in different)
    raise InputError(f"{out}: cannot --resume: {what} changed{':' + changed if changed else ''}")


def write_metrics(trainer: Trainer) -> None:
    """metrics.csv from the kept history: the same bytes however often the run was interrupted."""
    history = trainer.progress.history or []
    if not history:
        return
    text = io.StringIO()
    # named here, because rows that come back from a restart point have their keys sorted
    first = ["stage", "epoch", "step", "lr", "loss", "valid"]
    each = [f"valid_{index}" for index in range(len(trainer.valid_sets))] if "valid_0" in history[0] else []
    writer = csv.DictWriter(text, fieldnames=first + each, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    atomic_write(trainer.out / "metrics.csv", text.getvalue().encode())


def _comparable(stored: Any, now: list[dict[str, Any]]) -> tuple[Any, Any]:
    """Data identities cut to the keys that the stored one, perhaps of an older version, has."""
    if not isinstance(stored, list) or not all(isinstance(entry, dict) for entry in stored):
        return stored, now
    keys = {key for entry in stored for key in entry}
    return stored, [{key: value for key, value in entry.items() if key in keys} for entry in now]


def position_facts(card: dict[str, Any]) -> dict[str, Any]:
    """What the velocity stage keeps of the position stage, from the best model of either stage."""
    if "position_steps" in card:
        return {k: v for k, v in card.items() if k.startswith(("valid_mse_p", "position_"))}
    return {
        **{k: v for k, v in card.items() if k.startswith("valid_mse")},
        "position_steps": card["steps"],
        "position_best_epoch": card["best_epoch"],
    }
