"""Two models and what they spend; a table of all models on the state that is shown."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHeaderView,
    QProgressBar,
    QSizePolicy,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.viewmodel.intents.models import MAX_EVALUATIONS
from app.viewmodel.presenters.catalogue import Catalogue
from app.viewmodel.presenters.model_rows import COLUMNS, outdated, standing
from app.viewmodel.session import Session
from app.viewmodel.state.setup import Effort
from app.viewmodel.state.view_state import ViewState
from app.views import widgets as ui
from surrogate.comparison.comparison import Comparison

TOLERANCES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)


class _Chooser:
    """One model with its rounds and its tolerance, in a row of a grid."""

    def __init__(self, panel: "ModelsPanel", grid: QGridLayout, row: int, second: bool) -> None:
        self._panel, self._second = panel, second
        what = "second model" if second else "forecast model"
        none = [("none", "")] if second else []
        tip = "The model that stands beside it" if second else "The model that forecasts"
        system = panel.session.system
        choose = system.choose_contrast if second else system.choose_model
        models = [*none, *((name, name) for name in panel.catalogue.models)]
        self.model = ui.combo(what, models, choose, tip, letters=4)
        tip = "Evaluations per horizon, for a model that chooses; 0 is its usual number"
        name = f"rounds per horizon of the {what}"
        self.rounds = ui.number(QSpinBox(), name, 0, MAX_EVALUATIONS, lambda _: self._spend(), tip, width=70)
        self.rounds.setSpecialValueText("usual")
        tip = "Each window doubles its rounds until that moves its positions by less than this length"
        tolerances = [("off", None), *((f"{value:g}", value) for value in TOLERANCES)]
        self.tolerance = ui.combo(f"tolerance of the {what}", tolerances, lambda _: self._spend(), tip, letters=4)
        self.tolerance.setMaximumWidth(72)
        for column, (words, widget) in enumerate(
            (
                ("second" if second else "forecast", self.model),
                ("rounds", self.rounds),
                ("tolerance", self.tolerance),
            )
        ):
            grid.addWidget(ui.label(words), row, 2 * column)
            grid.addWidget(widget, row, 2 * column + 1)

    def _spend(self) -> None:
        rounds = self.rounds.value() or None
        self._panel.session.models.set_effort(self._second, rounds, self.tolerance.currentData())

    def show(self, name: str, effort: Effort, opened: tuple[str, ...], made: Comparison | None) -> None:
        for known in (*opened, name):
            if known and self.model.findData(known) < 0:
                self.model.addItem(known, known)
        ui.choose(self.model, name)
        chooses = made is not None and bool(made.details.get("chooses"))
        for widget in (self.rounds, self.tolerance):
            widget.setEnabled(chooses)
        if not self.rounds.hasFocus() or self.rounds.value() != (effort.evaluations or 0):
            ui.set_value(self.rounds, effort.evaluations or 0)
        ui.choose(self.tolerance, effort.tolerance, missing=f"{effort.tolerance or 0.0:g}")


class ModelsPanel(QWidget):
    """Above the two models, below the table."""

    def __init__(self, session: Session, catalogue: Catalogue) -> None:
        super().__init__()
        self.session, self.catalogue = session, catalogue
        self.setObjectName("side")
        self.setMinimumHeight(230)
        self.table = QTableWidget(0, 1 + len(COLUMNS))
        meanings = ["Its shipped name or its path", *(meaning for meaning, _ in COLUMNS.values())]
        for at, (name, meaning) in enumerate(zip(("model", *COLUMNS), meanings, strict=True)):
            head = QTableWidgetItem(name)
            head.setToolTip(meaning)
            self.table.setHorizontalHeaderItem(at, head)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(22)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setAccessibleName("all models on this state")
        header = self.table.horizontalHeader()
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(48)
        header.setHighlightSections(False)
        self.table.cellClicked.connect(self._clicked)
        ui.filled(QVBoxLayout(self), self._build_choice(), (self.table, 1), margins=(12, 2, 12, 6), spacing=5)
        self._shown: object = None

    def _build_choice(self) -> QGridLayout:
        grid = ui.grid(c1=1, c6=1)
        self.first, self.second = _Chooser(self, grid, 0, False), _Chooser(self, grid, 1, True)
        models = self.session.models
        tip = "The second model forecasts, the first stands beside it (Ctrl+Shift+M)"
        self.swap = ui.button("Swap", tip, models.swap, small=False)
        tip = "Every model on this initial state (Ctrl+M)"
        self.measure = ui.button("Measure all", tip, models.measure, small=False)
        self.cancel = ui.button("Cancel", "", models.cancel, small=False)
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        self.standing = ui.label(wraps=True)
        self.standing.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        grid.addLayout(ui.row(self.swap, self.measure, self.cancel, (self.progress, 1), None), 0, 6)
        grid.addWidget(self.standing, 1, 6)
        return grid

    def _clicked(self, row: int, _: int) -> None:
        rows = self.session.state.models.rows
        if row < len(rows) and not rows[row].reason:
            self.session.system.choose_model(rows[row].model)

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        result, setup, table = state.result, state.setup, state.models
        made, other = (result.comparison, result.contrast) if result else (None, None)
        name = setup.model or (made.model_name if made else "")
        self.first.show(name, setup.effort, table.opened, made)
        self.second.show(setup.contrast, setup.contrast_effort, table.opened, other)
        measuring = table.progress is not None
        self.swap.setEnabled(bool(setup.contrast))
        self.measure.setVisible(not measuring)
        self.measure.setEnabled(result is not None)
        self.cancel.setVisible(measuring)
        self.progress.setVisible(measuring)
        self.progress.setValue(int(100 * (table.progress or 0.0)))
        stale = outdated(state)
        self.standing.setText(standing(table, stale))
        key = (table.rows, stale, setup.model, state.view.theme)
        if key != self._shown:
            self._shown = key
            self._fill(state, stale)

    def _fill(self, state: ViewState, stale: bool) -> None:
        rows = state.models.rows
        self.table.clearSpans()
        self.table.setRowCount(len(rows))
        for at, row in enumerate(rows):
            self.table.setItem(at, 0, _item(row.label, not row.reason and not stale))
            if row.reason:
                self.table.setItem(at, 1, _item(row.reason, False))
                self.table.setSpan(at, 1, 1, len(COLUMNS))
                continue
            for column, (_, text) in enumerate(COLUMNS.values(), 1):
                item = _item(text(row), not stale)
                item.setTextAlignment(ui.RIGHT)
                self.table.setItem(at, column, item)
        chosen = [at for at, row in enumerate(rows) if row.model == state.setup.model]
        with QSignalBlocker(self.table):
            self.table.clearSelection()
            if chosen:
                self.table.selectRow(chosen[0])


def _item(text: str, enabled: bool) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setToolTip(text)
    if not enabled:
        item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
    return item
