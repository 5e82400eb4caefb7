"""The docks: one for each row of PANELS, placed, closed, restored; the layout as text."""

import time
from collections.abc import Callable

from PySide6.QtCore import QByteArray, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QWidget

from app.viewmodel.presenters.catalogue import Catalogue
from app.viewmodel.session import Session
from app.viewmodel.state.view_state import ViewState, same_but_for_the_clock
from app.views.panels import BOTTOM, LEFT, PANELS, RIGHT, Panel, PanelArea

LAYOUT_VERSION = 1
SIDE_WIDTH = 316
BOTTOM_HEIGHT = 185
GIVES = 0.15
"""The part of its height that the last panel of a full column gives to those above it."""

TENTH = 0.1
"""Between two drawings of a panel with pace "tenth" while it plays [second]."""


class PanelDock(QDockWidget):
    """The dock of one panel. Draws nothing while it is not seen."""

    def __init__(self, name: str, panel: Panel, content: QWidget, shown: Callable[[str], None]) -> None:
        super().__init__(panel.title)
        self.setObjectName(f"dock-{name}")  # by which Qt finds it in a stored layout
        self.setToolTip(f"{panel.help} ({panel.shortcut})" if panel.shortcut else panel.help)
        self.content = content
        self.seen = False
        self._name, self._shown = name, shown
        self.area = PanelArea(content) if panel.scrolls else None
        self.setWidget(self.area or content)
        self.visibilityChanged.connect(self._see)  # said of a panel behind another one, too

    def _see(self, seen: bool) -> None:
        """Draw what was missed, or rest."""
        self.seen = seen
        if seen:
            self._shown(self._name)


