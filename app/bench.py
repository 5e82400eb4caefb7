"""`python -m app.bench`: how fast the window opens, turns the world, and how long it ever stops listening."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from app.viewmodel.files.preferences import VARIABLE
from physics.bench_table import BenchTable
from physics.cli import CommandParser, run_command
from physics.errors import InputError
from physics.machine import processor

STARTS = 5
ROTATIONS = 6
CASES = ((3, (0, 1)), (5, (0, 4)))
"""Dimension and plane; the second plane has an axis that the panes show only aslant."""

OWN_DATA, OPENINGS = (2_000, 10_000), 3
OWN_PARTS = {
    "picture": "opened to the first frame",
    "playing": "opened to playing",
    "block": "longest block until then",
    "busy": "most work at a stretch of the window's thread",
    "forecast": "opened to the first forecast",
}


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


def own_data(folder: Path, n_particles: int, n_frames: int = 60) -> Path:
    """A file of particles that swing about, as an .npz file of somebody else: no law, no splits."""
    rng = np.random.default_rng(n_particles)
    size = (n_particles / 5.0) ** (1.0 / 3.0)
    start, swing = size * rng.standard_normal((2, n_particles, 3)) * [[[1.0]], [[0.1]]]
    rate, times = 0.5 + rng.random((n_particles, 1)), 0.1 * np.arange(n_frames)
    phase = rate * times[:, None, None]
    path = folder / f"particles-{n_particles}.npz"
    np.savez(
        path,
        positions=(start + swing * np.sin(phase))[None],
        velocities=(swing * rate * np.cos(phase))[None],
        charges=rng.choice([-1.0, 1.0], (1, n_particles)),
        times=times,
    )
    return path


def measure_own_data(say: Callable[[str, str, list[float]], None]) -> None:
    """How soon files of somebody's own data play."""
    from app.views.bench import measured_own_data

    for count in OWN_DATA:
        with tempfile.TemporaryDirectory() as folder:
            path = own_data(Path(folder), count)
            taken = [measured_own_data(path, forecast=count == OWN_DATA[0]) for _ in range(OPENINGS)]
        for part in taken[0]:
            words = OWN_PARTS[part]
            say(f"own data, N = {count:,}, 60 frames: {words}", f"own_{count}_{part}", [t[part] for t in taken])


def main(argv: Sequence[str]) -> None:
    """Parse the command line, measure, print and save."""
    parser = CommandParser("app.bench", "Measure the window: start, rotations, longest block (needs a display).")
    parser.add_argument("--own-data", action="store_true", help="only how soon files of one's own data play")
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

    if options.own_data:
        measure_own_data(say)
        table.write(options.out, "own_data")
        return
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
    measure_own_data(say)
    table.write(options.out, "app")


if __name__ == "__main__":
    sys.exit(run_command(main))
