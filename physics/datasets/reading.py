"""Reading data sets of any format of the registry (:data:`physics.datasets.formats.FORMATS`), whole or in part."""

import math
import warnings
from collections.abc import Iterator
from pathlib import Path

from physics.datasets.formats import FORMATS
from physics.datasets.formats.base import Format
from physics.datasets.split import DataSplit
from physics.errors import InputError

BLOCK_BYTES = 16 << 20
"""Aimed size of the positions of a block."""


def format_of(path: Path) -> Format:
    """The format of an existing data set.

    Raises
    ------
    InputError
        Where there is nothing, no format recognises it, or its contents are not what its name says.
    """
    if not path.exists():
        raise InputError(f"{path}: no such data set")
    named = [row for row in FORMATS.values() if path.name.lower().endswith(row.endings) and path.is_file()]
    try:
        seen = [name for name, row in FORMATS.items() if row.recognises(path)]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    for name in seen:
        if not named or FORMATS[name] in named:
            return FORMATS[name]
    if named:
        other = seen[0] if seen else None
        hint = f"; it looks like {FORMATS[other].title}: physics.convert --format {other}" if other else ""
        expected = "".join(dict.fromkeys(f"; expected {row.expects}" for row in named if row.expects))
        raise InputError(f"{path}: not {' or '.join(row.title for row in named)}{hint or expected}")
    raise InputError(f"{path}: not a data set of a known format ({', '.join(FORMATS)})")


def read_split(path: Path | str, split: str) -> DataSplit:
    """One split of a data set; the whole of a file without splits.

    Raises
    ------
    InputError
        One line: what, where, what was expected.
    """
    return format_of(Path(path)).read(Path(path), split, None)[0]


def read_samples(path: Path | str, split: str, samples: range) -> tuple[DataSplit, int]:
    """Some consecutive samples of a split, and how many it has; of our Zarr only their chunks are verified.

    Parameters
    ----------
    samples : range
        Step 1; cut where the split ends.

    Raises
    ------
    InputError
        As `read_split`.
    """
    return format_of(Path(path)).read(Path(path), split, samples)


def available_splits(path: Path | str) -> tuple[str, ...]:
    """Names of the splits of a data set; none where a file is one split, or where there is no data set."""
    path = Path(path)
    return format_of(path).splits(path) if path.exists() else ()


def declared_shape(path: Path | str, split: str) -> tuple[int, int, int, int]:
    """(samples, frames, particles, dims) of a split, from its metadata where the format allows.

    Raises
    ------
    InputError
    """
    return format_of(Path(path)).shape_of(Path(path), split)


def split_blocks(
    path: Path | str, split: str, samples: range, block_bytes: int | None = None
) -> Iterator[DataSplit]:
    """The samples of a split in order, in blocks of about `block_bytes` of positions (BLOCK_BYTES by default).

    Nothing here ever holds a whole split of a format that can be read in parts. Every block is checked as a whole
    split would be.

    Parameters
    ----------
    samples : range
        Step 1, within the split.

    Raises
    ------
    InputError
        As `read_split`.
    """
    path = Path(path)
    row = format_of(path)
    count, *rest = row.shape_of(path, split)
    if not 0 <= samples.start < samples.stop <= count:
        raise InputError(f"{path}: samples {samples.start} to {samples.stop} of {count}")
    height = max((block_bytes or BLOCK_BYTES) // (8 * math.prod(rest)), 1)
    blocks = row.blocks_of(path, split, samples, height)
    yield next(blocks)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is filled in has been said for the first block
        yield from blocks
