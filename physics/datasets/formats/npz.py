"""NumPy archives: one split a file, read whole or streamed through its zip; never a pickle."""

import json
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.formats.base import (
    METADATA_LIMIT,
    Arrays,
    Format,
    Hints,
    Imported,
    Shape,
    in_our_order,
    refuse_oversized,
    some_samples,
)
from physics.datasets.split import ARRAYS, NO_POSITIONS, SAMPLED, DataSplit, checked_split
from physics.errors import InputError

TEXTS = ("recipe", "units")
"""JSON objects, each in a 0-d array of text."""
ORIGIN = "origin"
"""Where converted data come from: for people, not read here."""
PICKLED = (
    "holds pickled objects, which are never loaded (NumPy makes them of lists of unequal length, as of samples "
    "with different numbers of particles); expected plain arrays, one file for each number of particles"
)
NAMED = 8
"""Other arrays that are named."""
PACKED_LIMIT, PACKED_MOST = 64 << 20, 100
"""A larger .npz that is packed smaller than by so much is not unpacked: it would fill the memory with nothing."""


def _read(path: Path, split: str, samples: range | None) -> tuple[DataSplit, int]:
    arrays, notes = _arrays(path)
    for note in notes:
        warnings.warn(f"{path}: {note}", stacklevel=2)
    recipe, units = _texts(path, arrays)
    whole = checked_split(path, arrays, recipe, units)
    return some_samples(replace(whole, notes=(*whole.notes, *notes)), samples)


def _load(path: Path, split: str, hints: Hints) -> Imported:
    arrays, notes = _arrays(path)
    recipe, units = _texts(path, arrays)
    found = {name: values for name, values in arrays.items() if name not in TEXTS}
    for name in ("positions", "velocities"):
        if hints.axes and name in found:
            found[name] = in_our_order(path, found[name], hints.axes)
    return Imported(found, "", units, recipe, notes)


def _arrays(path: Path) -> tuple[Arrays, tuple[str, ...]]:
    """The arrays of known names, and what is said of others."""
    try:
        with zipfile.ZipFile(path) as archive:
            declared = sum(entry.file_size for entry in archive.infolist())
    except Exception as error:  # a damaged directory also raises UnicodeDecodeError, NotImplementedError ...
        raise InputError(f"{path}: not a readable .npz file ({error})") from None
    refuse_oversized(path, declared)
    if declared > PACKED_LIMIT and declared > PACKED_MOST * path.stat().st_size:
        raise InputError(
            f"{path}: {declared / 1e6:.0f} MB packed into {path.stat().st_size / 1e6:.1f} MB; "
            "trajectories do not pack so small"
        )
    arrays: Arrays = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            others = [name for name in archive.files if name not in (*ARRAYS, *TEXTS, ORIGIN)]
            for name in (*ARRAYS, *TEXTS):
                if name in archive.files:
                    arrays[name] = archive[name]
                    if not isinstance(arrays[name], np.ndarray):
                        raise InputError(f"{path}: {name} is not a NumPy array file")
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds for damaged files; all are one refusal
        if isinstance(error, ValueError) and "pickle" in str(error).lower():
            raise InputError(f"{path}: {PICKLED}") from None
        raise InputError(f"{path}: damaged .npz ({type(error).__name__}: {error})") from None
    named = ", ".join(others[:NAMED])
    if "positions" not in arrays:
        raise InputError(f"{path}: {NO_POSITIONS}; it has {named or 'nothing else'}")
    return arrays, (f"arrays left aside: {named} (known: {', '.join(ARRAYS)})",) if others else ()


def _texts(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Iterator[Mapping[str, Any]]:
    """The recipe and the units of an .npz."""
    for name in TEXTS:
        text = str(arrays[name]) if name in arrays else "{}"
        try:
            found = json.loads(text) if len(text) <= METADATA_LIMIT else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise InputError(f"{path}: {name} is not a JSON object of at most 1 MiB")
        yield found


def _shape(path: Path, split: str) -> Shape:
    with ExitStack() as stack:
        shape = _members(path, stack)[0]["positions"][1]
    if len(shape) != 4 or 0 in shape:
        raise InputError(f"{path}: positions must be (samples, frames, particles, dims); got shape {shape}")
    return (shape[0], shape[1], shape[2], shape[3])


def _blocks(path: Path, split: str, samples: range, height: int) -> Iterator[DataSplit]:
    try:
        with ExitStack() as stack:
            members, others = _members(path, stack)
            streams = {name: member for name, member in members.items() if name in SAMPLED}
            recipe, units = _texts(path, others)
            for member in streams.values():
                for first in range(0, samples.start, height):
                    _rows(member, min(height, samples.start - first))  # skipped
            for first in range(samples.start, samples.stop, height):
                rows = min(height, samples.stop - first)
                arrays = {name: _rows(member, rows) for name, member in streams.items()}
                if "times" in others:
                    arrays["times"] = others["times"]
                if (box := others.get("box")) is not None:
                    arrays["box"] = box[first : first + rows] if box.ndim == 2 else box
                yield checked_split(path, arrays, recipe, units)
    except InputError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise InputError(f"{path}: damaged .npz ({type(error).__name__}: {error})") from None


Member = tuple[IO[bytes], tuple[int, ...], np.dtype[Any]]


def _members(path: Path, stack: ExitStack) -> tuple[dict[str, Member], Mapping[str, NDArray[Any]]]:
    """Open streams behind the headers of the large arrays, and the small ones read whole."""
    if not path.is_file():
        raise InputError(f"{path}: no such data set")
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
        present = {Path(name).stem for name in archive.namelist()}
        with np.load(path, allow_pickle=False) as loaded:
            small: dict[str, NDArray[Any]] = {
                name: loaded[name] for name in ("times", "box", *TEXTS) if name in present
            }
        large = {name: _opened(archive, name, stack) for name in SAMPLED if name in present and name != "box"}
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds for damaged files; all are one refusal
        raise InputError(f"{path}: not a readable .npz file ({error})") from None
    if "positions" not in large:
        raise InputError(f"{path}: {NO_POSITIONS}")
    return large, small


def _opened(archive: zipfile.ZipFile, name: str, stack: ExitStack) -> Member:
    stream = stack.enter_context(archive.open(f"{name}.npy"))
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    where = f"{archive.filename}: {name}"
    if dtype.hasobject:
        raise InputError(f"{where}: {PICKLED}")
    if fortran and len(shape) > 1:
        raise InputError(f"{where} is stored column by column; a file that is streamed needs C order")
    return stream, shape, dtype


def _rows(member: Member, count: int) -> NDArray[Any]:
    stream, shape, dtype = member
    rows = np.empty((count, *shape[1:]), dtype)
    rest = rows.reshape(-1).view(np.uint8).data
    while len(rest):
        taken = stream.readinto(rest)  # type: ignore[attr-defined]
        if not taken:
            raise EOFError("fewer bytes than its header declares")
        rest = rest[taken:]
    return rows


NPZ = Format(
    "an .npz file",
    lambda path: path.suffix.lower() == ".npz",
    _read,
    shape=_shape,
    blocks=_blocks,
    load=_load,
    endings=(".npz",),
)
