"""What is simulated, and who forecasts it."""

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from app.viewmodel.presenters.catalogue import Catalogue
from app.viewmodel.session import Session
from app.viewmodel.state.own_system import MAX_DIMS, MAX_PARTICLES
from app.viewmodel.state.results import ComparisonResult
from app.viewmodel.state.sample_result import SampleResult
from app.viewmodel.state.setup import MAX_SEED
from app.viewmodel.state.view_state import ViewState
from app.views import widgets as ui
from resources.shipped import shipped_models_of_task

OWN = "own scene"
"""Stands in the list of scenarios for what the scene editor made."""


class SystemPanel(QWidget):
    """Scenario, n, N, seed, law; below them the models and what they were not trained for."""

    def __init__(self, session: Session, catalogue: Catalogue) -> None:
        super().__init__()
        self._session = session
        self._titles = catalogue.scenarios
        system = session.system
        titles = [(title, name) for name, title in self._titles.items()]
        self.scenario = ui.combo("scenario", titles, self._scenario_chosen, letters=8)
        self.description = ui.label(wraps=True)
        numbers = self._build_numbers()
        tip = "The same scenario in one dimension more (D)"
        self.plus = ui.button("+1 dimension", tip, system.add_dimension, small=False)
        tip = "The published law with its per-component clamp: even the truth fails to rotate (L)"
        self.clamped = ui.button("Clamped law", tip, system.toggle_clamped, small=False, checkable=True)
        self._models = catalogue.models
        models = [(name, name) for name in catalogue.models]
        self.model = ui.combo("model", models, system.choose_model, "The model that forecasts", letters=8)
        seconds = [("no second model", ""), *((f"vs {name}", name) for name in catalogue.models)]
        tip = "A second model beside it"
        self.contrast = ui.combo("second model", seconds, system.choose_contrast, tip, letters=8)
        self.badge = ui.label(name="badge", wraps=True)
        self.command = ui.line("commands that train for this law")  # to copy from, however long the command
        self.command.setObjectName("command")
        self.command.setReadOnly(True)
        self.command.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        ui.filled(
            QVBoxLayout(self),
            self.scenario,
            self.description,
            numbers,
            ui.row(self.plus, self.clamped),
            ui.row((self.model, 1), (self.contrast, 1)),
            self.badge,
            self.command,
            spacing=5,
        )

    def _build_numbers(self) -> QHBoxLayout:
        system = self._session.system
        self.dims = ui.number(QSpinBox(), "Space dimensions", 1, MAX_DIMS, system.choose_dims)
        self.particles = ui.number(QSpinBox(), "Particles", 2, MAX_PARTICLES, system.choose_particles)
        # a QSpinBox ends at 2^31 - 1, seeds at 2^32 - 1
        name = f"Which draw of the scenario (0 to {MAX_SEED}) or sample of the data set"
        self.seed = ui.number(QDoubleSpinBox(), name, 0, MAX_SEED, self._seed_changed)
        self.seed.setDecimals(0)
        for box in (self.dims, self.particles, self.seed):
            box.setToolTip(box.accessibleName())
        self._seed_label = ui.label("seed")
        n, count = (ui.label("n"), (self.dims, 1)), (ui.label("N"), (self.particles, 1))
        return ui.row(*n, *count, self._seed_label, (self.seed, 2), spacing=6)

    def _scenario_chosen(self, name: str) -> None:
        if name != OWN:  # which is shown already while it is in the list
            self._session.system.choose_scenario(name)

    def _seed_changed(self, number: float) -> None:
        value = int(number)
        shown = self._session.state.shown
        if shown is not None and shown.n_samples:
            self._session.system.choose_sample(value)
        else:
            self._session.system.choose_seed(value)

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        self.clamped.setChecked(state.setup.clamped)
        if state.result is not None:
            self._show_system(state, state.result)
            self._show_models(state, state.result)
        elif state.sample is not None:
            self._show_sample(state, state.sample)
        for part in (self.plus, self.clamped, self.contrast):
            part.setVisible(state.sample is None)

    def _show_scenario(self, key: str, name: str) -> None:
        """Choose an entry of the list of scenarios; what is no shipped one is added under a name."""
        at = self.scenario.findData(key)
        if at < 0 and key:
            self.scenario.addItem("", key)
            at = self.scenario.count() - 1
        if at >= len(self._titles):
            self.scenario.setItemText(at, name)
        if at >= 0 and not self.scenario.view().isVisible():
            self.scenario.setCurrentIndex(at)

    def _show_sample(self, state: ViewState, shown: SampleResult) -> None:
        setup, sample = state.setup, shown.sample
        self._show_scenario(setup.scenario or setup.data, Path(setup.data).name)
        part = f", {setup.split}" if shown.splits else ""
        self.description.setText(f"{Path(setup.data).name}: {shown.n_samples} samples{part}")
        for widget, value in ((self.dims, shown.n_dims), (self.particles, len(sample.points))):
            with QSignalBlocker(widget):
                widget.setMaximum(max(widget.maximum(), value))
                widget.setValue(value)
            widget.setEnabled(False)
        if not (self.seed.hasFocus() and state.busy):
            ui.set_value(self.seed, setup.index)
        self.seed.setEnabled(shown.n_samples > 1)
        self._seed_label.setText("sample")
        opened = [name for task, name in state.models.of_tasks if task == setup.task]
        names = dict.fromkeys((*shipped_models_of_task(setup.task), *opened, setup.task_model))
        ui.fill(self.model, [(name, name) for name in names])
        ui.choose(self.model, setup.task_model)
        self.badge.setText(sample.badge)
        self.badge.setVisible(bool(sample.badge))
        self.command.hide()

    def _show_system(self, state: ViewState, result: ComparisonResult) -> None:
        setup = state.setup
        key = OWN if setup.own is not None else setup.data or setup.scenario
        self._show_scenario(key, result.comparison.scenario_name)
        about = (str(result.comparison.details.get("description", "")), *result.notes)
        self.description.setText("; ".join(filter(None, about)))
        truth = result.comparison.truth
        with QSignalBlocker(self.particles):  # a value cut to the maximum is no request of the user's
            self.particles.setMaximum(max(MAX_PARTICLES, truth.system.n_particles))
        for widget, value in (
            (self.dims, setup.dims or truth.n_dims),
            (self.particles, setup.particles or truth.system.n_particles),
            (self.seed, setup.index if result.n_samples else (result.seed or 0)),
        ):
            # setting a value, even the same one, would take away what is half typed
            if widget.value() != int(value) and not (widget.hasFocus() and state.busy):
                ui.set_value(widget, int(value))
        self.dims.setEnabled(not result.n_samples)
        self.plus.setEnabled(not result.n_samples and truth.n_dims < MAX_DIMS)
        self.clamped.setEnabled(not result.n_samples)
        self.particles.setEnabled(result.drawn)
        self.seed.setEnabled(result.drawn or result.n_samples > 1)
        self._seed_label.setText("sample" if result.n_samples else "seed")

    def _show_models(self, state: ViewState, result: ComparisonResult) -> None:
        name = state.setup.model or result.comparison.model_name
        names = dict.fromkeys((*self._models, name, *state.models.opened))
        ui.fill(self.model, [(known, known) for known in names])
        for known in (state.setup.contrast, *state.models.opened):
            if self.contrast.findData(known) < 0:
                self.contrast.addItem(f"vs {known}", known)
        ui.choose(self.model, name)
        ui.choose(self.contrast, state.setup.contrast)
        badge = []
        if result.comparison.outside_training:
            title = "law not learned" if result.advice else "outside training"
            badge.append(f"{title}: {'; '.join(result.comparison.outside_training)}")
        if not result.has_any_forecast and result.measured:
            badge.append(f"no forecast: {result.no_forecast}")
        if result.contrast_note:
            badge.append(f"no second model: {result.contrast_note}")
        self.badge.setText("\n".join(badge))
        self.badge.setVisible(bool(badge))
        if self.command.text() != result.advice:  # setting it would take a selection away
            self.command.setText(result.advice)
            self.command.setCursorPosition(0)
            self.command.setToolTip(f"To learn it: {result.advice}")
        self.command.setVisible(bool(result.advice))
