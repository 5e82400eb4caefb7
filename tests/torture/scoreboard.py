"""The table of the rows: kept as JSON, one entry a row, and shown as Markdown."""

import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.torture.rows import ROWS

HEAD = """# Torture: faults, bad input, long use

Written by `make torture` (one row alone: `make torture ROW=R22`). The rows stand in `tests/torture/rows.py`;
`make test` runs the same tests at a small size.

"""


def machine() -> str:
    """What it ran on."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = (
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line
        )
        name = next(models, name)
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}"
    return f"{name}, {os.cpu_count()} cores, {platform.system()}, {versions}"


def merged(path: Path, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What stands in the file with the rows of this run in their place; written back."""
    known = json.loads(path.read_text()) if path.exists() else {}
    stamp = {"date": time.strftime("%Y-%m-%d"), "machine": machine()}
    known |= {name: {**row, **stamp} for name, row in rows.items()}
    known = {name: known[name] for name in ROWS if name in known}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known, indent=1) + "\n")
    return known


def markdown(known: Mapping[str, Mapping[str, Any]]) -> str:
    """The page: a table, and where and when its rows were run."""
    lines = ["| row | test | target | got | passed | seconds | date |", "|---|---|---|---|---|---|---|"]
    for name, row in known.items():
        passed = "yes" if row["passed"] else "**no**"
        what = ROWS[name].what.format(size=f"{row['size']:,}")
        cells = (name, what, ROWS[name].target, row["got"], passed, f"{row['seconds']:.0f}", row["date"])
        lines.append(f"| {' | '.join(cells)} |")
    where = sorted({row["machine"] for row in known.values()})
    return HEAD + "\n".join([*lines, "", *(f"Machine: {name}." for name in where)]) + "\n"


def main() -> None:
    """Show a JSON file as Markdown."""
    print(markdown(json.loads(Path(sys.argv[1]).read_text())), end="")


if __name__ == "__main__":
    main()
