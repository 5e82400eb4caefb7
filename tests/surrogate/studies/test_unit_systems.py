"""The study of unit systems, small."""

import json
from pathlib import Path

import pytest

from surrogate.studies import unit_systems
from tests.surrogate.helpers import command


@pytest.mark.filterwarnings("ignore:.*no valid split")
def test_every_system_comes_to_the_same_relative_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_systems, "SPLITS", {"train": 70, "test": 10})
    few = {name: unit_systems.SYSTEMS[name] for name in ("reduced", "SI")}
    monkeypatch.setattr(unit_systems, "SYSTEMS", few)
    status, out, err = command(unit_systems.main, capsys, "--out", tmp_path / "units", "--epochs", "2")
    assert status == 0, err
    found = json.loads((tmp_path / "units/units.json").read_text())["results"]
    assert len(found) == len(out.splitlines()) == 2
    assert found["SI"]["relative_mse"] == pytest.approx(found["reduced"]["relative_mse"], rel=1e-6)
    assert found["SI"]["mse"] < 1e-15 * found["reduced"]["mse"]
