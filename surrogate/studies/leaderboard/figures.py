"""Two figures of the leaderboard: every column at a glance, and error against law calls."""

from pathlib import Path
from typing import Any

from physics.files import atomic_path
from surrogate.evaluation.benchmark.figures import blank, errors_against, look
from surrogate.studies.leaderboard.columns import COLUMNS
from surrogate.studies.leaderboard.page import FLOOR, Results, best_published, floor_of, over_seeds, seeds_of

SHOWN = {
    "integrator": "integrator",
    "integrator-transfer": "integrator, trained on a shorter or smaller column",
    "integrator-short": "integrator, extra supervision",
    "integrator-hidden": "integrator, no edges given",
    "segno": "SEGNO, ours",
    "egnn": "EGNN, ours",
    "gnn": "GNN, ours",
}
OWN_LOOK: dict[str, dict[str, Any]] = {
    "x + v t": {"marker": "x"},
    FLOOR: {"marker": "|", "markersize": 18, "markeredgewidth": 2},  # what reaches it is seen on top of it
    **{label: {"markerfacecolor": "white"} for label in ("SEGNO, ours", "EGNN, ours", "GNN, ours")},
}
"""Of the first figure, beside `look`: more names than colours."""
COLUMNS_OF_COST = 3
"""Panels beside each other."""
OFF_SCALE = 0.1
"""A floor below this share of the least other error, as of laws without a clamp, is in the tables alone."""


def save_figures(results: Results, folder: Path) -> list[str]:
    """leaderboard.png and leaderboard-cost.png, those that have numbers; their names."""
    names = []
    for name, draw in {"leaderboard.png": _every_column, "leaderboard-cost.png": _cost}.items():
        figure = draw(results)
        if figure is None:
            continue
        with atomic_path(folder / name) as temporary:
            figure.savefig(temporary)
        names.append(name)
    return names


def _every_column(results: Results) -> Any:
    names = [name for name in COLUMNS if results.get(name)]
    if not names:
        return None
    figure, (axes,) = blank(9.0, 1.6 + 0.42 * len(names), 1)
    points: dict[str, list[tuple[float, int]]] = {"x + v t": [], "best published": [], FLOOR: []}
    points |= {label: [] for label in SHOWN.values()}
    for place, name in enumerate(names):
        for baseline in ("x + v t", FLOOR):
            if (value := floor_of(results, name, baseline)) is not None:
                points[baseline].append((value, place))
        if best := best_published(COLUMNS[name]):
            points["best published"].append((best[1] * COLUMNS[name].unit, place))
        for model, label in SHOWN.items():
            if found := over_seeds(seeds_of(results, name, model), "mse"):
                points[label].append((found[0], place))
    least = min((value for label, some in points.items() if label != FLOOR for value, _ in some), default=0.0)
    points[FLOOR] = [(value, place) for value, place in points[FLOOR] if value > OFF_SCALE * least]
    for index, (label, found_points) in enumerate(points.items()):
        if found_points:
            style = {**look(index), "linestyle": "none", **OWN_LOOK.get(label, {})}
            axes.plot(*zip(*found_points, strict=True), label=label, **style)
    axes.set(xscale="log", xlabel="test MSE of positions, further left is better")
    axes.set_yticks(range(len(names)), [COLUMNS[name].title for name in names])
    axes.invert_yaxis()
    axes.legend(fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3)
    return figure


def _trained(results: Results, name: str) -> list[dict[str, Any]]:
    """The integrator's seeds in a column: trained on it, else on the smaller one."""
    return seeds_of(results, name, "integrator") or seeds_of(results, name, "integrator-transfer")


def _cost(results: Results) -> Any:
    from matplotlib.ticker import NullLocator, ScalarFormatter

    names = [
        name for name in COLUMNS if any(s["rounds"] for one in _trained(results, name) for s in one["settings"])
    ]
    if not names:
        return None
    columns = min(COLUMNS_OF_COST, len(names))
    rows = -(-len(names) // columns)
    figure, _ = blank(4.2 * columns, 3.2 * rows + 0.5, 0)
    legend: dict[str, Any] = {}
    for index, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, index + 1)
        axes.grid(True, color="#dddddd", linewidth=0.7)
        seeds = _trained(results, name)
        found = [
            (over_seeds(seeds, "law_calls_per_pair", k), over_seeds(seeds, "mse", k))
            for k in sorted(COLUMNS[name].rounds)
        ]
        known = [(calls[0], mse) for calls, mse in found if calls and mse]
        errors_against(
            axes,
            [calls for calls, _ in known],
            [mse for _, (mse, _) in known],
            [spread for _, (_, spread) in known],
            label="integrator, learned law",
            **look(1),
        )
        least = min((mse for _, (mse, _) in known), default=0.0)
        for rank, kind in enumerate(("leapfrog", "adaptive")):
            curve = [
                (row["law_calls_per_pair"], row["mse"])
                for baseline, row in results[name].get("floors", {}).items()
                if baseline.startswith(kind) and row["mse"]
            ]
            if curve:
                least = min(least, *(mse for _, mse in curve))
                axes.plot(*zip(*sorted(curve), strict=True), label=f"{kind}, the true law", **look(2 + rank))
        if (floor := floor_of(results, name)) is not None and floor > OFF_SCALE * least:
            axes.axhline(floor, color="#666666", linestyle="--", linewidth=1, label=FLOOR)
        if best := best_published(COLUMNS[name]):
            axes.axhline(best[1] * COLUMNS[name].unit, color="#cc79a7", linewidth=1, label="best published")
        axes.set(xscale="log", yscale="log", xlabel="law calls per pair and window", ylabel="test MSE")
        axes.set_xticks([16, 32, 64, 128, 256, 512])
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_title(COLUMNS[name].title, fontsize=10, loc="left")
        legend |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(legend.values(), legend.keys(), fontsize=9, frameon=False, loc="outside upper center", ncols=5)
    return figure
