"""The benchmark's figures: markers and dashes distinguish the curves, so that they read in print, too."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666666")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
DPI = 200


def save_figures(result: dict[str, Any], folder: Path) -> list[str]:
    """Every figure that the result has numbers for; returns the file names in reading order."""
    names = ["wall-time.png", "evaluations.png"]
    _against(result, "ms_per_window", "wall time per window [ms], batch 100, one thread", folder / names[0])
    _against(result, "law_calls_per_pair", "law calls per pair and window", folder / names[1])
    if result["rollouts"]:
        names.append("rollouts.png")
        _rollouts(result, folder / names[2])
    return names


def blank(width: float = 10.0, height: float = 4.2, columns: int = 2) -> "tuple[Figure, list[Axes]]":
    """A white figure with axes side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = [figure.add_subplot(1, columns, k + 1) for k in range(columns)]
    for each in axes:
        each.grid(True, which="major", color="#dddddd", linewidth=0.7)
        each.set_axisbelow(True)
        for side in ("top", "right"):
            each.spines[side].set_visible(False)
    return figure, axes


def look(index: int) -> dict[str, Any]:
    """Colour, marker and dash of the curve of this rank; no two of 64 are the same."""
    turn = index + 3 * (index // len(COLOURS))  # the second time round a colour has another marker
    return {
        "color": COLOURS[index % len(COLOURS)],
        "marker": MARKERS[turn % len(MARKERS)],
        "linestyle": DASHES[turn % len(DASHES)],
        "markersize": 5,
        "linewidth": 1.4,
    }


def errors_against(axes: "Axes", x: list[float], y: list[float], spread: list[float], **style: Any) -> None:
    """A curve of errors with bars that stay above 0 on a logarithmic scale."""
    low = [min(s, 0.9 * v) for s, v in zip(spread, y, strict=True)]
    axes.errorbar(x, y, yerr=[low, spread], capsize=2, **style)


def _against(result: dict[str, Any], key: str, label: str, path: Path) -> None:
    figure, axes = blank()
    names = list(dict.fromkeys(row["entrant"] for row in result["rows"] if row["table"] != "yardstick"))
    for each, column, title in zip(
        axes, ("mse", "mse_median"), ("mean over windows", "median window"), strict=True
    ):
        for index, name in enumerate(names):
            rows = [row for row in result["rows"] if row["entrant"] == name and row[column] and row[key]]
            rows.sort(key=lambda row: row["evaluations"])
            if not rows:
                continue
            x, y = [row[key] for row in rows], [row[column] for row in rows]
            if column == "mse":
                errors_against(each, x, y, [row["mse_stderr"] or 0.0 for row in rows], label=name, **look(index))
            else:
                each.plot(x, y, label=name, **look(index))
        each.set(xscale="log", yscale="log", xlabel=label)
        each.set_title(title, fontsize=11, loc="left")
    axes[0].set_ylabel("mean squared position error")
    axes[1].legend(fontsize=8, frameon=False)
    figure.suptitle(_caption(result), fontsize=10, x=0.01, ha="left")
    figure.savefig(path)


def _rollouts(result: dict[str, Any], path: Path) -> None:
    from matplotlib.ticker import MaxNLocator

    figure, axes = blank()
    names = list(dict.fromkeys(row["entrant"] for row in result["rollouts"]))
    labels = [with_evaluations(row) for row in result["rollouts"]]
    for place, row in enumerate(result["rollouts"]):
        values = np.array(row["rmse_median"])
        style = look(names.index(row["entrant"]))
        same = [r for r in result["rollouts"] if r["entrant"] == row["entrant"]].index(row)
        style |= {"linestyle": DASHES[same], "markersize": 4, "markevery": max(len(values) // 8, 1)}
        times = np.arange(1, len(values) + 1)
        axes[0].plot(times, np.where(values > 0, values, np.nan), label=labels[place], **style)
        if row["energy_drift_median"]:
            axes[1].plot([row["energy_drift_median"]], [place], **{**style, "linestyle": "none", "markersize": 7})
    axes[0].axhline(0.1, color="#999999", linewidth=1)
    axes[0].set(yscale="log", xlabel="horizons")
    axes[0].xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0].set_title("median RMSE over the truth's RMS radius; valid below the line", fontsize=10, loc="left")
    axes[0].legend(fontsize=7, frameon=False)
    axes[1].set_xscale("log")
    axes[1].set_yticks(range(len(labels)), labels, fontsize=8)
    axes[1].invert_yaxis()
    axes[1].set_xlabel(f"median relative energy drift after {result['rollouts'][0]['drift_horizon']:.0f} horizons")
    figure.suptitle(_caption(result), fontsize=10, x=0.01, ha="left")
    figure.savefig(path)


def with_evaluations(row: dict[str, Any]) -> str:
    """The name of a row, with its evaluations where it has some."""
    return str(row["entrant"]) + (f", {row['evaluations']:.0f}" if row.get("evaluations") else "")


def _caption(result: dict[str, Any]) -> str:
    name = Path(result["data"]).name
    size = f"n = {result['n_dims']}, N = {result['particles']}, {result['windows']} windows"
    return f"{name}, {result['split']}: {size}" if result["split"] else f"{name}: {size}"
