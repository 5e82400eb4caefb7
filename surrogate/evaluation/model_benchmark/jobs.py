"""What is trained and scored: each result is a small JSON file, complete or absent; each run a folder."""

import csv
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from physics.datasets.reading import read_split
from physics.files import write_json
from surrogate.evaluation.chosen_windows import Asked
from surrogate.evaluation.evaluation_set import evaluation_set
from surrogate.evaluation.model_benchmark.costs import costs_of
from surrogate.evaluation.model_benchmark.entries import Entry
from surrogate.evaluation.model_benchmark.recipes import RECIPES, Setting, configured, has_recipe
from surrogate.evaluation.model_benchmark.symmetries import symmetry_errors
from surrogate.evaluation.single_forecasts import evaluation
from surrogate.inference.loading import load
from surrogate.tasks.dynamics.windows import given_arrays
from surrogate.training.config import Config
from surrogate.training.machine import machine
from surrogate.training.many import finished, recipe_digest, stored
from surrogate.training.run import seconds_so_far

SCORES = ("mse", "mse_median", "mse_p99", "mse_stderr", "mse_clean", "mse_clean_median", "mse_ballistic")
STEP_MS = 20.0
"""Until it is measured."""


@dataclass(frozen=True)
class Job:
    """One entry, trained by one recipe from one seed.

    Attributes
    ----------
    steps : int
        Of the whole training.
    out : Path
        The folder of the benchmark.
    """

    label: str
    entry: Entry
    recipe: str
    seed: int
    config: Config
    steps: int
    out: Path

    @property
    def digest(self) -> str:
        """Of what decides its result."""
        return recipe_digest(self.config, Path(self.config.data.paths[0]).name)

    @property
    def name(self) -> str:
        """Of its run and its result."""
        budget = f"{self.recipe}-{self.steps}"
        return f"{self.label}-{budget}-seed{self.seed}"

    @property
    def title(self) -> str:
        """Names it where its progress is shown."""
        return self.name

    @property
    def run(self) -> Path:
        """Its folder."""
        return self.out / "runs" / f"{self.name}-{self.digest[:8]}"

    @property
    def result(self) -> Path:
        """Its file."""
        return self.out / "results" / f"{self.name}.json"

    @property
    def costs(self) -> Path:
        """The file of what its entry costs."""
        return self.out / "costs" / f"{self.label}.json"

    def seconds(self) -> float:
        """About what its training takes."""
        step = (stored(self.costs) or {}).get("step_ms", STEP_MS)
        return float(self.steps * step / 1e3)


def jobs_of(
    chosen: dict[str, Entry], recipes: tuple[str, ...], seeds: int, setting: Setting, out: Path
) -> list[Job]:
    """Every training: by recipe, then seed 0 of all entries, then seed 1."""
    found = []
    for recipe in (recipe for recipe in RECIPES if recipe in recipes):
        for seed in range(seeds):
            for label, entry in chosen.items():
                if has_recipe(label, entry, recipe):
                    config = configured(label, entry, recipe, seed, setting)
                    per_epoch = setting.steps_per_epoch(config.data.train_samples, config.train.batch_size)
                    steps = config.train.epochs * per_epoch
                    found.append(Job(label, entry, recipe, seed, config, steps, out))
    return found


def missing(jobs: list[Job]) -> list[Job]:
    """Those without a result of their recipe; of each recipe and seed the shortest first."""
    left = [job for job in jobs if stored(job.result, job.digest) is None]
    return sorted(left, key=lambda job: (RECIPES.index(job.recipe), job.seed, job.seconds()))


def measure_costs(job: Job, *, anew: bool = False) -> None:
    """What an entry costs, where it has not been measured or is of other settings."""
    settings = {"model": job.config.model, **job.config.as_dict()["model"], "threads": job.config.train.threads}
    found = stored(job.costs)
    if anew or found is None or found.get("settings") != settings:
        write_json(job.costs, {"label": job.label, "settings": settings, **costs_of(job.config)})


def make(job: Job) -> str:
    """Train and score; what is said of it."""
    command = f"python -m surrogate.benchmark --models {job.label} --recipe {job.recipe} --data DATA --out DIR"
    failed = finished(job.config, job.run, command)
    result = scored(job, failed)
    write_json(job.result, result)
    if result["mse"] is None:
        return f"diverged, {result['seconds']:.0f} s"
    return f"MSE {result['mse']:.3g} (median {result['mse_median']:.2g}), {result['seconds']:.0f} s"


def scored(job: Job, failed: str = "", *, ended: bool = True) -> dict[str, Any]:
    """The numbers of a run, from its best weights.

    Parameters
    ----------
    failed : str
        Why its training ended early.
    ended : bool
        Whether it has come to its end; else it says how far it is.
    """
    curve = learning_curve(job.run)
    result: dict[str, Any] = {
        "label": job.label,
        "model": job.entry.model,
        "recipe": job.recipe,
        "seed": job.seed,
        "digest": job.digest,
        "ended": ended,
        "failed": failed,
        "budget": job.steps,
        "steps": int(curve[-1][0]) if curve else 0,
        "config": {**job.config.as_dict(), "note": ""},
        "seconds": seconds_so_far(job.run),
        "curve": curve,
        **dict.fromkeys(SCORES),
        "machine": machine(),
        "date": time.strftime("%Y-%m-%d"),
    }
    result["config"]["data"]["paths"] = [Path(path).name for path in job.config.data.paths]
    if not (job.run / "best").is_dir():
        return result
    model, source = load(job.run), job.config.data.paths[0]
    split = read_split(source, "test")
    window = job.config.data
    asked = Asked(window.input_frame, window.target_frame, window.horizon)
    found = evaluation(model, split, "test", asked=asked, rotations=1)
    result |= {name: found.get(name) for name in SCORES}
    result |= {"windows": found["samples"], "clean_windows": found.get("samples_clean")}
    data = evaluation_set(split, "test", asked, [model])
    result["symmetries"] = symmetry_errors(model, data.windows, given_arrays(data.split, model.takes))
    network = model.network(torch.float32)
    result |= {
        "best_step": best_step(curve),
        "parameters": network.n_parameters,
        "group": network.group,
        "dims": "any" if network.dims is None else str(network.dims),
    }
    return result


def learning_curve(run: Path) -> list[tuple[float, float, float]]:
    """Steps, training loss and validation error of a run, one row a validation."""
    try:
        with (run / "metrics.csv").open(encoding="utf-8", newline="") as stream:
            return [
                (float(row["step"]), float(row["loss"]), float(row["valid"])) for row in csv.DictReader(stream)
            ]
    except OSError:
        return []


def best_step(curve: list[tuple[float, float, float]]) -> int:
    """Where the validation error is least."""
    return int(min(curve, key=lambda row: row[2])[0]) if curve else 0


def results_of(jobs: list[Job]) -> list[dict[str, Any]]:
    """Every stored result of the jobs, and the numbers so far of runs that have not ended."""
    found = []
    for job in jobs:
        result = stored(job.result, job.digest)
        if result is None and (job.run / "best").is_dir():
            result = scored(job, ended=False)
        if result is not None:
            found.append(result)
    return found
