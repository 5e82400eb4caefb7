"""The card of the first run: what is left, what is right, what to drag."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.viewmodel.session import Session
from app.viewmodel.state.view_state import ViewState

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
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 12)
        column.setSpacing(10)
        row = QHBoxLayout()
        row.setSpacing(18)
        for title, text in PARTS:
            part = QVBoxLayout()
            part.setSpacing(3)
            head, body = QLabel(title), QLabel(text)
            head.setObjectName("keys")
            head.setWordWrap(True)
            body.setWordWrap(True)
            body.setAlignment(Qt.AlignmentFlag.AlignTop)
            part.addWidget(head)
            part.addWidget(body, 1)
            row.addLayout(part, 1)
        column.addLayout(row)
        foot = QHBoxLayout()
        note = QLabel("Esc closes this. Help > First steps (F1) shows it again; Help > Lessons explains the rest.")
        note.setObjectName("muted")
        note.setWordWrap(True)
        self.button = QPushButton("Start")
        self.button.setObjectName("primary")
        self.button.clicked.connect(session.welcome.close)
        foot.addWidget(note, 1)
        foot.addWidget(self.button)
        column.addLayout(foot)
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
