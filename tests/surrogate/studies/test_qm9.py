"""The study of QM9 at a small size: trained, gone on with, shown."""

from pathlib import Path

import pytest

from resources import ROOT
from surrogate.studies import qm9
from surrogate.studies.qm9 import PUBLISHED_TABLE, jobs_of, main
from surrogate.tasks.molecules.targets import TARGETS
from tests.surrogate.helpers import command

SAMPLE = str(ROOT / "examples" / "qm9-sample.npz")


def test_the_published_table_is_that_of_the_targets() -> None:
    assert all(len(row) == len(TARGETS) for row in PUBLISHED_TABLE.values())
    assert PUBLISHED_TABLE["EGNN"] == tuple(target.published for target in TARGETS.values())


def test_every_training_makes_as_many_steps(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path / "q.zarr", ["mu", "u0"], (1000, 10_000, 50_000), tmp_path, 100)
    assert [job.title for job in jobs[:3]] == ["mu-10000", "mu-1000", "mu-50000"]
    assert {job.molecules * job.config.train.epochs for job in jobs} == {1_000_000}
    assert len({job.digest for job in jobs}) == 6


def test_trained_gone_on_with_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load = qm9.load_config
    small = {"model.hidden": "4", "model.layers": "1", "train.epochs": "2", "data.valid_molecules": "20"}
    monkeypatch.setattr(qm9, "load_config", lambda name, changes=None: load(name, {**(changes or {}), **small}))
    where = (
        "--data",
        SAMPLE,
        "--targets",
        "alpha,mu",
        "--molecules",
        "60",
        "120",
        "--work",
        str(tmp_path / "work"),
        "--epochs",
        "1",
    )
    where = (*where, "--out", str(tmp_path / "docs"))
    status, _, err = command(main, capsys, *where)
    assert status == 0, err
    text = (tmp_path / "docs/qm9.md").read_text(encoding="utf-8")
    assert "| property | 60 | 120 | slope |" in text
    assert "| EGNN | 0.071 | 48 |" in text
    assert "Not trained yet" not in text
    assert (tmp_path / "docs/figures/qm9.png").stat().st_size > 10_000
    status, out, _ = command(main, capsys, *where, "--resume")
    assert (status, "of 4" in out) == (0, False)  # nothing is trained again
    status, _, err = command(main, capsys, *where, "--resume", "--targets", "alhpa")
    assert (status, "did you mean 'alpha'" in err) == (2, True)
