"""The training range of a model, as its card says it, and why a request lies outside it."""

from collections.abc import Mapping
from typing import Any

TIME_SLACK = 0.5
"""How far from the trained times an input may lie before it is flagged [time]."""


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
        Earliest and latest input state; not checked when left out.
    """
    reasons = []
    dims, particles = card.get("dims", []), card.get("particles", [])
    if dims and n_dims not in dims:
        reasons.append(f"n = {n_dims} (trained: {', '.join(map(str, dims))})")
    if particles and n_particles not in particles:
        reasons.append(f"N = {n_particles} (trained: {', '.join(map(str, particles))})")
    known = [entry for entry in card.get("laws", []) if entry.get("law")]
    if law and known and not any(_same_law(entry, law) for entry in known):
        names = ", ".join(sorted({str(entry.get("preset") or entry["law"]) for entry in known}))
        reasons.append(f"law {law.get('law')} (trained: {names})")
    window = card.get("input_times")
    if times and window and not (window[0] - TIME_SLACK <= times[0] and times[1] <= window[1] + TIME_SLACK):
        reasons.append(f"t = {_span(*times)} (trained: {_span(*window)})")
    return tuple(reasons)


def usable_card(card: Any) -> bool:
    """Whether what `reasons_outside` reads of a card has the right kinds."""

    def is_list(key: str, kind: type) -> bool:
        values = card.get(key, [])
        return isinstance(values, list) and all(isinstance(value, kind) for value in values)

    return isinstance(card, dict) and is_list("dims", int) and is_list("particles", int) and is_list("laws", dict)


def _span(first: float, last: float) -> str:
    return f"{first:.3g}" if last - first < 1e-9 else f"{first:.3g} to {last:.3g}"


def _same_law(entry: Mapping[str, Any], law: Mapping[str, Any]) -> bool:
    return bool(
        entry.get("law") == law.get("law") and (entry.get("parameters") or {}) == (law.get("parameters") or {})
    )
