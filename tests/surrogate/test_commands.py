"""train and evaluate as their users run them: processes, signals, exit statuses, bytes on disk.

Every start costs some three seconds of imports, so that only what needs a process is here; refusals are in
test_training.py and test_evaluate.py.
"""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from physics.datasets.request import request_from_options
from physics.generate import generate
from surrogate.training.checkpoint import read_checkpoint
from tests.patience import PATIENCE
from tests.surrogate.helpers import tree

CONFIG = """
note = "tiny"
[model]
name = "egnn"
hidden = 8
layers = 1
velocity_head = true
[train]
epochs = 48
batch_size = 8
validate_every = 2
velocity_epochs = 32
ema = 0.9
lr = 1e-3
threads = 1
"""
ARGUMENTS = ("surrogate.train", "--config", "tiny.toml", "--data", "iso.zarr", "--out", "run")


@contextmanager
def interruptible() -> Iterator[None]:
    """Children react to SIGINT even where the tests themselves run in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def start(folder: Path, *argv: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default"}
    with interruptible():
        return subprocess.Popen(
            [sys.executable, "-m", *argv],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def finished(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    with process:
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return process.returncode, out, err


def stopped(process: "subprocess.Popen[str]", metrics: Path, rows: int, stage: str, how: int) -> tuple[int, str]:
    """Send a signal once metrics.csv has so many rows of a stage; the exit status and stderr."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        if metrics.is_file() and metrics.read_text(encoding="utf-8").count(stage) >= rows:
            process.send_signal(how)
            break
        time.sleep(0.01)
    status, _, err = finished(process)
    return status, err


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    request = request_from_options(
        "charged-iso", {"train": "24", "valid": "6", "test": "6"}, 2, 3, 1, {"dt": "0.02"}
    )
    for name in ("whole", "stopped"):
        (folder / name).mkdir()
        generate(request, folder / name / "iso.zarr", workers=1)
        (folder / name / "tiny.toml").write_text(CONFIG, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def whole(base: Path) -> Path:
    """The folder of an uninterrupted run."""
    status, out, err = finished(start(base / "whole", *ARGUMENTS))
    assert status == 0, err
    assert "run: done; its best model is run/best" in out
    assert "Traceback" not in err
    return base / "whole"


def test_the_layout_of_a_run(whole: Path) -> None:
    files = {name for name in tree(whole / "run") if not (whole / "run" / name).is_dir()}
    assert files == {
        "config.toml",
        "metrics.csv",
        "run.json",
        "best/checkpoint.safetensors",
        "latest/checkpoint.safetensors",
        "previous/checkpoint.safetensors",
    }
    with (whole / "run" / "metrics.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["stage"] for row in rows] == 24 * ["positions"] + 16 * ["velocities"]
    assert float(rows[23]["valid"]) < float(rows[0]["valid"])
    facts = json.loads((whole / "run" / "run.json").read_text(encoding="utf-8"))
    assert facts["command"] == "python -m " + " ".join(ARGUMENTS)


def test_interrupted_and_killed_the_run_ends_with_the_same_bytes(base: Path, whole: Path) -> None:
    folder = base / "stopped"
    metrics = folder / "run" / "metrics.csv"
    status, err = stopped(start(folder, *ARGUMENTS), metrics, 4, "positions", signal.SIGINT)
    assert status == 130, err
    assert "Traceback" not in err
    said = [line for line in err.splitlines() if not line.startswith("positions epoch")]
    assert len(said) == 1
    assert re.fullmatch(
        r"interrupted: run keeps its state \(positions, epoch \d+ of 48, [123] of 3 batches\); go on with: "
        rf"python -m {' '.join(ARGUMENTS)} --resume",
        said[0],
    )
    assert "velocities" not in metrics.read_text(encoding="utf-8")

    status, err = stopped(start(folder, *ARGUMENTS, "--resume"), metrics, 4, "velocities", signal.SIGKILL)
    assert status == -signal.SIGKILL, err
    rows = metrics.read_text(encoding="utf-8").splitlines()
    assert 4 <= len([row for row in rows if row.startswith("velocities")]) < 16

    status, _, err = finished(start(folder, *ARGUMENTS, "--resume"))
    assert status == 0, err
    expected, found = tree(whole / "run"), tree(folder / "run")
    assert found.keys() == expected.keys()
    assert [name for name in expected if name != "run.json" and found[name] != expected[name]] == []


def test_evaluate_reproduces_what_training_measured(whole: Path) -> None:
    status, out, err = finished(
        start(whole, "surrogate.evaluate", "run", "--data", "iso.zarr", "--split", "valid", "--json", "e/v.json")
    )
    assert status == 0, err
    assert "mse" in out
    text = (whole / "e" / "v.json").read_text(encoding="utf-8")
    assert "NaN" not in text
    found = json.loads(text)
    card = read_checkpoint(whole / "run" / "best").info["card"]
    assert found["mse"] == pytest.approx(card["valid_mse_positions"], rel=1e-4)
    assert found["velocity_mse"] == pytest.approx(card["valid_mse_velocities"], rel=1e-4)
    assert found["equivariance_error_max"] < 1e-4
    assert found["outside_training"] == []
    assert (found["samples"], found["model"], found["data"], found["evaluations"]) == (6, "run", "iso.zarr", 1)
    assert found["command"].startswith("python -m surrogate.evaluate run --data iso.zarr")


def test_bad_input_of_a_process(whole: Path) -> None:
    whole_file = (whole / "run" / "best" / "checkpoint.safetensors").read_bytes()
    (whole / "cut.safetensors").write_bytes(whole_file[:-16])  # behind its header
    before = tree(whole)
    status, out, err = finished(
        start(whole, "surrogate.evaluate", "cut.safetensors", "--data", "iso.zarr", "--json", "new/out.json")
    )
    assert status == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("error: cut.safetensors: damaged checkpoint")
    assert tree(whole) == before


def test_training_needs_no_window_and_no_figures() -> None:
    """Also on a machine that has none of these."""
    forbidden = "{'PySide6', 'vtk', 'vtkmodules', 'pyvista', 'matplotlib'}"
    code = f"import surrogate.train, surrogate.evaluate, sys; print(sorted({forbidden} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    assert found.stdout.strip() == "[]"
