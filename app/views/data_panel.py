"""The data browser: which split, which sample, and the samples by their error."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.viewmodel.session import Session
from app.viewmodel.state.samples import same_data
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.tasks.sample_errors import MOST
from app.views.curve_plot import log_plot
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
        self.setObjectName("side")
        self.setMinimumHeight(150)
        self._drawn: object = None
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 2, 12, 6)
        row.setSpacing(14)
        left = QWidget()
        left.setMaximumWidth(LEFT_WIDTH)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        self.name = QLabel()
        self.name.setWordWrap(True)
        column.addWidget(self.name)
        column.addLayout(self._build_choice())
        column.addLayout(self._build_order())
        self.standing = QLabel()
        self.standing.setObjectName("muted")
        self.standing.setWordWrap(True)
        column.addWidget(self.standing)
        column.addStretch(1)
        row.addWidget(left, 2)
        self._left = left
        self.plot = log_plot()
        self.plot.scene().sigMouseClicked.connect(self._clicked)
        row.addWidget(self.plot, 3)
        self.empty = QLabel(EMPTY)
        self.empty.setObjectName("muted")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(self.empty, 5)

    def _build_choice(self) -> QGridLayout:
        data = self._session.data
        grid = self._choice = QGridLayout()
        grid.setHorizontalSpacing(6)
        self.split, self.index = QComboBox(), QSpinBox()
        self.split.setAccessibleName("split")
        self.split.activated.connect(lambda: data.choose_split(self.split.currentText()))
        self.index.setAccessibleName("sample")
        self.index.setKeyboardTracking(False)
        self.index.setMinimumWidth(64)
        self.index.valueChanged.connect(self._session.system.choose_sample)
        self.previous, self.next = QPushButton("◀"), QPushButton("▶")
        for button, by, tip in (
            (self.previous, -1, "The sample before (Ctrl+Left)"),
            (self.next, 1, "The next sample (Ctrl+Right)"),
        ):
            button.setProperty("small", True)
            button.setToolTip(tip)
            button.setAccessibleName(tip)
            button.clicked.connect(lambda _=False, b=by: data.step(b))
        self._split_label, sample = QLabel("split"), QLabel("sample")
        for at, (label, widget) in enumerate(((self._split_label, self.split), (sample, self.index))):
            label.setObjectName("muted")
            grid.addWidget(label, 0, 2 * at)
            grid.addWidget(widget, 0, 2 * at + 1)
        grid.addWidget(self.previous, 0, 4)
        grid.addWidget(self.next, 0, 5)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        return grid

    def _build_order(self) -> QHBoxLayout:
        data = self._session.data
        row = QHBoxLayout()
        self.sort, self.unsort = QPushButton("Worst first"), QPushButton("File order")
        self.sort.setToolTip(f"Forecast the first {MOST} samples at most, and order them by their error")
        self.unsort.setToolTip("As they are stored; stops measuring")
        self.sort.clicked.connect(data.sort)
        self.unsort.clicked.connect(data.unsort)
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        for widget in (self.sort, self.unsort):
            row.addWidget(widget)
        row.addWidget(self.progress, 1)
        row.addStretch(0)
        return row

    def _clicked(self, event: object) -> None:
        errors = self._session.state.browser.errors
        at = self.plot.plotItem.vb.mapSceneToView(event.scenePos())  # type: ignore[attr-defined]
        place = round(at.x())
        if 0 <= place < len(errors):
            self._session.system.choose_sample(errors[place][0])

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        result, setup, browser = state.result, state.setup, state.browser
        count = result.n_samples if result is not None else 0
        for widget in (self.index, self.previous, self.next, self.sort, self.unsort):
            widget.setEnabled(count > 0)
        splits = result.splits if result is not None else ()
        if [self.split.itemText(k) for k in range(self.split.count())] != list(splits):
            self.split.clear()
            self.split.addItems(splits)
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
        if splits and not self.split.view().isVisible():
            self.split.setCurrentText(setup.split)
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
        for item in self.plot.listDataItems():
            self.plot.removeItem(item)
        self.plot.setBackground(theme.panel)
        self.plot.setTitle("error by rank (log), click to show", color=theme.muted, size="9pt")
        for axis in ("left", "bottom"):
            self.plot.getAxis(axis).setPen(theme.line)
            self.plot.getAxis(axis).setTextPen(theme.muted)
        self.plot.setVisible(there)
        for axis in ("left", "bottom"):
            self.plot.showAxis(axis, bool(errors))  # of an empty plot it says nothing
        if not errors:
            self.plot.setTitle("no errors yet: Worst first measures them", color=theme.muted, size="9pt")
            return
        values = np.clip([error for _, error in errors], 1e-12, 1e12)
        self.plot.plot(np.arange(len(values)), values, pen=pg.mkPen(theme.forecast, width=1.4))
        at = [k for k, (index, _) in enumerate(errors) if index == state.setup.index]
        if at:
            self.plot.plot(at, values[at], pen=None, symbol="o", symbolSize=9, symbolBrush=theme.warning)


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
