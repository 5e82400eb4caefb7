"""What a training command starts: one run, a sweep of runs, or the learning-rate finder."""

import csv
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from physics.cli import EXIT_INTERRUPTED, refuse_existing
from physics.errors import InputError
from surrogate.training.config import Config
from surrogate.training.distributed import ProcessLostError, joined_processes, leave_processes
from surrogate.training.lr_finder import rate_curve, write_rates
from surrogate.training.machine import keep_freed_memory
from surrogate.training.run import train
from surrogate.training.state import Trainer
from surrogate.training.sweep import train_sweep


def launch(
    config: Config,
    out: Path,
    swept: Mapping[str, tuple[str, ...]],
    *,
    device: str,
    command: str,
    find_lr: bool,
    resume: bool,
    anyway: bool,
    overwrite: bool,
    tensorboard: bool,
    say: Callable[[str], None],
) -> str:
    """Train; what is to be printed of it.

    Parameters
    ----------
    out : Path
        The folder of the run, of the sweep, or of the curve.
    swept : mapping of str to tuple of str
        Keys of the configuration and the values each takes.
    find_lr : bool
        Only look for a learning rate.
    device, command, resume, anyway, overwrite, tensorboard
        As of :func:`surrogate.training.run.train`.
    say : callable
        Gets lines about what is done.

    Raises
    ------
    KeyboardInterrupt
        Where it was stopped, with how to go on.
    InputError
    """
    keep_freed_memory()
    signal.signal(signal.SIGTERM, _interrupt)  # until the training itself answers
    processes = joined_processes(device)
    go_on = f"go on with: {command} --resume"
    table = ""
    try:
        many = bool(swept) or config.train.seeds > 1
        if processes.count > 1 and (many or find_lr):
            raise InputError("--sweep, train.seeds and --find-lr run in one process, not under torchrun")
        if find_lr:
            return _found_rate(config, out, device, command, overwrite)
        begun = {"resume": resume, "overwrite": overwrite}
        shared = {"device": device, "command": command, "anyway": anyway, "tensorboard": tensorboard}
        if many:
            table = train_sweep(config, swept, out, shared, say=say, **begun)
        else:
            train(config, out, processes=processes, **begun, **shared)  # type: ignore[arg-type]
    except KeyboardInterrupt as interrupt:
        if not processes.first:
            raise SystemExit(EXIT_INTERRUPTED) from None  # the first one says it
        kept = str(interrupt) or f"{out} keeps the last validated state"
        raise KeyboardInterrupt(f"{kept}; {go_on}") from None
    except ProcessLostError as error:
        raise InputError(f"{error}; {out} keeps its state; {go_on}") from None
    finally:
        leave_processes()
    return f"{table}{out}: done; its best model is {out / 'best'}\n{_failed(out)}" if processes.first else ""


def _failed(out: Path) -> str:
    """What is said of a run that never came below x + v t on the data kept aside."""
    with suppress(OSError, ValueError):
        rows = list(csv.DictReader((out / "metrics.csv").read_text(encoding="utf-8").splitlines()))
        errors = [float(row["valid_relative"]) for row in rows if row.get("valid_relative")]
        if errors and min(errors) >= 1:
            return (
                f"note: at best {min(errors):.3g} times the error of x + v t, the forecast without any force: "
                "nothing is learned yet; more epochs, other settings?\n"
            )
    return ""


def _found_rate(config: Config, out: Path, device: str, command: str, overwrite: bool) -> str:
    """`rates.png` and `rates.csv`, and the rate that they suggest."""
    refuse_existing(out, overwrite)
    curve = rate_curve(Trainer(config, out, device, command))
    write_rates(curve, out)
    return (
        f"a learning rate to begin with: {curve.suggestion:.2g} (--set train.lr={curve.suggestion:.2g}); "
        f"the curve is {out / 'rates.png'}\n"
    )


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
