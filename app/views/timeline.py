"""The bar under the panes: play, step, scrub, speed, and the time."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSlider, QWidget

from app.viewmodel.session import Session
from app.viewmodel.state import SPEEDS, ViewState
from app.views.icons import themed_icon


class Timeline(QWidget):
    """One clock for all panes."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 6, 10, 2)
        layout.setSpacing(6)
        self.play = QPushButton()
        self.play.setObjectName("play")
        self.play.setToolTip("Play or pause (Space)")
        self.play.setAccessibleName("play or pause")
        self.back, self.forward = QPushButton(), QPushButton()
        self.back.setToolTip("Previous frame (Left)")
        self.forward.setToolTip("Next frame (Right)")
        self.back.setAccessibleName("previous frame")
        self.forward.setAccessibleName("next frame")
        self.scrub = QSlider(Qt.Orientation.Horizontal)
        self.scrub.setAccessibleName("time")
        self.clock = QLabel("t = 0.00")
        self.clock.setObjectName("value")
        self.clock.setMinimumWidth(150)
        self.clock.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.speed = QComboBox()
        self.speed.setAccessibleName("speed")
        self.speed.setToolTip("Time units per second ([ and ])")
        for speed in SPEEDS:
            self.speed.addItem(f"{speed:g}×", speed)
        self.play.clicked.connect(session.clock.toggle_play)
        self.back.clicked.connect(lambda: session.clock.step(-1))
        self.forward.clicked.connect(lambda: session.clock.step(1))
        self.scrub.valueChanged.connect(session.clock.seek)
        self.speed.activated.connect(lambda: session.clock.set_speed(self.speed.currentData()))
        for widget in (self.back, self.play, self.forward):
            layout.addWidget(widget)
        layout.addWidget(self.scrub, 1)
        layout.addWidget(self.clock)
        layout.addWidget(self.speed)

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        theme = state.view.theme
        self.play.setIcon(themed_icon("pause" if state.playback.playing else "play", theme))
        self.back.setIcon(themed_icon("back", theme))
        self.forward.setIcon(themed_icon("forward", theme))
        with QSignalBlocker(self.scrub):
            self.scrub.setRange(0, max(state.n_frames - 1, 0))
            self.scrub.setValue(state.frame)
        if state.prepared is not None:
            last = float(state.prepared.comparison.truth.times[-1])
            self.clock.setText(f"t = {state.time:.2f} / {last:.2f}")
        at = self.speed.findData(state.playback.speed)
        if at >= 0 and not self.speed.view().isVisible():
            self.speed.setCurrentIndex(at)
