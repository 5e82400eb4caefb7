"""Text and the axis gizmo over one pane, in pixels. VTK, loaded when used.

The layout is redone just before each rendering (the renderer's StartEvent), so that it follows the size of
the pane and the camera, whoever changed them.
"""

from typing import Any

import numpy as np

from surrogate.render.scene import Pane, Scene
from surrogate.render.theme import Theme, blended, ramp_colours, rgb

GIZMO_SIZE = 34.0
"""Length of the longest axis arrow [pixel at scale 1]."""


def _unit(colour: str) -> tuple[float, float, float]:
    red, green, blue = (rgb(colour) / 255.0).tolist()
    return red, green, blue


def _text(renderer: Any, size: float, colour: str, bold: bool, vertical: str, plate: str = "") -> Any:
    """A line of text; `plate` is the colour of a veil behind it that keeps it readable over a drawing."""
    from vtkmodules.vtkRenderingCore import vtkTextActor

    actor = vtkTextActor()
    font = actor.GetTextProperty()
    font.SetFontFamilyToArial()
    font.SetFontSize(round(size))
    font.SetColor(*_unit(colour))
    font.SetBold(bold)
    font.SetLineSpacing(1.3)
    if plate:
        font.SetBackgroundColor(*_unit(plate))
        font.SetBackgroundOpacity(0.72)
    getattr(font, f"SetVerticalJustificationTo{vertical}")()
    actor.PickableOff()
    renderer.AddViewProp(actor)
    return actor


class Overlay:
    """What stands over one pane: titles, badge, footer, and in the first pane the gizmo and the head-up line.

    Parameters
    ----------
    renderer : vtkRenderer
    scene : Scene
    index : int
        Which pane.
    scale : float
        Device pixels per layout pixel.
    """

    def __init__(self, renderer: Any, scene: Scene, index: int, scale: float) -> None:
        theme = scene.theme
        self._renderer, self._scale, self._first = renderer, scale, index == 0
        accent = {"truth": theme.truth, "forecast": theme.forecast, "rollout": theme.rollout}
        colour = accent[scene.panes[index].source]
        self._title = _text(renderer, 17 * scale, colour, True, "Top", theme.background)
        self._subtitle = _text(renderer, 13 * scale, theme.muted, False, "Top", theme.background)
        self._badge = _text(renderer, 13 * scale, theme.warning, True, "Top", theme.background)
        self._footer = _text(renderer, 15 * scale, colour, True, "Bottom", theme.background)
        self._texts = [self._title, self._subtitle, self._badge, self._footer]
        self._legend = self._ramp = None
        if index == len(scene.panes) - 1:
            self._legend = _text(renderer, 12 * scale, theme.muted, False, "Bottom", theme.background)
            self._legend.GetTextProperty().SetJustificationToRight()
            self._texts.append(self._legend)
            self._ramp = ColourBar(renderer, theme, scale) if scene.colour_limit is not None else None
        self._edge = PixelMesh(renderer, 2, [(0, 1)], [], 1.0 * scale) if index else None
        if self._edge is not None:
            self._edge.mesh.cell_data["colour"][:] = rgb(theme.line)
        self._gizmo = Gizmo(renderer, scene, scale) if self._first else None
        self._observer = renderer.AddObserver("StartEvent", self._layout)
        self.update(scene, scene.panes[index])

    def update(self, scene: Scene, pane: Pane) -> None:
        """Change the words; VTK redraws a text only if it differs."""
        self._title.SetInput(pane.title)
        self._subtitle.SetInput(pane.subtitle)
        self._badge.SetInput(pane.badge)
        self._footer.SetInput(scene.headline if self._first else pane.footer)
        if self._legend is not None:
            self._legend.SetInput(scene.legend)
        if self._gizmo is not None:
            self._gizmo.update(scene)

    def remove(self) -> None:
        """Take everything off the renderer."""
        self._renderer.RemoveObserver(self._observer)
        for actor in self._texts:
            self._renderer.RemoveViewProp(actor)
        for part in (self._gizmo, self._ramp, self._edge):
            if part is not None:
                part.remove()

    def _layout(self, *_event: object) -> None:
        width, height = self._renderer.GetSize()
        s = self._scale
        margin = 16 * s
        self._title.SetPosition(margin, height - 14 * s)
        self._subtitle.SetPosition(margin, height - 38 * s)
        self._badge.SetPosition(margin, height - 60 * s)
        self._footer.SetPosition(margin, 14 * s)
        if self._gizmo is not None:
            self._gizmo.place(width - 62 * s, 62 * s)
        if self._legend is not None:
            self._legend.SetPosition(width - margin, 15 * s)
        if self._ramp is not None:
            self._ramp.place(width - margin, 38 * s)
        if self._edge is not None:
            self._edge.move(np.array([[0.5, 0.0], [0.5, height]]))