class Docks:
    """All docks of a window.

    Attributes
    ----------
    panels : dict of str to QWidget
        The widget that each row of PANELS made.
    docks : dict of str to PanelDock
    """

    def __init__(self, window: QMainWindow, session: Session, catalogue: Catalogue) -> None:
        self._window, self._session = window, session
        self.panels = {name: panel.make(session, catalogue) for name, panel in PANELS.items()}
        self.docks = {n: PanelDock(n, p, self.panels[n], self._show_now) for n, p in PANELS.items()}
        window.setDockOptions(QMainWindow.DockOption.AllowTabbedDocks | QMainWindow.DockOption.AllowNestedDocks)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, window.tabPosition(BOTTOM).North)
        for corner in (Qt.Corner.TopRightCorner, Qt.Corner.BottomRightCorner):
            window.setCorner(corner, RIGHT)
        for corner in (Qt.Corner.TopLeftCorner, Qt.Corner.BottomLeftCorner):
            window.setCorner(corner, LEFT)
        self._settle = QTimer(window)  # sizes hold only in a window that is laid out
        self._settle.setSingleShot(True)
        self._settle.timeout.connect(self._use_default_sizes)
        self._balance = QTimer(window)
        self._balance.setSingleShot(True)
        self._balance.timeout.connect(self._share_out)
        for dock in self.docks.values():
            if dock.area is not None:
                dock.area.wants_more.connect(lambda: self._balance.start(0))
        self._last: ViewState | None = None
        self._tenth = 0.0
        self._room: list[str] = []  # panels that make room for a sample, and those seen before
        self._in_front: list[str] = []
        self._sample = False
        self.place()

    def place(self) -> None:
        """Every panel where PANELS says."""
        for name, panel in PANELS.items():
            dock = self.docks[name]
            self._window.removeDockWidget(dock)
            self._window.addDockWidget(panel.area, dock)
            dock.setFloating(False)
            if panel.tab_with:
                self._window.tabifyDockWidget(self.docks[panel.tab_with], dock)
            dock.setVisible(panel.shown)
        for panel in PANELS.values():
            if panel.tab_with:
                self.docks[panel.tab_with].raise_()
        self._settle.start(0)

    def _use_default_sizes(self) -> None:
        sides = [d for n, d in self.docks.items() if PANELS[n].area in (LEFT, RIGHT)]
        below = [d for n, d in self.docks.items() if PANELS[n].area == BOTTOM]
        self._window.resizeDocks(sides, [SIDE_WIDTH] * len(sides), Qt.Orientation.Horizontal)
        self._window.resizeDocks(below, [BOTTOM_HEIGHT] * len(below), Qt.Orientation.Vertical)
        self._share_out()

    def toggle(self, name: str) -> None:
        """Close a panel that is seen; show one that is closed or lies behind another."""
        dock = self.docks[name]
        if dock.isVisible() and not dock.visibleRegion().isEmpty():
            dock.close()
        else:
            self.bring_up(name)

    def bring_up(self, name: str) -> None:
        """Show a panel, in front of those it shares its place with."""
        if self._sample and not PANELS[name].samples:
            self._session.say(f"{PANELS[name].title}: of trajectories only; choose a scenario or open one")
            return
        self.docks[name].show()
        self.docks[name].raise_()

    def show_state(self, state: ViewState) -> None:
        """Draw the state in every panel that is seen; while it plays at the pace of each."""
        if (state.sample is not None) != self._sample:
            self._make_room(state.sample is not None)
        before, self._last = self._last, state
        only_the_clock = before is not None and same_but_for_the_clock(before, state)
        due = {"tick"}
        if not (only_the_clock and state.playback.playing):
            due.add("tenth")
        elif time.monotonic() - self._tenth >= TENTH:
            due.add("tenth")
            self._tenth = time.monotonic()
        if not only_the_clock:
            due.add("change")
        for name, dock in self.docks.items():
            if dock.seen and PANELS[name].pace in due:
                self.panels[name].show_state(state)  # type: ignore[attr-defined]

    def _make_room(self, sample: bool) -> None:
        """Close what says nothing of a sample; show it again afterwards."""
        if sample:
            self._room = [n for n, d in self.docks.items() if not (PANELS[n].samples or d.isHidden())]
            self._in_front = [n for n, d in self.docks.items() if d.seen]
            for name in self._room:
                self.docks[name].hide()
        self._sample = sample
        if not sample:
            for name in self._room:
                self.docks[name].show()
            for name in self._in_front:
                self.docks[name].raise_()
            self._room = []
        self._balance.start(0)

    def _show_now(self, name: str) -> None:
        try:
            self.panels[name].show_state(self._session.state)  # type: ignore[attr-defined]
        except Exception as error:  # an exception in an event handler would abort the process: show it
            self._session.say(f"{PANELS[name].title}: {type(error).__name__}: {error}", "error")

    def _share_out(self) -> None:
        """Share a column's height among its panels; called where one does not fit."""
        for side in (LEFT, RIGHT):
            column = [
                d
                for d in self.docks.values()
                if d.area is not None
                and d.seen  # not one behind another: Qt calls that visible, too
                and not d.isFloating()
                and self._window.dockWidgetArea(d) == side
            ]
            bars = [self._tab_bar(d) for d in column]
            wanted = [_wanted(d) + bar for d, bar in zip(column, bars, strict=True)]
            heights = fair_shares(wanted, sum(d.height() for d in column) + sum(bars))
            if column:
                self._window.resizeDocks(column, heights, Qt.Orientation.Vertical)

    def _tab_bar(self, dock: PanelDock) -> int:
        """Height of the tabs above a dock, which Qt counts to it [pixel]; 0 for none."""
        if not self._window.tabifiedDockWidgets(dock):
            return 0
        bars = self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        return max((bar.height() for bar in bars if bar.isVisible()), default=0)

    def layout_text(self) -> str:
        """Where everything is, for the preferences."""
        if self._sample:
            self._make_room(False)
        return bytes(self._window.saveState(LAYOUT_VERSION).toBase64().data()).decode("ascii")

    def use_layout(self, text: str) -> None:
        """Put everything where it was; the default for a text that says nothing."""
        state = QByteArray.fromBase64(text.encode("ascii", "ignore"))
        self._settle.stop()
        if not self._window.restoreState(state, LAYOUT_VERSION):
            self.place()


def fair_shares(wanted: list[int], height: int) -> list[int]:
    """Heights that add up to `height`: each what it wants; where that is too much the largest ones alike.

    The last one then gives some of its own to those above: it ends in running text, which scrolls best.
    """
    shares, left = [0] * len(wanted), height
    order = sorted(range(len(wanted)), key=lambda k: wanted[k])
    for number, k in enumerate(order):
        share = left // (len(order) - number)
        shares[k] = share if number == len(order) - 1 else min(wanted[k], share)
        left -= shares[k]
    spare = int(GIVES * shares[-1]) if shares else 0
    for k in range(len(wanted) - 1):
        given = min(max(wanted[k] - shares[k], 0), spare)
        shares[k], shares[-1], spare = shares[k] + given, shares[-1] - given, spare - given
    return shares


def _wanted(dock: PanelDock) -> int:
    assert dock.area is not None
    return dock.area.wanted_height + dock.height() - dock.area.height()
