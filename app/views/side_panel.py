"""The column of controls: what is simulated, who forecasts it, how the world is turned, and the read-outs."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.viewmodel.readouts import readouts
from app.viewmodel.session import MAX_DIMS, MAX_PARTICLES, Session
from app.viewmodel.state import ViewState
from app.views.rotation_panel import RotationPanel

WIDTH = 316


def heading(text: str) -> QLabel:
    """A small capital heading."""
    label = QLabel(text.upper())
    label.setObjectName("heading")
    return label


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
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedWidth(WIDTH)
        inner = QWidget()
        inner.setObjectName("side")
        self.setWidget(inner)
        self._layout = QVBoxLayout(inner)
        self._layout.setContentsMargins(14, 6, 14, 12)
        self._layout.setSpacing(6)
        self._build_system()
        self._build_models(models)
        self._layout.addWidget(heading("World rotation"))
        self.rotation = RotationPanel(session)
        self._layout.addWidget(self.rotation)
        self._build_readouts()
        self._layout.addStretch(1)
        for box in inner.findChildren(QSpinBox):
            box.setMinimumWidth(56)  # else its largest number makes the panel wider than what is seen of it

    def _build_system(self) -> None:
        session = self._session
        self._layout.addWidget(heading("System"))
        self.scenario = QComboBox()
        self.scenario.setAccessibleName("scenario")
        for name, title in self._titles.items():
            self.scenario.addItem(title, name)
        self.scenario.activated.connect(lambda: session.choose_scenario(self.scenario.currentData()))
        _let_shrink(self.scenario)
        self._layout.addWidget(self.scenario)
        self.description = QLabel()
        self.description.setObjectName("muted")
        self.description.setWordWrap(True)
        self._layout.addWidget(self.description)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        self.dims, self.particles, self.seed = QSpinBox(), QSpinBox(), QSpinBox()
        self.dims.setRange(1, MAX_DIMS)
        self.particles.setRange(2, MAX_PARTICLES)
        self.seed.setRange(0, 2**31 - 1)
        for column, (text, widget, tip) in enumerate(
            (
                ("n", self.dims, "Space dimensions"),
                ("N", self.particles, "Particles"),
                ("seed", self.seed, "Which draw of the scenario, or which sample of the data set"),
            )
        ):
            label = QLabel(text)
            label.setObjectName("muted")
            self._seed_label = label  # the last one
            widget.setToolTip(tip)
            widget.setAccessibleName(tip)
            widget.setKeyboardTracking(False)
            grid.addWidget(label, 0, column)
            grid.addWidget(widget, 1, column)
        self.dims.valueChanged.connect(session.choose_dims)
        self.particles.valueChanged.connect(session.choose_particles)
        self.seed.valueChanged.connect(self._seed_changed)
        self._layout.addLayout(grid)
        row = QHBoxLayout()
        self.plus = QPushButton("+1 dimension")
        self.plus.setToolTip("The same scenario in one dimension more (D)")
        self.plus.clicked.connect(session.add_dimension)
        self.clamped = QPushButton("Clamped law")
        self.clamped.setCheckable(True)
        self.clamped.setToolTip(
            "The published law with its per-component clamp: even the truth fails to rotate (L)"
        )
        self.clamped.clicked.connect(session.toggle_clamped)
        row.addWidget(self.plus)
        row.addWidget(self.clamped)
        self._layout.addLayout(row)

    def _seed_changed(self, value: int) -> None:
        prepared = self._session.state.prepared
        if prepared is not None and prepared.n_samples:
            self._session.choose_sample(value)
        else:
            self._session.choose_seed(value)

    def _build_models(self, models: list[str]) -> None:
        self._layout.addWidget(heading("Forecast"))
        self.model, self.contrast = QComboBox(), QComboBox()
        self.model.setAccessibleName("model")
        self.contrast.setAccessibleName("contrast model")
        self.model.addItems(models)
        self.contrast.addItem("no contrast", "")
        for name in models:
            self.contrast.addItem(f"against {name}", name)
        self.model.activated.connect(lambda: self._session.choose_model(self.model.currentText()))
        self.contrast.activated.connect(lambda: self._session.choose_contrast(self.contrast.currentData()))
        _let_shrink(self.model)
        _let_shrink(self.contrast)
        row = QHBoxLayout()
        row.addWidget(self.model, 1)
        row.addWidget(self.contrast, 1)
        self._layout.addLayout(row)
        self.badge = QLabel()
        self.badge.setObjectName("badge")
        self.badge.setWordWrap(True)
        self.command = QLabel()
        self.command.setObjectName("command")
        self.command.setWordWrap(True)
        self.command.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._layout.addWidget(self.badge)
        self._layout.addWidget(self.command)

    def _build_readouts(self) -> None:
        self._layout.addWidget(heading("Read-out"))
        self._readouts = QGridLayout()
        self._readouts.setHorizontalSpacing(8)
        self._readouts.setVerticalSpacing(3)
        self._readouts.setColumnStretch(0, 1)
        self._rows: list[tuple[QLabel, QLabel]] = []
        self._layout.addLayout(self._readouts)
        self.explanation = QLabel()
        self.explanation.setObjectName("muted")
        self.explanation.setWordWrap(True)
        self._layout.addWidget(self.explanation)

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        self.rotation.show_state(state)
        self.clamped.setChecked(state.setup.clamped)
        prepared = state.prepared
        if prepared is None:
            return
        self._show_system(state)
        self._show_models(state)
        lines, explanation = readouts(state)
        while len(self._rows) < len(lines):
            name, value = QLabel(), QLabel()
            name.setObjectName("muted")
            value.setObjectName("value")
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            self._readouts.addWidget(name, len(self._rows), 0)
            self._readouts.addWidget(value, len(self._rows), 1)
            self._rows.append((name, value))
        for index, (name, value) in enumerate(self._rows):
            shown = index < len(lines)
            name.setVisible(shown)
            value.setVisible(shown)
            if shown:
                name.setText(lines[index][0])
                value.setText(lines[index][1])
        self.explanation.setText(explanation)

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
        self.command.setText(f"to learn it: {prepared.advice}" if prepared.advice else "")
        self.command.setVisible(bool(prepared.advice))
