"""The window: panes and their clock in the middle, docks around them; everything goes through the Session."""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QByteArray, QElapsedTimer, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import (
    QCloseEvent,
    QCursor,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QPaintEvent,
)
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QLabel, QVBoxLayout, QWidget

from app.viewmodel.actions import Action
from app.viewmodel.actions.palette import Entry
from app.viewmodel.presenters.catalogue import Catalogue
from app.viewmodel.presenters.particles import particle_words
from app.viewmodel.session import Session
from app.viewmodel.state.view_state import ViewState, same_but_for_the_clock
from app.views.dialog_window import DialogWindow
from app.views.docks import Docks
from app.views.jobs import JobBar
from app.views.menus import Menus
from app.views.mover import ParticleMover
from app.views.overlays import Overlays
from app.views.palette import CommandPalette
from app.views.pane_mouse import PaneMouse
from app.views.panels import COMMANDS
from app.views.preferences_dialog import PreferencesDialog
from app.views.sample_bar import SampleBar
from app.views.sketch_view import SketchPen
from app.views.theme import style_sheet
from app.views.timeline import Timeline
from app.views.toolbar import ToolBar
from app.views.trackball import Trackball
from app.views.viewport import Viewport

TICK_MILLISECONDS = 33
AUTOSAVE_MILLISECONDS = 3000

SETTLED = 60
"""Panels are laid out anew so long after the window's first paint; loading beside that would hold it up [ms]."""

HELD_FRAME = 0.15
"""While a forecast is awaited, the playback draws so seldom [second]: software rendering takes its processor."""


