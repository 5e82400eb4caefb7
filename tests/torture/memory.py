"""How much memory a process holds."""

import gc
import os
from pathlib import Path


def resident(pid: int | None = None) -> int:
    """Resident memory of a process [byte], garbage of this one collected first; 0 where not known (not Linux)."""
    if pid is None:
        gc.collect()
    path = Path(f"/proc/{pid or 'self'}/statm")
    return int(path.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if path.exists() else 0


def growth(measured: list[int]) -> float:
    """How much more the last third holds at most than the second third did, as a share; 0 for too few numbers."""
    third = len(measured) // 3
    if not third or not measured[0]:
        return 0.0
    return max(measured[-third:]) / max(measured[third : 2 * third]) - 1.0
