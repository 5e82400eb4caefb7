"""Time to a target: the real training command, started, watched and stopped."""

import json
import sys
from pathlib import Path

import pytest

from physics.errors import InputError
from surrogate.studies.time_to_accuracy import first_below, main, timed_training
from tests.surrogate.helpers import command, npz, tiny_arrays

SETTINGS = (
    "model.hidden=4",
    "train.batch_size=4",
    "train.validate_every=1",
    "train.epochs=4000",
    "data.train_samples=8",
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return npz(tmp_path / "data.npz", tiny_arrays(spacing=1.0))


def test_it_stops_at_the_target(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("--config", "gnn-nbody", "--data", data, "--out", tmp_path / "out", "--repeats", 1, "--target", 1e6)
    status, out, err = command(main, capsys, *argv, "--set", *SETTINGS)
    assert status == 0, err
    found = json.loads((tmp_path / "out" / "times.json").read_text(encoding="utf-8"))["repeats"]
    assert len(found) == 1
    assert 0 < found[0]["startup"] < found[0]["seconds"]
    assert found[0]["epoch"] == 1
    rows = (tmp_path / "out" / "seed-0" / "metrics.csv").read_text(encoding="utf-8").splitlines()
    assert 2 <= len(rows) < 4000  # stopped long before its end
    assert "| median |" in out
    status, _, err = command(main, capsys, *argv)
    assert status == 2
    assert "already" in err


def test_metrics_are_read_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    assert first_below(path, 1.0) is None
    path.write_text("epoch,valid\n1,3.0\n2,0.5\n3,0.1\n", encoding="utf-8")
    assert first_below(path, 1.0) == {"epoch": "2", "valid": "0.5"}
    assert first_below(path, 0.05) is None


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="known"):
        timed_training(
            [sys.executable, "-m", "surrogate.train", "--config", "nothing", "--out", "x"], tmp_path, 1.0
        )
