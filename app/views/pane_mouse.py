"""The mouse over the panes: click to pick a particle, double click for one pane alone, rest for a tool tip."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QHelpEvent, QMouseEvent
from PySide6.QtWidgets import QToolTip, QWidget

STILL = 4.0
"""A press that moves further than this turns the camera and is no click [pixel]."""

TITLES = 170
"""Height of the words at the head of the panes, which have tool tips [pixel]."""


class PaneMouse(QObject):
    """Watches the mouse, which the camera gets all the same.

    Parameters
    ----------
    host : QWidget
        Holds the panes.
    particle_at : callable
        (x, y) in pixels of `host` -> pane and particle, or None.
    pane_at : callable
        (x, y) -> which pane.
    clicked : callable
        (particle, whether Shift is down).
    doubled : callable
        (pane).
    words : callable
        What to say of a particle.
    titles : callable
        The words at the head of each pane.
    """

    def __init__(
        self,
        host: QWidget,
        particle_at: Callable[[float, float], tuple[int, int] | None],
        pane_at: Callable[[float, float], int],
        clicked: Callable[[int, bool], None],
        doubled: Callable[[int], None],
        words: Callable[[int], str],
        titles: Callable[[], list[str]],
    ) -> None:
        super().__init__(host)
        self._host = host
        self._particle_at, self._pane_at = particle_at, pane_at
        self._clicked, self._doubled = clicked, doubled
        self._words, self._titles = words, titles
        self._pressed: QPointF | None = None

    def tip(self, x: float, y: float) -> str:
        """What is said of a place: of the particle there, else the whole words at the head of the pane."""
        found = self._particle_at(x, y)
        if found is not None:
            return self._words(found[1])
        titles, pane = self._titles(), self._pane_at(x, y)
        return titles[pane] if y < TITLES and pane < len(titles) else ""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Never keeps an event but the one that asks for a tool tip."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = self._host.mapFromGlobal(event.globalPos())
            QToolTip.showText(event.globalPos(), self.tip(at.x(), at.y()), self._host)
            return True
        if watched is self._host:  # the panes lie on it: their clicks are theirs
            return False
        if isinstance(event, QMouseEvent) and event.button() == Qt.MouseButton.LeftButton:
            place = event.position()
            if event.type() == QEvent.Type.MouseButtonPress:
                self._pressed = place
            elif event.type() == QEvent.Type.MouseButtonDblClick:
                self._pressed = None
                self._doubled(self._pane_at(place.x(), place.y()))
            elif event.type() == QEvent.Type.MouseButtonRelease and self._pressed is not None:
                moved = place - self._pressed
                self._pressed = None
                if abs(moved.x()) + abs(moved.y()) <= STILL:
                    self._click(place, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        return False

    def _click(self, place: QPointF, add: bool) -> None:
        found = self._particle_at(place.x(), place.y())
        if found is not None:
            self._clicked(found[1], add)
