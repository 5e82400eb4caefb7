"""One framing of a comparison that no world rotation changes. Pure NumPy."""

import numpy as np

from physics.types import FloatArray
from surrogate.comparison.comparison import Comparison
from surrogate.render.projection import RUNAWAY, Framing, framing, rounded_up

ERRORS = 0.1
"""Where there is no forecast yet the scale of errors ends at so much of the truth's radius."""

ASIDE = 0.2
"""Stored data are framed about their own middle where it is so much of their radius away from the origin."""


def steady_framing(comparison: Comparison, stored: bool = False) -> Framing:
    """A ball about the origin that holds the truth under every rotation; of stored data, about their middle.

    The world turns about the origin, so a ball there does not move; its radius is rounded up to two digits, so
    that round-off in a rotated truth does not change it. The middle of stored data, which may lie anywhere, turns
    with them.
    """
    truth, forecast, box = comparison.truth, comparison.forecast, comparison.box
    x = comparison.drawn_positions(truth)
    corners = np.empty((0, truth.n_dims)) if box is None else box.edge_ends().reshape(-1, truth.n_dims)

    def reach_about(centre: FloatArray) -> float:
        ends = np.linalg.norm(corners - centre, axis=-1).max(initial=0.0)
        return float(max(np.linalg.norm(x - centre, axis=-1).max(), ends))

    centre = np.zeros(truth.n_dims)
    if stored:
        middle = x.mean(axis=(0, 1)) if box is None else box.middle
        if float(np.linalg.norm(middle)) > ASIDE * reach_about(middle):
            centre = middle
    reach = reach_about(centre)
    if forecast is truth:
        return Framing(centre, rounded_up(reach), rounded_up(ERRORS * reach))
    furthest = float(np.linalg.norm(comparison.drawn_positions(forecast) - centre, axis=-1).max())
    radius = max(reach, min(furthest, RUNAWAY * reach))
    limit = framing(truth, forecast).error_limit
    return Framing(centre, rounded_up(radius), rounded_up(limit))
