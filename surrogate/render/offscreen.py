"""Drawing without a window: choosing the OpenGL that works here, before VTK is loaded."""

import os
import socket
import sys
from collections.abc import Mapping
from ctypes.util import find_library
from functools import cache
from pathlib import Path
from typing import Any

from physics.errors import InputError
from surrogate.render.theme import DARK, Theme

EGL_WINDOW = "vtkEGLRenderWindow"
"""VTK's name for a render window that needs no X server."""


def display_answers(display: str, timeout: float = 0.5) -> bool:
    """Whether an X server listens at a DISPLAY such as ":99" or "localhost:10.0"."""
    host, _, rest = display.rpartition(":")
    number = rest.split(".")[0]
    if not number.isdigit():
        return False
    try:
        if host in ("", "unix"):
            path = Path(f"/tmp/.X11-unix/X{number}")
            names: list[str | bytes] = [str(path)] if path.exists() else []
            names.append(f"\0{path}".encode())  # the abstract socket of servers started without a file
            return any(_listens(socket.AF_UNIX, name, timeout) for name in names)
        return _listens(socket.AF_INET, (host, 6000 + int(number)), timeout)
    except OSError:
        return False


def _listens(family: int, address: Any, timeout: float) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(timeout)
        return probe.connect_ex(address) == 0


def use_offscreen_gl(environment: Mapping[str, str] | None = None) -> bool:
    """Make VTK draw through EGL if there is no X display; call it before VTK is loaded.

    Parameters
    ----------
    environment : mapping, optional
        Looked at instead of `os.environ` (for tests); `os.environ` is what gets set.

    Returns
    -------
    bool
        Whether EGL was chosen. False on Windows and macOS, with a display that answers, or when
        VTK_DEFAULT_OPENGL_WINDOW already says something else.
    """
    seen = os.environ if environment is None else environment
    if not sys.platform.startswith("linux"):
        return False
    chosen = seen.get("VTK_DEFAULT_OPENGL_WINDOW")
    if chosen:
        return chosen == EGL_WINDOW
    display = seen.get("DISPLAY", "")
    if display and display_answers(display):
        return False
    os.environ["VTK_DEFAULT_OPENGL_WINDOW"] = EGL_WINDOW
    return True


def offscreen_plotter(n_panes: int, size: tuple[int, int], theme: Theme = DARK) -> Any:
    """A `pyvista.Plotter` without a window, one subplot per pane side by side.

    Parameters
    ----------
    n_panes : int
    size : (width, height) of the whole picture [pixel]

    Raises
    ------
    InputError
        One line, if there is no OpenGL 3.2 here.
    """
    use_offscreen_gl()
    try:
        usable = opengl_usable()
        import pyvista as pv
    except ImportError as error:  # a missing libGL shows here
        raise InputError(f"pictures need VTK and OpenGL, which cannot be loaded: {error}") from None
    if not usable:
        raise InputError(
            "no usable OpenGL 3.2 for pictures; on Debian/Ubuntu: apt-get install libegl1 libgl1-mesa-dri"
        )
    plotter = pv.Plotter(off_screen=True, shape=(1, n_panes), window_size=size, border=False)
    plotter.render_window.SetOffScreenRendering(1)
    plotter.render_window.SetMultiSamples(8)
    return plotter


@cache
def opengl_usable() -> bool:
    """Whether VTK can draw off screen here; asked once, without VTK's own warnings.

    Where neither X nor EGL works, VTK falls back on the OSMesa library, says that this supports OpenGL even if
    the library is missing, and then ends the process at the first rendering: so the library is looked for.
    """
    import vtkmodules.vtkRenderingOpenGL2  # noqa: F401  (registers the window classes)
    from vtkmodules.vtkCommonCore import vtkLogger
    from vtkmodules.vtkRenderingCore import vtkRenderWindow

    verbosity = vtkLogger.GetCurrentVerbosityCutoff()
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    try:
        window = vtkRenderWindow()
        window.SetOffScreenRendering(1)
        if window.GetClassName() == "vtkOSOpenGLRenderWindow" and not find_library("OSMesa"):
            return False
        return bool(window.SupportsOpenGL())
    finally:
        vtkLogger.SetStderrVerbosity(verbosity)
