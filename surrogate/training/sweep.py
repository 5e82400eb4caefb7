"""Several runs under one folder: a sweep over configuration values (`--sweep`), several seeds (`train.seeds`).

Each member is a run of its own and goes on by itself, or with the other seeds of its point as one stacked run
(stacked.py); what is finished is not trained again. At the end a table compares them, and the best one's
weights become the model of the folder.
"""

import csv
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from pathlib import Path
from typing import Any

import numpy as np

from physics.cli import claim_output, refuse_existing
from physics.errors import InputError
from physics.files import atomic_write, write_csv, write_json
from surrogate.training.checkpoint import read_checkpoint, save_checkpoint
from surrogate.training.config import Config, config_from_tree, typed_value
from surrogate.training.divergence import DivergedError
from surrogate.training.run import seconds_so_far, train
from surrogate.training.stacked import NotStackedError, train_stacked, wants_stack

MEMBERS_LIMIT = 1000


@dataclass(frozen=True)
class Member:
    """One run of a sweep.

    Attributes
    ----------
    values : tuple of (str, str)
        What distinguishes it, as given: ("train.lr", "1e-3").
    config : Config
    """

    values: tuple[tuple[str, str], ...]
    config: Config

    @property
    def name(self) -> str:
        """Its folder."""
        return ",".join(f"{key.partition('.')[2]}={value}" for key, value in self.values)

    @property
    def point(self) -> tuple[tuple[str, str], ...]:
        """Its values but for the seed: what seeds are compared at."""
        return tuple((key, value) for key, value in self.values if key != "train.seed")


@dataclass(frozen=True)
class Score:
    """What a member came to: the least validation error of its last stage, when, and how long it took."""

    valid: float
    epoch: int
    seconds: float


