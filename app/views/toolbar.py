"""The slim bar of icons; every one of them an action of the registry."""

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolBar

from app.views.icons import SIZE, themed_icon

TOOLBAR: tuple[tuple[str, str], ...] = (
    ("open", "open"),
    ("save", "save"),
    ("export", "export"),
    ("", ""),
    ("undo", "undo"),
    ("redo", "redo"),
    ("", ""),
    ("rollout", "rollout"),
    ("colour", "colour"),
    ("", ""),
    ("palette", "palette"),
    ("theme", "theme"),
    ("help", "help"),
)
"""Names of actions and of their icons; a line between groups where they are empty."""


class ToolBar(QToolBar):
    """Stands at the left edge, where a wide window has room; may be moved."""

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        super().__init__("Tools")
        self.setObjectName("tools")
        self.setIconSize(QSize(SIZE, SIZE))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self._actions = actions
        for name, _ in TOOLBAR:
            if name:
                self.addAction(actions[name])
            else:
                self.addSeparator()

    def use_theme(self, theme: str) -> None:
        """Draw the icons in its colours."""
        for name, icon in TOOLBAR:
            if name:
                self._actions[name].setIcon(themed_icon(icon, theme))
