"""A whole training run in its folder: set up or resume, fit, and say what it took."""

import json
import platform
import time
from pathlib import Path

import torch

from physics import __version__
from physics.cli import claim_output, refuse_existing
from physics.errors import InputError
from physics.files import atomic_write
from surrogate.checkpoint import read_checkpoint
from surrogate.config import Config
from surrogate.fit import fit
from surrogate.machine import machine
from surrogate.progress import TrainingProgress
from surrogate.restart import load_restart_point, position_facts, write_metrics
from surrogate.trainer import Trainer
from surrogate.zoo import FILE_NAME


def train(
    config: Config,
    out: Path,
    *,
    resume: bool,
    device: str,
    command: str,
    quiet: bool = False,
    overwrite: bool = False,
) -> None:
    """A whole run: set up or resume, fit, leave `config.toml`, `metrics.csv`, `best/`, `latest/`, `run.json`.

    Nothing is written or removed before the configuration and the data have been found usable.
    """
    refuse_existing(out, resume or overwrite, "--overwrite to replace it, or --resume to go on")
    if resume and out.is_dir() and any(out.iterdir()) and not (out / "config.toml").is_file():
        raise InputError(f"{out}: cannot --resume: not a run (no config.toml)")
    trainer = Trainer(config, out, device, command)
    started = time.monotonic()
    before = _seconds_so_far(out) if resume else 0.0
    if resume and (out / "latest" / FILE_NAME).is_file():
        load_restart_point(trainer)
        if trainer.progress.stage > 0:
            trainer.card.update(position_facts(read_checkpoint(out / "best").info["card"]))
        write_metrics(trainer)
    else:
        claim_output(out, resume=resume, overwrite=overwrite)
        out.mkdir(parents=True, exist_ok=True)
        atomic_write(out / "config.toml", config.to_toml().encode())
        trainer.start_stage(0)
    for torn in out.rglob(".*.part.*"):  # what a killed run was writing
        torn.unlink()
    try:
        with TrainingProgress(quiet) as report:
            fit(trainer, report)
    finally:
        _write_run(out, trainer, before + time.monotonic() - started)


def _seconds_so_far(out: Path) -> float:
    try:
        return float(json.loads((out / "run.json").read_text(encoding="utf-8"))["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0


def _write_run(out: Path, trainer: Trainer, seconds: float) -> None:
    facts = {
        "command": trainer.command,
        "seconds": round(seconds, 1),
        "date": time.strftime("%Y-%m-%d"),
        "device": trainer.device,
        "threads": torch.get_num_threads(),
        "machine": machine(),
        "versions": {"isotwin": __version__, "torch": torch.__version__, "python": platform.python_version()},
    }
    atomic_write(out / "run.json", json.dumps(facts, indent=1).encode())
