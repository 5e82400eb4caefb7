"""The benchmark: baselines at equal cost, seeds, the published set, roll-outs, any horizon, refusals."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from physics.baselines.references import leapfrog_forecast
from physics.datasets.reading import read_split
from physics.datasets.request import request_from_options
from physics.generate import generate
from physics.laws import LAWS
from surrogate import benchmark, evaluate
from surrogate.evaluation.benchmark.models import (
    fitted_models,
    force_evaluations,
    forecast_with_cost,
    listed_models,
    loaded_models,
)
from surrogate.evaluation.benchmark.rollouts import (
    benchmark_rollout_set,
    leapfrog_rollouts,
    perturbed_rollouts,
    rollout_row,
)
from surrogate.evaluation.evaluation_set import evaluation_set
from surrogate.inference.loading import load
from surrogate.inference.rollout import rollout_batch
from tests.surrogate.helpers import command, npz, refused, saved_model, tiny_arrays, tree

REFERENCE = Path(__file__).parents[1] / "data" / "reference_seed43_first40.npz"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 windows of charged-bound, n = 2, N = 3, made with coarse steps."""
    path = tmp_path_factory.mktemp("data") / "bound.zarr"
    generate(request_from_options("charged-bound", {"test": "12"}, 2, 3, None, {"dt": "0.001"}), path)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("surrogate.evaluation.benchmark.measurements.EVALUATIONS", (8, 32))
    for name in ("egnn", "linear", "gnn"):
        saved_model(tmp_path / name, name)
    for seed in range(2):
        saved_model(tmp_path / f"int-{seed}", "integrator")
    return tmp_path


def result_of(folder: Path, capsys: pytest.CaptureFixture[str], *argv: object) -> dict[str, Any]:
    status, out, err = command(benchmark.main, capsys, *argv, "--out", "out", "--overwrite")
    assert status == 0, err
    assert "law calls per pair" in out
    text = (folder / "out" / "benchmark.json").read_text(encoding="utf-8")
    assert "NaN" not in text
    found: dict[str, Any] = json.loads(text)
    return found


def row(found: dict[str, Any], name: str, evaluations: float | None = None) -> dict[str, Any]:
    rows = [r for r in found["rows"] if r["entrant"] == name and evaluations in (None, r["evaluations"])]
    assert len(rows) == 1
    return dict(rows[0])


