"""Live curves with a time cursor: error (with the growth of a tiny perturbation) and energy error."""

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.viewmodel.presenters.readouts import energy_errors
from app.viewmodel.session import Session
from app.viewmodel.state.results import ComparisonResult
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.ground_truth import PERTURBATION
from app.views.curve_plot import Curve, CurvePlot
from physics.types import FloatArray
from surrogate.render.captions import decade, unit_of
from surrogate.render.theme import THEMES, Theme

CURVES_MILLISECONDS = 10
"""From a new comparison to its curves: its scene is painted first, in a turn of the event loop before theirs."""

FLOOR = 1e-9
"""Errors below this are drawn here on the logarithmic axis."""

MOST_SELECTED = 8
"""So many selected particles have a curve of their own, the ones selected last."""

SYMLOG_LINEAR = 0.003
SYMLOG_TICKS = (-100.0, -10.0, -1.0, -0.1, -0.01, -0.001, 0.0, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0)

ERROR_TIP = (
    "Root mean square of the position error, per coordinate. Dashed: what chaos alone makes of a push of 1e-6.\n"
    "Selected particles have a curve of their own."
)

ENERGY_TIP = (
    "Energy of the forecast less that of the truth at the start, as a share of the mean kinetic energy.\n"
    "Every frame is a forecast of its own, so the curve need not be smooth; where two opposite charges pass\n"
    "each other closely, a small error of their distance is a large one of their energy."
)