class PixelMesh:
    """Lines and polygons in pixels of a pane, one colour per cell (lines first): `mesh.cell_data["colour"]`."""

    def __init__(
        self,
        renderer: Any,
        n_points: int,
        lines: list[tuple[int, int]],
        polygons: list[tuple[int, ...]],
        width: float = 1.0,
    ) -> None:
        import pyvista as pv
        from vtkmodules.vtkRenderingCore import vtkActor2D, vtkPolyDataMapper2D

        self._renderer = renderer
        self.mesh = pv.PolyData()
        self.mesh.points = np.zeros((n_points, 3), dtype=np.float32)
        if lines:
            self.mesh.lines = [number for line in lines for number in (2, *line)]
        if polygons:
            self.mesh.faces = [number for face in polygons for number in (len(face), *face)]
        self.mesh.cell_data["colour"] = np.zeros((len(lines) + len(polygons), 3), dtype=np.uint8)
        mapper = vtkPolyDataMapper2D()
        mapper.SetInputData(self.mesh)
        mapper.SetScalarModeToUseCellFieldData()
        mapper.SetColorModeToDirectScalars()
        mapper.ColorByArrayComponent("colour", 0)
        self._actor = vtkActor2D()
        self._actor.SetMapper(mapper)
        self._actor.GetProperty().SetLineWidth(width)
        self._actor.PickableOff()
        renderer.AddViewProp(self._actor)

    def move(self, points: Any) -> None:
        """Put the points at (n_points, 2) pixels."""
        self.mesh.points[:, :2] = points
        self.mesh.Modified()

    def remove(self) -> None:
        """Take it off the renderer."""
        self._renderer.RemoveViewProp(self._actor)


class ColourBar:
    """The error scale, from 0 on the left to its upper end on the right."""

    STEPS = 24

    def __init__(self, renderer: Any, theme: Theme, scale: float) -> None:
        self._scale = scale
        boxes: list[tuple[int, ...]] = [(4 * k, 4 * k + 1, 4 * k + 2, 4 * k + 3) for k in range(self.STEPS)]
        self._pixels = PixelMesh(renderer, 4 * self.STEPS, [], boxes)
        shades = ramp_colours(np.linspace(0.0, 1.0, self.STEPS), theme.error_ramp)
        self._pixels.mesh.cell_data["colour"][:] = shades
        self.remove = self._pixels.remove

    def place(self, right: float, bottom: float) -> None:
        """Put its lower right corner at a point of the pane [pixel]."""
        edges = right + np.linspace(-120.0 * self._scale, 0.0, self.STEPS + 1)
        low, high = edges[:-1], edges[1:]
        top = np.full(self.STEPS, bottom + 8.0 * self._scale)
        base = np.full(self.STEPS, bottom)
        corners = [(low, base), (high, base), (high, top), (low, top)]
        points = np.stack([np.stack(corner, axis=1) for corner in corners], axis=1)
        self._pixels.move(points.reshape(-1, 2))


class Gizmo:
    """Labelled arrows: where each axis of the n-dimensional space points on the screen."""

    def __init__(self, renderer: Any, scene: Scene, scale: float) -> None:
        self._renderer, self._scale, self._theme = renderer, scale, scene.theme
        n = len(scene.labels)
        feet = range(0, 5 * n, 5)  # per axis five points: foot, head, and three of the tip
        shafts = [(foot, foot + 1) for foot in feet]
        tips: list[tuple[int, ...]] = [(foot + 2, foot + 3, foot + 4) for foot in feet]
        self._pixels = PixelMesh(renderer, 5 * n, shafts, tips, 1.8 * scale)
        self._labels = [_text(renderer, 12 * scale, scene.theme.text, False, "Centered") for _ in range(n)]
        for label, text in zip(self._labels, scene.labels, strict=True):
            label.SetInput(text)
            label.GetTextProperty().SetJustificationToCentered()
        self.update(scene)

    def update(self, scene: Scene) -> None:
        """Take the axes of a scene; they are placed at the next rendering."""
        self._axes = scene.axes
        longest = float(np.linalg.norm(self._axes, axis=1).max())
        self._arrow = GIZMO_SIZE * self._scale / (longest if longest > 0 else 1.0)

    def remove(self) -> None:
        """Take everything off the renderer."""
        self._pixels.remove()
        for actor in self._labels:
            self._renderer.RemoveViewProp(actor)

    def place(self, x: float, y: float) -> None:
        """Draw around a point of the pane [pixel], as the camera sees it now."""
        towards, right, up = camera_frame(self._renderer.GetActiveCamera())
        flat = np.stack([self._axes @ right, self._axes @ up], axis=1) * self._arrow
        length = np.linalg.norm(flat, axis=1, keepdims=True)
        along = np.divide(flat, length, out=np.zeros_like(flat), where=length > 1e-9)
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        tip = np.minimum(7.0 * self._scale, length)
        corners = np.stack(
            [np.zeros_like(flat), flat - 0.8 * tip * along, flat]
            + [flat - tip * along + side * 0.45 * tip * across for side in (1, -1)],
            axis=1,
        )
        depth = self._axes @ towards
        nearness = 0.7 + 0.3 * depth / max(float(np.abs(depth).max()), 1e-9)
        shades = axis_shades(self._theme, nearness)
        self._pixels.mesh.cell_data["colour"][:] = np.concatenate([shades, shades])
        self._pixels.move((corners + np.array([x, y])).reshape(-1, 2))
        places = flat + np.array([x, y]) + 10.0 * self._scale * along
        for label, (at_x, at_y), shade in zip(self._labels, places.tolist(), shades / 255.0, strict=True):
            label.SetPosition(at_x, at_y)
            label.GetTextProperty().SetColor(*shade.tolist())


def axis_shades(theme: Theme, nearness: Any) -> Any:
    """Colours of the arrows, those toward the viewer strongest, (n_dims, 3) uint8."""
    return blended(np.tile(rgb(theme.text), (len(nearness), 1)), theme.background, nearness)


def camera_frame(camera: Any) -> tuple[Any, Any, Any]:
    """Unit vectors toward the viewer, to the right and up, each (3,) float64, of a VTK camera."""
    towards = -np.asarray(camera.GetDirectionOfProjection())
    up = np.asarray(camera.GetViewUp())
    right = np.cross(up, towards)
    right /= np.linalg.norm(right)
    return towards, right, np.cross(towards, right)
