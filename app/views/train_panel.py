"""Training: the plan on the left, the curves of the run on the right."""

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from app.viewmodel.intents.training import default_out
from app.viewmodel.session import Session
from app.viewmodel.state.own_system import MAX_DIMS, MAX_PARTICLES
from app.viewmodel.state.training import TrainPlan, configs, description, standing, trouble
from app.viewmodel.state.view_state import ViewState
from app.views import widgets as ui
from app.views.curve_plot import log_plot, start_over
from app.views.host import main_window_of
from physics.datasets.presets import PRESETS
from surrogate.render.theme import THEMES, Theme
from surrogate.tasks.autoencoder.generators import GRAPH_PRESETS

LEFT_WIDTH = 370
OWN_DATA = "own data set …"


class TrainPanel(QWidget):
    """Draws the plan and the run; every choice is an intent."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session, self._intents = session, session.training
        self._drawn: object = None
        left, halves = ui.halves(self, 222, LEFT_WIDTH, 3)
        self._grid = ui.grid(left, c1=8, c3=3)  # names are longer than numbers
        self._build_plan()
        self.plot = log_plot()
        self.standing, self.line = ui.label(name="", wraps=True), ui.label()
        self.line.setMinimumWidth(10)
        right = ui.filled(QVBoxLayout(), (self.plot, 1), self.standing, self.line, spacing=2)
        halves.addLayout(right, 3)

    def _build_plan(self) -> None:
        intents = self._intents
        known = PRESETS | dict(GRAPH_PRESETS)
        presets = [*((name, name) for name in known), (OWN_DATA, "")]
        self.data = ui.combo("training: data", presets, self._choose_data, letters=14)
        for at, preset in enumerate(known.values()):
            self.data.setItemData(at, preset.description, Qt.ItemDataRole.ToolTipRole)
        self.config = ui.combo(
            "training: model",
            [(name, name) for name in configs()],
            lambda name: intents.set(config=name),
            letters=14,
        )
        for at, name in enumerate(configs()):
            self.config.setItemData(at, description(name), Qt.ItemDataRole.ToolTipRole)
        self.dims = self._spin("dims", "n", 1, MAX_DIMS)
        self.particles = self._spin("particles", "N", 2, MAX_PARTICLES)
        self.samples = self._spin("samples", "samples", 10, 10_000)
        self.epochs = self._spin("epochs", "epochs", 1, 100_000)
        self.seed = self._spin("seed", "seed", 0, 2**31 - 1)
        tip = "Stop so many minutes after the first validation; the best model so far is kept"
        self.minutes = ui.number(
            QDoubleSpinBox(), "training: minutes", 0, 10_000, lambda value: intents.set(minutes=value), tip
        )
        self.minutes.setDecimals(1)
        self.minutes.setSpecialValueText("no limit")
        self.rate = ui.line("training: learning rate", self._rate_typed, "Learning rate")
        self.rate.setMinimumWidth(50)
        self.out = ui.line("training: folder", lambda text: intents.set(out=text.strip()))
        self.choose = ui.button("…", "Choose a folder", self._choose_out)
        place = QWidget()
        ui.filled(QHBoxLayout(place), (self.out, 1), self.choose, spacing=4)
        rows: list[list[tuple[str, QWidget]]] = [
            [("data", self.data), ("samples", self.samples)],
            [("N", self.particles), ("n", self.dims)],
            [("model", self.config), ("rate", self.rate)],
            [("epochs", self.epochs), ("minutes", self.minutes)],
            [("folder", place), ("seed", self.seed)],
        ]
        for at, parts in enumerate(rows):
            for k, (text, widget) in enumerate(parts):
                self._grid.addWidget(ui.label(text), at, 2 * k)
                self._grid.addWidget(widget, at, 2 * k + 1)
        self.train = ui.button("Train", "Generate the data if need be, and train", intents.start)
        self.resume = ui.button("Resume", "Go on with the run in the folder", lambda: intents.start(resume=True))
        self.stop = ui.button("Stop", "Its best model and its last state are kept", intents.stop)
        self.use = ui.button("Use as forecast model", "Forecast with the best model of the run", intents.use)
        self._grid.addLayout(ui.row(self.train, self.resume, self.stop, self.use, None, spacing=4), 5, 0, 1, 4)
        self.wrong = ui.label(name="badge", wraps=True)
        self._grid.addWidget(self.wrong, 6, 0, 1, 4)
        self._grid.setRowStretch(7, 1)
        self._fields = (
            self.data, self.config, self.dims, self.particles, self.samples, self.epochs, self.seed, self.minutes,
            self.rate, self.out, self.choose,
        )  # fmt: skip

    def _spin(self, field: str, words: str, low: int, high: int) -> QSpinBox:
        changed = lambda value: self._intents.set(**{field: value})  # noqa: E731
        return ui.number(QSpinBox(), f"training: {words}", low, high, changed, width=56)

    # --- what the user does -------------------------------------------------------------------------------

    def _choose_data(self, preset: str) -> None:
        if preset:
            self._intents.set(preset=preset)
            return
        path = main_window_of(self).data_path()
        if path:
            self._intents.set(preset="", data=path)
        self._show_plan(self._session.state.training.plan)

    def _choose_out(self) -> None:
        path = main_window_of(self).run_folder()
        if path:
            self._intents.set(out=path)

    def _rate_typed(self, text: str) -> None:
        try:
            self._intents.set(learning_rate=float(text))
        except ValueError:
            self._session.say(f"a learning rate is a number; got {text[:20]!r}", "error")

    # --- what is shown ------------------------------------------------------------------------------------

    def show_state(self, state: ViewState) -> None:
        """Draw the plan, the buttons, the curves."""
        training = state.training
        if not training.plan.out and not training.running:
            self._intents.set(out=default_out())
            return
        key = (training, state.view.theme, self.line.width())
        if key == self._drawn:
            return
        self._drawn = key
        self._show_plan(training.plan)
        running = training.running
        wrong = trouble(training.plan) if not running else {}
        self.wrong.setText(next(iter(wrong.values()), ""))
        self.wrong.setVisible(bool(wrong))
        for widget in self._fields:
            widget.setEnabled(not running)
        fixed = training.plan.preset in PRESETS and PRESETS[training.plan.preset].fixed_shape
        graphs = training.plan.preset in GRAPH_PRESETS
        self.dims.setEnabled(not running and bool(training.plan.preset) and not fixed)
        self.particles.setEnabled(self.dims.isEnabled() and not graphs)
        self.samples.setEnabled(not running and bool(training.plan.preset))
        self.train.setEnabled(not running and not wrong and not training.resumable)
        self.resume.setEnabled(not running and training.resumable)
        self.stop.setEnabled(running and training.status != "stopping")
        self.use.setEnabled(training.usable)
        self.standing.setText(standing(training))
        ui.restyle(self.standing, "badge" if training.status == "failed" else "")
        width = max(self.line.width() - 4, 60)
        # it comes from time to time: beside newer numbers it would be wrong
        line = "" if training.status == "training" and training.report.rows else training.report.line
        self.line.setText(self.line.fontMetrics().elidedText(line, Qt.TextElideMode.ElideRight, width))
        self.line.setToolTip(training.report.line)
        self._draw(state, THEMES[state.view.theme])

    def _show_plan(self, plan: TrainPlan) -> None:
        own = self.data.count() - 1
        self.data.setItemText(own, f"{plan.data} …" if plan.data else OWN_DATA)
        ui.choose(self.data, plan.preset)
        ui.choose(self.config, plan.config, missing=plan.config)
        numbers: tuple[tuple[Any, float], ...] = (
            (self.dims, plan.dims), (self.particles, plan.particles), (self.samples, plan.samples),
            (self.epochs, plan.epochs), (self.seed, plan.seed), (self.minutes, plan.minutes),
        )  # fmt: skip
        for box, value in numbers:
            ui.set_value(box, value)
        for line, text in ((self.rate, f"{plan.learning_rate:g}"), (self.out, plan.out)):
            if line.text() != text and not (line.hasFocus() and line.isModified()):
                line.setText(text)
        self.out.setToolTip(plan.out)

    def _draw(self, state: ViewState, theme: Theme) -> None:
        rows = state.training.report.rows
        colours = f"<span style='color:{theme.muted}'>loss</span> and "
        colours += f"<span style='color:{theme.forecast}'>validation</span>, log"
        start_over(self.plot, theme, colours if rows else "no curves yet", numbered=bool(rows))
        if not rows:
            return
        stage = rows[-1].stage
        rows = tuple(row for row in rows if row.stage == stage)
        epochs = [row.epoch for row in rows]
        self.plot.plot(epochs, [max(r.loss, 1e-12) for r in rows], pen=pg.mkPen(theme.muted, width=1.2))
        self.plot.plot(epochs, [max(r.valid, 1e-12) for r in rows], pen=pg.mkPen(theme.forecast, width=1.6))
        best = min(rows, key=lambda row: row.valid)
        self.plot.plot(
            [best.epoch], [max(best.valid, 1e-12)], pen=None, symbol="o", symbolSize=8, symbolBrush=theme.forecast
        )