class Charts(QWidget):
    """Two plots side by side, with one time axis."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._awaited: object = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._show_in_time)
        self.setObjectName("charts")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 4)
        layout.setSpacing(8)
        toggled = lambda: session.picture.toggle("log_curves")  # noqa: E731
        self.error = CurvePlot("RMSE", session.clock.seek_time, toggled)
        self.energy = CurvePlot("energy", session.clock.seek_time, toggled)
        self.error.legend.setToolTip(ERROR_TIP)
        self.energy.legend.setToolTip(ENERGY_TIP)
        self.energy.plot.setXLink(self.error.plot)
        for chart in (self.error, self.energy):
            layout.addWidget(chart)
        self._shown: tuple[object, ...] = ()
        self._theme = ""

    def show_state(self, state: ViewState) -> None:
        """Move the cursor; a new comparison gets its curves a moment later."""
        if state.view.theme != self._theme:
            self._theme = state.view.theme
            for chart in (self.error, self.energy):  # also before there is anything to draw
                chart.use_theme(THEMES[self._theme])
        if state.result is not self._awaited:
            self._awaited = state.result
            self._timer.start(CURVES_MILLISECONDS)
        elif not self._timer.isActive():
            self._show(state)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802  (Qt's name)
        """No curves for a place that is not seen."""
        super().hideEvent(event)
        self._timer.stop()

    def _show_in_time(self) -> None:
        try:
            self._show(self._session.state)
        except Exception as error:  # an exception in a slot would abort the process: show it
            self._session.say(f"no curves: {type(error).__name__}: {error}", "error")

    def _show(self, state: ViewState) -> None:
        """Draw the curves if they changed, and move the cursor."""
        result = state.result
        if result is None:
            return
        view = state.view
        key = (id(result), view.theme, view.show_rollout, view.log_curves, state.selection.particles)
        if key != self._shown and result.readable:
            self._shown = key
            self._draw(result, state)
        for chart in (self.error, self.energy):
            chart.show_time(state.time)

    def _draw(self, result: ComparisonResult, state: ViewState) -> None:
        theme, logarithmic = THEMES[state.view.theme], state.view.log_curves
        for chart in (self.error, self.energy):
            chart.log.setChecked(logarithmic)
        curves = error_curves(result, state, theme)
        self.error.plot.setLogMode(y=logarithmic)
        unit = unit_of(result.comparison, "length")
        self.error.title = f"RMSE [{unit}]" if unit else "RMSE"
        self.error.draw(result.comparison.truth.times, curves)
        if not logarithmic:
            # the growth of a perturbation may leave the chart: it is not what is looked at
            tops = (float(np.nanmax(curve.values, initial=0.0)) for curve in curves if not curve.dashed)
            self.error.show_up_to(max(tops, default=0.0) or 1.0)
        else:
            self.error.plot.enableAutoRange(y=True)
        self._draw_energy(result, theme, state)

    def _draw_energy(self, result: ComparisonResult, theme: Theme, state: ViewState) -> None:
        logarithmic = state.view.log_curves
        colours = {"truth": theme.truth, "forecast": theme.forecast, "rollout": theme.rollout}
        names = {"truth": "truth", "forecast": "forecast", "rollout": "roll-out"}
        colours["second"], names["second"] = theme.warning, "second model"
        errors = energy_errors(result)
        shown = {k: v for k, v in errors.items() if k != "rollout" or state.view.show_rollout}
        self.energy.title = "energy error" if errors else _no_energies(result)
        system = result.comparison.truth.system
        if system.law == "reference" or system.fields.drag:
            self.energy.title = "energy change (not conserved)"
        curves = tuple(
            Curve(names[name], values, symlog(values) if logarithmic else values, colours[name])
            for name, values in sorted(shown.items(), key=lambda item: item[0] == "truth")  # the truth on top
        )
        self.energy.draw(result.comparison.truth.times, curves)
        left = self.energy.plot.getAxis("left")
        left.setTicks(None)
        if curves:
            low = min(float(np.nanmin(curve.drawn, initial=0.0)) for curve in curves)
            high = max(float(np.nanmax(curve.drawn, initial=0.0)) for curve in curves)
            least = float(symlog(np.array(2 * SYMLOG_LINEAR))) if logarithmic else 2 * SYMLOG_LINEAR
            top = float(symlog(np.array(SYMLOG_TICKS[-1]))) if logarithmic else SYMLOG_TICKS[-1]
            # a perfect forecast stays a flat line, what runs further away leaves the chart
            low, high = max(min(low, -least), -top), min(max(high, least), top)
            self.energy.plot.setYRange(low, high, padding=0.06)
            if logarithmic:
                at = symlog(np.array(SYMLOG_TICKS))
                far = np.abs(at) > 0.11 * (high - low)  # too near to 0 to be read
                marks = zip(at, SYMLOG_TICKS, far, strict=True)
                left.setTicks([[(y, f"{v:g}") for y, v, keep in marks if keep or v == 0]])


def _no_energies(result: ComparisonResult) -> str:
    if not result.comparison.law_known:
        return "energy: law unknown"
    return "energy: not measured" if result.measured else "energy"


def error_curves(result: ComparisonResult, state: ViewState, theme: Theme) -> tuple[Curve, ...]:
    """The errors of the forecasts, of the selected particles, and what chaos alone makes of a tiny one."""
    comparison = result.comparison
    floor = FLOOR * decade(float(np.abs(comparison.truth.positions[0]).max()))

    def curve(name: str, values: FloatArray, colour: str, dashed: bool = False, width: float = 1.2) -> Curve:
        drawn = np.maximum(values, floor) if state.view.log_curves else values
        return Curve(name, values, drawn, colour, dashed, width)

    curves = []
    if result.has_any_forecast:
        curves.append(curve(comparison.model_name, result.errors(), theme.forecast))
    if state.view.show_rollout and comparison.rollout is not None:
        curves.append(curve("roll-out", result.errors_of(comparison.rollout), theme.rollout))
    contrast = result.contrast
    if contrast is not None and len(contrast.truth.times) == comparison.truth.n_frames:
        curves.append(curve(contrast.model_name, result.contrast_errors(), theme.warning))
    if result.growth is not None:
        grown = PERTURBATION * result.growth / np.sqrt(comparison.truth.positions[0].size)
        curves.append(curve("1e-6 push", grown, theme.muted, dashed=True))
    chosen = state.selection.particles[-MOST_SELECTED:]
    if chosen and curves:
        errors = comparison.particle_errors() / np.sqrt(comparison.truth.n_dims)  # per coordinate, like the rest
        for particle in chosen:
            last = particle == chosen[-1]
            one = result.where_made(errors[:, particle])
            curves.append(curve(f"#{particle}", one, theme.selection, width=2.4 if last else 1.4))
    return tuple(curves)


def symlog(values: FloatArray) -> FloatArray:
    """Sign and logarithm of the size, linear below SYMLOG_LINEAR: shows a spike and a whisker on one axis."""
    return np.asarray(np.sign(values) * np.log10(1.0 + np.abs(values) / SYMLOG_LINEAR))
