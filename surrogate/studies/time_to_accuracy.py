"""`python -m surrogate.studies.time_to_accuracy`: time of a training until its error is below a target.

Every repeat is the command a user would type, in a process of its own: start-up, reading the data, training and
validations are all counted. It is stopped at the target, and what it has kept is measured on the test split.
"""

import csv
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from physics.cli import (
    CommandParser,
    command_line,
    key_values,
    positive_float,
    positive_int,
    refuse_existing,
    run_command,
)
from physics.datasets.reading import read_split
from physics.errors import InputError
from physics.files import atomic_write, write_json
from surrogate.evaluation.single_forecasts import evaluation
from surrogate.inference.loading import load
from surrogate.training.config import add_settings, load_config
from surrogate.training.machine import machine

LOOK_EVERY = 0.02
"""Seconds between looks at the metrics of the run."""
PATIENCE = 60.0
"""Seconds a stopped run gets to end."""
EXAMPLES = ("python -m surrogate.studies.time_to_accuracy --data data/nbody.zarr --out out/times",)

SETTINGS = ("train.epochs=12", "train.validate_every=1")


@dataclass(frozen=True)
class Repeat:
    """One training.

    Attributes
    ----------
    seed : int
    seconds : float or None
        From the start of the process to the validation that was below the target; None where none was.
    startup : float
        Of them, before the first step: imports, reading the data.
    epoch : int or None
    valid, test : float
        Errors of what the run had kept then (MSE).
    """

    seed: int
    seconds: float | None
    startup: float
    epoch: int | None
    valid: float
    test: float


def first_below(metrics: Path, target: float) -> dict[str, str] | None:
    """The first row of metrics.csv with a validation error below the target."""
    try:
        with metrics.open(newline="", encoding="utf-8") as file:
            return next((row for row in csv.DictReader(file) if float(row["valid"]) < target), None)
    except FileNotFoundError:
        return None


def timed_training(command: list[str], run: Path, target: float) -> tuple[float | None, float]:
    """Start the command and stop it at the target: seconds to there (None: never), and until its first step.

    Raises
    ------
    InputError
        Where the command fails by itself.
    """
    begin, startup, reached = time.monotonic(), 0.0, None
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and reached is None:
            time.sleep(LOOK_EVERY)
            if not startup and (run / "config.toml").exists():
                startup = time.monotonic() - begin
            if first_below(run / "metrics.csv", target) is not None:
                reached = time.monotonic() - begin
        if reached is None:
            assert process.stderr is not None
            error = process.stderr.read()
            if process.returncode:
                raise InputError(error.strip().splitlines()[-1] if error.strip() else "the training failed")
            return (time.monotonic() - begin if first_below(run / "metrics.csv", target) else None), startup
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
    return reached, startup


def report(repeats: Sequence[Repeat], target: float, command: str) -> str:
    """The table in Markdown, the median of all repeats last."""
    lines = [
        f"Wall time to a validation MSE below {target:g}: {machine()}, {time.strftime('%Y-%m-%d')}.",
        "",
        f"    {command}",
        "",
        "| seed | seconds | of them start-up | epoch | validation MSE | test MSE then |",
        "|---|---|---|---|---|---|",
    ]
    for f in repeats:
        seconds, epoch = ("never", "-") if f.seconds is None else (f"{f.seconds:.1f}", str(f.epoch))
        lines.append(f"| {f.seed} | {seconds} | {f.startup:.1f} | {epoch} | {f.valid:.4f} | {f.test:.4f} |")
    times = [np.inf if f.seconds is None else f.seconds for f in repeats]
    startup, test = (float(np.median([getattr(f, name) for f in repeats])) for name in ("startup", "test"))
    lines.append(f"| median | {np.median(times):.1f} | {startup:.1f} | | | {test:.4f} |")
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str]) -> None:
    """Parse the command line and measure."""
    parser = CommandParser(
        "surrogate.studies.time_to_accuracy", "Time a training until its error is below a target.", EXAMPLES
    )
    parser.add_argument("--config", default="integrator-nbody", help="a TOML file or a shipped name")
    parser.add_argument("--data", required=True, help="Zarr or .npz with train, valid and test")
    parser.add_argument("--target", type=positive_float, default=0.0041, help="validation MSE (default 0.0041)")
    parser.add_argument("--repeats", type=positive_int, default=5, metavar="K", help="seeds 0 to K-1 (default 5)")
    add_settings(parser, f"change the configuration (default: {' '.join(SETTINGS)})")
    parser.add_argument("--out", type=Path, required=True, help="folder for runs, times.json, times.md")
    parser.add_argument("--overwrite", action="store_true", help="replace earlier times in --out")
    options = parser.parse_args(argv)
    settings = options.set or SETTINGS
    load_config(options.config, key_values(settings))
    split = read_split(options.data, "test")
    refuse_existing(options.out, options.overwrite)
    repeats = []
    for chosen in range(options.repeats):
        run = options.out / f"seed-{chosen}"
        shutil.rmtree(run, ignore_errors=True)
        command = [sys.executable, "-m", "surrogate.train", "--config", options.config, "--data", options.data]
        command += ["--out", str(run), "--device", "cpu", "--set", *settings, f"train.seed={chosen}"]
        seconds, startup = timed_training(command, run, options.target)
        row = first_below(run / "metrics.csv", options.target)
        model = load(run)
        repeats.append(
            Repeat(
                chosen,
                seconds,
                startup,
                None if row is None else int(row["epoch"]),
                float(next(v for k, v in model.card.items() if k.startswith("valid_mse"))),
                evaluation(model, split, "test", rotations=1)["mse"],
            )
        )
        sys.stdout.write(f"seed {chosen}: {'never' if seconds is None else f'{seconds:.1f} s'}\n")
        sys.stdout.flush()
    line = command_line("surrogate.studies.time_to_accuracy", argv)
    text = report(repeats, options.target, line)
    found: dict[str, Any] = {"command": line, "target": options.target, "machine": machine()}
    write_json(options.out / "times.json", found | {"repeats": [vars(f) for f in repeats]})
    atomic_write(options.out / "times.md", text.encode())
    sys.stdout.write(f"\n{text}")


if __name__ == "__main__":
    sys.exit(run_command(main))
