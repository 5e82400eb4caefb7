"""The editor: the law and its parameters on the left, a table of the particles on the right."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.viewmodel.presenters.catalogue import Catalogue
from app.viewmodel.session import Session
from app.viewmodel.state import own_system
from app.viewmodel.state.draft import Draft
from app.viewmodel.state.view_state import ViewState
from app.views.fields_page import FieldsPage
from app.views.host import main_window_of
from surrogate.render.theme import THEMES

LEFT_WIDTH = 290
ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
NUMBER_STARTS = tuple("0123456789.-")


def _label(text: str, name: str = "muted") -> QLabel:
    label = QLabel(text)
    label.setObjectName(name)
    return label


def _button(text: str, tip: str, run: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setProperty("small", True)
    button.setToolTip(tip)
    button.clicked.connect(lambda: run())
    return button


def _checkable(button: QPushButton) -> QPushButton:
    """With room for its words in bold, as they are while it is checked."""
    button.setCheckable(True)
    button.setMinimumWidth(button.fontMetrics().horizontalAdvance(button.text()) + 26)
    return button


class EditorPanel(QWidget):
    """Draws the draft; every edit is an intent."""

    def __init__(self, session: Session, catalogue: Catalogue) -> None:
        super().__init__()
        self._session, self._editor = session, session.editor
        self.setObjectName("side")
        self.setMinimumHeight(222)
        self._shown: object = None
        self._law = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 2, 12, 6)
        row.setSpacing(14)
        left = QWidget()
        left.setMaximumWidth(LEFT_WIDTH)
        row.addWidget(left, 2)
        right = QVBoxLayout()
        right.setSpacing(4)
        row.addLayout(right, 3)
        self._build_left(left, catalogue)
        self._build_right(right)

    def _build_left(self, place: QWidget, catalogue: Catalogue) -> None:
        editor = self._editor
        grid = QGridLayout(place)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(4)
        self.preset = QComboBox()
        self.preset.addItem("start from a scenario …", "")
        for name, title in catalogue.scenarios.items():
            self.preset.addItem(title, name)
        self.preset.setAccessibleName("scenario to start from")
        self.preset.activated.connect(self._start_from)
        self.title = QLineEdit()
        self.title.setAccessibleName("title of the system")
        self.title.editingFinished.connect(lambda: editor.set_title(self.title.text()))
        self.law = QComboBox()
        self.law.setAccessibleName("law")
        self.law.activated.connect(lambda: editor.set_law(self.law.currentText()))
        self.particles, self.dims, self.seed = QSpinBox(), QSpinBox(), QSpinBox()
        self.particles.setRange(2, own_system.MAX_PARTICLES)
        self.dims.setRange(1, own_system.MAX_DIMS)
        self.seed.setRange(0, 2**31 - 1)
        for box, name in ((self.particles, "particles"), (self.dims, "dimensions"), (self.seed, "seed")):
            box.setKeyboardTracking(False)
            box.setMinimumWidth(48)
            box.setAccessibleName(f"{name} of the system")
        self.particles.valueChanged.connect(editor.set_particles)
        self.dims.valueChanged.connect(editor.set_dims)
        self.duration = QLineEdit()
        self.duration.setAccessibleName("duration")
        self.duration.setToolTip("How long it is watched [time]")
        self.duration.editingFinished.connect(lambda: editor.set_duration(self.duration.text()))
        for combo in (self.preset, self.law):
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(6)
        self._parameters = QHBoxLayout()
        self._parameters.setSpacing(4)
        self.parameters: dict[str, QLineEdit] = {}
        grid.addWidget(self.preset, 0, 0, 1, 3)
        grid.addWidget(self.title, 0, 3, 1, 3)
        for column, (text, widget) in enumerate((("law", self.law), ("N", self.particles), ("n", self.dims))):
            grid.addWidget(_label(text), 1, 2 * column)
            grid.addWidget(widget, 1, 2 * column + 1)
        grid.addLayout(self._parameters, 2, 0, 1, 6)
        draw = QHBoxLayout()
        draw.setSpacing(4)
        self.draw_of = QComboBox()
        self.draw_of.addItems(own_system.DRAWS)
        self.draw_of.setAccessibleName("preset of the random draw")
        self.draw_of.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.draw_of.setMinimumContentsLength(6)
        draw.addWidget(
            _button("Draw", "Particles drawn anew as this data preset does, with this seed", self._draw)
        )
        draw.addWidget(self.draw_of, 1)
        draw.addWidget(_label("seed"))
        draw.addWidget(self.seed)
        grid.addLayout(draw, 3, 0, 1, 6)
        watched = QHBoxLayout()
        watched.setSpacing(4)
        watched.addWidget(_label("watched for"))
        watched.addWidget(self.duration, 1)
        self.factor = QLineEdit("2")
        self.factor.setAccessibleName("scale factor")
        self.factor.setMaximumWidth(48)
        watched.addWidget(_button("Scale by", "All positions times this, about the origin", self._scale))
        watched.addWidget(self.factor)
        grid.addLayout(watched, 4, 0, 1, 6)
        self.formula = _label("")
        self.formula.setWordWrap(True)
        grid.addWidget(self.formula, 5, 0, 1, 6)
        self.trouble = _label("", "badge")
        self.trouble.setWordWrap(True)
        grid.addWidget(self.trouble, 6, 0, 1, 6)
        grid.setRowStretch(7, 1)
        for column in (1, 3, 5):
            grid.setColumnStretch(column, 2 if column == 1 else 1)

    def _build_right(self, column: QVBoxLayout) -> None:
        editor = self._editor
        self.pages = QStackedWidget()
        tabs = QHBoxLayout()
        tabs.setSpacing(4)
        self.tabs = [
            _button("Particles", "Charge, mass, place and velocity of each", lambda: self.turn_to(0)),
            _button("Fields", "Electric and magnetic field, drag, trap", lambda: self.turn_to(1)),
        ]
        for tab in self.tabs:
            tabs.addWidget(_checkable(tab))
        tabs.addStretch(1)
        self.moves = _button("Move in view", "Drag the particles in the left pane (Shift+M)", self._move)
        tabs.addWidget(_checkable(self.moves))
        column.addLayout(tabs)
        page = QWidget()
        particles = QVBoxLayout(page)
        particles.setContentsMargins(0, 0, 0, 0)
        particles.setSpacing(4)
        self.pages.addWidget(page)
        self.fields = FieldsPage(editor)
        self.fields.table.installEventFilter(self)
        self.pages.addWidget(self.fields)
        column.addWidget(self.pages, 1)
        self.turn_to(0)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(_button("Add", "One particle more, at rest", editor.add))
        buttons.addWidget(
            _button("Duplicate", "Copies of the selected particles", lambda: editor.duplicate(self._selected()))
        )
        buttons.addWidget(
            _button("Remove", "The selected particles away", lambda: editor.remove(self._selected()))
        )
        buttons.addWidget(_button("Zero momentum", "The centre of mass at rest", editor.zero_momentum))
        buttons.addStretch(1)
        particles.addLayout(buttons)
        self.table = QTableWidget()
        self.table.setAccessibleName("particles of the system")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().setDefaultSectionSize(22)
        self.table.horizontalHeader().setDefaultSectionSize(62)
        self.table.horizontalHeader().setHighlightSections(False)
        self.table.itemChanged.connect(self._cell_changed)
        self.table.installEventFilter(self)
        particles.addWidget(self.table, 1)
        last = QHBoxLayout()
        last.setSpacing(4)
        self.revert = _button("Revert", "Back to what is simulated", editor.revert)
        self.apply = _button("Apply", "Simulate it (Ctrl+Return)", editor.apply)
        self.save = _button("Save as scenario…", "A file that opens here and in compare", self._save)
        last.addStretch(1)
        for button in (self.revert, self.apply, self.save):
            last.addWidget(button)
        column.addLayout(last)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """In the table, arrows move and digits begin a number: they are no shortcuts of the window there."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            plain = not event.modifiers() & Qt.KeyboardModifier.ControlModifier
            if plain and (event.key() in ARROWS or event.text() in NUMBER_STARTS):
                event.accept()
                return True
        return super().eventFilter(watched, event)

    def turn_to(self, page: int) -> None:
        """Show the particles (0) or the fields (1)."""
        self.pages.setCurrentIndex(page)
        for at, tab in enumerate(self.tabs):
            tab.setChecked(at == page)

    # --- what the user does -------------------------------------------------------------------------------

    def _start_from(self) -> None:
        name = self.preset.currentData()
        self.preset.setCurrentIndex(0)
        if name:
            self._session.system.choose_scenario(name)

    def _draw(self) -> None:
        self._editor.draw(self.draw_of.currentText(), self.seed.value())

    def _scale(self) -> None:
        self._editor.scale(self.factor.text())

    def _save(self) -> None:
        path = main_window_of(self).scenario_path()
        if path:
            self._editor.save(path)

    def _move(self) -> None:
        self._session.moving.toggle()
        self.moves.setChecked(self._session.state.moving is not None)

    def _selected(self) -> tuple[int, ...]:
        return tuple(sorted({index.row() for index in self.table.selectedIndexes()}))

    def _cell_changed(self, item: QTableWidgetItem) -> None:
        draft = self._editor.draft
        if draft is not None:
            self._editor.set_value(item.row(), own_system.columns(draft.system)[item.column()], item.text())

    # --- what is shown ------------------------------------------------------------------------------------

    def show_state(self, state: ViewState) -> None:
        """Draw the draft."""
        draft = self._editor.draft
        if draft is None:
            return
        key = (draft, state.view.theme, state.moving is not None)
        if key == self._shown:
            return
        self._shown = key
        trouble = draft.trouble()
        self._show_left(draft, trouble)
        self._show_table(draft, trouble, THEMES[state.view.theme].warning)
        self.fields.show_draft(draft, trouble, THEMES[state.view.theme])
        for name, box in self.fields.boxes.items():
            self._show_text(box, draft.text(name, getattr(draft.system, name)), trouble.get(name))
        self.moves.setChecked(state.moving is not None)
        self.trouble.setText("\n".join(list(trouble.values())[:2]) or ("not applied yet" if draft.edited else ""))
        self.formula.setVisible(not trouble)  # in its place stands what is wrong
        self.apply.setEnabled(draft.edited and not trouble)
        self.revert.setEnabled(draft.edited or bool(draft.typed))
        self.save.setEnabled(not trouble)

    def _show_left(self, draft: Draft, trouble: dict[str, str]) -> None:
        from physics.laws import LAWS  # Numba: loaded by now, not when the window opens
        from physics.laws.names import law_claims

        system = draft.system
        if not self.law.count():
            self.law.addItems(list(LAWS))
        if self.law.findText(system.law) < 0:
            self.law.addItem(system.law)  # a sum of laws, from a file
        self.law.setCurrentText(system.law)
        claims = law_claims(system.law)
        self.formula.setText(claims.formula)
        if system.law != self._law:
            self._law = system.law
            self._make_parameters({name: f"{name}: {parameter.limits} (default {parameter.default:g})"
                                   for name, parameter in claims.parameters.items()})  # fmt: skip
        for name, value in system.parameters:
            self._show_text(self.parameters[name], draft.text(f"parameter {name}", value),
                            trouble.get(f"parameter {name}"))  # fmt: skip
        self._show_text(self.title, system.title, trouble.get("title"))
        self._show_text(self.duration, draft.text("duration", system.duration), trouble.get("duration"))
        for box, number in ((self.particles, system.n_particles), (self.dims, system.n_dims)):
            with QSignalBlocker(box):
                box.setValue(number)

    def _make_parameters(self, tips: dict[str, str]) -> None:
        while (item := self._parameters.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.parameters = {}
        for name, tip in tips.items():
            box = QLineEdit()
            box.setAccessibleName(f"parameter {name}")
            box.setProperty("tip", tip)
            box.editingFinished.connect(lambda n=name, b=box: self._editor.set_parameter(n, b.text()))
            self._parameters.addWidget(_label(name))
            self._parameters.addWidget(box, 1)
            self.parameters[name] = box

    def _show_text(self, box: QLineEdit, text: str, wrong: str | None) -> None:
        if box.text() != text and not (box.hasFocus() and box.isModified()):
            box.setText(text)
            box.setCursorPosition(0)
        if box.property("wrong") != bool(wrong):
            box.setProperty("wrong", bool(wrong))
            box.style().unpolish(box)
            box.style().polish(box)
        box.setToolTip(wrong or str(box.property("tip") or ""))

    def _show_table(self, draft: Draft, trouble: dict[str, str], warning: str) -> None:
        names, rows = own_system.columns(draft.system), own_system.values(draft.system)
        with QSignalBlocker(self.table):
            if self.table.columnCount() != len(names):
                self.table.setColumnCount(len(names))
                self.table.setHorizontalHeaderLabels(names)
            self.table.setRowCount(len(rows))
            self.table.setVerticalHeaderLabels([str(k) for k in range(len(rows))])
            for at, row in enumerate(rows):
                for column, (name, value) in enumerate(zip(names, row, strict=True)):
                    entry = f"{name} {at}"
                    item = self.table.item(at, column)
                    if item is None:
                        item = QTableWidgetItem()
                        item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                        self.table.setItem(at, column, item)
                    item.setText(draft.text(entry, value))
                    item.setToolTip(trouble.get(entry, repr(value)))
                    item.setData(Qt.ItemDataRole.ForegroundRole, QColor(warning) if entry in trouble else None)
