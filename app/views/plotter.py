"""The GL widget of the panes. Importing it loads VTK and PyVista (half a second): only `viewport` does, late."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import pyvista as pv
from PySide6.QtCore import QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget
from pyvistaqt import QtInteractor

from app.viewmodel.state.view import MAX_PANES

GL_COLOR_BUFFER_BIT = 0x4000

SAMPLES = 4
"""Samples of a pixel at rest: smooth lines."""

BUDGET = 0.016
"""A picture that takes longer with all samples is drawn with one as long as it moves [second]."""

COARSE_BUDGET = 0.5 * BUDGET
"""Where even one sample takes longer, all need not be tried while the picture moves [second]."""

REST = 180
"""After so long without a new picture it is drawn with all samples again [millisecond]."""

JUDGED_BY = 3
"""So many pictures in a row must be slow: one that had to wait for something says nothing."""


class Plotter(QtInteractor):  # type: ignore[misc]
    """A QtInteractor that leaves the keyboard to the window (VTK grabs q, w, e, r, s) and stays fluid.

    Multisampling is two thirds of the time that software takes to draw the panes. Where drawing with it was slow,
    a moving picture goes without; what has come to rest is drawn with it once more.

    Attributes
    ----------
    full_times, coarse_times : deque of float
        How long the last pictures with all samples and with one took [second].
    filling : bool
        The first picture is being made, step by step: one sample, whatever the machine.
    blank : tuple of float or None
        Fill with this colour (red, green, blue, 0 to 1) and leave VTK alone: Qt's part of the first picture.
    """

    def __init__(self, parent: QWidget, **options: Any) -> None:
        self.full_times = deque[float](maxlen=JUDGED_BY)
        self.coarse_times = deque[float](maxlen=JUDGED_BY)
        self._moving = self.filling = False
        self.blank: tuple[float, float, float] | None = None
        self._interactor: Any = None
        self._styled: tuple[Any, int] | None = None
        super().__init__(parent, multi_samples=SAMPLES, **options)
        self._rested = QTimer(self)
        self._rested.setSingleShot(True)
        self._rested.timeout.connect(self._refine)
        # The camera's mouse asks for a picture at once, and pyvistaqt draws it again at the paint that follows.
        self._interactor = self.render_window.GetInteractor()
        self._interactor.EnableRenderOff()
        self._observer = self._interactor.AddObserver("RenderEvent", self._asked)

    @property
    def slow(self) -> bool:
        """Whether drawing with all samples takes too long here, as far as is known."""
        if self.full_times:
            return len(self.full_times) == JUDGED_BY and min(self.full_times) > BUDGET
        return len(self.coarse_times) == JUDGED_BY and min(self.coarse_times) > COARSE_BUDGET

    @property
    def painting(self) -> bool:
        """Whether a paint is under way."""
        return bool(self._in_paint)

    def moved(self) -> None:
        """There is a new picture: draw it at the next paint."""
        self._moving = True
        self._rested.start(REST)
        self.update()

    def when_moved(self, moved: Callable[[], None]) -> None:
        """Call `moved` each time the mouse has moved the camera: at the end of a drag, at a turn of the wheel."""
        style = self._interactor.GetInteractorStyle()
        self._styled = (style, style.AddObserver("EndInteractionEvent", lambda *_event: moved()))

    def _asked(self, *_event: object) -> None:
        if not self.painting:
            self.moved()

    def _refine(self) -> None:
        self._moving = False
        if self._interactor.GetRenderWindow().GetMultiSamples() != SAMPLES:
            self.update()

    def paintGL(self) -> None:  # noqa: N802  (Qt's name)
        """Draw, with as many samples as there is time for."""
        if self._interactor is None:
            return
        if self.blank is not None:
            self._gl.glClearColor(*self.blank, 1.0)
            self._gl.glClear(GL_COLOR_BUFFER_BIT)
            return
        coarse = self.filling or (self._moving and self.slow)
        self._interactor.GetRenderWindow().SetMultiSamples(0 if coarse else SAMPLES)
        self._interactor.EnableRenderOn()
        begin = time.perf_counter()
        super().paintGL()
        (self.coarse_times if coarse else self.full_times).append(time.perf_counter() - begin)
        self._interactor.EnableRenderOff()

    def close(self) -> None:
        """Let go of VTK, which would hold the widget."""
        if self._interactor is not None:
            self._rested.stop()
            self._interactor.RemoveObserver(self._observer)
            if self._styled is not None:
                style, observer = self._styled
                style.RemoveObserver(observer)
            self._interactor = None
        super().close()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Pass on."""
        event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Pass on."""
        event.ignore()


def made_plotter(parent: QWidget) -> Any:
    """The widget, empty."""
    pv.global_theme.allow_empty_mesh = True
    plotter = Plotter(parent, shape=(1, MAX_PANES), border=False, auto_update=False)
    plotter.setAcceptDrops(False)
    return plotter
