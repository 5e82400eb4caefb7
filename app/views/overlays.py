"""What floats over the panes: messages, errors, and the explanation with the keys."""

from collections import Counter

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QWidget

from app.viewmodel.session import Session
from app.viewmodel.state.view_state import ViewState
from app.views.offer import OfferCard
from app.views.panels import COMMANDS
from app.views.welcome import WelcomeCard
from app.views.widgets import restyle
from surrogate.render.theme import THEMES, Theme

MESSAGE_MILLISECONDS = 6000

FOOT = 56
"""Height of the read-outs at the foot of the panes, which no message covers [pixel]."""


HELP_COLUMNS = 3
HELP_WIDTH = 820


def help_text(theme: Theme) -> str:
    """What is left, what is right, what to press: a column of keys for each group of actions."""
    columns = "".join(f"<td style='padding-right:26px'>{_keys(groups, theme)}</td>" for groups in help_columns())
    return (
        "<p style='font-size:16px; margin-bottom:8px'><b>Left: the true motion. "
        "Right: what a network predicts.</b></p>"
        "<p style='margin-top:0; margin-bottom:5px'>Each forecast frame is computed from the truth one horizon "
        "earlier; rings mark where the particles really are.</p>"
        "<p style='margin-top:0; margin-bottom:5px'>Turn the <b>world</b> (right-hand panel, or S to spin): the "
        "equivariant model's forecast turns rigidly along, the plain GNN's swings about.</p>"
        "<p style='margin-top:0; margin-bottom:0'>Drag in a pane to move the <b>camera</b>: that changes no "
        "number.</p>"
        f"<table cellspacing='0' cellpadding='0'><tr>{columns}</tr></table>"
        f"<p style='margin-top:12px; margin-bottom:0; color:{theme.muted}'>H or a click here closes this. "
        "The menus have the rest.</p>"
    )


def help_columns() -> list[list[str]]:
    """The groups of actions with keys, in their order, in columns of about the same height."""
    counts = Counter(a.group for a in COMMANDS.values() if a.shortcut)
    height = sum(counts.values()) + 2 * len(counts)
    columns: list[list[str]] = [[] for _ in range(HELP_COLUMNS)]
    above = 0
    for group, count in counts.items():
        columns[min(HELP_COLUMNS * (above + count // 2) // height, HELP_COLUMNS - 1)].append(group)
        above += count + 2
    return columns


def _keys(groups: list[str], theme: Theme) -> str:
    rows = []
    for group in groups:
        title = f"<span style='color:{theme.muted}; font-size:11px'><b>{group.upper()}</b></span>"
        rows.append(f"<tr><td colspan='2' style='padding:10px 0 3px 0'>{title}</td></tr>")
        rows += [
            f"<tr><td style='padding:2px 14px 2px 0; color:{theme.forecast}; white-space:nowrap'>"
            f"<b>{_key(a.shortcut)}</b></td><td style='padding:2px 0; white-space:nowrap'>{a.title}</td></tr>"
            for a in COMMANDS.values()
            if a.group == group and a.shortcut
        ]
    return f"<table cellspacing='0' cellpadding='0'>{''.join(rows)}</table>"


def _key(shortcut: str) -> str:
    for name, sign in (("Right", "→"), ("Left", "←"), ("Shift+", "⇧ ")):
        shortcut = shortcut.replace(name, sign)
    return shortcut


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


class HelpCard(QScrollArea):
    """The explanation and the keys; scrolls in a small window, a click closes it."""

    def __init__(self, window: QWidget, clicked: object) -> None:
        super().__init__(window)
        self._window = window
        self.setObjectName("help")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.label = _ClickLabel(self, "helptext", clicked)
        self.label.setTextFormat(Qt.TextFormat.RichText)
        self.label.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setWidget(self.label)
        self.label.show()
        self.hide()

    def place(self, host: QWidget) -> None:
        """About the middle of `host`, inside the window, as high as its text."""
        window = self._window
        middle = host.mapTo(window, host.rect().center())
        bar = self.verticalScrollBar().sizeHint().width()
        wide = min(HELP_WIDTH, window.width() - 32)
        tall = min(self.label.heightForWidth(wide - bar) + 4, window.height() - 48)
        x = min(max(middle.x() - wide // 2, 16), window.width() - wide - 16)
        y = min(max(middle.y() - tall // 2, 32), window.height() - tall - 16)
        self.setGeometry(x, y, wide, tall)
        self.raise_()


class Overlays:
    """Keeps messages over `host` and the help over the window; call `place` when the host changes its size."""

    def __init__(self, window: QWidget, host: QWidget, session: Session) -> None:
        self._host, self._session = host, session
        self.help = HelpCard(window, session.view.toggle_help)
        self._theme = ""
        self.message = _ClickLabel(host, "message", session.dismiss)
        self.offer = OfferCard(host, session)
        self.welcome = WelcomeCard(host, session)
        self._timer = QTimer(host)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(session.dismiss)
        self._shown: object = None

    def show_state(self, state: ViewState) -> None:
        """Draw the state."""
        if state.view.theme != self._theme:
            self._theme = state.view.theme
            self.help.label.setText(help_text(THEMES[self._theme]))
        if self.help.isVisible() != state.view.show_help:
            self.help.setVisible(state.view.show_help)
        self.offer.show_state(state)
        self.welcome.show_state(state)
        if state.message is not self._shown:
            self._shown = state.message
            message = state.message
            self.message.setVisible(message is not None)
            if message is not None:
                restyle(self.message, "error" if message.kind == "error" else "message")
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
            self.help.place(self._host)
        bottom = height - FOOT
        if self.welcome.isVisible():  # lowest of all: the particles are above it
            self.welcome.place(height - 8)
            bottom = height - self.welcome.height() - 16
        if self.message.isVisible():
            # right, above the read-outs at the foot of the panes and away from the clock and the axes
            wide = min(self.message.fontMetrics().horizontalAdvance(self.message.text()) + 40, 440, width - 32)
            tall = max(self.message.heightForWidth(wide), 32)
            self.message.setGeometry(width - wide - 16, bottom - tall, wide, tall)
            self.message.raise_()
            bottom -= tall + 8
        if self.offer.isVisible():
            self.offer.place(bottom)
