"""The command palette: type some letters, choose with the arrows, Enter does it, Escape closes it."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.viewmodel.actions import Action
from app.viewmodel.actions.palette import Entry, entries, found
from app.viewmodel.presenters.catalogue import Catalogue
from app.viewmodel.session import Session

WIDTH, HEIGHT, ROW = 520, 380, 28


class CommandPalette(QFrame):
    """Lies over the window; `chosen` is called with the entry."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        actions: Mapping[str, Action],
        catalogue: Catalogue,
        chosen: Callable[[Entry], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self.setObjectName("palette")
        self._session, self._actions, self._catalogue, self._chosen = session, actions, catalogue, chosen
        self._entries: list[Entry] = []
        self._shown: list[Entry] = []
        self.query = QLineEdit()
        self.query.setPlaceholderText("an action, a scenario, a model, a plane, a speed …")
        self.query.setAccessibleName("search commands")
        self.list = QListWidget()
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setUniformItemSizes(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        column.addWidget(self.query)
        column.addWidget(self.list)
        self.query.textChanged.connect(self._search)
        self.query.installEventFilter(self)
        self.list.itemClicked.connect(lambda _: self._choose())
        self.hide()

    def open(self) -> None:
        """Show it, empty, with the keyboard."""
        self._entries = entries(self._actions, self._session.state, self._catalogue)
        window = self._window
        width, height = min(WIDTH, window.width() - 40), min(HEIGHT, window.height() - 120)
        self.setGeometry((window.width() - width) // 2, 60, width, height)
        self.query.clear()
        self._search("")
        self.show()
        self.raise_()
        self.query.setFocus()

    def _search(self, query: str) -> None:
        self._shown = found(self._entries, query)
        self.list.clear()
        for entry in self._shown:
            item = QListWidgetItem()
            item.setSizeHint(QSize(0, ROW))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{entry.group}: {entry.title}")
            self.list.addItem(item)
            self.list.setItemWidget(item, _row(entry))
        self.list.setCurrentRow(0)

    def _choose(self) -> None:
        at = self.list.currentRow()
        self.close()
        if 0 <= at < len(self._shown):
            self._chosen(self._shown[at])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Arrows move in the list while the letters go to the line; no key reaches the window's shortcuts."""
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        if not isinstance(event, QKeyEvent):
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if event.type() != QEvent.Type.KeyPress:
            return False
        moves = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}
        key = Qt.Key(event.key())
        if key in moves:
            row = self.list.currentRow() + moves[key]
            self.list.setCurrentRow(min(max(row, 0), self.list.count() - 1))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose()
        elif key == Qt.Key.Key_Escape:
            self.close()
        else:
            return False
        return True


def _row(entry: Entry) -> QWidget:
    row = QWidget()
    row.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    line = QHBoxLayout(row)
    line.setContentsMargins(8, 0, 8, 0)
    group = QLabel(entry.group)
    group.setObjectName("muted")
    group.setFixedWidth(104)
    keys = QLabel(entry.shortcut)
    keys.setObjectName("keys")
    line.addWidget(group)
    line.addWidget(QLabel(entry.title), 1)
    line.addWidget(keys)
    return row
