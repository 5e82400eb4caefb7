"""The border between users' arrays and the networks: kinds, shapes, dtypes, refusals, flags, outside models."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import surrogate
from physics import System
from physics.errors import InputError
from surrogate.checkpoint import ModelError, save_checkpoint
from surrogate.data import Scales
from surrogate.forecaster import Forecaster, load
from surrogate.models import MODELS
from tests.surrogate.helpers import info_of, saved_model, tiny_config, tiny_model

CARD = info_of(tiny_config())["card"]


def forecaster(name: str = "egnn", **changes: Any) -> Forecaster:
    return Forecaster(tiny_model(name, **changes), name=name, card=CARD, horizon=1.0)


def state(samples: int = 4, particles: int = 5, n: int = 3, dtype: Any = np.float64) -> list[np.ndarray]:
    rng = np.random.default_rng(7)
    x, v = rng.standard_normal((2, samples, particles, n))
    q = rng.choice([-1.0, 1.0], (samples, particles))
    return [a.astype(dtype) for a in (x, v, q)]


# Kinds, shapes, dtypes


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_comes_out_is_like_what_went_in(name: str, dtype: Any) -> None:
    model = forecaster(name)
    x, v, q = state(dtype=dtype)
    before = [a.copy() for a in (x, v, q)]
    arrays = model.forecast(x, v, q)
    tensors = model.forecast(*map(torch.from_numpy, (x, v, q)))
    assert (arrays.velocities is None) == (not model.gives_velocity)
    for array, tensor in ((arrays.positions, tensors.positions), (arrays.velocities, tensors.velocities)):
        if array is None:
            assert tensor is None
            continue
        assert isinstance(array, np.ndarray)
        assert array.dtype == dtype
        assert array.shape == x.shape
        assert isinstance(tensor, torch.Tensor)
        assert tensor.dtype == torch.from_numpy(x).dtype
        assert tensor.device == torch.device("cpu")
        np.testing.assert_array_equal(array, tensor.numpy())
    assert all(np.array_equal(a, b) for a, b in zip((x, v, q), before, strict=True))
    assert np.abs(arrays.positions - x).max() > 0.01


@pytest.mark.parametrize("name", MODELS)
def test_one_sample_equals_many(name: str) -> None:
    model = forecaster(name)
    x, v, q = state()
    many = model.forecast(x, v, q)
    for s in range(len(x)):
        one = model.forecast(x[s], v[s], q[s])
        assert one.positions.shape == (5, 3)
        np.testing.assert_allclose(one.positions, many.positions[s], rtol=0, atol=1e-13)
        if one.velocities is not None:
            np.testing.assert_allclose(one.velocities, many.velocities[s], rtol=0, atol=1e-13)
    shared = model.forecast(x, v, q[0])
    np.testing.assert_allclose(shared.positions[0], many.positions[0], rtol=0, atol=1e-13)


def test_large_requests_are_cut_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    model = forecaster()
    x, v, q = state(9)
    whole = model.forecast(x, v, q).positions
    monkeypatch.setattr("surrogate.forecaster.BATCH_EDGES", 45)  # two systems of 20 edges at a time
    np.testing.assert_allclose(model.forecast(x, v, q).positions, whole, rtol=0, atol=1e-13)


def test_float32_and_float64_are_computed_as_such() -> None:
    model = forecaster()
    x, v, q = state(dtype=np.float32)
    single = model.forecast(x, v, q).positions
    double = model.forecast(*(a.astype(np.float64) for a in (x, v, q))).positions
    gap = np.abs(single - double).max()
    assert 1e-9 < gap < 1e-5
    mixed = model.forecast(x, v.astype(np.float64), q.astype(np.float64)).positions
    np.testing.assert_array_equal(mixed, single)


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.float16, np.longdouble, bool, ">f8", list])
def test_everything_else_becomes_float64(kind: Any) -> None:
    model = forecaster()
    x = np.arange(15).reshape(5, 3) % 7
    v, q = np.ones((5, 3)), [1, -1, 1, -1, 1]
    given = x.tolist() if kind is list else x.astype(kind)
    found = model.forecast(given, v, q).positions
    assert found.dtype == np.float64
    expected = model.forecast((x.astype(bool) if kind is bool else x).astype(np.float64), v, q).positions
    np.testing.assert_array_equal(found, expected)


def test_foreign_byte_order_keeps_its_width() -> None:
    x, v, q = state(dtype=np.float32)
    found = forecaster().forecast(x.astype(">f4"), v, q).positions
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, forecaster().forecast(x, v, q).positions)


def test_integer_and_half_tensors_become_float64() -> None:
    x = torch.arange(15).reshape(5, 3) % 7
    for given in (x, x.half(), x.bfloat16()):
        assert forecaster().forecast(given, x, torch.ones(5)).positions.dtype == torch.float64


@pytest.mark.parametrize("name", MODELS)
def test_tensors_stay_differentiable(name: str) -> None:
    model = forecaster(name)
    x, v, q = (torch.from_numpy(a) for a in state(2))

    def positions(x: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return model.forecast(x, v, q).positions

    x.requires_grad_()
    v.requires_grad_()
    assert torch.autograd.gradcheck(positions, (x, v), atol=1e-5)
    detached = model.forecast(x.detach().numpy(), v.detach().numpy(), q.numpy())
    np.testing.assert_array_equal(detached.positions, positions(x, v).detach().numpy())


def test_far_from_the_origin_centring_saves_the_digits() -> None:
    x, v, q = state()
    model = forecaster()
    here, _ = model.forecast_in(x, v, q, torch.float32)
    there, _ = model.forecast_in(x + 1e6, v, q, torch.float32)
    np.testing.assert_allclose(there - 1e6, here, rtol=0, atol=1e-5)


# Refusals


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"positions": np.zeros((2, 2, 5, 3))}, "positions must be (samples, N, n) or (N, n); got shape"),
        ({"positions": np.zeros(3)}, "positions must be (samples, N, n) or (N, n); got shape (3,)"),
        ({"positions": np.zeros((0, 5, 3))}, "positions must not be empty"),
        ({"positions": "here"}, "positions must be real numbers; got str"),
        ({"positions": None}, "positions must be real numbers; got NoneType"),
        ({"positions": [[1, 2], [3]]}, "positions must be real numbers; got list"),
        ({"positions": np.zeros((5, 3), dtype=complex)}, "positions must be real numbers"),
        ({"positions": torch.zeros((5, 3), dtype=torch.complex64)}, "positions must be real numbers"),
        ({"velocities": np.zeros((4, 5, 2))}, "velocities must be (4, 5, 3) as positions; got shape (4, 5, 2)"),
        ({"velocities": np.full((4, 5, 3), np.inf)}, "velocities must be finite; got inf at index (0, 0, 0)"),
        ({"charges": np.zeros(4)}, "charges must be (4, 5) or (5,); got shape (4,)"),
        ({"charges": 1.0}, "charges must be (4, 5) or (5,); got shape ()"),
        ({"charges": np.zeros((4, 5, 1))}, "charges must be (4, 5) or (5,)"),
        ({"masses": np.full(5, 2.0)}, "was made for unit masses"),
        ({"masses": np.ones(3)}, "masses must be (4, 5) or (5,)"),
        ({"horizon": 0.5}, "forecasts a horizon of 1 only; got 0.5"),
        ({"horizon": float("nan")}, "forecasts a horizon of 1 only; got nan"),
        ({"horizon": -1.0}, "forecasts a horizon of 1 only; got -1"),
    ],
)
def test_what_does_not_fit_is_a_value_error_that_says_so(change: dict[str, Any], said: str) -> None:
    x, v, q = state()
    given = {"positions": x, "velocities": v, "charges": q, **change}
    with pytest.raises(ValueError) as caught:
        forecaster().forecast(**given)
    assert isinstance(caught.value, InputError)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_single_bad_number_is_located() -> None:
    x, v, q = state()
    x[2, 3, 1] = np.nan
    with pytest.raises(ValueError, match=r"positions must be finite; got nan at index \(2, 3, 1\)"):
        forecaster().forecast(x, v, q)
    with pytest.raises(ValueError, match=r"positions must be finite"):
        forecaster().forecast(torch.from_numpy(x), v, q)


def test_unit_masses_are_no_masses() -> None:
    x, v, q = state()
    with_masses = forecaster().forecast(x, v, q, masses=np.ones(5))
    np.testing.assert_array_equal(with_masses.positions, forecaster().forecast(x, v, q).positions)


@pytest.mark.parametrize("name", MODELS)
def test_one_particle_is_refused(name: str) -> None:
    x, v, q = state(particles=1)
    with pytest.raises(ValueError, match="needs at least 2 particles; got N = 1"):
        forecaster(name).forecast(x, v, q)


def test_other_dimensions_are_refused_by_the_gnn_only() -> None:
    x, v, q = state(n=2)
    with pytest.raises(ValueError, match="runs in n = 3 only; got n = 2"):
        forecaster("gnn").forecast(x, v, q)
    assert forecaster("egnn").forecast(x, v, q).positions.shape == x.shape
    assert forecaster("gnn").dims == (3,)
    assert forecaster("egnn").dims == "any"
    assert forecaster("gnn", dims=2).forecast(x, v, q).positions.shape == x.shape


# Outside training


def test_flags_outside_training() -> None:
    model = forecaster()
    x, v, q = state()
    assert model.forecast(x, v, q).outside_training == ()
    assert model.forecast(*state(n=4)).outside_training == ("n = 4 (trained: 3)",)
    reasons = model.forecast(*state(n=2, particles=7)).outside_training
    assert [r[:5] for r in reasons] == ["n = 2", "N = 7"]


def test_flags_another_law_and_other_masses() -> None:
    model = forecaster()
    assert model.outside(3, 5, {"law": "coulomb", "parameters": {"eps": 0.1}}) == ()
    (reason,) = model.outside(3, 5, {"law": "coulomb", "parameters": {"eps": 0.2}})
    assert reason.startswith("law coulomb")
    for strange in ("text", [1], 3, {"eps": "x"}):
        assert len(model.outside(3, 5, {"law": "coulomb", "parameters": strange})) == 1
    system = System(np.array([1.0, -1, 1, -1, 1]), masses=2.0)
    reasons = model.outside_system(system, 3)
    assert any("law" in r for r in reasons)
    assert "masses" in reasons[-1]


def test_an_empty_card_flags_nothing() -> None:
    model = Forecaster(tiny_model(), name="bare", card={}, horizon=1.0)
    assert model.outside(7, 9, {"law": "coulomb"}) == ()


# Units


def test_scales_are_undone() -> None:
    """A model of units (L, T) forecasts in the data's units what it forecasts in its own."""
    scaled = Forecaster(tiny_model("egnn-recurrent"), name="m", card={}, horizon=30.0, scales=Scales(1000.0, 30.0))
    plain = forecaster("egnn-recurrent")
    x, v, q = state()
    own = plain.forecast(x, v, q)
    theirs = scaled.forecast(1000 * x, v * 1000 / 30, q, 30.0)
    np.testing.assert_allclose(theirs.positions, 1000 * own.positions, rtol=1e-12)
    np.testing.assert_allclose(theirs.velocities, own.velocities * 1000 / 30, rtol=1e-12)
    with pytest.raises(ValueError, match="horizon of 30 only; got 1"):
        scaled.forecast(x, v, q)


