"""Text and the axis gizmo over one pane, in pixels. VTK, loaded when used.

The layout is redone just before each rendering (the renderer's StartEvent), so that it follows the size of
the pane and the camera, whoever changed them.
"""

import textwrap
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate.render.scene import Pane, Scene
from surrogate.render.theme import Theme, blended, ramp_colours, rgb

FloatArray = NDArray[np.float64]

GIZMO_SIZE = 34.0
"""Length of the longest axis arrow [pixel at scale 1]."""

TIED = "\u00a0=\u00a0"
"""An equation is not broken at the end of a line."""

GAP = "   "
"""Stands between the parts of the head-up line."""

LABEL_SIZE = np.array([19.0, 15.0])
"""Room of an axis label, wide and high [pixel at scale 1]."""


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
        self._words: tuple[tuple[Any, str, int], ...] = ()
        self._fitted: tuple[object, ...] = ()
        self.update(scene, scene.panes[index])

    def update(self, scene: Scene, pane: Pane) -> None:
        """Change the words; VTK redraws a text only if it differs."""
        titles = (self._title, pane.title, 2), (self._subtitle, pane.subtitle, 2)
        self._words = (*titles, (self._badge, pane.badge, 3))
        self._foot = scene.headline if self._first else pane.footer
        if self._legend is not None:
            self._words_of_legend = scene.legend
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
        self._fit(width - 1.5 * margin)
        top = height - 14 * s
        for actor, line in ((self._title, 24 * s), (self._subtitle, 22 * s), (self._badge, 22 * s)):
            actor.SetPosition(margin, top)
            lines = actor.GetInput().count("\n")
            top -= line + lines * 0.8 * line
        # the words at the foot change with every frame: wrapped by count, not measured
        foot = wrapped(self._foot, int((width - margin) / (7.6 * s)))
        self._footer.SetInput(foot)
        self._footer.SetPosition(margin, 14 * s)
        if self._gizmo is not None:
            above = 20 * s * foot.count("\n") if width < 420 * s else 0
            self._gizmo.place(width - 62 * s, 62 * s + above)
        raised = 0.0
        if self._legend is not None:
            words = self._words_of_legend
            self._legend.SetInput(words if 6.5 * len(words) * s < width - margin else words.replace(5 * " ", "\n"))
            together = 8.0 * len(foot) + 6.5 * len(self._legend.GetInput())
            raised = 24 * s if together * s > width - 2.5 * margin else 0.0
            self._legend.SetPosition(width - margin, 15 * s + raised)
            raised += 16 * s * self._legend.GetInput().count("\n")
        if self._ramp is not None:
            self._ramp.place(width - margin, 38 * s + raised)
        if self._edge is not None:
            self._edge.move(np.array([[0.5, 0.0], [0.5, height]]))

    def _fit(self, width: float) -> None:
        """Cut or wrap the words where the pane is narrow; measured only when they or the width changed."""
        key = (width, *(text for _, text, _ in self._words))
        if key == self._fitted:
            return
        self._fitted = key
        for actor, text, n_lines in self._words:
            actor.SetInput(fitted(text, width, n_lines, partial(self._width, actor)))

    def _width(self, actor: Any, text: str) -> float:
        actor.SetInput(text)
        box = [0.0] * 4
        actor.GetBoundingBox(self._renderer, box)
        return box[1] - box[0]


def wrapped(text: str, n_letters: int) -> str:
    """Each line of the text on lines of at most `n_letters`: broken where it has gaps, else between words."""
    lines = []
    for line in text.split("\n"):
        started = ""
        for part in line.split(GAP):
            joined = f"{started}{GAP}{part}" if started else part
            if len(joined) > n_letters and started:
                lines.append(started)
                joined = part
            started = joined
        lines.append(textwrap.fill(started, max(n_letters, 8)))
    return "\n".join(lines)


def fitted(text: str, width: float, n_lines: int, measured: Callable[[str], float]) -> str:
    """The text on at most `n_lines` lines no wider than `width`, the last one cut with dots if there is more.

    Parameters
    ----------
    text : str
    width : float [pixel]
    n_lines : int
    measured : callable
        Width of a line of text [pixel].
    """
    if not text or measured(text) <= width:
        return text
    words, lines = text.replace(" = ", TIED).split(" "), list[str]()
    while words and len(lines) < n_lines - 1:
        count = 1
        while count < len(words) and measured(" ".join(words[: count + 1])) <= width:
            count += 1
        lines.append(" ".join(words[:count]))
        words = words[count:]
    rest = " ".join(words)
    if rest and measured(rest) > width:
        low, high = 0, len(rest)  # the longest beginning that fits with its dots
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if measured(f"{rest[:middle].rstrip()}...") <= width else (low, middle - 1)
        rest = f"{rest[:low].rstrip(' ,;:(')}..."
    return "\n".join([*lines, rest] if rest else lines).replace(TIED, " = ")


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
        size = GIZMO_SIZE if len(self._axes) < 4 else 1.25 * GIZMO_SIZE
        self._arrow = size * self._scale / (longest if longest > 0 else 1.0)

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
        reach = length if len(flat) < 4 else np.maximum(length, length.max())  # many: all outside the fan
        beyond = (reach + 11.0 * self._scale) * along
        drawn = np.linalg.norm(self._axes, axis=1) > 1e-6  # an axis off the drawn space has no direction to show
        beyond[drawn] = apart(beyond[drawn], LABEL_SIZE * self._scale)
        places = beyond + np.array([x, y])
        for label, visible in zip(self._labels, drawn.tolist(), strict=True):
            label.SetVisibility(visible)
        for label, (at_x, at_y), shade in zip(self._labels, places.tolist(), shades / 255.0, strict=True):
            label.SetPosition(at_x, at_y)
            label.GetTextProperty().SetColor(*shade.tolist())


def apart(places: FloatArray, size: FloatArray) -> FloatArray:
    """Places moved as little as needs be so that labels of one size, centred there, do not overlap.

    Parameters
    ----------
    places : (n_labels, 2) float64 [pixel]
    size : (2,) float64 [pixel]
        Width and height of a label.

    Returns
    -------
    (n_labels, 2) float64 [pixel]
    """
    places = np.array(places, dtype=np.float64)
    for _ in range(60):
        moved = False
        for i in range(len(places)):
            for j in range(i):
                gap = places[i] - places[j]
                missing = size - np.abs(gap)
                if (missing <= 1e-9).any():
                    continue
                axis = int(np.argmin(missing))
                step = 0.5 * missing[axis] * (1.0 if gap[axis] >= 0 else -1.0)
                places[i, axis] += step
                places[j, axis] -= step
                moved = True
        if not moved:
            break
    return places


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
