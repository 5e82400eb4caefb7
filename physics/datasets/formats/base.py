"""What a file format of data sets is, and the limits that every file is held to before it is parsed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.machine import available_memory

METADATA_LIMIT = 1 << 20
CHUNK_LIMIT = 256 << 20
"""Bytes."""

AXES = ("samples", "frames", "particles", "dims")
"""Of positions and velocities, in our order."""

Arrays = dict[str, NDArray[Any]]
Shape = tuple[int, int, int, int]


@dataclass(frozen=True)
class Hints:
    """What a user says of a file that the file does not say.

    Attributes
    ----------
    axes : tuple of str, optional
        AXES in the order in which positions and velocities are stored.
    topology : Path, optional
        A file that names the particles of this one.
    progress : callable
        Told the bytes that have just been read, by readers that know.
    """

    axes: tuple[str, ...] | None = None
    topology: Path | None = None
    progress: Callable[[float], None] = lambda _: None


@dataclass(frozen=True, eq=False)
class Imported:
    """What a file holds, as it was found: nothing is checked or filled in yet.

    Attributes
    ----------
    arrays : dict
        Some of :data:`physics.datasets.split.ARRAYS`: positions (samples, frames, particles, dims) and times at
        least. They may still lie in the file (memory maps).
    counted : str
        What `times` count where they are not times: "frames" or "steps"; else empty.
    units, recipe, notes
        As in :class:`physics.datasets.split.DataSplit`.
    """

    arrays: Arrays
    counted: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


Read = Callable[[Path, str, range | None], tuple[DataSplit, int]]
Load = Callable[[Path, str, Hints], Imported]


@dataclass(frozen=True)
class Format:
    """A file format: how it is recognised, and how it is read.

    Attributes
    ----------
    title : str
        For people, with its article.
    recognises : callable
        (path) -> whether an existing file or folder looks like this format inside, found cheaply; the contents may
        still be refused.
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
    load : callable, optional
        (path, split, hints) -> what the file holds, unchecked; what `python -m physics.convert` starts from.
    endings : tuple of str
        Of file names, with their dot, in lower case: such a file is read as this format or refused.
    expects : str
        What a file must look like inside, for the refusal of one that does not.
    needs : str
        The package that reads it, where that is an optional one.
    names_particles, wants_names : bool
        Whether its files name particles; whether they do not, and a file that does can stand beside them.

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
    load: Load | None = None
    endings: tuple[str, ...] = ()
    expects: str = ""
    needs: str = ""
    names_particles: bool = False
    wants_names: bool = False

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


def in_our_order(path: Path, array: NDArray[Any], axes: tuple[str, ...]) -> NDArray[Any]:
    """An array whose axes are stored in another order, in that of AXES."""
    if array.ndim != len(AXES):
        raise InputError(f"{path}: expected four axes, {', '.join(axes)}; got shape {array.shape}")
    return array.transpose([axes.index(axis) for axis in AXES])


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


def refuse_impossible(path: Path, what: str, count: int, least: int) -> None:
    """Refuse a file that declares `count` things of at least `least` bytes each and is smaller than they are."""
    size = path.stat().st_size
    if count < 1 or count * least > size:
        raise InputError(f"{path}: declares {count} {what}, which its {size} bytes cannot hold")


def refuse_oversized(path: Path, n_bytes: int) -> None:
    """Refuse what does not fit into half of the memory that is free."""
    limit = available_memory() // 2
    if n_bytes > limit:
        raise InputError(
            f"{path}: declares {n_bytes / 1e9:.1f} GB; at most {limit / 1e9:.1f} GB fit in memory here"
        )
