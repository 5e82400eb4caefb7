"""Which particle is under the mouse: projection in NumPy, no rendering."""

import numpy as np
from numpy.typing import ArrayLike

from physics.types import FloatArray
from surrogate.render.scene import Scene

REACH = 8.0
"""How far beside a particle a click may be [pixel]."""


def on_screen(
    points: ArrayLike, matrix: FloatArray, viewport: tuple[float, float, float, float]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Where a camera draws points.

    Parameters
    ----------
    points : (n_points, 3) [length]
    matrix : (4, 4) float64
        From the drawn space to clip coordinates: the camera's projection times its view.
    viewport : (left, bottom, width, height) of the pane [pixel]

    Returns
    -------
    pixels : (n_points, 2) float64
        From the lower left corner of the window.
    depth : (n_points,) float64
        Nearer is smaller; infinite behind the camera.
    scale : (n_points,) float64 [pixel/length]
        How large a length across the view is drawn there.
    """
    points = np.asarray(points, dtype=np.float64)
    clip = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ matrix.T
    before = clip[:, 3] > 0
    w = np.where(before, clip[:, 3], 1.0)
    left, bottom, width, height = viewport
    pixels = np.array([left, bottom]) + 0.5 * (clip[:, :2] / w[:, None] + 1.0) * np.array([width, height])
    depth = np.where(before, clip[:, 2] / w, np.inf)
    return pixels, depth, 0.5 * height * float(np.linalg.norm(matrix[1, :3])) / w


def pick(
    scene: Scene,
    pane: int,
    matrix: FloatArray,
    viewport: tuple[float, float, float, float],
    x: float,
    y: float,
    reach: float = REACH,
) -> int | None:
    """The particle of a pane at a pixel: of those under it the front-most, else the nearest within `reach`.

    Parameters
    ----------
    pane : int
        Index into `scene.panes`; its ghosts count too.
    matrix, viewport
        As for :func:`on_screen`.
    x, y : float
        From the lower left corner of the window [pixel].

    Returns
    -------
    int or None
    """
    drawn = scene.panes[pane]
    points, radii = drawn.points, drawn.radii
    if drawn.ghosts is not None:
        points, radii = np.concatenate([points, drawn.ghosts]), np.tile(radii, 2)
    pixels, depth, scale = on_screen(points, matrix, viewport)
    beside = np.hypot(pixels[:, 0] - x, pixels[:, 1] - y) - radii * scale
    beside[~np.isfinite(depth)] = np.inf
    under = np.flatnonzero(beside <= 0.0)
    if under.size:
        found = int(under[np.argmin(depth[under])])
    else:
        found = int(np.argmin(beside))
        if not beside[found] <= reach:
            return None
    return found % len(drawn.radii)
