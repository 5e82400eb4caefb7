"""What `python -m surrogate.benchmark` does of names of models: train what is missing, score, write the tables."""

import sys
from collections.abc import Mapping
from pathlib import Path

import torch

from physics.cli import refuse_existing
from physics.datasets.reading import available_splits, declared_shape, read_samples
from physics.errors import InputError
from physics.files import atomic_write, write_csv, write_json
from surrogate.evaluation.model_benchmark.entries import Entry
from surrogate.evaluation.model_benchmark.figures import save_figures
from surrogate.evaluation.model_benchmark.jobs import Job, jobs_of, make, measure_costs, missing, results_of
from surrogate.evaluation.model_benchmark.published import PUBLISHED_ON
from surrogate.evaluation.model_benchmark.recipes import Setting
from surrogate.evaluation.model_benchmark.rows import rows_of
from surrogate.evaluation.model_benchmark.tables import csv_rows, latex, page
from surrogate.training.machine import keep_freed_memory
from surrogate.training.many import make_all


def benchmark_of_models(
    chosen: Mapping[str, Entry],
    recipes: tuple[str, ...],
    seeds: int,
    setting: Setting,
    out: Path,
    *,
    command: str,
    resume: bool = False,
    only_page: bool = False,
    costs: bool = False,
    minutes: float | None = None,
    docs: Path | None = None,
) -> Path:
    """Train and score what is missing below `out`, then write the tables of what is there; the page.

    Parameters
    ----------
    only_page : bool
        Train nothing.
    costs : bool
        Measure the costs of all entries anew.
    minutes : float, optional
        No training is begun later than that.
    docs : Path, optional
        A folder for the page and its figures, too.

    Raises
    ------
    InputError
        Where `out` is there without `resume`, or the data have no splits to train and test on.
    """
    lacking = {"train", "valid", "test"} - set(available_splits(setting.data))
    if lacking:
        declared_shape(setting.data, "train")  # says where there is nothing
        raise InputError(
            f"{setting.data}: has no split {sorted(lacking)[0]!r}; models are trained, chosen and tested"
        )
    jobs = jobs_of(dict(chosen), recipes, seeds, setting, out)
    refuse_existing(out, resume or only_page, "--resume to go on")
    torch.set_num_threads(setting.threads)
    keep_freed_memory()
    if not only_page or costs:
        for job in {job.label: job for job in reversed(jobs)}.values():
            measure_costs(job, anew=costs)
    if not only_page:
        left = make_all(missing(jobs), make, minutes)
        if left:
            sys.stdout.write(f"{left} left out after {minutes:g} minutes: --resume goes on\n")
    return write_tables(jobs, setting, out, command, docs)


def write_tables(jobs: list[Job], setting: Setting, out: Path, command: str, docs: Path | None) -> Path:
    """table.md, table.csv, table.tex, benchmark.json and figures, each complete; the first of them."""
    results = results_of(jobs)
    first, _ = read_samples(setting.data, "test", range(1))
    rows = rows_of(jobs, results, as_published=first.recipe.get("preset") == PUBLISHED_ON)
    ended = {(result["label"], result["recipe"], result["seed"]) for result in results if result["ended"]}
    windows = next((result["windows"] for result in results if result.get("windows")), 0)
    samples, _, particles, dims = declared_shape(setting.data, "train")
    facts = {
        "command": command,
        "task": f"{setting.data.stem}, n = {dims}, N = {particles}: {samples} training trajectories are there, "
        f"{windows} test windows",
        "machines": "; ".join(sorted({f"{r['machine']}, {r['date']}" for r in results})),
        "missing": _left([job for job in jobs if (job.label, job.recipe, job.seed) not in ended]),
    }
    out.mkdir(parents=True, exist_ok=True)
    figures = save_figures(rows, results, out)
    write_csv(out / "table.csv", csv_rows(rows))
    atomic_write(out / "table.tex", latex(rows).encode())
    write_json(out / "benchmark.json", {**facts, "rows": rows, "results": results})
    atomic_write(out / "table.md", page(rows, facts, figures).encode())
    if docs is not None:
        save_figures(rows, results, docs / "figures" / "benchmark")
        text = page(rows, facts, figures, "figures/benchmark/")
        atomic_write(docs / "benchmark.md", text.encode())
    return out / "table.md"


def _left(jobs: list[Job]) -> list[str]:
    """A line for each recipe and seed: what has not ended, and how long it takes."""
    lines = []
    for recipe, seed in dict.fromkeys((job.recipe, job.seed) for job in jobs):
        some = [job for job in jobs if (job.recipe, job.seed) == (recipe, seed)]
        minutes = sum(job.seconds() for job in some) / 60
        lines.append(f"{recipe}, seed {seed}: {', '.join(job.label for job in some)} (about {minutes:.0f} min)")
    return lines