# Loading


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
    assert surrogate.load is load
    assert surrogate.Forecaster is Forecaster
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        surrogate.lod  # noqa: B018


@pytest.mark.parametrize("name", MODELS)
def test_save_and_load_are_exact(name: str, tmp_path: Path) -> None:
    folder = saved_model(tmp_path / "m", name)
    model = load(folder)
    original = Forecaster(tiny_model(name), name=name, card=CARD, horizon=1.0)
    for dtype in (np.float32, np.float64):
        given = state(dtype=dtype)
        a, b = model.forecast(*given), original.forecast(*given)
        np.testing.assert_array_equal(a.positions, b.positions)
        assert (a.velocities is None) == (b.velocities is None)
        if a.velocities is not None:
            np.testing.assert_array_equal(a.velocities, b.velocities)
    assert model.card == CARD
    horizons = "any" if MODELS[name].any_horizon else (1.0,)
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
        ({"config": {"model": {"name": "egn"}}}, "did you mean 'egnn'"),
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


def test_states_from_other_times_are_outside_training() -> None:
    model = forecaster()
    model.card["input_times"] = [3.1, 3.1]
    assert model.outside(3, 5, None, (3.1, 3.4)) == ()
    assert model.outside(3, 5, None, (3.1, 7.1)) == ("t = 3.1 to 7.1 (trained: 3.1)",)
    assert model.outside(3, 5, None, (0.0, 0.0)) == ("t = 0 (trained: 3.1)",)
    assert model.outside(3, 5) == ()
