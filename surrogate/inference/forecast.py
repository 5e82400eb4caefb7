"""What a forecast is, and what it took."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Forecast:
    """What `forecast` returns.

    Attributes
    ----------
    positions : array or tensor like the input
    velocities : array or tensor like the input, or None where the model gives none
    outside_training : tuple of str
        Why this lies outside the model's training range; empty inside.
    evaluations : (samples,) int64 array, an int for a single system, or None where unknown
        Spent on each sample; those of discarded forecasts included where a tolerance was given.
    finite : (samples,) bool array, or a bool for a single system
        Whether all numbers of a sample's forecast are.
    """

    positions: Any
    velocities: Any
    outside_training: tuple[str, ...] = ()
    evaluations: Any = None
    finite: Any = True


@dataclass(frozen=True)
class Cost:
    """What the last forecast took, mean over its samples.

    Attributes
    ----------
    evaluations : float
    force_evaluations : float or None
        Per pair, of models that sub-step close pairs.
    """

    evaluations: float
    force_evaluations: float | None
