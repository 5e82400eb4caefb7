"""`python -m app.bench`: how fast the window opens, turns the world, and how long it ever stops listening."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from app.viewmodel.files.preferences import VARIABLE
from physics.bench_table import BenchTable
from physics.cli import CommandParser, run_command
from physics.errors import InputError
from physics.machine import processor

STARTS = 5
ROTATIONS = 6
CASES = ((3, (0, 1)), (5, (0, 4)))
"""Dimension and plane; the second plane has an axis that the panes show only aslant."""


def measured_starts(count: int) -> list[dict[str, float]]:
    """Start the application so many times in a process of its own, after once to fill the caches."""
    results = []
    for k in range(count + 1):
        began = time.monotonic()
        command = [sys.executable, "-m", "app.views.bench", repr(began)]
        with tempfile.TemporaryDirectory() as config:  # the window as at the first start
            environment = {**os.environ, VARIABLE: config}
            ended = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=120, check=False
            )
        if ended.returncode:
            raise InputError(f"the application did not start: {ended.stderr.strip().splitlines()[-1:]}")
        if k:
            results.append(json.loads(ended.stdout.splitlines()[-1]))
    return results


def table_row(name: str, values: list[float]) -> str:
    """A line of the table: median and worst, in seconds or milliseconds."""
    middle, worst = statistics.median(values), max(values)
    if worst >= 1.0:
        return f"| {name} | {middle:.2f} s | {worst:.2f} s |"
    digits = 1 if worst < 0.01 else 0
    return f"| {name} | {1000 * middle:.{digits}f} ms | {1000 * worst:.{digits}f} ms |"


def main(argv: Sequence[str]) -> None:
    """Parse the command line, measure, print and save."""
    parser = CommandParser("app.bench", "Measure the window: start, rotations, longest block (needs a display).")
    parser.add_argument("--out", type=Path, default=Path("out/bench"), help="folder for app.json and app.md")
    options = parser.parse_args(argv)
    os.environ.setdefault("QT_API", "pyside6")
    from app.views.display import refuse_without_display

    refuse_without_display()
    from app.views.bench import measured_playback, measured_rotations

    table = BenchTable(processor())
    table.say("\n| the window | median | worst |\n|---|---|---|")

    def say(name: str, key: str, values: list[float]) -> None:
        table.numbers[key] = values
        table.say(table_row(name, values))

    starts = measured_starts(STARTS)
    say("start to the painted window", "start_shown", [s["shown"] for s in starts])
    say("start to the first comparison in it", "start_picture", [s["picture"] for s in starts])
    say("painted window to a playing scene", "start_playing", [s["playing"] - s["shown"] for s in starts])
    say("longest block while it fills", "start_block", [s["block"] for s in starts])
    for n_dims, plane in CASES:
        for playing in (False, True):
            turns = measured_rotations(n_dims, plane, playing, ROTATIONS)
            name = f"{n_dims}-D, plane {plane[0]}-{plane[1]}, {'playing' if playing else 'paused'}"
            key = f"turn_{n_dims}d_{'playing' if playing else 'paused'}"
            say(f"10° turn to the new forecast, {name}", key, [t["seconds"] for t in turns])
            say(f"longest block, {name}", f"{key}_block", [t["block"] for t in turns])
    ticks = measured_playback()
    for part, words in (("tick", "tick to painter"), ("render", "rendered and painted")):
        say(f"playing N = 200, trails of 200 frames: {words}", f"play_{part}", [t[part] for t in ticks])
    table.write(options.out, "app")


if __name__ == "__main__":
    sys.exit(run_command(main))
