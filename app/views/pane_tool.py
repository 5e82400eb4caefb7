"""What takes the left mouse button in the truth pane and draws over it: the base of the drawing tools."""

from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.viewmodel.presenters.screen import Rectangle
from app.viewmodel.session import Session
from app.viewmodel.state.view_state import ViewState
from app.views.viewport import Viewport
from physics.types import FloatArray

Pane = tuple[FloatArray, Rectangle]
"""Matrix from the drawn space to clip coordinates, (4, 4) float64, and where the pane is [device pixel]."""


class PaneTool(QObject):
    """A mode of the truth pane: a tool says when it is on, what it paints, in `eventFilter` what the mouse does.

    Attributes
    ----------
    canvas : Canvas
        What it paints on.
    """

    def __init__(self, viewport: Viewport, session: Session) -> None:
        super().__init__(viewport.widget)
        self._viewport, self._session = viewport, session
        self._watched: Any = None
        self.canvas = Canvas(viewport.widget, self)

    def is_on(self, state: ViewState) -> bool:
        """Whether the mode is on."""
        raise NotImplementedError

    def paint(self, painter: QPainter, state: ViewState, pane: Pane) -> None:
        """Draw over the truth pane, in pixels of the canvas; called while the mode is on."""
        raise NotImplementedError

    def show_state(self, state: ViewState) -> None:
        """Draw the mode, and watch the mouse from the time there are panes."""
        plotter = self._viewport.plotter
        if plotter is not None and self._watched is None:
            self._watched = plotter
            plotter.installEventFilter(self)
            plotter.frameSwapped.connect(self.canvas.follow)
        self.canvas.show_mode(self.is_on(state))

    def place(self) -> None:
        """Keep what is drawn over the panes when these change their size."""
        if self.canvas.isVisible():
            self.canvas.setGeometry(self._viewport.widget.rect())

    def pane(self) -> Pane | None:
        """The truth pane in device pixels from below left; None before there is one."""
        found, painter = None if self._watched is None else first_pane(self._watched), self._viewport.painter
        if found is None or painter is None or painter.unit == 1.0:
            return found
        matrix, rectangle = found
        return matrix / np.array([painter.unit] * 3 + [1.0]), rectangle

    def pixel(self, place: QPointF) -> tuple[float, float]:
        """A place of the panes' widget in device pixels from below left."""
        ratio = self._watched.devicePixelRatioF()
        return place.x() * ratio, (self._watched.height() - place.y()) * ratio

    def repaint_canvas(self, canvas: "Canvas") -> None:
        """Paint the mode of the state that is shown now."""
        state, pane = self._session.state, self.pane()
        if pane is None or not self.is_on(state):
            return
        painter = QPainter(canvas)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(canvas.area(pane[1]))
        self.paint(painter, state, pane)
        painter.end()


class Canvas(QWidget):
    """Lies over the panes and lets the mouse through."""

    def __init__(self, host: QWidget, tool: PaneTool) -> None:
        super().__init__(host)
        self._host, self._tool = host, tool
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_mode(self, wanted: bool) -> None:
        """Show what is drawn, anew, or nothing."""
        if wanted != self.isVisible():
            self.setVisible(wanted)
        if wanted:
            self.setGeometry(self._host.rect())
            self.raise_()
            self.update()

    def follow(self) -> None:
        """The camera may have moved."""
        if self.isVisible():
            self.update()

    def area(self, rectangle: Rectangle) -> QRectF:
        """A rectangle of device pixels in those of this widget."""
        left, bottom, width, height = (v / self.devicePixelRatioF() for v in rectangle)
        return QRectF(left, self.height() - bottom - height, width, height)

    def points(self, pixels: FloatArray) -> list[QPointF]:
        """Places (n, 2) in device pixels from below left in those of this widget."""
        ratio = self.devicePixelRatioF()
        return [QPointF(x / ratio, self.height() - y / ratio) for x, y in pixels.tolist()]

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """What the tool draws."""
        self._tool.repaint_canvas(self)


def first_pane(plotter: Any) -> Pane | None:
    """The first pane of the GL widget; None while it has no size."""
    from surrogate.render.painter import camera_matrix

    renderer = plotter.renderers[0]
    ratio = plotter.devicePixelRatioF()
    width, height = plotter.width() * ratio, plotter.height() * ratio
    x0, y0, x1, y1 = renderer.GetViewport()
    rectangle = (x0 * width, y0 * height, (x1 - x0) * width, (y1 - y0) * height)
    if rectangle[2] <= 0 or rectangle[3] <= 0:
        return None
    return camera_matrix(renderer.GetActiveCamera(), rectangle[2] / rectangle[3]), rectangle
