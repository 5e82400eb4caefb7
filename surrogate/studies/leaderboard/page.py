"""The page: stored results as tables; what is not there is an empty cell, with the command that fills it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from surrogate.evaluation.benchmark.tables import count, number
from surrogate.studies.leaderboard.columns import COLUMNS, ROUNDS, Column
from surrogate.studies.leaderboard.recipes import RECIPES, entries, trained_column

Results = Mapping[str, Mapping[str, Any]]
"""By column: "floors" (baseline to numbers) and "models" (model to the results of its seeds)."""

PLACES = "--resume --out docs --work out/leaderboard"
FLOOR = "isotropic simulator"
NETWORKS = ("egnn", "segno", "gnn")
"""Trained here by the protocol of the integrator, and compared with it."""
INTRODUCTION = """# Leaderboard

{headline}

Every N-body benchmark of the field, made again by name, and our models on it beside what was published. One
command makes this page, and goes on where it was broken off:

    {command}

- **MSE** of positions on the test split: mean over windows, particles and coordinates. **Ours**: mean +- standard
  deviation over seeds, weights of the best validation epoch. A few chaotic windows rule the mean; the median is
  the usual window.
- **Supervision**: a model sees the state of the input frame and is trained on the positions of the target frame
  of the column's own training windows. Rows that were trained on another column say so.
- **Networks**: EGNN, SEGNO and GNN have their whole recipe in charged-1000 and gravity-1000 alone, where they were
  run. Elsewhere they have fewer epochs (each table says how many of how many windows): with more they would come
  closer.
- **Cost**: the integrator takes as many rounds as it is asked for: {rounds} per unit of time in the tables
  ({more}), others in the last one. Law calls are evaluations of the
  (learned or true) pair force per pair and window; the data were made with 1000 per unit of time. Milliseconds:
  all test windows, one thread.
- **Isotropic simulator**: the true law run on from the input frame, with its clamp on the norm of the force
  instead of on each component: what an isotropic forecast can aim at. The excess over it is paired (same windows,
  95 % bootstrap interval). Without a clamp it is the law itself, from float32 inputs, and in no figure. **Gap
  closed**: how far ours is on the way from the best published number to that floor; above 100 %, below it."""


def seeds_of(results: Results, column: str, model: str) -> list[dict[str, Any]]:
    """The results of a model's seeds in a column that have a number."""
    found = results.get(column, {}).get("models", {}).get(model, [])
    return [seed for seed in found if seed["settings"] and seed["settings"][0]["mse"] is not None]


def over_seeds(
    seeds: Sequence[Mapping[str, Any]], key: str, rounds: int | None = None
) -> tuple[float, float] | None:
    """Mean and standard deviation (one seed: 0) of a number at the first setting, or at so many rounds."""
    values = []
    for seed in seeds:
        chosen = [s for s in seed["settings"] if rounds is None or s["rounds"] == rounds]
        if chosen and chosen[0].get(key) is not None:
            values.append(float(chosen[0][key]))
    if not values:
        return None
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def floor_of(results: Results, column: str, name: str = FLOOR, key: str = "mse") -> float | None:
    """A number of a baseline."""
    value = results.get(column, {}).get("floors", {}).get(name, {}).get(key)
    return None if value is None else float(value)


def best_published(column: Column) -> tuple[str, float] | None:
    """The method with the least published error, and that [unit of the column]."""
    if not column.published:
        return None
    name = min(column.published, key=lambda method: column.published[method])
    return name, column.published[name]


def cell(found: tuple[float, float] | None, unit: float, seeds: int) -> str:
    """Mean +- spread in a unit."""
    if found is None:
        return ""
    mean, spread = found[0] / unit, found[1] / unit
    return f"{number(mean, 3)} +- {number(spread, 1)}" if seeds > 1 else f"{number(mean, 3)} (1 seed)"


def bold(text: str) -> str:
    """In Markdown; nothing stays nothing."""
    return f"**{text}**" if text else ""


def unit_text(unit: float) -> str:
    """As in column heads."""
    return "" if unit == 1 else f" x 10^{round(np.log10(unit))}"


def gap_closed(published: float, ours: float, floor: float) -> str:
    """Share of the way from the published number to the floor."""
    return f"{100 * (published - ours) / (published - floor):.1f} %" if published > floor else "-"


def integrator_of(results: Results, column: str) -> list[dict[str, Any]]:
    """The seeds of the integrator: trained on the column, else on a shorter or smaller one."""
    return seeds_of(results, column, "integrator") or seeds_of(results, column, "integrator-transfer")


def best_network(results: Results, column: str) -> tuple[str, list[dict[str, Any]]] | None:
    """The network of NETWORKS with the least error in a column, and its seeds."""
    found = {model: seeds_of(results, column, model) for model in NETWORKS}
    errors = {model: mse[0] for model, seeds in found.items() if (mse := over_seeds(seeds, "mse"))}
    if not errors:
        return None
    best = min(errors, key=lambda model: errors[model])
    return best, found[best]


