"""`python -m surrogate.train`: bad input in one line, overwriting, lists, help."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from surrogate.train import main
from surrogate.training.config import shipped_configs
from tests.surrogate.helpers import command, npz, refused, tiny_arrays, tree
from tests.surrogate.small_runs import kept
from tests.surrogate.tiny_runs import config, run

pytestmark = pytest.mark.filterwarnings("ignore:.*no valid split")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--bogus"], "unrecognized arguments: --bogus"),
        ([], "--config and --out are required"),
        (["--config", "egnn-nbody"], "--config and --out are required"),
        (["--config", "egn", "--out", "r"], "unknown config 'egn'"),
        (["--config", "none.toml", "--out", "r"], "none.toml: no such file"),
        (["--config", "egnn-nbody", "--out", "r"], "no data set: give --data DATA"),
        (["--config", "egnn-nbody", "--out", "r", "--data", "none.npz"], "none.npz: no such data set"),
        (
            ["--config", "egnn-nbody", "--out", "r", "--data", "nan.npz"],
            "positions must be finite; got nan at index",
        ),
        (["--config", "egnn-nbody", "--out", "r", "--data", "text.npz"], "not a readable .npz"),
        (["--config", "egnn-nbody", "--out", "a/b/r", "--data", "none.npz"], "none.npz: no such data set"),
        (["--config", "egnn-nbody", "--out", "full", "--data", "data.npz"], "full: already exists"),
        (
            ["--config", "egnn-nbody", "--out", "full", "--data", "data.npz", "--resume"],
            "full: cannot --resume: not a run",
        ),
        (["--config", "egnn-nbody", "--out", "full", "--data", "data.npz", "--overwrite"], "not recognised"),
        (["--config", "egnn-nbody", "--out", "full", "--data", "none.npz", "--overwrite"], "no such data set"),
        (["--config", "egnn-nbody", "--out", "r", "--resume", "--overwrite"], "exclude each other"),
        (["--config", "egnn-nbody", "--out", "r", "--data", "data.npz", "--set", "train.epoch=3"], "did you mean"),
        (["--config", "egnn-nbody", "--out", "r", "--data", "data.npz", "--set", "train.epochs"], "key=value"),
        (
            ["--config", "egnn-nbody", "--out", "r", "--data", "data.npz", "--set", "data.target_frame=9"],
            "window 0 -> 9",
        ),
        (
            ["--config", "egnn-nbody", "--out", "r", "--data", "data.npz", "--device", "tpu"],
            "invalid choice: 'tpu'",
        ),
        (["--config", "gnn-nbody", "--out", "r", "--data", "flat.npz"], "is for n = 3"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    argv: list[str], said: str, data_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays = tiny_arrays()
    arrays["positions"][3, 0, 0, 0] = np.nan
    npz(data_folder / "nan.npz", arrays)
    npz(data_folder / "flat.npz", tiny_arrays(n=2))
    (data_folder / "text.npz").write_text("not a zip")
    (data_folder / "full").mkdir()
    (data_folder / "full" / "letter.txt").write_text("dear")
    before = tree(data_folder)
    status, out, err = command(main, capsys, *argv)
    assert said in refused(status, err)
    assert out == ""
    assert tree(data_folder) == before


def test_overwrite_keeps_the_old_run_when_the_data_are_bad(
    data_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(config())
    before = tree(data_folder)
    argv = ["--config", "egnn-nbody", "--out", "run", "--overwrite", "--data"]
    status, _, err = command(main, capsys, *argv, "none.npz")
    refused(status, err)
    assert tree(data_folder) == before


def test_the_commands_around_a_run(data_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data_folder / "tiny.toml").write_text(
        '[model]\nname = "egnn"\nhidden = 4\nlayers = 1\n[train]\nepochs = 2\nvalidate_every = 1\n'
    )
    first = ["--config", "tiny.toml", "--out", "a/run", "--data", "data.npz"]
    status, out, err = command(main, capsys, *first)
    assert status == 0
    assert "a/run: done; its best model is a/run/best" in out
    assert "warning: data.npz: no valid split, so the last 1 of 12 samples validate" in err
    before = kept(data_folder / "a" / "run")
    status, _, err = command(main, capsys, *first)
    assert "already exists" in refused(status, err)
    status, _, err = command(main, capsys, "--config", "tiny.toml", "--out", "a/run", "--resume")
    assert status == 0, err
    assert kept(data_folder / "a" / "run") == before
    (data_folder / "a" / "run" / "notes.txt").write_text("old")
    assert command(main, capsys, *first, "--overwrite")[0] == 0
    assert kept(data_folder / "a" / "run") == before


def test_list_names_every_shipped_config(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = command(main, capsys, "--list")
    assert (status, err) == (0, "")
    assert {line.split()[0] for line in out.splitlines()} == set(shipped_configs())


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught, warnings.catch_warnings():
        command(main, capsys, option)
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert "examples:" in out if option == "--help" else out.startswith("isotwin ")
