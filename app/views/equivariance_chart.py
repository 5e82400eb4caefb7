"""Equivariance errors along the time: of the models, of the engine, and what chaos would make of round-off."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.viewmodel.state.results import ComparisonResult
from app.viewmodel.state.symmetry import NAMES
from app.viewmodel.state.view_state import ViewState
from app.views.curve_plot import use_theme
from app.views.widgets import filled
from surrogate.render.captions import decade
from surrogate.render.theme import THEMES, Theme

FLOOR = 1e-17
"""Errors below this are drawn here on the logarithmic axis."""

TIP = (
    "|f(g x) - g f(x)| / |f| for a transformation g of the kind chosen on the left. The engine's is that of the\n"
    "whole run up to a frame. Dashed: a perturbation as small as round-off, as the motion itself makes it grow."
)


class EquivarianceChart(QWidget):
    """One plot, a choice of the kind of transformation, the names of the curves."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("charts")
        self.kind = QComboBox()
        self.kind.addItems(NAMES)
        self.kind.setAccessibleName("kind of transformation")
        self.kind.activated.connect(lambda: self.show_state(self._state) if self._state else None)
        self.names = QLabel()
        side = filled(QVBoxLayout(), self.kind, (self.names, 1))
        self.plot = pg.PlotWidget()
        self.plot.setMenuEnabled(False)
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.hideButtons()
        self.plot.setMinimumHeight(96)
        self.plot.setLogMode(y=True)
        self.plot.setToolTip(TIP)
        self._cursor = pg.InfiniteLine(angle=90)
        self.plot.addItem(self._cursor, ignoreBounds=True)
        filled(QHBoxLayout(self), side, (self.plot, 1), margins=(8, 0, 8, 4))
        self._state: ViewState | None = None
        self._shown: tuple[object, ...] = ()
        self._theme, self._unit = "", 1.0

    def show_state(self, state: ViewState) -> None:
        """Draw the curves if they changed, and move the cursor."""
        self._state = state
        if state.view.theme != self._theme:
            self._theme = state.view.theme
            use_theme(self.plot, self._cursor, THEMES[self._theme])  # also before there is anything to draw
        result = state.result
        if result is None:
            return
        key = (id(result), state.view.theme, self.kind.currentText())
        if key != self._shown and result.readable:
            self._shown = key
            self._draw(result, THEMES[state.view.theme])
        with QSignalBlocker(self._cursor):
            self._cursor.setValue(state.time / self._unit)

    def _draw(self, result: ComparisonResult, theme: Theme) -> None:
        self.plot.plotItem.clearPlots()
        comparison, contrast = result.comparison, result.contrast
        times = comparison.truth.times
        self._unit = decade(float(times[-1] - times[0]))
        self.plot.getAxis("bottom").setScale(self._unit)
        sources = {
            "model": (comparison.model_name, comparison.truth.times, theme.forecast),
            "engine": ("engine", times, theme.truth),
        }
        if contrast is not None:
            sources["contrast"] = (contrast.model_name, contrast.truth.times, theme.warning)
        names = []
        for key, (name, at, colour) in sources.items():
            if key not in result.symmetry:
                continue
            symmetry = result.symmetry[key]
            errors = np.maximum(symmetry.errors[self.kind.currentText()], FLOOR)
            self.plot.plot(at[symmetry.frames] / self._unit, errors, pen=pg.mkPen(colour, width=1.4))
            names.append(f"<span style='color:{colour}'>{name}</span>")
        if result.growth is not None:
            grown = np.maximum(np.finfo(float).eps * result.growth, FLOOR)
            pen = pg.mkPen(theme.muted, width=1.0, style=Qt.PenStyle.DashLine)
            self.plot.plot(times / self._unit, grown, pen=pen)
            names.append(f"<span style='color:{theme.muted}'>chaos of round-off</span>")
        self.names.setText("<br>".join(names))
        self.plot.setXRange(float(times[0]) / self._unit, float(times[-1]) / self._unit, padding=0.01)
