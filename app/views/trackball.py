"""Alt+drag in the panes: the direction dragged turns into the hidden axis, of the world or (Shift) of the view.

Without Alt the mouse is the camera's.
"""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget

from app.viewmodel.session import Session
from physics.types import FloatArray

Camera = Callable[[], tuple[FloatArray, FloatArray]]
"""Gives what is to the right and up on the screen, unit vectors of the drawn space, (3,) float64 each."""


class Trackball(QObject):
    """An event filter for the panes.

    Parameters
    ----------
    host : QWidget
        Whose mouse it watches, and that of what is put into it.
    session : Session
    camera : callable
    """

    def __init__(self, host: QWidget, session: Session, camera: Camera) -> None:
        super().__init__(host)
        self._session, self._camera = session, camera
        self._last: QPointF | None = None
        self._begins = False
        host.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Take what is done with Alt held."""
        if event.type() == QEvent.Type.ChildPolished:
            child = event.child()  # type: ignore[attr-defined]
            if isinstance(child, QWidget):
                child.installEventFilter(self)  # VTK's widget comes late
        if not isinstance(event, QMouseEvent):
            return False
        if event.type() == QEvent.Type.MouseButtonPress:
            alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
            if alt and event.button() == Qt.MouseButton.LeftButton:
                self._last, self._begins = event.position(), True
                return True
        elif self._last is not None and event.type() == QEvent.Type.MouseMove:
            self._drag(event)
            return True
        elif self._last is not None and event.type() == QEvent.Type.MouseButtonRelease:
            self._last = None
            return True
        return False

    def _drag(self, event: QMouseEvent) -> None:
        assert self._last is not None
        here = event.position()
        moved = (here.x() - self._last.x(), self._last.y() - here.y())
        if moved == (0.0, 0.0):
            return
        self._last = here
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        turns = self._session.basis if shift else self._session.world
        turns.drag(moved, *self._camera(), begins=self._begins)
        self._begins = False
