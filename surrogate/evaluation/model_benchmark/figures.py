"""Figures of the benchmark: error against training time and parameters, learning curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from physics.files import atomic_path
from surrogate.evaluation.benchmark.figures import blank, look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Mapping[str, Any]
NAMES = {
    "budget": "error-training-time.png",
    "parameters": "error-parameters.png",
    "curves": "learning-curves.png",
}


def save_figures(rows: Sequence[Row], results: Sequence[Row], folder: Path) -> list[str]:
    """Those that have numbers, of the common budget where there is one; their names."""
    folder.mkdir(parents=True, exist_ok=True)
    recipe = next((row["recipe"] for row in rows if row["mse"] is not None), None)
    shown = [row for row in rows if row["recipe"] == recipe and row["mse"] is not None]
    if not shown:
        return []
    ranks = {label: rank for rank, label in enumerate(dict.fromkeys(row["label"] for row in shown))}
    figure, axes = blank(10.5, 4.6, 2)
    for each, column, title in zip(axes, ("mse", "mse_median"), ("mean", "median window"), strict=True):
        _points(each, shown, ranks, "seconds", column)
        each.set(xlabel="training time, one thread [s]")
        each.set_title(title, fontsize=11, loc="left")
    axes[0].set_ylabel("test MSE of positions")
    _legend(figure, axes[0])
    _save(figure, folder / NAMES["budget"])
    figure, (axis,) = blank(7.5, 5.0, 1)
    _points(axis, shown, ranks, "parameters", "mse")
    axis.set(xlabel="parameters", ylabel="test MSE of positions")
    _legend(figure, axis)
    _save(figure, folder / NAMES["parameters"])
    figure, (axis,) = blank(8.5, 5.2, 1)
    for label, rank in ranks.items():
        found = [r for r in results if (r["label"], r["recipe"]) == (label, recipe) and r["curve"]]
        if found:
            first = min(found, key=lambda r: (not r["ended"], r["seed"]))
            style = look(rank) | {"markevery": max(len(first["curve"]) // 6, 1), "linewidth": 1.0}
            axis.plot([c[0] for c in first["curve"]], [c[2] for c in first["curve"]], label=label, **style)
    axis.set(xscale="log", yscale="log", xlabel="optimiser steps", ylabel="validation MSE (seed 0)")
    _legend(figure, axis)
    _save(figure, folder / NAMES["curves"])
    return list(NAMES.values())


def _points(axes: "Axes", rows: Sequence[Row], ranks: Mapping[str, int], x: str, y: str) -> None:
    """A point a row, both axes logarithmic."""
    for row in rows:
        if row[x] and row[y]:
            style = look(ranks[row["label"]]) | {"linestyle": "none", "markersize": 7}
            axes.plot([row[x]], [row[y]], label=row["label"], **style)
    axes.set(xscale="log", yscale="log")


def _legend(figure: Any, axes: "Axes") -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=8, frameon=False, loc="outside right upper")


def _save(figure: Any, path: Path) -> None:
    with atomic_path(path) as temporary:
        figure.savefig(temporary)
