"""Which processes a process has started, from /proc."""

import os
from pathlib import Path

TRACKER = "resource_tracker"
"""Python's own, one for each process that uses multiprocessing; it ends with it."""


def descendants(pid: int | None = None) -> set[int]:
    """All processes below one, without those that have ended and Python's tracker."""
    parents: dict[int, list[int]] = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                state, parent = (place / "stat").read_text().rsplit(")", 1)[1].split()[:2]
                words = (place / "cmdline").read_text()
            except OSError:
                continue
            if state != "Z" and TRACKER not in words:
                parents.setdefault(int(parent), []).append(int(place.name))
    found: set[int] = set()
    ahead = [pid or os.getpid()]
    while ahead:
        for child in parents.get(ahead.pop(), []):
            found.add(child)
            ahead.append(child)
    return found


def with_variable(name: str, value: str) -> set[int]:
    """All processes that were started with an environment variable, whoever is their parent now."""
    wanted, found = f"{name}={value}".encode(), set()
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                if wanted in (place / "environ").read_bytes().split(b"\0"):
                    found.add(int(place.name))
            except OSError:
                continue
    return found
