"""Data sets of any size, a block of samples at a time: nothing here ever holds a whole split.

A Zarr is read by its chunks; an .npz, compressed or not, from start to end through its zip streams. Every block is
checked as a whole split would be (:mod:`physics.datasets.reading`).
"""

import math
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.reading import DataSplit, checked_split, json_file, parsed_recipe, read_samples
from physics.errors import InputError

BLOCK_BYTES = 16 << 20
"""Aimed size of the positions of a block."""
NAMES = ("positions", "velocities", "charges", "masses")


def declared_shape(path: Path | str, split: str) -> tuple[int, int, int, int]:
    """(samples, frames, particles, dims) of a split, from its metadata.

    Raises
    ------
    InputError
    """
    path = Path(path)
    shape: Any = None
    if path.is_dir():
        folder = path / split / "positions" if (path / split).is_dir() else path / "positions"
        shape = json_file(folder / "zarr.json").get("shape") if (folder / "zarr.json").is_file() else None
    elif path.suffix == ".npz":
        with ExitStack() as stack:
            shape = _members(path, stack)[0]["positions"][1]
    if not isinstance(shape, list | tuple) or len(shape) != 4 or not all(type(n) is int and n > 0 for n in shape):
        raise InputError(f"{path}: no array 'positions' (samples, frames, particles, dims)")
    return (shape[0], shape[1], shape[2], shape[3])


def split_blocks(
    path: Path | str, split: str, samples: range, block_bytes: int | None = None
) -> Iterator[DataSplit]:
    """The samples of a split in order, in blocks of about `block_bytes` of positions (BLOCK_BYTES by default).

    Parameters
    ----------
    samples : range
        Step 1, within the split.

    Raises
    ------
    InputError
        As `physics.datasets.reading.read_split`.
    """
    path = Path(path)
    count, *rest = declared_shape(path, split)
    if not 0 <= samples.start < samples.stop <= count:
        raise InputError(f"{path}: samples {samples.start} to {samples.stop} of {count}")
    height = max((block_bytes or BLOCK_BYTES) // (8 * math.prod(rest)), 1)
    blocks = _zarr_blocks(path, split, samples, height) if path.is_dir() else _npz_blocks(path, samples, height)
    yield next(blocks)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is filled in has been said for the first block
        yield from blocks


def _zarr_blocks(path: Path, split: str, samples: range, height: int) -> Iterator[DataSplit]:
    for first in range(samples.start, samples.stop, height):
        yield read_samples(path, split, range(first, min(first + height, samples.stop)))[0]


def _npz_blocks(path: Path, samples: range, height: int) -> Iterator[DataSplit]:
    try:
        with ExitStack() as stack:
            members, others = _members(path, stack)
            streams = {name: member for name, member in members.items() if name in NAMES}
            recipe = parsed_recipe(path, str(others["recipe"])) if "recipe" in others else {}
            _skip(streams, samples.start, height)
            for first in range(samples.start, samples.stop, height):
                rows = min(height, samples.stop - first)
                arrays = {name: _rows(member, rows) for name, member in streams.items()}
                if "times" in others:
                    arrays["times"] = others["times"]
                yield checked_split(path, arrays, recipe)
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
                name: loaded[name] for name in ("times", "recipe") if name in present
            }
        large = {name: _opened(archive, name, stack) for name in NAMES if name in present}
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds for damaged files; all are one refusal
        raise InputError(f"{path}: not a readable .npz file ({error})") from None
    if "positions" not in large:
        raise InputError(f"{path}: no array 'positions' (samples, frames, particles, dims)")
    return large, small


def _opened(archive: zipfile.ZipFile, name: str, stack: ExitStack) -> Member:
    stream = stack.enter_context(archive.open(f"{name}.npy"))
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    where = f"{archive.filename}: {name}"
    if dtype.hasobject:
        raise InputError(f"{where} holds pickled objects, which are never loaded; expected plain arrays")
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


def _skip(members: Mapping[str, Member], count: int, height: int) -> None:
    for member in members.values():
        for first in range(0, count, height):
            _rows(member, min(height, count - first))
