"""R1, R2, R6 and R7 for data sets: any number of workers, kills, failing operations, no room."""

import builtins
import errno
import io
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest

from physics import generate as command
from physics.cli import run_command
from physics.datasets import request as requests
from physics.datasets.reading import read_split
from physics.datasets.request import request_from_options
from physics.errors import InputError
from physics.generate import generate
from tests.physics.commands import ROOT, contents, is_refusal

TINY = [
    "--preset",
    "charged-iso",
    "--dims",
    "2",
    "--particles",
    "2",
    "--split",
    "train=20",
    "test=3",
    "--set",
    "dt=0.05",
]
CHUNK = 8 * 132 * 2 * 2 * 8


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The same data set, undisturbed, in chunks of eight samples."""
    out = tmp_path_factory.mktemp("whole") / "data.zarr"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests, "CHUNK_BYTES", CHUNK)
        generate(
            request_from_options("charged-iso", {"train": "20", "test": "3"}, 2, 2, None, {"dt": "0.05"}), out
        )
    return contents(out)


@pytest.mark.torture("R1")
def test_R1_one_digest_for_any_number_of_workers(tmp_path, monkeypatch, whole, row):
    monkeypatch.setattr(requests, "CHUNK_BYTES", CHUNK)
    request = request_from_options("charged-iso", {"train": "20", "test": "3"}, 2, 2, None, {"dt": "0.05"})
    digests = []
    for workers in (1, 2, 3, 4, 8)[: row.size]:
        out = tmp_path / f"{workers}.zarr"
        generate(request, out, workers=workers)
        digests.append(contents(out))
    row.got(f"{len(set(map(str, digests)))} digest of {len(digests)} runs")
    assert all(digest == whole for digest in digests)


def program(chunk_bytes):
    return [
        sys.executable,
        "-c",
        "import sys, physics.generate as g, physics.datasets.request as r; from physics.cli import run_command\n"
        f"r.CHUNK_BYTES = {chunk_bytes}\n"
        "sys.exit(run_command(g.main))",
    ]


@pytest.mark.torture("R2")
def test_R2_killed_at_any_moment_and_resumed(tmp_path, row):
    line = ["--preset", "charged-iso", "--dims", "2", "--particles", "3", "--seed", "3", "--split", "train=200"]
    line = [*program(8 * 132 * 3 * 2 * 8), *line, "--set", "dt=2e-4"]
    out, undisturbed = tmp_path / "data.zarr", tmp_path / "whole.zarr"
    begin = time.monotonic()
    subprocess.run([*line, "--out", undisturbed], cwd=ROOT, check=True, capture_output=True)
    span = time.monotonic() - begin
    rng, killed, ended = random.Random(7), 0, 0
    while killed < row.size:
        process = subprocess.Popen(
            [*line, "--out", out, "--resume"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            # most of the run is start-up: half of the kills wait until the folder is there
            if rng.random() < 0.5:
                while process.poll() is None and not (out / "train").is_dir():
                    time.sleep(0.005)
                process.wait(timeout=rng.random() * 0.3 * span)
            else:
                process.wait(timeout=rng.random() * span)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += 1
        _, stderr = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), stderr
        if process.returncode == 0:
            assert contents(out) == contents(undisturbed)
            shutil.rmtree(out)
            ended += 1
    done = subprocess.run([*line, "--out", out, "--resume"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    left = [path for path in out.rglob("*") if "part" in path.name]
    row.got(
        f"{killed} kills, {ended + 1} data sets completed, all of the same bytes; {len(left)} temporary files left"
    )
    assert contents(out) == contents(undisturbed)
    assert not left


class Faults:
    """Makes the N-th operation that writes fail, once or from then on."""

    def __init__(self, monkeypatch, under):
        self.under, self.count, self.first, self.lasting, self.number = str(under), 0, None, False, 0
        opened, replaced, synced, renamed = io.open, os.replace, os.fsync, os.rename

        def open_(file, mode="r", *arguments, **options):
            if isinstance(file, str | os.PathLike) and set(mode) & set("wax+"):
                self.step(file)
            return opened(file, mode, *arguments, **options)

        monkeypatch.setattr(io, "open", open_)
        monkeypatch.setattr(builtins, "open", open_)
        monkeypatch.setattr(os, "replace", lambda a, b, **o: (self.step(b), replaced(a, b, **o))[1])
        monkeypatch.setattr(os, "rename", lambda a, b, **o: (self.step(b), renamed(a, b, **o))[1])
        monkeypatch.setattr(os, "fsync", lambda descriptor: (self.step(self.under), synced(descriptor))[1])

    def step(self, file):
        if not os.fspath(file).startswith(self.under):
            return
        self.count += 1
        if self.first is not None and (self.count == self.first or (self.lasting and self.count > self.first)):
            raise OSError(self.number, os.strerror(self.number), os.fspath(file))

    def set(self, first, number=errno.EIO, lasting=False):
        self.count, self.first, self.number, self.lasting = 0, first, number, lasting


@pytest.mark.torture("R6")
def test_R6_the_nth_operation_of_a_data_set_fails(tmp_path, monkeypatch, capsys, whole, row):
    monkeypatch.setattr(requests, "CHUNK_BYTES", CHUNK)
    monkeypatch.setattr("warnings.showwarning", None)
    faults = Faults(monkeypatch, tmp_path)
    out = tmp_path / "data.zarr"
    line = [*TINY, "--out", str(out), "--workers", "1"]
    assert run_command(command.main, line) == 0
    operations = faults.count
    assert operations > 20
    assert contents(out) == whole
    shutil.rmtree(out)
    kinds = [(number, lasting) for number in (errno.ENOSPC, errno.EIO, errno.EACCES) for lasting in (False, True)]
    cases = [(*kind, first) for first in range(1, operations + 1) for kind in kinds]
    cases = cases[:: -(-len(cases) // row.size)]
    capsys.readouterr()
    for number, lasting, first in cases:
        faults.set(first, number, lasting)
        status = run_command(command.main, line)
        faults.set(None)
        written = capsys.readouterr()
        case = (number, lasting, first, written)
        assert is_refusal(status, written.out, written.err), case
        if out.exists():
            if not (out / "manifest.json").is_file():
                with pytest.raises(InputError):
                    read_split(out, "train")
            else:
                read_split(out, "train")
        assert run_command(command.main, [*line, "--resume"]) == 0, case
        assert contents(out) == whole, case
        capsys.readouterr()
        shutil.rmtree(out)
    row.got(f"data set: {len(cases)} faults in {operations} operations, each refused in one line, then resumed")


@pytest.mark.torture("R7")
def test_R7_no_room_for_the_files_of_a_data_set(tmp_path, row):
    request = ["--preset", "charged-iso", "--split", "train=40", "--set", "dt=0.05"]
    line = [*program(8 * 132 * 5 * 3 * 8), *request]
    undisturbed = tmp_path / "whole.zarr"
    subprocess.run([*line, "--out", undisturbed], cwd=ROOT, check=True, capture_output=True)
    expected = contents(undisturbed)
    largest = max(path.stat().st_size for path in undisturbed.rglob("*") if path.is_file())
    for index in range(row.size):
        limit = largest * index // row.size + 50
        out = tmp_path / f"{index}.zarr"
        done = subprocess.run(
            [*line, "--out", out],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )
        assert is_refusal(done.returncode, done.stdout, done.stderr), (limit, done)
        assert not (out / "manifest.json").exists()
        done = subprocess.run(
            [*line, "--out", out, "--resume"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert contents(out) == expected
    row.got(f"data set: {row.size} sizes, each refused in one line, resumed to the same bytes")
