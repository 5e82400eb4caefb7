"""`load()`: shipped names, runs and checkpoints, what is damaged, and models from outside."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import surrogate
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.loading import load, load_predictor
from surrogate.models import MODELS
from surrogate.training.checkpoint import ModelError, save_checkpoint
from tests.surrogate.helpers import info_of, saved_model, state, tiny_config, tiny_model

# Ours


def test_loaded_forecasts_follow_what_is_done_to_the_network(tmp_path: Path) -> None:
    model = load(saved_model(tmp_path / "run"))
    given = state(dtype=np.float32)
    before = model.forecast(*given).positions
    np.testing.assert_array_equal(model.forecast(*given).positions, before)
    with torch.no_grad():
        for parameter in model.network(torch.float32).parameters():
            parameter.mul_(1.5)
    assert np.abs(model.forecast(*given).positions - before).max() > 1e-3


def test_the_package_offers_load(tmp_path: Path) -> None:
    assert surrogate.load is load_predictor
    assert surrogate.Forecaster is Forecaster
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        surrogate.lod  # noqa: B018


@pytest.mark.parametrize("name", MODELS)
def test_save_and_load_are_exact(name: str, tmp_path: Path) -> None:
    folder = saved_model(tmp_path / "m", name)
    model = load(folder)
    original = Forecaster(tiny_model(name), name=name, card={}, horizon=1.0)
    for dtype in (np.float32, np.float64):
        given = state(dtype=dtype)
        a, b = model.forecast(*given), original.forecast(*given)
        np.testing.assert_array_equal(a.positions, b.positions)
        assert (a.velocities is None) == (b.velocities is None)
        if a.velocities is not None:
            np.testing.assert_array_equal(a.velocities, b.velocities)
    assert model.card == info_of(tiny_config())["card"]
    horizons = "any" if MODELS[name].model.any_horizon else (1.0,)
    assert (model.name, model.horizons, len(model.digest)) == ("m", horizons, 64)


def test_a_run_a_checkpoint_folder_and_its_file_are_the_same_model(tmp_path: Path) -> None:
    saved_model(tmp_path / "run" / "best")
    paths = [tmp_path / "run", tmp_path / "run" / "best", tmp_path / "run" / "best" / "checkpoint.safetensors"]
    models = [load(p) for p in paths]
    assert len({m.digest for m in models}) == 1
    assert [m.name for m in models] == ["run", "best", "checkpoint"]
    assert load(str(tmp_path / "run")).digest == models[0].digest


@pytest.mark.parametrize(
    "name", ["no-such-model", "egnn-nbod", "", "x" * 5000, "a\0b", "/dev/null", ":", "a:", ":b"]
)
def test_unknown_models(name: str) -> None:
    with pytest.raises(ModelError) as caught:
        load(name)
    assert len(str(caught.value).splitlines()) == 1


def test_a_folder_without_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no checkpoint here \(expected checkpoint.safetensors\)"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"config": None}, "must be a table"),
        ({"config": []}, "must be a table"),
        ({"config": {"model": {"name": "egn"}}}, "did you mean 'egnn' or 'egno'?"),
        ({"config": {"model": {"name": "egnn", "hidden": 10**9}}}, "model.hidden must be from 1 to 1024"),
        ({"config": {"model": {"name": "egnn", "hidden": 1024, "layers": 99}}}, "weights; at most"),
        ({"config": {"model": {"name": "egnn", "hidden": 16, "layers": 2}}}, "weights do not fit model 'egnn'"),
        ({"config": {"model": {"name": "gnn", "hidden": 8, "layers": 2}}}, "weights do not fit model 'gnn'"),
        ({"scales": None}, "not a forecasting checkpoint"),
        ({"scales": {"length": 0.0, "time": 1.0}}, "no usable horizon and scales"),
        ({"scales": {"length": 10**400, "time": 1.0}}, "not a forecasting checkpoint"),
        ({"horizon": -1.0}, "no usable horizon and scales"),
        ({"horizon": "soon"}, "not a forecasting checkpoint"),
        ({"horizon": []}, "not a forecasting checkpoint"),
        ({"card": "good"}, "no usable card"),
        ({"card": {"dims": 3}}, "no usable card"),
        ({"card": {"dims": ["3"]}}, "no usable card"),
        ({"card": {"laws": ["coulomb"]}}, "no usable card"),
    ],
)
def test_a_description_that_does_not_fit(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    folder = saved_model(tmp_path / "m", info=change)
    with pytest.raises(ModelError) as caught:
        load(folder)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_restart_point_is_no_model(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, {"config": tiny_config().as_dict(), "progress": {}}, dict(tiny_model().state_dict()))
    with pytest.raises(ModelError, match="not a forecasting checkpoint"):
        load(tmp_path)


@pytest.mark.parametrize("how", ["missing", "extra", "shape", "dtype"])
def test_weights_that_do_not_fit(how: str, tmp_path: Path) -> None:
    weights = dict(tiny_model().state_dict())
    name = "layers.1.edge_out.bias"
    if how == "missing":
        del weights[name]
    elif how == "extra":
        weights["more"] = torch.zeros(3)
    else:
        weights[name] = torch.zeros(9) if how == "shape" else weights[name].double()
    save_checkpoint(tmp_path, info_of(tiny_config()), weights)
    with pytest.raises(
        ModelError, match=f"weights do not fit model 'egnn' .first: {'more' if how == 'extra' else name}"
    ):
        load(tmp_path)


# Models from outside


class Ballistic:
    """The contract's `forecast`, and no more."""

    def forecast(self, positions: Any, velocities: Any, charges: Any, horizon: float = 1.0, *, masses: Any = None):
        return SimpleNamespace(positions=positions + horizon * velocities, velocities=velocities)


