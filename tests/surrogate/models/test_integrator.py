"""The flagship: its kernel against plain PyTorch, its order, what it keeps, and where it must stay finite."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from physics import State, System, simulate
from physics.errors import InputError
from surrogate.evaluation.metrics import equivariance_errors, haar_matrices
from surrogate.inference.forecaster import Forecaster
from surrogate.models.integrator.conserved import angular_momentum, kinetic_energy
from surrogate.models.integrator.model import Integrator, IntegratorConfig, _Rounds
from surrogate.models.integrator.rounds import rounds_in_torch
from tests.surrogate.models.integrators import coulomb_table, drawn, forecast, gap, knowing_coulomb, state

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


# 1 The kernel


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("particles", [2, 5])
@pytest.mark.parametrize("most", [1, 2, 64])
def test_the_kernel_is_what_pytorch_computes(n: int, particles: int, most: int) -> None:
    model = drawn(0.3, pull="always", conserve=False)
    x, v, q, m = state(4, particles, n)
    generator = torch.Generator().manual_seed(n)
    couplings = torch.stack([torch.ones_like(q), q])
    kappa = torch.rand(4, dtype=torch.float64, generator=generator)
    leaves = [x, v, couplings, kappa, torch.tensor(0.3).double(), model.law.table().detach()]
    weight = torch.randn((2, 4, particles, n), dtype=torch.float64, generator=generator)
    found = []
    for in_torch in (False, True):
        given = [leaf.clone().requires_grad_() for leaf in leaves]
        x, v, c, k, gamma, table = given
        facts = (x, v, c, m, k, gamma, table, model.law.u0, model.law.softening, 0.1, 4)
        count = [0]
        if in_torch:
            out_x, out_v, count[0] = rounds_in_torch(*facts, most)
        else:
            out_x, out_v = _Rounds.apply(*facts, count, math.inf, most)
        gradients = torch.autograd.grad((weight[0] * out_x).sum() + (weight[1] * out_v).sum(), given)
        found.append((out_x.detach(), out_v.detach(), *gradients))
        pairs = 4 * 4 * particles * (particles - 1) // 2
        assert pairs < count[0] <= most * pairs if most > 1 else count[0] == pairs  # some pair took sub-steps
    for name, kernel, plain in zip(("x", "v", "gx", "gv", "gc", "gk", "gg", "gt"), *found, strict=True):
        assert float(plain.abs().max()) > 1e-6, name
        assert float((kernel - plain).abs().max()) < 1e-9 * float(plain.abs().max().clamp_min(1)), name


def test_the_gradient_is_that_of_differences() -> None:
    """Against finite differences, and not only against the other implementation."""
    model = drawn(0.1, pull="always", conserve=False)
    x, v, q, m = state(1, 3, 2, spread=2.0)
    couplings = torch.stack([torch.ones_like(q), q])
    table, kappa, gamma = model.law.table().detach(), torch.tensor([0.2]).double(), torch.tensor(0.3).double()

    def rounds(*given: Tensor) -> Any:
        x, v, c, k, g, t = given
        return _Rounds.apply(x, v, c, m, k, g, t, model.law.u0, model.law.softening, 0.05, 2, [0])

    given = tuple(a.requires_grad_() for a in (x, v, couplings, kappa, gamma, table))
    assert torch.autograd.gradcheck(rounds, given, fast_mode=True)


# 2 The order


def truth(x: Tensor, v: Tensor, q: Tensor, m: Tensor, horizon: float) -> Tensor:
    ends = [
        simulate(
            System(charge, mass, law="coulomb", parameters={"eps": 0.1}),
            State(position, velocity),
            horizon,
            n_frames=2,
            dt=1e-3,
        ).positions[-1]
        for position, velocity, charge, mass in zip(*(a.numpy() for a in (x, v, q, m)), strict=True)
    ]
    return torch.as_tensor(np.array(ends))


def rmses(model: Integrator, given: list[Tensor], horizon: float, counts: tuple[int, ...]) -> Tensor:
    """RMSE of each sample for each number of rounds: (len(counts), B)."""
    end = truth(*given, horizon)
    found = [forecast(model, *given, horizon, evaluations=k)[0] for k in counts]
    return torch.stack([(x - end).square().mean((1, 2)).sqrt() for x in found])


def slope(errors: Tensor, counts: tuple[int, ...]) -> float:
    return -float(np.polyfit(np.log(counts), np.log(errors.numpy()), 1)[0])


@pytest.mark.parametrize("n", [2, 3])
def test_two_bodies_need_one_round(n: int) -> None:
    given = state(30, 2, n)
    still = float((given[0] + given[1] - truth(*given, 1.0)).square().mean().sqrt())
    errors = rmses(knowing_coulomb(), given, 1.0, (1, 4, 16))
    assert float(errors[0].median()) < 3e-4 < 0.1 < still
    assert float(errors[0].square().mean().sqrt()) < 0.05 * still
    wrong = rmses(knowing_coulomb(1.05), given, 1.0, (1,))
    assert float(wrong.median()) > 10 * float(errors[0].median())


def test_three_body_errors_fall_as_the_square_of_the_step() -> None:
    given, counts = state(40), (2, 4, 8)
    errors = rmses(knowing_coulomb(), given, 0.5, counts).square().mean(1).sqrt()
    assert 1.8 < slope(errors, counts) < 2.3
    wrong = rmses(knowing_coulomb(1.1), given, 0.5, counts).square().mean(1).sqrt()
    assert slope(wrong, counts) < 1


def test_so_do_those_of_long_forecasts_in_many_rounds() -> None:
    given, counts = state(40, spread=2.0), (16, 32, 64, 128)
    errors = rmses(knowing_coulomb(), given, 1.0, counts).median(1).values
    assert 1.8 < slope(errors, counts) < 2.3
    wrong = rmses(knowing_coulomb(1.1), given, 1.0, counts).median(1).values
    assert slope(wrong, counts) < 0.5


@pytest.mark.parametrize("particles", [2, 5])
def test_more_rounds_are_never_worse(particles: int) -> None:
    """But for the error of a pair's own sub-steps, a few 1e-4 that know nothing of K."""
    errors = rmses(knowing_coulomb(), state(40, particles), 1.0, (1, 2, 4, 8, 16, 32, 64, 128))
    of_all = errors.square().mean(1).sqrt()
    assert (of_all[1:] < (1.1 * of_all[:-1]).clamp_min(4e-4)).all()
    assert float(of_all[-1]) < 0.1 * float(of_all[0])


