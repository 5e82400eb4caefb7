"""The benchmark as a page of Markdown tables, one LaTeX table, and comma-separated values."""

from collections.abc import Mapping, Sequence
from typing import Any

from surrogate.evaluation.benchmark.tables import count, number
from surrogate.evaluation.model_benchmark.published import PUBLISHED
from surrogate.evaluation.model_benchmark.recipes import COMMON
from surrogate.evaluation.model_benchmark.rows import COLUMNS
from surrogate.evaluation.model_benchmark.symmetries import ELEMENTS, SHIFT, STATES, SYMMETRIES
from surrogate.training.progress_bar import duration

Row = Mapping[str, Any]
TITLES = {
    "common": "## One common budget\n\nThe same data, batches, schedule and number of optimiser steps for every "
    "model; its peak learning rate, the norm that gradients are clipped to and augmentation are of its shipped "
    "configuration.",
    "own": "## The recipe of each\n\nAs published (rate, epochs, weight decay, no average of weights); of "
    "a model without a published number, our shipped configuration.",
}
INTRODUCTION = """# Benchmark of the models

Every registered model, and the forms of those that have several, trained and scored by one command, which goes on
where it was broken off:

    {command}

- **Task**: {task}.
- **Error**: mean squared error of positions over windows, particles and coordinates; mean +- standard deviation
  over seeds, of the weights with the best validation error. A few close encounters rule the mean: the median is
  the usual window, p99 the 99th percentile. **Clean** windows are those in which the clamp of the published
  simulator, which acts on each component of the force, never acts.
- **Common budget**: {common}.
- **Symmetries**: median over {states} windows and {elements} elements of |f(g s) - g f(s)| over |f(s) - its
  centroid|, of the trained network in float64; translations by {shift:g} in a direction drawn at random. The law
  (but for its clamp) has all five.
- **Costs**: median times of one thread, float32, N = 5; memory is the most that a training step of a batch of 100
  holds at once beyond what the process held before; each entry in a process of its own.
- **Machine**: {machines}."""


def page(rows: Sequence[Row], facts: Mapping[str, Any], figures: Sequence[str], folder: str = "") -> str:
    """The whole page.

    Parameters
    ----------
    facts : mapping
        command, task, machines, missing.
    figures : sequence of str
        Names of files in `folder`.
    """
    turned = sorted({row["label"] for row in rows if row["augmentation"] != "none"})
    common = ", ".join(f"{key.partition('.')[2]} {value}" for key, value in COMMON.items())
    parts = [
        INTRODUCTION.format(**facts, common=common, states=STATES, elements=ELEMENTS, shift=SHIFT),
        *(
            f"{text}\n\n{error_table(found)}"
            for recipe, text in TITLES.items()
            if (found := [row for row in rows if row["recipe"] == recipe])
        ),
        *(f"![{name}]({folder}{name})" for name in figures),
        "## Symmetries\n\n" + symmetry_table(rows),
        "## Costs\n\n" + cost_table(rows),
        "## What they are\n\nHow charges enter (c_ij = q_i q_j keeps a forecast the same where all charges change "
        "sign), how a particle's own velocity reaches its forecast, and how the published numbers were trained. "
        + (f"Trained on data turned at random: {', '.join(turned)}.\n\n" if turned else "\n\n")
        + fact_table(rows),
    ]
    if facts["missing"]:
        parts.append("## What is missing\n\n" + "\n".join(f"- {line}" for line in facts["missing"]))
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in cells)])


def with_spread(row: Row, name: str, digits: int = 3) -> str:
    """Mean +- standard deviation over seeds."""
    text, spread = number(row[name], digits), row[f"{name}_spread"]
    return text if spread is None else f"{text} +- {number(spread, 1)}"


def steps_text(row: Row) -> str:
    """Steps trained, and of how many where a run is under way."""
    steps = f"{row['steps']:,}"
    return steps if row["ended"] and not row["diverged"] else f"{steps} of {row['budget']:,}"


