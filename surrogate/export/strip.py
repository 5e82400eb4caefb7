"""The error over time as a strip under a video: drawn once, then only a cursor moves over it."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate.comparison.comparison import Comparison
from surrogate.export import figures
from surrogate.render.captions import in_brackets, unit_of
from surrogate.render.theme import Theme, blended, rgb

Picture = NDArray[np.uint8]

MARGIN_LEFT, MARGIN_RIGHT = 74, 158
"""Room for the numbers and for the names of the curves [pixel]."""


class ErrorStrip:
    """Position RMSE over time with a cursor; what is still to come is drawn faintly.

    Parameters
    ----------
    comparison : Comparison
    size : (width, height) [pixel]
    theme : Theme
    """

    def __init__(self, comparison: Comparison, size: tuple[int, int], theme: Theme) -> None:
        width, height = size
        panel = replace(theme, background=theme.panel)
        figure = figures.blank_figure(panel, (width / 100.0, height / 100.0))
        box = (MARGIN_LEFT, 24, width - MARGIN_LEFT - MARGIN_RIGHT, height - 50)
        axes = figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
        figures.styled(axes, panel)
        times = comparison.truth.times
        figures.draw_errors(axes, comparison, panel, width=1.8)
        curves = figures.error_curves(comparison)
        figures.end_labels(axes, times, curves, panel, gap=12.0)
        axes.tick_params(labelsize=8, pad=4)
        words: dict[str, Any] = {"fontsize": 8.5, "color": panel.muted}
        axes.annotate(
            in_brackets("position RMSE over time", unit_of(comparison, "length")),
            (0, 1),
            (0, 6),
            "axes fraction",
            "offset points",
            **words,
        )
        self._whole = figures.pixels(figure)
        at = axes.transData.transform(np.column_stack([times, np.ones(len(times))]))
        self._columns = np.clip(np.rint(at[:, 0]).astype(int), 0, width - 1)
        low, high = axes.get_ylim()
        self._dots = []
        for curve in curves:
            levels = np.clip(curve.values, low, high)
            rows = axes.transData.transform(np.column_stack([times, levels]))[:, 1]
            self._dots.append((height - rows, rgb(getattr(panel, curve.source))))
        top, bottom = height - box[1] - box[3], height - box[1]
        self._rows = slice(top, bottom)
        self._inside = slice(box[0], box[0] + box[2])
        self._faint = self._whole.copy()
        area = self._whole[self._rows, self._inside]
        self._faint[self._rows, self._inside] = blended(area, panel.background, np.array(0.38))
        self._cursor = blended(rgb(panel.text), panel.background, np.array(0.75))
        self._edge = rgb(panel.line).astype(np.uint8)

    def picture(self, frame: int) -> Picture:
        """The strip with the cursor at one frame, (height, width, 3) uint8."""
        column = int(self._columns[frame])
        result = self._faint.copy()
        result[:, : column + 1] = self._whole[:, : column + 1]
        result[self._rows, column] = self._cursor
        for rows, colour in self._dots:
            _dot(result, column, float(rows[frame]), colour)
        result[0] = self._edge
        return result


def _dot(picture: Picture, x: float, y: float, colour: NDArray[np.float64], radius: float = 4.0) -> None:
    """Draw a disc with a soft edge, in place."""
    height, width = picture.shape[:2]
    reach = int(radius) + 2
    rows = slice(max(int(y) - reach, 0), min(int(y) + reach + 1, height))
    columns = slice(max(int(x) - reach, 0), min(int(x) + reach + 1, width))
    r, c = np.ogrid[rows, columns]
    cover = np.clip(radius + 0.5 - np.hypot(r - y, c - x), 0.0, 1.0)[..., None]
    patch = picture[rows, columns]
    picture[rows, columns] = np.rint(cover * colour + (1.0 - cover) * patch).astype(np.uint8)
