"""The editor: the law and its parameters on the left, a table of the particles on the right."""

from functools import partial

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QStackedWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.viewmodel.presenters.catalogue import Catalogue
from app.viewmodel.session import Session
from app.viewmodel.state import own_system
from app.viewmodel.state.draft import Draft
from app.viewmodel.state.view_state import ViewState
from app.views import widgets as ui
from app.views.fields_page import FieldsPage
from app.views.host import main_window_of
from surrogate.render.theme import THEMES

LEFT_WIDTH = 290
ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
NUMBER_STARTS = tuple("0123456789.-")


def _checkable(made: QPushButton) -> QPushButton:
    """With room for its words in bold, as they are while it is checked."""
    made.setCheckable(True)
    made.setMinimumWidth(made.fontMetrics().horizontalAdvance(made.text()) + 26)
    return made


class EditorPanel(QWidget):
    """Draws the draft; every edit is an intent."""

    def __init__(self, session: Session, catalogue: Catalogue) -> None:
        super().__init__()
        self._session, self._editor = session, session.editor
        self._shown: object = None
        self._law = ""
        left, sides = ui.halves(self, 222, LEFT_WIDTH)
        self._build_left(left, catalogue)
        sides.addLayout(self._build_right(), 3)

    def _build_left(self, place: QWidget, catalogue: Catalogue) -> None:
        editor = self._editor
        titles = [(title, name) for name, title in catalogue.scenarios.items()]
        start = [("start from a scenario …", ""), *titles]
        self.preset = ui.combo("scenario to start from", start, self._start_from)
        self.title = ui.line("title of the system", editor.set_title)
        self.law = ui.combo("law")
        self.law.activated.connect(lambda: editor.set_law(self.law.currentText()))
        self.particles = ui.number(
            QSpinBox(), "particles of the system", 2, own_system.MAX_PARTICLES, editor.set_particles
        )
        self.dims = ui.number(QSpinBox(), "dimensions of the system", 1, own_system.MAX_DIMS, editor.set_dims)
        self.seed = ui.number(QSpinBox(), "seed of the system", 0, 2**31 - 1)
        self.duration = ui.line("duration", editor.set_duration, "How long it is watched [time]")
        self._parameters = ui.row(spacing=4)
        self._parameter_widgets: list[QWidget] = []
        self.parameters: dict[str, QLineEdit] = {}
        self.draw_of = ui.combo("preset of the random draw")
        self.draw_of.addItems(own_system.DRAWS)
        draw = ui.button("Draw", "Particles drawn anew as this data preset does, with this seed", self._draw)
        self.factor = ui.line("scale factor", text="2")
        self.factor.setMaximumWidth(48)
        scale = ui.button("Scale by", "All positions times this, about the origin", self._scale)
        self.formula, self.trouble = ui.label(wraps=True), ui.label(name="badge", wraps=True)
        cells = ui.grid(place, c1=2, c3=1, c5=1)
        cells.addWidget(self.preset, 0, 0, 1, 3)
        cells.addWidget(self.title, 0, 3, 1, 3)
        for column, (text, widget) in enumerate((("law", self.law), ("N", self.particles), ("n", self.dims))):
            cells.addWidget(ui.label(text), 1, 2 * column)
            cells.addWidget(widget, 1, 2 * column + 1)
        cells.addLayout(self._parameters, 2, 0, 1, 6)
        cells.addLayout(ui.row(draw, (self.draw_of, 1), ui.label("seed"), self.seed, spacing=4), 3, 0, 1, 6)
        watched = ui.row(ui.label("watched for"), (self.duration, 1), scale, self.factor, spacing=4)
        cells.addLayout(watched, 4, 0, 1, 6)
        cells.addWidget(self.formula, 5, 0, 1, 6)
        cells.addWidget(self.trouble, 6, 0, 1, 6)
        cells.setRowStretch(7, 1)

    def _build_right(self) -> QVBoxLayout:
        editor = self._editor
        self.pages = QStackedWidget()
        self.tabs = [
            _checkable(
                ui.button("Particles", "Charge, mass, place and velocity of each", lambda: self.turn_to(0))
            ),
            _checkable(ui.button("Fields", "Electric and magnetic field, drag, trap", lambda: self.turn_to(1))),
        ]
        moves = ui.button("Move in view", "Drag the particles in the left pane (Shift+M)", self._move)
        self.moves = _checkable(moves)
        self.table = ui.number_table("particles of the system", self._cell_changed)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.fields = FieldsPage(editor)
        for table in (self.table, self.fields.table):
            table.installEventFilter(self)
        page = QWidget()
        buttons = ui.row(
            ui.button("Add", "One particle more, at rest", editor.add),
            ui.button("Duplicate", "Copies of the selected particles", lambda: editor.duplicate(self._selected())),
            ui.button("Remove", "The selected particles away", lambda: editor.remove(self._selected())),
            ui.button("Zero momentum", "The centre of mass at rest", editor.zero_momentum),
            None,
            spacing=4,
        )
        ui.filled(QVBoxLayout(page), buttons, (self.table, 1), spacing=4)
        for content in (page, self.fields):
            self.pages.addWidget(content)
        self.turn_to(0)
        self.revert = ui.button("Revert", "Back to what is simulated", editor.revert)
        self.apply = ui.button("Apply", "Simulate it (Ctrl+Return)", editor.apply)
        self.save = ui.button("Save as scenario…", "A file that opens here and in compare", self._save)
        last = ui.row(None, self.revert, self.apply, self.save, spacing=4)
        return ui.filled(
            QVBoxLayout(), ui.row(*self.tabs, None, self.moves, spacing=4), (self.pages, 1), last, spacing=4
        )

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

    def _start_from(self, name: str) -> None:
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
        for part in (self.pages, self.title, self.law, self.particles, self.dims, self.duration, self.moves):
            part.setEnabled(draft is not None)
        if draft is None:
            if state.result is not None and self._shown is not state.result:
                self._shown = state.result
                self._show_nothing(state.result.not_editable)
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

    def _show_nothing(self, reason: str) -> None:
        """No system: stored data that cannot be simulated anew."""
        self.title.clear()
        self.duration.clear()
        self.formula.clear()
        self.trouble.setText(f"stored data, not a scene: {reason}")
        with QSignalBlocker(self.table):
            self.table.setRowCount(0)
        for button in (self.apply, self.revert, self.save):
            button.setEnabled(False)

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
        ui.set_value(self.particles, system.n_particles)
        ui.set_value(self.dims, system.n_dims)

    def _make_parameters(self, tips: dict[str, str]) -> None:
        ui.discard(self._parameters, self._parameter_widgets)
        self._parameter_widgets = []
        self.parameters = {}
        for name, tip in tips.items():
            box = ui.line(f"parameter {name}", partial(self._editor.set_parameter, name), tip)
            self._parameter_widgets += [ui.label(name), box]
            self._parameters.addWidget(self._parameter_widgets[-2])
            self._parameters.addWidget(box, 1)
            self.parameters[name] = box

    def _show_text(self, box: QLineEdit, text: str, wrong: str | None) -> None:
        if box.text() != text and not (box.hasFocus() and box.isModified()):
            box.setText(text)
            box.setCursorPosition(0)
        if box.property("wrong") != bool(wrong):
            box.setProperty("wrong", bool(wrong))
            ui.restyle(box)
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
                    colour = warning if entry in trouble else None
                    tip = trouble.get(entry, repr(value))
                    ui.show_cell(self.table, (at, column), draft.text(entry, value), tip, colour)
