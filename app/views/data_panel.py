"""The data browser: which split, which sample, and the samples by their error."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QGridLayout, QProgressBar, QSpinBox, QVBoxLayout, QWidget

from app.viewmodel.session import Session
from app.viewmodel.state.samples import same_data
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.tasks.sample_errors import MOST
from app.views import widgets as ui
from app.views.curve_plot import log_plot, start_over
from physics.types import FloatArray
from surrogate.render.captions import short_number
from surrogate.render.theme import THEMES

LEFT_WIDTH = 330

EMPTY = (
    "No data set is shown.\n\n"
    "Open a Zarr folder or an .npz file with Ctrl+O, or drop it on the window.\n"
    "To make one: python -m physics.generate --preset charged-bound --out data/mine.zarr"
)


class DataPanel(QWidget):
    """Left what is chosen, right the errors in their order; a click on one shows it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._drawn: object = None
        self._left, halves = ui.halves(self, 150, LEFT_WIDTH)
        self.name = ui.label(name="", wraps=True)
        data = session.data
        self.sort = ui.button(
            "Worst first",
            f"Forecast the first {MOST} samples at most, and order them by their error",
            data.sort,
            small=False,
        )
        self.unsort = ui.button("File order", "As they are stored; stops measuring", data.unsort, small=False)
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        order = ui.row(self.sort, self.unsort, (self.progress, 1))
        self.standing = ui.label(wraps=True)
        self.notes = ui.label(wraps=True)
        column = QVBoxLayout(self._left)
        ui.filled(column, self.name, self._build_choice(), order, self.standing, self.notes, None, spacing=5)
        self.plot = log_plot()
        self.plot.scene().sigMouseClicked.connect(self._clicked)
        halves.addWidget(self.plot, 3)
        self.empty = ui.label(EMPTY, wraps=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        halves.addWidget(self.empty, 5)

    def _build_choice(self) -> QGridLayout:
        data = self._session.data
        self.split = ui.combo("split", chosen=data.choose_split)
        self.index = ui.number(QSpinBox(), "sample", 0, 0, self._session.system.choose_sample, width=64)
        self.previous = ui.button("◀", "The sample before (Ctrl+Left)", lambda: data.step(-1))
        self.next = ui.button("▶", "The next sample (Ctrl+Right)", lambda: data.step(1))
        for button in (self.previous, self.next):
            button.setAccessibleName(button.toolTip())
        self._split_label = ui.label("split")
        grid = self._choice = ui.grid(c1=1, c3=1)
        parts = (self._split_label, self.split, ui.label("sample"), self.index, self.previous, self.next)
        for column, widget in enumerate(parts):
            grid.addWidget(widget, 0, column)
        return grid

    def _clicked(self, event: object) -> None:
        errors = self._session.state.browser.errors
        at = self.plot.plotItem.vb.mapSceneToView(event.scenePos())  # type: ignore[attr-defined]
        place = round(at.x())
        if 0 <= place < len(errors):
            self._session.system.choose_sample(errors[place][0])

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        result, setup, browser = state.shown, state.setup, state.browser
        count = result.n_samples if result is not None else 0
        for widget in (self.index, self.previous, self.next):
            widget.setEnabled(count > 0)
        for widget in (self.sort, self.unsort):
            widget.setEnabled(count > 0 and state.sample is None)
        splits = result.splits if result is not None else ()
        ui.fill(self.split, [(name, name) for name in splits])
        for part in (self.split, self._split_label):
            part.setVisible(bool(splits))  # a file that is one split has nothing to choose
        self._choice.setColumnStretch(1, int(bool(splits)))
        self.progress.setVisible(browser.progress is not None)
        self.progress.setValue(int(100 * (browser.progress or 0.0)))
        self.empty.setVisible(not count)
        self._left.setVisible(bool(count))
        if not count or result is None:
            self._draw(state, False)
            return
        self.name.setText(f"{setup.data}: {count} samples")
        self.name.setToolTip(setup.data)
        notes = state.result.notes if state.result is not None else ()
        self.notes.setText("; ".join(notes))
        self.notes.setVisible(bool(notes))
        ui.choose(self.split, setup.split)
        with QSignalBlocker(self.index):
            self.index.setRange(0, count - 1)
            if self.index.value() != setup.index and not (self.index.hasFocus() and state.busy):
                self.index.setValue(setup.index)
        fresh = same_data(browser.setup, setup)
        self.standing.setText(_standing(state, fresh, count))
        self._draw(state, fresh)

    def _draw(self, state: ViewState, fresh: bool) -> None:
        errors = state.browser.errors if fresh else ()
        there = bool(state.result and state.result.n_samples)
        key = (errors, state.setup.index, state.view.theme, there)
        if key == self._drawn:
            return
        self._drawn = key
        theme = THEMES[state.view.theme]
        title = "error by rank (log), click to show" if errors else "no errors yet: Worst first measures them"
        start_over(self.plot, theme, title, numbered=bool(errors))
        self.plot.setVisible(there)
        if not errors:
            return
        values = shown_errors([error for _, error in errors])
        self.plot.plot(np.arange(len(values)), values, pen=pg.mkPen(theme.forecast, width=1.4))
        at = [k for k, (index, _) in enumerate(errors) if index == state.setup.index]
        if at:
            self.plot.plot(at, values[at], pen=None, symbol="o", symbolSize=9, symbolBrush=theme.warning)


def shown_errors(errors: list[float]) -> FloatArray:
    """Errors for a logarithmic axis: none infinite, none zero, in whatever unit of length, (n,) float64."""
    values = np.array(errors)
    there = values[np.isfinite(values) & (values > 0)]
    low, high = (there.min(), there.max()) if len(there) else (1e-12, 1e12)
    return np.asarray(np.clip(values, max(low, high * 1e-12), high))


def _standing(state: ViewState, fresh: bool, count: int) -> str:
    browser = state.browser
    if browser.progress is not None:
        return f"measuring {min(count, MOST)} samples …"
    if not browser.errors:
        return "in the order of the file"
    if not fresh:
        return "measured with another model or split: measure again"
    order = [index for index, _ in browser.errors]
    most = f"the first {len(order)} of {count}, " if len(order) < count else ""
    if state.setup.index not in order:
        return f"{most}worst first"
    rank = order.index(state.setup.index)
    return f"{most}worst first: rank {rank + 1}, error {short_number(browser.errors[rank][1])}"
