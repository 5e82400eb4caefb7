"""The numbers of the frame that is shown, and a sentence that reads them."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.viewmodel.presenters.read_out import ReadOut
from app.viewmodel.presenters.readouts import MEANINGS, readouts
from app.viewmodel.state.view_state import ViewState
from app.views import widgets as ui

Cell = tuple[int, int, int, str, str]
"""Row, column, columns spanned, style and text of a read-out."""


class ReadoutPanel(QWidget):
    """A table, lines, an explanation."""

    def __init__(self) -> None:
        super().__init__()
        self._readouts = ui.grid(horizontal=10, vertical=2, c0=1)
        self._cells: list[QLabel] = []
        self._shape: list[tuple[int, int, int, str]] = []
        self.explanation = ui.label(wraps=True)
        ui.filled(QVBoxLayout(self), self._readouts, self.explanation)

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        if state.sample is not None or (state.result is not None and state.result.readable):
            self._show(readouts(state))

    def _show(self, numbers: ReadOut) -> None:
        """A table with a column for each forecast, below it a line for each number of the truth."""
        last = len(numbers.sources)
        cells: list[Cell] = [(0, k, 1, "muted", name) for k, name in enumerate(numbers.sources, 1)]
        for row, (name, values) in enumerate(numbers.table, 1):
            cells.append((row, 0, 1, "muted", name))
            cells += [(row, k, 1, "value", value) for k, value in enumerate(values, 1)]
        for row, (name, value) in enumerate(numbers.lines, 1 + len(numbers.table)):
            cells += [(row, 0, last, "muted", name), (row, last, 1, "value", value)]
        shape = [cell[:-1] for cell in cells]
        if shape != self._shape:
            self._shape = shape
            ui.discard(self._readouts, self._cells)
            self._cells = []
            for row, column, span, name in shape:
                label = ui.label(name=name, wraps=not row)  # the whole name of a model, in two lines if need be
                if column:
                    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
                self._readouts.addWidget(label, row, column, 1, span)
                self._cells.append(label)
        for label, (row, *_, text) in zip(self._cells, cells, strict=True):
            label.setText(text if row else breakable(text))
            label.setToolTip(MEANINGS.get(text, "" if row else text))
        self.explanation.setText(numbers.explanation)


def breakable(name: str) -> str:
    """A name that a narrow column may break after its hyphens."""
    return name.replace("-", "-\u200b").replace("_", "_\u200b").replace("/", "/\u200b")
