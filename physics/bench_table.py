"""What every timing program of `make bench` writes: lines for people, numbers for programs, and their sum."""

import json
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from physics import __version__
from physics.files import atomic_write, write_json

TOGETHER = "bench.json"
"""The numbers of all programs in one flat file: name -> number."""


class BenchTable:
    """Lines and numbers, collected as they are measured.

    Parameters
    ----------
    where : str
        The machine, and what else the numbers depend on.

    Attributes
    ----------
    lines : list of str
    numbers : dict of str to float or to a list of them
        Lists are repetitions.
    """

    def __init__(self, where: str) -> None:
        self.lines: list[str] = []
        self.numbers: dict[str, float | Sequence[float]] = {}
        versions = f"Python {platform.python_version()}; isotwin {__version__}"
        self.say(f"{where}; {versions}; {time.strftime('%Y-%m-%d')}")

    def say(self, line: str) -> None:
        """Print a line at once, and keep it."""
        self.lines.append(line)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def write(self, out: Path, name: str) -> None:
        """Write `name`.json and `name`.md, and the numbers beside those of other programs into bench.json.

        There a list is two numbers: its median, and as `..._worst` its largest.
        """
        write_json(out / f"{name}.json", self.numbers)
        atomic_write(out / f"{name}.md", ("\n".join(self.lines) + "\n").encode())
        together = out / TOGETHER
        numbers = json.loads(together.read_text(encoding="utf-8")) if together.is_file() else {}
        for key, value in self.numbers.items():
            if isinstance(value, Sequence):
                numbers |= {key: statistics.median(value), f"{key}_worst": max(value)}
            else:
                numbers[key] = value
        write_json(together, numbers)
