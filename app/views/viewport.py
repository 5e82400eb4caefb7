"""The 3-D panes: hosts the painter in one GL widget, one camera, one render a frame."""

from typing import Any

import pyvista as pv
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget
from pyvistaqt import QtInteractor

from app.viewmodel.scene import MAX_PANES, scene_of, steady_framing
from app.viewmodel.state import ViewState
from surrogate.render import Framing
from surrogate.render.painter import Painter


class _Plotter(QtInteractor):  # type: ignore[misc]
    """A QtInteractor that leaves the keyboard to the window (VTK grabs q, w, e, r, s)."""

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Pass on."""
        event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Pass on."""
        event.ignore()


class Viewport:
    """Draws a ViewState's scene; `widget` goes into the window.

    Attributes
    ----------
    widget : QWidget
    renders : int
        How many frames were rendered, for tests and benchmarks.
    """

    def __init__(self, parent: QWidget) -> None:
        pv.global_theme.allow_empty_mesh = True
        self.widget: Any = _Plotter(parent, shape=(1, MAX_PANES), border=False, auto_update=False)
        self.widget.setAcceptDrops(False)
        self.widget.setMinimumSize(320, 200)
        self.renders = 0
        self._painter: Painter | None = None
        self._framing: Framing | None = None
        self._framed_for: object = None
        self._n_panes = 0
        self._drawn: tuple[object, ...] = ()

    def show(self, state: ViewState) -> None:
        """Draw the state if its picture differs from the last one."""
        prepared = state.prepared
        if prepared is None:
            return
        key = (id(prepared), state.frame, state.view)
        if key == self._drawn:
            return
        self._drawn = key
        fresh = self._framed_for is not prepared
        if fresh or self._framing is None:
            self._framing = self._steady(steady_framing(prepared))
            self._framed_for = prepared
        scene = scene_of(state, self._framing)
        if scene is None:
            return
        self._arrange(len(scene.panes))
        if self._painter is None:
            self._painter = Painter(self.widget, scene)
            self._home = (scene.radius, scene.flat)
        else:
            self._painter.update(scene)
        if self._home != (scene.radius, scene.flat):
            self._home = (scene.radius, scene.flat)
            self._painter.reset_camera()
        self.render()

    def _steady(self, new: Framing) -> Framing:
        """Keep the last framing while the new one is nearly the same, so that turning never zooms."""
        old = self._framing
        if old is None or old.centre.shape != new.centre.shape or not 0.7 < new.radius / old.radius <= 1.0:
            return new
        return Framing(
            new.centre, old.radius, old.error_limit if new.error_limit <= old.error_limit else new.error_limit
        )

    def _arrange(self, count: int) -> None:
        if count == self._n_panes:
            return
        for index, renderer in enumerate(self.widget.renderers):
            if index < count:
                renderer.SetViewport(index / count, 0.0, (index + 1) / count, 1.0)
                renderer.DrawOn()
            else:
                renderer.SetViewport(0.0, 0.0, 0.0, 0.0)
                renderer.DrawOff()
        self._n_panes = count
        if self._painter is not None:
            self._home = (0.0, False)  # frame anew: the panes changed their shape

    def reset_camera(self) -> None:
        """The three-quarter view again."""
        if self._painter is not None:
            self._painter.reset_camera()
            self.render()

    def render(self) -> None:
        """Render once, at the next paint: `widget.render()` would render now, and at that paint again."""
        self.renders += 1
        self.widget.update()

    def close(self) -> None:
        """Take everything off and release the GL context."""
        self._painter = None
        self.widget.close()
