"""`python -m surrogate.publish`: finished runs (one a seed) become a shipped model with a measured card."""

import sys
from collections.abc import Sequence
from pathlib import Path

from physics.cli import CommandParser, command_line, run_command
from surrogate.evaluation.model_card import publish
from surrogate.evaluation.task_card import publish_task_model
from surrogate.tasks import DEFAULT
from surrogate.training.checkpoint import read_checkpoint

EXAMPLES = (
    "python -m surrogate.publish egnn-nbody runs/egnn-0 runs/egnn-1 runs/egnn-2 --data data/nbody.zarr",
    "python -m surrogate.publish autoencoder-er runs/er-0 runs/er-1 --data data/er.zarr",
    "python -m surrogate.publish egnn-nd runs/egnn-nd --data data/test-bound3.zarr data/test-iso3.zarr --rollouts",
)


def main(argv: Sequence[str]) -> None:
    """Parse the command line and publish."""
    parser = CommandParser("surrogate.publish", "Turn finished runs into a shipped model with a card.", EXAMPLES)
    parser.add_argument("name", help="the model's name in resources/zoo")
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="finished runs, one a seed")
    parser.add_argument("--data", nargs="+", required=True, help="data sets whose test split it is measured on")
    parser.add_argument("--rollouts", action="store_true", help="also measure chained roll-outs")
    options = parser.parse_args(argv)
    command = command_line("surrogate.publish", argv)
    if read_checkpoint(options.runs[0] / "best").info["config"].get("task", DEFAULT) == DEFAULT:
        path = publish(options.name, options.runs, options.data, rollouts=options.rollouts, command=command)
    else:
        path = publish_task_model(options.name, options.runs, options.data, command=command)
    sys.stdout.write(f"{path}\n\n{(path.parent / 'README.md').read_text(encoding='utf-8')}")


if __name__ == "__main__":
    sys.exit(run_command(main))
