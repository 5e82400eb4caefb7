"""The controls of tours, of the world rotation or of the view basis: a button a kind, and the speed."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QSlider, QVBoxLayout, QWidget

from app.viewmodel.intents.tours import SPEEDS
from app.viewmodel.session import Session
from app.viewmodel.state.tours import TOURS
from app.viewmodel.state.view_state import ViewState
from app.views import widgets as ui


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
        row = ui.row(ui.label("tour"), spacing=4)
        rows = [row]
        self.buttons: dict[str, QPushButton] = {}
        for kind in kinds:
            words, title = TOURS[kind].title.split()[0 if kind != "sweep" else 1], TOURS[kind].title.lower()
            tip = f"{of}: {title}. {TOURS[kind].help}"
            self.buttons[kind] = ui.button(words.capitalize(), tip, partial(toggle, kind), checkable=True)
            self.buttons[kind].setAccessibleName(f"{of}: {title}")
            row.addWidget(self.buttons[kind], 1)
        if len(kinds) > 3:  # no room for the speed beside them
            row = ui.row(ui.label("speed"))
            rows.append(row)
        tip = "Speed of tours, degrees per second"
        name = f"{of}: speed of tours in degrees per second"
        slider, (slowest, fastest) = QSlider(Qt.Orientation.Horizontal), SPEEDS
        self.speed = ui.number(
            slider, name, int(slowest), int(fastest), lambda v: session.tours.set_speed(float(v)), tip
        )
        self._value = ui.label(name="")
        self._value.setMinimumWidth(38)
        self._value.setAlignment(ui.RIGHT)
        row.addWidget(self.speed, 1)
        row.addWidget(self._value)
        ui.filled(QVBoxLayout(self), *rows, spacing=4)

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        running = self._running(state)
        for kind, button in self.buttons.items():
            button.setChecked(kind == running)
            button.setEnabled(state.n_dims > 1)
        ui.set_value(self.speed, round(state.touring.speed))
        self._value.setText(f"{state.touring.speed:.0f}°/s")