def headline(results: Results) -> str:
    """What leads what, in two sentences made of the results."""
    published: dict[str, float] = {}
    trained_here: dict[str, float] = {}
    for name, column in COLUMNS.items():
        ours = over_seeds(integrator_of(results, name), "mse")
        if ours is None:
            continue
        if best := best_published(column):
            published[name] = best[1] * column.unit / ours[0]
        network = best_network(results, name)
        if network and not column.given and (mse := over_seeds(network[1], "mse")):
            trained_here[name] = mse[0] / ours[0]
    return (
        f"The integrator's error is below the best published one in {_factors(published)}. It is below the "
        f"best of the networks trained here (of EGNN, SEGNO and GNN those in each column's table) in "
        f"{_factors(trained_here)}."
    )


def _factors(ratios: Mapping[str, float]) -> str:
    """Where errors are below others, by how much, and where they are not."""
    below = {name: ratio for name, ratio in ratios.items() if ratio > 1}
    text = f"{len(below)} of {len(ratios)} columns"
    if below:
        least, most = min(below, key=lambda name: below[name]), max(below, key=lambda name: below[name])
        text += f", by a factor of {_rounded(below[least])} ({COLUMNS[least].title})"
        text += f" to {_rounded(below[most])} ({COLUMNS[most].title})" if most != least else ""
    others = [COLUMNS[name].title for name in ratios if name not in below]
    return text + (f", not in {'; '.join(others)}" if others else "")


def _rounded(ratio: float) -> str:
    """Two digits of it: 1.4, 14,000."""
    return f"{float(f'{ratio:.2g}'):,g}"


