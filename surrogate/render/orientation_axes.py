"""Orientation axes: labelled arrows in the corner of a pane, rows of the view basis as the camera sees them."""

from typing import Any

import numpy as np

from physics.types import FloatArray
from surrogate.render.pixels import arrow_mesh, text_actor
from surrogate.render.scene import Scene
from surrogate.render.theme import Theme, blended, rgb

ARROW_LENGTH = 34.0
"""Length of the longest axis arrow [pixel at scale 1]."""

LABEL_SIZE = np.array([19.0, 15.0])
"""Room of an axis label, wide and high [pixel at scale 1]."""


class OrientationAxes:
    """Labelled arrows: where each axis of the n-dimensional space points on the screen.

    Attributes
    ----------
    height : float [pixel]
    """

    def __init__(self, renderer: Any, scene: Scene, scale: float) -> None:
        self._renderer, self._scale, self._theme = renderer, scale, scene.theme
        n = len(scene.labels)
        self._pixels = arrow_mesh(renderer, n, scale)
        self._labels = [text_actor(renderer, 12 * scale, scene.theme.text, False, "Centered") for _ in range(n)]
        for label, text in zip(self._labels, scene.labels, strict=True):
            label.SetInput(text)
            label.GetTextProperty().SetJustificationToCentered()
        self.height = 96 * scale
        self.update(scene)

    def update(self, scene: Scene) -> None:
        """Take the axes of a scene; they are placed at the next rendering."""
        self._axes = scene.axes
        longest = float(np.linalg.norm(self._axes, axis=1).max())
        size = ARROW_LENGTH if len(self._axes) < 4 else 1.25 * ARROW_LENGTH
        self._arrow = size * self._scale / (longest if longest > 0 else 1.0)

    def remove(self) -> None:
        """Take everything off the renderer."""
        self._pixels.remove()
        for actor in self._labels:
            self._renderer.RemoveViewProp(actor)

    def show(self, visible: bool) -> None:
        """Show or hide it."""
        self._pixels.show(visible)
        for label in self._labels:
            label.SetVisibility(visible)

    def place(self, right: float, bottom: float) -> None:
        """Draw above a lower right corner in the pane [pixel], as the camera sees the axes now."""
        x, y = right - 46 * self._scale, bottom + 48 * self._scale
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
