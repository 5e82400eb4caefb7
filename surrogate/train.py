"""`python -m surrogate.train`: its options; what they start is in :mod:`surrogate.training.launch`."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from physics.cli import CommandParser, command_line, key_values, run_command
from surrogate.training.config import Config, load_config, shipped_configs
from surrogate.training.launch import launch
from surrogate.training.machine import chosen_device
from surrogate.training.sweep import swept_values

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
    sets = "of any format (physics.convert --list; default: the config's data.paths)"
    parser.add_argument("--data", nargs="+", metavar="DATA", help=sets)
    parser.add_argument("--out", type=Path, metavar="RUN", help="the run folder to write")
    parser.add_argument("--resume", action="store_true", help="go on from the last restart point of RUN")
    anyway = "go on although configuration, data or code have changed (what changed is said)"
    parser.add_argument("--resume-anyway", action="store_true", help=anyway)
    parser.add_argument("--overwrite", action="store_true", help="replace an existing run")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to train")
    several = "train every combination of these values, each in a folder below RUN, and compare them"
    for name, form, text in (("--set", "VALUE", "change the configuration"), ("--sweep", "A,B,...", several)):
        form = f"SECTION.KEY={form}"
        parser.add_argument(name, nargs="+", action="extend", default=[], metavar=form, help=text)
    rates = "only look for a learning rate: RUN/rates.png and rates.csv"
    parser.add_argument("--find-lr", action="store_true", help=rates)
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
    if options.list:
        for name in shipped_configs():
            sys.stdout.write(f"{name:16} {load_config(name).note}\n")
        return
    printed = launch(
        _config(options),
        options.out,
        swept_values(options.sweep),
        device=chosen_device(options.device),
        command=command_line("surrogate.train", [a for a in argv if a not in NOT_THE_RUN]),
        find_lr=options.find_lr,
        resume=options.resume,
        anyway=options.resume_anyway,
        overwrite=options.overwrite,
        tensorboard=options.tensorboard,
        say=_say,
    )
    sys.stdout.write(printed)


def _config(options: argparse.Namespace) -> Config:
    """The configuration with the data of the command line, or on resumption those of the run."""
    config = load_config(options.config, key_values(options.set))
    kept = options.out / "config.toml"
    if options.data:
        return replace(config, data=replace(config.data, paths=tuple(options.data)))
    if options.resume and not config.data.paths and kept.is_file():
        return replace(config, data=replace(config.data, paths=load_config(str(kept)).data.paths))
    return config


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(run_command(main))
