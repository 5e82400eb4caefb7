"""What floats over the panes: messages, errors, and the explanation with the keys."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QLabel, QWidget

from app.viewmodel.actions import ACTIONS
from app.viewmodel.session import Session
from app.viewmodel.state import ViewState

MESSAGE_MILLISECONDS = 6000


def help_text() -> str:
    """What is left, what is right, what to press."""
    keys = [
        f"<td style='padding-right:6px'><b>{_key(a.shortcut)}</b></td>"
        f"<td style='padding-right:22px'>{a.title}</td>"
        for a in ACTIONS.values()
        if a.shortcut and not a.shortcut.startswith("Ctrl")
    ]
    rows = "".join(f"<tr>{''.join(keys[k : k + 3])}</tr>" for k in range(0, len(keys), 3))
    return (
        "<p style='font-size:15px'><b>Left: the true motion. Right: what a network predicts.</b></p>"
        "<p>Each forecast frame is computed from the truth one time unit earlier; rings mark where the particles "
        "really are.<br>Turn the <i>world</i> (right-hand panel, or <b>S</b> to spin): the equivariant model's "
        "forecast turns rigidly along, the plain GNN's swings about.<br>Drag in a pane to move the <i>camera</i>: "
        "that changes no number.</p>"
        f"<table>{rows}</table>"
        "<p>Press <b>H</b> or click here to close.</p>"
    )


def _key(shortcut: str) -> str:
    return {"Right": "→", "Left": "←", "Shift+Right": "⇧→", "Shift+Left": "⇧←"}.get(shortcut, shortcut)


class _ClickLabel(QLabel):
    """A label that calls a function when clicked."""

    def __init__(self, parent: QWidget, name: str, clicked: object) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._clicked = clicked
        self.setWordWrap(True)
        self.hide()

    def mousePressEvent(self, event: object) -> None:  # noqa: N802  (Qt's name)
        """Close."""
        if callable(self._clicked):
            self._clicked()


class Overlays:
    """Keeps its labels over `host`; call `place` when the host changes its size."""

    def __init__(self, host: QWidget, session: Session) -> None:
        self._host, self._session = host, session
        self.help = _ClickLabel(host, "help", session.toggle_help)
        self.help.setTextFormat(Qt.TextFormat.RichText)
        self.help.setText(help_text())
        self.message = _ClickLabel(host, "message", session.dismiss)
        self._timer = QTimer(host)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(session.dismiss)
        self._shown: object = None

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        if self.help.isVisible() != state.view.show_help:
            self.help.setVisible(state.view.show_help)
        if state.message is not self._shown:
            self._shown = state.message
            message = state.message
            self.message.setVisible(message is not None)
            if message is not None:
                self.message.setObjectName("error" if message.kind == "error" else "message")
                self.message.style().unpolish(self.message)  # the style depends on the name
                self.message.style().polish(self.message)
                self.message.setText(message.text)
                if message.kind == "info":
                    self._timer.start(MESSAGE_MILLISECONDS)
                else:
                    self._timer.stop()
        self.place()

    def place(self) -> None:
        """Put the labels where they belong."""
        width, height = self._host.width(), self._host.height()
        if self.help.isVisible():
            wide = min(680, width - 40)
            tall = self.help.heightForWidth(wide)
            self.help.setGeometry((width - wide) // 2, max((height - tall) // 2, 10), wide, min(tall, height - 20))
            self.help.raise_()
        if self.message.isVisible():
            wide = min(560, width - 40)
            tall = max(self.message.heightForWidth(wide), 32)
            self.message.setGeometry((width - wide) // 2, height - tall - 16, wide, tall)
            self.message.raise_()
