"""The bar under the panes: the time line; below it play, step, time, marks, what happens at the end, speed."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.viewmodel.session import Session
from app.viewmodel.state.playback import ENDINGS, SPEEDS
from app.viewmodel.state.view_state import ViewState, same_but_for_the_clock
from app.views.icons import themed_icon
from app.views.scrubber import Scrubber


class Timeline(QWidget):
    """One clock for all panes."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        clock = session.clock
        self._last: ViewState | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 4, 10, 4)
        column.setSpacing(2)
        self.scrub = Scrubber()
        self.scrub.setToolTip("Click or drag; long strokes are whole model horizons, brackets the marks (I, O)")
        self.scrub.valueChanged.connect(clock.seek)
        column.addWidget(self.scrub)
        row = QHBoxLayout()
        row.setSpacing(5)
        column.addLayout(row)
        self.play = self._button("", "Play or pause (Space)", clock.toggle_play)
        self.play.setObjectName("play")
        self.back = self._button("", "Previous frame (Left)", lambda: clock.step(-1))
        self.forward = self._button("", "Next frame (Right)", lambda: clock.step(1))
        self.mark_in = self._button("In", "Play from this frame on (I); Shift+I goes there", clock.mark_in)
        self.mark_out = self._button("Out", "Play up to this frame (O); Shift+O goes there", clock.mark_out)
        self.clear = self._button("×", "Play all of it: no marks (Alt+I)", clock.clear_marks)
        for button in (self.back, self.forward, self.mark_in, self.mark_out, self.clear):
            button.setProperty("small", True)
        self.time = QDoubleSpinBox()
        self.time.setDecimals(2)
        self.time.setPrefix("t = ")
        self.time.setKeyboardTracking(False)
        self.time.setAccessibleName("go to time")
        self.time.setToolTip("The time of the frame that is shown; type another and press Enter (G)")
        self.time.setMinimumWidth(136)
        self.time.valueChanged.connect(clock.seek_time)
        self.ending = QComboBox()
        self.ending.setAccessibleName("at the end")
        self.ending.setToolTip("At the end: stop, play again (Ctrl+R), or turn round (Ctrl+Shift+R)")
        for name in ENDINGS:
            self.ending.addItem(name, name)
        self.ending.activated.connect(lambda: clock.set_ending(self.ending.currentData()))
        self.every = QPushButton("every")
        self.every.setProperty("small", True)
        self.every.setCheckable(True)
        self.every.setToolTip("Skip no frame, however slow the drawing (E); else keep to the time")
        self.every.clicked.connect(clock.toggle_every_frame)
        self.speed = QComboBox()
        self.speed.setAccessibleName("speed")
        self.speed.setToolTip("Time units per second ([ and ])")
        for speed in SPEEDS:
            self.speed.addItem(f"{speed:g}×", speed)
        for combo in (self.ending, self.speed):
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(3)
            combo.setMaximumWidth(76)
        self.speed.activated.connect(lambda: clock.set_speed(self.speed.currentData()))
        left: tuple[QWidget, ...] = (self.back, self.play, self.forward, self.time)
        for widget in left:
            row.addWidget(widget)
        row.addSpacing(8)
        for button in (self.mark_in, self.mark_out, self.clear):
            row.addWidget(button)
        row.addStretch(1)
        right: tuple[QWidget, ...] = (self.every, self.ending, self.speed)
        for widget in right:
            row.addWidget(widget)

    def _button(self, words: str, tip: str, clicked: object) -> QPushButton:
        made = QPushButton(words)
        made.setToolTip(tip)
        made.setAccessibleName(tip.split(" (")[0].lower())
        made.clicked.connect(lambda: clicked())  # type: ignore[operator]
        return made

    def edit_time(self) -> None:
        """Let the user type a time."""
        self.time.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.time.selectAll()

    def show_state(self, state: ViewState) -> None:
        """Draw the state; from tick to tick only the time."""
        if self._last is None or not same_but_for_the_clock(self._last, state):
            self._show_choices(state)
        self._last = state
        with QSignalBlocker(self.scrub):
            self.scrub.setValue(state.frame)
        if not self.time.hasFocus() and state.result is not None:
            with QSignalBlocker(self.time):
                self.time.setValue(state.time)

    def _show_choices(self, state: ViewState) -> None:
        theme, playback = state.view.theme, state.playback
        self.play.setIcon(themed_icon("pause" if playback.playing else "play", theme))
        self.back.setIcon(themed_icon("back", theme))
        self.forward.setIcon(themed_icon("forward", theme))
        with QSignalBlocker(self.scrub):
            self.scrub.setRange(0, max(state.n_frames - 1, 0))
        self.scrub.show_state(state)
        if state.result is not None:
            times = state.result.comparison.truth.times
            with QSignalBlocker(self.time):
                self.time.setRange(float(times[0]), float(times[-1]))
                self.time.setSingleStep(float(times[1] - times[0]) if len(times) > 1 else 1.0)
                self.time.setSuffix(f" / {float(times[-1]):.2f}")
        self.clear.setEnabled(playback.mark_in is not None or playback.mark_out is not None)
        self.every.setChecked(playback.every_frame)
        for combo, value in ((self.speed, playback.speed), (self.ending, playback.ending)):
            at = combo.findData(value)
            if at >= 0 and not combo.view().isVisible():
                combo.setCurrentIndex(at)
