"""Where a time line has its numbers and its strokes. Pure NumPy."""

import math

import numpy as np

from physics.types import FloatArray

MOST_BOUNDARIES = 150
"""More strokes than this say nothing."""


def ticks(first: float, last: float, count: int) -> FloatArray:
    """At most about `count` round numbers from `first` to `last`: steps of 1, 2 or 5 times a power of 10."""
    span = last - first
    if not span > 0 or count < 1:
        return np.array([first])
    least = span / count
    power = 10.0 ** np.floor(np.log10(least))
    step = next(power * factor for factor in (1.0, 2.0, 5.0, 10.0) if power * factor >= least * (1 - 1e-9))
    marks = np.arange(np.ceil(first / step - 1e-9), np.floor(last / step + 1e-9) + 1) * step
    digits = 12 - math.floor(math.log10(max(abs(first), abs(last))))
    return np.asarray([round(mark, digits) + 0.0 for mark in marks.tolist()])


def horizon_boundaries(first: float, last: float, horizon: float) -> list[float]:
    """Whole multiples of a model horizon after `first` and up to `last`; none where they are too dense to see."""
    start, end = int(np.floor(first / horizon + 1e-9)) + 1, int(np.floor(last / horizon + 1e-9))
    return [k * horizon for k in range(start, end + 1)] if end - start < MOST_BOUNDARIES else []
