"""What `python -m surrogate.studies.ablations` shows: two tables in Markdown, two figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from physics.files import atomic_path
from surrogate.evaluation.benchmark.figures import blank, errors_against, look
from surrogate.evaluation.benchmark.tables import number

Row = dict[str, Any]
"""One variant: its name, why, samples and, under "seeds", what was measured for each seed."""


def mean_over_seeds(row: Row, key: str, part: str = "") -> float | None:
    """The mean of a number over seeds, of its evaluation `part` where one is named; None where any lacks it."""
    values = [(seed.get(part) or {} if part else seed).get(key) for seed in row["seeds"]]
    known = [float(value) for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None


def spread(row: Row) -> float | None:
    """Standard error of the mean MSE: over test windows for one seed, over seeds for more."""
    values = [seed.get("mse") for seed in row["seeds"]]
    if None in values:
        return None
    if len(values) == 1:
        error: float | None = row["seeds"][0]["mse_stderr"]
        return error
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def _errors(row: Row) -> str:
    cells = [
        f"{number(mean_over_seeds(row, 'mse'), 3)} +- {number(spread(row), 1)}",
        number(mean_over_seeds(row, "mse_median"), 2),
        f"{number(mean_over_seeds(row, 'mse_clean'), 2)} / {number(mean_over_seeds(row, 'mse_clean_median'), 2)}",
    ]
    return " | ".join(cells)


def ablation_table(rows: Sequence[Row]) -> str:
    """One row a variant."""
    lines = [
        "| variant | what it is | mean MSE +- stderr | median | clean windows, mean / median | evaluations "
        "| law calls a pair | training [s] | best epoch |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        failed = " (diverged)" if any(seed.get("failed") for seed in row["seeds"]) else ""
        cells = [
            row["variant"] + failed,
            row["why"],
            _errors(row),
            number(mean_over_seeds(row, "evaluations"), 2),
            number(mean_over_seeds(row, "law_calls_per_pair"), 3),
            number(mean_over_seeds(row, "seconds"), 3),
            number(mean_over_seeds(row, "best_epoch"), 3),
        ]
        lines.append("| " + " | ".join(cells) + " |")
        if mean_over_seeds(row, "mse", "own") is not None:
            own = {**row, "seeds": [seed["own"] for seed in row["seeds"]]}
            calls = number(mean_over_seeds(own, "law_calls_per_pair"), 3)
            evaluations = number(mean_over_seeds(own, "evaluations"), 2)
            lines.append(f"| | the same, in its own rounds | {_errors(own)} | {evaluations} | {calls} | | |")
    return "\n".join(lines) + "\n"


def efficiency_table(rows: Sequence[Row]) -> str:
    """One row a number of samples and model."""
    lines = [
        "| samples | model | mean MSE +- stderr | median | clean windows, mean / median |",
        "|---|---|---|---|---|",
    ]
    for row in sorted(rows, key=lambda row: (row["samples"], model_of(row) != "integrator")):
        lines.append(f"| {row['samples']} | {model_of(row)} | {_errors(row)} |")
    return "\n".join(lines) + "\n"


def model_of(row: Row) -> str:
    """The name of a data-efficiency row without its samples."""
    return str(row["variant"]).removesuffix(f"-{row['samples']}")


def _parts(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    return [row for row in rows if not row["samples"]], [row for row in rows if row["samples"]]


def tables(rows: Sequence[Row]) -> str:
    """Both tables, those that have rows."""
    makers = zip((ablation_table, efficiency_table), _parts(rows), strict=True)
    return "\n".join(table(chosen) for table, chosen in makers if chosen)


def save_figures(rows: Sequence[Row], folder: Path) -> None:
    """ablations.png and efficiency.png, of those that have rows."""
    drawings = {"ablations.png": _draw_ablations, "efficiency.png": _draw_efficiency}
    for (name, draw), chosen in zip(drawings.items(), _parts(rows), strict=True):
        if chosen:
            with atomic_path(folder / name) as temporary:
                draw(chosen).savefig(temporary)


def _draw_ablations(rows: list[Row]) -> Any:
    figure, (axes,) = blank(8.6, 1.4 + 0.34 * len(rows), 1)
    kinds = {
        "mse": "mean, all test windows",
        "mse_clean": "mean, clean windows",
        "mse_clean_median": "median, clean windows",
    }
    for index, (key, label) in enumerate(kinds.items()):
        shown = [(mean_over_seeds(row, key), place) for place, row in enumerate(rows)]
        points = [(value, place) for value, place in shown if value]
        if points:
            axes.plot(*zip(*points, strict=True), label=label, **{**look(index), "linestyle": "none"})
    axes.set(xscale="log", xlabel="squared position error, published protocol, further left is better")
    axes.set_yticks(range(len(rows)), [row["variant"] for row in rows])
    axes.invert_yaxis()
    axes.legend(fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return figure


def _draw_efficiency(rows: list[Row]) -> Any:
    figure, axes = blank()
    for each, (key, title) in zip(
        axes, {"mse": "mean over test windows", "mse_median": "median window"}.items(), strict=True
    ):
        for index, model in enumerate(dict.fromkeys(model_of(row) for row in rows)):
            own = sorted((row for row in rows if model_of(row) == model), key=lambda row: int(row["samples"]))
            own = [row for row in own if mean_over_seeds(row, key)]
            x, y = [row["samples"] for row in own], [mean_over_seeds(row, key) or 0.0 for row in own]
            if key == "mse":
                errors_against(each, x, y, [spread(row) or 0.0 for row in own], label=model, **look(index))
            else:
                each.plot(x, y, label=model, **look(index))
        each.set(xscale="log", yscale="log", xlabel="training samples")
        each.set_title(title, fontsize=11, loc="left")
    axes[0].set_ylabel("squared position error")
    axes[0].legend(fontsize=8, frameon=False)
    return figure
