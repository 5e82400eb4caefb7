"""docs/engine.md: written from the registries, its examples run, its figure's claim true."""

import re
import warnings
from pathlib import Path

import pytest

from physics.boundaries import BOUNDARIES
from physics.integrators import INTEGRATORS
from physics.laws import LAWS
from surrogate.studies import engine_page

PAGE = Path(engine_page.__file__).parents[2] / "docs" / "engine.md"


@pytest.fixture(scope="module")
def runs():
    return engine_page.encounters()


def test_the_page_is_what_the_command_writes(runs):
    """All but the errors of the encounter to the letter: their last digits are the machine's."""
    written = PAGE.read_text(encoding="utf-8")
    made, table = engine_page.page(runs), engine_page.encounter_table(runs)
    before, after = made.split(table)
    assert written.startswith(before)
    assert written.endswith(after)


def test_every_row_of_the_registries_is_in_its_table():
    for table, registry in (
        (engine_page.law_table(), LAWS),
        (engine_page.boundary_table(), BOUNDARIES),
        (engine_page.integrator_table(), INTEGRATORS),
    ):
        lines = table.splitlines()
        assert [line.split("`")[1] for line in lines[2:]] == list(registry)
        cells = {len(re.split(r"(?<!\\)\|", line)) for line in lines}
        assert len(cells) == 1
    assert "| `leapfrog` | 2 | yes | yes | no | no | yes |" in engine_page.integrator_table()


def test_the_examples_run():
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) >= 7
    names = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for example in examples:
            exec(compile(example, str(PAGE), "exec"), names)
    assert names["trajectory"].positions.shape == (41, 3, 3)
    assert names["second"].positions[-1].tobytes() == names["exact"].positions[-1].tobytes()
    assert 0 < names["checked"].position_errors[-1] < 1e-3


def test_the_encounter_is_as_the_page_says(runs):
    """Equal steps lose it; the adaptive ones keep it, and IAS15 stays on the ellipse."""
    fixed, adaptive, radau = runs.values()
    assert fixed.energy_errors.max() > 0.1
    assert fixed.position_errors.max() > 0.5
    assert adaptive.energy_errors.max() < 1e-2
    assert radau.energy_errors.max() < 1e-13
    assert radau.position_errors.max() < 1e-9


def test_the_command_writes_page_and_figure(tmp_path, monkeypatch, runs, capsys):
    monkeypatch.setattr(engine_page, "encounters", lambda: runs)
    engine_page.main(["--out", str(tmp_path)])
    assert (tmp_path / "engine.md").read_text(encoding="utf-8") == engine_page.page(runs)
    assert (tmp_path / "figures" / "encounter.png").stat().st_size > 10_000
    assert "ias15" in capsys.readouterr().out
