"""What a file format of data sets is, and the limits that every file is held to before it is parsed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.machine import available_memory

METADATA_LIMIT = 1 << 20
CHUNK_LIMIT = 256 << 20
"""Bytes."""

Read = Callable[[Path, str, range | None], tuple[DataSplit, int]]
Shape = tuple[int, int, int, int]


@dataclass(frozen=True)
class Format:
    """A file format: how it is recognised, and how it is read.

    Attributes
    ----------
    title : str
        For people, with its article.
    recognises : callable
        (path) -> whether an existing file or folder is of this format; the contents may still be refused.
    read : callable
        (path, split, samples) -> the split, or some of its consecutive samples, and how many samples it has.
        `samples` is None for all, else a range of step 1 that is cut where the split ends. Arrays go through
        :func:`physics.datasets.split.checked_split`; nothing is unpickled.
    splits : callable
        (path) -> names of the splits; none where a file is one.
    shape : callable, optional
        (path, split) -> (samples, frames, particles, dims), from the metadata alone.
    blocks : callable, optional
        (path, split, samples, height) -> these samples in order, `height` at a time, never all in memory.

    Notes
    -----
    Every refusal is an InputError of one line: what, where, what was expected.
    """

    title: str
    recognises: Callable[[Path], bool]
    read: Read
    splits: Callable[[Path], tuple[str, ...]] = lambda path: ()
    shape: Callable[[Path, str], Shape] | None = None
    blocks: Callable[[Path, str, range, int], Iterator[DataSplit]] | None = None

    def shape_of(self, path: Path, split: str) -> Shape:
        """(samples, frames, particles, dims) of a split."""
        if self.shape is not None:
            return self.shape(path, split)
        first, count = self.read(path, split, range(1))
        _, frames, particles, dims = first.positions.shape
        return count, frames, particles, dims

    def blocks_of(self, path: Path, split: str, samples: range, height: int) -> Iterator[DataSplit]:
        """The samples in order, `height` at a time."""
        if self.blocks is not None:
            yield from self.blocks(path, split, samples, height)
            return
        for first in range(samples.start, samples.stop, height):
            yield self.read(path, split, range(first, min(first + height, samples.stop)))[0]


def some_samples(whole: DataSplit, samples: range | None) -> tuple[DataSplit, int]:
    """What :attr:`Format.read` returns, of a split that has been read whole."""
    if samples is None:
        return whole, len(whole)
    wanted = wanted_samples(whole.source, samples, len(whole))
    return whole.part(slice(wanted.start, wanted.stop)), len(whole)


def wanted_samples(source: object, samples: range, count: int) -> range:
    """`samples`, cut to the `count` there are; refused where none is left."""
    if not 0 <= samples.start < min(count, samples.stop):
        raise InputError(f"{source}: no sample {samples.start}; it has {count} (0 to {count - 1})")
    return range(samples.start, min(samples.stop, count))


def refuse_oversized(path: Path, n_bytes: int) -> None:
    """Refuse what does not fit into half of the memory that is free."""
    limit = available_memory() // 2
    if n_bytes > limit:
        raise InputError(
            f"{path}: declares {n_bytes / 1e9:.1f} GB; at most {limit / 1e9:.1f} GB fit in memory here"
        )
