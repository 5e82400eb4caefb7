"""Opening the window: one clear line where there is no display, then the application's event loop."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.viewmodel.runner import ProcessRunner, Runner
from app.viewmodel.session import Session
from app.viewmodel.setup import Setup
from app.viewmodel.state import ViewState
from app.views.qt_runner import Poster
from physics.errors import InputError
from physics.scenarios import scenario_titles
from surrogate.zoo import shipped_models

if TYPE_CHECKING:
    from app.views.main_window import MainWindow

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
        if not os.environ.get("WAYLAND_DISPLAY") and not x_display_answers():
            raise InputError(
                f"no display answers at DISPLAY={os.environ['DISPLAY']}; "
                "for pictures without one: python -m surrogate.compare"
            )


def x_display_answers() -> bool:
    """Whether the X server of DISPLAY takes us; Qt would abort the process where it does not."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True  # not for us to say
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    answers = not xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return answers


def make_window(runner: Runner | None = None, setup: Setup | None = None) -> "MainWindow":
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

    window = _main_window(session, scenario_titles(), list(shipped_models()), closed)
    window_box.append(window)
    return window


def _main_window(session: Session, *rest: Any) -> "MainWindow":
    from app.views.main_window import MainWindow  # VTK takes a second; the child loads PyTorch meanwhile

    return MainWindow(session, *rest)


def run(paths: Sequence[str], opened: Callable[["MainWindow"], None] = lambda _: None) -> int:
    """Show the window until it is closed; the exit status. `opened` sees the window first, for measurements."""
    refuse_without_display()
    application = QApplication.instance() or QApplication(["isotwin"])
    application.setApplicationName("Isotwin")
    window = make_window()
    opened(window)
    window.show()
    QTimer.singleShot(0, window.session.start)
    for path in paths:
        QTimer.singleShot(0, lambda path=path: window.session.files.open(path))
    for number in (signal.SIGINT, signal.SIGTERM):  # seen at the next tick of the clock
        signal.signal(number, lambda *_: window.close())
    return int(application.exec())
