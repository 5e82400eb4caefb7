"""The study of autoencoders at a small size: trained, gone on with, shown."""

import json
from pathlib import Path

import pytest

from surrogate.studies import autoencoder
from surrogate.studies.autoencoder import PUBLISHED, SETS, jobs_of, main
from surrogate.tasks.autoencoder.generators import GraphPreset
from surrogate.tasks.autoencoder.networks import MODELS
from tests.surrogate.helpers import command


def test_every_part_is_there_and_no_training_is_named_twice(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path, 3)
    assert len({job.title for job in jobs}) == len(jobs) == (3 + 2 + 2) * 4 + 6 + 15
    assert len({job.digest for job in jobs}) == len(jobs)
    assert set(MODELS) == {job.model for job in jobs}
    assert {graphs for graphs, _ in PUBLISHED} < set(SETS)
    assert jobs[7].seed == 0  # a table of one seed stands before all else


def test_trained_gone_on_with_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"train": 22, "valid": 10, "test": 10}
    part = GraphPreset.part
    monkeypatch.setattr(GraphPreset, "part", lambda self, split, *_: part(self, split, 0, few[split]))
    monkeypatch.setattr(autoencoder, "SETS", {"erdos-renyi": "er"})
    monkeypatch.setattr(autoencoder, "DIMS", (2, 8))
    monkeypatch.setattr(autoencoder, "DENSITIES", (0.5,))
    small = {"model.hidden": "4", "model.layers": "1", "train.epochs": "1", "train.validate_every": "1"}
    monkeypatch.setattr(autoencoder, "OVERFIT", autoencoder.OVERFIT | small)
    load = autoencoder.load_config
    monkeypatch.setattr(autoencoder, "load_config", lambda name, changes: load(name, {**changes, **small}))
    where = ("--work", str(tmp_path / "work"), "--out", str(tmp_path / "docs"), "--seeds", "1")
    status, out, err = command(main, capsys, *where)
    assert status == 0, err
    text = (tmp_path / "docs/autoencoder.md").read_text(encoding="utf-8")
    assert "| erdos-renyi | egnn |" in text
    assert "1.65 / 0.11 % / 0.998" in text
    assert "Not trained yet" not in text
    assert (tmp_path / "docs/figures/autoencoder.png").stat().st_size > 10_000
    results = json.loads((tmp_path / "docs/autoencoder.json").read_text(encoding="utf-8"))["results"]
    assert len(results) == 4 + 2 + 3
    assert "already exists" in command(main, capsys, *where)[2]
    status, out, _ = command(main, capsys, *where, "--resume")
    assert (status, "of 9" in out) == (0, False)  # nothing is trained again
    for name in ("dims-8-erdos-renyi-egnn-seed0", "table-erdos-renyi-gnn-seed0"):
        (tmp_path / f"work/results/{name}.json").unlink()
    out = command(main, capsys, *where, "--resume", "--parts", "dims")[1]
    assert "dims-8-erdos-renyi-egnn-seed0: 1 of 1" in out
    assert "table-erdos-renyi-gnn-seed0: " not in out
    assert "table-erdos-renyi-gnn-seed0: 1 of 1" in command(main, capsys, *where, "--resume", "--models", "gnn")[1]
    (tmp_path / "work/results/dims-2-erdos-renyi-egnn-seed0.json").unlink()
    command(main, capsys, *where, "--page")
    text = (tmp_path / "docs/autoencoder.md").read_text(encoding="utf-8")
    assert "Not trained yet: dims-2-erdos-renyi-egnn-seed0." in text
