"""The fields of the system: drag and trap, and a table with a row for each axis: E, then the matrix B."""

from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QLineEdit, QTableWidgetItem, QVBoxLayout, QWidget

from app.viewmodel.intents.editor import EditorIntents
from app.viewmodel.state.draft import Draft
from app.viewmodel.state.own_fields import SINGLE, field_values
from app.views import widgets as ui
from surrogate.render.theme import Theme

EQUATION = "m dv/dt = pair forces + q E + q B v − γ v − k x"
LABELS = {"drag": ("drag γ", "Against the velocity: γ v, 0 or more"), "trap": ("trap k", "To the origin: k x")}


class FieldsPage(QWidget):
    """Draws the draft's fields; every number is an intent."""

    def __init__(self, editor: EditorIntents) -> None:
        super().__init__()
        self._editor = editor
        head = ui.row(spacing=4)
        self.boxes: dict[str, QLineEdit] = {}
        for name in SINGLE:
            words, tip = LABELS[name]
            box = self.boxes[name] = ui.line(name, partial(editor.set_field, name), tip)
            box.setMaximumWidth(64)
            head.addWidget(ui.label(words))
            head.addWidget(box)
        self.clear = ui.button("Clear", "No electric and magnetic field, drag or trap", editor.clear_fields)
        head.addWidget(self.clear)
        head.addStretch(1)
        self.table = ui.number_table("electric field and magnetic matrix of the system", self._changed)
        tip = "B is antisymmetric: a number for each plane i-j; the other half follows"
        self.equation = ui.label(EQUATION, wraps=True, tip=tip)
        ui.filled(QVBoxLayout(self), head, (self.table, 1), self.equation, spacing=4)

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
        name = self.name_at(*at)
        if name:
            colour = theme.warning if name in trouble else None
            tip = trouble.get(name, f"{name}: {values[name]!r}")
            ui.show_cell(self.table, at, draft.text(name, values[name]), tip, colour)
            return
        row, column = at
        other = f"B{column - 1}-{row}"
        below = column - 1 < row
        text, tip = (f"{0.0 - values[other]:.4g}", f"minus {other}") if below else ("0", "")
        ui.show_cell(self.table, at, text, tip, theme.muted).setFlags(Qt.ItemFlag.ItemIsEnabled)
