"""A dial for the angle in a plane: drag its pointer."""

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.viewmodel.intents.world import snapped
from app.viewmodel.session import Session
from surrogate.render.theme import THEMES

SIZE = 108

WHEEL_DEGREES = 5.0


def snap_of(modifiers: Qt.KeyboardModifier) -> float:
    """What the keys that are held snap angles to [degree]; 0 for nothing."""
    if modifiers & Qt.KeyboardModifier.ControlModifier:
        return 45.0
    return 5.0 if modifiers & Qt.KeyboardModifier.ShiftModifier else 0.0


def turn_by_notches(session: Session, notches: float, modifiers: Qt.KeyboardModifier) -> None:
    """Turn the selected plane by notches of a wheel: 5 degrees each, 45 with Ctrl, to a multiple with Shift."""
    snap = snap_of(modifiers)
    degrees = session.state.plane_degrees + max(snap, WHEEL_DEGREES) * notches
    session.world.turn_to(snapped(degrees, snap))


def angle_at(x: float, y: float) -> float:
    """The angle of a point from the centre of the dial, x to the right and y up, in (-180, 180] [degree]."""
    return math.degrees(math.atan2(y, x))


class Dial(QWidget):
    """Shows an angle, counted anticlockwise from the right.

    It is that of the selected plane, which dragging the pointer changes.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._degrees, self._theme = 0.0, "dark"
        self.setFixedHeight(SIZE)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip("Drag to turn the world; Shift snaps to 5°, Ctrl to 45°")
        self.setAccessibleName("angle of the one rotation plane")

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Square."""
        return QSize(SIZE, SIZE)

    def show_angle(self, degrees: float, theme: str) -> None:
        """Draw an angle."""
        if (degrees, theme) != (self._degrees, self._theme):
            self._degrees, self._theme = degrees, theme
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (Qt's name)
        """Turn the pointer there."""
        self._turn(event, True)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (Qt's name)
        """Turn the pointer along."""
        self._turn(event, False)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802  (Qt's name)
        """Turn by a notch."""
        turn_by_notches(self._session, event.angleDelta().y() / 120.0, event.modifiers())
        event.accept()

    def _turn(self, event: QMouseEvent, begins: bool) -> None:
        place = event.position()
        angle = angle_at(place.x() - self.width() / 2, self.height() / 2 - place.y())
        self._session.world.turn_to(angle, snap_of(event.modifiers()), begins=begins)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """A circle with a mark every 15 degrees, longer ones every 45, and the pointer."""
        theme = THEMES[self._theme]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(self.width() / 2, self.height() / 2)
        radius = SIZE / 2 - 6
        painter.setPen(QPen(QColor(theme.line), 2))
        painter.setBrush(QColor(theme.background))
        painter.drawEllipse(QRectF(-radius, -radius, 2 * radius, 2 * radius))
        for mark in range(0, 360, 15):
            inner = radius - (10 if mark % 45 == 0 else 5)
            c, s = math.cos(math.radians(mark)), -math.sin(math.radians(mark))
            painter.setPen(QPen(QColor(theme.muted), 1.2))
            painter.drawLine(QPointF(inner * c, inner * s), QPointF((radius - 2) * c, (radius - 2) * s))
        c, s = math.cos(math.radians(self._degrees)), -math.sin(math.radians(self._degrees))
        end = QPointF((radius - 14) * c, (radius - 14) * s)
        painter.setPen(QPen(QColor(theme.forecast), 3))
        painter.drawLine(QPointF(0, 0), end)
        painter.setBrush(QColor(theme.forecast))
        painter.drawEllipse(end, 4, 4)
