"""The particles of the frame in a table: sortable, the selection in step with the panes, copied as CSV."""

from typing import Any

import numpy as np
from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QVBoxLayout, QWidget

from app.viewmodel.actions import ACTIONS
from app.viewmodel.presenters.particles import ParticleTable, particle_table
from app.viewmodel.session import Session
from app.viewmodel.state.view_state import ViewState
from app.views.host import main_window_of

Index = QModelIndex | QPersistentModelIndex

MEANINGS = {
    "speed": "Of the truth [length/time]",
    "error": "Distance of the forecast from the truth [length]",
    "energy": "Kinetic energy and half the energy of every pair the particle is in [energy]",
}


class ParticleModel(QAbstractTableModel):
    """Rows in the order of one column; numbers, not widgets, so that a new frame costs next to nothing."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.table = ParticleTable((), np.zeros((0, 0)))
        self.order = np.arange(0)
        self._column, self._descending = 0, False

    def show(self, table: ParticleTable) -> bool:
        """Take the numbers of a frame; whether the rows changed their places."""
        fits = table.columns == self.table.columns and table.values.shape == self.table.values.shape
        if not fits:
            self.beginResetModel()
        before = self.order
        self.table = table
        self.order = self._ordered()
        if not fits:
            self.endResetModel()
            return True
        self.dataChanged.emit(self.index(0, 0), self.index(len(self.order) - 1, len(table.columns) - 1))
        return not np.array_equal(before, self.order)

    def _ordered(self) -> Any:
        values = self.table.values
        if not values.size or self._column >= values.shape[1]:
            return np.arange(len(values))
        keys = values[:, self._column]
        return np.argsort(-keys if self._descending else keys, kind="stable")

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """By a column."""
        self.layoutAboutToBeChanged.emit()
        self._column, self._descending = column, order == Qt.SortOrder.DescendingOrder
        self.order = self._ordered()
        self.layoutChanged.emit()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008  (Qt's name, Qt's default)
        """Particles."""
        return 0 if parent.isValid() else len(self.order)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008  (as above)
        """Quantities."""
        return 0 if parent.isValid() else len(self.table.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A number as text, at the right."""
        if role == Qt.ItemDataRole.DisplayRole:
            value = float(self.table.values[self.order[index.row()], index.column()])
            if index.column() == 0:
                return str(int(value))
            return "-" if value != value else f"{value:.3g}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(  # noqa: N802  (Qt's name)
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Names of the quantities."""
        if orientation == Qt.Orientation.Vertical or section >= len(self.table.columns):
            return None
        name = self.table.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return name
        return MEANINGS.get(name) if role == Qt.ItemDataRole.ToolTipRole else None


class _Table(QTableView):
    """Ctrl+C copies all of it as CSV; other keys than those of a table go to the window."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Copy, or what a table does."""
        if event.matches(QKeySequence.StandardKey.Copy):
            ACTIONS["copy-particles"].run(self._session, main_window_of(self))
        else:
            super().keyPressEvent(event)


class ParticlePanel(QWidget):
    """A row a particle."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setObjectName("side")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 4)
        self.model = ParticleModel(self)
        self.table = _Table(session)
        self.table.setModel(self.model)
        self.table.setAccessibleName("particles")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)
        self.table.setToolTip("Click selects, Ctrl or Shift adds; Ctrl+C copies the whole table as CSV")
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.table.verticalHeader().setDefaultSectionSize(20)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().setHighlightSections(False)
        layout.addWidget(self.table)
        self._showing = False
        self.table.selectionModel().selectionChanged.connect(self._chosen)
        self.model.layoutChanged.connect(lambda: self._mark(self._session.state, scroll=False))

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        table = particle_table(state)
        if table is None:
            return
        moved = self.model.show(table)
        if moved or state.selection.particles != self._marked():
            self._mark(state, scroll=state.selection.particles != self._marked())

    def _marked(self) -> tuple[int, ...]:
        rows = {index.row() for index in self.table.selectionModel().selectedRows()}
        chosen = {int(self.model.order[row]) for row in rows}
        wanted = self._session.state.selection.particles
        return wanted if chosen == set(wanted) else tuple(chosen)

    def _mark(self, state: ViewState, scroll: bool) -> None:
        """Select the rows of the selected particles, without telling the session what it knows."""
        rows = [int(np.flatnonzero(self.model.order == p)[0]) for p in state.selection.particles]
        last = self.model.columnCount() - 1
        marked = QItemSelection()
        for row in rows:
            marked.select(self.model.index(row, 0), self.model.index(row, last))
        self._showing = True
        try:
            self.table.selectionModel().select(marked, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            if scroll and rows:
                self.table.scrollTo(self.model.index(rows[-1], 0))
        finally:
            self._showing = False

    def _chosen(self) -> None:
        if self._showing:
            return
        rows = self.table.selectionModel().selectedRows()
        self._session.selection.select(tuple(int(self.model.order[index.row()]) for index in rows))
