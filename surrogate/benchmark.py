"""`python -m surrogate.benchmark`: learned models beside opponents that know the law, at equal cost."""

import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from physics.cli import CommandParser, command_line, positive_float, positive_int, refuse_foreign, run_command
from physics.datasets.reading import available_splits, read_split
from resources.shipped import shipped_models
from surrogate.evaluation.benchmark.measurements import benchmark, write_benchmark
from surrogate.evaluation.benchmark.models import listed_models
from surrogate.evaluation.chosen_windows import Asked

ROLLOUT_WINDOWS = 300

EXAMPLES = (
    "python -m surrogate.benchmark --data data/iso3.zarr --out out/iso3",
    "python -m surrogate.benchmark --models runs/integrator-nd --seeds 3 --data data/bound3.zarr --out out/bound3",
    "python -m surrogate.benchmark --models mine=runs/a+runs/b,egnn-nbody --data data/nbody.zarr --out out/nbody",
    "python -m surrogate.benchmark --models egnn-nd --opponent adaptive --data data/iso3.zarr --out out/adaptive",
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
        help="shipped names, run folders, or NAME=RUN1+RUN2 for several seeds of one model (default: all shipped)",
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
        help="a name stands for its runs NAME-0 .. NAME-(K-1)",
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
    options = parser.parse_args(argv)
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


if __name__ == "__main__":
    sys.exit(run_command(main))