# 3 Symmetries


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
    inner = model.forward
    model.forward = lambda x, v, *rest, **kw: inner(x * torch.tensor([1.001, 1, 1]).to(x), v, *rest, **kw)
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


# 4 What it keeps


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
    facts = (torch.stack([torch.ones_like(q), q]), m, torch.zeros(8).double(), torch.zeros(()).double())
    table = model.law.table()
    end_x, end_v = _Rounds.apply(x, v, *facts, table, model.law.u0, model.law.softening, 1 / 16, 16, [0])
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
            potential = model._potential(position, couplings, m, model._kappa(velocity, m), model.law.table())
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


# 7 Any horizon, any number of rounds


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
        assert offer.cost.law_calls == spent
        np.testing.assert_allclose(found.positions, x + horizon * v, atol=0.5)
    assert offer.with_evaluations(3).evaluations == 3
    assert offer.evaluations == 8
    for bad in (0, -1):
        with pytest.raises(InputError, match="evaluations must be a whole number"):
            offer.forecast(x, v, q, evaluations=bad)
    for bad in (0.0, np.nan, np.inf):
        with pytest.raises(InputError, match="horizon must be finite and not 0"):
            offer.forecast(x, v, q, bad)
    with pytest.raises(InputError, match="masses must be positive"):
        offer.forecast(x, v, q, masses=-m)


def test_close_pairs_take_more_and_others_no_more() -> None:
    model = knowing_coulomb()
    for k in (1, 5, 16):
        forecast(model, *state(8, spread=0.3), evaluations=k)
        close = model.law_calls
        forecast(model, *state(8, spread=30.0), evaluations=k)
        assert k <= model.law_calls < k + 1 < close


def test_without_substeps_close_pairs_take_no_more_and_are_worse() -> None:
    given = state(40, 2, spread=0.5)
    one, many = knowing_coulomb(most_substeps=1), knowing_coulomb()
    errors = [float(rmses(model, given, 1.0, (4,)).square().mean()) for model in (one, many)]
    assert errors[0] > 1000 * errors[1]
    assert one.law_calls == 4 < many.law_calls


def test_the_growth_of_gradients_is_limited_in_training_alone() -> None:
    given = state(40, 5, spread=0.3)
    sizes = {}
    for growth in (2.0, 0.0):
        model = knowing_coulomb(gradient_growth=growth)
        for training in (True, False):
            start = given[0].clone().requires_grad_()
            model.train(training)(start, given[1], given[2], 1.0, given[3])[0].square().sum().backward()
            assert start.grad is not None
            sizes[growth, training] = float(start.grad.norm())
    assert sizes[0.0, False] == pytest.approx(sizes[2.0, False])
    assert sizes[2.0, True] < 0.5 * sizes[0.0, True]


def test_pytorch_limits_it_as_the_kernel_does() -> None:
    x, v, q, m = state(12, 5, spread=0.3)
    model = knowing_coulomb()
    couplings = torch.stack([torch.ones_like(q), q])
    facts = (couplings, m, torch.zeros(12).double(), torch.zeros(()).double(), model.law.table(), model.law.u0)
    facts = (*facts, model.law.softening, 1 / 8, 8)

    def gradient(kernel: bool, limit: float) -> Tensor:
        start = x.clone().requires_grad_()
        if kernel:
            out_x, _ = _Rounds.apply(start, v, *facts, [0], limit, 64)
        else:
            out_x, _, _ = rounds_in_torch(start, v, *facts, 64, None, limit)
        out_x.square().sum().backward()
        assert start.grad is not None
        return start.grad

    free, held = gradient(False, math.inf), gradient(False, 2.0)
    torch.testing.assert_close(held, gradient(True, 2.0), rtol=1e-8, atol=1e-8)
    assert float(held.norm()) < 0.5 * float(free.norm())


# 8 Where norms vanish


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
    found = model(x, v, q, 1.0, m)
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


# 9 Batches


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
