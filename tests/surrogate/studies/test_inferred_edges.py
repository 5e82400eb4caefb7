"""`python -m surrogate.studies.inferred_edges` with next to no training: what it makes, keeps and measures."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from physics.datasets.reading import read_split
from physics.datasets.request import request_from_options
from physics.generate import generate
from surrogate.studies import inferred_edges
from surrogate.studies.inferred_edges import CASES, area_under_curve, configured, decoded, main, told_apart
from tests.surrogate.helpers import command, refused, tree

QUICK = ("--set", "train.epochs=1", "train.batch_size=4", "model.hidden=8", "model.layers=2")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inferred_edges, "SIZES", {"train": 8, "valid": 2, "test": 4})
    monkeypatch.setattr(inferred_edges, "DRAWN_SETS", 2)
    monkeypatch.setattr(inferred_edges, "DECODED", 3)


def test_the_command_writes_a_page_numbers_and_a_picture_and_takes_finished_runs(
    tmp_path: Path, small: None, capsys: pytest.CaptureFixture[str]
) -> None:
    out, work = tmp_path / "docs", tmp_path / "work"
    status, printed, stderr = command(main, capsys, "--out", out, "--work", work, *QUICK)
    assert status == 0, stderr
    assert [line.partition(":")[0] for line in printed.splitlines()[:-1]] == list(CASES)
    whole = json.loads((out / "inferred-edges.json").read_text())
    assert list(whole["cases"]) == list(CASES)
    for name, case in whole["cases"].items():
        layers = {"inferred": 1, "gated": 2}.get(name.rpartition("-")[2], 0)
        assert len(case.get("layers", [])) == layers
        assert case["mse"] > 0
    text = (out / "inferred-edges.md").read_text()
    assert text.count("\n| `") == len(CASES)
    assert "figures/inferred-edges.png" in text
    assert "{" not in text
    assert (out / "figures" / "inferred-edges.png").stat().st_size > 10_000
    kept = tree(work / "groups-gated" / "best")
    assert "--resume" in refused(*command(main, capsys, "--out", out, "--work", work, *QUICK)[::2])
    assert command(main, capsys, "--out", out, "--work", work, "--resume", *QUICK)[0] == 0
    assert tree(work / "groups-gated" / "best") == kept


def test_cases_differ_in_their_edges_alone() -> None:
    plain = configured(CASES["springs-hidden"], Path("d"), {})
    for case in CASES.values():
        model = replace(
            configured(case, Path("d"), {}).model_config,
            infer_edges=False,
            gate_coordinates=False,
            edge_attributes=0,
        )
        assert model == plain.model_config


def test_the_area_under_the_curve_is_a_count_of_pairs() -> None:
    rng = np.random.default_rng(0)
    inside, across = rng.integers(0, 6, 30).astype(float), rng.integers(0, 6, 50).astype(float)
    wins = (inside[:, None] > across).mean() + 0.5 * (inside[:, None] == across).mean()
    assert area_under_curve(inside, across) == pytest.approx(wins)
    assert area_under_curve(across + 10, across) == 1.0


def test_edges_that_are_inferred_perfectly_are_told_apart() -> None:
    edges = np.array([[[0, 1, 0], [1, 0, 0], [0, 0, 0]]] * 2, dtype=float)
    (right,), (wrong,) = told_apart(0.2 + 0.5 * edges[None], edges), told_apart(1.0 - edges[None], edges)
    assert right == pytest.approx({"inside": 0.7, "across": 0.2, "auc": 1.0})
    assert wrong["auc"] == 0.0


def test_run_back_to_the_start_the_true_edges_alone_give_all_the_same_speed(tmp_path: Path) -> None:
    request = request_from_options("springs-5", {"test": "8"}, None, None, None, {})
    generate(request, tmp_path / "d.zarr", workers=1)
    split = read_split(tmp_path / "d.zarr", "test")
    assert decoded(split)["decoded"] >= 7
    other = replace(split, velocities=split.velocities[::-1])
    assert decoded(other)["decoded"] <= 1
