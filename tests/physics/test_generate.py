"""`python -m physics.generate` as its users meet it: a subprocess, its exit status, its one line on stderr."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import zarr

from physics import __version__
from physics import generate as command
from physics.cli import claim_output, key_values, run_command
from physics.datasets import request as requests
from physics.datasets.presets import PRESETS, initial_states
from physics.datasets.reading import read_split
from physics.datasets.request import CHUNK_BYTES, check_feasible, request_from_options
from physics.errors import InputError
from physics.generate import generate
from tests.physics import oracle
from tests.physics.tolerances import tolerance

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
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def run_together(lines):
    """Several commands, two at a time: most of each is start-up."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda line: run(*line), lines))


def contents(folder):
    """Relative name -> SHA-256 of every file."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def chunks(folder):
    return sorted((folder / "train/positions/c").glob("*/0/0/0"), key=lambda path: int(path.parts[-4]))


def test_help_version_and_list():
    help_, version, listed = run_together([["--help"], ["--version"], ["--list"]])
    for done in (help_, version, listed):
        assert (done.returncode, done.stderr) == (0, "")
    assert "examples:\n  python -m physics.generate --preset" in help_.stdout
    for option in ("--preset", "--out", "--split", "--dims", "--particles", "--seed", "--set", "--resume"):
        assert option in help_.stdout
    assert version.stdout == f"isotwin {__version__}\n"
    for name in PRESETS:
        assert name in listed.stdout


BOUND = ["--preset", "charged-bound", "--dims", 4, "--particles", 3, "--split", "train=70", "valid=3"]
BOUND += ["--set", "dt=0.01", "--seed", 5]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Data sets made by one batch of commands."""
    folder = tmp_path_factory.mktemp("made")
    free = ["--preset", "charged-iso", "--dims", 2, "--particles", 3, "--split", "train=4"]
    lines = {
        "bound-1": [*BOUND, "--workers", 1],
        "bound-2": [*BOUND, "--workers", 2],
        "bound-3": [*BOUND, "--workers", 3],
        "bound-seed": [*BOUND[:-1], 6, "--workers", 2],
        "iso": [*free, "--set", "dt=0.01"],
        "iso-set": [*free, "--set", "dt=0.01", "eps=0.3", "--set", "p=gauss"],
        "published": ["--preset", "nbody-reference", "--split", "train=5", "valid=3", "test=3"],
    }
    done = run_together([[*line, "--out", folder / name] for name, line in lines.items()])
    for name, result in zip(lines, done, strict=True):
        assert result.returncode == 0, (name, result.stderr)
        assert "error" not in result.stderr  # a slow machine shows lines of progress
        assert str(folder / name) in result.stdout
    return folder


def test_same_bytes_for_any_number_of_workers_and_other_bytes_for_another_seed(made):
    first = contents(made / "bound-1")
    assert first == contents(made / "bound-2") == contents(made / "bound-3")
    assert "manifest.json" in first
    other = contents(made / "bound-seed")
    assert other.keys() == first.keys()
    for name in ("positions/c/0/0/0/0", "velocities/c/0/0/0/0"):
        assert other[f"train/{name}"] != first[f"train/{name}"]


def test_bound_set_is_what_its_preset_says(made):
    for name, count in (("train", 70), ("valid", 3)):
        split = read_split(made / "bound-2", name)
        assert split.positions.shape == (count, 232, 3, 4)
        np.testing.assert_allclose(split.times, 0.1 * np.arange(232))
        assert set(np.unique(split.charges)) <= {-1.0, 1.0}
        np.testing.assert_array_equal(split.charges[:, :-1], -split.charges[:, 1:])
        np.testing.assert_allclose(split.positions.mean(axis=2), 0, atol=1e-10)
        np.testing.assert_allclose(split.velocities.mean(axis=2), 0, atol=1e-10)
        assert split.recipe["parameters"]["kappa"] == 0.5
        assert (split.recipe["seed"], split.recipe["dt"]) == (5, 0.01)
    train, valid = (read_split(made / "bound-2", name).positions for name in ("train", "valid"))
    assert not np.array_equal(train[:3], valid)
    assert len(np.unique(train[:, 0, 0, 0])) == 70