def overview(results: Results) -> str:
    """One row a column: best published, best network trained here, the integrator, the floor."""
    lines = [
        "| column | x + v t | best published | best network trained here | **integrator** | its median window "
        "| trained on a shorter or smaller column | isotropic simulator | published / ours | gap closed |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, column in COLUMNS.items():
        unit = column.unit
        shown = {model: seeds_of(results, name, model) for model in ("integrator", "integrator-transfer")}
        cells = {model: cell(over_seeds(seeds, "mse"), unit, len(seeds)) for model, seeds in shown.items()}
        network = best_network(results, name)
        beside = f"{cell(over_seeds(network[1], 'mse'), unit, len(network[1]))}, {network[0]}" if network else ""
        ours, median = (over_seeds(integrator_of(results, name), key) for key in ("mse", "mse_median"))
        best, floor = best_published(column), floor_of(results, name)
        ratio = gap = ""
        if best and ours:
            ratio = f"{best[1] * unit / ours[0]:.3g}"
            gap = gap_closed(best[1] * unit, ours[0], floor or 0.0)
        straight = floor_of(results, name, "x + v t")
        lines.append(
            f"| [{column.title}](#{name.replace('+', '')}){unit_text(unit)}"
            f"{f', given {column.given}' if column.given else ''} "
            f"| {'' if straight is None else number(straight / unit, 3)} "
            f"| {f'{best[1]:g} ({best[0]})' if best else '-'} | {beside} | {bold(cells['integrator'])} "
            f"| {'' if median is None else number(median[0] / unit, 2)} | {cells['integrator-transfer']} "
            f"| {'-' if floor is None else number(floor / unit, 3)} | {ratio} | {gap} |"
        )
    return "\n".join(lines)


def column_section(results: Results, name: str) -> str:
    """Everything known of one column, best first."""
    column = COLUMNS[name]
    unit, targets = column.unit, column.targets or column.frames[1:]
    lines = [
        f"### {name}",
        "",
        f"Preset `{column.preset}`, N = {column.particles}, frames {column.frames[0]} -> "
        f"{', '.join(map(str, targets))}; {column.sizes[0]} training, {column.sizes[1]} validation, "
        f"{column.sizes[2]} test windows."
        + (f" {column.remark[0].upper()}{column.remark[1:]}." if column.remark else "")
        + (f" Published numbers: {column.source}." if column.published else ""),
        "",
        f"| who | MSE{unit_text(unit)} | median window | excess over the isotropic simulator (95 %) | law calls "
        "| ms a window | training: epochs x windows, min | sees |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows: list[tuple[float, str]] = []
    for method, value in column.published.items():
        rows.append((value, f"| {method}, published | {value:g} | | | | | | |"))
    for baseline, found in results.get(name, {}).get("floors", {}).items():
        if found["mse"] is None:
            continue
        knows = "" if baseline == "x + v t" else "the true law"
        mse, median = (number(found[key] / unit, digits) for key, digits in (("mse", 3), ("mse_median", 2)))
        calls = count(found["law_calls_per_pair"])
        rows.append((found["mse"] / unit, f"| {baseline} | {mse} | {median} | | {calls} | | | {knows} |"))
    for _, model in entries([name], RECIPES):
        seeds = seeds_of(results, name, model)
        if seeds:
            rows.append(_model_row(name, model, seeds))
    return "\n".join([*lines, *(row for _, row in sorted(rows, key=lambda row: row[0]))])


def _model_row(name: str, model: str, seeds: Sequence[Mapping[str, Any]]) -> tuple[float, str]:
    unit, source = COLUMNS[name].unit, trained_column(name, model)
    mse, median = over_seeds(seeds, "mse"), over_seeds(seeds, "mse_median")
    assert mse is not None
    assert median is not None
    calls, ms = over_seeds(seeds, "law_calls_per_pair"), over_seeds(seeds, "ms_per_window")
    excess = ""
    if (mean := over_seeds(seeds, "excess")) is not None:
        low, high = (over_seeds(seeds, f"excess_{end}") for end in ("low", "high"))
        share = over_seeds(seeds, "excess_share")
        assert low is not None
        assert high is not None
        assert share is not None
        excess = f"{mean[0] / unit:+.2g} ({low[0] / unit:+.2g} to {high[0] / unit:+.2g}), {100 * share[0]:+.0f} %"
    where = f", trained on {source} alone" if source != name else ""
    failed = sum(bool(seed["failed"]) for seed in seeds)
    label = f"**{model.removesuffix('-transfer')}**{where}, {len(seeds)} seed{'s' if len(seeds) > 1 else ''}"
    label += f" ({failed} diverged)" if failed else ""
    text = (
        f"| {label} | **{cell(mse, unit, len(seeds))}** | {number(median[0] / unit, 2)} | {excess} "
        f"| {count(calls[0]) if calls else ''} | {number(ms[0], 2) if ms else ''} "
        f"| {_training(seeds)} | {RECIPES[model].sees} |"
    )
    return mse[0] / unit, text


def _training(seeds: Sequence[Mapping[str, Any]]) -> str:
    """Epochs, windows and minutes of the first seed's recipe."""
    config = seeds[0]["config"]
    minutes = np.mean([seed["seconds"] for seed in seeds]) / 60
    return f"{config['train']['epochs']} x {config['data']['train_samples']}, {minutes:.1f}"


def rounds_table(results: Results) -> str:
    """The integrator's error at every number of rounds."""
    rates = sorted({rate for column in COLUMNS.values() for rate in column.rounds})
    lines = [
        "| column | " + " | ".join(f"{rate} rounds (law calls)" for rate in rates) + " |",
        "|---|" + "---|" * len(rates),
    ]
    for name, column in COLUMNS.items():
        for model in ("integrator", "integrator-transfer"):
            seeds = seeds_of(results, name, model)
            if not seeds:
                continue
            cells = []
            for rate in rates:
                mse, calls = (over_seeds(seeds, key, rate) for key in ("mse", "law_calls_per_pair"))
                cells.append(f"{number(mse[0] / column.unit, 3)} ({count(calls[0])})" if mse and calls else "")
            source = trained_column(name, model)
            label = column.title + (f", trained on {source}" if source != name else "")
            lines.append(f"| {label}{unit_text(column.unit)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def missing_section(missing: Sequence[tuple[str, str, int, float]]) -> str:
    """What is not there yet: columns, models, seeds, and what they take."""
    if not missing:
        return "Nothing is missing."
    lines = ["| column | model | seeds | about [min] | command |", "|---|---|---|---|---|"]
    for name, model in dict.fromkeys((column, model) for column, model, _, _ in missing):
        found = [(seed, seconds) for column, other, seed, seconds in missing if (column, other) == (name, model)]
        command = f"python -m surrogate.studies.leaderboard --only {name} --models {model} {PLACES}"
        minutes = number(sum(seconds for _, seconds in found) / 60, 2)
        seeds = ", ".join(str(seed) for seed, _ in found)
        lines.append(f"| {name} | {model} | {seeds} | {minutes} | `{command}` |")
    hours = sum(seconds for *_, seconds in missing) / 3600
    lines += ["", f"Together about {hours:.1f} hours on one core."]
    return "\n".join(lines)


def page(
    results: Results, missing: Sequence[tuple[str, str, int, float]], command: str, figures: Sequence[str]
) -> str:
    """The whole page."""
    machines = sorted(
        {
            f"{seed['machine']}, {seed['date']}"
            for column in results.values()
            for seeds in column["models"].values()
            for seed in seeds
        }
    )
    more = ", ".join(f"{name}: {c.rounds[0]}" for name, c in COLUMNS.items() if c.rounds[0] != ROUNDS[0])
    trainings = "\n".join(f"- **{name}**: {recipe.recipe}." for name, recipe in RECIPES.items())
    parts = [
        INTRODUCTION.format(headline=headline(results), command=command, rounds=ROUNDS[0], more=more),
        overview(results),
        *(f"![{name}](figures/{name})" for name in figures),
        "How each is trained:\n\n" + trainings,
        *(f"Trained and measured on {machine} (CPU, busy)." for machine in machines),
        "## Column by column",
        *(column_section(results, name) for name in COLUMNS),
        "## The integrator at any number of rounds\n\nMSE at so many rounds per unit of time, one and the same "
        "training.\n\n" + rounds_table(results),
        "## What is missing\n\n" + missing_section(missing),
    ]
    return "\n\n".join(parts) + "\n"
