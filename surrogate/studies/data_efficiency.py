"""`python -m surrogate.studies.data_efficiency`: errors against the number of training samples, 100 to 50,000.

Figure 3 of Satorras et al. 2021: radial field, GNN and EGNN. There the training windows (frames 6 to 8 of one
set) begin 400 steps later than those of the test (frames 30 to 40 of another); windows that match stand beside.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from physics.cli import CommandParser, command_line, positive_float, positive_int, refuse_existing, run_command
from physics.datasets.reading import declared_shape, read_split
from physics.errors import InputError
from physics.files import atomic_write, write_csv, write_json
from surrogate.evaluation.benchmark.figures import blank, errors_against, look
from surrogate.evaluation.single_forecasts import evaluation
from surrogate.inference.loading import load
from surrogate.training.config import Config, load_config
from surrogate.training.machine import machine
from surrogate.training.many import finished, make_all, recipe_digest, stored

COMMAND = "python -m surrogate.studies.data_efficiency --large data/large.zarr"
EXAMPLES = (
    f"{COMMAND} --matched data/nbody.zarr --out docs --work out/figure3",
    f"{COMMAND} --steps 20000 --seeds 3 --out docs --work out/figure3 --resume",
)
SAMPLES = (100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_000, 50_000)
MODELS = {"radial-field": "radial-field-nbody", "gnn": "gnn-nbody", "egnn": "egnn-nbody"}
"""And their configurations."""
PUBLISHED_EPOCHS = {
    "gnn": (2000, 2000, 4000, 5000, 8000, 10_000, 8000, 6000, 4000, 2000),
    "egnn": (4000, 4000, 2000, 2000, 2000, 1500, 1500, 1500, 1000, 1000),
    "radial-field": (8000, *[6000] * 7, 4000, 2000),
}
"""Of the published code, by number of samples; it gives the radial field the GNN's by a misspelt name."""
PUBLISHED_LR = {"radial-field": 2e-4, "gnn": 1e-3, "egnn": 5e-4}
STEPS = 4000
VALIDATIONS = 40
BATCH = 100
STEP_MS = {"radial-field": 5.0, "gnn": 10.5, "egnn": 11.0}

TEXT = """# Data efficiency

Written by

    {command}

Figure 3 of Satorras et al. 2021 (which prints no numbers) on the charged N-body set: error on the test windows
against the number of training trajectories, {budget}. {seeds}. {machine}.

{figure}
{tables}

- **as published**: trained from frame 6 to 8 of `nbody-reference-large` (steps 3500 to 4500), tested from frame 30
  to 40 of another set (steps 3100 to 4100).
- **matched**: trained on frames 30 to 40 of `nbody-reference`, as far as the trajectories of its training part go.
- The error is that of the weights with the best validation error; validation and test are the same 2000 and 2000
  trajectories throughout.

{reading}
"""


