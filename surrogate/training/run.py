"""A whole training run in its folder: set up or resume, fit, and say what it took."""

import json
import platform
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch

from physics import __version__
from physics.cli import claim_output, refuse_existing, unused
from physics.errors import InputError
from physics.files import atomic_write, only_writer, write_json
from surrogate.training.checkpoint import Checkpoint, read_checkpoint
from surrogate.training.config import Config
from surrogate.training.distributed import Processes
from surrogate.training.loop import fit
from surrogate.training.machine import machine
from surrogate.training.progress_bar import ProgressBar
from surrogate.training.restart import load_restart_point, restart_points, write_metrics
from surrogate.training.state import Trainer
from surrogate.training.tensorboard import event_writer, needs_tensorboard
from surrogate.training.whole_epoch_loop import Group, cannot_take_epochs, fit_epochs, trained_as_epochs


def train(
    config: Config,
    out: Path,
    *,
    resume: bool,
    device: str,
    command: str,
    quiet: bool = False,
    overwrite: bool = False,
    anyway: bool = False,
    tensorboard: bool = False,
    processes: Processes | None = None,
) -> None:
    """A whole run: leaves `config.toml`, `metrics.csv`, `best/`, `latest/`, `previous/`, `run.json`.

    Nothing is written or removed before the configuration and the data have been found usable.

    Parameters
    ----------
    anyway : bool
        Resume although configuration, data or code have changed.
    tensorboard : bool
        Also write curves for TensorBoard.
    """
    processes = processes or Processes()
    if config.train.seeds > 1:
        raise InputError("a run has one seed; several are a sweep of runs (surrogate.training.sweep)")
    refuse_existing(out, resume or overwrite, "--overwrite to replace it, or --resume to go on")
    if resume and out.is_dir() and not unused(out) and not (out / "config.toml").is_file():
        raise InputError(f"{out}: cannot --resume: not a run (no config.toml)")
    if tensorboard:
        needs_tensorboard()
    trainer = Trainer(config, out, device, command, processes)
    started = time.monotonic()
    earlier = seconds_so_far(out) if resume else 0.0
    by_epochs = _by_epochs(trainer)
    point = next(iter(restart_points(out, most=1)), None) if resume else None
    processes.barrier()  # all have looked before the first one writes
    if point is None and processes.first:
        claim_output(out, resume=resume, overwrite=overwrite)
        out.mkdir(parents=True, exist_ok=True)
    with only_writer(out) if processes.first else nullcontext():
        if point is not None:
            go_on_from(trainer, point, anyway=anyway)
        else:
            trainer.start_stage(0)
        if processes.first:
            begin_files(trainer, tensorboard)
        try:
            with ProgressBar(quiet or not processes.first) as report, stopped_by_signals(trainer):
                if by_epochs:
                    fit_epochs(Group([trainer], str(out)), report)
                else:
                    fit(trainer, report)
        finally:
            if processes.first:
                write_run(trainer, earlier + time.monotonic() - started)


def _by_epochs(trainer: Trainer) -> bool:
    """Whether the run's epochs are made as one, by `train.captured` and by what it is."""
    if not trained_as_epochs(trainer.config, trainer.device):
        return False
    if reason := cannot_take_epochs(trainer):
        warnings.warn(f"{trainer.out}: steps are made one by one: {reason}", stacklevel=3)
        return False
    trainer.loop = "whole epochs"
    return True


def go_on_from(trainer: Trainer, point: Checkpoint, *, anyway: bool = False) -> None:
    """Take over a restart point, and in a later stage what is known of the one before."""
    load_restart_point(trainer, point, anyway=anyway)
    if trainer.progress.stage > 0:
        best = read_checkpoint(trainer.out / "best")
        trainer.card.update(trainer.task.card_of_ended_stage(best.info["card"]))


def begin_files(trainer: Trainer, tensorboard: bool) -> None:
    """What stands in the folder of a run that begins or goes on."""
    for torn in trainer.out.rglob(".*.part.*"):  # what a killed run was writing
        torn.unlink()
    atomic_write(trainer.out / "config.toml", trainer.config.to_toml().encode())
    write_metrics(trainer)
    if tensorboard:
        trainer.curves = event_writer(trainer.out / "tensorboard", trainer.progress.step)


@contextmanager
def stopped_by_signals(trainer: Trainer) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop the trainer after its step; a second one at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def request(*_: object) -> None:
        if trainer.stop_requested:
            raise KeyboardInterrupt
        trainer.stop_requested = True

    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def seconds_so_far(out: Path) -> float:
    """What a run has taken until it was last left."""
    seconds = written_of(out).get("seconds", 0.0)
    return float(seconds) if isinstance(seconds, int | float) else 0.0


def written_of(out: Path) -> dict[str, Any]:
    """What `run.json` says; nothing where there is none that can be read."""
    try:
        found = json.loads((out / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_run(trainer: Trainer, seconds: float, **more: str) -> None:
    """`run.json`: the command, the machine, the time it took, and `more`."""
    facts = {
        "command": trainer.command,
        "seconds": round(seconds, 1),
        "date": time.strftime("%Y-%m-%d"),
        "device": trainer.device,
        "threads": torch.get_num_threads(),
        "processes": trainer.processes.count,
        "machine": machine(),
        "versions": {"isotwin": __version__, "torch": torch.__version__, "python": platform.python_version()},
        **more,
    }
    write_json(trainer.out / "run.json", facts)
