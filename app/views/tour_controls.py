"""The controls of tours, of the world rotation or of the view basis: a button a kind, and the speed."""

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from app.viewmodel.intents.tours import SPEEDS
from app.viewmodel.session import Session
from app.viewmodel.state.tours import TOURS
from app.viewmodel.state.view_state import ViewState


class TourControls(QWidget):
    """Buttons that start and stop tours.

    Parameters
    ----------
    session : Session
    kinds : tuple of str
        Names of TOURS.
    of : str
        What tours: for tool tips.
    toggle : callable
        Starts or stops a kind.
    running : callable
        The kind that is under way, or empty.
    """

    def __init__(
        self,
        session: Session,
        kinds: tuple[str, ...],
        of: str,
        toggle: Callable[[str], None],
        running: Callable[[ViewState], str],
    ) -> None:
        super().__init__()
        self._running = running
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(4)
        label = QLabel("tour")
        label.setObjectName("muted")
        row.addWidget(label)
        self.buttons: dict[str, QPushButton] = {}
        for kind in kinds:
            button = QPushButton(TOURS[kind].title.split()[0 if kind != "sweep" else 1].capitalize())
            button.setCheckable(True)
            button.setProperty("small", True)
            button.setToolTip(f"{of}: {TOURS[kind].title.lower()}. {TOURS[kind].help}")
            button.setAccessibleName(f"{of}: {TOURS[kind].title.lower()}")
            button.clicked.connect(lambda _=False, kind=kind: toggle(kind))
            row.addWidget(button, 1)
            self.buttons[kind] = button
        column.addLayout(row)
        if len(kinds) > 3:  # no room for the speed beside them
            row = QHBoxLayout()
            label = QLabel("speed")
            label.setObjectName("muted")
            row.addWidget(label)
            column.addLayout(row)
        self.speed = QSlider(Qt.Orientation.Horizontal)
        self.speed.setRange(int(SPEEDS[0]), int(SPEEDS[1]))
        self.speed.setAccessibleName(f"{of}: speed of tours in degrees per second")
        self.speed.setToolTip("Speed of tours, degrees per second")
        self.speed.valueChanged.connect(lambda value: session.tours.set_speed(float(value)))
        self.speed.setMinimumWidth(48)
        row.addWidget(self.speed, 1)
        self._value = QLabel()
        self._value.setMinimumWidth(38)
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._value)

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        running = self._running(state)
        for kind, button in self.buttons.items():
            button.setChecked(kind == running)
            button.setEnabled(state.n_dims > 1)
        with QSignalBlocker(self.speed):
            self.speed.setValue(round(state.touring.speed))
        self._value.setText(f"{state.touring.speed:.0f}°/s")
