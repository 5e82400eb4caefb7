"""The hand in the truth pane: drags particles and the tips of their velocities; arrows and a frame show it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app.viewmodel.session import Session
from app.viewmodel.state.moving import drawing, in_view
from app.viewmodel.state.sketch import unprojected
from app.viewmodel.state.view_state import ViewState
from app.views.pane_geometry import Rectangle, first_pane
from app.views.viewport import Viewport
from surrogate.render.picking import on_screen
from surrogate.render.theme import THEMES

FloatArray = NDArray[np.float64]

HEAD = 9.0
"""Length of an arrow's head [pixel]."""

STILL = 4.0
"""A press that moves no further is a click, which selects [pixel]."""

SHORTEST = 3.0
"""A shorter arrow is not drawn [pixel]."""

MODIFIERS = Qt.KeyboardModifier


class ParticleMover(QObject):
    """Takes the left mouse button on a particle of the truth pane; elsewhere it is the camera's."""

    def __init__(self, viewport: Viewport, session: Session) -> None:
        super().__init__(viewport.widget)
        self._viewport, self._session = viewport, session
        self._watched: Any = None
        self._down = self._moves = False
        self._start = self._last = QPointF()
        self.arrows = _Arrows(viewport.widget, self, session)

    def show_state(self, state: ViewState) -> None:
        """Draw the mode, and watch the mouse from the time there are panes."""
        plotter = self._viewport.plotter
        if plotter is not None and self._watched is None:
            self._watched = plotter
            plotter.installEventFilter(self)
            plotter.frameSwapped.connect(self.arrows.follow)
        self.arrows.show_state(state)

    def place(self) -> None:
        """Keep the arrows over the panes when these change their size."""
        if self.arrows.isVisible():
            self.arrows.setGeometry(self._viewport.widget.rect())

    def pane(self) -> tuple[FloatArray, Rectangle] | None:
        """Matrix and rectangle of the truth pane in device pixels from below left; None before there is one."""
        return None if self._watched is None else first_pane(self._watched)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Grab, drag and drop with the left button."""
        if not isinstance(event, QMouseEvent):
            return False
        if self._session.state.moving is None:
            self._down = False
            return False
        if event.type() == QEvent.Type.MouseButtonPress:
            free = not event.modifiers() & MODIFIERS.AltModifier  # with Alt it turns the hidden axis
            return event.button() == Qt.MouseButton.LeftButton and free and self._press(event)
        if not self._down:
            return False
        if event.type() == QEvent.Type.MouseMove:
            self._drag(event.position())
        elif event.type() == QEvent.Type.MouseButtonRelease and event.button() == Qt.MouseButton.LeftButton:
            self._down = False
            self._session.moving.drop()
        return True

    def _press(self, event: QMouseEvent) -> bool:
        place = event.position()
        found = self._viewport.particle_at(place.x(), place.y())
        if found is None or found[0] != 0 or not in_view(self._session.state):
            return False
        self._session.moving.grab(found[1], bool(event.modifiers() & MODIFIERS.ShiftModifier))
        self._down, self._moves, self._start, self._last = True, False, place, place
        return True

    def _drag(self, place: QPointF) -> None:
        """Along the plane that faces the camera, through the particle or the tip of its velocity."""
        moving, edited, pane = self._session.state.moving, drawing(self._session.state), self.pane()
        if pane is None or edited is None or moving is None or moving.particle is None:
            return
        self._moves = self._moves or (place - self._start).manhattanLength() > STILL
        if not self._moves:
            return
        through = (edited.tips if moving.velocity else edited.places)[moving.particle]
        to = unprojected(*self._pixel(place), through, *pane)
        if not moving.velocity:  # by where it was taken, not by its middle
            to = through + to - unprojected(*self._pixel(self._last), through, *pane)
        self._last = place
        self._session.moving.drag(to)

    def _pixel(self, place: QPointF) -> tuple[float, float]:
        ratio = self._watched.devicePixelRatioF()
        return place.x() * ratio, (self._watched.height() - place.y()) * ratio


class _Arrows(QWidget):
    """Lies over the panes and lets the mouse through: the velocities, and a frame that shows the mode."""

    def __init__(self, host: QWidget, mover: ParticleMover, session: Session) -> None:
        super().__init__(host)
        self._host, self._mover, self._session = host, mover, session
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_state(self, state: ViewState) -> None:
        """Draw the mode of this state."""
        wanted = state.moving is not None
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

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """An arrow for each velocity, that of the held or selected particle stronger."""
        state, pane = self._session.state, self._mover.pane()
        edited = drawing(state)
        if edited is None or pane is None or state.moving is None or not in_view(state):
            return
        theme, ratio = THEMES[state.view.theme], self.devicePixelRatioF()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left, bottom, width, height = (v / ratio for v in pane[1])
        room = QRectF(left, self.height() - bottom - height, width, height)
        painter.setClipRect(room)
        painter.setPen(QPen(QColor(theme.warning), 2.0))
        painter.drawRect(room.adjusted(1.0, 1.0, -1.0, -1.0))
        (feet, before, _), (tips, behind, _) = (on_screen(p, *pane) for p in (edited.places, edited.tips))
        chosen = state.selection.particles[-1:]
        for k in np.flatnonzero(np.isfinite(before) & np.isfinite(behind)).tolist():
            foot, tip = (np.array([p[0] / ratio, self.height() - p[1] / ratio]) for p in (feet[k], tips[k]))
            strong = (k == state.moving.particle) or (k in chosen)
            colour, thick = (theme.warning, 2.4) if strong else (theme.text, 1.6)
            _arrow(painter, foot, tip, QColor(colour), thick)
        painter.end()


def _arrow(painter: QPainter, foot: FloatArray, tip: FloatArray, colour: QColor, width: float) -> None:
    """From (2,) to (2,) pixels of the widget."""
    length = float(np.linalg.norm(tip - foot))
    if length < SHORTEST:
        return
    ahead, head = (tip - foot) / length, min(HEAD, length)
    across, base = np.array([-ahead[1], ahead[0]]), tip - head * ahead
    painter.setPen(QPen(colour, width))
    painter.drawLine(QPointF(*foot.tolist()), QPointF(*(tip - 0.8 * head * ahead).tolist()))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    corners = (tip, base + 0.45 * head * across, base - 0.45 * head * across)
    painter.drawPolygon(QPolygonF([QPointF(*corner.tolist()) for corner in corners]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
