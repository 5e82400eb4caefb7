"""Many systems of one size, side by side in the lanes of blocks, and blocks in the threads of a pool."""

import math
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

import numpy as np
from numpy.typing import NDArray

from physics.kernels.inverse_cube import GROUP
from physics.kernels.vectors import CACHE_LINE
from physics.machine import available_cores
from physics.sums.lanes import LANES

FloatArray = NDArray[np.float64]

BLOCK_NUMBERS = 1024
"""Coordinates of a block that fit into the nearest cache three times, spread over it by their stride."""


def pack_lanes(values: FloatArray, lanes: int = 0) -> FloatArray:
    """(systems, ...) to contiguous (..., lanes); always a copy, since kernels work in place.

    Where more lanes than systems are asked for, the others do what the last system does.
    """
    count = len(values)
    packed = aligned_zeros((*values.shape[1:], max(lanes, count)))
    packed[..., :count] = np.moveaxis(values, 0, -1)
    packed[..., count:] = packed[..., count - 1 : count]
    return packed


def aligned_zeros(shape: tuple[int, ...]) -> FloatArray:
    """Zeros that begin at a cache line: vectors that straddle two cost half the speed."""
    size = math.prod(shape)
    raw = np.zeros(size + CACHE_LINE // 8)
    first = -raw.ctypes.data % CACHE_LINE // 8
    return raw[first : first + size].reshape(shape)


def block_lanes(coordinates: int) -> int:
    """Systems of so many coordinates a block: one group of lanes for large ones, so that it stays in the cache."""
    return LANES if coordinates * LANES <= BLOCK_NUMBERS else GROUP


def run_blocks(
    run: Callable[[slice], int],
    n_systems: int,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    lanes: int = LANES,
) -> None:
    """Call `run` on every block of `lanes` systems from a pool of threads; the first error stops the rest."""
    blocks = [slice(s, min(s + lanes, n_systems)) for s in range(0, n_systems, lanes)]
    n_workers = workers or available_cores()
    if n_workers == 1 or len(blocks) == 1:
        for block in blocks:
            done = run(block)
            if progress:
                progress(done)
        return
    with ThreadPoolExecutor(n_workers) as pool:
        futures = [pool.submit(run, block) for block in blocks]
        try:
            for future in futures:
                done = future.result()
                if progress:
                    progress(done)
        except BaseException:
            for future in futures:
                future.cancel()
            wait(futures, return_when=FIRST_EXCEPTION)
            raise
