"""`python -m surrogate.benchmark`: trained models beside opponents that know the law, at equal cost.

Names of registered models, and `all`, are trained first, alike, and scored in one table: see
:mod:`surrogate.evaluation.model_benchmark`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from physics.cli import (
    CommandParser,
    command_line,
    key_values,
    positive_float,
    positive_int,
    refuse_foreign,
    run_command,
)
from physics.datasets.reading import available_splits, read_split
from physics.errors import InputError
from resources.shipped import shipped_models
from surrogate.evaluation.benchmark.measurements import benchmark, write_benchmark
from surrogate.evaluation.benchmark.models import listed_models
from surrogate.evaluation.chosen_windows import Asked
from surrogate.evaluation.model_benchmark.command import benchmark_of_models
from surrogate.evaluation.model_benchmark.entries import chosen_entries, is_entry
from surrogate.evaluation.model_benchmark.recipes import RECIPES, STEPS, Setting
from surrogate.training.config import add_settings

ROLLOUT_WINDOWS = 300
TRAINING_OPTIONS = ("recipe", "steps", "resume", "minutes", "threads", "page", "costs", "docs", "set")

EXAMPLES = (
    "python -m surrogate.benchmark --data data/iso3.zarr --out out/iso3",
    "python -m surrogate.benchmark --models runs/integrator-nd --seeds 3 --data data/bound3.zarr --out out/bound3",
    "python -m surrogate.benchmark --models mine=runs/a+runs/b,egnn-nbody --data data/nbody.zarr --out out/nbody",
    "python -m surrogate.benchmark --models egnn-nd --opponent adaptive --data data/iso3.zarr --out out/adaptive",
    "python -m surrogate.benchmark --models all --seeds 3 --data data/nbody.zarr --out out/models",
    "python -m surrogate.benchmark --models egnn,gnn --recipe both --data data/nbody.zarr --out out/two",
)


def main(argv: Sequence[str]) -> None:
    """Parse the command line and measure."""
    parser = CommandParser(
        "surrogate.benchmark",
        "Measure models beside opponents that know the law: wall time, exactly K, mean K, roll-outs.",
        EXAMPLES,
    )
    parser.add_argument(
        "--models",
        default="",
        metavar="A,B",
        help="shipped names, run folders, or NAME=RUN1+RUN2 for several seeds of one model (default: all shipped)"
        "; or what is trained first: all, or names of models and their forms",
    )
    parser.add_argument("--data", required=True, help="Zarr, .npz, or what physics.convert --list names")
    parser.add_argument(
        "--input-frame", type=int, default=-1, metavar="I", help="default: the data's task, else the first model's"
    )
    parser.add_argument("--target-frame", type=int, default=-1, metavar="J", help="default: as the input frame")
    parser.add_argument(
        "--horizon", type=positive_float, metavar="H", help="instead of a target frame: so much later"
    )
    parser.add_argument("--split", default="test", choices=("train", "valid", "test"))
    parser.add_argument(
        "--seeds",
        type=positive_int,
        default=1,
        metavar="K",
        help="a name stands for its runs NAME-0 .. NAME-(K-1); of what is trained: seeds 0 to K-1",
    )
    parser.add_argument(
        "--opponent",
        default="leapfrog",
        help="leapfrog (default), adaptive, or a model: for the share of windows won",
    )
    parser.add_argument("--samples", type=positive_int, metavar="S", help="only the first S windows")
    parser.add_argument(
        "--rollout-samples",
        type=positive_int,
        default=ROLLOUT_WINDOWS,
        metavar="S",
        help=f"windows whose roll-outs are followed (default {ROLLOUT_WINDOWS})",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for benchmark.json, benchmark.md, figures")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier benchmark in --out")
    parser.add_argument(
        "--trust-code", action="store_true", help="allow models of the form package.module:callable"
    )
    trained = parser.add_argument_group("models that are trained first")
    trained.add_argument(
        "--recipe", choices=(*RECIPES, "both"), default="common", help="one budget for all (default), or their own"
    )
    trained.add_argument("--steps", type=positive_int, default=STEPS, help=f"the common budget (default {STEPS})")
    trained.add_argument("--resume", action="store_true", help="keep what is in --out, and go on")
    trained.add_argument("--minutes", type=positive_float, metavar="M", help="begin no training after M minutes")
    trained.add_argument("--threads", type=positive_int, default=1, help="of training and timing (default 1)")
    trained.add_argument("--page", action="store_true", help="train nothing: write the tables of what is there")
    trained.add_argument("--costs", action="store_true", help="measure all costs anew, as on an idle machine")
    trained.add_argument("--docs", type=Path, metavar="DIR", help="also write benchmark.md and its figures there")
    add_settings(trained, "change all configurations")
    options = parser.parse_args(argv)
    names = [name for name in map(str.strip, options.models.split(",")) if name]
    if is_trained_first(names):
        page = _train_and_score(options, names, command_line("surrogate.benchmark", argv))
        sys.stdout.write(f"{page.read_text(encoding='utf-8')}\n{page}\n")
        return
    for name in TRAINING_OPTIONS:
        if getattr(options, name) != parser.get_default(name):
            parser.error(f"--{name} goes with names of models that are trained first, or all")
    refuse_foreign(options.out, options.overwrite, "benchmark.json")
    listed = listed_models(options.models or ",".join(shipped_models()), options.seeds)
    split = read_split(options.data, options.split)
    if options.samples:
        split = split.head(options.samples)
    torch.set_num_threads(1)  # times are those of one thread
    result = benchmark(
        listed,
        split,
        options.split,
        asked=Asked(options.input_frame, options.target_frame, options.horizon or 0.0),
        has_splits=bool(available_splits(options.data)),
        opponent=options.opponent,
        rollout_samples=options.rollout_samples,
        trust_code=options.trust_code,
        command=command_line("surrogate.benchmark", argv),
    )
    text = write_benchmark(result, options.out, options.overwrite)
    sys.stdout.write(text + f"\n{options.out / 'benchmark.md'}\n")


def is_trained_first(names: Sequence[str]) -> bool:
    """Whether names are those of models to train, rather than of trained ones.

    Raises
    ------
    InputError
        Where some are and some are not.
    """
    asked = [name for name in names if is_entry(name) and not Path(name).exists()]
    if asked and len(asked) < len(names):
        other = next(name for name in names if name not in asked)
        raise InputError(f"--models: {asked[0]!r} is trained first and {other!r} is not; one command does either")
    return bool(asked)


def _train_and_score(options: argparse.Namespace, names: Sequence[str], command: str) -> Path:
    """Of the options of a command line."""
    asked = Asked(options.input_frame, options.target_frame, options.horizon or 0.0)
    setting = Setting(Path(options.data), asked, options.steps, options.threads, key_values(options.set))
    recipes = RECIPES if options.recipe == "both" else (options.recipe,)
    return benchmark_of_models(
        chosen_entries(names),
        recipes,
        options.seeds,
        setting,
        options.out,
        command=command,
        resume=options.resume,
        only_page=options.page,
        costs=options.costs,
        minutes=options.minutes,
        docs=options.docs,
    )


if __name__ == "__main__":
    sys.exit(run_command(main))