def test_free_set_starts_as_its_preset_says_and_set_changes_the_law(made):
    plain, changed = (read_split(made / name, "train") for name in ("iso", "iso-set"))
    assert plain.positions.shape == (4, 132, 3, 2)
    np.testing.assert_allclose(np.linalg.norm(plain.velocities[:, 0], axis=-1), 0.5)
    assert set(np.unique(plain.charges)) <= {-1.0, 1.0}
    np.testing.assert_array_equal(plain.positions[:, 0], changed.positions[:, 0])
    assert np.abs(plain.positions[:, -1] - changed.positions[:, -1]).max() > 1e-2
    assert plain.recipe["parameters"] == {"eps": 0.1, "p": 2.0, "kappa": 0.0}
    assert changed.recipe["parameters"] == {"eps": 0.3, "p": "gauss", "kappa": 0.0}


def test_spread_of_the_start_follows_the_number_of_particles():
    x, *_ = initial_states("charged-iso", "train", range(300), n_particles=40, n_dims=3, seed=0)
    assert x.std() == pytest.approx(2.0, rel=0.02)  # (40/5)^(1/3)


def test_published_splits_are_the_published_stream(made, published):
    train = read_split(made / "published", "train")
    np.testing.assert_array_equal(train.charges, published["charges"][:5])
    apart = np.abs(train.positions - published["positions"][:5]).reshape(5, -1).max(axis=1)
    assert np.median(apart) < tolerance("published_median")
    states = oracle.published_start(12_003)
    for name, first in (("valid", 10_000), ("test", 12_000)):
        split = read_split(made / "published", name)
        x, v, q = (np.array(values) for values in zip(*states[first : first + 3], strict=True))
        np.testing.assert_array_equal(split.charges, q)
        positions, velocities = oracle.published_path(x, v, q, 5)
        np.testing.assert_allclose(split.positions[:, :5], positions, atol=1e-9)
        np.testing.assert_allclose(split.velocities[:, :5], velocities, atol=1e-8)
        assert len(split.times) == 49
        assert split.times[0] == pytest.approx(0.1)


BAD = {
    "nothing": [],
    "no out": ["--preset", "charged-iso"],
    "preset": ["--preset", "charged-is", "--out", "OUT"],
    "option": ["--preset", "charged-iso", "--out", "OUT", "--worker", "1"],
    "missing value": ["--preset", "charged-iso", "--out", "OUT", "--seed"],
    "dims": ["--preset", "charged-iso", "--out", "OUT", "--dims", "0"],
    "dims text": ["--preset", "charged-iso", "--out", "OUT", "--dims", "three"],
    "dims long": ["--preset", "charged-iso", "--out", "OUT", "--dims", "9" * 5000],
    "particles": ["--preset", "charged-iso", "--out", "OUT", "--particles", "-5"],
    "seed": ["--preset", "charged-iso", "--out", "OUT", "--seed", "-1"],
    "seed large": ["--preset", "charged-iso", "--out", "OUT", "--seed", str(2**32)],
    "workers": ["--preset", "charged-iso", "--out", "OUT", "--workers", "0"],
    "split name": ["--preset", "charged-iso", "--out", "OUT", "--split", "trian=3"],
    "split zero": ["--preset", "charged-iso", "--out", "OUT", "--split", "train=0"],
    "split power": ["--preset", "charged-iso", "--out", "OUT", "--split", "train=²"],
    "split long": ["--preset", "charged-iso", "--out", "OUT", "--split", "train=" + "1" * 5000],
    "split form": ["--preset", "charged-iso", "--out", "OUT", "--split", "train"],
    "split twice": ["--preset", "charged-iso", "--out", "OUT", "--split", "train=1", "--split", "train=2"],
    "set name": ["--preset", "charged-iso", "--out", "OUT", "--set", "esp=1"],
    "set value": ["--preset", "charged-iso", "--out", "OUT", "--set", "eps=soft"],
    "set negative": ["--preset", "charged-iso", "--out", "OUT", "--set", "eps=-1"],
    "set nan": ["--preset", "charged-iso", "--out", "OUT", "--set", "eps=nan"],
    "set gauss": ["--preset", "charged-iso", "--out", "OUT", "--set", "eps=gauss"],
    "dt zero": ["--preset", "charged-iso", "--out", "OUT", "--set", "dt=0"],
    "dt gauss": ["--preset", "charged-iso", "--out", "OUT", "--set", "dt=gauss"],
    "dt tiny": ["--preset", "charged-iso", "--out", "OUT", "--set", "dt=1e-12"],
    "published dims": ["--preset", "nbody-reference", "--out", "OUT", "--dims", "2"],
    "published seed": ["--preset", "nbody-reference", "--out", "OUT", "--seed", "1"],
    "published set": ["--preset", "nbody-reference", "--out", "OUT", "--set", "dt=0.01"],
    "published count": ["--preset", "nbody-reference", "--out", "OUT", "--split", "test=2001"],
    "both": ["--preset", "charged-iso", "--out", "OUT", "--resume", "--overwrite"],
    "disk": ["--preset", "charged-iso", "--out", "OUT", "--split", "train=99999999999"],
    "long path": ["--preset", "charged-iso", "--out", "OUT" + "x" * 300],
    "blow-up": ["--preset", "charged-iso", "--out", "OUT", "--split", "train=2", "--set", "p=1e308", "dt=0.1"],
    "one trajectory": ["--preset", "charged-iso", "--out", "OUT", "--dims", "999", "--particles", "999"],
}
NAMES = {  # what the line must name
    "preset": "did you mean 'charged-iso'",
    "option": "--worker",
    "dims": "--dims",
    "split name": "did you mean 'train'",
    "split power": "--split train",
    "split twice": "given twice",
    "set name": "did you mean 'eps'",
    "set nan": "eps",
    "dt tiny": "dt = 1e-12",
    "published dims": "--dims is 3; got 2",
    "published count": "2000",
    "disk": "GB are free",
    "blow-up": "not finite",
    "one trajectory": "at most 256 MiB",
}
AS_A_PROCESS = ("nothing", "preset", "split power", "dt tiny", "blow-up")


