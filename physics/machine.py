"""Which machine this is, and what this process may use of it: cores and memory."""

import os
import platform
from pathlib import Path

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")

LARGE_GUESS = 8 << 30
"""Bytes of memory that are assumed where the system does not tell."""


def processor() -> str:
    """The name of the processor."""
    for line in _lines(PROC / "cpuinfo"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def available_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available_memory(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Bytes of memory that can be taken now, the page cache included, within the limits of this process's cgroups.

    Parameters
    ----------
    proc, cgroups : Path
        Where Linux tells of the machine, and of limits of both versions of cgroups.
    """
    found = [_system_memory(proc)]
    for line in _lines(proc / "self" / "cgroup"):
        _, _, controllers_and_path = line.partition(":")
        controllers, _, own = controllers_and_path.partition(":")
        if controllers == "":
            top, limit, used, reclaimable = cgroups, "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            top, limit, used = cgroups / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
            reclaimable = "total_inactive_file"
        else:
            continue
        folder = top / own.lstrip("/")
        while folder.is_relative_to(top):
            numbers = [_entry(folder / name) for name in (limit, used)]
            if None not in numbers:
                most, taken = (number or 0 for number in numbers)
                found.append(max(most - taken + (_entry(folder / "memory.stat", reclaimable) or 0), 0))
            folder = folder.parent
    return min(found)


def _system_memory(proc: Path) -> int:
    """MemAvailable; where there is none, the free pages; where neither is known, a large guess."""
    available = _entry(proc / "meminfo", "MemAvailable:")
    if available is not None:
        return 1024 * available
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return LARGE_GUESS


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []


def _entry(path: Path, name: str | None = None) -> int | None:
    """The number in a file, or behind `name` in one of its lines; None where there is none."""
    for line in _lines(path):
        words = line.split()
        if name is not None:
            words = words[1:] if words[:1] == [name] else []
        if words and words[0].isdecimal():
            return int(words[0])
    return None
