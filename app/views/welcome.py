"""The card of the first run: what is left, what is right, what to drag."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.viewmodel.session import Session
from app.viewmodel.state.view_state import ViewState
from app.views import widgets as ui

WIDTH, SPARE = 700, 8

PARTS = (
    ("Left", "The true motion: charges that pull and push each other."),
    ("Right", "Forecasts of learned models. Each frame was predicted one time unit before."),
    ("Drag in a pane", "You walk around the scene. No number changes."),
    ("Drag the angle", "You turn the world itself. A good model turns along with it."),
)


class WelcomeCard(QFrame):
    """Stands at the foot of `host`, under the particles."""

    def __init__(self, host: QWidget, session: Session) -> None:
        super().__init__(host)
        self.setObjectName("offer")
        self._host = host
        parts = ui.row(spacing=18)
        for title, text in PARTS:
            body = ui.label(text, "", wraps=True)
            body.setAlignment(Qt.AlignmentFlag.AlignTop)
            head = ui.label(title, "keys", wraps=True)
            parts.addLayout(ui.filled(QVBoxLayout(), head, (body, 1), spacing=3), 1)
        text = "Esc closes this. Help > First steps (F1) shows it again; Help > Lessons explains the rest."
        self.button = ui.button("Start", "", session.welcome.close, small=False, name="primary")
        foot = ui.row((ui.label(text, wraps=True), 1), self.button)
        self._column = ui.filled(QVBoxLayout(self), parts, foot, margins=(18, 14, 18, 12), spacing=10)
        self.hide()

    def show_state(self, state: ViewState) -> None:
        """Show or hide it."""
        if state.welcome != self.isVisible():
            self.setVisible(state.welcome)

    def place(self, bottom: int) -> None:
        """In the middle, its lower edge at `bottom` pixels."""
        wide = min(WIDTH, self._host.width() - 24)
        tall = self._column.heightForWidth(wide) + SPARE
        self.setGeometry((self._host.width() - wide) // 2, bottom - tall, wide, tall)
        self.raise_()
