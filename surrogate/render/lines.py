"""Lines of a picture: trails and links, the circles around everything, arrows of a field. VTK when used."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate.render.arrows import Arrows
from surrogate.render.pixels import colouring_mapper
from surrogate.render.scene import Scene
from surrogate.render.theme import blended, rgb

CIRCLE = 97
"""Knots of a circle."""


class Polylines:
    """Lines of equally many knots each in one preallocated mesh, coloured per knot.

    The mesh goes knot by knot, not line by line, so that a window of a track is copied as it lies. Colours are
    RGBA if `fading`; what fades is not sorted by depth, which thin lines do not need.
    """

    def __init__(self, n_knots: int, n_lines: int, width: float, fading: bool = False) -> None:
        import pyvista as pv

        self.shape = (n_knots, n_lines)
        knots = np.arange(n_knots * n_lines).reshape(n_knots, n_lines).T
        self._mesh = pv.PolyData()
        self._mesh.points = np.zeros((knots.size, 3), dtype=np.float32)
        self._mesh.lines = np.concatenate([np.full((n_lines, 1), n_knots), knots], axis=1).ravel()
        self._mesh.point_data["colour"] = np.zeros((knots.size, 4 if fading else 3), dtype=np.uint8)
        self._points = self._mesh.points
        self._colours = self._mesh.point_data["colour"]
        self.actor = line_actor(self._mesh, width)
        if fading:
            self.actor.ForceTranslucentOn()

    def update(self, points: NDArray[np.float32], colours: NDArray[np.uint8]) -> None:
        """Move the knots, (n_knots, n_lines, 3), and colour them, (n_knots, n_lines, 3 or 4)."""
        self._points[:] = points.reshape(-1, 3)
        self._colours[:] = colours.reshape(-1, colours.shape[-1])
        self._mesh.Modified()


def line_actor(mesh: Any, width: float) -> Any:
    """An unlit actor for lines coloured per point."""
    from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

    actor = vtkActor()
    actor.SetMapper(colouring_mapper(vtkPolyDataMapper(), mesh))
    actor.GetProperty().SetLineWidth(width)
    actor.GetProperty().LightingOff()
    actor.PickableOff()
    return actor


def cage(scene: Scene, scale: float) -> Any:
    """Three great circles of the framing ball; one, with a cross, where the picture is flat. About the origin."""
    import pyvista as pv

    turn = np.linspace(0.0, 2.0 * np.pi, CIRCLE)
    circle = np.stack([np.cos(turn), np.sin(turn), np.zeros_like(turn)], axis=1)
    if scene.flat:
        arms = np.linspace(-1.0, 1.0, CIRCLE)[:, None]
        curves = [circle, arms * (1.0, 0.0, 0.0), arms * (0.0, 1.0, 0.0)]
    else:
        curves = [circle, circle[:, [2, 0, 1]], circle[:, [0, 2, 1]]]
    points = scene.radius * np.concatenate(curves)
    knots = np.arange(len(points)).reshape(3, CIRCLE)
    mesh = pv.PolyData()
    mesh.points = points.astype(np.float32)
    mesh.lines = np.concatenate([np.full((3, 1), CIRCLE), knots], axis=1).ravel()
    shade = blended(rgb(scene.theme.line), scene.theme.background, np.array(0.75))
    mesh.point_data["colour"] = np.tile(shade, (len(points), 1))
    actor = line_actor(mesh, 1.4 * scale)  # thinner ones get gaps where they run upright
    # Behind everything, or its lines would cut through particles nearer than them.
    shader = actor.GetShaderProperty()
    shader.AddFragmentShaderReplacement("//VTK::Depth::Impl", True, "gl_FragDepth = 0.9999999;", False)
    return actor


class ArrowField:
    """Arrows of a field in one mesh; an arrow without length is not seen."""

    def __init__(self, n_arrows: int) -> None:
        import pyvista as pv
        from vtkmodules.vtkFiltersSources import vtkArrowSource
        from vtkmodules.vtkRenderingCore import vtkActor, vtkGlyph3DMapper

        self.n_arrows = n_arrows
        self._mesh = pv.PolyData(np.zeros((n_arrows, 3), dtype=np.float32))
        self._mesh.point_data["span"] = np.zeros((n_arrows, 3), dtype=np.float32)
        self._mesh.point_data["colour"] = np.zeros((n_arrows, 3), dtype=np.uint8)
        shape = vtkArrowSource()
        shape.SetTipResolution(16)
        shape.SetShaftResolution(10)
        shape.SetTipLength(0.3)
        shape.SetTipRadius(0.09)
        shape.SetShaftRadius(0.028)
        mapper = colouring_mapper(vtkGlyph3DMapper(), self._mesh)
        mapper.SetSourceConnection(shape.GetOutputPort())
        mapper.SetOrientationArray("span")
        mapper.SetOrientationModeToDirection()
        mapper.SetScaleArray("span")
        mapper.SetScaleModeToScaleByMagnitude()
        self.actor: Any = vtkActor()
        self.actor.SetMapper(mapper)
        surface = self.actor.GetProperty()
        surface.SetAmbient(0.45)
        surface.SetDiffuse(0.65)
        self.actor.PickableOff()

    def update(self, arrows: Arrows) -> None:
        """Move the arrows; as many as it was made for."""
        self._mesh.points[:] = arrows.points
        self._mesh.point_data["span"][:] = arrows.spans
        self._mesh.point_data["colour"][:] = arrows.colours
        self._mesh.Modified()
