"""Finished runs of other tasks than dynamics become a shipped model with a measured card."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from physics.cli import progress_bar
from physics.errors import InputError
from physics.files import atomic_write
from resources import ZOO
from resources.shipped import FILE_NAME
from surrogate.evaluation.model_card import common_card
from surrogate.evaluation.tasks import measure
from surrogate.inference.loading import load_predictor
from surrogate.tasks import task_class
from surrogate.training.checkpoint import read_checkpoint, save_checkpoint


def publish_task_model(name: str, runs: Sequence[Path], data: Sequence[str], *, command: str) -> Path:
    """Write resources/zoo/<task>/<name>: the checkpoint with its card, and the card for people.

    Raises
    ------
    InputError
        Where a run is not finished, or of another task than the first.
    """
    checkpoints = [read_checkpoint(run / "best") for run in runs]
    tasks = {str(c.info["config"].get("task")) for c in checkpoints}
    if len(tasks) > 1:
        raise InputError(f"runs of several tasks: {', '.join(sorted(tasks))}")
    task = tasks.pop()
    metric = f"valid_{task_class(task).metric}_"
    keys = [next((key for key in c.info["card"] if key.startswith(metric)), "") for c in checkpoints]
    if not all(keys):
        raise InputError(f"every run must have a validated model (no {metric}... in a card)")
    errors = [float(c.info["card"][key]) for c, key in zip(checkpoints, keys, strict=True)]
    chosen, card = common_card(name, runs, checkpoints, errors, command)
    tables: list[str] = []
    card["results"] = []
    with progress_bar("measuring", len(runs) * len(data), "evaluations") as advance:
        for path in data:
            for run in runs:
                result, table = measure(load_predictor(run), path, "test")
                card["results"].append(result)
                tables.append(table)
                advance(1)
    folder = ZOO / task / name
    if folder.exists():
        shutil.rmtree(folder)
    save_checkpoint(folder, {**chosen.info, "card": card}, chosen.tensors)
    atomic_write(
        folder / "README.md", _text(card, sum(t.numel() for t in chosen.tensors.values()), tables).encode()
    )
    return folder / FILE_NAME


def _text(card: dict[str, Any], parameters: int, tables: Sequence[str]) -> str:
    settings = ", ".join(f"{key} = {value}" for key, value in card["model"].items() if key != "name")
    minutes = ", ".join(f"{s / 60:.1f}" for s in card["seconds_per_seed"])
    lines = [
        f"# {card['name']}",
        "",
        card["note"] + ".",
        "",
        f"- **Model** {card['model']['name']} ({settings}), {parameters:,} parameters",
        f"- **Steps** {card['steps']} to the best validation epoch ({card['best_epoch']})",
        f"- **Time** {minutes} minutes a seed on {card['machine']} ({', '.join(sorted(set(card['trained'])))})",
        f"- **Seeds** {', '.join(map(str, card['seeds']))}; shipped: {card['shipped_seed']} (best validation)",
        "",
        "## Measured",
        "",
        f"{card['measured_on']['date']}, {card['measured_on']['machine']}, the seeds in turn.",
        "",
        "```",
        *(table.rstrip() for table in tables),
        "```",
        "",
        "## Commands",
        "",
        "```",
        *card["commands"],
        card["measured_on"]["command"],
        "```",
        "",
    ]
    return "\n".join(lines)
