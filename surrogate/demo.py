"""`make demo`: simulate, forecast with the shipped model, rotate, export; needs no display."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from physics.cli import CommandParser, command_line, positive_int, refuse_existing, run_command
from physics.datasets.presets import PRESETS, published_states
from physics.scenarios import load_scenario
from physics.simulate import simulate_batch
from physics.stepping.schedule import schedule_through
from surrogate.comparison.subjects import WorldRotation, scenario_comparison
from surrogate.evaluation.metrics import sample_errors
from surrogate.export import export_all
from surrogate.export.metrics import summary_text
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.loading import load

WINDOWS = 500
ROTATION = "0-1:50,1-2:35"
EXAMPLES = (
    "python -m surrogate.demo",
    "python -m surrogate.demo --model integrator-nd --scenario bound --frames 50 --out out/bound",
)
FORMATS = ("mp4", "png", "csv", "npz", "html")


def main(argv: Sequence[str]) -> None:
    """Parse the command line and run the demonstration."""
    parser = CommandParser("surrogate.demo", "Simulate, forecast, rotate and export one comparison.", EXAMPLES)
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="folder to write (replaced)")
    parser.add_argument("--model", default="egnn-nbody")
    parser.add_argument("--scenario", default="published")
    parser.add_argument("--frames", type=positive_int, metavar="F", help="compare so many frames (default: all)")
    options = parser.parse_args(argv)
    made_by_us = (options.out / "metrics.json").exists()
    refuse_existing(options.out, made_by_us, "a folder of an earlier demonstration")
    say = sys.stdout.write
    begin = time.monotonic()
    model = load(options.model)
    say(f"1/3  simulating {WINDOWS} windows of the published test set and forecasting them with {model.name}\n")
    sys.stdout.flush()
    mse, median, ballistic = published_error(model, WINDOWS)
    say(
        f"     MSE {mse:.4f} (median {median:.1e}); x + v t: {ballistic:.4f}; published EGNN on all 2000: 0.0071\n"
        f"2/3  scenario {options.scenario!r}, world rotation {ROTATION}\n"
    )
    sys.stdout.flush()
    again = [options.model, "--scenario", options.scenario, "--rotate", ROTATION, "--out", str(options.out)]
    comparison = scenario_comparison(
        model,
        load_scenario(options.scenario),
        WorldRotation(ROTATION),
        n_frames=options.frames,
        command=command_line("surrogate.compare", again),
    )
    say(f"3/3  exporting {', '.join(FORMATS)}\n")
    sys.stdout.flush()
    if made_by_us:
        shutil.rmtree(options.out)
    export_all(comparison, options.out, FORMATS, None, None)
    say("\n" + summary_text(comparison, options.out))
    say(f"  took {time.monotonic() - begin:.0f} s\n")
    offer_app()


def published_error(model: Forecaster, count: int) -> tuple[float, float, float]:
    """MSE and median over the first `count` published test windows, simulated here, and the MSE of x + v t."""
    preset = PRESETS["nbody-reference"]
    x, v, q = (np.array(a) for a in zip(*published_states("nbody-reference", "test", count), strict=True))
    times = np.concatenate([[0.0], preset.times["test"][[30, 40]]])
    schedule = schedule_through(times, preset.dt)
    positions, velocities = simulate_batch(
        x, v, q, schedule=schedule, law=preset.law, integrator=preset.integrator
    )
    forecast = model.forecast(positions[:, 1], velocities[:, 1], q)
    errors = sample_errors(forecast.positions, positions[:, 2])
    ballistic = sample_errors(positions[:, 1] + velocities[:, 1], positions[:, 2])
    return float(errors.mean()), float(np.median(errors)), float(ballistic.mean())


def offer_app() -> None:
    """From an interactive terminal with a display, and never in CI, ask whether to open the application."""
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform in ("darwin", "win32")
    if not (display and sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("CI"):
        sys.stdout.write("\nThe same, live and in any dimension: make app\n")
        return
    sys.stdout.write("\nOpen the application now? [y/N] ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        subprocess.Popen(
            [sys.executable, "-m", "app"],
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


if __name__ == "__main__":
    sys.exit(run_command(main))
