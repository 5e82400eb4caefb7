"""`python -m app` from the shell: refusals in one line, help, version."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.patience import PATIENCE

OF_DISPLAYS = (
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "WAYLAND_SOCKET",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_TYPE",
    "QT_QPA_PLATFORM",
)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_module("app", *arguments, **environment)


def run_module(module: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in OF_DISPLAYS}
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
@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"DISPLAY": ":987"}, "DISPLAY=:987"),
        ({"DISPLAY": ":987", "QT_QPA_PLATFORM": "xcb"}, "DISPLAY=:987 with QT_QPA_PLATFORM=xcb"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "WAYLAND_DISPLAY=wayland-0"),
        ({"WAYLAND_DISPLAY": "wayland-0", "XDG_SESSION_TYPE": "wayland"}, "WAYLAND_DISPLAY=wayland-0"),
        ({"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": "", "DISPLAY": ":987"}, "DISPLAY=:987, WAYLAND_"),
        ({"WAYLAND_DISPLAY": "/nowhere/" + 200 * "x"}, "WAYLAND_DISPLAY=/nowhere/"),
        ({"XDG_SESSION_TYPE": "wayland"}, "the default Wayland socket"),
        ({"QT_QPA_PLATFORM": "wayland"}, "the default Wayland socket with QT_QPA_PLATFORM=wayland"),
        ({"QT_QPA_PLATFORM": "wayland;xcb"}, "the default Wayland socket"),
        ({"QT_QPA_PLATFORM": "xcb"}, "DISPLAY is not set"),
        ({"QT_QPA_PLATFORM": "vnc"}, "DISPLAY is not set"),
    ],
    ids=str,
)
def test_a_display_that_is_not_there(environment, named, tmp_path):
    ended = run(**{"XDG_RUNTIME_DIR": str(tmp_path), **environment})
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stderr.startswith("error: no display")
    assert named in ended.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="WAYLAND_DISPLAY is of Linux")
@pytest.mark.parametrize("listens", [False, True])
def test_a_wayland_socket_without_a_compositor(listens, tmp_path, monkeypatch):
    """One that was left behind, and one whose owner hangs up."""
    name = tmp_path / "wayland-0"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(name))
        if listens:
            server.listen(8)
            threading.Thread(target=hang_up, args=(server,), daemon=True).start()
        ended = run(WAYLAND_DISPLAY=str(name), XDG_SESSION_TYPE="wayland", XDG_RUNTIME_DIR=str(tmp_path))
    assert ended.returncode == 2
    without = "for pictures without one: python -m surrogate.compare"
    assert ended.stderr == f"error: no display answers at WAYLAND_DISPLAY={name}; {without}\n"


def hang_up(server):
    with contextlib.suppress(OSError):  # until it is closed
        while True:
            server.accept()[0].close()


@pytest.mark.gui
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="DISPLAY is of X11")
@pytest.mark.parametrize("wayland", [{}, {"WAYLAND_DISPLAY": "wayland-7", "XDG_SESSION_TYPE": "wayland"}])
def test_x_is_taken_where_it_answers(wayland):
    """VTK draws to X: also in a Wayland session, and where its socket is dead. An unknown platform ends."""
    display = {"DISPLAY": os.environ["DISPLAY"], **wayland}
    for name in OF_DISPLAYS:
        display.setdefault(name, "")
    script = (
        "from app.views.display import refuse_without_display; refuse_without_display()\n"
        "from PySide6.QtGui import QGuiApplication; print(QGuiApplication([]).platformName())"
    )
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, env={**os.environ, **display}, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "xcb\n"), ended.stderr
    ended = run(**display | {"QT_QPA_PLATFORM": "nonsense"})
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)
    assert "QT_QPA_PLATFORM=nonsense" in ended.stderr


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
