"""The three figures of docs/benchmark-audit.md, readable in print."""

from pathlib import Path
from typing import Any

import numpy as np

from physics.laws.reference import REFERENCE_FORCE_LIMIT
from physics.types import FloatArray
from surrogate.evaluation.benchmark.figures import blank, look, with_evaluations


def save_figures(result: dict[str, Any], drawn: dict[str, FloatArray], folder: Path) -> list[str]:
    """Write clamp.png, orientation.png and scores.png; returns their names."""
    _clamp(result, drawn, folder / "clamp.png")
    _orientation(result, folder / "orientation.png")
    _errors(result, folder / "scores.png")
    return ["clamp.png", "orientation.png", "scores.png"]


def _clamp(result: dict[str, Any], drawn: dict[str, FloatArray], path: Path) -> None:
    figure, axes = blank()
    largest = np.maximum(drawn["largest"], 1e-2)
    bins = np.logspace(-2, np.log10(largest.max()) + 0.1, 50).tolist()
    axes[0].hist(largest[largest <= REFERENCE_FORCE_LIMIT], bins=bins, color="#bbbbbb", label="clean")
    touched = largest > REFERENCE_FORCE_LIMIT
    axes[0].hist(largest[touched], bins=bins, color="#d55e00", hatch="//", edgecolor="white", label="touched")
    axes[0].set(xscale="log", yscale="log", xlabel="largest |F| of a window, unclamped", ylabel="windows")
    axes[0].set_title(f"the clamp acts in {100 * result['clamp']['touched_share']:.1f} %", fontsize=10, loc="left")
    axes[0].legend(fontsize=8, frameon=False)
    names = [name for name in drawn if name != "largest"]
    for index, name in enumerate(names):
        total = np.cumsum(np.sort(drawn[name])[::-1]) / len(largest)
        rank = np.arange(1, len(total) + 1)
        axes[1].plot(rank, total, label=name.removeprefix("model: "), **(look(index) | {"marker": ""}))
    axes[1].set(xscale="log", xlabel="worst windows, this many", ylabel="their share of the mean MSE")
    axes[1].set_title("a few windows make the mean", fontsize=10, loc="left")
    axes[1].legend(fontsize=8, frameon=False)
    figure.savefig(path)


def _orientation(result: dict[str, Any], path: Path) -> None:
    figure, (axes,) = blank(7.0, 4.2, 1)
    o = result["orientation"]
    bins = np.logspace(-16, 1.5, 70).tolist()
    rows = (
        ("speed_error_turned", "median rotated orientation", "#bbbbbb", ""),
        ("speed_error_least", f"best of {o['rotations']} rotated ones", "#56b4e9", ".."),
        ("speed_error", "true orientation", "#d55e00", "//"),
    )
    for key, label, colour, hatch in rows:
        values = np.clip(np.array(o[key]), 1e-16, 30)
        axes.hist(values, bins=bins, color=colour, hatch=hatch, edgecolor="white", label=label, alpha=0.85)
    axes.set(xscale="log", xlabel="| |v(0)| - 0.5 | after running frame 30 backwards", ylabel="touched windows")
    axes.set_title("the state determines its orientation", fontsize=10, loc="left")
    axes.legend(fontsize=8, frameon=False)
    figure.savefig(path)


def _errors(result: dict[str, Any], path: Path) -> None:
    figure, axes = blank(10.0, 0.32 * len(result["rows"]) + 1.4)
    rows = result["rows"]
    place = np.arange(len(rows))
    mean, error = np.array([row["mse"] for row in rows]), np.array([row["mse_stderr"] for row in rows])
    axes[0].errorbar(mean, place, xerr=[np.minimum(error, 0.9 * mean), error], fmt="o", color="#000000", capsize=2)
    clean = np.array([row["mse_clean"] for row in rows])
    seen = clean > 1e-20
    axes[1].plot(clean[seen], place[seen], "s", color="#0072b2", label="mean")
    middle = np.array([row["mse_clean_median"] for row in rows])
    axes[1].plot(middle[seen], place[seen], "^", color="#d55e00", label="median")
    for each, title in zip(axes, ("all windows, mean MSE", "clean windows, MSE"), strict=True):
        each.set(xscale="log", yticks=place, ylim=(len(rows) - 0.5, -0.5))
        each.set_title(title, fontsize=10, loc="left")
    axes[0].set_yticklabels([with_evaluations(row) for row in rows], fontsize=8)
    axes[1].set_yticklabels([])
    axes[1].legend(fontsize=8, frameon=False)
    figure.savefig(path)