def is_refusal(returncode, stdout, stderr):
    return (
        returncode == 2
        and stdout == ""
        and stderr.startswith("error: ")
        and stderr.endswith("\n")
        and stderr.count("\n") == 1
        and "Traceback" not in stderr
    )


@pytest.mark.parametrize("case", list(BAD))
def test_bad_input_is_one_line_and_leaves_nothing(case, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("warnings.showwarning", None)  # run_command replaces it; put back afterwards
    argv = [text.replace("OUT", str(tmp_path / "new" / "data.zarr")) for text in BAD[case]]
    status = run_command(command.main, argv)
    written = capsys.readouterr()
    assert is_refusal(status, written.out, written.err), written
    assert len(written.err) < 6000
    assert NAMES.get(case, "") in written.err
    assert not list(tmp_path.rglob("*.zarr"))
    if case not in ("blow-up", "long path"):  # known only once its parent folder is there
        assert not list(tmp_path.iterdir())


def test_bad_input_as_a_process(tmp_path):
    out = str(tmp_path / "new" / "data.zarr")
    lines = [[text.replace("OUT", out) for text in BAD[case]] for case in AS_A_PROCESS]
    for case, done in zip(AS_A_PROCESS, run_together(lines), strict=True):
        assert is_refusal(done.returncode, done.stdout, done.stderr), (case, done)
    assert not list(tmp_path.rglob("*.zarr"))


def test_existing_output_is_kept_unless_overwritten(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("warnings.showwarning", None)
    small = ["--preset", "charged-iso", "--split", "train=1", "--particles", "2", "--set", "dt=0.05"]
    out = tmp_path / "data.zarr"
    out.mkdir()  # an empty folder is no output yet

    def ask(*more, to=out):
        status = run_command(command.main, [*small, "--out", str(to), *more])
        return status, capsys.readouterr().err

    assert ask() == (0, "")
    before = contents(out)
    status, line = ask()
    assert status == 2
    assert "--overwrite" in line
    assert "--resume" in line
    assert contents(out) == before
    assert ask("--resume") == (0, "")
    assert contents(out) == before
    status, line = ask("--resume", "--seed", "9")
    assert status == 2
    assert "seed was 0; asked for 9" in line
    status, line = ask("--overwrite", "--set", "dt=1e-12")  # a request that cannot work destroys nothing
    assert status == 2
    assert contents(out) == before
    assert ask("--overwrite", "--seed", "9") == (0, "")
    assert contents(out).keys() == before.keys()
    assert contents(out) != before

    mine = tmp_path / "thesis"
    mine.mkdir()
    (mine / "chapter.txt").write_text("years of work")
    for option in ("--resume", "--overwrite"):
        status, line = ask(option, to=mine)
        assert status == 2, line
        assert (mine / "chapter.txt").read_text() == "years of work"
        assert len(list(mine.iterdir())) == 1
    foreign = tmp_path / "foreign.zarr"
    zarr.open_group(foreign, mode="w").attrs["request"] = 3
    status, line = ask("--resume", to=foreign)
    assert status == 2
    assert "not an Isotwin data set" in line
    status, line = ask(to=mine / "chapter.txt" / "data.zarr")
    assert (status, line.count("\n")) == (2, 1)
    assert ask("--resume", to=mine / "chapter.txt")[0] == 2
    assert (mine / "chapter.txt").read_text() == "years of work"


MANY = ["--preset", "charged-iso", "--dims", 2, "--particles", 3, "--split", "train=160", "valid=8"]
MANY += ["--seed", 3, "--workers", 1, "--set", "dt=8e-6"]  # slow enough to be stopped in the middle


def stopped(line, out, wanted, number):
    """Start a run, send `number` once `wanted` chunks of positions are there, and return the process."""
    process = subprocess.Popen(list(map(str, line)), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while len(chunks(out)) < wanted:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
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


def test_a_trajectory_does_not_depend_on_how_many_are_made(tmp_path):
    def first(count):
        out = tmp_path / f"{count}.zarr"
        generate(request_from_options("charged-bound", {"train": str(count)}, 2, 2, 1, {"dt": "0.05"}), out)
        return read_split(out, "train").positions[:2].tobytes()

    assert first(2) == first(11)


def test_default_sizes_and_chunks():
    request = request_from_options("charged-iso", {}, None, None, None, {})
    assert request.sizes == {"train": 3000, "valid": 2000, "test": 2000}
    assert (request.n_dims, request.n_particles, request.seed, request.dt) == (3, 5, 0, 5e-5)
    assert request_from_options("nbody-reference", {}, 3, 5, 43, {}).sizes["train"] == 10_000
    samples = requests.chunk_samples(request, "train")
    assert CHUNK_BYTES / 2 < samples * 132 * 5 * 3 * 8 <= CHUNK_BYTES


def test_a_full_disk_is_noticed_before_the_start(tmp_path, monkeypatch):
    request = request_from_options("charged-iso", {"train": "100"}, 3, 5, None, {})
    needed = 100 * 5 * (2 * 132 * 3 + 1) * 8
    usage = shutil.disk_usage(tmp_path)
    for free, fits in ((needed, False), (1.1 * needed, True)):
        monkeypatch.setattr(shutil, "disk_usage", lambda path, free=free: usage._replace(free=free))
        if fits:
            check_feasible(request, tmp_path / "new" / "data.zarr")
        else:
            with pytest.raises(InputError, match="are free on that disk"):
                check_feasible(request, tmp_path / "new" / "data.zarr")
    assert not list(tmp_path.iterdir())


def test_output_that_cannot_be_written(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    done = run("--preset", "charged-iso", "--split", "train=1", "--out", tmp_path / "x.zarr")
    assert is_refusal(done.returncode, done.stdout, done.stderr)


def test_key_values_and_claims(tmp_path):
    assert key_values(["a=1", "b=x=y"]) == {"a": "1", "b": "x=y"}
    for items in (["a"], ["=1"], ["a="], ["a=1", "a=2"]):
        with pytest.raises(InputError):
            key_values(items)
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="already exists"):
        claim_output(tmp_path / "file")
    claim_output(tmp_path / "deep" / "er" / "out")
    assert (tmp_path / "deep" / "er").is_dir()
    assert not (tmp_path / "deep" / "er" / "out").exists()


def test_manifest_lists_every_file_with_its_size_and_hash(made):
    folder = made / "iso"
    files = json.loads((folder / "manifest.json").read_text())["files"]
    found = contents(folder)
    del found["manifest.json"]
    assert {name: entry["sha256"] for name, entry in files.items()} == found
    for name, entry in files.items():
        assert (folder / name).stat().st_size == entry["bytes"]
