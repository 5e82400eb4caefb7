"""`python -m surrogate.recover`: the pair force an integrator has learned, against the true one if it is known."""

import sys
from collections.abc import Sequence
from pathlib import Path

from physics.cli import CommandParser, command_line, refuse_existing, run_command
from physics.datasets.reading import available_splits, read_split
from physics.files import write_json
from surrogate.evaluation.pair_law_recovery import Recovery, outside_of, recovery
from surrogate.export.recovery_figure import recovery_figure
from surrogate.inference.loading import load

EXAMPLES = (
    "python -m surrogate.recover --run runs/gravity --data data/gravity.zarr --out out/gravity",
    "python -m surrogate.recover --run integrator-nd --data data/iso3.zarr --out out/iso3",
)


def main(argv: Sequence[str]) -> None:
    """Parse the command line and recover."""
    parser = CommandParser("surrogate.recover", "Draw a learned pair force, beside the true one.", EXAMPLES)
    parser.add_argument("--run", required=True, help="a run of model integrator, or a shipped name")
    parser.add_argument(
        "--data", type=Path, required=True, help="what it was trained on; with its law, errors are given, too"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for recovery.json and recovery.png")
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    options = parser.parse_args(argv)
    refuse_existing(options.out, options.overwrite)
    model = load(options.run)
    split = read_split(options.data, "train" if "train" in available_splits(options.data) else "")
    found = recovery(model, split)
    numbers = found.numbers() | {
        "model": model.name,
        "data": str(options.data),
        "notes": [*split.notes, *outside_of(model, split)],
        "command": command_line("surrogate.recover", argv),
    }
    write_json(options.out / "recovery.json", numbers)
    name = found.law or options.data.name
    figure = recovery_figure({name: found.curves()}, {name: found.seen}, found.distances, units=split.units)
    figure.savefig(options.out / "recovery.png")
    notes = "".join(f"note: {note}\n" for note in numbers["notes"])
    sys.stdout.write(f"{_summary(found)}\n{notes}{options.out / 'recovery.png'}\n")


def _summary(found: Recovery) -> str:
    numbers = found.numbers()
    head = f"{numbers['nearest']:.3g} <= r <= {numbers['farthest']:.3g}: "
    if found.law is None:
        ends = (
            f"{'repels' if force > 0 else 'attracts'} by {abs(force):.3g} at the {where}"
            for force, where in zip(found.curves()[1][[0, -1]], ("nearest", "farthest"), strict=True)
        )
        return f"law unknown, {head}learned force alone; the strongest pair {', '.join(ends)}"
    return (
        f"{found.law}, {head}relative error of the pair force, median {numbers['error_median']:.2%}, "
        f"largest {numbers['error_largest']:.2%} at r = {numbers['error_largest_at']:.3g}"
    )


if __name__ == "__main__":
    sys.exit(run_command(main))