@dataclass(frozen=True)
class Job:
    """One model trained on so many samples from one seed."""

    model: str
    windows: str
    samples: int
    seed: int
    config: Config
    work: Path

    @property
    def title(self) -> str:
        """Names it, its run and its result."""
        return f"{self.model}-{self.windows}-{self.samples}-seed{self.seed}"

    @property
    def digest(self) -> str:
        """Of what decides its result."""
        return recipe_digest(self.config, Path(self.config.data.paths[0]).name)

    @property
    def steps(self) -> int:
        """Of the whole training."""
        return self.config.train.epochs * max(self.samples // BATCH, 1)

    @property
    def result(self) -> Path:
        """Its file."""
        return self.work / "results" / f"{self.title}.json"

    def seconds(self) -> float:
        """About what its training takes."""
        return self.steps * STEP_MS[self.model] / 1e3


def configured(
    model: str, data: Path, samples: int, seed: int, *, steps: int, epochs_scale: float = 0.0
) -> Config:
    """Training on the first `samples` trajectories: so many steps, or the published epochs times a factor."""
    per_epoch = max(samples // BATCH, 1)
    changes = {
        "data.train_samples": str(samples),
        "train.batch_size": str(BATCH),
        "train.threads": "1",
        "train.seed": str(seed),
        "train.weight_decay": "1e-12",
        "train.velocity_epochs": "0",
        "train.schedule": "one-cycle",
        "train.ema": "0.999",
    }
    epochs = max(round(steps / per_epoch), 1)
    if epochs_scale:
        epochs = max(round(epochs_scale * PUBLISHED_EPOCHS[model][SAMPLES.index(samples)]), 1)
        changes |= {"train.schedule": "constant", "train.ema": "0", "train.clip": "0"}
        changes |= {"train.lr": str(PUBLISHED_LR[model])}
    changes |= {"train.epochs": str(epochs), "train.validate_every": str(max(epochs // VALIDATIONS, 1))}
    if model != "radial-field":
        changes["model.velocity_head"] = "false"
    config = load_config(MODELS[model], changes)
    return Config(**{**vars(config), "data": type(config.data)(**{**vars(config.data), "paths": (str(data),)})})


def make(job: Job) -> str:
    """Train and score; what is said of it."""
    run = job.work / "runs" / f"{job.title}-{job.digest[:8]}"
    failed = finished(job.config, run, "python -m surrogate.studies.data_efficiency")
    result: dict[str, Any] = {"failed": failed, "mse": None, "mse_median": None}
    if (run / "best").is_dir():
        data = job.config.data.paths[0]
        result |= evaluation(load(run), read_split(data, "test"), "test", rotations=1)
    kept = {name: result[name] for name in ("failed", "mse", "mse_median")}
    facts = {"model": job.model, "windows": job.windows, "samples": job.samples, "seed": job.seed}
    more = {"steps": job.steps, "digest": job.digest, "machine": machine(), "date": time.strftime("%Y-%m-%d")}
    write_json(job.result, {**facts, **kept, **more})
    return f"MSE {result['mse']:.3g}" if result["mse"] is not None else f"diverged: {failed}"


def main(argv: Sequence[str]) -> None:
    """Parse the command line, train what is missing, write the page."""
    parser = CommandParser(
        "surrogate.studies.data_efficiency",
        "Errors against training samples: figure 3 of the EGNN paper.",
        EXAMPLES,
    )
    parser.add_argument("--large", type=Path, help="nbody-reference-large: windows as published")
    parser.add_argument("--matched", type=Path, help="nbody-reference: windows that match the tested ones")
    parser.add_argument("--samples", type=positive_int, nargs="+", default=SAMPLES, metavar="S")
    parser.add_argument("--steps", type=positive_int, default=STEPS, help=f"of every training (default {STEPS})")
    parser.add_argument(
        "--epochs-scale",
        type=positive_float,
        default=0.0,
        metavar="F",
        help="instead: F times the published epochs",
    )
    parser.add_argument("--seeds", type=positive_int, default=1, metavar="K")
    parser.add_argument("--minutes", type=positive_float, metavar="M", help="begin no training after M minutes")
    parser.add_argument("--work", type=Path, required=True, help="folder for runs and results")
    parser.add_argument("--out", type=Path, required=True, help="folder for data-efficiency.md, .csv and figures/")
    parser.add_argument("--resume", action="store_true", help="keep what is in --work, and go on")
    options = parser.parse_args(argv)
    refuse_existing(options.work, options.resume, "--resume to go on")
    jobs = jobs_of(options)
    left = make_all([job for job in jobs if stored(job.result, job.digest) is None], make, options.minutes)
    if left:
        sys.stdout.write(f"{left} trainings left out after {options.minutes:g} minutes: --resume goes on\n")
    budget = f"each after {options.steps:,} optimiser steps of batches of {BATCH}"
    if options.epochs_scale:
        budget = f"each after {options.epochs_scale:g} times the published epochs"
    results = [found for job in jobs if (found := stored(job.result, job.digest)) is not None]
    write_page(results, options.out, command_line("surrogate.studies.data_efficiency", argv), budget)
    sys.stdout.write(f"{options.out / 'data-efficiency.md'}\n")


def jobs_of(options: Any) -> list[Job]:
    """Every training that is asked for, seed 0 of all first."""
    found = []
    sources = {"published": options.large, "matched": options.matched}
    if not any(sources.values()):
        raise InputError("--large or --matched must name a data set")
    for seed in range(options.seeds):
        for windows, data in sources.items():
            if data is None:
                continue
            there = declared_shape(data, "train")[0]
            for samples in options.samples:
                if samples > there:
                    continue
                for model in MODELS:
                    scale = options.epochs_scale
                    if scale and samples not in SAMPLES:
                        raise InputError(f"--epochs-scale: no epochs were published for {samples} samples")
                    config = configured(model, data, samples, seed, steps=options.steps, epochs_scale=scale)
                    found.append(Job(model, windows, samples, seed, config, options.work))
    return found


def write_page(results: list[dict[str, Any]], out: Path, command: str, budget: str) -> None:
    """data-efficiency.md, data-efficiency.csv and the figure."""
    rows = rows_of(results)
    (out / "figures").mkdir(parents=True, exist_ok=True)
    columns = ("windows", "model", "samples", "mse", "spread", "median", "seeds")
    write_csv(out / "data-efficiency.csv", [columns, *([row[name] for name in columns] for row in rows)])
    figure = ""
    if rows:
        _figure(rows, out / "figures" / "data-efficiency.png")
        figure = "![errors against samples](figures/data-efficiency.png)\n"
    seeds = max((row["seeds"] for row in rows), default=0)
    text = TEXT.format(
        command=command,
        budget=budget,
        seeds=f"{seeds} seeds" if seeds > 1 else "One seed",
        machine="; ".join(sorted({f"{r['machine']}, {r['date']}" for r in results})),
        figure=figure,
        tables="\n\n".join(_table(rows, windows) for windows in dict.fromkeys(row["windows"] for row in rows)),
        reading=_reading(rows),
    )
    atomic_write(out / "data-efficiency.md", text.encode())


def rows_of(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over the seeds of what did not diverge."""
    grouped: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    for result in results:
        if result["mse"] is not None:
            grouped.setdefault((result["windows"], result["model"], result["samples"]), []).append(result)
    return [
        {
            "windows": windows,
            "model": model,
            "samples": samples,
            "mse": float(np.mean([r["mse"] for r in found])),
            "spread": float(np.std([r["mse"] for r in found], ddof=1)) if len(found) > 1 else 0.0,
            "median": float(np.mean([r["mse_median"] for r in found])),
            "seeds": len(found),
        }
        for (windows, model, samples), found in sorted(grouped.items())
    ]


def _table(rows: list[dict[str, Any]], windows: str) -> str:
    mine = [row for row in rows if row["windows"] == windows]
    samples = sorted({row["samples"] for row in mine})
    lines = [f"| {'as published' if windows == 'published' else windows}: samples | " + " | ".join(MODELS) + " |"]
    lines.append("|" + "---|" * (len(MODELS) + 1))
    for count in samples:
        found = {row["model"]: row["mse"] for row in mine if row["samples"] == count}
        lines.append(
            f"| {count:,} | " + " | ".join(f"{found[m]:.3g}" if m in found else "-" for m in MODELS) + " |"
        )
    return "\n".join(lines)


def _reading(rows: list[dict[str, Any]]) -> str:
    """What the numbers say of the paper's three sentences, from them alone."""
    lines = []
    for windows in dict.fromkeys(row["windows"] for row in rows):
        found = {(row["model"], row["samples"]): row["mse"] for row in rows if row["windows"] == windows}
        complete = sorted({s for _, s in found if all((m, s) in found for m in MODELS)})
        if not complete:
            continue
        best = [min(MODELS, key=lambda m, s=s: found[m, s]) for s in complete]  # type: ignore[misc]
        wins = ", ".join(f"{m} at {best.count(m)}" for m in MODELS if m in best)
        least, most = complete[0], complete[-1]
        gains = ", ".join(f"{m} {found[m, least] / found[m, most]:.1f}" for m in MODELS)
        title = "As published" if windows == "published" else "Matched"
        lines.append(
            f"- {title}: of {len(complete)} numbers of samples the least error is that of {wins}; "
            f"from {least:,} to {most:,} samples errors fall by factors of {gains}."
        )
    return "\n".join(lines)


def _figure(rows: list[dict[str, Any]], path: Path) -> None:
    """Errors against samples, a panel for each kind of windows."""
    kinds = list(dict.fromkeys(row["windows"] for row in rows))
    figure, axes = blank(5.0 * len(kinds), 4.2, len(kinds))
    for each, windows in zip(axes, kinds, strict=True):
        for index, model in enumerate(MODELS):
            mine = [row for row in rows if (row["windows"], row["model"]) == (windows, model)]
            x, y, spread = ([row[key] for row in mine] for key in ("samples", "mse", "spread"))
            errors_against(each, x, y, spread, label=model, **look(index))
        each.set(xscale="log", yscale="log", xlabel="training samples")
        title = "windows as published (400 steps apart)" if windows == "published" else "windows that match"
        each.set_title(title, fontsize=11, loc="left")
    low, high = min(a.get_ylim()[0] for a in axes), max(a.get_ylim()[1] for a in axes)
    for each in axes:
        each.set_ylim(low, high)
    axes[0].set_ylabel("test mean squared error")
    axes[-1].legend(fontsize=9, frameon=False)
    figure.savefig(path)


if __name__ == "__main__":
    sys.exit(run_command(main))
