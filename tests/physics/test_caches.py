"""Nothing of the user's writable: commands work, and say once where they keep what they compile.

What lies below a regular file cannot be made by anyone, not even by root.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from physics import caches

ROOT = Path(__file__).parents[2]
COMPILED = "from physics.sums.pairs import switch; print(switch(1.0, 0.5, 2.0)[0])"


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """A copy of the packages beside whose files nothing can be written: __pycache__ is a file."""
    folder = tmp_path_factory.mktemp("installation")
    for name in ("physics", "surrogate"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for inner in [folder / name, *(path for path in (folder / name).rglob("*") if path.is_dir())]:
            (inner / "__pycache__").touch()
    (folder / "resources").symlink_to(ROOT / "resources")
    return folder


@pytest.fixture
def python(installation, tmp_path):
    """Run Python on arguments there; home, cache and configuration folders are below a file."""
    (tmp_path / "file").touch()
    (tmp_path / "tmp").mkdir()
    nowhere = str(tmp_path / "file" / "home")
    mine = ("XDG_", "MPLCONFIG", "NUMBA_", "ISOTWIN_", "PYTHON", "TMP", "TEMP")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    paths = {"HOME": nowhere, "PYTHONPATH": str(installation), "TMPDIR": str(tmp_path / "tmp")}

    def run(*arguments, **more):
        environment = kept | paths | more
        command = [sys.executable, *arguments]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def kernels(folder):
    return {path.name for path in folder.rglob("*.nbi")}


def test_what_is_compiled_is_kept_in_a_temporary_folder(python, tmp_path):
    """Said once: child processes are silent. Another process finds it."""
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {COMPILED!r}], check=True)"
    unwritable = {name: str(tmp_path / "file" / "folder") for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    for script, more in ((f"{COMPILED}\n{child}", {}), (COMPILED, unwritable)):
        done = python("-c", script, **more)
        assert (done.returncode, done.stdout[:6]) == (0, "0.8267"), done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert "cannot be written; what is compiled is kept in" in done.stderr
        (folder,) = (tmp_path / "tmp").iterdir()
        assert str(folder) in done.stderr
        assert any("switch" in name for name in kernels(folder))
        assert os.name == "nt" or folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["ISOTWIN_CACHE", "NUMBA_CACHE_DIR"])
def test_a_folder_that_is_named_is_taken(python, tmp_path, name):
    done = python("-c", COMPILED, **{name: str(tmp_path / "named")})
    assert (done.returncode, done.stderr) == (0, "")
    assert kernels(tmp_path / "named")
    assert not list((tmp_path / "tmp").iterdir())


@pytest.mark.skipif(os.name == "nt", reason="modes are of POSIX")
def test_a_folder_that_others_may_write_is_not_trusted(python, tmp_path):
    """Compiled code is loaded from it."""
    open_to_all = tmp_path / "tmp" / f"isotwin-{os.getuid()}"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    assert python("-c", COMPILED).returncode == 0
    assert not kernels(open_to_all)
    assert kernels(tmp_path / "tmp")


def test_without_any_folder_nothing_is_kept(python):
    script = f"import tempfile\ntempfile.tempdir = '{os.devnull}/tmp'\n{COMPILED}"
    done = python("-c", script)
    assert (done.returncode, done.stdout[:6]) == (0, "0.8267"), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "nothing is kept, so every start compiles anew" in done.stderr


def test_commands_answer_in_their_own_words(python):
    """Matplotlib says at length where it could not write."""
    done = python("-m", "surrogate.evaluate", "--help")
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) <= 1, done.stderr
    script = "from physics.cli import run_command; run_command(lambda _: __import__('matplotlib.pyplot'))"
    done = python("-c", script)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_every_command_works_with_nothing_but_its_output_writable(python):
    """Compiled from scratch."""
    for command in (
        "physics.generate --preset charged-iso --split train=4 valid=2 test=2 --out d.zarr",
        "surrogate.evaluate egnn-nd --data d.zarr --rotations 1 --json e.json",
        "surrogate.train --config egnn-nd --data d.zarr --out run --set train.epochs=1",
        "surrogate.compare run --data d.zarr --index 0 --formats csv,npz,html --out compared",
        "surrogate.benchmark --models egnn-nd --data d.zarr --seeds 1 --out bench",
    ):
        done = python("-m", *command.split())
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("cannot be written") <= 1, done.stderr  # none where nothing was compiled
        assert "atplotlib" not in done.stderr


def test_a_user_without_a_home_has_none(monkeypatch):
    """As in containers that run under a number without a name."""

    def none():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", none)
    for name in ("XDG_CACHE_HOME", caches.VARIABLE):
        monkeypatch.delenv(name, raising=False)
    assert not caches.usable(caches.own_cache_folder())
    assert not caches.could_be_written(caches.own_cache_folder())


def test_what_could_be_written_is_not_made(tmp_path):
    assert caches.could_be_written(tmp_path / "some" / "deep" / "folder")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    assert not caches.could_be_written(tmp_path / "file" / "folder")
    assert not caches.usable(tmp_path / "file" / "folder")
    assert caches.usable(tmp_path / "made")
