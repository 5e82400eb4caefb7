"""The files of a run: its best weights, two restart points, the metrics; and going on from a restart point.

`latest/` is the newest point; `previous/` is the last validated one before it. A run goes on only with the
configuration, data and code it was begun with, unless `anyway` is given.
"""

import json
import math
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from physics import __version__
from physics.errors import InputError
from physics.files import write_csv
from resources.shipped import FILE_NAME
from surrogate.training.checkpoint import Checkpoint, ModelError, read_checkpoint, save_checkpoint
from surrogate.training.config import config_from_tree
from surrogate.training.divergence import Divergence
from surrogate.training.progress import Progress
from surrogate.training.sources import code_identity
from surrogate.training.state import Snapshot, Trainer

POINTS = ("latest", "previous")


def setting(trainer: Trainer) -> dict[str, str | int]:
    """What may differ when a run goes on, but then the last bits may too."""
    return {
        "device": trainer.device.partition(":")[0],
        "threads": torch.get_num_threads(),
        "processes": trainer.processes.count,
        "loop": trainer.loop,
    }


def save_best(trainer: Trainer, score: float) -> None:
    """The averaged weights, in float32, with what it takes to use them (`Task.usage`) and a card."""
    info = {
        "config": trainer.config.as_dict(),
        **trainer.task.usage(),
        "card": {
            **trainer.card,
            "best_epoch": trainer.progress.best_epoch,
            "steps": trainer.progress.step,
            f"valid_{trainer.task.metric}_{trainer.stage.name}": score,
        },
    }
    single = {name: value.float() for name, value in trainer.average.items()}
    save_checkpoint(trainer.out / "best", info, single)


def save_restart_point(trainer: Trainer, state: Snapshot | None = None) -> None:
    """Everything `--resume` needs, atomically: of now, or of an earlier state within an epoch.

    A point within an epoch is not kept as the previous one, so that the files of a finished run do not depend on
    its interruptions.
    """
    now = Snapshot({}, trainer.progress, trainer.divergence) if state is None else state
    best = now.progress.best
    info = {
        "config": trainer.config.as_dict(),
        "data": trainer.identity,
        "code": code_of(trainer),
        "setting": setting(trainer),
        "command": trainer.card["command"],
        "version": __version__,
        "progress": {**asdict(now.progress), "best": best if math.isfinite(best) else None},
        "divergence": asdict(now.divergence),
        "validated": state is None,
    }
    tensors = trainer.tensors() if state is None else state.tensors
    previous = trainer.out / "previous" if trainer.latest_is_validated else None
    save_checkpoint(trainer.out / "latest", info, tensors, previous)
    trainer.latest_is_validated = state is None


def code_of(trainer: Trainer) -> dict[str, str]:
    """The source files that decide the numbers of a run, and versions."""
    model: type = type(trainer.model)
    return code_identity(type(trainer.task), model)


def restart_points(out: Path, most: int = len(POINTS)) -> list[Checkpoint]:
    """The restart points of a run that are whole, at most so many, the newest first. A damaged one is named.

    Raises
    ------
    ModelError
        Where there are some, and all are damaged.
    """
    found: list[Checkpoint] = []
    damaged: list[str] = []  # a missing latest/ is none: its writer was killed between two renames
    for folder in (out / name for name in POINTS):
        if len(found) < most and (folder / FILE_NAME).is_file():
            try:
                found.append(read_checkpoint(folder))
            except ModelError as error:
                damaged.append(str(error))
    if damaged and not found:
        raise ModelError("; ".join(damaged))
    if damaged:
        instead = f"going on from {found[0].path.parent}" if most == 1 else "not used"
        warnings.warn(f"{'; '.join(damaged)}; {instead}", stacklevel=2)
    return found


def load_restart_point(trainer: Trainer, point: Checkpoint, *, anyway: bool = False) -> None:
    """Take over a restart point.

    Parameters
    ----------
    anyway : bool
        Go on with a changed configuration, data or code, naming what changed.

    Raises
    ------
    InputError
        Where it belongs to another configuration, other data or other code.
    """
    stored = point.info
    changed = changes(trainer, stored)
    if changed and not anyway:
        raise InputError(
            f"{trainer.out}: cannot --resume: {'; '.join(changed)} (--resume-anyway goes on nevertheless)"
        )
    for what in changed:
        warnings.warn(f"{trainer.out}: going on although {what}", stacklevel=2)
    was, now = stored.get("setting", {}), setting(trainer)
    differing = [f"{key} {was[key]}, now {now[key]}" for key in now if key in was and was[key] != now[key]]
    if differing:
        warnings.warn(f"{trainer.out}: was {'; '.join(differing)}: the last bits may differ", stacklevel=2)
    trainer.card["command"] = stored.get("command", trainer.card["command"])
    kept = stored["progress"]
    trainer.progress = Progress(**{**kept, "best": math.inf if kept["best"] is None else kept["best"]})
    if trainer.progress.stage >= len(trainer.stages):
        raise InputError(f"{trainer.out}: cannot --resume: the run is in a stage that this configuration lacks")
    trainer.start_stage(trainer.progress.stage)
    trainer.divergence = Divergence(**{**stored.get("divergence", {}), "limit": trainer.config.train.spike})
    try:
        trainer.set_tensors(point.tensors)
    except (KeyError, RuntimeError, ValueError) as error:  # only with `anyway`: another model
        first = " ".join(str(error).split())
        raise InputError(f"{trainer.out}: cannot --resume: the state fits another model ({first:.200})") from None
    trainer.latest_is_validated = point.path.parent.name == "latest" and stored.get("validated", True)


def changes(trainer: Trainer, stored: dict[str, Any]) -> list[str]:
    """What is no longer as it was when a restart point was written, in words."""
    found = []
    then = config_from_tree(stored.get("config", {}), str(trainer.out)).as_dict()  # older ones lack newer keys
    now = json.loads(json.dumps(trainer.config.as_dict()))
    if then != now:
        keys = [
            f"{section}.{key}"
            for section, values in now.items()
            if isinstance(values, dict)
            for key in sorted({*values, *then[section]})
            if then[section].get(key) != values.get(key)
        ]
        top = [key for key in ("task", "note") if then.get(key) != now.get(key)]
        found.append(f"the configuration changed: {' '.join(keys or top)}")
    data_then, data_now = stored.get("data"), json.loads(json.dumps(trainer.identity))
    if isinstance(data_then, list) and all(isinstance(entry, dict) for entry in data_then):
        known = {key for entry in data_then for key in entry}  # those of an older version are fewer
        data_now = [{key: entry[key] for key in entry.keys() & known} for entry in data_now]
    if data_then != data_now:
        found.append("the data changed")
    code_then, code_now = stored.get("code"), code_of(trainer)
    if isinstance(code_then, dict) and code_then != code_now:
        names = sorted(n for n in {*code_then, *code_now} if code_then.get(n) != code_now.get(n))
        said = [f"{n} {code_then.get(n)} -> {code_now.get(n)}" if "/" not in n else n for n in names]
        found.append(f"the code changed: {' '.join(said)}")
    return found


def write_metrics(trainer: Trainer) -> None:
    """metrics.csv from the kept history: the same bytes however often the run was interrupted."""
    history = trainer.progress.history
    if not history:
        return
    # named here, because rows that come back from a restart point have their keys sorted
    columns = ["stage", "epoch", "step", "lr", "loss", "valid", *trainer.task.columns]
    write_csv(
        trainer.out / "metrics.csv", [columns, *([row.get(name, "") for name in columns] for row in history)]
    )
