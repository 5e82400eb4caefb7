"""One split of a data set in memory, and the checks that every file's arrays pass before they become one."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.checks import (
    causal_velocities,
    checked_times,
    checked_units,
    continuous,
    numbers,
    refuse_where,
    swapped_axes,
    unlikely_axes,
)
from physics.datasets.times import clock_ratio
from physics.errors import InputError

OPTIONAL = ("species", "edges", "uniform_field", "magnetic_field", "box")
"""Arrays that most data sets have not; `box` alone may be (dims,) for all samples."""
ARRAYS = ("positions", "velocities", "charges", "times", "masses", *OPTIONAL)
"""Names that files store them under."""
SAMPLED = ("positions", "velocities", "charges", "masses", *OPTIONAL)
"""Arrays whose first axis counts the samples."""
NO_POSITIONS = "no array 'positions' (samples, frames, particles, dims)"


@dataclass(frozen=True, eq=False)
class DataSplit:
    """One split of a data set, in memory.

    Attributes
    ----------
    positions, velocities : (n_samples, n_frames, n_particles, n_dims) float
        In a periodic box, positions run on where particles leave it.
    charges, masses : (n_samples, n_particles) float
    times : (n_frames,) float64, increasing
    recipe : mapping
        How it was made; empty for data of unknown origin.
    source : str
        For messages.
    notes : tuple of str
        What was filled in, guessed or changed, a phrase each.
    first_state : int
        The first frame whose velocity is known without looking ahead: 0; or 1, and velocities of frame 0 are NaN,
        where they are differences of positions.
    box : (n_samples, n_dims) float64 or None
        Periodic lengths.
    species : (n_samples, n_particles) int64 or None
    edges : (n_samples, n_particles, n_particles) float or None
    uniform_field : (n_samples, n_dims) float or None
    magnetic_field : (n_samples, n_dims, n_dims) float or None
    units : mapping of str to str
        Labels of "length", "time", "charge", "mass", as far as they are known; never converted.
    """

    positions: NDArray[Any]
    velocities: NDArray[Any]
    charges: NDArray[Any]
    masses: NDArray[Any]
    times: NDArray[np.float64]
    source: str
    recipe: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    first_state: int = 0
    box: NDArray[np.float64] | None = None
    species: NDArray[np.int64] | None = None
    edges: NDArray[Any] | None = None
    uniform_field: NDArray[Any] | None = None
    magnetic_field: NDArray[Any] | None = None
    units: Mapping[str, str] = field(default_factory=dict)

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
        present = {name: getattr(self, name) for name in SAMPLED}
        return replace(self, **{name: array[which] for name, array in present.items() if array is not None})


def checked_split(
    path: Path,
    arrays: Mapping[str, NDArray[Any]],
    recipe: Mapping[str, Any],
    units: object = None,
    counted: str = "",
) -> DataSplit:
    """Arrays as they were read, checked and completed; what is filled in is noted, and said as a warning.

    Parameters
    ----------
    path : Path
        For messages.
    arrays : mapping
        Some of ARRAYS; positions and times at least.
    recipe : mapping
    units : mapping of str to str, optional
        Labels.
    counted : str, optional
        What times count ("frames", "steps") where the file has none.

    Raises
    ------
    InputError
        One line: which array, where in it, what was expected.
    """
    notes: list[str] = []
    if "positions" not in arrays:
        raise InputError(f"{path}: {NO_POSITIONS}")
    positions = numbers(path, "positions", arrays["positions"])
    if positions.ndim != 4 or 0 in positions.shape:
        raise InputError(
            f"{path}: positions must be (samples, frames, particles, dims); got shape {positions.shape}"
        )
    n_samples, n_frames, n, n_dims = positions.shape
    shapes: dict[str, tuple[int, ...]] = {
        "charges": (n_samples, n),
        "masses": (n_samples, n),
        "species": (n_samples, n),
    }
    shapes |= {"edges": (n_samples, n, n), "uniform_field": (n_samples, n_dims)}
    shapes |= {"magnetic_field": (n_samples, n_dims, n_dims), "box": (n_samples, n_dims)}
    given = {name: numbers(path, name, arrays[name]) for name in shapes if name in arrays}
    if "box" in given and given["box"].shape == (n_dims,):
        given["box"] = np.broadcast_to(given["box"], shapes["box"])
    for name, array in given.items():
        if array.shape != shapes[name]:
            particles = name in ("charges", "masses", "species")
            raise InputError(
                f"{path}: {name} must be {shapes[name]}; got shape {array.shape}"
                + (swapped_axes(positions.shape, array.shape) if particles else "")
            )
    if not given.keys() & {"charges", "masses", "species", "edges"} and not recipe:
        notes += unlikely_axes(path, n, n_dims)
    pulled = "gravity" in str(recipe.get("law"))  # where mass 0 means a particle that pulls nobody
    least = "at least 0" if pulled else "positive"
    refuse_where(path, "masses", given.get("masses"), least, lambda m: m < 0 if pulled else m <= 0)
    refuse_where(path, "box", given.get("box"), "positive", lambda box: box <= 0)
    refuse_where(path, "species", given.get("species"), "whole numbers", lambda kinds: kinds % 1 != 0)
    positions, said = continuous(positions, given.get("box"), guess=not recipe)
    notes += said
    times = checked_times(path, arrays.get("times"), n_frames)
    first_state = 0
    if "velocities" in arrays:
        velocities = numbers(path, "velocities", arrays["velocities"])
        if velocities.shape != positions.shape:
            raise InputError(f"{path}: velocities must be {positions.shape} as positions; got {velocities.shape}")
        if not recipe and (ratio := clock_ratio(positions, velocities, times)):
            what = (
                f"a {counted.removesuffix('s')} takes about" if counted else "times should be multiplied by about"
            )
            notes.append(
                f"by displacements and velocities {what} {ratio:.2g} (python -m physics.convert --time-step)"
            )
    elif n_frames < 2:
        raise InputError(f"{path}: no velocities, and one frame is too few for differences of positions")
    else:
        velocities, first_state = causal_velocities(positions, times), 1
        notes.append("velocities by backward differences of positions (frame 0 has none)")
    if "charges" not in given:
        given["charges"] = np.zeros((n_samples, n))
        notes.append("charges set to zero")
    given.setdefault("masses", np.ones((n_samples, n)))
    if "species" in given:
        given["species"] = given["species"].astype(np.int64)
    for note in notes:
        warnings.warn(f"{path}: {note}", stacklevel=2)
    return DataSplit(
        positions,
        velocities,
        times=times,
        source=str(path),
        recipe=recipe,
        notes=tuple(notes),
        first_state=first_state,
        units=checked_units(path, units),
        **given,
    )
