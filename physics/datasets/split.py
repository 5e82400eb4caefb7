"""One split of a data set in memory, and the checks that every file's arrays pass before they become one."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.errors import InputError

ARRAYS = ("positions", "velocities", "charges", "times", "masses")
"""Names that files store them under."""
SAMPLED = ("positions", "velocities", "charges", "masses")
"""Arrays whose first axis counts the samples."""
NO_POSITIONS = "no array 'positions' (samples, frames, particles, dims)"


@dataclass(frozen=True, eq=False)
class DataSplit:
    """One split of a data set, in memory.

    Attributes
    ----------
    positions, velocities : (n_samples, n_frames, n_particles, n_dims) float
    charges, masses : (n_samples, n_particles) float
    times : (n_frames,) float64, increasing
    recipe : mapping
        How it was made; empty for data of unknown origin.
    source : str
        For messages.
    notes : tuple of str
        What was filled in (velocities, charges).
    """

    positions: NDArray[Any]
    velocities: NDArray[Any]
    charges: NDArray[Any]
    masses: NDArray[Any]
    times: NDArray[np.float64]
    source: str
    recipe: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def n_dims(self) -> int:
        """Number of space dimensions."""
        return int(self.positions.shape[-1])

    @property
    def n_particles(self) -> int:
        """Number of particles."""
        return int(self.positions.shape[-2])

    def head(self, count: int) -> "DataSplit":
        """The first `count` samples."""
        return self.part(slice(0, count))

    def part(self, which: slice) -> "DataSplit":
        """Some of the samples."""
        return replace(self, **{name: getattr(self, name)[which] for name in SAMPLED})


def checked_split(path: Path, arrays: dict[str, NDArray[Any]], recipe: Mapping[str, Any]) -> DataSplit:
    """Arrays as they were read, checked and completed (velocities, charges, masses); what is filled in is said."""
    notes: list[str] = []
    if "positions" not in arrays:
        raise InputError(f"{path}: {NO_POSITIONS}")
    positions = _numbers(path, "positions", arrays["positions"])
    if positions.ndim != 4 or 0 in positions.shape:
        raise InputError(
            f"{path}: positions must be (samples, frames, particles, dims); got shape {positions.shape}"
        )
    n_samples, n_frames, n, _ = positions.shape
    if "times" not in arrays:
        raise InputError(f"{path}: no array 'times' ({n_frames},)")
    times = _numbers(path, "times", arrays["times"]).astype(np.float64)
    if times.shape != (n_frames,) or not (np.diff(times) > 0).all():
        raise InputError(f"{path}: times must be ({n_frames},) and increasing; got shape {times.shape}")
    if "velocities" in arrays:
        velocities = _numbers(path, "velocities", arrays["velocities"])
        if velocities.shape != positions.shape:
            raise InputError(f"{path}: velocities must be {positions.shape} as positions; got {velocities.shape}")
    elif n_frames < 2:
        raise InputError(f"{path}: no velocities, and one frame is too few for finite differences")
    else:
        velocities = np.gradient(positions, times, axis=1)
        notes.append("velocities by finite differences of positions")
    if "charges" in arrays:
        charges = _numbers(path, "charges", arrays["charges"])
        if charges.shape != (n_samples, n):
            raise InputError(f"{path}: charges must be {(n_samples, n)}; got shape {charges.shape}")
    else:
        charges = np.zeros((n_samples, n))
        notes.append("charges set to zero")
    masses = _numbers(path, "masses", arrays["masses"]) if "masses" in arrays else np.ones((n_samples, n))
    if masses.shape != (n_samples, n) or (masses <= 0).any():
        raise InputError(f"{path}: masses must be positive and {(n_samples, n)}; got shape {masses.shape}")
    for note in notes:
        warnings.warn(f"{path}: {note}", stacklevel=2)
    return DataSplit(positions, velocities, charges, masses, times, str(path), recipe, tuple(notes))


def _numbers(path: Path, name: str, array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind not in "fiu":
        raise InputError(f"{path}: {name} must be numbers; got dtype {array.dtype}")
    result = array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    finite = np.isfinite(result)
    if not finite.all():
        where = tuple(map(int, np.argwhere(~finite)[0]))
        raise InputError(f"{path}: {name} must be finite; got {result[where]} at index {where}")
    return result
