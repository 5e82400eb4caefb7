"""What is done to imported data before they are written: several are joined, what files do not say is put in."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.boundaries import unwrapped
from physics.datasets.formats.base import Arrays, Imported
from physics.datasets.split import SAMPLED
from physics.datasets.times import same_spacing, time_tolerance
from physics.errors import InputError
from physics.files import bounded_text

NUMBERS_LIMIT = 64 << 20
"""Bytes of a file of charges or masses."""


@dataclass(frozen=True, eq=False)
class Changes:
    """What a user says of the files, all optional.

    Attributes
    ----------
    time_step : float [time]
        Multiplies times.
    box : (1,) or (dims,) float [length]
    unwrap : bool
    charges, masses : str
        A number, or the path of a file of numbers, (particles,) or (samples, particles).
    units : mapping of str to str
    dims : int
        Coordinates that are kept, from the first on.
    cut : int
        Frames of a sample.
    """

    time_step: float | None = None
    box: NDArray[np.float64] | None = None
    unwrap: bool = False
    charges: str | None = None
    masses: str | None = None
    units: dict[str, str] | None = None
    dims: int | None = None
    cut: int | None = None

    def any(self) -> bool:
        """Whether there is one."""
        values = [getattr(self, field.name) for field in fields(self)]
        return any(value is not None and value is not False for value in values)


def joined(files: Sequence[Path], parts: Sequence[Imported]) -> Imported:
    """Samples of several files as those of one.

    Raises
    ------
    InputError
        Where they do not fit together: the line names two files.
    """
    first, notes = parts[0], list(parts[0].notes)
    for file, part in zip(files[1:], parts[1:], strict=True):
        _refuse_unlike(files[0], first, file, part)
        own, other = first.arrays["times"], part.arrays["times"]
        if (np.abs(own - other) > 2 * time_tolerance(own)).any():
            shift = other[0] - own[0]
            if (np.abs(own + shift - other) > 2 * time_tolerance(own) + 1e-9 * abs(shift)).any():
                raise InputError(f"{file}: its times are not those of {files[0]}; expected the same (see --cut)")
            notes.append(
                f"{file.name} begins {shift:.6g} later than {files[0].name}; its times are shifted by that"
            )
        notes += [note for note in part.notes if note not in notes]
    if len(parts) == 1:
        return first
    arrays: Arrays = {"times": first.arrays["times"]}
    for name in first.arrays:
        if name in SAMPLED:
            arrays[name] = np.concatenate([_by_sample(name, part) for part in parts])
    recipe = first.recipe if all(part.recipe == first.recipe for part in parts) else {}
    return replace(first, arrays=arrays, recipe=recipe, notes=tuple(notes))


def _by_sample(name: str, part: Imported) -> NDArray[Any]:
    array = part.arrays[name]
    return np.broadcast_to(array, (len(part.arrays["positions"]), len(array))) if array.ndim == 1 else array


def _refuse_unlike(file: Path, first: Imported, other: Path, part: Imported) -> None:
    _, frames, particles, dims = first.arrays["positions"].shape
    _, own_frames, own_particles, own_dims = part.arrays["positions"].shape
    if own_particles != particles or own_dims != dims:
        raise InputError(
            f"{other}: {own_particles} particles in {own_dims} dimensions, {file} has {particles} in {dims}; "
            "expected the same (convert each into a data set of its own)"
        )
    if own_frames != frames:
        raise InputError(f"{other}: {own_frames} frames, {file} has {frames}; --cut F makes samples of F frames")
    for name in first.arrays.keys() ^ part.arrays.keys():
        holder, lacks = (file, other) if name in first.arrays else (other, file)
        raise InputError(f"{lacks}: no {name}, which {holder} has; expected the same in all files")
    if first.counted != part.counted or dict(first.units) != dict(part.units):
        raise InputError(f"{other}: other units or times than {file}; convert them apart")


def changed(path: Path, data: Imported, changes: Changes) -> Imported:
    """Imported data with what a user says of them."""
    arrays, counted, notes = dict(data.arrays), data.counted, list(data.notes)
    units = {**data.units, **(changes.units or {})}
    if changes.dims is not None:
        _keep_dims(path, arrays, changes.dims)
    n_samples, _, n_particles, n_dims = arrays["positions"].shape
    if changes.box is not None:
        if len(changes.box) not in (1, n_dims):
            raise InputError(f"{path}: --box has {len(changes.box)} lengths; expected 1 or {n_dims}")
        arrays["box"] = np.broadcast_to(changes.box, (n_samples, n_dims))
    for name, given in (("charges", changes.charges), ("masses", changes.masses)):
        if given is not None:
            arrays[name] = given_numbers(name, given, (n_samples, n_particles))
            notes = [note for note in notes if not note.startswith(name)]
            if name == "masses" and not (changes.units or {}).get("mass"):
                units.pop("mass", None)
    if changes.time_step is not None:
        arrays["times"] = arrays["times"] * changes.time_step
        counted = ""
    if counted and changes.units:
        notes.append(f"no times: {counted} are counted as {changes.units['time']}")
        counted = ""
    if changes.cut is not None:
        notes += _cut(path, arrays, changes.cut)
    if changes.unwrap:
        if "box" not in arrays:
            raise InputError(f"{path}: --unwrap needs the lengths of the periodic box: --box")
        arrays["positions"] = unwrapped(arrays["positions"], arrays["box"])
    recipe = {} if changes.any() else data.recipe
    return Imported(arrays, counted, units, recipe, tuple(notes))


def _keep_dims(path: Path, arrays: Arrays, count: int) -> None:
    if count > (n_dims := arrays["positions"].shape[-1]):
        raise InputError(f"{path}: --dims {count}, but positions have {n_dims} coordinates")
    for name in ("positions", "velocities", "box", "uniform_field"):
        if name in arrays:
            arrays[name] = arrays[name][..., :count]
    if "magnetic_field" in arrays:
        arrays["magnetic_field"] = arrays["magnetic_field"][..., :count, :count]


def _cut(path: Path, arrays: Arrays, height: int) -> list[str]:
    """Samples of `height` frames, in place; what is left over is said."""
    times = arrays["times"]
    count, rest = divmod(len(times), height)
    if not count:
        raise InputError(f"{path}: --cut {height}, but there are {len(times)} frames")
    if not same_spacing(times):
        raise InputError(f"{path}: --cut needs frames at equal distances in time")
    for name in arrays.keys() & set(SAMPLED):
        array = arrays[name]
        if name in ("positions", "velocities"):
            kept = array[:, : count * height]
            arrays[name] = kept.reshape(len(array) * count, height, *array.shape[2:])
        elif array.ndim > 1:
            arrays[name] = np.repeat(array, count, axis=0)
    arrays["times"] = times[:height]
    return [f"the last {rest} frames are left out"] if rest else []


def given_numbers(name: str, given: str, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Numbers of all particles, (samples, particles), from a number or a file.

    Raises
    ------
    InputError
        Where it is neither, or does not fit.
    """
    try:
        return np.full(shape, float(given))
    except ValueError:
        path = Path(given)
    if not path.is_file():
        raise InputError(f"--{name} {given}: neither a number nor a file")
    try:
        if path.suffix == ".npy":
            found = np.load(path, allow_pickle=False, mmap_mode="r")
        else:
            found = np.loadtxt(bounded_text(path, NUMBERS_LIMIT).replace(",", " ").splitlines(), ndmin=1)
    except InputError:
        raise
    except Exception as error:  # damaged headers, text that is no number
        raise InputError(f"{path}: not numbers ({' '.join(str(error).split()):.120})") from None
    if found.dtype.kind not in "fiu" or found.size not in (shape[1], shape[0] * shape[1]):
        raise InputError(f"{path}: {found.size} numbers of {found.dtype}; expected {shape[1]} {name}, or {shape}")
    wide = (1, shape[1]) if found.size == shape[1] else shape
    return np.array(np.broadcast_to(found.reshape(wide), shape), dtype=np.float64)
