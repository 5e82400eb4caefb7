"""The rows of the benchmark: stored results over seeds, beside costs and what was published."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from surrogate.evaluation.model_benchmark.entries import Entry
from surrogate.evaluation.model_benchmark.jobs import SCORES, Job
from surrogate.evaluation.model_benchmark.published import PUBLISHED
from surrogate.evaluation.model_benchmark.recipes import RECIPES
from surrogate.evaluation.model_benchmark.symmetries import SYMMETRIES
from surrogate.training.many import stored

COSTS = ("forward_ms", "forward_one_ms", "step_ms", "memory_mb")
FACTS = (
    "label",
    "recipe",
    "model",
    "group",
    "dims",
    "charge_input",
    "velocity_input",
    "augmentation",
    "parameters",
)
TRAINING = ("lr", "schedule", "clip", "ema", "weight_decay", "batch_size")
PUBLISHED_COLUMNS = ("mse", "parameters", "lr", "epochs", "weight_decay", "schedule", "augmentation", "source")
COLUMNS = (
    *FACTS,
    *("seeds", "ended", "diverged", "steps", "budget", "best_step", "seconds", *TRAINING),
    *(column for name in SCORES for column in (name, f"{name}_spread")),
    *SYMMETRIES,
    *COSTS,
    *(f"published_{name}" for name in PUBLISHED_COLUMNS),
    "ratio",
)
"""Of table.csv."""


def rows_of(
    jobs: Sequence[Job], results: Sequence[Mapping[str, Any]], *, as_published: bool
) -> list[dict[str, Any]]:
    """One row an entry and recipe that has a result, by recipe, the least error first.

    Parameters
    ----------
    as_published : bool
        Whether the data are those of the published errors, which stand beside ours then.
    """
    costs = {job.label: stored(job.costs) or {} for job in jobs}
    known = {job.label: job.entry for job in jobs}
    found = []
    for recipe in RECIPES:
        rows = []
        for label, entry in known.items():
            seeds = [result for result in results if (result["label"], result["recipe"]) == (label, recipe)]
            if seeds:
                rows.append(_row(label, entry, seeds, costs[label], as_published))
        found += sorted(rows, key=lambda row: np.inf if row["mse"] is None else row["mse"])
    return found


def _row(
    label: str, entry: Entry, seeds: Sequence[Mapping[str, Any]], costs: Mapping[str, Any], as_published: bool
) -> dict[str, Any]:
    """One entry under one recipe: mean over its seeds, and their standard deviation."""
    ended = [seed for seed in seeds if seed["ended"]]
    seeds = ended or seeds  # a seed that is under way would be compared at another budget
    scored = [seed for seed in seeds if seed["mse"] is not None]
    first = (scored or seeds)[0]
    train = first["config"]["train"]
    row: dict[str, Any] = {
        "label": label,
        "recipe": first["recipe"],
        "model": entry.model,
        "group": first.get("group"),
        "dims": first.get("dims"),
        "charge_input": entry.charges,
        "velocity_input": entry.velocity,
        "augmentation": train.get("augment", "none"),
        "parameters": first.get("parameters", costs.get("parameters")),
        "seeds": len(scored),
        "ended": bool(ended),
        "diverged": sum(bool(seed["failed"]) for seed in seeds),
        "steps": min(seed["steps"] for seed in seeds),
        "budget": first["budget"],
        "best_step": mean_of([seed.get("best_step") for seed in scored]),
        "seconds": mean_of([seed["seconds"] for seed in seeds]),
        **{name: train[name] for name in TRAINING},
        **{name: costs.get(name) for name in COSTS},
    }
    for name in SCORES:
        values = [seed[name] for seed in scored if seed.get(name) is not None]
        row[name] = mean_of(values)
        row[f"{name}_spread"] = float(np.std(values, ddof=1)) if len(values) > 1 else None
    for name in SYMMETRIES:
        row[name] = mean_of([seed["symmetries"][name] for seed in scored])
    published = PUBLISHED.get(label)
    row |= {f"published_{name}": getattr(published, name, None) for name in PUBLISHED_COLUMNS}
    if not as_published:
        row["published_mse"] = None
    row["ratio"] = row["mse"] / row["published_mse"] if row["published_mse"] and row["mse"] is not None else None
    return row


def mean_of(values: Sequence[float | None]) -> float | None:
    """The mean of those that are there."""
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None
