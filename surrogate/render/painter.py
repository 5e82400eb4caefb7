"""The painter: a scene's actors in a PyVista plotter, built once and changed in place. No Qt.

Works on an off-screen `pyvista.Plotter` (exports) and on a `QtInteractor` (the app) alike: it uses the
plotter's renderers and nothing else, and never calls `show`. PyVista is loaded when a painter is made.
"""

from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from physics.errors import InputError
from surrogate.render.camera import Camera
from surrogate.render.drawn_scale import drawn_unit, in_units_of
from surrogate.render.offscreen import offscreen_plotter
from surrogate.render.pane_actors import PaneActors
from surrogate.render.picking import REACH, pick
from surrogate.render.projection import VIEW_AZIMUTH
from surrogate.render.scene import Scene
from surrogate.render.theme import rgb

VIEW_ANGLE = 24.0
"""Vertical opening of the camera [degree]; small, so that sizes can be compared across the picture."""

ELEVATION = float(np.radians(24.0))
"""With VIEW_AZIMUTH the three-quarter view a picture starts with [radian]."""

TEXT_DPI = 72
"""Sizes of words are in pixels, like all else over a pane; a window on a fine screen would enlarge them again."""

MARGIN = 1.18
"""Free space around the framing ball, as a multiple of its radius."""