def test_models_and_opponents_at_equal_cost(folder: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = result_of(folder, capsys, "--models", "int,linear", "--seeds", "2", "--data", data)
    task = evaluation_set(read_split(data, "test"), "test")
    errors = task.errors(leapfrog_forecast(task.windows, 1.0, 8)[0])
    known = row(found, "leapfrog", 8)
    assert known["mse"] == pytest.approx(errors.mean(), rel=1e-12)
    assert known["mse_median"] == pytest.approx(np.median(errors), rel=1e-12)
    assert known["law_calls_per_pair"] == 8
    assert known["won"] is None
    learned = row(found, "int", 8)
    model = load("int-0").with_evaluations(8)
    mine = task.errors(model.forecast_in(task.windows.x, task.windows.v, task.windows.q, torch.float32)[0])
    assert learned["seeds"] == 2
    assert learned["mse"] == pytest.approx(mine.mean(), rel=1e-6)  # both seeds have the same weights
    assert learned["mse_spread"] == pytest.approx(0.0, abs=1e-12)
    assert learned["won"] == pytest.approx((mine < errors).mean())
    assert learned["law_calls_per_pair"] >= 8
    calls = round(learned["law_calls_per_pair"])
    costly = task.errors(leapfrog_forecast(task.windows, 1.0, calls)[0])
    assert learned["won_at_equal_calls"] == pytest.approx((mine < costly).mean())
    assert found["digests"]["int"] == [load(f"int-{k}").digest for k in range(2)]
    straight = row(found, "linear")
    assert (straight["table"], straight["evaluations"]) == ("own", 0)
    adaptive = [r for r in found["rows"] if r["entrant"] == "adaptive"]
    assert [r["evaluations"] for r in adaptive] == [pytest.approx(8, rel=0.1), pytest.approx(32, rel=0.1)]
    assert adaptive[1]["mse"] < adaptive[0]["mse"]
    names = {path.name for path in (folder / "out").iterdir()}
    assert names == {"benchmark.json", "benchmark.md", "wall-time.png", "evaluations.png", "rollouts.png"}
    report = (folder / "out" / "benchmark.md").read_text(encoding="utf-8")
    assert report.index("1. Wall time") < report.index("2. Exactly K") < report.index("3. A mean K")
    rolled = {(r["entrant"], r["evaluations"]) for r in found["rollouts"]}
    assert {("int", 16), ("int", 32), ("linear", 0), ("leapfrog", 128), ("truth moved by 1e-6", None)} <= rolled
    assert all("law_calls_per_pair" in r for r in found["rollouts"] if r["evaluations"] is not None)


def test_at_another_horizon_a_model_takes_as_many_evaluations_per_unit_of_time(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    npz(folder / "long.npz", tiny_arrays(spacing=4.0))
    split = read_split(folder / "long.npz", "test")
    task = evaluation_set(split, "test")
    (integrator,), left_out = fitted_models(loaded_models(listed_models("int=int-0,linear", 1)), task)
    assert task.horizon == 4.0
    assert integrator.seeds[0].horizon == 4.0
    assert integrator.seeds[0].evaluations == 4 * load("int-0").evaluations
    assert "forecasts a horizon of 1 only; got 4" in left_out["linear"]
    argv = ["int-0", "--data", "long.npz", "--json", "evaluation.json"]
    assert command(evaluate.main, capsys, *argv)[0] == 0
    evaluation = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    benchmarked = integrator.measured(task, None)
    assert benchmarked.evaluations == evaluation["evaluations"] == 8
    assert benchmarked.errors.mean() == pytest.approx(evaluation["mse"], rel=1e-12)


def test_law_calls_are_averaged_over_windows(data: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = evaluation_set(read_split(data, "test"), "test")
    model = load("int-0").with_evaluations(4)
    x, v, cost = forecast_with_cost(model, task.windows, torch.float64)
    monkeypatch.setattr("surrogate.inference.batched_forward.BATCH_EDGES", 6)  # one window at a time
    y, w, in_parts = forecast_with_cost(model, task.windows, torch.float64)
    np.testing.assert_allclose(x, y, rtol=1e-12)
    assert v is not None
    assert w is not None
    assert force_evaluations(cost) == pytest.approx(force_evaluations(in_parts), rel=1e-9)
    assert force_evaluations(forecast_with_cost(load("linear"), task.windows, torch.float64)[2]) == 0


def test_rollouts_know_a_good_path_from_a_bad_one(data: Path) -> None:
    split = read_split(data, "test")
    task = evaluation_set(split, "test")
    truth = benchmark_rollout_set(split, task, 6)
    assert truth is not None
    assert (len(truth.start), truth.n_horizons) == (6, 20)
    exact = rollout_row(truth, (truth.x, truth.v))
    assert exact["valid_time_median"] == 20
    assert exact["energy_drift_median"] < 1e-2
    still = rollout_row(truth, rollout_batch(lambda x, v: (x, v), truth.start.x, truth.start.v, truth.n_horizons))
    assert still["valid_time_median"] <= 1
    assert still["momentum_drift_median"] == 0
    coarse, fine = leapfrog_rollouts(truth, 4), leapfrog_rollouts(truth, 128)
    assert coarse["valid_time_mean"] < fine["valid_time_mean"]
    assert coarse["energy_drift_median"] > fine["energy_drift_median"]
    assert fine["angular_momentum_drift_median"] < 1e-11
    moved = perturbed_rollouts(truth)
    assert fine["valid_time_mean"] < moved["valid_time_mean"]
    assert 1e-8 < moved["rmse_median"][0] < 1e-2
    spin = rollout_row(truth, (truth.x, truth.v + 0.1))
    assert spin["momentum_drift_median"] == pytest.approx(0.1 * 3 * np.sqrt(2), rel=1e-6)


def test_the_published_set_has_clean_windows_and_a_paired_excess(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(REFERENCE) as archive:
        arrays = {name: archive[name] for name in archive.files}
    npz(folder / "ref.npz", arrays, recipe={"preset": "nbody-reference", "law": "reference", "dt": 0.001})
    found = result_of(folder, capsys, "--models", "gnn,egnn", "--data", "ref.npz")
    assert 26 <= found["clean_windows"] < 40
    simulator = row(found, "isotropic simulator")
    assert simulator["excess"] == 0
    assert simulator["mse_clean"] < 1e-9 < simulator["mse"]
    own = row(found, "egnn")
    assert own["excess"] == pytest.approx(own["mse"] - simulator["mse"], rel=1e-6)
    assert own["excess_low"] < own["excess"] < own["excess_high"]
    assert found["rollouts"] == []
    assert {"leapfrog", "adaptive", "adaptive, isotropic clamp"} <= {r["entrant"] for r in found["rows"]}


def test_data_of_an_unknown_law_have_no_opponent_but_models(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    npz(folder / "own.npz", tiny_arrays(spacing=1.0))
    found = result_of(folder, capsys, "--models", "egnn,linear", "--data", "own.npz")
    assert (found["law"], found["opponent"]) == (None, None)
    assert row(found, "egnn")["won"] is None
    found = result_of(folder, capsys, "--models", "egnn,linear", "--data", "own.npz", "--opponent", "linear")
    assert 0 <= row(found, "egnn")["won"] <= 1
    assert row(found, "linear")["won"] is None
    assert found["rollouts"][0]["energy_drift_median"] is None


def test_models_that_do_not_fit_are_left_out_and_said(
    folder: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = result_of(folder, capsys, "--models", "gnn,egnn", "--data", data, "--samples", "4")
    assert "runs in n = 3 only" in found["left_out"]["gnn"]
    assert "n = 2" in found["outside_training"]["egnn"][0]
    assert row(found, "egnn")["windows"] == 4


def test_every_law_can_be_the_opponent() -> None:
    for law in (*LAWS, "gravity+coulomb"):
        w = windows_of_law(law)
        assert np.isfinite(leapfrog_forecast(w, 0.2, 3)[0]).all()


@pytest.mark.parametrize(
    ("law", "known"), [("coulomb", True), ("gravity+coulomb", True), ("coulomb+", False), (None, False)]
)
def test_a_sum_of_laws_is_a_known_law(law: str | None, known: bool, data: Path) -> None:
    split = read_split(data, "test")
    named = replace(split, recipe={**split.recipe, "law": law, "parameters": {}})
    assert evaluation_set(named, "test").knows_law == known


def windows_of_law(law: str) -> Any:
    from physics.baselines.references import Windows

    x, v = np.random.default_rng(0).standard_normal((2, 2, 3, 3))
    return Windows(x, v, np.ones((2, 3)), np.ones((2, 3)), law)


def test_names_stand_for_seeds(folder: Path) -> None:
    two = listed_models("int", 2)
    assert (two[0].name, two[0].paths) == ("int", ("int-0", "int-1"))
    assert listed_models("a=int-0+int-1,egnn", 1)[0].paths == ("int-0", "int-1")
    assert listed_models("some/egnn", 3)[0].paths == ("some/egnn",)
    assert listed_models("egnn,int", 2)[0].paths == ("egnn",)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--models", "egnn"], "--data"),
        (["--data", "none.npz", "--models", "egnn"], "none.npz: no such data set"),
        (["--data", "own.npz", "--models", "none"], "unknown model 'none'"),
        (["--data", "own.npz", "--models", "int", "--seeds", "3"], "int-2"),
        (["--data", "own.npz", "--models", "a=int-0+int-1", "--seeds", "3"], "--seeds 3 asks for more"),
        (["--data", "own.npz", "--models", "=int-0"], "must read NAME=RUN1+RUN2"),
        (["--data", "own.npz", "--models", "egnn,egnn"], "listed twice"),
        (["--data", "own.npz", "--models", ","], "no model is named"),
        (["--data", "own.npz", "--models", "egnn", "--opponent", "lepfrog"], "unknown opponent 'lepfrog'"),
        (["--data", "own.npz", "--models", "egnn", "--seeds", "0"], "must be a whole number of at least 1"),
        (["--data", "own.npz", "--models", "egnn", "--out", "egnn"], "egnn: already exists"),
        (["--data", "own.npz", "--models", "egnn", "--out", "egnn", "--overwrite"], "with benchmark.json"),
        (["--data", "own.npz", "--models", "x:y"], "add --trust-code"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    argv: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    npz(folder / "own.npz", tiny_arrays(spacing=1.0))
    before = tree(folder)
    out = [] if "--out" in argv else ["--out", "new"]
    status, stdout, err = command(benchmark.main, capsys, *argv, *out)
    assert said in refused(status, err)
    assert stdout == ""
    assert tree(folder) == before
