"""Live curves with a time cursor: error (with the growth of a tiny perturbation) and energy."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGraphicsItem, QHBoxLayout, QWidget

from app.viewmodel.state import ViewState
from app.viewmodel.work import PERTURBATION, Prepared
from surrogate.render.theme import THEMES, Theme

FLOOR = 1e-9
"""Errors below this are drawn here on the logarithmic axis."""


class Charts(QWidget):
    """Two plots side by side."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
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
        self._shown: tuple[object, ...] = ()

    def show(self, state: ViewState) -> None:  # type: ignore[override]
        """Draw the curves if they changed, and move the cursor."""
        prepared = state.prepared
        if prepared is None:
            return
        key = (id(prepared), state.view.theme, state.view.show_rollout)
        if key != self._shown:
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
        times = prepared.comparison.truth.times
        shown = {k: v for k, v in prepared.energies.items() if k != "rollout" or with_rollout}
        for name, values in shown.items():
            self._energy.plot(times, values, pen=pg.mkPen(colours[name], width=1.2))
        title = "energy" if prepared.energies else "energy: law unknown"
        if prepared.comparison.truth.system.law == "reference":
            title = "energy (clamped law: not conserved)"
        self._energy.setTitle(title, color=theme.muted, size="9pt")
        if "truth" in shown:  # a forecast that runs away must not flatten the truth
            truth = shown["truth"]
            spread = max(float(np.ptp(truth)), 0.15 * float(np.abs(truth).mean()), 0.05)
            low = min(float(np.percentile(v, 5)) for v in shown.values())
            high = max(float(np.percentile(v, 95)) for v in shown.values())
            low, high = max(low, float(truth.min()) - 4 * spread), min(high, float(truth.max()) + 4 * spread)
            self._energy.setYRange(low - 0.3 * spread, high + 0.3 * spread, padding=0)
