"""Training: the plan on the left, the curves of the run on the right."""

from collections.abc import Callable
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.viewmodel.intents.training import default_out
from app.viewmodel.session import Session
from app.viewmodel.state.own_system import MAX_DIMS, MAX_PARTICLES
from app.viewmodel.state.training import TrainPlan, configs, standing, trouble
from app.viewmodel.state.view_state import ViewState
from app.views.curve_plot import log_plot
from app.views.host import main_window_of
from physics.datasets.presets import PRESETS
from surrogate.render.theme import THEMES, Theme

LEFT_WIDTH = 370
OWN_DATA = "own data set …"


class TrainPanel(QWidget):
    """Draws the plan and the run; every choice is an intent."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session, self._intents = session, session.training
        self.setObjectName("side")
        self.setMinimumHeight(222)
        self._drawn: object = None
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 2, 12, 6)
        row.setSpacing(14)
        left = QWidget()
        left.setMaximumWidth(LEFT_WIDTH)
        self._grid = QGridLayout(left)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(4)
        self._build_plan()
        row.addWidget(left, 3)
        right = QVBoxLayout()
        right.setSpacing(2)
        self.plot = log_plot()
        right.addWidget(self.plot, 1)
        self.standing = QLabel()
        self.standing.setWordWrap(True)
        right.addWidget(self.standing)
        self.line = QLabel()
        self.line.setObjectName("muted")
        self.line.setMinimumWidth(10)
        right.addWidget(self.line)
        row.addLayout(right, 3)

    def _build_plan(self) -> None:
        intents = self._intents
        self.data = QComboBox()
        for name, preset in PRESETS.items():
            self.data.addItem(name, name)
            self.data.setItemData(self.data.count() - 1, preset.description, Qt.ItemDataRole.ToolTipRole)
        self.data.addItem(OWN_DATA, "")
        self.data.activated.connect(self._choose_data)
        self.config = QComboBox()
        self.config.addItems(configs())
        self.config.activated.connect(lambda: intents.set(config=self.config.currentText()))
        for combo in (self.data, self.config):
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(14)
        self.dims = self._spin("dims", 1, MAX_DIMS)
        self.particles = self._spin("particles", 2, MAX_PARTICLES)
        self.samples = self._spin("samples", 10, 10_000)
        self.epochs = self._spin("epochs", 1, 100_000)
        self.seed = self._spin("seed", 0, 2**31 - 1)
        self.minutes = QDoubleSpinBox()
        self.minutes.setRange(0, 10_000)
        self.minutes.setDecimals(1)
        self.minutes.setSpecialValueText("no limit")
        self.minutes.setKeyboardTracking(False)
        self.minutes.valueChanged.connect(lambda value: intents.set(minutes=value))
        self.minutes.setToolTip("Stop so many minutes after the first validation; the best model so far is kept")
        self.rate = QLineEdit()
        self.rate.editingFinished.connect(self._rate_typed)
        self.rate.setMinimumWidth(50)
        rows: list[list[tuple[str, QWidget]]] = [
            [("data", self.data), ("samples", self.samples)],
            [("N", self.particles), ("n", self.dims)],
            [("model", self.config), ("rate", self.rate)],
            [("epochs", self.epochs), ("minutes", self.minutes)],
            [("folder", self._build_place()), ("seed", self.seed)],
        ]
        for at, parts in enumerate(rows):
            for k, (text, widget) in enumerate(parts):
                label = QLabel(text)
                label.setObjectName("muted")
                widget.setAccessibleName(f"training: {text}")
                self._grid.addWidget(label, at, 2 * k)
                self._grid.addWidget(widget, at, 2 * k + 1)
        self.out.setAccessibleName("training: folder")
        self.rate.setAccessibleName("training: learning rate")
        self.rate.setToolTip("Learning rate")
        self._grid.setColumnStretch(1, 8)  # names are longer than numbers
        self._grid.setColumnStretch(3, 3)
        self._grid.addLayout(self._build_buttons(), 5, 0, 1, 4)
        self.wrong = QLabel()
        self.wrong.setObjectName("badge")
        self.wrong.setWordWrap(True)
        self._grid.addWidget(self.wrong, 6, 0, 1, 4)
        self._grid.setRowStretch(7, 1)
        self._fields = (
            self.data, self.config, self.dims, self.particles, self.samples, self.epochs, self.seed, self.minutes,
            self.rate, self.out, self.choose,
        )  # fmt: skip

    def _build_place(self) -> QWidget:
        """The folder, and the button that asks for another one."""
        place = QWidget()
        row = QHBoxLayout(place)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.out = QLineEdit()
        self.out.editingFinished.connect(lambda: self._intents.set(out=self.out.text().strip()))
        self.choose = QPushButton("…")
        self.choose.setProperty("small", True)
        self.choose.setToolTip("Choose a folder")
        self.choose.clicked.connect(self._choose_out)
        row.addWidget(self.out, 1)
        row.addWidget(self.choose)
        return place

    def _build_buttons(self) -> QHBoxLayout:
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        made = []
        actions: tuple[tuple[str, str, Callable[[], None]], ...] = (
            ("Train", "Generate the data if need be, and train", lambda: self._intents.start()),
            ("Resume", "Go on with the run in the folder", lambda: self._intents.start(resume=True)),
            ("Stop", "Its best model and its last state are kept", self._intents.stop),
            ("Use as forecast model", "Forecast with the best model of the run", self._intents.use),
        )
        for text, tip, run in actions:
            button = QPushButton(text)
            button.setProperty("small", True)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, r=run: r())
            buttons.addWidget(button)
            made.append(button)
        buttons.addStretch(1)
        self.train, self.resume, self.stop, self.use = made
        return buttons

    def _spin(self, field: str, low: int, high: int) -> QSpinBox:
        box = QSpinBox()
        box.setRange(low, high)
        box.setKeyboardTracking(False)
        box.setMinimumWidth(56)
        box.valueChanged.connect(lambda value: self._intents.set(**{field: value}))
        return box

    # --- what the user does -------------------------------------------------------------------------------

    def _choose_data(self) -> None:
        preset = self.data.currentData()
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

    def _rate_typed(self) -> None:
        try:
            self._intents.set(learning_rate=float(self.rate.text()))
        except ValueError:
            self._session.say(f"a learning rate is a number; got {self.rate.text()[:20]!r}", "error")

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
        for widget in (self.dims, self.particles):
            widget.setEnabled(not running and bool(training.plan.preset) and not fixed)
        self.samples.setEnabled(not running and bool(training.plan.preset))
        self.train.setEnabled(not running and not wrong and not training.resumable)
        self.resume.setEnabled(not running and training.resumable)
        self.stop.setEnabled(running and training.status != "stopping")
        self.use.setEnabled(training.usable)
        self.standing.setText(standing(training))
        self.standing.setObjectName("badge" if training.status == "failed" else "")
        self.standing.style().unpolish(self.standing)
        self.standing.style().polish(self.standing)
        width = max(self.line.width() - 4, 60)
        # it comes from time to time: beside newer numbers it would be wrong
        line = "" if training.status == "training" and training.report.rows else training.report.line
        elided = self.line.fontMetrics().elidedText(line, Qt.TextElideMode.ElideRight, width)
        self.line.setText(elided)
        self.line.setToolTip(training.report.line)
        self._draw(state, THEMES[state.view.theme])

    def _show_plan(self, plan: TrainPlan) -> None:
        own = self.data.count() - 1
        self.data.setItemText(own, f"{plan.data} …" if plan.data else OWN_DATA)
        _choose(self.data, self.data.findData(plan.preset) if plan.preset else own)
        if self.config.findText(plan.config) < 0:
            self.config.addItem(plan.config)
        _choose(self.config, self.config.findText(plan.config))
        numbers: tuple[tuple[Any, float], ...] = (
            (self.dims, plan.dims), (self.particles, plan.particles), (self.samples, plan.samples),
            (self.epochs, plan.epochs), (self.seed, plan.seed), (self.minutes, plan.minutes),
        )  # fmt: skip
        for box, value in numbers:
            with QSignalBlocker(box):
                box.setValue(value)
        for line, text in ((self.rate, f"{plan.learning_rate:g}"), (self.out, plan.out)):
            if line.text() != text and not (line.hasFocus() and line.isModified()):
                line.setText(text)
        self.out.setToolTip(plan.out)

    def _draw(self, state: ViewState, theme: Theme) -> None:
        rows = state.training.report.rows
        for item in self.plot.listDataItems():
            self.plot.removeItem(item)
        self.plot.setBackground(theme.panel)
        colours = f"<span style='color:{theme.muted}'>loss</span> and "
        colours += f"<span style='color:{theme.forecast}'>validation</span>, log"
        self.plot.setTitle(colours, color=theme.muted, size="9pt")
        for axis in ("left", "bottom"):
            self.plot.getAxis(axis).setPen(theme.line)
            self.plot.getAxis(axis).setTextPen(theme.muted)
            self.plot.showAxis(axis, bool(rows))  # of an empty plot it says nothing
        if not rows:
            self.plot.setTitle("no curves yet", color=theme.muted, size="9pt")
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


def _choose(combo: QComboBox, at: int) -> None:
    if not combo.view().isVisible():
        combo.setCurrentIndex(at)
