"""The grid of rotation planes: a cell for each pair of axes."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QGridLayout, QPushButton, QWidget

from app.viewmodel.session import Session
from app.views.dial import snap_of, turn_by_notches
from app.views.widgets import discard

DRAG_DEGREES = 0.5
"""A pixel of dragging a cell to the right, or up [degree]."""

FOLDED = 6
"""Dimensions from which the triangle of cells is folded into a rectangle."""

SLACK = 4
"""A press that moves less than this is a click [pixel]."""


class PlaneCell(QPushButton):
    """One cell: click selects, drag and wheel turn, right click reverses, double click spins."""

    def __init__(self, session: Session, i: int, j: int, text: str = "") -> None:
        super().__init__(text or f"{i}-{j}")
        self.setObjectName("plane")
        self.setCheckable(True)
        self.setMinimumWidth(24)
        self.setToolTip(
            f"Rotation plane of axes x{i} and x{j}. Click selects; drag or wheel turns (Shift: steps of 5°, "
            "Ctrl: 45°); right click reverses; double click spins"
        )
        self.setAccessibleName(f"rotation plane {i}-{j}")
        self._session, self._plane = session, (i, j)
        self._pressed: tuple[float, float, float] | None = None
        self._turning = False
        self.clicked.connect(self._select)

    def _select(self) -> None:
        self._session.world.select_plane(*self._plane)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802  (Qt's name)
        """Turn a notch."""
        notches = event.angleDelta().y() / 120.0
        if notches:
            self._select()
            turn_by_notches(self._session, notches, event.modifiers())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (Qt's name)
        """Begin a click or a drag; the right button reverses."""
        if event.button() == Qt.MouseButton.RightButton:
            self._session.world.reverse(*self._plane)
            return
        self._select()
        self._turning = False
        place = event.position()
        self._pressed = (place.x(), place.y(), self._session.state.plane_degrees)
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (Qt's name)
        """Turn, once it is a drag."""
        if self._pressed is None or not event.buttons() & Qt.MouseButton.LeftButton:
            return
        x, y, start = self._pressed
        place = event.position()
        along = (place.x() - x) + (y - place.y())
        if self._turning or abs(along) >= SLACK:
            begins, self._turning = not self._turning, True
            self._session.world.turn_to(start + DRAG_DEGREES * along, snap_of(event.modifiers()), begins=begins)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (Qt's name)
        """End it."""
        self._pressed = None
        if event.button() == Qt.MouseButton.LeftButton:
            super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (Qt's name)
        """Spin, or stop."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._select()
            self._session.world.toggle_spin()


def cell_place(n_dims: int, i: int, j: int) -> tuple[int, int]:
    """Row and column of the plane of axes i and j > i."""
    above = n_dims - 1 - i  # this row has as many cells as that one leaves free
    if n_dims >= FOLDED and above < i:
        return above, j - i - 1
    return i, j - 1


class PlaneMatrix(QWidget):
    """The cells of n dimensions: the upper triangle of the pairs of axes; in space one for each axis.

    From FOLDED dimensions on the short rows at the end stand where the long ones leave room: half the height.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.cells: dict[tuple[int, int], PlaneCell] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(3)

    def rebuild(self, n_dims: int) -> None:
        """Make the cells."""
        discard(self._grid, self.cells.values())
        self.cells = {}
        for i in range(n_dims):
            for j in range(i + 1, n_dims):
                about = 3 - i - j  # in three dimensions the plane has an axis
                text = f"about x{about}" if n_dims == 3 else ""
                cell = self.cells[i, j] = PlaneCell(self._session, i, j, text)
                place = (0, about) if n_dims == 3 else cell_place(n_dims, i, j)
                self._grid.addWidget(cell, *place)

    def show_plane(self, plane: tuple[int, int]) -> None:
        """Mark the selected one."""
        for mine, cell in self.cells.items():
            cell.setChecked(mine == plane)
