"""The machine a command runs on: its name for cards and tables, and the device of --device."""

import ctypes
import os
import sys
from pathlib import Path

import torch

from physics.errors import InputError
from physics.machine import processor

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""What mallopt(3) calls them."""
LARGEST_KEPT = 32 << 20
"""Bytes of an array; glibc takes no more."""
MOST_KEPT = 512 << 20
"""Bytes at the end of the heap that are free."""


def machine() -> str:
    """The processor and its cores, for cards and tables."""
    count = torch.get_num_threads()
    return f"{processor()}, {count} thread{'' if count == 1 else 's'}"


def chosen_device(name: str) -> str:
    """The device of --device; "auto" prefers CUDA."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: no CUDA device here; use --device cpu")
    if name == "mps" and not torch.backends.mps.is_available():
        raise InputError("--device mps: no Apple GPU here; use --device cpu")
    return name


def keep_freed_memory() -> None:
    """Have freed memory stay with this process (glibc), for commands that train.

    Every step takes and frees the same arrays. glibc hands those above 128 kB back to the system, which gives them
    out again page by page: 500 page faults in one forward pass of a batch, a fifth of its time.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # musl has none
        mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)
        mallopt(M_TRIM_THRESHOLD, MOST_KEPT)


def memory_in_use() -> int:
    """Bytes of memory this process holds now (at most held so far, where the system does not tell)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
