"""Opening the window: one clear line where there is no display, then the application's event loop."""

import gc
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.viewmodel.files.lessons import lesson_titles
from app.viewmodel.files.preferences import config_folder, load_preferences
from app.viewmodel.presenters.catalogue import Catalogue
from app.viewmodel.session import Session
from app.viewmodel.state.playback import Playback
from app.viewmodel.state.preferences import Preferences
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.task_scenarios import task_scenarios
from app.viewmodel.state.view import View
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.first_run import first_result
from app.viewmodel.worker.process_runner import ProcessRunner
from app.viewmodel.worker.runner import Runner
from app.views.display import refuse_without_display
from app.views.qt_runner import Poster
from physics.scenarios import scenario_titles
from resources.shipped import shipped_models

if TYPE_CHECKING:
    from app.views.main_window import MainWindow

FIRST_PATIENCE, FIRST_LOOK = 4000, 20
"""How long the forecasts wait for the stored comparison to be seen, and how often that is checked [ms]."""

CONTRAST = "gnn-nbody"
FIRST_MODELS = ("integrator-nd", "egnn-nd", "egnn-nbody")


def first_setup() -> Setup:
    """The first run: a bound scene in three dimensions, with the contrast on."""
    models = shipped_models()
    model = next((name for name in FIRST_MODELS if name in models), next(iter(models), ""))
    return Setup(scenario="bound", model=model, contrast=CONTRAST if CONTRAST in models else "")


def first_state(preferences: Preferences, setup: Setup | None = None) -> ViewState:
    """How the window starts."""
    setup = setup or first_setup()
    if preferences.model:
        setup = replace(setup, model=preferences.model)
    if preferences.scenario != Preferences().scenario:
        setup = replace(setup, scenario=preferences.scenario)
    return ViewState(
        setup=setup,
        result=first_result(setup),
        view=View(theme=preferences.theme, trail=preferences.trail),
        playback=Playback(loop=preferences.loop),
        preferences=preferences,
        welcome=not preferences.welcomed,
    )


def make_window(
    runner: Runner | None = None, setup: Setup | None = None, folder: Path | None = None
) -> "MainWindow":
    """The window with its session.

    Parameters
    ----------
    runner : Runner, optional
        Work runs in child processes unless another one is given.
    setup : Setup, optional
        What is shown first.
    folder : Path, optional
        Of the preferences; defaults are used and nothing is stored without.
    """
    preferences, trouble = load_preferences(folder) if folder is not None else (Preferences(), "")
    state = first_state(preferences, setup)
    closing = []
    if runner is None:
        window_box: list[MainWindow] = []

        def failed(error: BaseException) -> None:
            if window_box:
                window_box[0].session.say(f"{type(error).__name__}: {error}", "error")

        poster = Poster(failed)
        closing.append(poster.close)
        # with a stored comparison to show, PyTorch must not take the processor from VTK
        session = Session(ProcessRunner(poster.post, at_once=state.result is None), state, folder)
    else:
        session, window_box = Session(runner, state, folder), []

    def closed() -> None:
        for close in closing:
            close()

    titles = scenario_titles() | {name: row.title for name, row in task_scenarios().items()}
    catalogue = Catalogue(titles, tuple(shipped_models()), lesson_titles())
    window = _main_window(session, catalogue, closed)
    window_box.append(window)
    if trouble:
        session.say(trouble, "error")
    session.autosave.look()
    return window


def _main_window(session: Session, *rest: Any) -> "MainWindow":
    from app.views.main_window import MainWindow  # VTK takes a second; the child loads PyTorch meanwhile

    return MainWindow(session, *rest)


def loaded() -> None:
    """Let the collector work again, but not on what was loaded: looking through it takes a quarter of a second."""
    gc.freeze()
    gc.enable()


def _start_after_the_first_picture(window: "MainWindow", left: int, opening: bool = False) -> None:
    """Start the session once the stored comparison is seen; at once without one, at the latest in `left` ms.

    While a file is being opened (`opening`) it waits for that, too: it is what will be shown.
    """
    if not window.isVisible():
        return  # closed meanwhile
    state = window.session.state
    awaited = opening and window.session.comparison.idle and state.message is None
    seen = (state.result is None or window.viewport.on_screen is not None) and not awaited
    if seen or left <= 0:
        loaded()
        window.session.start()
    else:
        QTimer.singleShot(FIRST_LOOK, lambda: _start_after_the_first_picture(window, left - FIRST_LOOK, opening))


def run(paths: Sequence[str], opened: Callable[["MainWindow"], None] = lambda _: None) -> int:
    """Show the window until it is closed; the exit status. `opened` sees the window first, for measurements."""
    refuse_without_display()
    gc.disable()  # until the modules are there: they would be searched again and again, in vain
    application = QApplication.instance() or QApplication(["isotwin"])
    application.setApplicationName("Isotwin")
    window = make_window(folder=config_folder())
    opened(window)
    window.show()
    QTimer.singleShot(0, lambda: _start_after_the_first_picture(window, FIRST_PATIENCE, bool(paths)))
    for path in paths:
        QTimer.singleShot(0, lambda path=path: window.session.files.open(path))
    for number in (signal.SIGINT, signal.SIGTERM):  # seen at the next tick of the clock
        # from the event loop: a process that is just being started must not be closed half made
        signal.signal(number, lambda *_: QTimer.singleShot(0, window.close))
    status = int(application.exec())
    window.viewport.wait_until_loaded()
    return status
