"""The units a model is trained in: those of our presets, or fitted to data of one's own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from physics.datasets.presets import PRESETS
from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.types import FloatArray
from surrogate.tasks.dynamics.streamed import StreamedSplit, blocks, outline

MOST_FRAMES = 16
"""Input frames whose states a length is fitted to, evenly chosen."""
LARGEST = 1e150
"""Lengths whose squares float64 still holds."""


@dataclass(frozen=True)
class Scales:
    """The units a model was trained in, measured in the data's own units.

    Attributes
    ----------
    length, time, charge, mass : float
    """

    length: float = 1.0
    time: float = 1.0
    charge: float = 1.0
    mass: float = 1.0

    @property
    def area(self) -> float:
        """The unit of a mean squared position error."""
        return self.length**2

    @property
    def speed(self) -> float:
        """The unit of velocities."""
        return self.length / self.time

    def unit_of(self, name: str) -> float:
        """The unit of a given array: a uniform field is an acceleration, a box a length; others have none."""
        if name == "box":
            return self.length
        if name == "uniform_field":
            return self.length / self.time**2
        return self.mass / (self.charge * self.time) if name == "magnetic_field" else 1.0


def rms_radius(positions: NDArray[np.float64]) -> float:
    """Root of the mean squared distance from the centroid over samples and particles, (samples, N, n) [length]."""
    centred = positions - positions.mean(axis=1, keepdims=True)
    return float(np.sqrt(np.mean(np.sum(centred**2, axis=-1))))


def is_preset(split: DataSplit) -> bool:
    """Whether data are of one of our presets, whose units are those of its law."""
    return str(split.recipe.get("preset")) in PRESETS


def fitted_scales(
    sets: Sequence[DataSplit | StreamedSplit], inputs: Sequence[NDArray[np.int64]], horizon: float
) -> Scales:
    """One length, time, charge and mass for all own data sets of a run together; 1 where all are of our presets.

    Medians, so that a few odd samples move nothing: of the RMS radius of the input states, of charges other than 0
    without their sign, of masses. The time is the horizon. Where all charges are 0, their scale is 1.

    Parameters
    ----------
    inputs : sequence of (count,) int64 arrays
        For each set the input frames.
    horizon : float [time]

    Raises
    ------
    InputError
        Where positions are too large or too close for float64.
    """
    radii, charges, masses = list[FloatArray](), list[FloatArray](), list[FloatArray]()
    for split, frames in zip(sets, inputs, strict=True):
        head = outline(split)
        if is_preset(head):
            continue
        some = frames[np.unique(np.linspace(0, len(frames) - 1, MOST_FRAMES).round().astype(int))]
        for block in blocks(split):
            x = np.asarray(block.positions[:, some], dtype=np.float64)
            radii.append(_radii(x - x.mean(axis=2, keepdims=True)).ravel())
            charges.append(np.abs(np.asarray(block.charges, dtype=np.float64)).ravel())
            masses.append(np.asarray(block.masses, dtype=np.float64).ravel())
        if not 1 / LARGEST < (radius := _median(radii)) < LARGEST:
            raise InputError(
                f"{head.source}: positions are too large or close for float64; got a radius of {radius:g}"
            )
    if not radii:
        return Scales()
    return Scales(_median(radii), horizon, _median(charges), _median(masses))


def _radii(centred: FloatArray) -> FloatArray:
    """RMS distance of particles from 0 (..., N, n) -> (...), without squares that overflow or vanish."""
    size = float(np.abs(centred).max()) or 1.0
    return np.asarray(size * np.sqrt(np.mean(np.sum((centred / size) ** 2, axis=-1), axis=-1)))


def _median(parts: Sequence[FloatArray]) -> float:
    """The median of what is above 0; 1 where nothing is."""
    values = np.concatenate(parts)
    positive = values[values > 0]
    return float(np.median(positive)) if len(positive) else 1.0
