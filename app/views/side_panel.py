"""The column of controls: what is simulated, who forecasts it, how the world is turned, and the read-outs."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.viewmodel.intents.system import MAX_DIMS, MAX_PARTICLES, MAX_SEED
from app.viewmodel.readouts import MEANINGS, ReadOut, readouts
from app.viewmodel.session import Session
from app.viewmodel.state import ViewState
from app.views.rotation_panel import RotationPanel
from surrogate.render.captions import shortened

WIDTH = 316

Cell = tuple[int, int, int, str, str]
"""Row, column, columns spanned, style and text of a read-out."""


class Section(QWidget):
    """A heading that folds what stands below it, and a place for a word at its right end.

    Parameters
    ----------
    text : str
    remark : QLabel, optional
        Shown at the right end of the heading.
    """

    def __init__(self, text: str, remark: QLabel | None = None) -> None:
        super().__init__()
        self._text, self._folded = text, False
        self.content = QWidget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self.heading = QPushButton()
        self.heading.setObjectName("heading")
        self.heading.setFlat(True)
        self.heading.setToolTip("Fold or unfold")
        self.heading.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.heading.clicked.connect(lambda: self.fold(not self._folded))
        row = QHBoxLayout()
        row.addWidget(self.heading)
        row.addStretch(1)
        if remark is not None:
            row.addWidget(remark, 0, Qt.AlignmentFlag.AlignBottom)
        layout.addLayout(row)
        self.body = QVBoxLayout(self.content)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(5)
        layout.addWidget(self.content)
        self.fold(False)

    def fold(self, folded: bool) -> None:
        """Hide or show what stands below the heading."""
        self._folded = folded
        self.content.setVisible(not folded)
        self.heading.setText(f"{'▸' if folded else '▾'} {self._text.upper()}")


def _let_shrink(combo: QComboBox) -> None:
    """Allow a combo box to be narrower than its longest entry."""
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)


class SidePanel(QScrollArea):
    """Scrolls where the window is low.

    Parameters
    ----------
    session : Session
    scenarios : mapping of str to str
        Names and titles of the shipped scenarios.
    models : list of str
        Shipped names.
    """

    def __init__(self, session: Session, scenarios: dict[str, str], models: list[str]) -> None:
        super().__init__()
        self._session = session
        self._titles = scenarios
        self.sections: dict[str, Section] = {}
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedWidth(WIDTH)
        inner = QWidget()
        inner.setObjectName("side")
        self.setWidget(inner)
        self._layout = QVBoxLayout(inner)
        self._layout.setContentsMargins(14, 4, 14, 6)
        self._layout.setSpacing(2)
        self._build_system()
        self._build_models(models)
        self.rotation = RotationPanel(session)
        self._section("World rotation", self.rotation.matrix).addWidget(self.rotation)
        self._build_readouts()
        self._layout.addStretch(1)
        for box in inner.findChildren(QAbstractSpinBox):
            box.setMinimumWidth(48)  # else its largest number makes the panel wider than what is seen of it

    def _section(self, text: str, remark: QLabel | None = None) -> QVBoxLayout:
        section = Section(text, remark)
        self.sections[text] = section
        self._layout.addWidget(section)
        return section.body

    def _build_system(self) -> None:
        session = self._session
        layout = self._section("System")
        self.scenario = QComboBox()
        self.scenario.setAccessibleName("scenario")
        for name, title in self._titles.items():
            self.scenario.addItem(title, name)
        self.scenario.activated.connect(lambda: session.system.choose_scenario(self.scenario.currentData()))
        _let_shrink(self.scenario)
        layout.addWidget(self.scenario)
        self.description = QLabel()
        self.description.setObjectName("muted")
        self.description.setWordWrap(True)
        layout.addWidget(self.description)
        numbers = QHBoxLayout()
        numbers.setSpacing(6)
        self.dims, self.particles = QSpinBox(), QSpinBox()
        self.seed = QDoubleSpinBox()  # a QSpinBox ends at 2^31 - 1, seeds at 2^32 - 1
        self.seed.setDecimals(0)
        self.dims.setRange(1, MAX_DIMS)
        self.particles.setRange(2, MAX_PARTICLES)
        self.seed.setRange(0, MAX_SEED)
        for stretch, (text, widget, tip) in enumerate(
            (
                ("n", self.dims, "Space dimensions"),
                ("N", self.particles, "Particles"),
                ("seed", self.seed, f"Which draw of the scenario (0 to {MAX_SEED}) or sample of the data set"),
            )
        ):
            label = QLabel(text)
            label.setObjectName("muted")
            self._seed_label = label  # the last one
            widget.setToolTip(tip)
            widget.setAccessibleName(tip)
            widget.setKeyboardTracking(False)
            numbers.addWidget(label)
            numbers.addWidget(widget, 1 + stretch // 2)
        self.dims.valueChanged.connect(session.system.choose_dims)
        self.particles.valueChanged.connect(session.system.choose_particles)
        self.seed.valueChanged.connect(self._seed_changed)
        layout.addLayout(numbers)
        row = QHBoxLayout()
        self.plus = QPushButton("+1 dimension")
        self.plus.setToolTip("The same scenario in one dimension more (D)")
        self.plus.clicked.connect(session.system.add_dimension)
        self.clamped = QPushButton("Clamped law")
        self.clamped.setCheckable(True)
        self.clamped.setToolTip(
            "The published law with its per-component clamp: even the truth fails to rotate (L)"
        )
        self.clamped.clicked.connect(session.system.toggle_clamped)
        row.addWidget(self.plus)
        row.addWidget(self.clamped)
        layout.addLayout(row)

    def _seed_changed(self, number: float) -> None:
        value = int(number)
        prepared = self._session.state.prepared
        if prepared is not None and prepared.n_samples:
            self._session.system.choose_sample(value)
        else:
            self._session.system.choose_seed(value)

    def _build_models(self, models: list[str]) -> None:
        layout = self._section("Forecast")
        self.model, self.contrast = QComboBox(), QComboBox()
        self.model.setAccessibleName("model")
        self.contrast.setAccessibleName("contrast model")
        self.model.addItems(models)
        self.contrast.addItem("no contrast", "")
        for name in models:
            self.contrast.addItem(f"vs {name}", name)
        self.model.activated.connect(lambda: self._session.system.choose_model(self.model.currentText()))
        self.contrast.activated.connect(lambda: self._session.system.choose_contrast(self.contrast.currentData()))
        _let_shrink(self.model)
        _let_shrink(self.contrast)
        row = QHBoxLayout()
        row.addWidget(self.model, 1)
        row.addWidget(self.contrast, 1)
        layout.addLayout(row)
        self.badge = QLabel()
        self.badge.setObjectName("badge")
        self.badge.setWordWrap(True)
        self.command = QLineEdit()  # one line to copy from, however long the command
        self.command.setObjectName("command")
        self.command.setReadOnly(True)
        self.command.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.command.setAccessibleName("commands that train for this law")
        layout.addWidget(self.badge)
        layout.addWidget(self.command)

    def _build_readouts(self) -> None:
        layout = self._section("Read-out")
        self._readouts = QGridLayout()
        self._readouts.setHorizontalSpacing(10)
        self._readouts.setVerticalSpacing(2)
        self._readouts.setColumnStretch(0, 1)
        self._cells: list[QLabel] = []
        self._shape: list[tuple[int, int, int, str]] = []
        layout.addLayout(self._readouts)
        self.explanation = QLabel()
        self.explanation.setObjectName("muted")
        self.explanation.setWordWrap(True)
        layout.addWidget(self.explanation)

    def _show_readouts(self, numbers: ReadOut) -> None:
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
            for label in self._cells:
                self._readouts.removeWidget(label)
                label.deleteLater()
            self._cells = []
            for row, column, span, name in shape:
                label = QLabel()
                label.setObjectName(name)
                if column:
                    label.setAlignment(Qt.AlignmentFlag.AlignRight)
                self._readouts.addWidget(label, row, column, 1, span)
                self._cells.append(label)
        for label, (row, *_, text) in zip(self._cells, cells, strict=True):
            label.setText(text if row else shortened(text, 11))
            label.setToolTip(MEANINGS.get(text, "" if row else text))
        self.explanation.setText(numbers.explanation)

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        self.rotation.show_state(state)
        self.clamped.setChecked(state.setup.clamped)
        prepared = state.prepared
        if prepared is None:
            return
        self._show_system(state)
        self._show_models(state)
        if prepared.measured:
            self._show_readouts(readouts(state))

    def _show_system(self, state: ViewState) -> None:
        prepared = state.prepared
        assert prepared is not None
        setup = state.setup
        at = self.scenario.findData(setup.scenario)
        if at < 0 and (setup.scenario or setup.data):
            path = setup.data or setup.scenario
            at = self.scenario.findData(path)
            if at < 0:
                self.scenario.addItem(prepared.comparison.scenario_name, path)
                at = self.scenario.count() - 1
        if at >= 0 and not self.scenario.view().isVisible():
            self.scenario.setCurrentIndex(at)
        self.description.setText(str(prepared.comparison.details.get("description", "")))
        truth = prepared.comparison.truth
        for widget, value in (
            (self.dims, setup.dims or truth.n_dims),
            (self.particles, setup.particles or truth.system.n_particles),
            (self.seed, setup.index if prepared.n_samples else (prepared.seed or 0)),
        ):
            # setting a value, even the same one, would take away what is half typed
            if widget.value() != int(value) and not (widget.hasFocus() and state.busy):
                with QSignalBlocker(widget):
                    widget.setValue(int(value))
        self.dims.setEnabled(not prepared.n_samples)
        self.plus.setEnabled(not prepared.n_samples and truth.n_dims < MAX_DIMS)
        self.clamped.setEnabled(not prepared.n_samples)
        self.particles.setEnabled(prepared.drawn)
        self.seed.setEnabled(prepared.drawn or prepared.n_samples > 1)
        self._seed_label.setText("sample" if prepared.n_samples else "seed")

    def _show_models(self, state: ViewState) -> None:
        prepared = state.prepared
        assert prepared is not None
        name = state.setup.model or prepared.comparison.model_name
        if self.model.findText(name) < 0:
            self.model.addItem(name)
        if not self.model.view().isVisible():
            self.model.setCurrentText(name)
        at = self.contrast.findData(state.setup.contrast)
        if at >= 0 and not self.contrast.view().isVisible():
            self.contrast.setCurrentIndex(at)
        badge = []
        if prepared.comparison.outside_training:
            title = "law not learned" if prepared.advice else "outside training"
            badge.append(f"{title}: {'; '.join(prepared.comparison.outside_training)}")
        if prepared.contrast_note:
            badge.append(f"no contrast: {prepared.contrast_note}")
        self.badge.setText("\n".join(badge))
        self.badge.setVisible(bool(badge))
        if self.command.text() != prepared.advice:  # setting it would take a selection away
            self.command.setText(prepared.advice)
            self.command.setCursorPosition(0)
            self.command.setToolTip(f"To learn it: {prepared.advice}")
        self.command.setVisible(bool(prepared.advice))
