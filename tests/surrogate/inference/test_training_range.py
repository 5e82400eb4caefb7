"""What a forecast says of states unlike those a model was trained on: charges, masses, distances, speeds, box."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from physics.datasets.presets import initial_states
from surrogate import load
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.training_range import preset_times, reasons_outside, usable_card
from surrogate.tasks.dynamics.ranges import States, input_states, measured, state_quantities, trained_ranges
from surrogate.tasks.dynamics.scales import Scales
from surrogate.tasks.dynamics.windows import Windows
from tests.surrogate.helpers import tiny_model

States4 = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def drawn(samples: int, seed: int = 0, n: int = 3, particles: int = 5) -> States4:
    """Free charges of +-1 at 0.3 to about 6 from each other, masses of 0.5 to 2."""
    rng = np.random.default_rng(seed)
    x, v = rng.standard_normal((2, samples, particles, n))
    return x, v, rng.choice([-1.0, 1.0], (samples, particles)), rng.uniform(0.5, 2.0, (samples, particles))


def windows_of(x: np.ndarray, v: np.ndarray, q: np.ndarray, m: np.ndarray) -> Windows:
    tensors = [torch.as_tensor(np.stack([a, a], axis=1)) for a in (x, v)]
    scalars = [torch.as_tensor(a) for a in (q, m)]
    return Windows(*tensors, *scalars, np.array([0]), torch.tensor([1, 0]), 1.0, 1.0, 1.0, "drawn", x.shape[-1])


def trained_on(*sets: States4, scales: Scales | None = None) -> Forecaster:
    ranges = trained_ranges([measured(windows_of(*s)) for s in sets])
    model = tiny_model("integrator")
    return Forecaster(model, name="m", card={"ranges": ranges}, horizon=1.0, scales=scales or Scales())


def reasons(model: Forecaster, x: Any, v: Any, q: Any, m: Any = None) -> tuple[str, ...]:
    return model.outside(x.shape[-1], x.shape[-2], states=States(x, v, q, m))


@pytest.fixture(scope="module")
def model() -> Forecaster:
    return trained_on(drawn(1000))


CASES: dict[str, tuple[Callable[[States4], tuple[Any, ...]], str]] = {
    "charges x 3": (lambda s: (s[0], s[1], 3 * s[2], s[3]), "charges -3 to 3 (trained: -1 to 1)"),
    "charges of 2": (lambda s: (s[0], s[1], np.abs(2 * s[2]), s[3]), "charges up to 2 (trained: -1 to 1)"),
    "fast": (lambda s: (s[0], s[1] + 30, s[2], s[3]), "speeds up to"),
    "slow": (lambda s: (s[0], s[1] / 1000, s[2], s[3]), "speeds around"),
    "at rest": (lambda s: (s[0], 0 * s[1], s[2], s[3]), "speeds around 0"),
    "large": (lambda s: (10 * s[0], s[1], s[2], s[3]), "pair distances up to"),
    "small": (lambda s: (s[0] / 10, s[1], s[2], s[3]), "pair distances"),
    "heavy": (lambda s: (s[0], s[1], s[2], 3 * s[3]), "masses up to"),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("samples", [1, 20, 2000])
def test_states_of_another_kind_are_named(model: Forecaster, name: str, samples: int) -> None:
    change, said = CASES[name]
    found = reasons(model, *change(drawn(samples, seed=1)))
    assert any(reason.startswith(said) for reason in found), found
    assert not any(reason.startswith("n =") for reason in found)


@pytest.mark.parametrize("samples", [50, 2000])
@pytest.mark.parametrize("trained", [60, 1000])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_states_of_the_same_kind_are_not(trained: int, samples: int, n: int) -> None:
    model = trained_on(drawn(trained, n=n))
    assert reasons(model, *drawn(samples, seed=5, n=n)) == ()


def test_one_sample_far_off_counts_however_many_there_are(model: Forecaster) -> None:
    x, v, q, m = drawn(2000, seed=2)
    q[7] *= 3
    v[9] += 30
    assert reasons(model, x, v, q, m)[0] == "charges -3 to 3 (trained: -1 to 1), in 1 of 2000 samples"
    assert reasons(model, x, v, q, m)[1].endswith("in 1 of 2000 samples")


def test_numbers_are_said_in_the_units_of_the_data() -> None:
    scales = Scales(length=1e-10, time=1e-15, charge=1.6e-19, mass=1.7e-27)
    model = trained_on(drawn(1000), scales=scales)
    x, v, q, m = drawn(500, seed=1)
    units = (scales.length, scales.length / scales.time, scales.charge, scales.mass)
    si = [a * unit for a, unit in zip((x, v, q, m), units, strict=True)]
    assert reasons(model, *si) == ()
    (charges,) = reasons(model, si[0], si[1], 3 * si[2], si[3])
    assert charges == "charges -4.8e-19 to 4.8e-19 (trained: -1.6e-19 to 1.6e-19)"
    assert len(reasons(model, x, v, q, m)) == 4  # all in the wrong units


def test_every_dimension_has_its_own_range() -> None:
    flat, wide = drawn(500, n=2), drawn(500, n=5)
    wide = (4 * wide[0], *wide[1:])
    model = trained_on(flat, wide)
    assert reasons(model, *flat) == () == reasons(model, *wide)
    assert any("pair distances" in reason for reason in reasons(model, 8 * flat[0], *flat[1:]))
    assert set(model.card["ranges"]["by_dims"]) == {"2", "5"}


def test_charges_that_a_model_does_not_see_are_not_compared() -> None:
    card = trained_on(drawn(100)).card
    model = Forecaster(tiny_model("linear"), name="m", card=card, horizon=1.0)
    x, v, q, _ = drawn(50, seed=3)
    assert model.outside(3, 5, states=States(x, v, 10 * q)) == ()


def test_a_box_the_model_was_not_trained_in(model: Forecaster) -> None:
    x, v, q, m = drawn(50, seed=3)
    box = np.full((50, 3), 10.0)
    assert model.outside(3, 5, states=States(x, v, q, m, box)) == ("box of 10 (trained: none)",)
    model = trained_on(drawn(500))
    model.card["ranges"]["box"] = [10.0, 10.0]
    assert model.outside(3, 5, states=States(x, v, q, m, box)) == ()
    assert model.outside(3, 5, states=States(x, v, q, m)) == ("no box (trained: 10)",)
    assert model.outside(3, 5, states=States(x, v, q, m, 2 * box)) == ("box of 20 (trained: 10)",)


def test_every_forecast_is_flagged_single_ones_and_tensors_too(model: Forecaster) -> None:
    x, v, q, m = drawn(20, seed=4)
    assert model.forecast(x, v, q, masses=m).outside_training == ()
    assert model.forecast(x[0], v[0], q[0], masses=m[0]).outside_training == ()
    for *state, masses in ((x, v, 3 * q, m), (x[0], v[0], 3 * q[0], m[0]), map(torch.as_tensor, (x, v, 3 * q, m))):
        said = model.forecast(*state, masses=masses).outside_training
        assert said == ("charges -3 to 3 (trained: -1 to 1)",)
    moving = torch.as_tensor(x).requires_grad_()
    v_in, q_in, m_in = (torch.as_tensor(a) for a in (v, 3 * q, m))
    assert len(model.forecast(moving, v_in, q_in, masses=m_in).outside_training) == 1


@pytest.mark.parametrize("factor", [1e-28, 1e-6, 0.1, 10.0])
def test_masses_of_another_size_are_flagged_and_so_are_none(model: Forecaster, factor: float) -> None:
    x, v, q, m = drawn(20, seed=4)
    assert any(said.startswith("masses") for said in model.forecast(x, v, q, masses=factor * m).outside_training)
    (said,) = model.forecast(x, v, q).outside_training
    assert said.startswith("no masses given (trained: ")


def test_a_horizon_that_is_most_likely_in_another_unit_of_time_is_flagged() -> None:
    model = trained_on(drawn(100), scales=Scales(time=172800.0))
    asked = model.outside(3, 5, horizon=1e-3 * model.horizon)
    assert asked == (f"horizon {1e-3 * model.horizon:g} (trained: {model.horizon:g})",)
    assert model.outside(3, 5, horizon=0.1 * model.horizon) == ()


def test_a_forecast_that_is_not_finite_is_named() -> None:
    model = Forecaster(tiny_model("linear"), name="m", card={}, horizon=1.0)
    x, v, q, _ = drawn(6, seed=4)
    v[2] = 1e308
    x[2] = 1e308
    found = model.forecast(x, v, q)
    assert found.finite.tolist() == [True, True, False, True, True, True]
    assert found.outside_training == ("the forecast is not finite, in 1 of 6 samples",)
    single = model.forecast(x[2], v[2], q[2])
    assert not single.finite
    assert single.outside_training == ("the forecast is not finite",)
    assert bool(model.forecast(x[0], v[0], q[0]).finite)


def test_derivatives_by_functional_transforms_say_nothing_and_work(model: Forecaster) -> None:
    x, v, q, _ = (torch.as_tensor(a) for a in drawn(1, seed=4))
    model = Forecaster(tiny_model("egnn"), name="m", card=model.card, horizon=1.0)
    model.network(torch.float64)  # converted here: PyTorch does not convert weights under a transform
    jacobian = torch.func.jacrev(lambda x: model.forecast(x, v, q).positions.sum())(x)
    assert jacobian.shape == x.shape


@pytest.mark.parametrize("name", ["egnn-nd", "integrator-nd"])
def test_shipped_models_know_their_range(name: str) -> None:
    model = load(name)
    x, v, q, *_ = initial_states("charged-bound", "test", range(200), n_particles=5, n_dims=3, seed=9)
    assert model.forecast(x, v, q).outside_training == ()
    assert model.forecast(x, v, 3 * q).outside_training[0] == "charges -3 to 3 (trained: -1 to 1)"
    assert any("speeds" in said for said in model.forecast(x, v + 30, q).outside_training)
    assert any("pair distances" in said for said in model.forecast(x / 10, v, q).outside_training)


def test_input_states_are_spread_over_samples_and_starts() -> None:
    x, v, q, m = drawn(10)
    tensors = [torch.as_tensor(np.stack([a + k for k in range(4)], axis=1)) for a in (x, v)]
    s = Windows(
        *tensors,
        torch.as_tensor(q),
        torch.as_tensor(m),
        np.arange(3),
        torch.arange(1, 5),
        1.0,
        1.0,
        1.0,
        "drawn",
        3,
    )
    everything = input_states(s, 1000)
    assert everything.x.shape == (30, 5, 3)
    np.testing.assert_array_equal(everything.x[10:20], x + 1)
    assert input_states(s, 7).x.shape == (7, 5, 3)


def test_quantities_are_what_they_say() -> None:
    x, v, q, m = drawn(4, particles=100)
    found = state_quantities(States(x, v, q, m))
    pairs = np.linalg.norm(x[:, :, None] - x[:, None], axis=-1)
    apart = pairs[:, ~np.eye(100, dtype=bool)]
    np.testing.assert_allclose(found["rms_distance"][:, 0], np.sqrt(np.mean(apart**2, axis=1)))
    assert found["distances"].shape == (4, 64 * 99)  # some particles' distances from all others
    np.testing.assert_array_equal(found["nearest"][:, 0], found["distances"].min(axis=1))
    np.testing.assert_allclose(state_quantities(States(*(a[:, :9] for a in (x, v, q))))["nearest"][:, 0],
                               [apart.reshape(4, 100, 99)[k, :9, :8].min() for k in range(4)])  # fmt: skip


@pytest.mark.parametrize(
    "ranges",
    [3, {"charges": [0, 0, 0, 0, 0]}, {"independent": 3, "speeds": [1, 2]}, {"independent": 3, "box": [1]},
     {"independent": 3, "masses": [0, 0, 0, 0, "x"]}, {"independent": 3, "by_dims": {"2": 1}}],
)  # fmt: skip
def test_a_card_with_strange_ranges_is_not_usable(ranges: Any) -> None:
    assert not usable_card({"ranges": ranges})


def test_a_clock_behind_all_frames_of_a_preset_is_another_one() -> None:
    card = {"laws": [{"preset": "nbody-reference", "law": "reference"}], "input_times": [3.1, 3.1]}
    assert reasons_outside(card, 3, 5, None, (0.0, 0.0)) == ("t = 0 (trained: 3.1)",)
    assert reasons_outside(card, 3, 5, None, (1000.0, 1001.0)) == ()


def test_a_parameter_that_a_law_gained_has_its_default_in_older_cards() -> None:
    card = {"laws": [{"law": "reference", "parameters": {"force_limit": 100.0}}]}

    def outside(**more: float) -> tuple[str, ...]:
        return reasons_outside(card, 3, 5, {"law": "reference", "parameters": {"force_limit": 100.0, **more}})

    assert outside() == outside(eps=0.0) == ()
    assert outside(eps=1e-3) != ()


def test_only_the_times_of_our_presets_are_compared() -> None:
    assert preset_times({"preset": "nbody-reference"}, 1.0, 2.0) == (1.0, 2.0)
    for own in ({}, {"law": "coulomb"}, {"preset": "mine"}):
        assert preset_times(own, 1000.0, 1001.0) is None