class Painter:
    """Draws scenes into the subplots of one plotter, under one camera and one scale.

    Parameters
    ----------
    plotter : pyvista.Plotter or pyvistaqt.QtInteractor
        With at least as many subplots as the scene has panes.
    scene : Scene
        The first one; it also places the camera.
    scale : float
        Device pixels per layout pixel: 1 on a plain screen, 2 for a still of twice the resolution.
    at_once : bool
        Else it begins empty and `add_part` brings one part after the other: VTK compiles what draws a pane when
        it is drawn first, and a window must not wait for all of that in one go.
    """

    def __init__(self, plotter: Any, scene: Scene, scale: float = 1.0, at_once: bool = True) -> None:
        self._plotter = plotter
        self._scale = scale
        self._panes: list[PaneActors] = []
        self._held = False
        self._built_for: tuple[object, ...] = ()
        self._unit = drawn_unit(scene.radius)
        self._build(in_units_of(scene, self._unit), at_once)
        self.reset_camera()
        first = plotter.renderers[0]
        # before the overlay of that pane, which measures its words then
        self._observer = (first, first.AddObserver("StartEvent", self._before_rendering, 1.0))

    @property
    def scale(self) -> float:
        """Device pixels per layout pixel."""
        return self._scale

    @property
    def unit(self) -> float:
        """The length that is drawn as 1, which places of the camera are in: see `drawn_scale`."""
        return self._unit

    @classmethod
    def offscreen(cls, scene: Scene, size: tuple[int, int], scale: float = 1.0) -> Self:
        """A painter with its own plotter without a window; size is (width, height) [pixel] after scaling."""
        return cls(offscreen_plotter(len(scene.panes), size, scene.theme), scene, scale)

    def update(self, scene: Scene) -> None:
        """Show another scene: in place if its shapes are those of the last one, else built anew.

        Does not render, and moves the camera only along with the scene's focus.
        """
        if drawn_unit(scene.radius) != self._unit:
            self._clear()
            self._unit = drawn_unit(scene.radius)
            self._build(in_units_of(scene, self._unit))
            self.reset_camera()
            return
        scene = in_units_of(scene, self._unit)
        self._follow_focus(scene)
        if _shapes(scene) != self._built_for:
            self._clear()
            self._build(scene)
            return
        self._scene = scene
        for actors, pane in zip(self._panes, scene.panes, strict=False):  # not all of them at the very first
            actors.update(scene, pane)

    @property
    def complete(self) -> bool:
        """Whether all panes are drawn."""
        return len(self._panes) == len(self._scene.panes) and not self._held

    def add_part(self) -> None:
        """Draw the next part, too: words and cage of the first pane, what moves in it, then pane by pane."""
        if self._held:
            self._panes[0].show_moving(True)
            self._held = False
            return
        index = len(self._panes)
        renderer = self._plotter.renderers[index]
        self._panes.append(PaneActors(renderer, self._scene, index, self._scale))
        if index == 0:
            self._panes[0].show_moving(False)
            self._held = True

    def pick(self, x: float, y: float, reach: float = REACH) -> tuple[int, int] | None:
        """The pane and the particle at a device pixel, from the lower left corner of the window; or None."""
        width, height = self._plotter.render_window.GetSize()
        for index in range(len(self._panes)):
            renderer = self._plotter.renderers[index]
            low_x, low_y, high_x, high_y = renderer.GetViewport()
            viewport = (low_x * width, low_y * height, (high_x - low_x) * width, (high_y - low_y) * height)
            inside_x = viewport[0] <= x < viewport[0] + viewport[2]
            if not (inside_x and viewport[1] <= y < viewport[1] + viewport[3]):
                continue
            matrix = camera_matrix(self._camera, viewport[2] / viewport[3])
            particle = pick(self._scene, index, matrix, viewport, x, y, reach)
            return None if particle is None else (index, particle)
        return None

    def _follow_focus(self, scene: Scene) -> None:
        """Move the camera by what the focus has moved, so that the user may still orbit and zoom."""
        step = scene.focus - self._scene.focus
        if step.any():
            camera = self._camera
            camera.SetFocalPoint(*(np.array(camera.GetFocalPoint()) + step).tolist())
            camera.SetPosition(*(np.array(camera.GetPosition()) + step).tolist())

    def reset_camera(self) -> None:
        """Frame the scene's ball: three-quarter view, or straight on where there is no depth."""
        scene, camera = self._scene, self._camera
        self._fitted = self._aspect()
        distance, scale = self._home()
        across = np.cos(ELEVATION)
        towards = np.array([across * np.cos(VIEW_AZIMUTH), across * np.sin(VIEW_AZIMUTH), np.sin(ELEVATION)])
        up = (0.0, 0.0, 1.0)
        if scene.flat:
            towards, up = np.array([0.0, 0.0, 1.0]), (0.0, 1.0, 0.0)
        camera.SetViewAngle(VIEW_ANGLE)
        camera.SetFocalPoint(*scene.focus.tolist())
        camera.SetPosition(*(scene.focus + distance * towards).tolist())
        camera.SetViewUp(*up)
        camera.SetParallelProjection(scene.flat)
        camera.SetParallelScale(scale)
        camera.SetWindowCenter(0.0, 0.06)  # the titles stand above
        self._clip()

    def _home(self) -> tuple[float, float]:
        """Distance and parallel scale of the view that a picture starts with, in the panes it is fitted to."""
        scale = MARGIN * self._scene.radius / self._fitted
        return scale / float(np.sin(np.radians(VIEW_ANGLE / 2.0))), scale

    def camera(self) -> Camera:
        """Where the camera stands now."""
        scene, camera = self._scene, self._camera
        focus = np.array(camera.GetFocalPoint())
        towards, up = np.array(camera.GetPosition()) - focus, np.array(camera.GetViewUp())
        far = float(np.linalg.norm(towards))
        distance, scale = self._home()
        return Camera(
            _vector(towards / far),
            _vector(up / np.linalg.norm(up)),
            float(camera.GetParallelScale() / scale if scene.flat else far / distance),
            _vector((focus - scene.focus) / scene.radius),
            scene.flat,
        )

    def place_camera(self, wanted: Camera | None) -> None:
        """Put the camera where another one stood; as at the start for None, or one of a scene of another kind."""
        self.reset_camera()
        scene, camera = self._scene, self._camera
        if wanted is None or wanted.flat != scene.flat:
            return
        distance, scale = self._home()
        focus = scene.focus + scene.radius * np.array(wanted.shift)
        away = distance if scene.flat else distance * wanted.distance
        camera.SetFocalPoint(*focus.tolist())
        camera.SetPosition(*(focus + away * np.array(wanted.towards)).tolist())
        camera.SetViewUp(*wanted.up)
        camera.SetParallelScale(scale * (wanted.distance if scene.flat else 1.0))
        self._clip()

    def look_along(self, axis: int) -> None:
        """Stand on an axis of space as it is drawn, as far away as now; nothing where it is not drawn."""
        camera, axes = self._camera, self._scene.axes
        size = float(np.linalg.norm(axes[axis]))
        if size < 1e-6 or self._scene.flat:
            return
        towards = axes[axis] / size
        upright = np.array([0.0, 0.0, 1.0])
        if abs(float(upright @ towards)) > 0.99:
            upright = np.array([0.0, 1.0, 0.0])
        camera.SetPosition(*(np.array(camera.GetFocalPoint()) + camera.GetDistance() * towards).tolist())
        camera.SetViewUp(*upright.tolist())
        self._clip()

    def _aspect(self) -> float:
        """Width over height of a pane, at most 1: what the ball must fit into."""
        width, height = self._plotter.renderers[0].GetSize()
        return min(1.0, float(max(width, 1) / max(height, 1)))

    def _before_rendering(self, *_event: object) -> None:
        """Go nearer or further when the panes changed their shape: what was framed stays framed."""
        window = self._plotter.render_window
        if window.GetDPI() != TEXT_DPI:
            window.SetDPI(TEXT_DPI)
        aspect = self._aspect()
        if aspect != self._fitted:
            camera, change = self._camera, self._fitted / aspect
            self._fitted = aspect
            focus = np.array(camera.GetFocalPoint())
            camera.SetPosition(*(focus + change * (np.array(camera.GetPosition()) - focus)).tolist())
            camera.SetParallelScale(change * camera.GetParallelScale())
            self._clip()

    def _clip(self) -> None:
        distance, radius = self._camera.GetDistance(), self._scene.radius
        self._camera.SetClippingRange(max(distance - 3.0 * radius, 0.01 * distance), distance + 3.0 * radius)

    def render(self) -> None:
        """Draw the present scene."""
        self._plotter.render_window.Render()

    def frame(self) -> NDArray[np.uint8]:
        """Render and return the picture, (height, width, 3) uint8."""
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

        self.render()
        window = self._plotter.render_window
        width, height = window.GetSize()
        pixels = vtkUnsignedCharArray()
        window.GetPixelData(0, 0, width - 1, height - 1, 0, pixels, 0)
        picture = vtk_to_numpy(pixels).reshape(height, width, 3)
        return np.ascontiguousarray(picture[::-1])

    def release(self) -> None:
        """Take everything off the plotter, so that another painter may have it."""
        renderer, observer = self._observer
        renderer.RemoveObserver(observer)
        self._clear()

    def close(self) -> None:
        """Take the actors off and close the plotter."""
        self.release()
        self._plotter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _build(self, scene: Scene, at_once: bool = True) -> None:
        renderers = list(self._plotter.renderers)
        if len(renderers) < len(scene.panes):
            raise InputError(f"plotter must have {len(scene.panes)} subplots; got {len(renderers)}")
        self._scene, self._built_for = scene, _shapes(scene)
        self._camera = renderers[0].GetActiveCamera()
        for renderer in renderers[: len(scene.panes)]:
            renderer.SetBackground(*(rgb(scene.theme.background) / 255.0).tolist())
            renderer.SetActiveCamera(self._camera)
        while at_once and not self.complete:
            self.add_part()

    def _clear(self) -> None:
        for actors in self._panes:
            actors.remove()
        self._panes.clear()
        self._held = False


def _vector(values: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = values.tolist()
    return x, y, z


def camera_matrix(camera: Any, aspect: float) -> NDArray[np.float64]:
    """From the drawn space to clip coordinates, (4, 4) float64; aspect is width over height of the pane."""
    matrix = camera.GetCompositeProjectionTransformMatrix(aspect, -1.0, 1.0)
    return np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])


def _shapes(scene: Scene) -> tuple[object, ...]:
    """What must be equal for an update in place."""
    panes = tuple(
        (pane.source, pane.signs.tobytes(), pane.ghosts is None, pane.ghost_style) for pane in scene.panes
    )
    return scene.theme, scene.labels, scene.radius, panes
