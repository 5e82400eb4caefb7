"""The evaluate command, run in this process: its numbers against their definitions, and its refusals."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from physics.baselines.orientation import clean_windows, largest_forces
from physics.datasets.reading import read_split
from surrogate.evaluate import main
from surrogate.evaluation.single_forecasts import evaluation
from surrogate.inference.loading import load
from tests.surrogate.helpers import command, npz, refused, saved_model, tiny_arrays, tree

KEYS = {
    "mse",
    "mse_median",
    "mse_p99",
    "mse_stderr",
    "samples",
    "non_finite",
    "equivariance_error",
    "equivariance_error_max",
    "evaluations",
    "forward_ms",
    "dtype",
    "model",
    "data",
    "command",
}
"""What is promised of every --json file."""
REFERENCE = Path(__file__).parents[1] / "data" / "reference_seed43_first40.npz"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("surrogate.evaluation.single_forecasts.FORWARD_REPEATS", 2)
    npz(tmp_path / "data.npz", tiny_arrays(spacing=1.0))
    for name in ("egnn", "gnn", "linear", "egnn-recurrent", "integrator"):
        saved_model(tmp_path / name, name)
    return tmp_path


def numbers(folder: Path, capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    status, out, err = command(main, capsys, *argv, "--json", folder / "out.json", "--overwrite")
    assert status == 0, err
    text = (folder / "out.json").read_text(encoding="utf-8")
    assert "NaN" not in text
    assert "Infinity" not in text
    found = json.loads(text)
    assert set(found) >= KEYS
    assert found["model"] in out
    assert "Traceback" not in err
    return found


@pytest.mark.parametrize("name", ["egnn", "gnn", "linear", "egnn-recurrent", "integrator"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_numbers_are_those_of_the_forecasts(
    name: str, dtype: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = numbers(folder, capsys, name, "--data", "data.npz", "--dtype", dtype)
    arrays = tiny_arrays(spacing=1.0)
    model = load(folder / name)
    kind = torch.float32 if dtype == "float32" else torch.float64
    x, _ = model.forecast_in(arrays["positions"][:, 0], arrays["velocities"][:, 0], arrays["charges"], kind)
    errors = ((x - arrays["positions"][:, 1]) ** 2).mean(axis=(1, 2))
    assert found["mse"] == pytest.approx(errors.mean(), rel=1e-12)
    assert found["mse_median"] == pytest.approx(np.median(errors), rel=1e-12)
    assert (found["samples"], found["non_finite"], found["dtype"], found["model"]) == (12, 0, dtype, name)
    limit = {"float32": 1e-4, "float64": 1e-10}[dtype]
    if name == "gnn":
        assert found["equivariance_error"] > 1e-2
    else:
        assert found["equivariance_error"] <= found["equivariance_error_max"] < limit
    assert found["evaluations"] == {"egnn": 2, "gnn": 2, "linear": 0, "egnn-recurrent": 2, "integrator": 2}[name]
    assert found["forward_ms"] > 0
    assert (found["input_frame"], found["target_frame"], found["horizon"]) == (0, 1, 1.0)
    assert found["command"].startswith(f"python -m surrogate.evaluate {name} --data data.npz")
    assert (found["velocity_mse"] is None) == (not model.gives_velocity)


def test_a_model_that_chooses_spends_what_it_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    npz(folder / "heavy.npz", tiny_arrays(spacing=1.0), masses=np.random.default_rng(0).uniform(0.5, 2, (12, 3)))
    argv = ["integrator", "--data", "heavy.npz", "--dtype", "float64"]
    usual = numbers(folder, capsys, *argv)
    assert numbers(folder, capsys, *argv, "--evaluations", "2")["mse"] == usual["mse"]
    more = numbers(folder, capsys, *argv, "--evaluations", "5")
    assert (usual["evaluations"], more["evaluations"]) == (2, 5)
    own = numbers(folder, capsys, *argv, "--tolerance", "1e-12")
    assert own["evaluations"] > 2 == usual["evaluations"]
    assert (own["tolerance"], usual["tolerance"]) == (1e-12, None)
    assert more["mse"] != usual["mse"]
    split = read_split(folder / "heavy.npz", "test")
    x, v, q, m = split.positions[:, 0], split.velocities[:, 0], split.charges, split.masses
    model = load(folder / "integrator")
    found = model.forecast(*(np.asarray(a, dtype=np.float64) for a in (x, v, q)), masses=m, evaluations=5)
    assert more["mse"] == pytest.approx(((found.positions - split.positions[:, 1]) ** 2).mean(), rel=1e-12)
    longer = numbers(folder, capsys, *argv, "--target-frame", "3")  # any horizon, at the usual rate
    assert (longer["horizon"], longer["evaluations"]) == (3.0, 6)


def test_an_evaluation_repeats_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    once = numbers(folder, capsys, "egnn", "--data", "data.npz", "--rotations", "3", "--rotation-seed", "5")
    twice = numbers(folder, capsys, "egnn", "--data", "data.npz", "--rotations", "3", "--rotation-seed", "5")
    assert {k: v for k, v in once.items() if k != "forward_ms"} == {
        k: v for k, v in twice.items() if k != "forward_ms"
    }
    other = numbers(folder, capsys, "gnn", "--data", "data.npz", "--rotation-seed", "6")
    assert (
        other["equivariance_error"] != numbers(folder, capsys, "gnn", "--data", "data.npz")["equivariance_error"]
    )


def test_the_published_law_has_a_clean_part(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with np.load(REFERENCE) as archive:
        arrays = {name: archive[name] for name in archive.files}
    npz(folder / "ref.npz", arrays, recipe={"preset": "nbody-reference", "law": "reference", "dt": 0.001})
    found = numbers(folder, capsys, "egnn", "--data", "ref.npz")
    assert (found["input_frame"], found["target_frame"]) == (30, 40)
    split = read_split(folder / "ref.npz", "test")
    x, v = split.positions[:, 30], split.velocities[:, 30]
    clean = clean_windows(largest_forces(x, v, split.charges, dt=0.001, n_steps=1000))
    assert found["samples_clean"] == clean.sum()
    assert found["samples"] == 40
    forecast, _ = load(folder / "egnn").forecast_in(x, v, split.charges, torch.float32)
    errors = ((forecast - split.positions[:, 40]) ** 2).mean(axis=(1, 2))[clean]
    assert found["mse_clean"] == pytest.approx(errors.mean(), rel=1e-9)
    assert "mse_clean" not in numbers(folder, capsys, "egnn", "--data", "data.npz")


@pytest.mark.parametrize(
    "recipe",
    [
        {"law": "reference", "dt": "small"},
        {"law": "reference", "dt": 0},
        {"law": "reference", "dt": 1e-300},
        {"law": "reference", "dt": -1.0},
        {"law": "coulomb", "parameters": "x", "preset": ["a"]},
        {"law": ["coulomb"], "parameters": 3},
        {"preset": {"a": 1}},
    ],
)
def test_strange_recipes_do_not_stop_an_evaluation(
    recipe: dict[str, Any], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    npz(folder / "strange.npz", tiny_arrays(spacing=1.0), recipe=recipe)
    assert numbers(folder, capsys, "linear", "--data", "strange.npz")["samples"] == 12


def test_forecasts_that_are_not_finite_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arrays = tiny_arrays(spacing=1.0)
    arrays["positions"][2] *= 1e30
    npz(folder / "huge.npz", arrays)
    found = numbers(folder, capsys, "egnn", "--data", "huge.npz")
    assert found["non_finite"] == 1
    assert [found[key] for key in ("mse", "mse_median", "mse_p99", "mse_stderr")] == [None] * 4
    assert found["equivariance_error"] is None


def test_outside_training_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    npz(folder / "flat.npz", tiny_arrays(n=2, spacing=1.0))
    found = numbers(folder, capsys, "egnn", "--data", "flat.npz")
    assert [reason[:5] for reason in found["outside_training"]] == ["n = 2", "N = 3"]
    status, out, _ = command(main, capsys, "egnn", "--data", "flat.npz")
    assert status == 0
    assert "outside training" in out


class Ballistic:
    card = {"dims": [3]}  # noqa: RUF012

    def forecast(self, x: Any, v: Any, q: Any, horizon: float = 1.0, *, masses: Any = None) -> SimpleNamespace:
        return SimpleNamespace(positions=x + horizon * v, velocities=v)


def test_an_outside_model_of_any_horizon(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "outside_model_here", sys.modules[__name__])
    argv = ["outside_model_here:Ballistic", "--data", "data.npz", "--dtype", "float64"]
    for target, horizon in (("1", 1.0), ("3", 3.0)):
        found = numbers(folder, capsys, *argv, "--trust-code", "--input-frame", "0", "--target-frame", target)
        assert found["horizon"] == horizon
        assert found["evaluations"] == 0  # as it declares, at any horizon
        assert found["mse"] == pytest.approx(found["mse_ballistic"], rel=1e-12)
        assert found["equivariance_error_max"] < 1e-12
    status, _, err = command(main, capsys, *argv)
    assert "add --trust-code" in refused(status, err)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "required"),
        (["egnn"], "--data"),
        (["egnn", "--data", "data.npz", "--bogus"], "unrecognized arguments: --bogus"),
        (["egnn", "--data", "none.npz"], "none.npz: no such data set"),
        (["egnn", "--data", "egnn"], "not a Zarr v3 group"),
        (["none", "--data", "data.npz"], "unknown model 'none'"),
        (["data.npz", "--data", "data.npz"], "data.npz: damaged or foreign checkpoint"),
        (["cut", "--data", "data.npz"], "damaged checkpoint"),
        (["empty", "--data", "data.npz"], "no checkpoint here"),
        (["egnn", "--data", "data.npz", "--evaluations", "8"], "always uses 2 evaluations and cannot choose"),
        (["linear", "--data", "data.npz", "--evaluations", "8"], "always uses 0 evaluations and cannot choose"),
        (
            ["egnn", "--data", "data.npz", "--tolerance", "1e-3"],
            "--tolerance: model 'egnn' always uses 2 evaluations",
        ),
        (["egnn", "--data", "data.npz", "--tolerance", "0"], "must be a finite number above 0"),
        (["egnn", "--data", "data.npz", "--evaluations", "0"], "must be a whole number of at least 1"),
        (["egnn", "--data", "data.npz", "--target-frame", "4"], "window 0 -> 4 does not fit frames 0 to 3"),
        (["egnn", "--data", "data.npz", "--input-frame", "4"], "window 4 -> 5 does not fit"),
        (["egnn", "--data", "data.npz", "--input-frame", "-7"], "--input-frame must be a frame number from 0"),
        (["egnn", "--data", "data.npz", "--target-frame", "2"], "forecasts a horizon of 1 only; got 2"),
        (["gnn", "--data", "flat.npz"], "runs in n = 3 only; got n = 2"),
        (["egnn", "--data", "one.npz"], "needs at least 2 particles; got N = 1"),
        (["egnn", "--data", "nan.npz"], "positions must be finite; got nan at index (3, 0, 0, 0)"),
        (["egnn", "--data", "heavy.npz"], "was made for unit masses"),
        (["egnn", "--data", "objects.npz"], "pickled objects, which are never loaded"),
        (["egnn", "--data", "data.npz", "--split", "tests"], "--split must be train, valid or test"),
        (["egnn", "--data", "data.npz", "--dtype", "float16"], "invalid choice: 'float16'"),
        (["egnn", "--data", "data.npz", "--rotations", "none"], "--rotations"),
        (["egnn", "--data", "data.npz", "--rotation-seed", "-1"], "--rotation-seed"),
        (["egnn", "--data", "data.npz", "--json", "old.json"], "old.json: already exists"),
        (["x" * 3000, "--data", "data.npz"], "not a model"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    argv: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    npz(folder / "flat.npz", tiny_arrays(n=2, spacing=1.0))
    npz(folder / "one.npz", tiny_arrays(particles=1, spacing=1.0))
    npz(folder / "heavy.npz", tiny_arrays(spacing=1.0), masses=np.full((12, 3), 2.0))
    arrays = tiny_arrays(spacing=1.0)
    arrays["positions"][3, 0, 0, 0] = np.nan
    npz(folder / "nan.npz", arrays)
    np.savez(folder / "objects.npz", positions=np.array([{}], dtype=object), times=np.zeros(1))
    (folder / "old.json").write_text("{}")
    (folder / "empty").mkdir()
    (folder / "cut").mkdir()
    whole = (folder / "egnn" / "checkpoint.safetensors").read_bytes()
    (folder / "cut" / "checkpoint.safetensors").write_bytes(whole[:-100])
    before = tree(folder)
    json_file = [] if "--json" in argv or not argv else ["--json", "new/out.json"]
    status, out, err = command(main, capsys, *argv, *json_file)
    assert said in refused(status, err)
    assert out == ""
    assert tree(folder) == before


def test_the_function_and_the_command_agree(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = numbers(folder, capsys, "egnn", "--data", "data.npz")
    direct = evaluation(load("egnn"), read_split("data.npz", "test"), "test")
    assert direct["mse"] == found["mse"]
    assert direct["equivariance_error"] == found["equivariance_error"]
