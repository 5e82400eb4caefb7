"""The words around a picture: titles, numbers, the rotation in short. Text only, for all exports."""

import math
from typing import Literal

import numpy as np

from physics.types import FloatArray, System
from surrogate.comparison.comparison import Comparison

Source = Literal["truth", "forecast", "rollout"]

GAP = "   "
"""Stands between the parts of a read-out; where it is too long it is broken there."""


def sources(comparison: Comparison) -> tuple[Source, ...]:
    """What a comparison has to show, in the order of the panes."""
    if comparison.rollout is None:
        return ("truth", "forecast")
    return ("truth", "forecast", "rollout")


def pane_title(comparison: Comparison, source: Source) -> tuple[str, str]:
    """Title and subtitle of a pane: who made it, and how."""
    model = shortened(comparison.model_name, 30)
    if source == "truth":
        return "Ground truth", shortened(comparison.scenario_name, 60)
    if source == "rollout":
        return f"{model}: chained roll-out", "fed with its own forecasts"
    if comparison.horizon is None:
        return f"{model}: forecast", "every frame predicted from the first state"
    span = short_number(comparison.horizon)
    unit = unit_of(comparison, "time") or ("time unit" if span == "1" else "time units")
    return (
        f"{model}: sliding forecast",
        f"from the truth {'' if comparison.even else 'about '}{span} {unit} earlier",
    )


def pane_badge(comparison: Comparison, source: Source) -> str:
    """The warning over a pane; empty for none."""
    if source == "truth" or not comparison.outside_training:
        return ""
    return "outside training: " + "; ".join(comparison.outside_training)


def source_name(comparison: Comparison, source: Source) -> str:
    """One or two words for legends."""
    if source == "truth":
        return "truth"
    if source == "rollout":
        return "chained roll-out"
    return "forecast" if comparison.horizon is None else "sliding forecast"


def law_words(system: System) -> str:
    """The law and what else acts: "coulomb", "coulomb, magnetic field, drag"."""
    return ", ".join((system.law, *system.fields.names))


def shortened(text: str, limit: int) -> str:
    """The text, cut with dots to at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 3].rstrip() + "..."


def short_number(value: float) -> str:
    """A number for reading, three significant digits: 1, 0.25, 0.0123, 3.4e-05."""
    if not np.isfinite(value):
        return "not finite"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return f"{value:.1e}"


def mean_spacing(times: FloatArray) -> float:
    """The mean time between frames, two at least [time]."""
    return float(abs(times[-1] - times[0])) / (len(times) - 1)


def decade(value: float) -> float:
    """1 for a size of order one (1e-3 to 1e3, or none at all), else the power of ten below it."""
    return 1.0 if not 0 < value < math.inf or 1e-3 <= value <= 1e3 else 10.0 ** math.floor(math.log10(value))


MOST_DECIMALS, LARGEST_PLAIN = 5, 1e7
"""A time is written with a power of ten where it would take more decimals, or where it is larger."""


def moment(time: float, times: FloatArray) -> str:
    """A time among those of all frames, with enough digits that neighbouring frames differ: 0.25, 3.20e-13."""
    largest = float(max(abs(times[0]), abs(times[-1])))
    if time == 0 and not 0 < largest < 1e-3:
        return "0.00"
    if time == 0 or len(times) < 2:
        return short_number(time)
    step = mean_spacing(times)
    decimals = max(math.ceil(-math.log10(step) - 1e-6), 2)
    whole = abs(step * 10 ** (decimals + 1) - round(step * 10 ** (decimals + 1))) < 1e-6 * step * 10**decimals
    if whole and round(step * 10 ** (decimals + 1)) % 10:  # 0.0025 takes a digit more than 0.001
        decimals += 1
    if decimals <= MOST_DECIMALS and largest < LARGEST_PLAIN:
        return f"{time:.{decimals}f}"
    digits = math.ceil(math.log10(largest / step) - 1e-6)
    return f"{time:.{min(max(digits, 1), 15)}e}"


def unit_of(comparison: Comparison, quantity: str) -> str:
    """The label of a unit as the data have it, for "length/time" the quotient of two; empty without one."""
    labels = comparison.details.get("units") or {}
    parts = [str(labels.get(name, "")) for name in quantity.split("/")]
    return "/".join(parts) if all(parts) else ""


def momentum_unit(comparison: Comparison) -> str:
    """The label of momenta; empty without those of its parts."""
    parts = [unit_of(comparison, name) for name in ("mass", "length", "time")]
    return f"{parts[0]} {parts[1]}/{parts[2]}" if all(parts) else ""


def energy_unit(comparison: Comparison) -> str:
    """The label of energies; empty without those of its parts."""
    parts = [unit_of(comparison, name) for name in ("mass", "length", "time")]
    return f"{parts[0]} {parts[1]}²/{parts[2]}²" if all(parts) else ""


def in_brackets(name: str, unit: str) -> str:
    """The name of an axis with its unit, where there is a label."""
    return f"{name} [{unit}]" if unit else name


def remarks(comparison: Comparison) -> str:
    """What was filled in, chosen and left out, in a line; empty for nothing."""
    left_out = ("left out: " + ", ".join(comparison.left_out),) if comparison.left_out else ()
    return "; ".join((*comparison.notes, *left_out))


def with_unit(number: str, comparison: Comparison, quantity: str) -> str:
    """A number with the label of its unit behind it, as far as the data have one."""
    return " ".join(filter(None, (number, unit_of(comparison, quantity))))


def steady_number(value: float) -> str:
    """A number for a read-out that changes every frame: its width stays about the same."""
    if not np.isfinite(value):
        return "not finite"
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e3 else f"{value:.2e}"


def rotation_text(comparison: Comparison) -> str:
    """The world rotation in short; empty for the identity."""
    matrix = comparison.rotation
    if np.allclose(matrix, np.eye(len(matrix)), atol=1e-12):
        return ""
    turns = comparison.details.get("turns", "")
    if turns and len(turns) <= 40:
        return f"world turned ({turns})"
    kind = "rotation" if np.linalg.det(matrix) > 0 else "rotation with reflection"
    return f"world turned by a {len(matrix)}-D {kind}"
