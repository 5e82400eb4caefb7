"""`python -m surrogate.evaluate`: one model on one data set: errors, equivariance, forward time.

A model of another task than dynamics is measured by what that task is about.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from physics.cli import CommandParser, command_line, positive_float, positive_int, progress_bar, run_command, seed
from physics.datasets.reading import available_splits, read_split
from physics.errors import InputError
from physics.files import write_json
from surrogate.evaluation.chosen_windows import Asked
from surrogate.evaluation.single_forecasts import evaluation, evaluation_table
from surrogate.evaluation.tasks import measure
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.loading import load_predictor

EXAMPLES = (
    "python -m surrogate.evaluate egnn-nbody --data data/nbody.zarr",
    "python -m surrogate.evaluate runs/mine --data mine.npz --input-frame 0 --target-frame 10 --json result.json",
    "python -m surrogate.evaluate egnn-nd --data data/bound4.zarr --dtype float64 --rotations 16",
    "python -m surrogate.evaluate integrator-nd --data data/bound4.zarr --tolerance 1e-3",
    "python -m surrogate.evaluate runs/er --data data/er.zarr  # an autoencoder of graphs",
)
OF_FORECASTS = ("input_frame", "target_frame", "horizon", "evaluations", "tolerance")
"""Options that mean nothing to models of other tasks."""


def main(argv: Sequence[str]) -> None:
    """Parse the command line and evaluate."""
    parser = CommandParser("surrogate.evaluate", "Measure a model on a data set.", EXAMPLES)
    parser.add_argument("model", metavar="MODEL", help="a shipped name, a run folder or a checkpoint folder")
    parser.add_argument("--data", required=True, help="Zarr, .npz, or what physics.convert --list names")
    parser.add_argument("--split", default="test", help="train, valid or test (default)")
    parser.add_argument(
        "--input-frame", type=int, default=-1, metavar="I", help="default: the data's task, else the model's own"
    )
    parser.add_argument("--target-frame", type=int, default=-1, metavar="J", help="default: as the input frame")
    parser.add_argument(
        "--horizon", type=positive_float, metavar="H", help="instead of a target frame: so much later"
    )
    parser.add_argument(
        "--rotations", type=positive_int, default=8, metavar="R", help="elements of O(n) (default 8)"
    )
    parser.add_argument("--rotation-seed", type=seed, default=0, metavar="S")
    parser.add_argument("--evaluations", type=positive_int, metavar="K", help="for models that choose")
    parser.add_argument(
        "--tolerance",
        type=positive_float,
        metavar="T",
        help="for models that choose: double the evaluations of each window until its positions move less than T",
    )
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there, too")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing --json file")
    parser.add_argument("--trust-code", action="store_true", help="allow MODEL to be package.module:callable")
    options = parser.parse_args(argv)
    if options.split not in ("train", "valid", "test"):
        parser.error(f"--split must be train, valid or test; got {options.split!r}")
    for name in ("input_frame", "target_frame"):
        if getattr(options, name) < -1:
            parser.error(f"--{name.replace('_', '-')} must be a frame number from 0; got {getattr(options, name)}")
    if options.json and options.json.exists() and not options.overwrite:
        raise InputError(f"{options.json}: already exists; choose another name or use --overwrite")
    model = load_predictor(options.model, trust_code=options.trust_code)
    result, table = _forecasts(model, options) if isinstance(model, Forecaster) else _others(model, options)
    result["command"] = command_line("surrogate.evaluate", argv)
    if options.json:
        write_json(options.json, result)
    sys.stdout.write(table)


def _forecasts(model: Forecaster, options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    if (options.evaluations or options.tolerance) and not model.chooses_evaluations:
        asked = "--evaluations" if options.evaluations else "--tolerance"
        raise InputError(
            f"{asked}: model {model.name!r} always uses {model.evaluations} evaluations and cannot choose"
        )
    split = read_split(options.data, options.split)
    with progress_bar("evaluating", 1) as advance:
        result = evaluation(
            model,
            split,
            options.split,
            asked=Asked(options.input_frame, options.target_frame, options.horizon or 0.0),
            has_splits=bool(available_splits(options.data)),
            rotations=options.rotations,
            rotation_seed=options.rotation_seed,
            dtype=options.dtype,
            evaluations=options.evaluations,
            tolerance=options.tolerance,
        )
        advance(1)
    return result, evaluation_table(result)


def _others(model: Any, options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    for name in OF_FORECASTS:
        if getattr(options, name) not in (None, -1):
            raise InputError(
                f"--{name.replace('_', '-')}: model {model.name!r} is of the task {model.task!r}, without frames"
            )
    return measure(model, options.data, options.split)


if __name__ == "__main__":
    sys.exit(run_command(main))
