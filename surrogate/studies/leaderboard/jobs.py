"""What is trained and measured: each result is a small JSON file, complete or absent.

A result whose file is there and has the same recipe is not made again; a training that was killed goes on.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from physics.cli import progress_bar
from physics.datasets.presets import SPLITS
from physics.datasets.reading import read_split
from physics.datasets.request import request_from_options
from physics.generate import generate
from surrogate.evaluation.benchmark.models import force_evaluations, forecast_with_cost
from surrogate.evaluation.benchmark.summary import paired_excess
from surrogate.evaluation.chosen_windows import Asked
from surrogate.evaluation.evaluation_set import EvaluationSet, evaluation_set
from surrogate.evaluation.metrics import error_summary
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.loading import load
from surrogate.studies.leaderboard.columns import COLUMNS, Column
from surrogate.studies.leaderboard.recipes import RECIPES, configured, digest, trained_column
from surrogate.tasks.dynamics.windows import given_arrays
from surrogate.training.config import Config
from surrogate.training.machine import machine
from surrogate.training.many import finished
from surrogate.training.run import seconds_so_far

RESULTS = "leaderboard"
"""Folder of the results below --out: one folder a column, one file a model and seed."""
SECONDS = {"integrator": 2.7e-6, "egnn": 2e-5, "segno": 5e-5, "gnn": 2e-5}
"""Seconds of training a window, epoch and pair (of the integrator: and round) on one core, to begin with."""

FRAME_SPACING = 0.1
"""Of every column's data [time]."""


@dataclass(frozen=True)
class Places:
    """Where things are.

    Attributes
    ----------
    out : Path
        Results, page and figures.
    work : Path
        Data sets and runs.
    """

    out: Path
    work: Path

    def result(self, column: str, name: str) -> Path:
        """The file of one result."""
        return self.out / RESULTS / column / f"{name}.json"

    def data(self, column: Column) -> Path:
        """The data set of a column."""
        return self.work / "data" / f"{column.preset}.zarr"


@dataclass(frozen=True)
class Job:
    """One model, trained from one seed, in one column."""

    column: str
    model: str
    seed: int
    config: Config
    digest: str

    @property
    def name(self) -> str:
        """Of its result."""
        return f"{self.model}-seed{self.seed}"

    @property
    def title(self) -> str:
        """Names it where its progress is shown."""
        return f"{self.column}, {self.name}"

    def seconds(self) -> float:
        """About what its training takes; a transfer trains nothing of its own."""
        if RECIPES[self.model].transfer:
            return 0.0
        column, config = COLUMNS[self.column], self.config
        pairs = column.particles * (column.particles - 1) / 2
        rounds = 1.0
        if config.model == "integrator":
            rounds = config.model_config.evaluations * FRAME_SPACING * (column.frames[1] - column.frames[0])
        return float(SECONDS[config.model] * config.train.epochs * config.data.train_samples * pairs * rounds)


def job(column: str, model: str, seed: int, places: Places, settings: Mapping[str, str]) -> Job:
    """A model in a column, trained from a seed."""
    source = COLUMNS[trained_column(column, model)]
    config = configured(column, model, seed, str(places.data(source)), settings)
    return Job(column, model, seed, config, digest(config, source, COLUMNS[column]))


def prepared_data(column: Column, places: Places) -> Path:
    """The data set of a column, made or completed where it is missing."""
    path = places.data(column)
    if not (path / "manifest.json").is_file():
        sizes = dict(zip(SPLITS, map(str, column.sizes), strict=True))
        request = request_from_options(column.preset, sizes, None, None, None, {})
        path.parent.mkdir(parents=True, exist_ok=True)
        with progress_bar(column.preset, sum(column.sizes), "trajectories") as advance:
            generate(request, path, resume=True, progress=advance)
    return path


def evaluation_sets(column: Column, places: Places) -> list[EvaluationSet]:
    """The test windows of a column, one set a target."""
    split = read_split(prepared_data(column, places), "test")
    first = column.frames[0]
    return [evaluation_set(split, "test", Asked(first, last)) for last in column.targets or column.frames[1:]]


def trained(work: Job, places: Places) -> tuple[Path, str]:
    """The finished run of a job, gone on with where it was broken off; what went wrong where it diverged."""
    source = trained_column(work.column, work.model)
    prepared_data(COLUMNS[source], places)
    model = "integrator" if RECIPES[work.model].transfer else work.model
    own = digest(work.config, COLUMNS[source], COLUMNS[source])
    run = places.work / "runs" / f"{source}-{model}-seed{work.seed}-{own[:8]}"
    command = f"python -m surrogate.studies.leaderboard --only {source} --models {model} --out DIR"
    return run, finished(work.config, run, command)


def result_of(work: Job, places: Places, isotropic: np.ndarray | None) -> dict[str, Any]:
    """Train and measure one model in its column.

    Parameters
    ----------
    isotropic : (n_windows,) float64, optional
        Errors of the isotropic simulator, with which the model's are paired.

    Returns
    -------
    dict
        What identifies the result, what the training took and, under "settings", errors and cost.
    """
    run, failed = trained(work, places)
    result: dict[str, Any] = {
        "column": work.column,
        "model": work.model,
        "seed": work.seed,
        "digest": work.digest,
        "trained_on": trained_column(work.column, work.model),
        "config": {**work.config.as_dict(), "note": ""},
        "seconds": seconds_so_far(run),
        "failed": failed,
        "settings": [],
        "machine": machine(),
        "date": time.strftime("%Y-%m-%d"),
    }
    result["config"]["data"]["paths"] = [COLUMNS[result["trained_on"]].preset]
    if not (run / "best").is_dir():
        return result
    model = load(run)
    result |= {"best_epoch": model.card["best_epoch"], "epochs": work.config.train.epochs}
    result["parameters"] = model.network(torch.float32).n_parameters
    sets = evaluation_sets(COLUMNS[work.column], places)
    rates = COLUMNS[work.column].rounds if model.chooses_evaluations else (0,)
    with progress_bar(f"{work.column}, {work.name}", len(rates), "settings") as advance:
        for rounds in rates:
            result["settings"].append(measured(model, sets, rounds, isotropic))
            advance(1)
    return result


def measured(
    model: Forecaster, sets: list[EvaluationSet], rounds: int, isotropic: np.ndarray | None
) -> dict[str, Any]:
    """Errors and cost of a model on all windows, at so many rounds per unit of time where it chooses them."""
    errors, last, seconds = [], model, 0.0
    for data in sets:
        if model.horizons == "any":
            last = model.with_horizon(data.horizon)
        if rounds:
            last = last.with_evaluations(max(round(rounds * data.horizon), 1))
        given = given_arrays(data.split, model.takes)
        some = {name: array[:1] for name, array in given.items()}
        forecast_with_cost(last, data.windows.part(slice(0, 1)), torch.float32, some)  # compiles
        began = time.perf_counter()
        positions, _, cost = forecast_with_cost(last, data.windows, torch.float32, given)
        seconds = time.perf_counter() - began
        errors.append(data.errors(positions))
    each = np.mean(errors, axis=0)
    found = {
        "rounds": rounds,
        **error_summary(each),
        "evaluations": cost.evaluations,
        "law_calls_per_pair": force_evaluations(cost),
        "ms_per_window": 1e3 * seconds / len(each),
    }
    if isotropic is not None and not found["non_finite"]:
        found |= paired_excess(each, isotropic)
    return found
