"""A number of evaluations for each window: doubled until two forecasts agree."""

from collections.abc import Callable

import torch
from torch import Tensor

MOST_DOUBLINGS = 6
"""A window spends at most 2^6 times the first number in its last forecast."""

Forecasts = Callable[[Tensor, int], tuple[Tensor, Tensor | None, float]]
"""From rows of the windows and a number of evaluations: positions, velocities, force evaluations per pair."""


def until_agreed(
    forecasts: Forecasts, n_windows: int, first: int, tolerance: float
) -> tuple[Tensor, Tensor | None, Tensor, float]:
    """Forecast all windows with `first` evaluations, then with twice as many those that still move.

    Parameters
    ----------
    forecasts : callable
    n_windows : int
    first : int
        Evaluations of the first forecast.
    tolerance : float
        A window is done when doubling moves its positions by less than this (root mean square over particles
        and coordinates), or after `MOST_DOUBLINGS`.

    Returns
    -------
    positions, velocities : (n_windows, N, n) tensors; velocities None where there are none
    spent : (n_windows,) int64
        Evaluations, those of the discarded forecasts included.
    force_evaluations : float
        Per pair, mean over windows, discarded forecasts included.

    Notes
    -----
    The choice sees distances between forecasts alone, so it is as invariant as the model; where a window is at
    the tolerance to the last digit, rounding may decide, and the forecast then changes by about the tolerance.
    """
    rows = torch.arange(n_windows)
    x, v, calls = forecasts(rows, first)
    spent, total, count = torch.full((n_windows,), first), calls * n_windows, first
    for _ in range(MOST_DOUBLINGS):
        if not len(rows):
            break
        count *= 2
        finer_x, finer_v, calls = forecasts(rows, count)
        spent[rows] += count
        total += calls * len(rows)
        moved = (finer_x - x[rows]).detach().square().mean(dim=(1, 2)).sqrt()
        x = x.index_copy(0, rows, finer_x)
        v = None if v is None or finer_v is None else v.index_copy(0, rows, finer_v)
        rows = rows[~(moved <= tolerance).cpu()]
    return x, v, spent, total / max(n_windows, 1)
