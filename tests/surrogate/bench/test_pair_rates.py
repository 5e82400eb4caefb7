"""Forecasts beside leapfrog at their smallest: the table is written; times are never asserted."""

from pathlib import Path

import pytest

from surrogate.bench import pair_rates


def test_the_table_has_both_at_the_same_number_of_law_calls(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pair_rates, "CASES", {5: (1, 2)})
    monkeypatch.setattr(pair_rates, "ROUNDS", 4)
    monkeypatch.setattr(pair_rates, "TURNS", 1)
    pair_rates.main(["--out", str(tmp_path), "--particles", "5"])
    lines = (tmp_path / "pair_rates.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| 5 |")]
    assert len(rows) == 4
    calls, ours, leapfrog, ratio = (float(cell) for cell in rows[0].split("|")[4:8])
    assert calls >= 4
    assert ours / leapfrog == pytest.approx(ratio, rel=0.05)
