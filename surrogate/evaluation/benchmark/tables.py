"""The benchmark's tables in Markdown: short words, every cost beside every error."""

import math
from typing import Any

ERRORS = "| mean MSE | +- windows | +- seeds | median | p99 | won, same evaluations | won, same law calls |"


def report(result: dict[str, Any], figures: list[str]) -> str:
    """benchmark.md: wall time first, then exactly K, then mean K, then roll-outs."""
    rows = result["rows"]
    parts = [_opening(result)]
    if figures:
        parts.append("\n".join(f"![{name}]({name})" for name in figures))
    timed = sorted((row for row in rows if row["table"] != "yardstick"), key=lambda row: row["ms_per_window"])
    parts.append(
        "## 1. Wall time and error\n\nMilliseconds for one window: batch of 100, one thread, everything "
        "counted.\n\n" + _table(result, timed, ("ms", "entrant", "cost"))
    )
    exact = [row for row in rows if row["table"] in ("exact", "own", "yardstick")]
    exact.sort(key=lambda row: (row["table"] == "yardstick", row["evaluations"], row["entrant"]))
    parts.append(
        "## 2. Exactly K evaluations in every window\n\n"
        "An evaluation is one pass over all pairs that moves something. A round of a learned integrator may call "
        "its law several times for a close pair: the law calls per pair say so.\n\n"
        + _table(result, exact, ("cost", "entrant"))
    )
    mean = [row for row in rows if row["table"] in ("mean", "exact") and row["entrant"] != "leapfrog"]
    if any(row["table"] == "mean" for row in mean):
        mean.sort(key=lambda row: (row["law_calls_per_pair"], row["entrant"]))
        parts.append(
            "## 3. A mean K, with its own K in every window\n\nSorted by law calls per pair, the cost both sides "
            "share. `adaptive` knows the law and picks each step from its smallest pair time scale. With a "
            "tolerance a model doubles its rounds in each window until its positions move less than that; the "
            "forecasts it discards are counted. Without one it takes K rounds everywhere.\n\n"
            + _table(result, mean, ("cost", "entrant"), setting=True)
        )
    if result.get("clean_windows") is not None:
        parts.append(_published(result))
    if result["rollouts"]:
        parts.append(_rollouts(result))
    return "\n\n".join(parts) + "\n"


def _opening(result: dict[str, Any]) -> str:
    split = f" ({result['split']})" if result["split"] else ""
    law, area = result["law"] or "unknown", _label(result, "length", "^2")
    lines = [
        f"# {result['data']}{split}: n = {result['n_dims']}, N = {result['particles']}, law {law}",
        "",
        f"{result['windows']} windows, frame {result['input_frame']} to {result['target_frame']} "
        f"(horizon {result['horizon']:.4g}{_label(result, 'time')}). {result['machine']}.",
        "",
        f"    {result['command']}",
        "",
        f"MSE: squared position error{area}, mean over particles and coordinates, then over windows. "
        "`+- windows` is its standard error, `+- seeds` the standard deviation over trained seeds. "
        + (
            f"`won`: share of windows with a smaller error than `{result['opponent']}` with as many evaluations, "
            "and with as many law calls per pair."
            if result["opponent"]
            else "`won` is empty: there is no opponent."
        )
        + " A few close encounters rule the mean; the median is the usual window.",
    ]
    lines += [f"\n{note[0].upper()}{note[1:]}." for note in result["notes"]]
    lines += [f"\nLeft out: {name}: {reason}." for name, reason in result["left_out"].items()]
    lines += [f"\nOutside training: {name}: {'; '.join(why)}." for name, why in result["outside_training"].items()]
    return "\n".join(lines)


def _label(result: dict[str, Any], quantity: str, power: str = "") -> str:
    """The own unit of the data for a quantity, in brackets; empty where it is unknown."""
    unit = result["units"].get(quantity, "")
    return f" [{unit}{power}]" if unit else ""


