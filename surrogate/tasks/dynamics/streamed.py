"""Data sets larger than memory: read once block by block, their windows kept in a temporary file that is mapped.

What a run needs of a data set (its windows, in the run's units and dtype) is written to a file without a name,
which goes with the process. Batches pick their rows from it in any order, so a streamed run sees the same batches
as one in memory; the system keeps as much of the file in its cache as it can spare.
"""

import math
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physics.datasets.reading import available_splits, declared_shape, split_blocks
from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.machine import available_memory


@dataclass(frozen=True)
class StreamedSplit:
    """Some consecutive samples of a split that is not in memory.

    Attributes
    ----------
    path : str
    name : str
    samples : range
    outline : DataSplit
        Its first sample: times, recipe, shapes.
    folder : Path or None
        Where temporary files are made.
    """

    path: str
    name: str
    samples: range
    outline: DataSplit
    folder: Path | None

    def __len__(self) -> int:
        return len(self.samples)

    def part(self, which: slice) -> "StreamedSplit":
        """Some of the samples."""
        return replace(self, samples=self.samples[which])


def streamed_split(path: str, name: str, folder: Path | None) -> StreamedSplit:
    """A whole split, opened but not read."""
    count = declared_shape(path, name)[0]
    return StreamedSplit(path, name, range(count), next(split_blocks(path, name, range(1))), folder)


def outline(split: DataSplit | StreamedSplit) -> DataSplit:
    """Times, recipe and shapes of a split."""
    return split.outline if isinstance(split, StreamedSplit) else split


def blocks(split: DataSplit | StreamedSplit) -> Iterable[DataSplit]:
    """The samples of a split in order: those in memory as one block."""
    return split_blocks(split.path, split.name, split.samples) if isinstance(split, StreamedSplit) else [split]


def is_streamed(path: str, stream: str) -> bool:
    """Whether a data set is streamed under this `data.stream`.

    "auto" streams what would take more than half of the free memory (float64 positions and velocities, twice).
    """
    if stream != "auto":
        return stream == "always"
    try:
        names = [name for name in available_splits(path) if name in ("train", "valid")] or ["train"]
        numbers = sum(math.prod(declared_shape(path, name)) for name in names)
    except InputError:
        return False  # whoever reads it says what is wrong with it
    return 2 * 2 * 8 * numbers > available_memory() // 2


def mapped(
    parts: Iterable[tuple[list[Tensor], NDArray[np.float64]]], count: int, folder: Path | None
) -> tuple[list[Tensor], NDArray[np.float64]]:
    """Blocks of tensors put behind each other in nameless files.

    Parameters
    ----------
    parts : iterable of (list of (block, ...) tensors, array)
        The array holds means over the block.
    count : int
        Rows in all.

    Returns
    -------
    tensors, means
        One (count, ...) tensor for each of the list, and the means over all.
    """
    whole: list[Tensor] = []
    first, total = 0, np.zeros(())
    for tensors, mean in parts:
        if not whole:
            whole = [_file_tensor((count, *t.shape[1:]), t.dtype, folder) for t in tensors]
        rows = len(tensors[0])
        for target, source in zip(whole, tensors, strict=True):
            target[first : first + rows] = source
        first, total = first + rows, total + mean * rows
    return whole, total / count


def _file_tensor(shape: tuple[int, ...], dtype: torch.dtype, folder: Path | None) -> Tensor:
    number = np.float64 if dtype == torch.float64 else np.float32
    with tempfile.TemporaryFile(dir=folder) as file:
        return torch.from_numpy(np.memmap(file, dtype=number, mode="w+", shape=shape))
