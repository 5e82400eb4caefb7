"""What a training command starts: one run, a sweep of runs, or the learning-rate finder."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from physics.cli import EXIT_INTERRUPTED, refuse_existing
from physics.errors import InputError
from surrogate.training.config import Config
from surrogate.training.distributed import Processes, ProcessLostError, joined_processes, leave_processes
from surrogate.training.divergence import DivergedError
from surrogate.training.lr_finder import rate_curve, write_rates
from surrogate.training.machine import keep_freed_memory
from surrogate.training.run import train
from surrogate.training.stacked import NotStackedError, StackOptions, train_stacked, wants_stack
from surrogate.training.state import Trainer
from surrogate.training.sweep import is_sweep, train_sweep


@dataclass(frozen=True)
class Launch:
    """A training as it was asked for.

    Attributes
    ----------
    config : Config
    out : Path
        The folder of the run, of the sweep, or of the curve.
    device, command : str
    sweep : mapping of str to tuple of str
        Keys of the configuration and the values each takes.
    find_lr : bool
        Only look for a learning rate.
    resume, anyway, overwrite, tensorboard : bool
        As of :func:`surrogate.training.run.train`.
    say : callable
        Gets lines about what is done.
    """

    config: Config
    out: Path
    device: str
    command: str
    sweep: Mapping[str, tuple[str, ...]]
    find_lr: bool
    resume: bool
    anyway: bool
    overwrite: bool
    tensorboard: bool
    say: Callable[[str], None]


def launched(asked: Launch) -> str:
    """Train; what is to be printed of it.

    Raises
    ------
    KeyboardInterrupt
        Where it was stopped, with how to go on.
    InputError
    """
    keep_freed_memory()
    signal.signal(signal.SIGTERM, _interrupt)  # until the training itself answers
    processes = joined_processes(asked.device)
    go_on = f"go on with: {asked.command} --resume"
    try:
        printed = _trained(asked, processes)
    except KeyboardInterrupt as interrupt:
        if not processes.first:
            raise SystemExit(EXIT_INTERRUPTED) from None  # the first one says it
        kept = str(interrupt) or f"{asked.out} keeps the last validated state"
        raise KeyboardInterrupt(f"{kept}; {go_on}") from None
    except ProcessLostError as error:
        raise InputError(f"{error}; {asked.out} keeps its state; {go_on}") from None
    finally:
        leave_processes()
    return printed if processes.first else ""


def _trained(asked: Launch, processes: Processes) -> str:
    """Do what is asked for; what is to be printed."""
    many = is_sweep(asked.config, asked.sweep)
    if processes.count > 1 and (many or asked.find_lr):
        raise InputError("--sweep, train.seeds and --find-lr run in one process, not under torchrun")
    if asked.find_lr:
        return _found_rate(asked)

    def run_member(member: Config, out: Path, resume: bool) -> None:
        train(
            member,
            out,
            resume=resume,
            overwrite=asked.overwrite and not many,
            device=asked.device,
            command=asked.command,
            anyway=asked.anyway,
            tensorboard=asked.tensorboard,
            processes=processes,
        )

    def run_seeds(members: list[Config], outs: list[Path]) -> list[DivergedError | None] | None:
        if not wants_stack(members[0], asked.device):
            return None
        options = StackOptions(
            asked.device, asked.command, anyway=asked.anyway, tensorboard=asked.tensorboard, say=asked.say
        )
        try:
            return train_stacked(members, outs, options)
        except NotStackedError as reason:
            asked.say(f"train.stacked: the seeds train one after another: {reason}")
            return None

    table = ""
    if many:
        table = train_sweep(
            asked.config,
            asked.sweep,
            asked.out,
            run_member,
            resume=asked.resume,
            overwrite=asked.overwrite,
            report=asked.say,
            run_seeds=run_seeds,
        )
    else:
        run_member(asked.config, asked.out, asked.resume)
    return f"{table}{asked.out}: done; its best model is {asked.out / 'best'}\n"


def _found_rate(asked: Launch) -> str:
    """`rates.png` and `rates.csv`, and the rate that they suggest."""
    refuse_existing(asked.out, asked.overwrite)
    curve = rate_curve(Trainer(asked.config, asked.out, asked.device, asked.command))
    write_rates(curve, asked.out)
    return (
        f"a learning rate to begin with: {curve.suggestion:.2g} (--set train.lr={curve.suggestion:.2g}); "
        f"the curve is {asked.out / 'rates.png'}\n"
    )


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
