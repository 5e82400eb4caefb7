"""The bar under the panes: the time line; below it play, step, time, marks, what happens at the end, speed."""

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from app.viewmodel.session import Session
from app.viewmodel.state.playback import ENDINGS, FRAMES_A_SECOND, SPEEDS
from app.viewmodel.state.view_state import ViewState, same_but_for_the_clock
from app.views import widgets as ui
from app.views.icons import themed_icon
from app.views.number_boxes import TimeBox
from app.views.scrubber import Scrubber
from surrogate.render.captions import unit_of

TIP = "Time units per second ([ and ])"
STORED_TIP = f"1× plays {FRAMES_A_SECOND:g} stored frames a second ([ and ])"


class Timeline(QWidget):
    """One clock for all panes."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        clock = session.clock
        self._last: ViewState | None = None
        self.scrub = Scrubber()
        self.scrub.setToolTip("Click or drag; long strokes are whole model horizons, brackets the marks (I, O)")
        self.scrub.valueChanged.connect(clock.seek)
        self.play = _button("", "Play or pause (Space)", clock.toggle_play, small=False)
        self.play.setObjectName("play")
        self.back = _button("", "Previous frame (Left)", lambda: clock.step(-1))
        self.forward = _button("", "Next frame (Right)", lambda: clock.step(1))
        self.mark_in = _button("In", "Play from this frame on (I); Shift+I goes there", clock.mark_in)
        self.mark_out = _button("Out", "Play up to this frame (O); Shift+O goes there", clock.mark_out)
        self.clear = _button("×", "Play all of it: no marks (Alt+I)", clock.clear_marks)
        tip = "The time of the frame that is shown; type another and press Enter (G)"
        self.time = TimeBox()
        ui.number(self.time, "go to time", 0, 100, clock.seek_time, tip, width=136)
        self.time.setPrefix("t = ")
        tip = "At the end: stop, play again (Ctrl+R), or turn round (Ctrl+Shift+R)"
        endings = [(name, name) for name in ENDINGS]
        self.ending = ui.combo("at the end", endings, clock.set_ending, tip, letters=3)
        tip = "Skip no frame, however slow the drawing (E); else keep to the time"
        self.every = ui.button("every", tip, clock.toggle_every_frame, checkable=True)
        speeds = [(f"{speed:g}×", speed) for speed in SPEEDS]
        self.speed = ui.combo("speed", speeds, clock.set_speed, TIP, letters=3)
        for combo in (self.ending, self.speed):
            combo.setMaximumWidth(76)
        controls = ui.row(self.back, self.play, self.forward, self.time, spacing=5)
        controls.addSpacing(8)
        parts = (self.mark_in, self.mark_out, self.clear, None, self.every, self.ending, self.speed)
        ui.filled(controls, *parts, spacing=5)
        ui.filled(QVBoxLayout(self), self.scrub, controls, margins=(10, 4, 10, 4), spacing=2)

    def edit_time(self) -> None:
        """Let the user type a time."""
        self.time.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.time.selectAll()

    def show_state(self, state: ViewState) -> None:
        """Draw the state; from tick to tick only the time."""
        if self._last is None or not same_but_for_the_clock(self._last, state):
            self._show_choices(state)
        self._last = state
        ui.set_value(self.scrub, state.frame)
        if not self.time.hasFocus() and state.result is not None:
            ui.set_value(self.time, state.time)

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
                unit = unit_of(state.result.comparison, "time")
                self.time.show_times(times, unit)
            stored = bool(state.result.n_samples)
            self.speed.setToolTip(STORED_TIP if stored else TIP)
        self.clear.setEnabled(playback.mark_in is not None or playback.mark_out is not None)
        self.every.setChecked(playback.every_frame)
        ui.choose(self.speed, playback.speed)
        ui.choose(self.ending, playback.ending)


def _button(words: str, tip: str, clicked: Callable[[], None], small: bool = True) -> QPushButton:
    made = ui.button(words, tip, clicked, small)
    made.setAccessibleName(tip.split(" (")[0].lower())
    return made
