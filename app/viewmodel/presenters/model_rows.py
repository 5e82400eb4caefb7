"""The table of models in words: a column a number, with what it means."""

from collections.abc import Callable
from dataclasses import replace

from app.viewmodel.state.models import ModelRow, ModelTable
from app.viewmodel.state.setup import Effort, Setup
from app.viewmodel.state.view_state import ViewState
from surrogate.render.captions import short_number


def _short(value: float | None) -> str:
    return "-" if value is None else short_number(value)


def _valid(row: ModelRow) -> str:
    return "-" if row.valid_time is None else f"{'≥ ' if row.valid_to_end else ''}{row.valid_time:.3g}"


COLUMNS: dict[str, tuple[str, Callable[[ModelRow], str]]] = {
    "median\nerror": (
        "Root mean square of the position error one horizon ahead: the median over the frames",
        lambda row: _short(row.error_median),
    ),
    "error at\nthe end": ("The same at the last frame", lambda row: _short(row.error_end)),
    "valid\ntime": ("When the error of its chained roll-out passes a tenth of the truth's RMS radius", _valid),
    "equi-\nvariance": (
        "How far the forecast of the turned world is from the turned forecast, relative to its size",
        lambda row: "-" if row.equivariance is None else f"{row.equivariance:.1e}",
    ),
    "evalu-\nations": (
        "Passes over all pairs in one forecast (force evaluations, message rounds)",
        lambda row: "-" if row.evaluations is None else f"{row.evaluations:.4g}",
    ),
    "law\ncalls": (
        "Calls of the learned law for each pair in one forecast, close pairs sub-stepped; - where it has none",
        lambda row: "-" if row.force_evaluations is None else f"{row.force_evaluations:.4g}",
    ),
    "ms a\nframe": (
        "Time of one forecast, all frames forecast together, on this machine",
        lambda row: "-" if row.milliseconds is None else f"{row.milliseconds:.3g}",
    ),
}
"""Heads of the columns after the model's name, what they mean, and their text in a row."""


def outdated(state: ViewState) -> bool:
    """Whether the table belongs to another state than the one shown, the models and their effort apart."""
    table = state.models
    if table.setup is None or state.result is None:
        return False
    return _state_of(table.setup) != _state_of(state.result.setup)


def _state_of(setup: Setup) -> Setup:
    return replace(setup, model="", contrast="", effort=Effort(), contrast_effort=Effort())


def standing(table: ModelTable, stale: bool) -> str:
    """A line about the table as a whole."""
    if table.progress is not None:
        return f"measuring … {len(table.rows)} done"
    if not table.rows:
        return "not measured yet"
    if stale:
        return "of another state: measure again"
    return "click a row to forecast with it"
