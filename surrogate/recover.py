"""`python -m surrogate.recover`: the pair force an integrator has learned, against the true one if it is known.

Also the fields it has learned, beside what the momentum of the data says; with `--formula` its closed form.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from physics.cli import CommandParser, command_line, progress_bar, refuse_existing, run_command
from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.files import write_json
from surrogate.evaluation.field_recovery import learned_fields, momentum_balance
from surrogate.evaluation.formula.report import formula_curve, formula_numbers, formula_summary
from surrogate.evaluation.formula.search import Formula, formula_of
from surrogate.evaluation.pair_law_recovery import Recovery, outside_of, recovery, recovery_split
from surrogate.export.recovery_figure import recovery_figure
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.loading import load

EXAMPLES = (
    "python -m surrogate.recover --run runs/gravity --data data/gravity.zarr --out out/gravity",
    "python -m surrogate.recover --run integrator-nd --data data/iso3.zarr --out out/iso3",
    "python -m surrogate.recover --run runs/yukawa --data data/yukawa.zarr --formula --json y.json --out out/y",
)


def main(argv: Sequence[str]) -> None:
    """Parse the command line and recover."""
    parser = CommandParser("surrogate.recover", "Draw a learned pair force, beside the true one.", EXAMPLES)
    parser.add_argument("--run", required=True, help="a run of model integrator, or a shipped name")
    parser.add_argument(
        "--data", type=Path, required=True, help="what it was trained on; with its law, errors are given, too"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for recovery.json and recovery.png")
    parser.add_argument("--formula", action="store_true", help="look for its closed form, too (a minute or two)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there, too")
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    options = parser.parse_args(argv)
    refuse_existing(options.out, options.overwrite)
    if options.json and options.json.exists() and not options.overwrite:
        raise InputError(f"{options.json}: already exists; choose another name or use --overwrite")
    model = load(options.run)
    split = recovery_split(options.data)
    found = recovery(model, split)
    numbers = found.numbers() | {
        "model": model.name,
        "data": str(options.data),
        "notes": [*split.notes, *outside_of(model, split)],
        "command": command_line("surrogate.recover", argv),
    }
    formula = _formula(model, split, found) if options.formula else None
    if formula:
        numbers |= formula_numbers(found, formula)
    fields = learned_fields(model)
    numbers["fields"] = {"uniform": None, "magnetic": None} | fields
    if fields:
        numbers["fields_by_momentum"] = momentum_balance(split, tuple(fields))
    write_json(options.out / "recovery.json", numbers)
    if options.json:
        write_json(options.json, numbers)
    name = found.law or options.data.name
    drawn = {name: formula_curve(found, formula)} if formula and formula.candidate else {}
    figure = recovery_figure(
        {name: found.curves()}, {name: found.seen}, found.distances, units=split.units, formulas=drawn
    )
    figure.savefig(options.out / "recovery.png")
    notes = "".join(f"note: {note}\n" for note in numbers["notes"])
    said = f"{_summary(found)}\n{formula_summary(numbers) if formula else ''}{_said_of_fields(numbers)}"
    sys.stdout.write(f"{said}{notes}{options.out / 'recovery.png'}\n")


def _formula(model: Forecaster, split: DataSplit, found: Recovery) -> Formula:
    done = 0.0
    with progress_bar("looking for a formula", 100, "%") as advance:

        def progress(_: str, share: float) -> None:
            nonlocal done
            advance(100 * share - done)
            done = 100 * share

        return formula_of(model, split, found.seen, progress)


def _said_of_fields(numbers: dict[str, Any]) -> str:
    lines = []
    for name, value in numbers.get("fields", {}).items():
        if value is None:
            continue
        line = f"{name}: {_rounded(value)}"
        if (balance := numbers["fields_by_momentum"].get(name)) is not None:
            line += f"; by the momentum of the data {_rounded(balance['value'])} +- {_rounded(balance['error'])}"
        lines.append(f"{line}\n")
    return "".join(lines)


def _rounded(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_rounded, value))}]"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_rounded(one)}" for key, one in value.items())
    return f"{value:.4g}"


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
