"""A window for the tests that need a display, and the check that nothing of it is left."""

import gc
import multiprocessing
import os
import sys
import warnings

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodel.state.setup import Setup
from tests.app.fakes import PromptRunner
from tests.patience import PATIENCE


def has_display() -> bool:
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY")) and os.environ.get("QT_QPA_PLATFORM", "xcb") == "xcb"


def pytest_collection_modifyitems(items):
    if not has_display():
        for item in items:
            if item.get_closest_marker("gui"):
                item.add_marker(pytest.mark.skip(reason="needs a display (xvfb-run)"))


def drain(application) -> None:
    """Deliver what is queued, and delete what asked for it."""
    from PySide6.QtCore import QCoreApplication, QEvent

    application.processEvents()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    application.processEvents()


@pytest.fixture(scope="session")
def quick_collection():
    """What is loaded once stays: the collector need not look through it after every test."""
    import app.views.main_window
    import app.views.plotter  # noqa: F401  (VTK: the window need not wait for it)

    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def own_config(tmp_path_factory):
    """Preferences of the test, never those of who runs it."""
    folder = tmp_path_factory.mktemp("config")
    with pytest.MonkeyPatch.context() as patch:  # not the test's own: that one must let go before the window does
        patch.setenv("ISOTWIN_CONFIG", str(folder))
        yield folder


MILLISECONDS = int(1000 * PATIENCE)


class PatientBot(QtBot):
    """Waits as long as a busy machine takes: only what never comes meets the limit."""

    def waitUntil(self, callback, *, timeout=MILLISECONDS):
        super().waitUntil(callback, timeout=timeout)

    def waitActive(self, widget, *, timeout=MILLISECONDS):
        return super().waitActive(widget, timeout=timeout)


@pytest.fixture
def qtbot(qapp, request):
    return PatientBot(request)


@pytest.fixture
def open_window(qapp, qtbot, quick_collection):
    """make_window, shown; a runner that answers at once unless `real`. Checks for leaks when the test is over."""
    from app.views.start import make_window

    drain(qapp)
    before = set(map(id, qapp.topLevelWidgets()))
    windows = []

    def make(real: bool = False, runner=None, folder=None, first: bool = False, **setup):
        given = Setup(**{"scenario": "bound", "model": "egnn-nbody", **setup})
        with warnings.catch_warnings():
            warnings.simplefilter("default")  # the import of pyvistaqt and pyqtgraph
            window = make_window(None if real else (runner or PromptRunner()), given, folder)
        windows.append(window)
        if not first:
            window.session.store.publish(welcome=False)
        window.show()
        window.activateWindow()
        with qtbot.waitActive(window):
            pass  # shortcuts go to the active window
        window.session.start()
        return window

    yield make
    while windows:
        windows[-1].close()
        windows.pop().deleteLater()
    drain(qapp)
    left = [w for w in qapp.topLevelWidgets() if id(w) not in before]
    assert [f"{type(w).__name__} {w.windowTitle()} of {w.parent()}" for w in left] == []
    assert [p.name for p in multiprocessing.active_children() if p.name.startswith("isotwin")] == []
