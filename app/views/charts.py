"""Live curves with a time cursor: error (with the growth of a tiny perturbation) and energy error."""

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QGraphicsItem, QHBoxLayout, QWidget

from app.viewmodel.readouts import energy_errors
from app.viewmodel.session import Session
from app.viewmodel.state import ViewState
from app.viewmodel.work import PERTURBATION, Prepared
from surrogate.render.theme import THEMES, Theme

CURVES_MILLISECONDS = 10
"""From a new comparison to its curves: its scene is painted first, in a turn of the event loop before theirs."""

FLOOR = 1e-9
"""Errors below this are drawn here on the logarithmic axis."""

SYMLOG_LINEAR = 0.003
SYMLOG_TICKS = (-100.0, -10.0, -1.0, -0.1, -0.01, -0.001, 0.0, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0)

ENERGY_TIP = (
    "Energy of the forecast less that of the truth at the start, as a share of the mean kinetic energy.\n"
    "Every frame is a forecast of its own, so the curve need not be smooth; where two opposite charges pass\n"
    "each other closely, a small error of their distance is a large one of their energy."
)

FloatArray = NDArray[np.float64]


class Charts(QWidget):
    """Two plots side by side."""

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
        self._error = pg.PlotWidget()
        self._energy = pg.PlotWidget()
        self._cursors = []
        for plot in (self._error, self._energy):
            plot.setMenuEnabled(False)
            plot.setMouseEnabled(x=False, y=False)
            plot.hideButtons()
            plot.setMinimumHeight(96)
            for axis in ("left", "bottom"):  # the moving cursor repaints the plot: keep the axes as pictures
                plot.getAxis(axis).setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
            cursor = pg.InfiniteLine(angle=90)
            plot.addItem(cursor, ignoreBounds=True)
            self._cursors.append(cursor)
            layout.addWidget(plot)
        self._error.setLogMode(y=True)
        self._energy.setToolTip(ENERGY_TIP)
        self._shown: tuple[object, ...] = ()

    def show_state(self, state: ViewState) -> None:
        """Move the cursor; a new comparison gets its curves a moment later."""
        if state.prepared is not self._awaited:
            self._awaited = state.prepared
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
        prepared = state.prepared
        if prepared is None:
            return
        key = (id(prepared), state.view.theme, state.view.show_rollout)
        if key != self._shown and prepared.measured:
            self._shown = key
            self._draw(prepared, THEMES[state.view.theme], state.view.show_rollout)
        for cursor in self._cursors:
            cursor.setValue(state.time)

    def _draw(self, prepared: Prepared, theme: Theme, with_rollout: bool) -> None:
        comparison = prepared.comparison
        times = comparison.truth.times
        for plot, title in ((self._error, "error: RMSE per coordinate (log)"), (self._energy, "energy")):
            for item in plot.listDataItems():
                plot.removeItem(item)
            plot.setBackground(theme.panel)
            plot.setTitle(title, color=theme.muted, size="9pt")
            for axis in ("left", "bottom"):
                plot.getAxis(axis).setPen(theme.line)
                plot.getAxis(axis).setTextPen(theme.muted)
            plot.getAxis("left").setWidth(52)
            plot.showGrid(x=False, y=True, alpha=0.15)
        for cursor in self._cursors:
            cursor.setPen(pg.mkPen(theme.text, width=1))
        curves = [(comparison.position_rmse(), theme.forecast, Qt.PenStyle.SolidLine)]
        if with_rollout and comparison.rollout is not None:
            curves.append((comparison.position_rmse(comparison.rollout), theme.rollout, Qt.PenStyle.SolidLine))
        if prepared.contrast is not None and len(prepared.contrast.truth.times) == len(times):
            curves.append((prepared.contrast.position_rmse(), theme.warning, Qt.PenStyle.SolidLine))
        size = prepared.comparison.truth.positions[0].size
        grown = PERTURBATION * prepared.growth / np.sqrt(size)
        curves.append((grown, theme.muted, Qt.PenStyle.DashLine))
        for values, colour, style in curves:
            pen = pg.mkPen(colour, width=1.2, style=style)
            self._error.plot(times, np.maximum(values, FLOOR), pen=pen)
        self._draw_energy(prepared, theme, with_rollout)
        for plot in (self._error, self._energy):
            plot.setXRange(float(times[0]), float(times[-1]), padding=0.01)

    def _draw_energy(self, prepared: Prepared, theme: Theme, with_rollout: bool) -> None:
        colours = {"truth": theme.truth, "forecast": theme.forecast, "rollout": theme.rollout}
        colours["second"] = theme.warning
        times = prepared.comparison.truth.times
        errors = energy_errors(prepared)
        shown = {k: symlog(v) for k, v in errors.items() if k != "rollout" or with_rollout}
        for name, values in sorted(shown.items(), key=lambda item: item[0] == "truth"):  # the truth on top
            self._energy.plot(times, values, pen=pg.mkPen(colours[name], width=1.2))
        title = "energy error / kinetic energy (symlog)" if errors else "energy: law unknown"
        if prepared.comparison.truth.system.law == "reference":
            title = "energy change / kinetic (not conserved)"
        self._energy.setTitle(title, color=theme.muted, size="9pt")
        if shown:
            low = min(float(v.min()) for v in shown.values())
            high = max(float(v.max()) for v in shown.values())
            least = float(symlog(np.array(2 * SYMLOG_LINEAR)))  # a perfect forecast stays a flat line
            top = float(symlog(np.array(SYMLOG_TICKS[-1])))  # what runs further away leaves the chart
            low, high = max(min(low, -least), -top), min(max(high, least), top)
            self._energy.setYRange(low, high, padding=0.06)
            at = symlog(np.array(SYMLOG_TICKS))
            far = np.abs(at) > 0.11 * (high - low)  # too near to 0 to be read
            ticks = [(y, f"{v:g}") for y, v, keep in zip(at, SYMLOG_TICKS, far, strict=True) if keep or v == 0]
            self._energy.getAxis("left").setTicks([ticks])


def symlog(values: FloatArray) -> FloatArray:
    """Sign and logarithm of the size, linear below SYMLOG_LINEAR: shows a spike and a whisker on one axis."""
    return np.asarray(np.sign(values) * np.log10(1.0 + np.abs(values) / SYMLOG_LINEAR))
