"""Where the first pane is and how its camera looks, for what is drawn and dragged over it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Rectangle = tuple[float, float, float, float]


def first_pane(plotter: Any) -> tuple[NDArray[np.float64], Rectangle] | None:
    """Matrix of the camera and (left, bottom, width, height) of the first pane; None while it has no size.

    In device pixels from below left; the matrix leads from the drawn space to clip coordinates, (4, 4) float64.
    """
    from surrogate.render.painter import camera_matrix

    renderer = plotter.renderers[0]
    ratio = plotter.devicePixelRatioF()
    width, height = plotter.width() * ratio, plotter.height() * ratio
    x0, y0, x1, y1 = renderer.GetViewport()
    rectangle = (x0 * width, y0 * height, (x1 - x0) * width, (y1 - y0) * height)
    if rectangle[2] <= 0 or rectangle[3] <= 0:
        return None
    return camera_matrix(renderer.GetActiveCamera(), rectangle[2] / rectangle[3]), rectangle
