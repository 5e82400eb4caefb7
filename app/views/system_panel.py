"""What is simulated, and who forecasts it."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.viewmodel.presenters.catalogue import Catalogue
from app.viewmodel.session import Session
from app.viewmodel.state.own_system import MAX_DIMS, MAX_PARTICLES
from app.viewmodel.state.setup import MAX_SEED
from app.viewmodel.state.view_state import ViewState

OWN = "own scene"
"""Stands in the list of scenarios for what the scene editor made."""


def _let_shrink(combo: QComboBox) -> None:
    """Allow a combo box to be narrower than its longest entry."""
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)


class SystemPanel(QWidget):
    """Scenario, n, N, seed, law; below them the models and what they were not trained for."""

    def __init__(self, session: Session, catalogue: Catalogue) -> None:
        super().__init__()
        self._session = session
        self._titles = catalogue.scenarios
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(5)
        self._build_system()
        self._build_models(catalogue.models)
        for box in self.findChildren(QAbstractSpinBox):
            box.setMinimumWidth(48)  # else its largest number makes the panel wider than what is seen of it

    def _build_system(self) -> None:
        session = self._session
        layout = self._layout
        self.scenario = QComboBox()
        self.scenario.setAccessibleName("scenario")
        for name, title in self._titles.items():
            self.scenario.addItem(title, name)
        self.scenario.activated.connect(self._scenario_chosen)
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

    def _scenario_chosen(self) -> None:
        if self.scenario.currentData() != OWN:  # which is shown already while it is in the list
            self._session.system.choose_scenario(self.scenario.currentData())

    def _seed_changed(self, number: float) -> None:
        value = int(number)
        result = self._session.state.result
        if result is not None and result.n_samples:
            self._session.system.choose_sample(value)
        else:
            self._session.system.choose_seed(value)

    def _build_models(self, models: tuple[str, ...]) -> None:
        layout = self._layout
        self.model, self.contrast = QComboBox(), QComboBox()
        self.model.setAccessibleName("model")
        self.contrast.setAccessibleName("second model")
        self.model.addItems(models)
        self.contrast.addItem("no second model", "")
        for name in models:
            self.contrast.addItem(f"vs {name}", name)
        self.model.activated.connect(lambda: self._session.system.choose_model(self.model.currentText()))
        self.contrast.activated.connect(lambda: self._session.system.choose_contrast(self.contrast.currentData()))
        _let_shrink(self.model)
        _let_shrink(self.contrast)
        row = QHBoxLayout()
        self.model.setToolTip("The model that forecasts")
        self.contrast.setToolTip("A second model beside it")
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

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        self.clamped.setChecked(state.setup.clamped)
        result = state.result
        if result is None:
            return
        self._show_system(state)
        self._show_models(state)

    def _show_system(self, state: ViewState) -> None:
        result = state.result
        assert result is not None
        setup = state.setup
        key = OWN if setup.own is not None else setup.data or setup.scenario
        at = self.scenario.findData(key)
        if at < 0 and key:
            self.scenario.addItem("", key)
            at = self.scenario.count() - 1
        if at >= len(self._titles):
            self.scenario.setItemText(at, result.comparison.scenario_name)
        if at >= 0 and not self.scenario.view().isVisible():
            self.scenario.setCurrentIndex(at)
        self.description.setText(str(result.comparison.details.get("description", "")))
        truth = result.comparison.truth
        for widget, value in (
            (self.dims, setup.dims or truth.n_dims),
            (self.particles, setup.particles or truth.system.n_particles),
            (self.seed, setup.index if result.n_samples else (result.seed or 0)),
        ):
            # setting a value, even the same one, would take away what is half typed
            if widget.value() != int(value) and not (widget.hasFocus() and state.busy):
                with QSignalBlocker(widget):
                    widget.setValue(int(value))
        self.dims.setEnabled(not result.n_samples)
        self.plus.setEnabled(not result.n_samples and truth.n_dims < MAX_DIMS)
        self.clamped.setEnabled(not result.n_samples)
        self.particles.setEnabled(result.drawn)
        self.seed.setEnabled(result.drawn or result.n_samples > 1)
        self._seed_label.setText("sample" if result.n_samples else "seed")

    def _show_models(self, state: ViewState) -> None:
        result = state.result
        assert result is not None
        name = state.setup.model or result.comparison.model_name
        for known in (name, *state.models.opened):
            if self.model.findText(known) < 0:
                self.model.addItem(known)
        for known in (state.setup.contrast, *state.models.opened):
            if self.contrast.findData(known) < 0:
                self.contrast.addItem(f"vs {known}", known)
        if not self.model.view().isVisible():
            self.model.setCurrentText(name)
        at = self.contrast.findData(state.setup.contrast)
        if at >= 0 and not self.contrast.view().isVisible():
            self.contrast.setCurrentIndex(at)
        badge = []
        if result.comparison.outside_training:
            title = "law not learned" if result.advice else "outside training"
            badge.append(f"{title}: {'; '.join(result.comparison.outside_training)}")
        if result.contrast_note:
            badge.append(f"no second model: {result.contrast_note}")
        self.badge.setText("\n".join(badge))
        self.badge.setVisible(bool(badge))
        if self.command.text() != result.advice:  # setting it would take a selection away
            self.command.setText(result.advice)
            self.command.setCursorPosition(0)
            self.command.setToolTip(f"To learn it: {result.advice}")
        self.command.setVisible(bool(result.advice))
