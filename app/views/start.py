"""Opening the window: one clear line where there is no display, then the application's event loop."""

import os
import sys
from collections.abc import Sequence

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.viewmodel.runner import ProcessRunner, Runner
from app.viewmodel.session import Session
from app.viewmodel.setup import Setup
from app.viewmodel.state import ViewState
from app.views.main_window import MainWindow
from app.views.qt_runner import Poster
from physics.errors import InputError
from physics.scenarios import scenario_titles
from surrogate.zoo import shipped_models

CONTRAST = "gnn-nbody"
FIRST_MODELS = ("integrator-nd", "egnn-nd", "egnn-nbody")


def first_setup() -> Setup:
    """The first run: a bound scene in three dimensions, with the contrast on."""
    models = shipped_models()
    model = next((name for name in FIRST_MODELS if name in models), next(iter(models), ""))
    return Setup(scenario="bound", model=model, contrast=CONTRAST if CONTRAST in models else "")


def refuse_without_display() -> None:
    """Raise InputError where no window can be shown."""
    if sys.platform.startswith("linux"):
        platform = os.environ.get("QT_QPA_PLATFORM", "")
        if platform in ("offscreen", "minimal"):
            raise InputError(f"QT_QPA_PLATFORM={platform} has no OpenGL window; use xvfb-run for a display")
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise InputError(
                "no display (DISPLAY is not set); for pictures without one: python -m surrogate.compare"
            )


def make_window(runner: Runner | None = None, setup: Setup | None = None) -> MainWindow:
    """The window with its session; work runs in child processes unless another runner is given."""
    closing = []
    if runner is None:
        window_box: list[MainWindow] = []

        def failed(error: BaseException) -> None:
            if window_box:
                window_box[0].session.say(f"{type(error).__name__}: {error}", "error")

        poster = Poster(failed)
        closing.append(poster.close)
        session = Session(ProcessRunner(poster.post), ViewState(setup=setup or first_setup()))
    else:
        session, window_box = Session(runner, ViewState(setup=setup or first_setup())), []

    def closed() -> None:
        for close in closing:
            close()

    window = MainWindow(session, scenario_titles(), list(shipped_models()), closed)
    window_box.append(window)
    return window


def run(paths: Sequence[str]) -> int:
    """Show the window until it is closed; the exit status."""
    refuse_without_display()
    application = QApplication.instance() or QApplication(["isotwin"])
    application.setApplicationName("Isotwin")
    window = make_window()
    window.show()
    QTimer.singleShot(0, window.session.start)
    for path in paths:
        QTimer.singleShot(0, lambda path=path: window.session.open(path))
    return int(application.exec())
