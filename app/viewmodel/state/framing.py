"""One framing of a comparison that no world rotation changes. Pure NumPy."""

import numpy as np

from surrogate.comparison.comparison import Comparison
from surrogate.render.projection import RUNAWAY, Framing, framing, rounded_up

ERRORS = 0.1
"""Where there is no forecast yet the scale of errors ends at so much of the truth's radius."""


def steady_framing(comparison: Comparison) -> Framing:
    """A ball about the origin that holds the truth under every rotation.

    The world turns about the origin, so a ball there does not move; its radius is rounded up to two digits, so
    that round-off in a rotated truth does not change it.
    """
    truth, forecast = comparison.truth, comparison.forecast
    reach = float(np.linalg.norm(comparison.drawn_positions(truth), axis=-1).max())
    if comparison.box is not None:
        reach = max(reach, float(np.linalg.norm(comparison.box.edge_ends(), axis=-1).max(initial=0.0)))
    if forecast is truth:
        return Framing(np.zeros(truth.n_dims), rounded_up(reach), rounded_up(ERRORS * reach))
    furthest = float(np.linalg.norm(comparison.drawn_positions(forecast), axis=-1).max())
    radius = max(reach, min(furthest, RUNAWAY * reach))
    limit = framing(truth, forecast).error_limit
    return Framing(np.zeros(truth.n_dims), rounded_up(radius), rounded_up(limit))
