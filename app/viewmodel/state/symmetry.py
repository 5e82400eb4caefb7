"""Equivariance errors that were measured, and which of them are more than round-off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from physics.types import FloatArray

NAMES = ("rotation", "reflection", "translation", "permutation")


ROUND_OFF = 1e-4
"""An equivariance error below this is round-off of float32 arithmetic."""


EXACT = 1e-8
"""A model whose median error in double precision is above this is not equivariant."""


@dataclass(frozen=True, eq=False)
class Symmetry:
    """Equivariance errors |f(g x) - g f(x)| / |f - centroid of f| of one forecaster.

    Attributes
    ----------
    frames : (n_sampled,) int64
        Which frames were measured, increasing.
    errors : mapping of str to (n_sampled,) float64
        By name of NAMES.
    double : mapping of str to float
        Median over some frames in double precision; empty where there is no other precision.
    """

    frames: NDArray[np.int64]
    errors: Mapping[str, FloatArray]
    double: Mapping[str, float]

    def at(self, name: str, frame: int) -> float:
        """The error at the measured frame nearest to one."""
        return float(self.errors[name][np.argmin(np.abs(self.frames - frame))])

    def broken(self) -> tuple[str, ...]:
        """The names of what it is not equivariant under."""
        return tuple(name for name in NAMES if self.double.get(name, 0.0) > EXACT)

    def first_large(self, names: Sequence[str] = NAMES) -> int | None:
        """The first frame at which an error (of these) is more than round-off; None if there is none."""
        large = np.max([self.errors[name] for name in names], axis=0) > ROUND_OFF
        return int(self.frames[np.argmax(large)]) if large.any() else None
