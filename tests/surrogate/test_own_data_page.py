"""docs/own-data.md: every command of the page, in its order, in an empty folder."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/own-data.md"


def commands() -> list[list[str]]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("python -m ")]


@pytest.mark.slow
def test_every_command_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "resources").symlink_to(ROOT / "resources")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    said = {}
    for command in [*commands(), [*EVALUATE_IONS]]:
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900
        )
        assert done.returncode == 0, (command, done.stderr)
        said[tuple(command[:4])] = done.stdout + done.stderr
    assert "law unknown" in said["-m", "surrogate.recover", "--run", "runs/ions"]
    assert "one trajectory" in said["-m", "surrogate.train", "--config", "own-data"]
    for system in ("beads", "ions"):
        assert (tmp_path / "out" / system / "report.html").is_file()
        force = json.loads((tmp_path / f"out/{system}-law/recovery.json").read_text())
        assert force["nearest"] > 0
    # springs and like charges: repelling near, attracting far, at rest where 4 r / 8 = 1 / r^2 in units of 3 um
    ions = json.loads((tmp_path / "out/ions-law/recovery.json").read_text())
    at_rest = next(r for r, f in zip(ions["distances"], ions["force"][0], strict=True) if f < 0)
    assert at_rest == pytest.approx(3.0 * 2 ** (1 / 3), rel=0.05)
    assert json.loads((tmp_path / "ions.json").read_text())["relative_mse"] < 1e-3


EVALUATE_IONS = ["-m", "surrogate.evaluate", "runs/ions", "--data", "data/ions.npz", "--json", "ions.json"]


def test_the_page_has_the_commands_that_users_need() -> None:
    named = {command[1] for command in commands()}
    assert named == {f"surrogate.{name}" for name in ("train", "evaluate", "compare", "recover")} | {
        "physics.convert"
    }
