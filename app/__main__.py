"""`python -m app [FILE ...]`: the desktop application. Holds no classes: child processes import this module."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from physics.cli import CommandParser, run_command
from physics.errors import InputError

EXAMPLES = (
    "python -m app",
    "python -m app runs/mine",
    "python -m app data/bound4.zarr",
    "python -m app my-scenario.toml",
    "python -m app session.json",
)


def main(argv: Sequence[str]) -> None:
    """Parse the command line and show the window."""
    parser = CommandParser("app", "Ground truth and forecast side by side, under rotations.", EXAMPLES)
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="a checkpoint, a run, a data set, a scenario or a session"
    )
    options = parser.parse_args(argv)
    for name in options.files:
        if not Path(name).exists():
            raise InputError(f"{name}: no such file")
    os.environ.setdefault("QT_API", "pyside6")
    from app.views.start import run

    status = run(options.files)
    if status:
        raise SystemExit(status)


if __name__ == "__main__":
    sys.exit(run_command(main))
