"""The painter: a scene's actors in a PyVista plotter, built once and changed in place. No Qt.

Works on an off-screen `pyvista.Plotter` (exports) and on a `QtInteractor` (the app) alike: it uses the
plotter's renderers and nothing else, and never calls `show`. PyVista is loaded when a painter is made.
"""

from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from physics.errors import InputError
from surrogate.render.offscreen import offscreen_plotter
from surrogate.render.overlay import Overlay
from surrogate.render.projection import VIEW_AZIMUTH
from surrogate.render.scene import Pane, Scene
from surrogate.render.spheres import SphereCloud
from surrogate.render.theme import blended, rgb

VIEW_ANGLE = 24.0
"""Vertical opening of the camera [degree]; small, so that sizes can be compared across the picture."""

ELEVATION = float(np.radians(24.0))
"""With VIEW_AZIMUTH the three-quarter view a picture starts with [radian]."""

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
    """

    def __init__(self, plotter: Any, scene: Scene, scale: float = 1.0) -> None:
        self._plotter = plotter
        self._scale = scale
        self._panes: list[_PaneActors] = []
        self._built_for: tuple[object, ...] = ()
        self._build(scene)
        self.reset_camera()

    @classmethod
    def offscreen(cls, scene: Scene, size: tuple[int, int], scale: float = 1.0) -> Self:
        """A painter with its own plotter without a window; size is (width, height) [pixel] after scaling."""
        return cls(offscreen_plotter(len(scene.panes), size, scene.theme), scene, scale)

    def update(self, scene: Scene) -> None:
        """Show another scene: in place if its shapes are those of the last one, else built anew.

        Neither moves the camera nor renders.
        """
        if _shapes(scene) != self._built_for:
            self._clear()
            self._build(scene)
            return
        self._scene = scene
        for actors, pane in zip(self._panes, scene.panes, strict=True):
            actors.update(scene, pane)

    def reset_camera(self) -> None:
        """Frame the scene's ball: three-quarter view, or straight on where there is no depth."""
        scene, camera = self._scene, self._camera
        width, height = self._plotter.renderers[0].GetSize()
        aspect = min(1.0, width / max(height, 1))
        half = np.radians(VIEW_ANGLE / 2.0)
        distance = MARGIN * scene.radius / (np.sin(half) * aspect)
        across = np.cos(ELEVATION)
        towards = np.array([across * np.cos(VIEW_AZIMUTH), across * np.sin(VIEW_AZIMUTH), np.sin(ELEVATION)])
        up = (0.0, 0.0, 1.0)
        if scene.flat:
            towards, up = np.array([0.0, 0.0, 1.0]), (0.0, 1.0, 0.0)
        camera.SetViewAngle(VIEW_ANGLE)
        camera.SetFocalPoint(*scene.centre.tolist())
        camera.SetPosition(*(scene.centre + distance * towards).tolist())
        camera.SetViewUp(*up)
        camera.SetParallelProjection(scene.flat)
        camera.SetParallelScale(MARGIN * scene.radius / aspect)
        camera.SetWindowCenter(0.0, 0.06)  # the titles stand above
        near = max(distance - 3.0 * scene.radius, 0.01 * distance)
        camera.SetClippingRange(near, distance + 3.0 * scene.radius)

    def frame(self) -> NDArray[np.uint8]:
        """Render and return the picture, (height, width, 3) uint8."""
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

        window = self._plotter.render_window
        window.Render()
        width, height = window.GetSize()
        pixels = vtkUnsignedCharArray()
        window.GetPixelData(0, 0, width - 1, height - 1, 0, pixels, 0)
        picture = vtk_to_numpy(pixels).reshape(height, width, 3)
        return np.ascontiguousarray(picture[::-1])

    def close(self) -> None:
        """Take the actors off and close the plotter."""
        self._clear()
        self._plotter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _build(self, scene: Scene) -> None:
        renderers = list(self._plotter.renderers)
        if len(renderers) < len(scene.panes):
            raise InputError(f"plotter must have {len(scene.panes)} subplots; got {len(renderers)}")
        self._scene, self._built_for = scene, _shapes(scene)
        self._camera = renderers[0].GetActiveCamera()
        for index, renderer in enumerate(renderers[: len(scene.panes)]):
            renderer.SetBackground(*(rgb(scene.theme.background) / 255.0).tolist())
            renderer.SetActiveCamera(self._camera)
            self._panes.append(_PaneActors(renderer, scene, index, self._scale))

    def _clear(self) -> None:
        for actors in self._panes:
            actors.remove()
        self._panes.clear()


def _shapes(scene: Scene) -> tuple[object, ...]:
    """What must be equal for an update in place."""
    panes = tuple(
        (pane.source, pane.signs.tobytes(), pane.trails.shape, pane.ghosts is None) for pane in scene.panes
    )
    return scene.theme, scene.labels, scene.radius, scene.centre.tobytes(), panes


