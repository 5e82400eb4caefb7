"""The 3-D panes: hosts the painter in one GL widget, one camera, one render a frame.

VTK takes longer to load than all the rest of the window. So the window shows an empty place first, VTK is
loaded beside the event loop, and the GL widget is put there when it is ready.
"""

import importlib
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QSurfaceFormat
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtWidgets import QLabel, QStackedLayout, QWidget

from app.viewmodel.presenters.scene import pane_texts, scene_of
from app.viewmodel.state.results import ComparisonResult, Preview
from app.viewmodel.state.sample_result import SampleResult
from app.viewmodel.state.view import View
from app.viewmodel.state.view_state import ViewState
from app.views.qt_runner import Poster
from surrogate.render import Camera, Framing, Scene
from surrogate.render.painter import Painter
from surrogate.render.theme import THEMES, rgb

PLOTTER = "app.views.plotter"

SWITCH = 0.0005
"""How long the window may have to wait for the interpreter while VTK is loaded beside it [second]."""

PAUSE = 5
"""Between two steps of the first picture, for clicks and keys: what is posted goes before them [millisecond]."""


class Viewport:
    """Draws a ViewState's scene; `widget` goes into the window.

    Parameters
    ----------
    parent : QWidget
    failed : callable
        Called if VTK cannot be loaded or started.
    camera_moved : callable
        Called with where the user moved the camera, None for the view that a picture starts with.

    Attributes
    ----------
    widget : QWidget
    plotter : Plotter or None
        The GL widget in it; None until VTK is there.
    renders : int
        How many frames were rendered, for tests and benchmarks.
    painter : Painter or None
        Who draws in it.
    scene : Scene or None
        What was drawn last.
    on_screen : ComparisonResult, Preview, SampleResult or None
        What the last frame shows; None until all panes were painted for the first time.
    """

    def __init__(
        self,
        parent: QWidget,
        failed: Callable[[BaseException], None],
        camera_moved: Callable[[Camera | None], None] = lambda _: None,
    ) -> None:
        QSurfaceFormat.setDefaultFormat(_surface_format())
        self.widget = QWidget(parent)
        self.widget.setMinimumSize(320, 200)
        self._layout = QStackedLayout(self.widget)
        self._layout.setContentsMargins(0, 0, 0, 0)
        waiting = QLabel("starting the 3-D view …")
        waiting.setObjectName("muted")
        waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._layout.addWidget(waiting)
        # Where no GL widget is there from the start, Qt makes the window anew (it flickers) for the first one.
        QOpenGLWidget(self.widget).hide()
        self.plotter: Any = None
        self._ready = False
        self.renders = 0
        self.on_screen: ComparisonResult | Preview | SampleResult | None = None
        self._asked: ComparisonResult | Preview | SampleResult | None = None
        self.painter: Painter | None = None
        self._framing: Framing | None = None
        self._framed_for: object = None
        self._n_panes = 0
        self.scene: Scene | None = None
        self._looks_on: list[QObject] = []
        self._drawn: tuple[object, ...] = ()
        self._camera: Camera | None = None
        self._camera_moved = camera_moved
        self._state: ViewState | None = None
        self._poster = Poster(failed)
        self._next_step = QTimer(self.widget)
        self._next_step.setSingleShot(True)
        self._next_step.setInterval(PAUSE)
        self._next_step.timeout.connect(self._fill)
        self._loader = threading.Thread(target=self._load, name="isotwin loads VTK")
        if PLOTTER in sys.modules:
            self._make_plotter()
            self._put_plotter()

    def open(self) -> None:
        """Load VTK beside the event loop, then put the GL widget in; nothing if it is there already."""
        if self.plotter is None:
            self._loader.start()

    def wait_until_loaded(self) -> None:
        """Before the process ends: modules that are loaded while Python shuts down cannot register with it."""
        if self._loader.is_alive():
            self._loader.join()

    def _load(self) -> None:
        patience = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH)
        try:
            importlib.import_module(PLOTTER)
            importlib.import_module("physics.sums.accelerations")  # Numba: the first comparison needs it
        except ImportError as error:
            self._poster.post(lambda error=error: _raise(error))  # type: ignore[misc]
            return
        finally:
            sys.setswitchinterval(patience)
        self._poster.post(self._make_plotter)
        self._poster.post(self._next_step.start)

    def _make_plotter(self) -> None:
        self.plotter = sys.modules[PLOTTER].made_plotter(self.widget)
        for looks_on in self._looks_on:
            self.plotter.installEventFilter(looks_on)
        self.plotter.when_moved(self._report_camera)
        self.plotter.filling = True
        self.plotter.frameSwapped.connect(self._after_paint)

    def _put_plotter(self) -> None:
        theme = THEMES[self._state.view.theme if self._state is not None else View().theme]
        self.plotter.blank = tuple((rgb(theme.background) / 255.0).tolist())
        self.plotter.set_background(theme.background)
        self._layout.addWidget(self.plotter)
        self._layout.setCurrentWidget(self.plotter)

    def show(self, state: ViewState) -> None:
        """Draw the state if its picture differs from the last one."""
        self._state = state
        if state.shown is None or not self._ready:
            return
        scale = float(self.plotter.devicePixelRatioF())
        seen = state.seen if state.sample is None else state.sample
        key = (*_looks(state), state.view, scale, state.camera)
        if key == self._drawn:
            return
        self._drawn = key
        framed_for = (state.shown, state.moving is None)
        if state.result is not None and (self._framed_for != framed_for or self._framing is None):
            self._framing = self._steady(state.result.frames, state.moving is not None)
            self._framed_for = framed_for
        scene = scene_of(state, self._framing)
        if scene is None:
            return
        self._arrange(len(scene.panes))
        self.scene = scene
        if self.painter is not None and self.painter.scale != scale:  # on another screen
            self.painter.release()
            self.painter = None
        if self.painter is None:
            self.plotter.filling = True
            self.painter = Painter(self.plotter, scene, scale, at_once=False)
            self._home, self._camera = (scene.radius, scene.flat), None
        else:
            self.painter.update(scene)
        if self._home != (scene.radius, scene.flat) or self._camera != state.camera:
            self._home = (scene.radius, scene.flat)
            self._camera = state.camera
            self.painter.place_camera(state.camera)
        self.render()
        self._asked = seen
        if not self.plotter.filling:
            self.on_screen = seen

    def _after_paint(self) -> None:
        self._ready = self.plotter.blank is None
        if self.plotter.filling and not self._next_step.isActive():  # started anew by each picture it never ends
            self._next_step.start()

    def _fill(self) -> None:
        """The next step to the first picture, each painted by itself: Qt's part, VTK's, then the painter's."""
        if self._layout.indexOf(self.plotter) < 0:
            self._put_plotter()
        elif self.plotter.blank is not None:
            self.plotter.blank = None
            self.plotter.update()
        elif self.painter is None:
            if self._state is not None:
                self.show(self._state)
        elif not self.painter.complete:
            self.painter.add_part()
            self.render()
        else:
            self.plotter.filling = False
            self.on_screen = self._asked
            self.render()  # with all samples, once it rests

    def _steady(self, new: Framing, moving: bool) -> Framing:
        """Keep the last framing while the new one is nearly the same, so that turning never zooms.

        While particles are moved it is kept whatever becomes of them: the camera is the user's.
        """
        old = self._framing
        if old is None or old.centre.shape != new.centre.shape:
            return new
        if not (moving or 0.7 < new.radius / old.radius <= 1.0):
            return new
        return Framing(
            new.centre, old.radius, old.error_limit if new.error_limit <= old.error_limit else new.error_limit
        )

    def _arrange(self, count: int) -> None:
        if count == self._n_panes:
            return
        for index, renderer in enumerate(self.plotter.renderers):
            if index < count:
                renderer.SetViewport(index / count, 0.0, (index + 1) / count, 1.0)
                renderer.DrawOn()
            else:
                renderer.SetViewport(0.0, 0.0, 0.0, 0.0)
                renderer.DrawOff()
        self._n_panes = count

    def watched_by(self, looks_on: QObject) -> None:
        """Let an object see the events of the panes, from the time there are any."""
        self._looks_on.append(looks_on)
        if self.plotter is not None:
            self.plotter.installEventFilter(looks_on)

    def pane_at(self, x: float, y: float) -> int:
        """Which pane is at a place of the widget [pixel], as the state counts them."""
        maximised = self._state.view.maximised if self._state is not None else None
        if maximised is not None and self._n_panes == 1:
            return maximised
        return min(max(int(self._n_panes * x / max(self.widget.width(), 1)), 0), max(self._n_panes - 1, 0))

    def particle_at(self, x: float, y: float) -> tuple[int, int] | None:
        """The pane and the particle that is drawn at a place of the widget [pixel], or None."""
        if self.painter is None:
            return None
        ratio = self.painter.scale
        return self.painter.pick(ratio * x, ratio * (self.widget.height() - y))

    def titles(self) -> list[str]:
        """The words at the head of each pane that is drawn, in full."""
        return pane_texts(self.scene)

    def look_along(self, axis: int) -> bool:
        """Look along an axis of space; False where there is nothing to look along."""
        if self.painter is None or self.scene is None or self.scene.flat or axis >= len(self.scene.labels):
            return False
        self.painter.look_along(axis)
        self._report_camera()
        self.render()
        return True

    def reset_camera(self) -> None:
        """The three-quarter view again."""
        if self.painter is not None:
            self.painter.reset_camera()
            self._tell(None)
            self.render()

    def _report_camera(self) -> None:
        """The user let go of the camera."""
        if self.painter is not None:
            self._tell(self.painter.camera())

    def _tell(self, camera: Camera | None) -> None:
        self._camera = camera  # it stands there already
        self._camera_moved(camera)

    def render(self) -> None:
        """Render once, at the next paint: `plotter.render()` would render now, and at that paint again."""
        self.renders += 1
        self.plotter.moved()

    def screen_directions(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What is to the right and up on the screen, unit vectors of the drawn space, (3,) float64 each."""
        if self.plotter is None:
            return np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
        camera = self.plotter.renderers[0].GetActiveCamera()
        ahead, up = np.array(camera.GetDirectionOfProjection()), np.array(camera.GetViewUp())
        right = np.cross(ahead, up)
        right /= max(float(np.linalg.norm(right)), 1e-12)
        return right, np.cross(right, ahead)

    def close(self) -> None:
        """Take everything off and release the GL context."""
        self._poster.close()
        self._next_step.stop()
        self.painter = None
        if self.plotter is not None:
            self.plotter.close()


def _looks(state: ViewState) -> tuple[object, ...]:
    """What else than the view decides a picture."""
    result, seen = state.result, state.seen
    if result is None:
        return (state.sample,)
    no_rollout = state.view.show_rollout and result.comparison.rollout is None
    edited = (state.moving, state.draft) if state.moving is not None else None
    return result.picture if seen is result else seen, state.frame, state.selection, no_rollout, edited


def _surface_format() -> QSurfaceFormat:
    """What VTK draws on, known before the window is made: a desktop OpenGL 3.2, as pyvistaqt asks for."""
    made = QSurfaceFormat()
    made.setRenderableType(QSurfaceFormat.RenderableType.OpenGL)
    made.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    made.setVersion(3, 2)
    made.setSwapBehavior(QSurfaceFormat.SwapBehavior.DoubleBuffer)
    for bits in (made.setRedBufferSize, made.setGreenBufferSize, made.setBlueBufferSize, made.setAlphaBufferSize):
        bits(8)
    made.setDepthBufferSize(8)
    made.setStencilBufferSize(0)
    made.setSamples(0)
    return made


def _raise(error: BaseException) -> None:
    raise error
