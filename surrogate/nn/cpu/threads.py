"""Threads that work on the parts of a batch, kept for the next call: starting them takes longer than a part."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache


@cache
def _pool(n_threads: int, process: int) -> ThreadPoolExecutor:
    """The threads of a process; one that was forked off has none of its parent's."""
    return ThreadPoolExecutor(n_threads, f"isotwin {process}")


def for_each(work: Callable[[int], object], n_parts: int, n_threads: int) -> None:
    """`work` for the parts 0 to n_parts-1, by so many threads at most; whatever it raises comes out.

    The kernels in it have to let go of Python's lock (`nogil`), and must not call this again.
    """
    n_threads = min(n_threads, n_parts)
    if n_threads <= 1:
        for part in range(n_parts):
            work(part)
    else:
        list(_pool(n_threads, os.getpid()).map(work, range(n_parts)))