class _PaneActors:
    """The actors of one pane."""

    def __init__(self, renderer: Any, scene: Scene, index: int, scale: float) -> None:
        pane, theme = scene.panes[index], scene.theme
        self._renderer = renderer
        self._balls = _clouds(pane, "ball", theme.background, scale)
        self._rings = _clouds(pane, "ring", theme.background, scale) if pane.ghosts is not None else []
        n, knots = pane.trails.shape[:2]
        self._trails = _Polylines(n, knots, 2.2 * scale)
        self._links = _Polylines(n, 2, 1.6 * scale) if pane.ghosts is not None else None
        self._cage = _cage(scene, scale)
        clouds = [cloud.actor for cloud in (*self._balls, *self._rings)]
        lines = [self._trails.actor] + ([self._links.actor] if self._links is not None else [])
        self._actors = [self._cage, *lines, *clouds]
        for actor in self._actors:
            renderer.AddActor(actor)
        self._overlay = Overlay(renderer, scene, index, scale)
        self.update(scene, pane)

    def update(self, scene: Scene, pane: Pane) -> None:
        for cloud in self._balls:
            cloud.update(pane.points, pane.colours, pane.radii)
        self._trails.update(pane.trails, pane.trail_colours)
        if pane.ghosts is not None and pane.ghost_colours is not None and self._links is not None:
            for cloud in self._rings:
                cloud.update(pane.ghosts, pane.ghost_colours, pane.radii)
            ends = np.stack([pane.ghosts, pane.points], axis=1)
            shade = blended(rgb(scene.theme.link), scene.theme.background, np.array(0.85))
            self._links.update(ends, np.broadcast_to(shade, ends.shape))
        self._overlay.update(scene, pane)

    def remove(self) -> None:
        for actor in self._actors:
            self._renderer.RemoveActor(actor)
        self._overlay.remove()


def _clouds(pane: Pane, style: str, background: str, scale: float) -> list[SphereCloud]:
    groups = [(int(sign), np.flatnonzero(pane.signs == sign)) for sign in (-1, 0, 1)]
    return [SphereCloud(members, sign, style, background, scale) for sign, members in groups if members.size]


class _Polylines:
    """Lines of equally many knots each in one preallocated mesh, coloured per knot."""

    def __init__(self, n_lines: int, n_knots: int, width: float) -> None:
        import pyvista as pv

        knots = np.arange(n_lines * n_knots).reshape(n_lines, n_knots)
        self._mesh = pv.PolyData()
        self._mesh.points = np.zeros((knots.size, 3), dtype=np.float32)
        self._mesh.lines = np.concatenate([np.full((n_lines, 1), n_knots), knots], axis=1).ravel()
        self._mesh.point_data["colour"] = np.zeros((knots.size, 3), dtype=np.uint8)
        self.actor = _line_actor(self._mesh, width)

    def update(self, points: NDArray[np.float32], colours: NDArray[np.uint8]) -> None:
        self._mesh.points[:] = points.reshape(-1, 3)
        self._mesh.point_data["colour"][:] = colours.reshape(-1, 3)
        self._mesh.Modified()


def _line_actor(mesh: Any, width: float) -> Any:
    from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

    mapper = vtkPolyDataMapper()
    mapper.SetInputData(mesh)
    mapper.SetScalarModeToUsePointFieldData()
    mapper.SelectColorArray("colour")
    mapper.SetColorModeToDirectScalars()
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().SetLineWidth(width)
    actor.GetProperty().LightingOff()
    actor.PickableOff()
    return actor


def _cage(scene: Scene, scale: float) -> Any:
    """Three great circles of the framing ball; one, with a cross, where the picture is flat."""
    import pyvista as pv

    turn = np.linspace(0.0, 2.0 * np.pi, 97)
    circle = np.stack([np.cos(turn), np.sin(turn), np.zeros_like(turn)], axis=1)
    if scene.flat:
        arms = np.linspace(-1.0, 1.0, 97)[:, None]
        curves = [circle, arms * (1.0, 0.0, 0.0), arms * (0.0, 1.0, 0.0)]
    else:
        curves = [circle, circle[:, [2, 0, 1]], circle[:, [0, 2, 1]]]
    points = scene.centre + scene.radius * np.concatenate(curves)
    knots = np.arange(len(points)).reshape(3, 97)
    mesh = pv.PolyData()
    mesh.points = points.astype(np.float32)
    mesh.lines = np.concatenate([np.full((3, 1), 97), knots], axis=1).ravel()
    shade = blended(rgb(scene.theme.line), scene.theme.background, np.array(0.75))
    mesh.point_data["colour"] = np.tile(shade, (len(points), 1))
    actor = _line_actor(mesh, 1.4 * scale)  # thinner ones get gaps where they run upright
    # Behind everything, or its lines would scratch the particles nearer than them.
    shader = actor.GetShaderProperty()
    shader.AddFragmentShaderReplacement("//VTK::Depth::Impl", True, "gl_FragDepth = 0.9999999;", False)
    return actor