class Declared(Ballistic):
    horizons, dims, particles, gives_velocity, evaluations, group = (2.0,), (3,), (5,), True, 3, "E(n)"
    card = {"dims": [3], "particles": [5]}  # noqa: RUF012


def not_a_model() -> int:
    return 3


def breaks() -> None:
    raise ZeroDivisionError("inside")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(sys.modules, "outside_models_of_this_test", sys.modules[__name__])
    return "outside_models_of_this_test"


def test_foreign_code_runs_only_when_trusted(here: str) -> None:
    with pytest.raises(ModelError, match="add --trust-code if you trust it"):
        load(f"{here}:breaks")
    model = load(f"{here}:Ballistic", trust_code=True)
    with pytest.raises(ModelError, match="chooses none"):
        model.forecast(np.zeros((2, 3)), np.zeros((2, 3)), np.ones(2), evaluations=3)
    x, v, q = state()
    np.testing.assert_array_equal(model.forecast(x, v, q, 0.3).positions, x + 0.3 * v)
    assert (model.horizons, model.dims, model.evaluations, model.chooses_evaluations) == ("any", "any", 0, False)
    model.refuse_unfit(3, 5, 0.3)
    assert model.outside(9, 9) == ()
    out_x, out_v = model.forecast_in(x, v, q, torch.float64)
    np.testing.assert_array_equal(out_x, x + v)
    np.testing.assert_array_equal(out_v, v)


def test_a_foreign_model_may_declare_its_limits(here: str) -> None:
    model = load(f"{here}:Declared", trust_code=True)
    assert (model.horizon, model.evaluations, model.group, model.gives_velocity) == (2.0, 3, "E(n)", True)
    with pytest.raises(ValueError, match="horizon of 2 only"):
        model.refuse_unfit(3, 5, 1.0)
    with pytest.raises(ValueError, match="runs in n = 3 only"):
        model.refuse_unfit(2, 5, 2.0)
    assert model.outside(3, 7) == ("N = 7 (trained: 5)",)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("nothing", "cannot be made"),
        ("not_a_model", "returned int; expected an object with forecast"),
        ("breaks", "cannot be made .ZeroDivisionError: inside"),
        ("", "cannot be made"),
    ],
)
def test_foreign_code_that_is_no_model(here: str, what: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        load(f"{here}:{what}", trust_code=True)
    with pytest.raises(ModelError, match="cannot be made"):
        load("no_such_module_anywhere:thing", trust_code=True)


def test_a_foreign_forecast_of_the_wrong_shape(here: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ballistic, "forecast", lambda self, x, v, q, h, masses: SimpleNamespace(positions=x[:1]))
    model = load(f"{here}:Ballistic", trust_code=True)
    x, v, q = state()
    with pytest.raises(ModelError, match="forecast positions must be"):
        model.forecast_in(x, v, q, torch.float32)
