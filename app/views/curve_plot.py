"""A plot of curves over time: its legend is the read-out, a click goes to a time, the wheel zooms."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QGraphicsItem, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.views.widgets import filled
from physics.types import FloatArray
from surrogate.render.captions import decade, moment, short_number
from surrogate.render.theme import Theme


@dataclass(frozen=True, eq=False)
class Curve:
    """What is drawn and read.

    Attributes
    ----------
    name : str
    values : (n_frames,) float64
        As they are read.
    drawn : (n_frames,) float64
        As they are drawn: the same, or on the scale of the axis.
    colour : str
    dashed : bool
    width : float [pixel]
    """

    name: str
    values: FloatArray
    drawn: FloatArray
    colour: str
    dashed: bool = False
    width: float = 1.2


class _TimeBox(pg.ViewBox):  # type: ignore[misc]
    """Click and drag go to a time, the wheel zooms the time axis, a double click shows all of it."""

    def __init__(self, sought: Callable[[float], None], reset: Callable[[], None]) -> None:
        super().__init__(enableMenu=False)
        self._sought, self._reset = sought, reset
        self.setMouseEnabled(x=True, y=False)

    def mouseClickEvent(self, event: object) -> None:  # noqa: N802  (pyqtgraph's name)
        """Seek, or show all."""
        if event.button() == Qt.MouseButton.LeftButton:  # type: ignore[attr-defined]
            event.accept()  # type: ignore[attr-defined]
            if event.double():  # type: ignore[attr-defined]
                self._reset()
            else:
                self._sought(self.mapToView(event.pos()).x())  # type: ignore[attr-defined]

    def mouseDragEvent(self, event: object, axis: object = None) -> None:  # noqa: N802  (pyqtgraph's name)
        """Seek along."""
        if event.button() == Qt.MouseButton.LeftButton:  # type: ignore[attr-defined]
            event.accept()  # type: ignore[attr-defined]
            self._sought(self.mapToView(event.pos()).x())  # type: ignore[attr-defined]


def log_plot() -> pg.PlotWidget:
    """A plot with a logarithmic vertical axis that the mouse does not move."""
    plot = pg.PlotWidget(axisItems={"left": LogAxis("left")})
    plot.setMenuEnabled(False)
    plot.setMouseEnabled(x=False, y=False)
    plot.hideButtons()
    plot.setLogMode(y=True)
    return plot


class CurvePlot(QWidget):
    """A head line with the names of the curves, and the plot below it.

    Parameters
    ----------
    title : str
    sought : callable
        Called with the time that is clicked.
    toggled : callable
        Called where the other scale is wanted.
    """

    def __init__(self, title: str, sought: Callable[[float], None], toggled: Callable[[], None]) -> None:
        super().__init__()
        self.title, self.curves = title, tuple[Curve, ...]()
        self._theme: Theme | None = None
        self._times = np.zeros(0)
        self._unit, self._height = 1.0, 1.0  # what is plotted is of order one: Qt takes no 1e-15
        self.legend = QLabel(title)
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.log = self._button("log", "Logarithmic or plain axis", toggled)
        self.log.setCheckable(True)
        self.all = self._button("all", "Show all of the time again (double click in the plot)", self.reset)
        box = _TimeBox(lambda x: sought(x * self._unit), self.reset)
        self.plot = pg.PlotWidget(viewBox=box, axisItems={"left": LogAxis("left")})
        self.plot.hideButtons()
        self.plot.setMinimumHeight(80)
        self.plot.setToolTip("Click or drag: go to that time. Wheel: zoom. Double click: all of it")
        for axis in ("left", "bottom"):  # the moving cursor repaints the plot: keep the axes as pictures
            self.plot.getAxis(axis).setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self.now = pg.InfiniteLine(angle=90)
        self.plot.addItem(self.now, ignoreBounds=True)
        self.plot.scene().sigMouseMoved.connect(self._hover)
        self.plot.getViewBox().sigXRangeChanged.connect(self._zoomed)
        head = filled(QHBoxLayout(), (self.legend, 1), self.all, self.log, margins=(6, 0, 0, 0), spacing=4)
        filled(QVBoxLayout(self), head, (self.plot, 1), spacing=0)
        self.all.hide()
        self._hovered: float | None = None

    def _button(self, words: str, tip: str, clicked: Callable[[], None]) -> QToolButton:
        made = QToolButton()
        made.setText(words)
        made.setToolTip(tip)
        made.setObjectName("tiny")
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        made.clicked.connect(lambda: clicked())
        return made

    def use_theme(self, theme: Theme) -> None:
        """Colours of axes, background and cursor."""
        self._theme = theme
        use_theme(self.plot, self.now, theme)

    def draw(self, times: FloatArray, curves: tuple[Curve, ...]) -> None:
        """Replace the curves; the zoom stays where the times are the same."""
        other = not np.array_equal(times, self._times)
        self._times, self.curves = times, curves
        self._unit = decade(float(times[-1] - times[0]))
        self.plot.getAxis("bottom").setScale(self._unit)
        self._scale_heights(curves)
        self.plot.plotItem.clearPlots()
        for curve in curves:
            style = Qt.PenStyle.DashLine if curve.dashed else Qt.PenStyle.SolidLine
            if np.isfinite(curve.drawn).any():
                pen = pg.mkPen(curve.colour, width=curve.width, style=style)
                self.plot.plot(times / self._unit, curve.drawn / self._height, pen=pen, connect="finite")
        if other:
            first, last = float(times[0]) / self._unit, float(times[-1]) / self._unit
            pad = 0.01 * max(last - first, 1e-9)
            self.plot.getViewBox().setLimits(xMin=first - pad, xMax=last + pad)
            self.reset()
        self._say()

    def reset(self) -> None:
        """All of the time."""
        if len(self._times):
            first, last = float(self._times[0]) / self._unit, float(self._times[-1]) / self._unit
            self.plot.setXRange(first, last, padding=0.01)

    def show_time(self, time: float) -> None:
        """Move the cursor."""
        self.now.setValue(time / self._unit)

    def show_up_to(self, top: float) -> None:
        """From 0 to a height of the curves as they are drawn."""
        self.plot.setYRange(0.0, top / self._height, padding=0.05)

    def _scale_heights(self, curves: tuple[Curve, ...]) -> None:
        """Heights of order one on a plain axis; logarithms are that by themselves."""
        tops = [float(np.nanmax(np.abs(c.drawn), initial=0.0)) for c in curves]
        logarithmic = self.plot.plotItem.ctrl.logYCheck.isChecked()
        self._height = 1.0 if logarithmic else decade(max(tops, default=0.0))
        self.plot.getAxis("left").setScale(self._height)

    def words_at(self, time: float | None, named: bool = True) -> str:
        """The head line: title and names in their colours, with their values at a time."""
        assert self._theme is not None
        muted, parts = self._theme.muted, [self.title]
        at = None
        if time is not None and len(self._times):
            at = int(np.argmin(np.abs(self._times - time)))
            parts[0] = f"t = {moment(float(self._times[at]), self._times)}"
        words = [f"<span style='color:{muted}'>{parts[0]}</span>"]
        for curve in self.curves:
            sign = "╌" if curve.dashed else "━"
            value = "" if at is None else f" <b>{short_number(float(curve.values[at]))}</b>"
            name = curve.name if named else ""
            words.append(f"<span style='color:{curve.colour}'>{sign}&nbsp;{name}{value}</span>")
        return "&nbsp;&nbsp; ".join(words)

    def _say(self) -> None:
        if self._theme is None:
            return
        self.legend.setText(self.words_at(self._hovered))
        if self._hovered is not None and self.legend.sizeHint().width() > self.legend.width():
            self.legend.setText(self.words_at(self._hovered, named=False))

    def _hover(self, place: QPointF) -> None:
        box = self.plot.getViewBox()
        inside = box.sceneBoundingRect().contains(place)
        hovered = float(box.mapSceneToView(place).x()) * self._unit if inside else None
        if hovered != self._hovered:
            self._hovered = hovered
            self._say()

    def leaveEvent(self, event: object) -> None:  # noqa: N802  (Qt's name)
        """Only names again."""
        self._hovered = None
        self._say()

    def _zoomed(self, *_: object) -> None:
        low, high = self.plot.getViewBox().viewRange()[0]
        whole = float(self._times[-1] - self._times[0]) / self._unit if len(self._times) else 0.0
        self.all.setVisible(high - low < 0.97 * whole)


class LogAxis(pg.AxisItem):  # type: ignore[misc]
    """A logarithmic axis with numbers at 1, 2 and 5 of a decade only: ten of them do not fit a low plot."""

    def logTickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:  # noqa: N802
        """Words of the ticks at some logarithms; empty for no word."""
        steps = 10.0 ** (np.array(values) - np.floor(np.array(values) + 1e-9))
        words = super().logTickStrings(values, scale, spacing)
        named = np.abs(steps[:, None] - [1.0, 2.0, 5.0]).min(axis=1, initial=10.0) < 1e-6
        return [word if here else "" for word, here in zip(words, named, strict=True)]


def use_theme(plot: pg.PlotWidget, cursor: pg.InfiniteLine, theme: Theme) -> None:
    """Colours of a plot's axes, background and time cursor."""
    _colour(plot, theme)
    plot.getAxis("left").setWidth(52)
    plot.showGrid(x=False, y=True, alpha=0.15)
    cursor.setPen(pg.mkPen(theme.text, width=1))


def start_over(plot: pg.PlotWidget, theme: Theme, title: str, numbered: bool) -> None:
    """Take the curves off and write a title; the axes of an empty plot, which say nothing, are not `numbered`."""
    plot.plotItem.clearPlots()
    _colour(plot, theme)
    plot.setTitle(title, color=theme.muted, size="9pt")
    for axis in ("left", "bottom"):
        plot.showAxis(axis, numbered)


def _colour(plot: pg.PlotWidget, theme: Theme) -> None:
    plot.setBackground(theme.panel)
    for axis in ("left", "bottom"):
        plot.getAxis(axis).setPen(theme.line)
        plot.getAxis(axis).setTextPen(theme.muted)
