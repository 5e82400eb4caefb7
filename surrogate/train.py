"""`python -m surrogate.train`: the options of the trainer; what they start is in :mod:`surrogate.run`."""

import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from physics.cli import EXIT_INTERRUPTED, CommandParser, command_line, key_values, run_command
from physics.errors import InputError
from surrogate.config import load_config, shipped_configs
from surrogate.machine import chosen_device
from surrogate.processes import ProcessLostError, joined, parted
from surrogate.run import train

EXAMPLES = (
    "python -m surrogate.train --config egnn-nbody --data data/nbody.zarr --out runs/egnn",
    "python -m surrogate.train --config egnn-nbody --data mine.npz --out runs/mine --set train.epochs=200",
    "python -m surrogate.train --config egnn-nbody --out runs/egnn --resume",
    "torchrun --nproc-per-node 2 -m surrogate.train --config egnn-nbody --data data/nbody.zarr --out runs/two",
)
NOT_THE_RUN = ("--resume", "--resume-anyway", "--overwrite")
"""Options that are no part of what a run is."""


def main(argv: Sequence[str]) -> None:
    """Parse the command line and train."""
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
        "--set", nargs="+", default=[], metavar="SECTION.KEY=VALUE", help="change the configuration"
    )
    parser.add_argument("--tensorboard", action="store_true", help="also write curves to RUN/tensorboard")
    parser.add_argument("--list", action="store_true", help="list the shipped configurations and stop")
    options = parser.parse_args(argv)
    if options.list:
        for name in shipped_configs():
            sys.stdout.write(f"{name:16} {load_config(name).note}\n")
        return
    if not options.config or not options.out:
        parser.error("--config and --out are required")
    resume = options.resume or options.resume_anyway
    if resume and options.overwrite:
        parser.error("--resume and --overwrite exclude each other")
    config = load_config(options.config, key_values(options.set))
    if options.data:
        config = replace(config, data=replace(config.data, paths=tuple(options.data)))
    elif resume and not config.data.paths and (options.out / "config.toml").is_file():
        config = replace(config, data=replace(config.data, paths=_paths_of_run(options.out)))
    command = command_line("surrogate.train", [a for a in argv if a not in NOT_THE_RUN])
    signal.signal(signal.SIGTERM, _interrupt)  # until the training itself answers
    device = chosen_device(options.device)
    processes = joined(device)
    try:
        train(
            config,
            options.out,
            resume=resume,
            overwrite=options.overwrite,
            device=device,
            command=command,
            anyway=options.resume_anyway,
            board=options.tensorboard,
            processes=processes,
        )
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


def _paths_of_run(out: Path) -> tuple[str, ...]:
    return load_config(str(out / "config.toml")).data.paths


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(run_command(main))
