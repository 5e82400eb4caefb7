"""Rows that need a process of their own: its script, run, and what it printed."""

import json
import subprocess
import sys
from typing import Any


def ran(module: str, *arguments: object) -> dict[str, Any]:
    """The last line that a script of this folder printed, which is JSON."""
    command = [sys.executable, "-m", f"tests.torture.{module}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
