"""`python -m app` from the shell: refusals in one line, help, version."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.patience import PATIENCE


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_module("app", *arguments, **environment)


def run_module(module: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="DISPLAY is of X11")
@pytest.mark.parametrize("environment", [{}, {"QT_QPA_PLATFORM": "offscreen"}])
def test_without_a_display(environment):
    ended = run(**environment)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("error: ")
    assert "display" in ended.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="DISPLAY is of X11")
def test_a_display_that_is_not_there():
    ended = run(DISPLAY=":987")
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stderr.startswith("error: ")


def catches_sigterm(pid: int) -> bool:
    """Whether the window has installed its handlers: Python itself leaves SIGTERM alone."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.gui
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_ctrl_c_closes_the_window():
    started = subprocess.Popen([sys.executable, "-m", "app"], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + PATIENCE
    while not catches_sigterm(started.pid):
        assert started.poll() is None, started.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(0.5)
    started.send_signal(signal.SIGINT)
    _, stderr = started.communicate(timeout=PATIENCE)
    assert "Traceback" not in stderr
    assert "leaked" not in stderr
    assert started.returncode in (0, 130)


CLOSED_WHILE_VTK_LOADS = """
import threading, time, types
from PySide6.QtCore import QTimer
import app.views.viewport as viewport
from app.views.start import run

loading = threading.Event()

def slowly(name):
    loading.set()
    time.sleep(1.0)
    threading._register_atexit(lambda: None)  # as concurrent.futures does when it is loaded

def opened(window):
    timer = QTimer(window)
    timer.timeout.connect(lambda: window.close() if loading.is_set() else None)
    timer.start(5)

if __name__ == "__main__":
    viewport.importlib = types.SimpleNamespace(import_module=slowly)
    run((), opened)
"""


@pytest.mark.gui
def test_a_window_closed_while_vtk_loads_leaves_quietly():
    command = [sys.executable, "-W", "ignore", "-c", CLOSED_WHILE_VTK_LOADS]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_file_that_is_not_there():
    ended = run("nosuch")
    assert (ended.returncode, ended.stderr) == (2, "error: nosuch: no such file\n")


def test_help_and_version():
    ended = run("--help")
    assert ended.returncode == 0
    assert "python -m app data/bound4.zarr" in ended.stdout
    ended = run("--version")
    assert (ended.returncode, ended.stdout.split()[0]) == (0, "isotwin")
    assert run("--nonsense").returncode == 2
