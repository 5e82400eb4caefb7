"""What several files of tests run and look at: `python -m physics.generate`, its refusals, the files it makes."""

import hashlib
import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "physics.generate"]
# The same command with chunks of eight samples, so that a small run has many of them.
SMALL_CHUNKS = [
    sys.executable,
    "-c",
    "import sys, physics.generate as g, physics.datasets.request as r; from physics.cli import run_command\n"
    "r.CHUNK_BYTES = 8 * 132 * 3 * 2 * 8\n"
    "sys.exit(run_command(g.main))",
]


def run(*arguments, program=COMMAND):
    line = [*program, *map(str, arguments)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)


def contents(folder):
    """Relative name -> SHA-256 of every file."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def chunks(folder):
    return sorted((folder / "train/positions/c").glob("*/0/0/0"), key=lambda path: int(path.parts[-4]))


def is_refusal(returncode, stdout, stderr):
    """One line, status 2, nothing on stdout. A slow machine shows lines of progress before it."""
    lines = [line for line in stderr.splitlines(keepends=True) if not line.endswith(" s left\n")]
    return (
        returncode == 2
        and stdout == ""
        and len(lines) == 1
        and lines[0].startswith("error: ")
        and lines[0].endswith("\n")
    )
