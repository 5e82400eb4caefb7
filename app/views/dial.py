"""A dial for the one angle of a plane: drag its hand."""

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget

from surrogate.render.theme import THEMES

SIZE = 108


def angle_at(x: float, y: float) -> float:
    """The angle of a point from the centre of the dial, x to the right and y up, in (-180, 180] [degree]."""
    return math.degrees(math.atan2(y, x))


class Dial(QWidget):
    """Shows an angle, counted anticlockwise from the right.

    Parameters
    ----------
    turned : callable
        Told the angle, the keys that are held, and whether a drag begins.
    nudged : callable
        Told the notches of the wheel and the keys that are held.
    """

    def __init__(
        self,
        turned: Callable[[float, Qt.KeyboardModifier, bool], None],
        nudged: Callable[[float, Qt.KeyboardModifier], None],
    ) -> None:
        super().__init__()
        self._turned, self._nudged = turned, nudged
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
        """Turn the hand there."""
        self._turn(event, True)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (Qt's name)
        """Turn the hand along."""
        self._turn(event, False)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802  (Qt's name)
        """Turn by a notch."""
        self._nudged(event.angleDelta().y() / 120.0, event.modifiers())
        event.accept()

    def _turn(self, event: QMouseEvent, begins: bool) -> None:
        place = event.position()
        angle = angle_at(place.x() - self.width() / 2, self.height() / 2 - place.y())
        self._turned(angle, event.modifiers(), begins)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """A circle with a mark every 15 degrees, longer ones every 45, and the hand."""
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
