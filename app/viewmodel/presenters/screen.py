"""Between the pixels of a pane and the space that is drawn in it. Pure NumPy."""

import numpy as np
from numpy.typing import ArrayLike

from physics.types import FloatArray
from surrogate.render.picking import on_screen

Rectangle = tuple[float, float, float, float]


REACH = 30.0
"""A path that begins further from every particle belongs to the one that was drawn last [pixel]."""


def unprojected(x: float, y: float, through: ArrayLike, matrix: FloatArray, viewport: Rectangle) -> FloatArray:
    """The point under a pixel on the plane through a point that faces the camera, (3,) [length].

    Parameters
    ----------
    x, y : float
        From the lower left corner of the window [pixel].
    through : (3,) [length]
    matrix : (4, 4) float64
        From the drawn space to clip coordinates.
    viewport : (left, bottom, width, height) of the pane [pixel]

    Notes
    -----
    All points of that plane have the same depth before the camera, so the same third and fourth clip coordinate:
    the first two follow from the pixel, and the matrix is inverted.
    """
    left, bottom, width, height = viewport
    *_, z, w = matrix @ np.append(np.asarray(through, dtype=np.float64), 1.0)
    across = 2.0 * (x - left) / width - 1.0
    up = 2.0 * (y - bottom) / height - 1.0
    point = np.linalg.solve(matrix, np.array([across * w, up * w, z, w]))
    return np.asarray(point[:3] / point[3])


def nearest_particle(
    x: float, y: float, points: FloatArray, matrix: FloatArray, viewport: Rectangle
) -> int | None:
    """The particle whose place (n_particles, 3) is drawn nearest to a pixel, within REACH; else None."""
    pixels, depth, _ = on_screen(points, matrix, viewport)
    away = np.where(np.isfinite(depth), np.hypot(pixels[:, 0] - x, pixels[:, 1] - y), np.inf)
    found = int(np.argmin(away))
    return found if away[found] <= REACH else None