class MainWindow(DialogWindow):
    """The application's window.

    Parameters
    ----------
    session : Session
    catalogue : Catalogue
    closed : callable
        Called last when the window closes.
    """

    def __init__(self, session: Session, catalogue: Catalogue, closed: Callable[[], None] = lambda: None) -> None:
        super().__init__(session)
        self._closed = closed
        self._catalogue = catalogue
        self.preferences_dialog: PreferencesDialog | None = None
        self._theme = ""
        self._lesson = ""
        self.setWindowTitle("Isotwin")
        screen = QGuiApplication.primaryScreen().availableSize()
        self.resize(min(1280, screen.width()), min(800, screen.height()))
        self.setMinimumSize(760, 500)
        self.setAcceptDrops(True)
        self.viewport = Viewport(self, self._viewport_failed, session.view.camera_moved)
        self.timeline = Timeline(session)
        self.sample_bar = SampleBar(session)
        self._lay_out()
        self.docks = Docks(self, session, catalogue)
        self.panels = self.docks.panels
        self.overlays = Overlays(self, self.viewport.widget, session)
        self.mouse = PaneMouse(
            self.viewport.widget,
            particle_at=self.viewport.particle_at,
            pane_at=self.viewport.pane_at,
            clicked=session.selection.pick,
            doubled=session.picture.maximise,
            words=lambda particle: particle_words(session.state, particle),
            titles=self.viewport.titles,
        )
        self.viewport.watched_by(self.mouse)
        self.viewport.widget.installEventFilter(self.mouse)
        self.sketch = SketchPen(self.viewport, session)
        self.mover = ParticleMover(self.viewport, session)
        self.viewport.widget.installEventFilter(self)
        self.trackball = Trackball(self.viewport.widget, session, self.viewport.screen_directions)
        for box in self.findChildren(QAbstractSpinBox):
            box.installEventFilter(self)
            box.lineEdit().returnPressed.connect(box.clearFocus)
        self.menus = Menus(self, session, self.docks.docks, self._run)
        self.actions_by_name = self.menus.actions
        self.tools = ToolBar(self.actions_by_name)
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, self.tools)
        self.palette_card = CommandPalette(self, session, COMMANDS, catalogue, self._run)
        self._build_status()
        preferences = session.state.preferences
        if preferences.geometry:
            self.restoreGeometry(QByteArray.fromBase64(preferences.geometry.encode("ascii", "ignore")))
        if preferences.layout:
            self.docks.use_layout(preferences.layout)
        self._clock = QElapsedTimer()
        self.timer = QTimer(self)
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(self._tick)
        self.longest_tick = 0.0
        self._shown: ViewState | None = None
        self._keeper = QTimer(self)
        self._keeper.timeout.connect(session.autosave.tick)
        self._keeper.start(AUTOSAVE_MILLISECONDS)
        self._opened = False
        session.subscribe(self.viewport.show)
        session.subscribe(self._show_state)
        self._clock.start()
        self.timer.start(TICK_MILLISECONDS)

    def _lay_out(self) -> None:
        central = QWidget()
        central.setObjectName("bottom")
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.viewport.widget, 1)
        column.addWidget(self.timeline)
        column.addWidget(self.sample_bar)
        self.setCentralWidget(central)

    def _build_status(self) -> None:
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        self.state_label = QLabel("starting the forecast process …")
        self.jobs = JobBar(self, self.session)
        bar.addWidget(self.state_label, 1)
        bar.addPermanentWidget(self.jobs)

    # --- drawing ------------------------------------------------------------------------------------------

    def _show_state(self, state: ViewState) -> None:
        if state.view.theme != self._theme:
            self._theme = state.view.theme
            application = QApplication.instance()
            if isinstance(application, QApplication):
                application.setStyleSheet(style_sheet(state.view.theme))
            self.tools.use_theme(state.view.theme)
        self.timeline.setVisible(state.sample is None)
        self.sample_bar.setVisible(state.sample is not None)
        if state.sample is None:
            self.timeline.show_state(state)
        else:
            self.sample_bar.show_state(state, state.sample)
        if state.lesson is not None and state.lesson.name != self._lesson:
            self.docks.bring_up("lesson")
        self._lesson = state.lesson.name if state.lesson is not None else ""
        self.docks.show_state(state)
        before, self._shown = self._shown, state
        if before is None or not same_but_for_the_clock(before, state):
            self._show_controls(state)

    def _show_controls(self, state: ViewState) -> None:
        """What no frame changes: messages, modes, menus, the status bar."""
        self.overlays.show_state(state)
        self.sketch.show_state(state)
        self.mover.show_state(state)
        if self.preferences_dialog is not None:
            self.preferences_dialog.show_state(state)
        self.menus.show_state(state)
        self.jobs.show_state(state)
        self.state_label.setText(_status_text(state))

    def _viewport_failed(self, error: BaseException) -> None:
        self.session.say(f"no 3-D view: {type(error).__name__}: {error}", "error")

    def _tick(self) -> None:
        state = self.session.state
        awaited = state.shown is not None and state.shown.setup != state.setup
        if awaited and state.busy and self._clock.elapsed() < 1000 * HELD_FRAME:
            return
        elapsed = self._clock.restart() / 1000.0
        begin = time.perf_counter()
        try:
            self.session.tours.tick(min(elapsed, 0.25))
            self.session.clock.tick(min(elapsed, 0.25))
        except Exception as error:  # an exception in a slot would abort the process: show it
            self.timer.stop()
            self.session.say(f"playback stopped: {type(error).__name__}: {error}", "error")
        self.longest_tick = max(self.longest_tick, time.perf_counter() - begin)

    def _run(self, action: Action | Entry, *_: object) -> None:
        try:
            action.run(self.session, self)
        except Exception as error:  # as above
            self.session.say(f"{action.title}: {type(error).__name__}: {error}", "error")

    # --- Dialogs (app.viewmodel.actions) ------------------------------------------------------------------

    def toggle_panel(self, name: str) -> None:
        """Show a panel, or close it if it is seen."""
        self.docks.toggle(name)

    def show_panel(self, name: str) -> None:
        """Show a panel, in front of those it shares a place with."""
        self.docks.docks[name].show()
        self.docks.docks[name].raise_()

    def reset_layout(self) -> None:
        """All panels where they are at the first start."""
        self.docks.place()
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, self.tools)
        self.tools.show()

    def show_palette(self) -> None:
        """Open the command palette."""
        self.palette_card.open()

    def reset_camera(self) -> None:
        """The view a picture starts with."""
        self.viewport.reset_camera()

    def look_along(self, axis: int) -> None:
        """Look along an axis of space as it is drawn."""
        if not self.viewport.look_along(axis):
            self.session.say(f"there is no axis x{axis} to look along in {self.session.state.n_dims} dimensions")

    def screen_directions(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What is to the right and up on the screen, in the drawn space."""
        return self.viewport.screen_directions()

    def pane_under_mouse(self) -> int:
        """Which pane the mouse points at; the second one where it points at none."""
        place = self.viewport.widget.mapFromGlobal(QCursor.pos())
        if self.viewport.widget.rect().contains(place):
            return self.viewport.pane_at(place.x(), place.y())
        return 1

    def edit_time(self) -> None:
        """Let the user type a time."""
        self.timeline.edit_time()

    def show_preferences(self) -> None:
        """Open the preferences."""
        if self.preferences_dialog is None:
            self.preferences_dialog = PreferencesDialog(self, self.session, self._catalogue)
        self.preferences_dialog.open_beside()

    def show_jobs(self) -> None:
        """Open the list of what works in the background."""
        self.jobs.list.open_above()

    def quit(self) -> None:
        """Close the window."""
        self.close()

    # --- Qt events ----------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Keep the overlays in place, and the keys working while a number box has the focus."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            key = event.key()
            if key in (Qt.Key.Key_Space, Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight) or (
                Qt.Key.Key_A <= key <= Qt.Key.Key_Z and not event.modifiers() & Qt.KeyboardModifier.ControlModifier
            ):
                event.ignore()  # a number has no use for it: leave it to the shortcuts
                return True
            return False
        if event.type() == QEvent.Type.Resize and watched is self.viewport.widget:
            self.overlays.place()
            self.jobs.list.place()
            self.sketch.place()
            self.mover.place()
        return False

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802  (Qt's name)
        """Take files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802  (Qt's name)
        """Open what was dropped."""
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.session.files.open(url.toLocalFile())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """Load what takes long only when there is a window to look at."""
        super().paintEvent(event)
        if not self._opened:
            self._opened = True
            QTimer.singleShot(SETTLED, self.viewport.open)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802  (Qt's name)
        """Stop the clock, the workers and the painter, in this order, whatever one of them says."""
        self.timer.stop()
        self._keeper.stop()
        event.accept()
        try:
            with ExitStack() as rest:  # from its end
                rest.callback(self._closed)
                rest.callback(self.viewport.close)
                rest.callback(self.session.close)
                if self.isVisible():  # else it is closed already
                    geometry = bytes(self.saveGeometry().toBase64().data()).decode("ascii")
                    self.session.preferences.set(layout=self.docks.layout_text(), geometry=geometry)
        except Exception:
            sys.excepthook(*sys.exc_info())  # out of an event of closing it would end the process in C++


def _status_text(state: ViewState) -> str:
    if state.sample is not None:
        sample, setup = state.sample.sample, state.setup
        text = f"{Path(setup.data).name}   n = {state.n_dims}   N = {len(sample.points)}   {sample.model}"
        return text + ("   working …" if state.busy and not state.touring.world else "")
    if state.result is None:
        return "starting the forecast process …" if state.busy else ""
    comparison = state.result.comparison
    truth = comparison.truth
    text = (
        f"{comparison.scenario_name}   n = {truth.n_dims}   N = {truth.system.n_particles}   "
        f"{comparison.model_name}"
    )
    if comparison.horizon is not None:
        text += f"   horizon {comparison.horizon:g}"
    return text + ("   working …" if state.busy and not state.touring.world else "")
