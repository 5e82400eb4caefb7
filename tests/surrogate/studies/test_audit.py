"""The audit of the published set, on the first 40 trajectories of its own generator."""

import json
from pathlib import Path

import numpy as np
import pytest

from surrogate.studies import audit
from tests.surrogate.helpers import command, npz, refused, saved_model, tiny_arrays, tree

REFERENCE = Path(__file__).parents[2] / "data" / "reference_seed43_first40.npz"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(audit, "LEAPFROG", (64, 1000))
    monkeypatch.setattr(audit, "ADAPTIVE", (19,))
    with np.load(REFERENCE) as archive:
        arrays = {name: archive[name] for name in archive.files}
    npz(tmp_path / "ref.npz", arrays, recipe={"preset": "nbody-reference", "law": "reference", "dt": 0.001})
    saved_model(tmp_path / "egnn", "egnn")
    return tmp_path


def test_the_audit_measures_what_the_page_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["--data", "ref.npz", "--models", "egnn", "--rotations", "30", "--out", "out"]
    status, out, err = command(audit.main, capsys, *argv)
    assert status == 0, err
    text = (folder / "out" / "audit.json").read_text(encoding="utf-8")
    assert "NaN" not in text
    found = json.loads(text)
    rows = {(row["entrant"], row.get("evaluations")): row for row in found["rows"]}
    clamp = found["clamp"]
    assert 0 < clamp["clean"] < clamp["windows"] == 40
    assert clamp["turned_error_clean_median"] < 1e-9 < 1e-4 < clamp["turned_error_touched_median"]
    assert clamp["touched_share"] < clamp["touched_before_share"]
    isotropic = rows["isotropic simulator", 1000]
    assert isotropic["excess"] == 0
    assert isotropic["mse_clean"] < 1e-9
    blind = rows["orientation-blind reference", None]
    assert blind["mse_clean"] == 0 < blind["mse"]
    fine, coarse = (rows["true law, leapfrog", k]["mse_clean_median"] for k in (1000, 64))
    assert fine < coarse * 1.01
    assert rows["egnn", 2]["excess_low"] > 0
    orientation = found["orientation"]
    assert orientation["speed_error_own_median"] < 1e-3 * orientation["speed_error_turned_median"]
    assert orientation["betrayed_share"] > 0.5
    assert {p.name for p in (folder / "out").iterdir()} == {
        "audit.json",
        "audit.md",
        "clamp.png",
        "orientation.png",
        "scores.png",
    }
    assert "law calls per pair" in out
    assert command(audit.main, capsys, *argv)[0] == 2


def test_other_data_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    npz(folder / "own.npz", tiny_arrays(spacing=1.0))
    before = tree(folder)
    for argv, said in (
        (["--data", "own.npz", "--models", "egnn"], "expected preset nbody-reference"),
        (["--data", "ref.npz", "--models", "none"], "unknown model 'none'"),
        (["--data", "ref.npz", "--models", "egnn", "--rotations", "0"], "must be a whole number of at least 1"),
    ):
        status, stdout, err = command(audit.main, capsys, *argv, "--out", "new")
        assert said in refused(status, err)
        assert stdout == ""
    assert tree(folder) == before
