"""The fields of the system: drag and trap, and a table with a row for each axis: E, then the matrix B."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.viewmodel.intents.editor import EditorIntents
from app.viewmodel.state.draft import Draft
from app.viewmodel.state.own_fields import SINGLE, field_values
from surrogate.render.theme import Theme

EQUATION = "m dv/dt = pair forces + q E + q B v − γ v − k x"
LABELS = {"drag": ("drag γ", "Against the velocity: γ v, 0 or more"), "trap": ("trap k", "To the origin: k x")}


class FieldsPage(QWidget):
    """Draws the draft's fields; every number is an intent."""

    def __init__(self, editor: EditorIntents) -> None:
        super().__init__()
        self._editor = editor
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(4)
        self.boxes: dict[str, QLineEdit] = {}
        for name in SINGLE:
            words, tip = LABELS[name]
            label, box = QLabel(words), QLineEdit()
            label.setObjectName("muted")
            box.setAccessibleName(name)
            box.setProperty("tip", tip)
            box.setMaximumWidth(64)
            box.editingFinished.connect(lambda n=name, b=box: editor.set_field(n, b.text()))
            row.addWidget(label)
            row.addWidget(box)
            self.boxes[name] = box
        self.clear = QPushButton("Clear")
        self.clear.setProperty("small", True)
        self.clear.setToolTip("No electric and magnetic field, drag or trap")
        self.clear.clicked.connect(lambda: editor.clear_fields())
        row.addWidget(self.clear)
        row.addStretch(1)
        column.addLayout(row)
        self.table = QTableWidget()
        self.table.setAccessibleName("electric field and magnetic matrix of the system")
        self.table.verticalHeader().setDefaultSectionSize(22)
        self.table.horizontalHeader().setDefaultSectionSize(62)
        self.table.horizontalHeader().setHighlightSections(False)
        self.table.itemChanged.connect(self._changed)
        column.addWidget(self.table, 1)
        self.equation = QLabel(EQUATION)
        self.equation.setObjectName("muted")
        self.equation.setWordWrap(True)
        self.equation.setToolTip("B is antisymmetric: a number for each plane i-j; the other half follows")
        column.addWidget(self.equation)

    def name_at(self, row: int, column: int) -> str:
        """The number that is edited in a cell; empty for the diagonal and below it."""
        if column == 0:
            return f"E{row}"
        return f"B{row}-{column - 1}" if column - 1 > row else ""

    def _changed(self, item: QTableWidgetItem) -> None:
        name = self.name_at(item.row(), item.column())
        if name:
            self._editor.set_field(name, item.text())

    def show_draft(self, draft: Draft, trouble: dict[str, str], theme: Theme) -> None:
        """Draw the draft's numbers."""
        n, values = draft.system.n_dims, field_values(draft.system)
        with QSignalBlocker(self.table):
            if self.table.rowCount() != n:
                self.table.setRowCount(n)
                self.table.setColumnCount(n + 1)
                self.table.setVerticalHeaderLabels([f"x{k}" for k in range(n)])
                self.table.setHorizontalHeaderLabels(["E", *(f"B x{k}" for k in range(n))])
            for row in range(n):
                for column in range(n + 1):
                    self._show_cell(draft, values, trouble, (row, column), theme)
        self.clear.setEnabled(any(values.values()))

    def _show_cell(
        self, draft: Draft, values: dict[str, float], trouble: dict[str, str], at: tuple[int, int], theme: Theme
    ) -> None:
        item = self.table.item(*at)
        if item is None:
            item = QTableWidgetItem()
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(*at, item)
        name = self.name_at(*at)
        if name:
            item.setText(draft.text(name, values[name]))
            item.setToolTip(trouble.get(name, f"{name}: {values[name]!r}"))
            colour = QColor(theme.warning) if name in trouble else None
        else:
            row, column = at
            other = f"B{column - 1}-{row}"
            item.setText(f"{0.0 - values[other]:.4g}" if column - 1 < row else "0")
            item.setToolTip(f"minus {other}" if column - 1 < row else "")
            item.setFlags(Qt.ItemFlag.ItemIsEnabled)
            colour = QColor(theme.muted)
        item.setData(Qt.ItemDataRole.ForegroundRole, colour)
