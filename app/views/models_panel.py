"""Two models and what they spend; a table of all models on the state that is shown."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
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
from surrogate.comparison.comparison import Comparison

TOLERANCES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)


class _Chooser:
    """One model with its rounds and its tolerance, in a row of a grid."""

    def __init__(self, panel: "ModelsPanel", grid: QGridLayout, row: int, second: bool) -> None:
        self._panel, self._second = panel, second
        self.model, self.rounds, self.tolerance = QComboBox(), QSpinBox(), QComboBox()
        what = "second model" if second else "forecast model"
        for box in (self.model, self.tolerance):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(4)
        if second:
            self.model.addItem("none", "")
        for name in panel.catalogue.models:
            self.model.addItem(name, name)
        self.model.setAccessibleName(what)
        self.model.setToolTip("The model that stands beside it" if second else "The model that forecasts")
        self.rounds.setRange(0, MAX_EVALUATIONS)
        self.rounds.setSpecialValueText("usual")
        self.rounds.setKeyboardTracking(False)
        self.rounds.setMinimumWidth(70)
        self.tolerance.setMaximumWidth(72)
        self.rounds.setAccessibleName(f"rounds per horizon of the {what}")
        self.rounds.setToolTip("Evaluations per horizon, for a model that chooses; 0 is its usual number")
        self.tolerance.addItem("off", None)
        for value in TOLERANCES:
            self.tolerance.addItem(f"{value:g}", value)
        self.tolerance.setAccessibleName(f"tolerance of the {what}")
        self.tolerance.setToolTip(
            "Each window doubles its rounds until that moves its positions by less than this length"
        )
        parts: tuple[QWidget, ...] = (
            _muted("second" if second else "forecast"),
            self.model,
            _muted("rounds"),
            self.rounds,
            _muted("tolerance"),
            self.tolerance,
        )
        for column, widget in enumerate(parts):
            grid.addWidget(widget, row, column)
        self.model.activated.connect(self._choose)
        self.rounds.valueChanged.connect(self._spend)
        self.tolerance.activated.connect(self._spend)

    def _choose(self) -> None:
        system = self._panel.session.system
        (system.choose_contrast if self._second else system.choose_model)(self.model.currentData())

    def _spend(self) -> None:
        rounds = self.rounds.value() or None
        self._panel.session.models.set_effort(self._second, rounds, self.tolerance.currentData())

    def show(self, name: str, effort: Effort, opened: tuple[str, ...], made: Comparison | None) -> None:
        for known in (*opened, name):
            if known and self.model.findData(known) < 0:
                self.model.addItem(known, known)
        if not self.model.view().isVisible():
            self.model.setCurrentIndex(self.model.findData(name))
        chooses = made is not None and bool(made.details.get("chooses"))
        for widget in (self.rounds, self.tolerance):
            widget.setEnabled(chooses)
        if not self.rounds.hasFocus() or self.rounds.value() != (effort.evaluations or 0):
            with QSignalBlocker(self.rounds):
                self.rounds.setValue(effort.evaluations or 0)
        if self.tolerance.findData(effort.tolerance) < 0:
            self.tolerance.addItem(f"{effort.tolerance:g}", effort.tolerance)
        if not self.tolerance.view().isVisible():
            self.tolerance.setCurrentIndex(self.tolerance.findData(effort.tolerance))


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("muted")
    return label


class ModelsPanel(QWidget):
    """Above the two models, below the table."""

    def __init__(self, session: Session, catalogue: Catalogue) -> None:
        super().__init__()
        self.session, self.catalogue = session, catalogue
        self.setObjectName("side")
        self.setMinimumHeight(230)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 2, 12, 6)
        column.setSpacing(5)
        column.addLayout(self._build_choice())
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
        column.addWidget(self.table, 1)
        self._shown: object = None

    def _build_choice(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(6, 1)
        self.first, self.second = _Chooser(self, grid, 0, False), _Chooser(self, grid, 1, True)
        buttons = QHBoxLayout()
        self.swap = QPushButton("Swap")
        self.swap.setToolTip("The second model forecasts, the first stands beside it (Ctrl+Shift+M)")
        self.swap.clicked.connect(self.session.models.swap)
        self.measure = QPushButton("Measure all")
        self.measure.setToolTip("Every model on this initial state (Ctrl+M)")
        self.measure.clicked.connect(self.session.models.measure)
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(self.session.models.cancel)
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        for widget in (self.swap, self.measure, self.cancel):
            buttons.addWidget(widget)
        buttons.addWidget(self.progress, 1)
        buttons.addStretch(1)
        grid.addLayout(buttons, 0, 6)
        self.standing = QLabel()
        self.standing.setObjectName("muted")
        self.standing.setWordWrap(True)
        self.standing.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
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
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
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