def swept_values(items: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The keys and values of `--sweep key=a,b ...`.

    Raises
    ------
    InputError
    """
    found: dict[str, tuple[str, ...]] = {}
    for item in items:
        key, equals, values = item.partition("=")
        choices = tuple(value for value in values.split(",") if value)
        if not equals or not choices or "." not in key:
            raise InputError(f"--sweep takes section.key=value,value,...; got {item!r}")
        if key in found:
            raise InputError(f"{key} is swept twice")
        if len(set(choices)) < len(choices) or any("/" in value for value in choices):
            raise InputError(f"--sweep {key}: values must differ and name a folder; got {values!r}")
        found[key] = choices
    return found


def members(config: Config, swept: Mapping[str, tuple[str, ...]]) -> list[Member]:
    """Every combination of the swept values, each with `train.seeds` seeds.

    Raises
    ------
    InputError
        Where a value does not fit, or there are too many.
    """
    axes = dict(swept)
    if config.train.seeds > 1:
        if "train.seed" in axes or "train.seeds" in axes:
            raise InputError("train.seeds and a sweep over seeds exclude each other")
        first = config.train.seed
        axes["train.seed"] = tuple(str(first + k) for k in range(config.train.seeds))
    if math.prod(len(values) for values in axes.values()) > MEMBERS_LIMIT:
        raise InputError(f"more than {MEMBERS_LIMIT} runs are refused")
    found = []
    for chosen in product(*axes.values()):
        tree = config.as_dict()
        tree["train"]["seeds"] = 1
        for key, value in zip(axes, chosen, strict=True):
            section, _, leaf = key.partition(".")
            if section not in ("model", "data", "train"):
                raise InputError(f"--sweep {key}: sections are model, data and train")
            tree[section][leaf] = typed_value(value)
        values = tuple(zip(axes, chosen, strict=True))
        found.append(Member(values, config_from_tree(tree, f"--sweep {' '.join(f'{k}={v}' for k, v in values)}")))
    return found


def train_sweep(
    config: Config,
    swept: Mapping[str, tuple[str, ...]],
    out: Path,
    shared: Mapping[str, Any],
    *,
    resume: bool,
    overwrite: bool,
    say: Callable[[str], None],
) -> str:
    """Train every member, write `table.md` and `table.csv`, and keep the best one's weights; the table.

    Parameters
    ----------
    shared : mapping
        `device`, `command`, `anyway` and `tensorboard` of :func:`surrogate.training.run.train`, for all members.
    say : callable
        Gets a line before each member.
    """
    runs = members(config, swept)
    plan = {"config": config.as_dict(), "sweep": {key: list(values) for key, values in swept.items()}}
    refuse_existing(out, resume or overwrite, "--overwrite to replace it, or --resume to go on")
    kept = out / "grid.json"
    if resume and kept.is_file():
        if json.loads(kept.read_text(encoding="utf-8")) != json.loads(json.dumps(plan)):
            raise InputError(f"{out}: cannot --resume: another configuration or sweep was begun here")
    else:
        if resume and out.is_dir() and any(out.iterdir()):
            raise InputError(f"{out}: cannot --resume: not a sweep (no grid.json)")
        claim_output(out, overwrite=overwrite)
        out.mkdir(parents=True, exist_ok=True)
        atomic_write(out / "config.toml", config.to_toml().encode())
        write_json(kept, plan)
    scores: list[Score] = []
    for _, group in groupby(runs, key=lambda member: member.point):
        seeds = list(group)
        folders = [out / member.name for member in seeds]
        ended = _as_one_run([member.config for member in seeds], folders, shared, say)
        for index, (member, folder) in enumerate(zip(seeds, folders, strict=True)):
            error = ended[index] if ended else None
            if not ended:
                say(f"run {len(scores) + 1} of {len(runs)}: {member.name}")
                try:
                    train(member.config, folder, resume=(folder / "config.toml").is_file(), **shared)
                except DivergedError as diverged:  # a finding of the sweep, not its end
                    say(str(diverged))
                    error = diverged
            scores.append(Score(math.inf, 0, 0.0) if error else score(folder))
            _write_tables(out, runs, scores)
    if not any(math.isfinite(s.valid) for s in scores):
        raise InputError(f"{out}: all runs diverged; lower train.lr or set train.clip")
    best = read_checkpoint(out / runs[int(np.argmin([s.valid for s in scores]))].name / "best")
    save_checkpoint(out / "best", best.info, best.tensors)
    return table(runs, scores)


def _as_one_run(
    configs: Sequence[Config], outs: Sequence[Path], shared: Mapping[str, Any], say: Callable[[str], None]
) -> list[DivergedError | None] | None:
    """Train several seeds stacked; which of them diverged, or None where they are to train one by one."""
    if len(configs) == 1 or not wants_stack(configs[0], shared["device"]):
        return None
    try:
        return train_stacked(configs, outs, say=say, **shared)
    except NotStackedError as reason:
        say(f"train.stacked: the seeds train one after another: {reason}")
        return None


def score(folder: Path) -> Score:
    """What a finished run came to."""
    with (folder / "metrics.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    last = [row for row in rows if row["stage"] == rows[-1]["stage"]]
    best = min(last, key=lambda row: float(row["valid"]))
    return Score(float(best["valid"]), int(best["epoch"]), seconds_so_far(folder))


def table(runs: Sequence[Member], scores: Sequence[Score]) -> str:
    """One row for every point of the sweep, the best first, in Markdown; with seeds, their mean and spread."""
    axes = [key for key, _ in runs[0].point]
    groups: dict[tuple[tuple[str, str], ...], list[Score]] = {}
    for member, found in zip(runs, scores, strict=False):
        groups.setdefault(member.point, []).append(found)
    seeds = max(len(found) for found in groups.values())
    head = [*axes, "seeds", "validation error", "spread", "best epoch", "seconds"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for point, of_seeds in sorted(groups.items(), key=lambda item: float(np.mean([s.valid for s in item[1]]))):
        errors = [s.valid for s in of_seeds]
        good = all(math.isfinite(error) for error in errors)
        spread = f"{np.std(errors, ddof=1):.2g}" if len(errors) > 1 and good else "-"
        mean = f"{np.mean(errors):.5g}" if good else "diverged"
        cells = [*(value for _, value in point), str(len(of_seeds)), mean, spread]
        cells += ["/".join(str(s.epoch) for s in of_seeds) if seeds > 1 else str(of_seeds[0].epoch)]
        cells += [f"{sum(s.seconds for s in of_seeds):.1f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _write_tables(out: Path, runs: Sequence[Member], scores: Sequence[Score]) -> None:
    """`table.md` (points) and `table.csv` (every run) of what is finished."""
    head = ["run", *(key for key, _ in runs[0].values), "valid", "best_epoch", "seconds"]
    rows = [
        [member.name, *(value for _, value in member.values), found.valid, found.epoch, found.seconds]
        for member, found in zip(runs, scores, strict=False)
    ]
    write_csv(out / "table.csv", [head, *rows])
    atomic_write(out / "table.md", table(runs, scores).encode())
