"""Batches of samples of one size each: graphs and molecules without padding, and without a scatter."""

import numpy as np
from numpy.typing import NDArray


def steps_of(sizes: NDArray[np.int64], batch_size: int) -> int:
    """Batches of an epoch."""
    counts = np.unique_counts(sizes).counts
    return int(np.maximum(counts // batch_size, 1).sum())


def one_size_batches(
    sizes: NDArray[np.int64], batch_size: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """All samples once, in random order, in batches of samples of equal size.

    Parameters
    ----------
    sizes : (samples,) array
    batch_size : int
        Batches have this many samples or up to twice as many, fewer where there are not so many of a size.
    rng : numpy Generator

    Returns
    -------
    list of arrays of int
        `steps_of` batches of indices, the batches in random order, too.
    """
    found = []
    for size in np.unique(sizes):
        of_size = rng.permutation(np.flatnonzero(sizes == size))
        found += np.array_split(of_size, max(len(of_size) // batch_size, 1))
    return [found[k] for k in rng.permutation(len(found))]
