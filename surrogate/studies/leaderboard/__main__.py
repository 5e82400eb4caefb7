"""`python -m surrogate.studies.leaderboard`: make what is missing, write the page of what is there."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from physics.cli import CommandParser, command_line, key_values, positive_int, refuse_existing, run_command
from physics.errors import unknown_name
from physics.files import atomic_write, write_json
from surrogate.studies.leaderboard.columns import COLUMNS
from surrogate.studies.leaderboard.figures import save_figures
from surrogate.studies.leaderboard.floors import floors, isotropic_errors, rates
from surrogate.studies.leaderboard.jobs import Job, Places, evaluation_sets, job, result_of
from surrogate.studies.leaderboard.page import page
from surrogate.studies.leaderboard.recipes import RECIPES, entries
from surrogate.training.config import add_settings
from surrogate.training.machine import keep_freed_memory
from surrogate.training.many import make_all, stored

EXAMPLES = (
    "python -m surrogate.studies.leaderboard --out out/leaderboard",
    "python -m surrogate.studies.leaderboard --only gravity-1000 --models integrator --seeds 1 --out out/gravity",
    "python -m surrogate.studies.leaderboard --resume --out docs --work out/leaderboard",
    "python -m surrogate.studies.leaderboard --page --resume --out docs",
)


def missing_jobs(jobs: Sequence[Job], places: Places) -> list[Job]:
    """Those whose result is not there, or of another recipe."""
    return [one for one in jobs if stored(places.result(one.column, one.name), one.digest) is None]


def gathered(jobs: Sequence[Job], places: Places) -> dict[str, dict[str, Any]]:
    """The stored results of the jobs, and the floors of their columns."""
    results: dict[str, dict[str, Any]] = {}
    for one in jobs:
        column = results.setdefault(one.column, {"floors": {}, "models": {}})
        column["floors"] = (stored(places.result(one.column, "floors")) or {}).get("rows", {})
        found = stored(places.result(one.column, one.name), one.digest)
        if found is not None:
            column["models"].setdefault(one.model, []).append(found)
    return results


def write_page(jobs: Sequence[Job], places: Places, command: str) -> Path:
    """leaderboard.md and its figures, of what is there."""
    results = gathered(jobs, places)
    there = {name: column for name, column in results.items() if column["floors"] or column["models"]}
    (places.out / "figures").mkdir(parents=True, exist_ok=True)
    figures = save_figures(there, places.out / "figures")
    missing = [(one.column, one.model, one.seed, one.seconds()) for one in missing_jobs(jobs, places)]
    path = places.out / "leaderboard.md"
    atomic_write(path, page(there, missing, command, figures).encode())
    return path


def run_jobs(jobs: Sequence[Job], places: Places) -> None:
    """Make what is missing, one job after the other, saying how long the rest takes."""
    floors_of: dict[str, Any] = {}

    def make(one: Job) -> str:
        if one.column not in floors_of:
            sets = evaluation_sets(COLUMNS[one.column], places)
            floors_of[one.column] = isotropic_errors(sets)
        result = result_of(one, places, floors_of[one.column])
        write_json(places.result(one.column, one.name), result)
        if not result["settings"]:
            return f"diverged, {result['seconds']:.0f} s"
        first = result["settings"][0]
        error = f"MSE {first['mse']:.3g} (median {first['mse_median']:.2g})" if first["mse"] else "not finite"
        return f"{error}, {result['seconds']:.0f} s"

    make_all(missing_jobs(jobs, places), make)


def make_floors(names: Sequence[str], places: Places) -> None:
    """The baselines of each column that has none yet."""
    for name in names:
        column, path = COLUMNS[name], places.result(name, "floors")
        identity = [
            column.preset,
            list(column.frames),
            list(column.targets),
            column.sizes[2],
            list(rates(column)),
        ]
        if (stored(path) or {}).get("windows") != identity:
            write_json(path, {"windows": identity, "rows": floors(evaluation_sets(column, places), rates(column))})


def chosen(names: Sequence[str], registry: Mapping[str, Any], kind: str) -> list[str]:
    """The named rows of a registry, in its order."""
    for name in names:
        if name not in registry:
            raise unknown_name(kind, name, registry)
    return [name for name in registry if name in names]


def main(argv: Sequence[str]) -> None:
    """Parse the command line; train and measure what is missing, then write the page."""
    parser = CommandParser(
        "surrogate.studies.leaderboard", "Every N-body benchmark of the field, every model.", EXAMPLES
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for leaderboard.md, figures and results")
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="folder for data sets and runs (default: work below --out)"
    )
    parser.add_argument("--only", nargs="+", default=list(COLUMNS), metavar="COLUMN", help=", ".join(COLUMNS))
    parser.add_argument("--models", nargs="+", default=list(RECIPES), metavar="MODEL", help=", ".join(RECIPES))
    parser.add_argument("--seeds", type=positive_int, default=3, metavar="K", help="seeds 0 to K-1 (default 3)")
    parser.add_argument("--resume", action="store_true", help="keep the results that are there")
    parser.add_argument("--page", action="store_true", help="train nothing: only write the page of what is there")
    add_settings(parser, "change all configurations")
    options = parser.parse_args(argv)
    names, models = chosen(options.only, COLUMNS, "column"), chosen(options.models, RECIPES, "model")
    settings = key_values(options.set)
    places = Places(options.out, options.work or options.out / "work")

    def jobs(names: Sequence[str], models: Sequence[str]) -> list[Job]:
        return [
            job(name, model, seed, places, settings)
            for seed in range(options.seeds)
            for name, model in entries(names, models)
        ]

    wanted = jobs(names, models)
    refuse_existing(options.out, options.resume, "--resume to go on")
    torch.set_num_threads(1)
    keep_freed_memory()
    if not options.page:
        make_floors(names, places)
        run_jobs(wanted, places)
    command = "python -m surrogate.studies.leaderboard --resume --out docs --work out/leaderboard"
    if options.out.name != "docs":
        command = command_line("surrogate.studies.leaderboard", argv)
    path = write_page(jobs(list(COLUMNS), list(RECIPES)), places, command)
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    sys.exit(run_command(main))
