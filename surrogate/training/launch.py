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
class TrainingRequest:
    """What a command line asks for.

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


def launch(request: TrainingRequest) -> str:
    """Train; what is to be printed of it.

    Raises
    ------
    KeyboardInterrupt
        Where it was stopped, with how to go on.
    InputError
    """
    keep_freed_memory()
    signal.signal(signal.SIGTERM, _interrupt)  # until the training itself answers
    processes = joined_processes(request.device)
    go_on = f"go on with: {request.command} --resume"
    try:
        printed = _trained(request, processes)
    except KeyboardInterrupt as interrupt:
        if not processes.first:
            raise SystemExit(EXIT_INTERRUPTED) from None  # the first one says it
        kept = str(interrupt) or f"{request.out} keeps the last validated state"
        raise KeyboardInterrupt(f"{kept}; {go_on}") from None
    except ProcessLostError as error:
        raise InputError(f"{error}; {request.out} keeps its state; {go_on}") from None
    finally:
        leave_processes()
    return printed if processes.first else ""


def _trained(request: TrainingRequest, processes: Processes) -> str:
    """Do what is requested; what is to be printed."""
    many = is_sweep(request.config, request.sweep)
    if processes.count > 1 and (many or request.find_lr):
        raise InputError("--sweep, train.seeds and --find-lr run in one process, not under torchrun")
    if request.find_lr:
        return _found_rate(request)

    def run_member(member: Config, out: Path, resume: bool) -> None:
        train(
            member,
            out,
            resume=resume,
            overwrite=request.overwrite and not many,
            device=request.device,
            command=request.command,
            anyway=request.anyway,
            tensorboard=request.tensorboard,
            processes=processes,
        )

    def run_seeds(members: list[Config], outs: list[Path]) -> list[DivergedError | None] | None:
        if not wants_stack(members[0], request.device):
            return None
        options = StackOptions(
            request.device,
            request.command,
            anyway=request.anyway,
            tensorboard=request.tensorboard,
            say=request.say,
        )
        try:
            return train_stacked(members, outs, options)
        except NotStackedError as reason:
            request.say(f"train.stacked: the seeds train one after another: {reason}")
            return None

    table = ""
    if many:
        table = train_sweep(
            request.config,
            request.sweep,
            request.out,
            run_member,
            resume=request.resume,
            overwrite=request.overwrite,
            report=request.say,
            run_seeds=run_seeds,
        )
    else:
        run_member(request.config, request.out, request.resume)
    return f"{table}{request.out}: done; its best model is {request.out / 'best'}\n"


def _found_rate(request: TrainingRequest) -> str:
    """`rates.png` and `rates.csv`, and the rate that they suggest."""
    refuse_existing(request.out, request.overwrite)
    curve = rate_curve(Trainer(request.config, request.out, request.device, request.command))
    write_rates(curve, request.out)
    return (
        f"a learning rate to begin with: {curve.suggestion:.2g} (--set train.lr={curve.suggestion:.2g}); "
        f"the curve is {request.out / 'rates.png'}\n"
    )


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
