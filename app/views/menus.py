"""The menus and the keys of the window: one entry for each command, and the recent files."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from app.viewmodel.actions import Action
from app.viewmodel.session import Session
from app.viewmodel.state.view_state import ViewState
from app.views.docks import PanelDock
from app.views.panels import COMMANDS, PANELS


class Menus:
    """Puts the commands into a window.

    Parameters
    ----------
    window : QMainWindow
    session : Session
    docks : dict of str to PanelDock
        Whose entries are checked while they are seen.
    run : callable
        What a chosen command is given to.

    Attributes
    ----------
    actions : dict of str to QAction
        By the names of COMMANDS.
    recent : QMenu
    """

    def __init__(
        self, window: QMainWindow, session: Session, docks: dict[str, PanelDock], run: Callable[[Action], None]
    ) -> None:
        self._session = session
        self.actions: dict[str, QAction] = {}
        menus: dict[str, QMenu] = {}
        for name, action in COMMANDS.items():
            is_panel = action.group == "Panels"  # they stand at the foot of the View menu
            group = "View" if is_panel else action.group
            if group not in menus:
                menus[group] = window.menuBar().addMenu(group)
            made = self.actions[name] = QAction(action.title, window)
            if action.shortcut:
                made.setShortcut(QKeySequence(action.shortcut))
            made.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            made.setToolTip(f"{action.title} ({action.shortcut})" if action.shortcut else action.title)
            made.setStatusTip(action.help)
            made.setCheckable(action.checked is not None or is_panel)
            made.triggered.connect(lambda _=False, action=action: run(action))
            if is_panel and not any(a.isSeparator() for a in menus[group].actions()):
                menus[group].addSeparator()
            menus[group].addAction(made)
            window.addAction(made)
        self.recent = QMenu("Open recent", window)
        self.recent.aboutToShow.connect(self._list_recent)
        menus["File"].insertMenu(self.actions["save"], self.recent)
        for name, dock in docks.items():
            made = self.actions[f"panel-{name}"]
            made.setChecked(not dock.isHidden())
            dock.toggleViewAction().toggled.connect(made.setChecked)

    def _list_recent(self) -> None:
        self.recent.clear()
        for path in self._session.state.preferences.recent:
            self.recent.addAction(path, partial(self._session.files.open, path))
        if self.recent.isEmpty():
            self.recent.addAction("nothing yet").setEnabled(False)

    def show_state(self, state: ViewState) -> None:
        """Check what is on, and offer what can be done."""
        for name, action in COMMANDS.items():
            made = self.actions[name]
            if action.checked is not None:
                with QSignalBlocker(made):
                    made.setChecked(action.checked(state))
            if action.enabled is not None:
                made.setEnabled(action.enabled(state))
        for name, panel in PANELS.items():
            self.actions[f"panel-{name}"].setEnabled(state.sample is None or panel.samples)
        self.actions["undo"].setEnabled(state.can_undo)
        self.actions["redo"].setEnabled(state.can_redo)
        for name in ("restore", "discard-kept"):
            self.actions[name].setEnabled(state.offer is not None)
        exporting = state.export_progress is not None
        self.actions["cancel-export"].setEnabled(exporting)
        self.actions["export"].setEnabled(not exporting and state.shown is not None)