def _table(
    result: dict[str, Any], rows: list[dict[str, Any]], first: tuple[str, ...], *, setting: bool = False
) -> str:
    titles = {"ms": "ms a window", "entrant": "who", "cost": "evaluations | law calls per pair"}
    head = "| " + " | ".join(titles[name] for name in first) + " " + ERRORS + (" how |" if setting else "")
    lines = [head, "|" + "---|" * (head.count("|") - 1)]
    for row in rows:
        cells = {
            "ms": number(row["ms_per_window"], 3),
            "entrant": row["entrant"] + (f" ({row['seeds']} seeds)" if row["seeds"] > 1 else ""),
            "cost": f"{count(row['evaluations'])} | {count(row['law_calls_per_pair'])}",
        }
        line = "| " + " | ".join(cells[name] for name in first) + f" | {errors(row)} |"
        lines.append(line + (f" {row['setting']} |" if setting else ""))
    return "\n".join(lines)


def errors(row: dict[str, Any]) -> str:
    """The cells of ERRORS."""
    if row["non_finite"]:
        return f"{row['non_finite']} not finite | - | - | - | - | {won(row)}"
    cells = (
        number(row["mse"], 3),
        number(row["mse_stderr"], 2),
        number(row["mse_spread"], 2),
        number(row["mse_median"], 2),
        number(row["mse_p99"], 2),
        won(row),
    )
    return " | ".join(cells)


def _published(result: dict[str, Any]) -> str:
    lines = [
        "## The published set: clean windows, and the paired excess over the isotropic simulator",
        "",
        f"The published simulator clamps each Cartesian component of the force, which prefers the axes. In "
        f"{result['clean_windows']} of {result['windows']} windows the clamp does not act (clean). The isotropic "
        "simulator is the same with the clamp on the norm; the excess is the mean of a row's error minus its "
        "error on the same windows, with a 95 % bootstrap interval over windows.",
        "",
        "| who | evaluations | law calls per pair | mean MSE | clean mean | clean median | excess | 95 % "
        "| share |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in sorted(result["rows"], key=lambda row: math.inf if row["mse"] is None else row["mse"]):
        if row["mse"] is None:
            continue
        lines.append(
            f"| {row['entrant']} | {count(row['evaluations'])} | {count(row['law_calls_per_pair'])} "
            f"| {number(row['mse'], 3)} | {number(row['mse_clean'], 2)} | {number(row['mse_clean_median'], 2)} "
            f"| {row['excess']:+.2g} | {row['excess_low']:+.2g} to {row['excess_high']:+.2g} "
            f"| {100 * row['excess_share']:+.0f} % |"
        )
    return "\n".join(lines)


def _rollouts(result: dict[str, Any]) -> str:
    at = result["rollouts"][0]["drift_horizon"]
    lines = [
        "## Roll-outs",
        "",
        f"{result['rollout_windows']} windows over {result['rollout_horizons']} horizons, each forecast fed into "
        "the next, in float64. Valid time: horizons until the RMSE passes 0.1 of the truth's RMS radius. Drifts "
        f"after {at:.0f} horizons, medians: energy relative, momentum and angular momentum absolute. The truth "
        "moved by 1e-6 shows what chaos leaves to any forecast of these states.",
        "",
        "| who | evaluations a horizon | law calls per pair | valid time, median | +- seeds | mean "
        "| valid to the end | energy drift | momentum drift | angular momentum drift |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in result["rollouts"]:
        lines.append(
            f"| {row['entrant']} | {count(row['evaluations'])} | {count(row.get('law_calls_per_pair'))} "
            f"| {row['valid_time_median']:.3g} "
            f"| {number(row.get('valid_time_spread'), 2)} | {row['valid_time_mean']:.1f} "
            f"| {share(row['valid_to_the_end'])} | {number(row['energy_drift_median'], 2)} "
            f"| {number(row['momentum_drift_median'], 2)} | {number(row['angular_momentum_drift_median'], 2)} |"
        )
    return "\n".join(lines)


def number(value: float | None, digits: int) -> str:
    """A number with so many digits; "-" for none."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.{digits}g}"


def count(value: float | None) -> str:
    """A whole number, or one decimal."""
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:.0f}" if abs(value - round(value)) < 0.05 else f"{value:.1f}"


def won(row: dict[str, Any]) -> str:
    """The two cells of windows won."""
    return f"{share(row['won'])} | {share(row['won_at_equal_calls'])}"


def share(value: float | None) -> str:
    """A percentage."""
    return "-" if value is None else f"{100 * value:.0f} %"
