"""`python -m surrogate.train`: the options of the trainer; what they start is in :mod:`surrogate.training.run`."""

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from physics.cli import (
    EXIT_INTERRUPTED,
    CommandParser,
    command_line,
    key_values,
    refuse_existing,
    run_command,
)
from physics.errors import InputError
from surrogate.training.config import Config, load_config, shipped_configs
from surrogate.training.distributed import ProcessLostError, joined, parted
from surrogate.training.divergence import DivergedError
from surrogate.training.lr_finder import rate_curve, write_rates
from surrogate.training.machine import chosen_device, keep_freed_memory
from surrogate.training.run import train
from surrogate.training.stacked import NotStackedError, StackOptions, train_stacked, wants_stack
from surrogate.training.state import Trainer
from surrogate.training.sweep import is_grid, swept_values, train_grid

EXAMPLES = (
    "python -m surrogate.train --config egnn-nbody --data data/nbody.zarr --out runs/egnn",
    "python -m surrogate.train --config egnn-nbody --data mine.npz --out runs/mine --set train.epochs=200",
    "python -m surrogate.train --config egnn-nbody --out runs/egnn --resume",
    "python -m surrogate.train --config egnn-nbody --data mine.npz --out runs/sweep --sweep train.lr=1e-3,3e-3",
    "python -m surrogate.train --config egnn-nbody --data mine.npz --out runs/rate --find-lr",
    "torchrun --nproc-per-node 2 -m surrogate.train --config egnn-nbody --data data/nbody.zarr --out runs/two",
)
NOT_THE_RUN = ("--resume", "--resume-anyway", "--overwrite")
"""Options that are no part of what a run is."""


def parsed(argv: Sequence[str]) -> argparse.Namespace:
    """The options of a command line."""
    parser = CommandParser("surrogate.train", "Train a surrogate on a data set.", EXAMPLES)
    parser.add_argument("--config", help="a TOML file or a shipped name (see --list)")
    parser.add_argument(
        "--data", nargs="+", metavar="DATA", help="Zarr or .npz (default: the config's data.paths)"
    )
    parser.add_argument("--out", type=Path, metavar="RUN", help="the run folder to write")
    parser.add_argument("--resume", action="store_true", help="go on from the last restart point of RUN")
    parser.add_argument(
        "--resume-anyway",
        action="store_true",
        help="go on although configuration, data or code have changed (what changed is said)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing run")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to train")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="change the configuration",
    )
    parser.add_argument(
        "--sweep",
        nargs="+",
        action="extend",
        default=[],
        metavar="SECTION.KEY=A,B,...",
        help="train every combination of these values, each in a folder below RUN, and compare them",
    )
    parser.add_argument(
        "--find-lr", action="store_true", help="only look for a learning rate: RUN/rates.png and rates.csv"
    )
    parser.add_argument("--tensorboard", action="store_true", help="also write curves to RUN/tensorboard")
    parser.add_argument("--list", action="store_true", help="list the shipped configurations and stop")
    options = parser.parse_args(argv)
    if not options.list and not (options.config and options.out):
        parser.error("--config and --out are required")
    options.resume = options.resume or options.resume_anyway
    if options.resume and options.overwrite:
        parser.error("--resume and --overwrite exclude each other")
    if options.find_lr and (options.sweep or options.resume):
        parser.error("--find-lr goes with neither --sweep nor --resume")
    return options


def main(argv: Sequence[str]) -> None:
    """Parse the command line and train."""
    options = parsed(argv)
    keep_freed_memory()
    if options.list:
        for name in shipped_configs():
            sys.stdout.write(f"{name:16} {load_config(name).note}\n")
        return
    config = load_config(options.config, key_values(options.set))
    if options.data:
        config = replace(config, data=replace(config.data, paths=tuple(options.data)))
    elif options.resume and not config.data.paths and (options.out / "config.toml").is_file():
        config = replace(config, data=replace(config.data, paths=_paths_of_run(options.out)))
    command = command_line("surrogate.train", [a for a in argv if a not in NOT_THE_RUN])
    signal.signal(signal.SIGTERM, _interrupt)  # until the training itself answers
    device = chosen_device(options.device)
    processes = joined(device)
    swept = swept_values(options.sweep)
    many = is_grid(config, swept)
    try:
        if processes.count > 1 and (many or options.find_lr):
            raise InputError("--sweep, train.seeds and --find-lr run in one process, not under torchrun")
        if options.find_lr:
            _find_rate(config, options.out, device, command, overwrite=options.overwrite)
            return

        def run_member(member: Config, out: Path, resume: bool) -> None:
            train(
                member,
                out,
                resume=resume,
                overwrite=options.overwrite and not many,
                device=device,
                command=command,
                anyway=options.resume_anyway,
                board=options.tensorboard,
                processes=processes,
            )

        if many:
            sys.stdout.write(
                train_grid(
                    config,
                    swept,
                    options.out,
                    run_member,
                    resume=options.resume,
                    overwrite=options.overwrite,
                    report=_say,
                    run_seeds=partial(_seeds_as_one, options, device, command),
                )
            )
        else:
            run_member(config, options.out, options.resume)
    except KeyboardInterrupt as interrupt:
        if not processes.first:
            raise SystemExit(EXIT_INTERRUPTED) from None  # the first one says it
        kept = str(interrupt) or f"{options.out} keeps the last validated state"
        raise KeyboardInterrupt(f"{kept}; go on with: {command} --resume") from None
    except ProcessLostError as error:
        raise InputError(f"{error}; {options.out} keeps its state; go on with: {command} --resume") from None
    finally:
        parted()
    if processes.first:
        sys.stdout.write(f"{options.out}: done; its best model is {options.out / 'best'}\n")


def _seeds_as_one(
    options: argparse.Namespace, device: str, command: str, members: list[Config], outs: list[Path]
) -> list[DivergedError | None] | None:
    """Train several seeds stacked, and which of them diverged; None where they are to train one by one."""
    if not wants_stack(members[0], device):
        return None
    stack = StackOptions(device, command, anyway=options.resume_anyway, board=options.tensorboard, say=_say)
    try:
        return train_stacked(members, outs, stack)
    except NotStackedError as reason:
        _say(f"train.stacked: the seeds train one after another: {reason}")
        return None


def _find_rate(config: Config, out: Path, device: str, command: str, *, overwrite: bool) -> None:
    refuse_existing(out, overwrite)
    curve = rate_curve(Trainer(config, out, device, command))
    write_rates(curve, out)
    sys.stdout.write(
        f"a learning rate to begin with: {curve.suggestion:.2g} (--set train.lr={curve.suggestion:.2g}); "
        f"the curve is {out / 'rates.png'}\n"
    )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _paths_of_run(out: Path) -> tuple[str, ...]:
    return load_config(str(out / "config.toml")).data.paths


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(run_command(main))
