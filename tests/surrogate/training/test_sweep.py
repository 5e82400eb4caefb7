"""Sweeps, several seeds, and the learning-rate finder."""

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from physics.errors import InputError
from surrogate.inference.loading import load
from surrogate.train import main
from surrogate.training import sweep
from surrogate.training.checkpoint import read_checkpoint
from surrogate.training.config import load_config
from surrogate.training.lr_finder import HIGHEST, LOWEST, SAFETY, RateCurve, rate_curve
from surrogate.training.state import Trainer
from surrogate.training.sweep import members, swept_values
from tests.surrogate.helpers import command, npz, refused, tree

TOML = (
    '[model]\nname = "linear"\n[train]\nepochs = 4\nbatch_size = 4\nvalidate_every = 2\nlr = 1e-2\nthreads = 1\n'
)
ARGUMENTS = ["--config", "tiny.toml", "--data", "data.npz", "--out", "grid"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    npz(tmp_path / "data.npz")
    (tmp_path / "tiny.toml").write_text(TOML, encoding="utf-8")
    return tmp_path


def kept(folder: Path) -> dict[str, bytes]:
    """All but what holds seconds."""
    timed = ("run.json", "table.csv", "table.md")
    return {name: data for name, data in tree(folder).items() if not name.endswith(timed)}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_sweep_is_a_grid_of_runs_and_a_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = [*ARGUMENTS, "--sweep", "train.lr=1e-3,3e-2", "train.epochs=2,4"]
    status, out, err = command(main, capsys, *argv)
    assert status == 0, err
    assert "run 3 of 4: lr=3e-2,epochs=2" in err
    found = rows(folder / "grid" / "table.csv")
    assert [row["run"] for row in found] == [
        "lr=1e-3,epochs=2",
        "lr=1e-3,epochs=4",
        "lr=3e-2,epochs=2",
        "lr=3e-2,epochs=4",
    ]
    for row in found:
        config = load_config(str(folder / "grid" / row["run"] / "config.toml"))
        assert (config.train.lr, config.train.epochs) == (float(row["train.lr"]), int(row["train.epochs"]))
        last = rows(folder / "grid" / row["run"] / "metrics.csv")
        assert float(row["valid"]) == min(float(each["valid"]) for each in last)
    lines = out.splitlines()
    assert lines[0] == "| train.lr | train.epochs | seeds | validation error | spread | best epoch | seconds |"
    errors = [float(line.split("|")[4]) for line in lines[2:6]]
    assert errors == sorted(errors)
    assert (folder / "grid" / "table.md").read_text() == "\n".join(lines[:6]) + "\n"
    best = min(found, key=lambda row: float(row["valid"]))["run"]
    assert read_checkpoint("grid/best").digest == read_checkpoint(f"grid/{best}/best").digest
    assert load("grid").card["valid_mse_positions"] == errors[0] or math.isclose(
        load("grid").card["valid_mse_positions"], errors[0], rel_tol=1e-4
    )


def test_a_sweep_that_was_stopped_goes_on(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    argv = [*ARGUMENTS, "--sweep", "train.lr=1e-3,1e-2,3e-2"]
    assert command(main, capsys, *argv)[0] == 0
    expected = kept(folder / "grid")
    assert "already exists" in refused(*command(main, capsys, *argv)[::2])
    assert command(main, capsys, *argv, "--overwrite")[0] == 0
    inner, seen = sweep.train, []

    def train(*args: Any, **more: Any) -> None:
        seen.append(1)
        if len(seen) == 2:
            raise KeyboardInterrupt
        inner(*args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "train", train)
        status, _, err = command(main, capsys, *argv, "--overwrite")
    assert status == 130
    assert err.splitlines()[-1].endswith("--sweep train.lr=1e-3,1e-2,3e-2 --resume")
    other = [*ARGUMENTS, "--sweep", "train.lr=1e-3,2e-2,3e-2", "--resume"]
    assert "another configuration or sweep was begun here" in refused(*command(main, capsys, *other)[::2])
    assert command(main, capsys, *argv, "--resume")[0] == 0
    assert kept(folder / "grid") == expected


def test_several_seeds_have_a_mean_and_a_spread(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = command(main, capsys, *ARGUMENTS, "--set", "train.seeds=3", "--set", "train.seed=5")
    assert status == 0, err
    found = rows(folder / "grid" / "table.csv")
    assert [row["train.seed"] for row in found] == ["5", "6", "7"]
    valid = [float(row["valid"]) for row in found]
    cells = [cell.strip() for cell in out.splitlines()[2].split("|")[1:-1]]
    assert cells[0] == "3"
    assert float(cells[1]) == pytest.approx(np.mean(valid), rel=1e-4)
    assert float(cells[2]) == pytest.approx(np.std(valid, ddof=1), rel=0.1)
    alone = [*ARGUMENTS[:-1], "alone", "--set", "train.seed=6"]
    assert command(main, capsys, *alone)[0] == 0
    assert read_checkpoint("alone/best").tensors.keys() == read_checkpoint("grid/seed=6/best").tensors.keys()
    assert (folder / "alone/metrics.csv").read_bytes() == (folder / "grid/seed=6/metrics.csv").read_bytes()


def test_a_rate_that_diverges_is_a_finding(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Trainer.loss
    monkeypatch.setattr(
        Trainer, "loss", lambda self, batch: whole(self, batch) * (math.nan if self.config.train.lr > 0.1 else 1)
    )
    status, out, err = command(main, capsys, *ARGUMENTS, "--sweep", "train.lr=1e-2,0.5")
    assert status == 0, err
    assert "| 0.5 | 1 | diverged | - |" in out
    status, out, err = command(main, capsys, *ARGUMENTS[:-1], "bad", "--sweep", "train.lr=0.6,0.5")
    assert "all runs diverged" in err
    assert status == 2


@pytest.mark.parametrize(
    ("items", "said"),
    [
        (["train.lr"], "section.key=value,value"),
        (["lr=1,2"], "section.key=value,value"),
        (["train.lr=1e-3,1e-3"], "values must differ"),
        (["data.input_frame=1,a/b"], "name a folder"),
        (["train.lr=1e-3", "train.lr=1e-2"], "swept twice"),
        (["train.clipp=1e-3,2e-3"], "did you mean"),
        (["other.rate=1e-3,2e-3"], "sections are model, data and train"),
        (["train.seed=1,2"], "exclude each other"),
        (["train.epochs=" + ",".join(map(str, range(1, 1100)))], "more than 1000 runs"),
    ],
)
def test_sweeps_that_make_no_sense(items: list[str], said: str, folder: Path) -> None:
    config = load_config("tiny.toml", {"train.seeds": "2"} if "seed" in items[0] else {})
    with pytest.raises(InputError) as caught:
        members(config, swept_values(items))
    assert said in str(caught.value)


@pytest.mark.filterwarnings("ignore:.*no valid split")
def test_the_rate_finder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = command(main, capsys, *ARGUMENTS, "--find-lr")
    assert status == 0, err
    assert set(tree(folder / "grid")) == {"rates.csv", "rates.png"}
    found = rows(folder / "grid" / "rates.csv")
    rates = np.array([float(row["lr"]) for row in found])
    assert rates[0] == LOWEST
    assert rates[-1] <= HIGHEST
    assert np.allclose(np.diff(np.log(rates)), np.log(HIGHEST / LOWEST) / 149)
    suggestion = float(out.split("begin with: ")[1].split()[0])
    least = rates[np.argmin([float(row["loss"]) for row in found])]
    assert suggestion == pytest.approx(least / SAFETY, rel=0.05)
    assert LOWEST < suggestion < HIGHEST
    assert "already exists" in refused(*command(main, capsys, *ARGUMENTS, "--find-lr")[::2])
    refused(*command(main, capsys, *ARGUMENTS, "--find-lr", "--resume")[::2])


def test_the_suggestion_is_below_the_least_loss() -> None:
    assert RateCurve((1e-4, 1e-3, 1e-2, 1e-1), (4.0, 2.0, 1.0, 9.0)).suggestion == pytest.approx(1e-2 / SAFETY)


@pytest.mark.filterwarnings("ignore:.*no valid split")
def test_a_loss_that_was_never_finite(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Trainer.loss
    monkeypatch.setattr(Trainer, "loss", lambda self, batch: whole(self, batch) * math.nan)
    trainer = Trainer(load_config("tiny.toml", {"data.paths": "data.npz"}), folder / "r", "cpu", "")
    with pytest.raises(InputError, match="not finite before anything was trained"):
        rate_curve(trainer)
