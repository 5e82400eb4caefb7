"""Generation on a real Dask cluster on loopback, one worker killed in the middle; one writer; plans."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from physics.datasets.reading import read_split
from physics.files import only_writer
from tests.patience import PATIENCE
from tests.physics.commands import COMMAND, ROOT, SMALL_CHUNKS, chunks, contents, is_refusal, run

MANY = ["--preset", "charged-iso", "--dims", 2, "--particles", 3, "--split", "train=72", "valid=8"]
MANY += ["--seed", 3, "--set", "dt=8e-6"]  # slow enough to be stopped in the middle
DASK = [sys.executable, "-m", "dask"]
ENVIRONMENT = {**os.environ, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "error", "PYTHONPATH": str(ROOT)}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def address_in(file):
    """Where the scheduler listens, once it says so; it chooses a free port itself."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(FileNotFoundError, json.JSONDecodeError):  # not there, or being written
            return json.loads(file.read_text())["address"]
        time.sleep(0.02)
    raise AssertionError("the scheduler does not start")


@contextmanager
def cluster(folder, n_workers=2):
    """Address of a scheduler and the processes of its workers (no nanny: a killed worker stays dead)."""
    common = {"cwd": folder, "env": ENVIRONMENT, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    where = folder / "scheduler.json"
    local = ["--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(where)]
    scheduler = subprocess.Popen([*DASK, "scheduler", *local, "--no-dashboard"], **common)
    address = address_in(where)
    options = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder)]
    workers = [subprocess.Popen([*DASK, "worker", address, *options], **common) for _ in range(n_workers)]
    try:
        yield address, workers
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def test_a_cluster_that_loses_a_worker_makes_the_same_bytes(tmp_path):
    here, there = tmp_path / "here.zarr", tmp_path / "there.zarr"
    done = run(*MANY, "--out", here, program=SMALL_CHUNKS)
    assert done.returncode == 0, done.stderr
    with cluster(tmp_path) as (address, workers):
        process = subprocess.Popen(
            [*SMALL_CHUNKS, *map(str, MANY), "--scheduler", address, "--out", str(there)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + PATIENCE
        while len(chunks(there)) < 2:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        workers[0].send_signal(signal.SIGKILL)
        assert len(chunks(there)) < 9  # it was in the middle
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err
        assert str(there) in out
        assert workers[1].poll() is None
    assert contents(there) == contents(here)
    assert len(read_split(there, "train")) == 72
    assert not [path for path in there.rglob("*") if "part" in path.name]


IMPATIENT = [
    sys.executable,
    "-c",
    "import sys, physics.generate as g, physics.datasets.executors as c; from physics.cli import run_command\n"
    "c.WAIT_FOR_WORKERS, c.CONNECT_SECONDS = 0.5, 2\n"
    "sys.exit(run_command(g.main))",
]


def test_no_scheduler_no_worker_and_the_wrong_options_are_one_line(tmp_path):
    out = tmp_path / "x.zarr"
    request = ["--preset", "charged-iso", "--split", "train=2", "--out", out]
    done = run(*request, "--scheduler", f"tcp://127.0.0.1:{free_port()}", program=IMPATIENT)
    assert is_refusal(done.returncode, done.stdout, done.stderr), done
    assert "no Dask scheduler answers there" in done.stderr
    done = run(*request, "--scheduler", "tcp://127.0.0.1:1", "--workers", 2)
    assert is_refusal(done.returncode, done.stdout, done.stderr), done
    assert "--workers" in done.stderr
    with cluster(tmp_path, n_workers=0) as (address, _):
        done = run(*request, "--scheduler", address, program=IMPATIENT)
    assert is_refusal(done.returncode, done.stdout, done.stderr), done
    assert "no worker within" in done.stderr
    assert not out.exists()


def test_a_second_writer_is_refused(tmp_path):
    out = tmp_path / "data.zarr"
    request = ["--preset", "charged-iso", "--particles", 2, "--split", "train=2", "--set", "dt=0.05", "--out", out]
    out.mkdir()
    with only_writer(out):
        done = run(*request)
        assert is_refusal(done.returncode, done.stdout, done.stderr), done
        assert "another process is writing it" in done.stderr
        assert not list(out.iterdir())
    done = run(*request)  # the lock went with its holder
    assert done.returncode == 0, done.stderr
    assert len(read_split(out, "train")) == 2


@pytest.mark.parametrize("preset", ["charged-iso", "nbody-reference"])
def test_a_plan_says_bytes_files_and_time_and_writes_nothing(tmp_path, preset):
    done = subprocess.run(
        [*COMMAND, "--preset", preset, "--split", "train=1000", "--plan"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    frames, files = (132, 6) if preset == "charged-iso" else (49, 3)
    assert f"{2 * frames * 5 * 3 * 8:,} bytes each" in done.stdout
    assert f"{1000 * (2 * frames * 3 + 1) * 5 * 8 / 1e9:,.2f} GB in {files} chunk files" in done.stdout
    assert re.search(r"time +\d", done.stdout)
    assert not list(Path(tmp_path).iterdir())
