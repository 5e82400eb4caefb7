"""The training range of a model, as its card says it, and why a request lies outside it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.presets import PRESETS
from physics.types import FloatArray
from surrogate.tasks.dynamics.ranges import States, field_sizes, state_quantities
from surrogate.tasks.dynamics.scales import Scales
from surrogate.tasks.dynamics.windows import FIELDS

TIME_SLACK = 0.5
"""How far from the trained times an input may lie before it is flagged [time]."""
SHORT = 0.01
"""Of the horizon that own data were trained for: who asks for less most likely means another unit of time."""
FEW = 0.01
"""Up to this share of samples may pass the trained extremes, as those of the same kind do now and then."""

SEVERAL = 20
"""Of so many samples and more, one may."""


@dataclass(frozen=True)
class Quantity:
    """How a number of each state is compared with what the model was trained on.

    Attributes
    ----------
    name : str
        As of :func:`surrogate.tasks.dynamics.ranges.state_quantities`.
    words : str
        For people, with what was trained as "{}".
    unit : tuple of str
        Scales it is in, numerators first: ("length", "time") is a speed.
    low, high : bool
        Which side is compared.
    signed : bool
        Whether it may be negative or 0, so that margins are shares of the range, not factors.
    least_far, most_far : float
        From this factor beyond the extremes on a single sample counts, however many there are: extremes of few
        states are passed now and then, most of all by the nearest pair.
    """

    name: str
    words: str
    unit: tuple[str, ...]
    low: bool = True
    high: bool = True
    signed: bool = False
    least_far: float = 3.0
    most_far: float = 3.0


QUANTITIES = (
    Quantity("charges", "charges", ("charge",), signed=True),
    Quantity("masses", "masses", ("mass",), least_far=1.5, most_far=1.5),
    Quantity("nearest", "pair distances", ("length",), high=False, least_far=30.0),
    Quantity("distances", "pair distances", ("length",), low=False),
    Quantity("rms_distance", "pair distances around", ("length",)),
    Quantity("speeds", "speeds", ("length", "time"), low=False),
    Quantity("rms_speed", "speeds around", ("length", "time")),
)


def reasons_outside(
    card: Mapping[str, Any],
    n_dims: int,
    n_particles: int,
    law: Mapping[str, Any] | None = None,
    times: tuple[float, float] | None = None,
) -> tuple[str, ...]:
    """Why a request lies outside the training range; empty inside.

    Parameters
    ----------
    card : mapping
        What it does not say is not checked.
    law : mapping, optional
        With `law` and `parameters`, as in a recipe; not checked when left out.
    times : (float, float), optional [time]
        Earliest and latest input state; not checked when left out: see :func:`preset_times`.
    """
    reasons = []
    dims, particles = card.get("dims", []), card.get("particles", [])
    if dims and n_dims not in dims:
        reasons.append(f"n = {n_dims} (trained: {', '.join(map(str, dims))})")
    if particles and n_particles not in particles:
        reasons.append(f"N = {n_particles} (trained: {', '.join(map(str, particles))})")
    known = [entry for entry in card.get("laws", []) if entry.get("law")]
    if law and law.get("law") and known and not any(_same_law(entry, law) for entry in known):
        names = ", ".join(sorted({str(entry.get("preset") or entry["law"]) for entry in known}))
        reasons.append(f"law {law.get('law')} (trained: {names})")
    window, presets = card.get("input_times"), [str(entry.get("preset") or "") for entry in card.get("laws", [])]
    if times and window and any(presets) and not _another_clock(presets, times[0]):
        inside = window[0] - TIME_SLACK <= times[0] and times[1] <= window[1] + TIME_SLACK
        reasons += [] if inside else [f"t = {_span(*times)} (trained: {_span(*window)})"]
    return tuple(reasons)


def _another_clock(presets: Sequence[str], first: float) -> bool:
    """Whether a time lies behind all frames of presets, so that it is not counted from their beginning."""
    ends = [float(t[-1]) for name in presets if name in PRESETS for t in PRESETS[name].times.values()]
    return bool(ends) and first > max(ends) + TIME_SLACK


def preset_times(recipe: Mapping[str, Any], first: float, last: float) -> tuple[float, float] | None:
    """The times of data of our presets, which spread as time goes on; None for other data.

    No law depends on time, so where the clock of other data starts means nothing.
    """
    return (first, last) if str(recipe.get("preset")) in PRESETS else None


def units_outside(card: Mapping[str, Any], units: Mapping[str, str]) -> tuple[str, ...]:
    """What is said of data whose own labels of units are others than those of the training data."""
    trained = card.get("units")
    if not isinstance(trained, dict):
        return ()
    names = [name for name, label in units.items() if trained.get(name, label) != label]
    return tuple(f"{name} in {units[name]} (trained: {trained[name]})" for name in names)


def states_outside(
    card: Mapping[str, Any], states: States, scales: Scales, sees: Sequence[str] = ("charges",)
) -> tuple[str, ...]:
    """Why states lie outside what the card's `ranges` say, in the data's units; empty inside.

    A quantity counts where more than 1 % of the samples (of few samples, any) pass the trained extremes by a
    margin, or any sample by far.

    Parameters
    ----------
    scales : Scales
        The units of the ranges.
    sees : sequence of str
        What the model sees: charges that it does not are not compared.
    """
    ranges = card.get("ranges")
    if not ranges:
        return ()
    ranges = {**ranges, **ranges.get("by_dims", {}).get(str(states.x.shape[2]), {})}
    found, reasons = state_quantities(states), list[str]()
    for quantity in QUANTITIES:
        unseen = quantity.name == "charges" and "charges" not in sees
        if quantity.name not in found or quantity.name not in ranges or unseen:
            continue
        subject = quantity.words.removesuffix(" around")
        if any(reason.startswith(subject) for reason in reasons):
            continue
        unit = _unit(scales, quantity.unit)
        values, trained = found[quantity.name] / unit, ranges[quantity.name]
        text = _beyond(quantity, values, trained, ranges["independent"], unit)
        reasons += [text] if text else []
    return (*reasons, *_box_outside(ranges.get("box"), states.box, scales), *fields_outside(card, states.given))


def _unit(scales: Scales, names: Sequence[str]) -> float:
    first, *below = (float(getattr(scales, name)) for name in names)
    return first / math.prod(below)


def _beyond(quantity: Quantity, values: FloatArray, trained: Sequence[float], states: int, unit: float) -> str:
    """What is said of values (samples, ...) that pass the trained ones; empty where they do not."""
    least, low, _, high, most = trained
    sides = []
    for asked, extreme, tail, sign, far in (
        (quantity.low, least, low, -1.0, quantity.least_far),
        (quantity.high, most, high, 1.0, quantity.most_far),
    ):
        if not asked:
            continue
        each = values.min(axis=1) if sign < 0 else values.max(axis=1)
        if quantity.signed or most == least:
            size = max(abs(least), abs(most))
            near = extreme + sign * (0.05 * (most - least) + 1e-3 * size)
            distant = extreme + sign * (0.5 * (most - least) + 1e-3 * size)
        else:
            # the extremes of few states are soon passed; a heavy tail is as long again beyond the extreme
            stretch = (extreme / tail) ** sign if extreme > 0 and tail > 0 else 1.0
            near = extreme * max(1.1 + 2.0 / math.sqrt(max(states, 1)), math.sqrt(stretch)) ** sign
            distant = extreme * max(far, stretch) ** sign
        sides.append((sign, each, sign * each > sign * near, sign * each > sign * distant))
    beyond = np.any([side[2] for side in sides], axis=0)
    # of as many new states as there were, one passes the extremes
    count = len(beyond)
    allowed = max(FEW * count, min(3.0 / max(states, 1), 0.5) * count, float(count >= SEVERAL))
    if beyond.sum() <= allowed and not any(side[3].any() for side in sides):
        return ""
    return _said(quantity, [(sign, each) for sign, each, near, _ in sides if near.any()], beyond, trained, unit)


def _said(
    quantity: Quantity,
    passed: Sequence[tuple[float, FloatArray]],
    beyond: NDArray[np.bool_],
    trained: Sequence[float],
    unit: float,
) -> str:
    """As "charges up to 3 (trained: -1 to 1), in 12 of 2000 samples"."""
    extremes = [unit * float(each.min() if sign < 0 else each.max()) for sign, each in passed]
    around = quantity.words.endswith("around")
    if len(passed) == 2:
        text = f"{extremes[0]:.3g} to {extremes[1]:.3g}"
    else:
        text = ("" if around else "down to " if passed[0][0] < 0 else "up to ") + f"{extremes[0]:.3g}"
    least, most = unit * trained[0], unit * trained[-1]
    span = f"{least:.3g}" if most - least <= 1e-6 * abs(most) else f"{least:.3g} to {most:.3g}"
    if not quantity.low:
        span = f"up to {most:.3g}"
    elif not quantity.high:
        span = f"from {least:.3g} on"
    where = "" if beyond.all() else f", in {int(beyond.sum())} of {len(beyond)} samples"
    return f"{quantity.words} {text} (trained: {span}){where}"


def _box_outside(trained: Sequence[float] | None, box: FloatArray | None, scales: Scales) -> tuple[str, ...]:
    """Whether periodic lengths are none of the trained ones, from the least to the largest."""
    if box is None and not trained:
        return ()
    said = "none" if not trained else _span(*(scales.length * side for side in trained))
    if box is None:
        return (f"no box (trained: {said})",)
    least, most = float(box.min()), float(box.max())
    if trained and (scales.length * trained[0] * 0.95 <= least and most <= scales.length * trained[1] * 1.05):
        return ()
    return (f"box of {_span(least, most)} (trained: {said})",)


def fields_outside(card: Mapping[str, Any], given: Mapping[str, FloatArray] | None) -> tuple[str, ...]:
    """What is said of fields that are stronger than any in the training data, weaker than all, or not there."""
    if given is None:
        return ()
    trained, reasons = card.get("fields") or {}, []
    for name in FIELDS:
        least, most = trained.get(name, (0.0, 0.0))
        sizes = field_sizes(name, given[name]) if name in given else np.zeros(1)
        low, high = float(sizes.min()), float(sizes.max())
        words = name.replace("_", " ")
        said = _span(least, most) if most > 0 else "none"
        if high > 1.05 * most:
            reasons.append(f"{words} up to {high:.3g} (trained: {said})")
        elif low < 0.95 * least:
            reasons.append(f"{words} of {low:.3g} (trained: {said})" if low else f"no {words} (trained: {said})")
    return tuple(reasons)


def horizon_outside(horizon: float, measured: float, scales: Scales) -> tuple[str, ...]:
    """What is said of a horizon [time] beyond the measured one; of own data also if another unit seems meant."""
    if horizon > measured * (1 + 1e-6):
        return (f"horizon {horizon:g} (measured: up to {measured:g})",)
    too_short = scales.time != 1 and horizon < SHORT * measured
    return (f"horizon {horizon:g} (trained: {measured:g})",) if too_short else ()


def not_finite(finite: NDArray[np.bool_]) -> tuple[str, ...]:
    """What is said of forecasts of which some are not finite; empty where all are."""
    if finite.all():
        return ()
    count = "" if len(finite) == 1 else f", in {int((~finite).sum())} of {len(finite)} samples"
    return (f"the forecast is not finite{count}",)


def masses_missing(card: Mapping[str, Any], scales: Scales) -> tuple[str, ...]:
    """What is said of states without masses, where those that were trained on differ."""
    least, *_, most = (card.get("ranges") or {}).get("masses") or (1.0, 1.0)
    if most <= least:
        return ()
    return (f"no masses given (trained: {scales.mass * least:.3g} to {scales.mass * most:.3g})",)


def usable_card(card: Any) -> bool:
    """Whether what is read of a card here has the right kinds."""

    def is_list(key: str, kind: type) -> bool:
        values = card.get(key, [])
        return isinstance(values, list) and all(isinstance(value, kind) for value in values)

    if not isinstance(card, dict):
        return False
    ranges, acting = card.get("ranges", {}), card.get("fields", {})
    if not isinstance(acting, dict) or not all(_is_span(acting[name]) for name in FIELDS if name in acting):
        return False
    by_dims = ranges.get("by_dims", {}) if isinstance(ranges, dict) else None
    return (
        all(is_list(key, kind) for key, kind in (("dims", int), ("particles", int), ("laws", dict)))
        and isinstance(by_dims, dict)
        and all(_usable_ranges(one) for one in (ranges, *by_dims.values()))
    )


def _usable_ranges(ranges: Any) -> bool:
    if not isinstance(ranges, dict):
        return False
    lengths = {quantity.name: 5 for quantity in QUANTITIES} | {"box": 2}
    rows = [(ranges[name], length) for name, length in lengths.items() if ranges.get(name) is not None]
    return (not ranges or isinstance(ranges.get("independent"), int)) and all(
        isinstance(row, list) and len(row) == length and all(map(_is_number, row)) for row, length in rows
    )


def _is_span(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _span(first: float, last: float) -> str:
    return f"{first:.3g}" if last - first <= 1e-9 * max(abs(first), abs(last)) else f"{first:.3g} to {last:.3g}"


def _same_law(entry: Mapping[str, Any], law: Mapping[str, Any]) -> bool:
    """Whether two recipes mean one law; a parameter that only one of them names has its default in the other."""
    if entry.get("law") != law.get("law"):
        return False
    from physics.laws.names import is_law, law_claims  # Numba

    ours, theirs = (recipe.get("parameters") or {} for recipe in (entry, law))
    if ours == theirs or not (isinstance(ours, dict) and isinstance(theirs, dict) and is_law(law["law"])):
        return bool(ours == theirs)
    defaults = law_claims(str(law["law"])).defaults
    return bool({**defaults, **ours} == {**defaults, **theirs})
