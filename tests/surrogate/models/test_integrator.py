"""The flagship: its symmetries, what it keeps, any horizon and number of rounds, and where it must stay finite."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from physics.errors import InputError
from surrogate.evaluation.metrics import equivariance_errors, haar_matrices
from surrogate.inference.forecaster import Forecaster
from surrogate.models.base import Accelerated
from surrogate.models.integrator.conserved import angular_momentum, kinetic_energy
from surrogate.models.integrator.cpu.autograd import rounds_in_numba
from surrogate.models.integrator.model import Integrator, IntegratorConfig
from tests.surrogate.models.integrators import (
    alone,
    coulomb_table,
    drawn,
    forecast,
    gap,
    knowing_coulomb,
    rmses,
    state,
)

SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "pull": {"pull": "always"},
    "at-rest": {"pull": "at-rest"},
    "drag": {"conserve": False, "pull": "always"},
    "masses": {"couplings": "masses"},
    "no energy": {"energy": False},
    "features": {"features": 8},
}
settings = pytest.mark.parametrize("case", SETTINGS)


def offered(model: Integrator, name: str = "m") -> Forecaster:
    return Forecaster(model, name=name, card={}, horizon=1.0)


# Symmetries


def equivariance(model: Integrator, kind: torch.dtype, n: int, particles: int) -> np.ndarray:
    offer = offered(model)
    x, v, q, m = (a.numpy() for a in state(12, particles, n, spread=(particles / 5) ** (1 / 3)))
    return equivariance_errors(lambda a, b: offer.forecast_in(a, b, q, kind, m)[0], x, v, haar_matrices(n, 4, 0))


@pytest.mark.parametrize("n", range(2, 9))
@pytest.mark.parametrize("particles", [2, 5, 12])
def test_it_turns_with_the_space(n: int, particles: int) -> None:
    double = equivariance(knowing_coulomb(), torch.float64, n, particles)
    assert np.median(double) < 1e-14
    assert double.max() < 1e-12
    single = equivariance(knowing_coulomb(), torch.float32, n, particles)
    assert np.median(single) < 1e-6
    assert single.max() < 1e-4


def test_a_law_that_sees_a_direction_does_not() -> None:
    model = knowing_coulomb()
    inner = model.for_inference().forward

    def leaning(x: Tensor, *rest: Any, **chosen: Any) -> Any:
        return inner(x * torch.tensor([1.001, 1, 1]).to(x), *rest, **chosen)

    model.for_inference = lambda: Accelerated(leaning, "wrong", differentiable=True)
    assert np.median(equivariance(model, torch.float64, 3, 5)) > 1e-5


@settings
def test_particles_have_no_order(case: str) -> None:
    model = drawn(**SETTINGS[case]).eval()
    given = state(6, 7)
    order = torch.tensor([3, 0, 6, 1, 5, 2, 4])
    there = forecast(model, *(a[:, order] for a in given))
    here = forecast(model, *given)
    assert gap(there, [a[:, order] for a in here]) < 1e-12
    assert gap(there, here) > 0.1


@settings
def test_no_place_is_special(case: str) -> None:
    model = drawn(**SETTINGS[case]).eval()
    x, v, q, m = state(6)
    shift = torch.tensor([3.0, -2.0, 0.5]).double()
    there = forecast(model, x + shift, v, q, m)
    here = forecast(model, x, v, q, m)
    assert gap(there, [here[0] + shift, here[1]]) < 1e-12


def boosted(model: Integrator, horizon: float = 1.0) -> float:
    """What a boost changes, its own motion taken off."""
    x, v, q, m = state(6)
    v = v - (m.unsqueeze(-1) * v).sum(1, keepdim=True) / m.sum(1)[:, None, None]
    boost = torch.tensor([0.5, -1.0, 0.3]).double()
    there = forecast(model, x, v + boost, q, m, horizon)
    here = forecast(model, x, v, q, m, horizon)
    return gap(there, [here[0] + horizon * boost, here[1] + boost])


@pytest.mark.parametrize("case", ["plain", "pull", "masses", "no energy", "features"])
def test_no_velocity_is_special(case: str) -> None:
    assert boosted(drawn(**SETTINGS[case]).eval()) < 1e-12


def test_drag_is_relative_to_a_medium_at_rest() -> None:
    assert boosted(drawn(**SETTINGS["drag"]).eval()) > 0.01


def test_at_rest_takes_a_boosted_system_for_a_free_one() -> None:
    """How data of free and trapped systems are told apart: by whether the centre of mass moves. Not Galilean."""
    model, free, held = (drawn(pull=pull).eval() for pull in ("at-rest", "none", "always"))
    with torch.no_grad():
        for pulling in (model, held):
            pulling.log_kappa.fill_(0.0)
    x, v, q, m = state(6)
    v = v - (m.unsqueeze(-1) * v).sum(1, keepdim=True) / m.sum(1)[:, None, None]
    moving = v + torch.tensor([0.5, 0.0, 0.0]).double()
    assert boosted(model) > 0.01
    assert gap(forecast(model, x, v, q, m), forecast(held, x, v, q, m)) < 1e-9
    assert gap(forecast(model, x, moving, q, m), forecast(free, x, moving, q, m)) < 1e-9
    assert gap(forecast(held, x, v, q, m), forecast(free, x, v, q, m)) > 0.01


@pytest.mark.parametrize("couplings", ["charges", "constant,charges"])
def test_charges_have_no_sign_of_their_own(couplings: str) -> None:
    model = drawn(couplings=couplings).eval()
    x, v, q, m = state(6)
    here = forecast(model, x, v, q, m)
    assert gap(forecast(model, x, v, -q, m), here) == 0
    one = q.clone()
    one[:, 0] *= -1
    assert gap(forecast(model, x, v, one, m), here) > 1e-3


def test_charges_can_be_left_out() -> None:
    model = drawn(couplings="masses").eval()
    x, v, q, m = state(6)
    assert gap(forecast(model, x, v, q, m), forecast(model, x, v, 0 * q, m)) == 0
    assert gap(forecast(model, x, v, q, m), forecast(model, x, v, q, 2 * m)) > 1e-3


# What it keeps


def chain(model: Integrator, x: Tensor, v: Tensor, q: Tensor, m: Tensor) -> list[Tensor]:
    for _ in range(10):
        x, v = forecast(model, x, v, q, m)
    return [x, v]


def drifts(model: Integrator, n: int = 3) -> tuple[float, float]:
    """Momentum and angular momentum after ten horizons, relative to the sizes of what they sum."""
    x, v, q, m = state(8, 5, n)
    x_end, v_end = chain(model, x, v, q, m)
    mass = m.unsqueeze(-1)
    lost = ((mass * v_end).sum(1) - (mass * v).sum(1)).abs().max()
    turned = (angular_momentum(x_end, v_end, m) - angular_momentum(x, v, m)).abs().amax((1, 2))
    size = (mass * x_end.norm(dim=-1, keepdim=True) * v_end.norm(dim=-1, keepdim=True)).sum((1, 2))
    return float(lost / (mass * v).abs().sum((1, 2)).max()), float((turned / size).max())


@pytest.mark.parametrize("n", [2, 3, 5, 8])
@pytest.mark.parametrize("case", ["plain", "pull", "no energy", "coulomb"])
def test_momentum_and_angular_momentum_stay(case: str, n: int) -> None:
    model = knowing_coulomb() if case == "coulomb" else drawn(**SETTINGS[case]).eval()
    assert max(drifts(model, n)) < 1e-13


def test_with_drag_they_do_not() -> None:
    assert min(drifts(drawn(**SETTINGS["drag"]).eval())) > 1e-2


def test_it_is_the_restoring_that_keeps_the_angular_momentum() -> None:
    model = knowing_coulomb()
    x, v, q, m = state(8)
    facts = (torch.stack([torch.ones_like(q), q]), m, alone(8, 1 / 16))
    table = model.law.table()
    end_x, end_v, _ = rounds_in_numba(x, v, *facts, table, model.law.u0, model.law.softening, 1 / 16, 16)
    lost = (m.unsqueeze(-1) * (end_v - v)).sum(1)
    turned = angular_momentum(end_x, end_v, m) - angular_momentum(x, v, m)
    assert float(lost.abs().max()) < 1e-13
    assert float(turned.abs().max()) > 1e-6


def energy_error(model: Integrator) -> float:
    x, v, q, m = state(8)
    found = []
    start = (x, v)
    for position, velocity in (start, chain(model, x, v, q, m)):
        couplings = torch.stack([{"constant": torch.ones_like(q), "charges": q}[c] for c in model.couplings])
        with torch.no_grad():
            potential = model.potential(
                position, couplings, m, model.trap_strength(velocity, m), model.law.table()
            )
        found.append((kinetic_energy(velocity, m), potential))
    (t0, u0), (t1, u1) = found
    return float(((t1 + u1 - t0 - u0) / (t0 + u0.abs())).abs().max())


@pytest.mark.parametrize("case", ["plain", "pull", "coulomb"])
def test_the_energy_of_its_own_law_stays_when_forecasting(case: str) -> None:
    model = knowing_coulomb(-0.3) if case == "coulomb" else drawn(0.05, **SETTINGS[case])
    assert energy_error(model.eval()) < 1e-12
    assert energy_error(model.train()) > 1e-9  # not while training


@pytest.mark.parametrize("case", ["no energy", "drag"])
def test_without_asking_it_does_not(case: str) -> None:
    assert energy_error(drawn(0.05, **SETTINGS[case]).eval()) > 1e-9


# Any horizon, any number of rounds


def test_back_in_time() -> None:
    model, given = knowing_coulomb(), state(30, spread=1.5)
    x, _, q, m = given
    undone = []
    for k in (8, 32, 128):
        there = forecast(model, *given, 1.0, evaluations=k)
        back = forecast(model, *there, q, m, -1.0, evaluations=k)
        undone.append(float((back[0] - x).square().mean((1, 2)).sqrt().median()))
        own = float(rmses(model, given, 1.0, (k,)).median())
        assert undone[-1] < 10 * own
    assert undone[-1] < 0.1 * undone[0]
    assert gap(forecast(model, *given, -1.0), forecast(model, *given, 1.0)) > 0.1


@pytest.mark.parametrize("case", ["plain", "pull", "masses"])
def test_a_law_cannot_tell_the_past(case: str) -> None:
    """To go back is to reverse all velocities and go on."""
    model, (x, v, q, m) = drawn(**SETTINGS[case]).eval(), state(6)
    back = forecast(model, x, v, q, m, -0.7)
    mirrored = forecast(model, x, -v, q, m, 0.7)
    assert gap(back, [mirrored[0], -mirrored[1]]) == 0


def test_drag_has_no_past() -> None:
    model = drawn(**SETTINGS["drag"]).eval()
    with pytest.raises(InputError, match="a law with drag cannot be run back in time"):
        forecast(model, *state(), -1.0)
    x, v, q, m = (a.numpy() for a in state())
    with pytest.raises(ValueError, match="a law with drag cannot be run back in time"):
        offered(model).forecast(x, v, q, -1.0, masses=m)


@pytest.mark.parametrize("case", sorted(SETTINGS.keys() - {"features"}))  # these remember
def test_one_long_forecast_is_two_short_ones(case: str) -> None:
    model, (x, v, q, m) = drawn(0.05, **SETTINGS[case]).eval(), state(6)
    once = forecast(model, x, v, q, m, 1.0, evaluations=32)
    half = forecast(model, x, v, q, m, 0.5, evaluations=16)
    twice = forecast(model, *half, q, m, 0.5, evaluations=16)
    exact = case == "drag"  # nothing is restored half-way
    assert gap(once, twice) < (1e-13 if exact else 1e-2)
    assert gap(once, half) > 0.05


def test_what_a_forecaster_promises_of_horizons_and_rounds() -> None:
    model = drawn(0.02, evaluations=8, powers="3")  # weak: no pair takes sub-steps
    offer = offered(model)
    assert (offer.horizons, offer.chooses_evaluations, offer.uses_masses) == ("any", True, True)
    assert (offer.evaluations, offer.with_horizon(2.5).evaluations) == (8, 20)
    x, v, q, m = (a.numpy() for a in state(3, spread=20.0))
    for horizon, asked, spent in ((1.0, None, 8), (0.5, None, 4), (-2.0, None, 16), (0.01, None, 1), (1.0, 3, 3)):
        found = offer.forecast(x, v, q, horizon, masses=m, evaluations=asked)
        assert offer.cost.force_evaluations == spent
        np.testing.assert_allclose(found.positions, x + horizon * v, atol=0.5)
    assert offer.with_evaluations(3).evaluations == 3
    assert offer.evaluations == 8
    for bad in (0, -1):
        with pytest.raises(InputError, match="evaluations must be a whole number"):
            offer.forecast(x, v, q, evaluations=bad)
    for bad in (0.0, np.nan, np.inf):
        with pytest.raises(InputError, match="horizon must be finite and not 0"):
            offer.forecast(x, v, q, bad)
    with pytest.raises(InputError, match="masses must be positive for a model; got -"):
        offer.forecast(x, v, q, masses=-m)
    with pytest.raises(InputError, match="masses must be positive for a model; got 0"):
        offer.forecast_in(x, v, q, torch.float64, 0.0 * m)


# Where norms vanish


@settings
@pytest.mark.parametrize("where", ["coincident", "at rest", "both", "all in one point", "on a line"])
@pytest.mark.parametrize("particles", [2, 5])
@pytest.mark.parametrize("training", [True, False], ids=["training", "forecasting"])
def test_gradients_are_finite_where_norms_vanish(case: str, where: str, particles: int, training: bool) -> None:
    model = drawn(**SETTINGS[case]).train(training)
    x, v, q, m = state(3, particles)
    if where in ("coincident", "both"):
        x[:, 1] = x[:, 0]
    if where in ("at rest", "both"):
        v.zero_()
    if where == "all in one point":
        x, v = torch.zeros_like(x), torch.zeros_like(v)
    if where == "on a line":
        x[..., 1:], v[..., 1:] = 0, 0
    before = [a.clone() for a in (x, v, q, m)]
    x.requires_grad_()
    v.requires_grad_()
    found = model.for_training().forward(x, v, q, 1.0, m)
    sum(o.square().sum() + o.sum() for o in found).backward()
    assert all(torch.isfinite(o).all() for o in found)
    assert torch.isfinite(x.grad).all()
    assert torch.isfinite(v.grad).all()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    assert all(torch.equal(a, b) for a, b in zip(before, (x.detach(), v.detach(), q, m), strict=True))


@pytest.mark.parametrize("case", ["plain", "at-rest"])
def test_forecasts_are_differentiable_in_everything(case: str) -> None:
    offer = offered(drawn(evaluations=3, **SETTINGS[case]))
    x, v, q, m = state(2, 3)

    def positions(x: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        found = offer.forecast(x, v, q, 0.7, masses=m, evaluations=2)
        return found.positions, found.velocities

    assert torch.autograd.gradcheck(positions, (x.requires_grad_(), v.requires_grad_()), atol=1e-5)


# Batches


@settings
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_batch_may_be_cut_anywhere(case: str, dtype: torch.dtype) -> None:
    model = drawn(**SETTINGS[case]).eval()
    close = 1e-13 if dtype == torch.float64 else 1e-6
    for systems, particles, n in ((7, 5, 3), (40, 12, 2), (9, 2, 5)):
        given = [a.to(dtype) for a in state(systems, particles, n)]
        whole = forecast(model, *given)
        for cut in (1, 2, 5, 17):
            parts = [forecast(model, *(a[i : i + cut] for a in given)) for i in range(0, systems, cut)]
            for i in (0, 1):
                torch.testing.assert_close(torch.cat([part[i] for part in parts]), whole[i], rtol=0, atol=close)


# Refusals


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"couplings": "charge"}, "model.couplings: 'charge' is none of constant, charges, masses"),
        ({"couplings": ""}, "model.couplings: '' is none of"),
        ({"pull": "sometimes"}, "model.pull must be one of none, always, at-rest; got 'sometimes'"),
        ({"powers": ""}, "model.powers must be digits"),
        ({"powers": "1,2"}, "model.powers must be digits"),
        ({"powers": "²"}, "model.powers must be digits"),
        ({"most_substeps": 0}, "model.most_substeps must be a power of two; got 0"),
        ({"most_substeps": 3}, "model.most_substeps must be a power of two; got 3"),
        ({"gradient_growth": -1.0}, "model.gradient_growth must be >= 0"),
        ({"softening": 0.0}, "model.softening must be positive"),
        ({"softening": 40.0}, "model.softening must be positive and below"),
        ({"softening": 400.0, "reach": 1000.0}, "model.softening must be positive and below"),
    ],
)
def test_what_it_cannot_be(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        Integrator(IntegratorConfig(**change))
    assert said in str(caught.value)


@pytest.mark.parametrize("n", [1, 2, 8])
def test_it_never_mixes_up_a_table_and_its_law(n: int) -> None:
    """The table the other tests put in is what a network that says rho^-3 would make, but for its resolution."""
    model = knowing_coulomb(couplings="charges", powers="3")
    exact = coulomb_table(model.law)
    model.law.radial = lambda u: torch.exp(-3 * u)[None]
    table = type(model.law).table(model.law)[0]
    torch.testing.assert_close(table, exact, rtol=0.01, atol=0)
    assert forecast(model, *state(2, 3, n))[0].shape == (2, 3, n)


def test_a_system_that_overflows_spares_the_others_of_its_batch() -> None:
    model = offered(knowing_coulomb())
    x, v, q, _ = (a.numpy() for a in state(3, 5, 3))
    alone = model.forecast(x, v, q)
    x[1] *= 1e200
    v[1] *= 1e200
    with np.errstate(over="ignore"):
        together = model.forecast(x, v, q)
    assert together.finite.tolist() == [True, False, True]
    np.testing.assert_array_equal(together.positions[::2], alone.positions[::2])
