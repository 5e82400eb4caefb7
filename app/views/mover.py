"""Moving particles in the truth pane: the mouse drags them and the tips of their velocities; arrows show it."""

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen, QPolygonF

from app.viewmodel.presenters.edited_system import drawing, in_view
from app.viewmodel.presenters.screen import unprojected
from app.viewmodel.session import Session
from app.viewmodel.state.view_state import ViewState
from app.views.pane_tool import Pane, PaneTool
from app.views.viewport import Viewport
from physics.types import FloatArray
from surrogate.render.picking import on_screen
from surrogate.render.theme import THEMES

HEAD = 9.0
"""Length of an arrow's head [pixel]."""

STILL = 4.0
"""A press that moves no further is a click, which selects [pixel]."""

SHORTEST = 3.0
"""A shorter arrow is not drawn [pixel]."""

MODIFIERS = Qt.KeyboardModifier


class ParticleMover(PaneTool):
    """Takes the left mouse button on a particle of the truth pane; elsewhere it is the camera's."""

    def __init__(self, viewport: Viewport, session: Session) -> None:
        super().__init__(viewport, session)
        self._down = self._moves = False
        self._start = self._last = QPointF()

    def is_on(self, state: ViewState) -> bool:
        """While particles are moved."""
        return state.moving is not None

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
        to = unprojected(*self.pixel(place), through, *pane)
        if not moving.velocity:  # by where it was taken, not by its middle
            to = through + to - unprojected(*self.pixel(self._last), through, *pane)
        self._last = place
        self._session.moving.drag(to)

    def paint(self, painter: QPainter, state: ViewState, pane: Pane) -> None:
        """A frame around the pane, an arrow for each velocity, that of the held or selected particle stronger."""
        edited = drawing(state)
        if edited is None or state.moving is None or not in_view(state):
            return
        theme = THEMES[state.view.theme]
        painter.setPen(QPen(QColor(theme.warning), 2.0))
        painter.drawRect(self.canvas.area(pane[1]).adjusted(1.0, 1.0, -1.0, -1.0))
        (feet, before, _), (tips, behind, _) = (on_screen(p, *pane) for p in (edited.places, edited.tips))
        chosen = state.selection.particles[-1:]
        for k in np.flatnonzero(np.isfinite(before) & np.isfinite(behind)).tolist():
            foot, tip = (np.array(p.toTuple()) for p in self.canvas.points(np.stack([feet[k], tips[k]])))
            strong = (k == state.moving.particle) or (k in chosen)
            colour, thick = (theme.warning, 2.4) if strong else (theme.text, 1.6)
            _arrow(painter, foot, tip, QColor(colour), thick)


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
