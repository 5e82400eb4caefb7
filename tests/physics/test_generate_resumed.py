"""A data set whose making was stopped, killed or torn, and resumed: the bytes of an undisturbed one."""

import shutil
import signal
import subprocess
import time

import pytest

from physics.datasets import request as requests
from physics.datasets.reading import read_split
from physics.datasets.request import request_from_options
from physics.errors import InputError
from physics.generate import generate
from tests.patience import PATIENCE
from tests.physics.commands import ROOT, SMALL_CHUNKS, chunks, contents, run

MANY = ["--preset", "charged-iso", "--dims", 2, "--particles", 3, "--split", "train=160", "valid=8"]
MANY += ["--seed", 3, "--workers", 1, "--set", "dt=8e-6"]  # slow enough to be stopped in the middle


def stopped(line, out, wanted, number):
    """Start a run, send `number` once `wanted` chunks of positions are there, and return the process."""
    process = subprocess.Popen(list(map(str, line)), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + PATIENCE
    while len(chunks(out)) < wanted:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert not (out / "manifest.json").exists()
    return process.returncode, stderr


def test_interrupted_killed_torn_and_resumed_ends_with_the_same_bytes(tmp_path, monkeypatch):
    out, whole = tmp_path / "data.zarr", tmp_path / "whole.zarr"
    line = [*SMALL_CHUNKS, *MANY, "--out", out]
    status, stderr = stopped(line, out, 3, signal.SIGINT)
    assert status == 130
    assert stderr.splitlines()[-1] == "interrupted"
    assert "Traceback" not in stderr
    with pytest.raises(InputError, match=r"incomplete.*--resume"):
        read_split(out, "train")
    kept = {path: path.stat().st_mtime_ns for path in chunks(out)[:2]}

    status, _ = stopped([*line, "--resume"], out, 8, signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert len(chunks(out)) < 20
    torn = chunks(out)
    torn[4].write_bytes(torn[4].read_bytes()[:100])
    torn[5].write_bytes(b"")
    (out / "train/positions/c/6.deadbeef.partial").write_bytes(b"half")
    (out / ".manifest-dead.part.json").write_bytes(b"{")

    done = run(*MANY, "--out", out, "--resume", program=SMALL_CHUNKS)
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in kept} == kept  # whole chunks are not made again

    monkeypatch.setattr(requests, "CHUNK_BYTES", 8 * 132 * 3 * 2 * 8)
    sizes = {"train": "160", "valid": "8"}
    generate(request_from_options("charged-iso", sizes, 2, 3, 3, {"dt": "8e-6"}), whole, workers=2)
    assert contents(out) == contents(whole)
    assert len(chunks(whole)) == 20
    assert not [path for path in out.rglob("*") if "part" in path.name]
    assert len(read_split(out, "train")) == 160


def test_resume_mends_what_a_crash_at_any_moment_may_leave(tmp_path, monkeypatch):
    monkeypatch.setattr(requests, "CHUNK_BYTES", 8 * 132 * 2 * 2 * 8)
    request = request_from_options("charged-iso", {"train": "20", "test": "3"}, 2, 2, None, {"dt": "0.05"})
    whole = tmp_path / "whole.zarr"
    generate(request, whole)
    expected = contents(whole)
    assert len(chunks(whole)) == 3
    for lost in (
        ["manifest.json"],
        ["manifest.json", "test"],
        ["manifest.json", "train/velocities/c/1"],
        ["manifest.json", "train/charges", "test/times/c"],
        ["manifest.json", "train/zarr.json"],
        ["manifest.json", "train/positions/zarr.json", "train/positions/c"],
        ["manifest.json", "train", "test", "zarr.json"],
    ):
        out = shutil.copytree(whole, tmp_path / "out.zarr")
        for name in lost:
            target = out / name
            shutil.rmtree(target) if target.is_dir() else target.unlink()
        generate(request, out, resume=True)
        assert contents(out) == expected, lost
        shutil.rmtree(out)
