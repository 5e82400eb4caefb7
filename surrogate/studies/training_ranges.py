"""The range of their training states, measured anew for shipped models whose cards were written without one.

The weights stay as they are, bit for bit. Run it beside the data sets a model was trained on (docs/training.md has
the commands); a model whose data are not all there is left as it is.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from physics.cli import CommandParser, command_line, progress_bar, run_command
from physics.datasets.reading import read_split
from physics.errors import InputError
from resources.shipped import shipped_models
from surrogate.tasks.dynamics.config import DataConfig
from surrogate.tasks.dynamics.ranges import measured, trained_ranges
from surrogate.tasks.dynamics.scales import Scales
from surrogate.tasks.dynamics.windows import windows
from surrogate.training.checkpoint import read_checkpoint, save_checkpoint
from surrogate.training.config import config_from_tree

EXAMPLES = (
    "python -m surrogate.studies.training_ranges",
    "python -m surrogate.studies.training_ranges --models egnn-nbody,gnn-nbody --samples 1000",
)


def measured_ranges(config: DataConfig, scales: Scales, samples: int) -> dict[str, Any]:
    """The ranges of the training windows of a configuration, from the first trajectories of each data set."""
    found = []
    with progress_bar("reading", len(config.paths), "data sets") as advance:
        for path in config.paths:
            split = read_split(path, "train").head(min(samples, config.train_samples or samples))
            prepared = windows(split, "train", config, scales, centre=True, dtype=torch.float64)
            box = None if split.box is None else split.box / scales.length
            found.append(measured(prepared, box))
            advance(1)
    return trained_ranges(found)


def main(argv: Sequence[str]) -> None:
    """Parse the command line, measure, and write the cards."""
    parser = CommandParser("surrogate.studies.training_ranges", __doc__.splitlines()[0], EXAMPLES)
    parser.add_argument("--models", default="", metavar="A,B", help="shipped names (default: all)")
    parser.add_argument(
        "--samples", type=int, default=3000, metavar="S", help="trajectories of each data set (default 3000)"
    )
    options = parser.parse_args(argv)
    shipped = shipped_models()
    for name in options.models.split(",") if options.models else shipped:
        if name not in shipped:
            raise InputError(f"--models: no shipped model {name!r}; there are {', '.join(shipped)}")
        checkpoint = read_checkpoint(shipped[name])
        config = config_from_tree(checkpoint.info["config"], name).data
        missing = [path for path in config.paths if not Path(path).exists()]
        if missing:
            sys.stdout.write(f"{name}: left as it is: no {', '.join(missing)}\n")
            continue
        ranges = measured_ranges(config, Scales(**checkpoint.info["scales"]), options.samples)
        ranges["command"] = command_line("surrogate.studies.training_ranges", argv)
        card = {**checkpoint.info["card"], "ranges": ranges}
        digest = save_checkpoint(shipped[name], {**checkpoint.info, "card": card}, checkpoint.tensors)
        sys.stdout.write(f"{name}: {digest[:12]}\n")


if __name__ == "__main__":
    sys.exit(run_command(main))
