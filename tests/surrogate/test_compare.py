"""compare, demo and bench as their users run them; the comparison itself against what the contract says."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from physics.cli import run_command
from physics.rotations import parse_operations, reflection
from surrogate import compare, demo, publish
from surrogate.bench import forecasts as bench
from surrogate.export import EXPORTERS
from surrogate.models import MODELS
from tests.patience import PATIENCE
from tests.surrogate.helpers import saved_model, tiny_arrays

ROOT = Path(__file__).parents[2]


def command(module: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CI": "1", "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(
        line, cwd=cwd, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def metrics(folder: Path) -> dict[str, Any]:
    def refuse(text: str) -> None:
        raise AssertionError(f"{text} in JSON")

    return json.loads((folder / "metrics.json").read_text(), parse_constant=refuse)


def in_process(*arguments: object) -> int:
    return run_command(compare.main, list(map(str, arguments)))


def test_pictures_coloured_and_overlaid_as_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(compare, "export_all", lambda *arguments: seen.append(arguments[-1]))
    monkeypatch.setattr(compare, "summary_text", lambda *arguments: "")
    scenario = ("egnn-nd", "--scenario", "bound", "--frames", 3)
    chosen = ("--colour-by", "speed", "--layout", "overlay", "--formats", "png")
    assert in_process(*scenario, *chosen, "--out", tmp_path / "a") == 0
    assert (seen[0].colour_by, seen[0].layout) == ("speed", "overlay")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [("--colour-by", "colour", "unknown colouring 'colour'"), ("--layout", "stacked", "'stacked'")],
)
def test_an_unknown_look_is_refused(
    option: str, value: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = in_process("egnn-nd", "--scenario", "bound", option, value, "--out", tmp_path / "a")
    error = capsys.readouterr().err
    assert status == 2
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "a").exists()


def test_energy_colours_need_a_known_law(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = saved_model(tmp_path / "model")
    arrays = tiny_arrays(samples=2, frames=4, particles=5)
    np.savez(tmp_path / "own.npz", **arrays)
    status = in_process(
        model, "--data", tmp_path / "own.npz", "--index", 0, "--colour-by", "energy", "--out", tmp_path / "a"
    )
    assert status == 2
    assert "needs a known law" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_every_format_of_a_turned_scenario_as_a_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = command(
        "surrogate.compare", "egnn-nd", "--scenario", "bound", "--rotate", "0-1:30,0-2:45", "--reflect", 2,
        "--frames", 5, "--out", "out", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    for name in ("comparison.mp4", "comparison.png", "report.html", "trajectories.csv", "comparison.npz"):
        assert (out / name).stat().st_size > 1000, name
    found = metrics(out)
    for key in ("times", "position_rmse", "energy_truth", "energy_forecast"):
        assert len(found[key]) == 5, key
    assert np.array(found["momentum_truth"]).shape == (5, 3) == np.array(found["momentum_forecast"]).shape
    assert 0 < found["equivariance_error"] < 1e-5
    assert found["recipe"]["law"] == "coulomb"
    assert found["command"].startswith("python -m surrogate.compare egnn-nd")
    expected = reflection(3, 2) @ parse_operations("0-1:30,0-2:45", 3)[0]
    assert np.allclose(found["rotation"], expected, atol=1e-12)
    arrays = np.load(out / "comparison.npz", allow_pickle=False)
    truth, forecast = (
        next(arrays[name] for name in arrays.files if source in name and "position" in name)
        for source in ("truth", "forecast")
    )
    assert truth.shape == (5, 5, 3)
    assert np.allclose(np.sqrt(np.mean((forecast - truth) ** 2, axis=(1, 2))), found["position_rmse"])
    assert in_process("egnn-nd", "--scenario", "bound", "--out", out) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "already exists" in error


@pytest.mark.parametrize("dims", [2, 4, 6])
def test_one_set_of_weights_runs_in_every_dimension(tmp_path: Path, dims: int) -> None:
    arguments = ("egnn-nd", "--scenario", "free", "--dims", dims, "--random-rotation", 3, "--formats", "csv")
    assert in_process(*arguments, "--frames", 5, "--out", tmp_path / "out") == 0
    found = metrics(tmp_path / "out")
    assert np.array(found["momentum_truth"]).shape == (5, dims)
    assert np.linalg.det(found["rotation"]) == pytest.approx(1.0)
    assert found["equivariance_error"] < 1e-5
    assert max(found["position_rmse"]) < 0.2
    assert bool(found["outside_training"]) == (dims == 6)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_takes_part_in_a_comparison(tmp_path: Path, name: str) -> None:
    model = saved_model(tmp_path / "model", name)
    arguments = (model, "--scenario", "bound", "--frames", 6, "--rotate", "0-1:30", "--formats", "csv")
    assert in_process(*arguments, "--out", tmp_path / "out") == 0
    assert np.isfinite(metrics(tmp_path / "out")["position_rmse"]).all()


def test_the_truth_is_simulated_from_the_rotated_state_and_the_data_is_rotated(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", **tiny_arrays(samples=3, frames=6, particles=5, spacing=1.0))
    model = saved_model(tmp_path / "model", "egnn-recurrent")
    base = (model, "--data", tmp_path / "mine.npz", "--index", 1, "--formats", "npz")
    assert in_process(*base, "--out", tmp_path / "plain") == 0
    assert in_process(*base, "--rotate", "0-1:90", "--out", tmp_path / "turned") == 0
    a, b = (np.load(tmp_path / name / "comparison.npz", allow_pickle=False) for name in ("plain", "turned"))
    (name,) = [n for n in a.files if "truth" in n and "position" in n]
    assert np.allclose(b[name], a[name] @ parse_operations("0-1:90", 3)[0].T)
    assert metrics(tmp_path / "plain")["energy_truth"] is None  # own data: the law is unknown


def test_a_model_that_is_not_equivariant_shows_it(tmp_path: Path) -> None:
    for model, limit in (("egnn-nbody", (0, 1e-5)), ("gnn-nbody", (1e-3, math.inf))):
        arguments = (model, "--scenario", "published", "--rotate", "0-1:90", "--formats", "csv", "--frames", 20)
        assert in_process(*arguments, "--out", tmp_path / model) == 0
        assert limit[0] < metrics(tmp_path / model)["equivariance_error"] < limit[1]


def test_a_scenario_under_the_clamped_law(tmp_path: Path) -> None:
    arguments = ("gnn-nbody", "--scenario", "bound", "--seed", 2, "--frames", 3, "--formats", "csv")
    for out, law in (("own", ()), ("clamped", ("--law", "reference"))):
        assert in_process(*arguments, *law, "--rotate", "random:3,0-1:20,reflect:1", "--out", tmp_path / out) == 0
    own, clamped = metrics(tmp_path / "own"), metrics(tmp_path / "clamped")
    assert (own["recipe"]["law"], clamped["recipe"]["law"]) == ("coulomb", "reference")
    assert "clamped" in clamped["scenario"]
    assert own["rotation"] == clamped["rotation"]
    assert np.isclose(np.linalg.det(own["rotation"]), -1.0)


BAD: dict[str, tuple[tuple[object, ...], str]] = {
    "no model": (("--scenario", "bound"), "required"),
    "unknown model": (("egnn-nx", "--scenario", "bound"), "egnn-nd"),
    "unknown scenario": (("egnn-nd", "--scenario", "bond"), "'bound'"),
    "neither": (("egnn-nd",), "--scenario or --data"),
    "both": (("egnn-nd", "--scenario", "bound", "--data", "x"), "--scenario or --data"),
    "no index": (("egnn-nd", "--data", "x.npz"), "--index"),
    "missing data": (("egnn-nd", "--data", "x.npz", "--index", 0), "x.npz"),
    "format": (("egnn-nd", "--scenario", "bound", "--formats", "mp5"), "mp4"),
    "rotation": (("egnn-nd", "--scenario", "bound", "--rotate", "0-1"), "i-j:degrees"),
    "plane": (("egnn-nd", "--scenario", "bound", "--rotate", "0-3:10"), "axis 3"),
    "two rotations": (("egnn-nd", "--scenario", "bound", "--rotate", "0-1:1", "--random-rotation", 1), "exclude"),
    "operation": (("egnn-nd", "--scenario", "bound", "--rotate", "0-1:3,random:x"), "random:NUMBER"),
    "law of stored data": (("egnn-nd", "--data", "x", "--index", 0, "--law", "reference"), "--law"),
    "law": (("egnn-nd", "--scenario", "bound", "--law", "coulomb"), "reference"),
    "mirror": (("egnn-nd", "--scenario", "bound", "--reflect", 7), "axis 7"),
    "dims down": (("egnn-nd", "--scenario", "hexagon", "--dims", 2), "n = 3 or more"),
    "dims of the model": (("gnn-nbody", "--scenario", "bound", "--dims", 4), "n = 3 only"),
    "particles": (("egnn-nd", "--scenario", "bound", "--particles", 1), "at least 2"),
    "option": (("egnn-nd", "--scenario", "bound", "--rotation", "0-1:3"), "--rotation"),
    "frames": (("egnn-nd", "--scenario", "bound", "--frames", 0), "at least 1"),
    "code": (("os:getcwd", "--scenario", "bound"), "--trust-code"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_writes_nothing(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, said = BAD[case]
    assert in_process(*arguments, "--out", "out") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1, error
    assert said in error
    assert list(tmp_path.iterdir()) == []


def test_help_lists_and_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert in_process("--list") == 0
    listed = capsys.readouterr().out
    assert "bound-4d" in listed
    assert "egnn-nbody" in listed
    for main in (compare.main, bench.main, publish.main):
        for option in ("--help", "--version"):
            with pytest.raises(SystemExit) as ended:
                main([option])
            assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in EXPORTERS)


def test_the_demo_leaves_a_report_and_can_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, mine = tmp_path / "demo", tmp_path / "mine"
    done = command("surrogate.demo", "--out", "demo", "--frames", 4, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "MSE 0.00" in done.stdout
    assert "report.html" in done.stdout
    assert (out / "report.html").stat().st_size > 10_000
    (out / "report.html").write_text("of the first run")
    monkeypatch.setattr(demo, "published_error", lambda *_: (0.5, 0.5, 0.5))
    assert run_command(demo.main, ["--out", str(out), "--frames", "2"]) == 0
    assert (out / "report.html").stat().st_size > 10_000
    mine.mkdir()
    (mine / "notes.txt").write_text("kept")
    assert run_command(demo.main, ["--out", str(mine)]) == 2
    assert (mine / "notes.txt").read_text() == "kept"
