"""Whether a window can be shown here. Qt and VTK would end the process where it cannot, so it is asked before."""

import ctypes
import os
import socket
import subprocess
import sys
from pathlib import Path

from physics.errors import InputError

INSTEAD = "for pictures without one: python -m surrogate.compare"
WITHOUT_OPENGL = ("offscreen", "minimal")
PATIENCE = 20
"""How long Qt may take to start in a process of its own [second]; where nobody answers it waits for ever."""


def refuse_without_display() -> None:
    """Refuse where no window can be shown, in one line; on Wayland take X, which VTK draws to, where there is.

    Raises
    ------
    InputError
        Naming what does not answer.
    """
    if not sys.platform.startswith("linux"):
        return
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    wanted = [name.split(":")[0] for name in platform.split(";") if name]
    if wanted and all(name in WITHOUT_OPENGL for name in wanted):
        raise InputError(f"QT_QPA_PLATFORM={platform} has no OpenGL window; use xvfb-run for a display")
    names = [name for name in ("DISPLAY", "WAYLAND_DISPLAY") if os.environ.get(name)]
    if not names and not platform.startswith("wayland") and os.environ.get("XDG_SESSION_TYPE") != "wayland":
        raise InputError(f"no display (DISPLAY is not set); {INSTEAD}")
    x_answers = "DISPLAY" in names and x_display_answers()
    if x_answers and not wanted:
        if "WAYLAND_DISPLAY" in names or os.environ.get("XDG_SESSION_TYPE") == "wayland":
            os.environ["QT_QPA_PLATFORM"] = "xcb"
        return
    if x_answers and wanted == ["xcb"]:
        return
    if not (x_answers or wayland_answers()) or not qt_starts():
        asked = ", ".join(f"{name}={os.environ[name]}" for name in names) or "the default Wayland socket"
        of_qt = f" with QT_QPA_PLATFORM={platform}" if platform else ""
        raise InputError(f"no display answers at {asked}{of_qt}; {INSTEAD}")


def x_display_answers() -> bool:
    """Whether the X server of DISPLAY takes us."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True  # not for us to say
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    answers = not xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return answers


def wayland_answers() -> bool:
    """Whether somebody listens at the socket of WAYLAND_DISPLAY, by default wayland-0 in XDG_RUNTIME_DIR."""
    if os.environ.get("WAYLAND_SOCKET"):
        return True  # a connection that was inherited
    name, folder = os.environ.get("WAYLAND_DISPLAY") or "wayland-0", os.environ.get("XDG_RUNTIME_DIR", "")
    path = Path(folder) / name
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            return path.is_absolute() and probe.connect_ex(str(path)) == 0
    except OSError:  # a path too long for a socket
        return False


def qt_starts() -> bool:
    """Whether Qt opens its display, in a process of its own: it aborts where it cannot."""
    script = "from PySide6.QtGui import QGuiApplication; QGuiApplication([])"
    try:
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0
