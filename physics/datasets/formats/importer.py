"""What all importers share: from what a file holds to checked samples, and what is said about it.

An importer only finds arrays (:class:`physics.datasets.formats.base.Imported`). Damage that its reader stumbles
over becomes one line here, whatever the reader raised.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.formats.base import (
    Arrays,
    Format,
    Hints,
    Imported,
    Load,
    Shape,
    refuse_oversized,
    wanted_samples,
)
from physics.datasets.split import SAMPLED, DataSplit, checked_split
from physics.errors import InputError

KEPT_BYTES = 64 << 20
"""Size of the largest file whose arrays are kept."""


def importer(
    title: str,
    load: Load,
    recognises: Callable[[Path], bool],
    endings: tuple[str, ...] = (),
    expects: str = "",
    needs: str = "",
    splits: Callable[[Path], tuple[str, ...]] = lambda path: (),
    names_particles: bool = False,
    wants_names: bool = False,
    kept: bool = False,
) -> Format:
    """A format of which only this is known: how to find the arrays of a split.

    With `kept`, those of the last file stay in memory, if it is small: it is asked for its shape, then for parts.
    """
    last: dict[tuple[Any, ...], Imported] = {}

    def found(path: Path, split: str, hints: Hints) -> Imported:
        return _refused_in_one_line(title, load, path, split, hints)

    def found_before(path: Path, split: str) -> Imported:
        state = path.stat()
        key = (path.absolute(), split, state.st_mtime_ns, state.st_size)
        imported = last.get(key) or found(path, split, Hints())
        last.clear()
        if kept and state.st_size <= KEPT_BYTES:
            last[key] = imported
        return imported

    def read(path: Path, split: str, samples: range | None) -> tuple[DataSplit, int]:
        imported = found_before(path, split)
        count = len(imported.arrays["positions"])
        wanted = range(count) if samples is None else wanted_samples(path, samples, count)
        return checked(path, some(path, imported, wanted)), count

    def shape(path: Path, split: str) -> Shape:
        samples, frames, particles, dims = found_before(path, split).arrays["positions"].shape
        return samples, frames, particles, dims

    def blocks(path: Path, split: str, samples: range, height: int) -> Iterator[DataSplit]:
        imported = found_before(path, split)
        for first in range(samples.start, samples.stop, height):
            yield checked(path, some(path, imported, range(first, min(first + height, samples.stop))))

    return Format(
        title,
        recognises,
        read,
        splits,
        shape,
        blocks,
        found,
        endings,
        expects,
        needs,
        names_particles,
        wants_names,
    )


def _refused_in_one_line(title: str, load: Load, path: Path, split: str, hints: Hints) -> Imported:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # readers' own; what a user must know is a note
            return load(path, split, hints)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except Exception as error:  # readers raise many kinds for damaged files; all are one refusal
        said = " ".join(str(error).split())
        raise InputError(f"{path}: damaged, or not {title} ({type(error).__name__}: {said:.160})") from None


def optional_package(path: Path, name: str) -> Any:
    """A reader that is installed on request.

    Raises
    ------
    InputError
        Where it is not: the line says how to install it.
    """
    try:
        return import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        raise InputError(f"{path}: reading it needs {package}: pip install 'isotwin[formats]'") from None


def starts_with(path: Path, magic: bytes, at: int = 0) -> bool:
    """Whether a file has these bytes at a place near its beginning."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(at + len(magic))[at:] == magic


def some(path: Path, imported: Imported, samples: range) -> Imported:
    """Some consecutive samples, in memory."""
    part = slice(samples.start, samples.stop)
    sampled = {name for name in imported.arrays if name in SAMPLED and not _for_all(name, imported.arrays[name])}
    refuse_oversized(path, sum(imported.arrays[name][part].nbytes for name in sampled))
    arrays = {name: np.array(a[part]) if name in sampled else np.array(a) for name, a in imported.arrays.items()}
    return replace(imported, arrays=arrays)


def _for_all(name: str, array: NDArray[Any]) -> bool:
    return name == "box" and array.ndim == 1


def checked(path: Path, imported: Imported) -> DataSplit:
    """What a file holds as a checked split, with everything that is worth a note."""
    notes = list(imported.notes)
    if imported.counted:
        notes.append(f"no times: {imported.counted} are counted")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its notes are said below, in one order with ours
        split = checked_split(path, imported.arrays, imported.recipe, labels(imported), imported.counted)
    notes += [*split.notes, *_flat_coordinates(split)]
    for note in notes:
        warnings.warn(f"{path}: {note}", stacklevel=2)
    return replace(split, notes=tuple(notes))


def labels(imported: Imported) -> dict[str, str]:
    """Labels of units; where frames or steps are counted, time is in these."""
    counted = {"time": imported.counted.removesuffix("s")} if imported.counted else {}
    return {**imported.units, **counted}


def _flat_coordinates(split: DataSplit) -> Iterator[str]:
    x = split.positions
    flat = [axis for axis in range(split.n_dims) if np.ptp(x[..., axis]) == 0]
    if 0 < len(flat) < split.n_dims:
        yield f"coordinate {flat[0]} never varies (python -m physics.convert --dims leaves coordinates out)"


def constant(path: Path, name: str, values: NDArray[Any]) -> NDArray[Any]:
    """A property of particles, (frames, particles), that must not change in time; (particles,)."""
    if (values != values[0]).any():
        frame, particle = (int(k) for k in np.argwhere(values != values[0])[0])
        raise InputError(
            f"{path}: {name} of particle {particle} changes from {values[0, particle]} to "
            f"{values[frame, particle]} in frame {frame}; expected the same in all frames"
        )
    return np.asarray(values[0])


def as_one_sample(arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """The arrays of one trajectory with an axis of samples."""
    return {name: array if name == "times" else array[None] for name, array in arrays.items()}
