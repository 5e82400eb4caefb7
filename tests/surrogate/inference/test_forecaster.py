"""The border between users' arrays and the networks: kinds, shapes, dtypes, refusals, flags, units."""

from typing import Any

import numpy as np
import pytest
import torch

from physics import System
from physics.errors import InputError
from surrogate.inference.forecaster import Forecaster
from surrogate.models import MODELS
from surrogate.tasks.dynamics.scales import Scales
from tests.surrogate.helpers import info_of, state, tiny_config, tiny_model

CARD = info_of(tiny_config())["card"]


def forecaster(name: str = "egnn", **changes: Any) -> Forecaster:
    return Forecaster(tiny_model(name, **changes), name=name, card=CARD, horizon=1.0)


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
    monkeypatch.setattr("surrogate.inference.batched_forward.BATCH_EDGES", 45)  # two systems of 20 edges at a time
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
    system = System(np.array([1.0, -1, 1, -1, 1]), masses=2.0, parameters={"eps": 0.2})
    reasons = model.outside_system(system, 3)
    assert any("law" in r for r in reasons)
    assert "masses" in reasons[-1]


def test_an_empty_card_flags_nothing() -> None:
    model = Forecaster(tiny_model(), name="bare", card={}, horizon=1.0)
    assert model.outside(7, 9, {"law": "coulomb"}) == ()


def test_states_from_other_times_are_outside_training() -> None:
    model = forecaster()
    model.card["input_times"] = [3.1, 3.1]
    assert model.outside(3, 5, None, (3.1, 3.4)) == ()
    assert model.outside(3, 5, None, (3.1, 7.1)) == ("t = 3.1 to 7.1 (trained: 3.1)",)
    assert model.outside(3, 5, None, (0.0, 0.0)) == ("t = 0 (trained: 3.1)",)
    assert model.outside(3, 5) == ()


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
        scaled.forecast(x, v, q, 1.0)


# The model's own horizon


def test_without_a_horizon_a_model_forecasts_its_own() -> None:
    x, v, q = state()
    fixed = Forecaster(tiny_model("egnn-recurrent"), name="m", card={}, horizon=0.5)
    np.testing.assert_array_equal(fixed.forecast(x, v, q).positions, fixed.forecast(x, v, q, 0.5).positions)
    free = Forecaster(tiny_model("integrator"), name="m", card={}, horizon=2.0)
    positions = {h: free.forecast(x, v, q, h).positions for h in (0.5, 1.0, 2.0)}
    np.testing.assert_array_equal(free.forecast(x, v, q).positions, positions[1.0])
    for horizon in (0.5, 2.0):
        bound = free.with_horizon(horizon)
        np.testing.assert_array_equal(bound.forecast(x, v, q).positions, positions[horizon])
        assert np.abs(positions[horizon] - positions[1.0]).max() > 0.01
    np.testing.assert_array_equal(free.forecast(x, v, q).positions, positions[1.0])  # binding made another


# Who computes


def test_passes_of_handed_out_networks_follow_what_is_done_to_them() -> None:
    x, v, q = state(dtype=np.float32)
    model = forecaster()
    before = model.forecast(x, v, q).positions
    network = model.network(torch.float32)
    np.testing.assert_array_equal(model.forecast(x, v, q).positions, before)
    with torch.no_grad():
        next(network.parameters()).mul_(1.5)
    assert np.abs(model.forecast(x, v, q).positions - before).max() > 1e-3


def test_gradients_with_respect_to_states_are_pytorchs() -> None:
    """The float32 kernels of an EGNN have no derivative with respect to the state."""
    x, v, q = (torch.from_numpy(a) for a in state(2, dtype=np.float32))
    model = forecaster()

    def loss(x: torch.Tensor) -> torch.Tensor:
        return model.forecast(x, v, q).positions.square().sum()

    (slope,) = torch.autograd.grad(loss(x.requires_grad_()), x)
    assert slope.abs().max() > 0.1
    exact = x.detach().double().requires_grad_()
    forecast = model.forecast(exact, v.double(), q.double()).positions
    (expected,) = torch.autograd.grad(forecast.square().sum(), exact)
    assert float((slope - expected).abs().max() / expected.abs().max()) < 1e-5