def verdict(row: Row) -> str:
    """Ours over the published number."""
    return "-" if row["ratio"] is None else f"{row['ratio']:.2f}"


def error_table(rows: Sequence[Row]) -> str:
    """Errors of one recipe, beside what was published."""
    head = [
        "model",
        "MSE",
        "median",
        "p99",
        "clean mean",
        "clean median",
        "published",
        "ours / published",
        "seeds",
    ]
    head += ["steps", "training", "peak lr", "clip"]
    cells = [
        [
            f"**{row['label']}**" + (f" ({row['diverged']} diverged)" if row["diverged"] else ""),
            with_spread(row, "mse"),
            *(number(row[name], 2) for name in ("mse_median", "mse_p99", "mse_clean", "mse_clean_median")),
            number(row["published_mse"], 3),
            verdict(row),
            str(row["seeds"]),
            steps_text(row),
            duration(row["seconds"]),
            f"{row['lr']:g}",
            f"{row['clip']:g}",
        ]
        for row in rows
    ]
    return table(head, cells)


def of_each(rows: Sequence[Row]) -> list[Row]:
    """One row an entry: the first of its recipes."""
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row["label"], row)
    return list(first.values())


def symmetry_table(rows: Sequence[Row]) -> str:
    """Errors of equivariance."""
    cells = [
        [row["label"], str(row["group"]), *(number(row[name], 1) for name in SYMMETRIES)] for row in of_each(rows)
    ]
    return table(["model", "group", *SYMMETRIES], cells)


def cost_table(rows: Sequence[Row]) -> str:
    """Times, memory, parameters."""
    head = ["model", "parameters", "forward, batch 100 [ms]", "forward, batch 1 [ms]", "step [ms]", "memory [MB]"]
    cells = [
        [
            row["label"],
            parameters(row["parameters"]),
            *(number(row[name], 3) for name in ("forward_ms", "forward_one_ms", "step_ms", "memory_mb")),
        ]
        for row in of_each(rows)
    ]
    return table(head, cells)


def parameters(value: float | None) -> str:
    """With its thousands apart."""
    return f"{value:,.0f}" if value else "-"


def fact_table(rows: Sequence[Row]) -> str:
    """What each entry is, and the recipe of its published number."""
    head = ["model", "group", "n", "charges", "own velocity", "published by", "parameters, published", "recipe"]
    cells = []
    for row in of_each(rows):
        known = PUBLISHED.get(row["label"])
        recipe = "-"
        if known:
            recipe = f"Adam {known.lr:g} ({known.schedule}), {known.epochs:,} epochs, decay {known.weight_decay:g}"
            recipe += f", clip {known.clip:g}" if known.clip else ""
            recipe += f", augmented by {known.augmentation}" if known.augmentation != "none" else ""
        source = known.source if known else "no number on this set"
        kept = parameters(known.parameters if known else None)
        cells.append(
            [row["label"], str(row["group"]), str(row["dims"]), row["charge_input"], row["velocity_input"]]
        )
        cells[-1] += [source, kept, recipe]
    return table(head, cells)


def csv_rows(rows: Sequence[Row]) -> list[list[Any]]:
    """Every column of every row, the names first; what is unknown is empty."""
    return [list(COLUMNS), *(["" if row[name] is None else row[name] for name in COLUMNS] for row in rows)]


def latex(rows: Sequence[Row]) -> str:
    """The errors as a table for a paper (booktabs)."""
    lines = [
        r"\begin{tabular}{llrrrrrr}",
        r"\toprule",
        r"model & budget & MSE & median & clean & published & parameters & forward [ms] \\",
        r"\midrule",
    ]
    for row in rows:
        cells = [
            row["label"],
            f"{row['recipe']}, {count(row['steps'])} steps",
            with_spread(row, "mse").replace("+-", r"$\pm$"),
            number(row["mse_median"], 2),
            number(row["mse_clean"], 2),
            number(row["published_mse"], 3),
            parameters(row["parameters"]),
            number(row["forward_ms"], 3),
        ]
        lines.append(" & ".join(cell.replace("_", r"\_") for cell in cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"
