"""What the integrator may have beside its pair law: node features, and the published clamp."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from physics.errors import InputError
from physics.rotations import plane_rotation
from surrogate.models.integrator.model import Integrator, IntegratorConfig
from surrogate.models.integrator.node_features import FEATURE_CHANNELS
from surrogate.models.integrator.rounds import rounds_in_torch
from tests.surrogate.models.integrators import alone, drawn, forecast, gap, knowing_coulomb, state

# 1 Node features


def with_features(scale: float = 1.0) -> Integrator:
    model = drawn(0.05, features=8)
    assert model.features is not None
    with torch.no_grad():
        for p in model.features.phi_k.parameters():
            p.mul_(scale)
    return model.eval()


def test_features_change_the_forecast() -> None:
    given = state(6)
    assert gap(forecast(with_features(), *given), forecast(with_features(0.0), *given)) > 1e-3


def test_what_they_add_vanishes_with_the_step() -> None:
    given = state(20, spread=2.0)
    gaps = [
        gap(*(forecast(with_features(scale), *given, horizon=0.5, evaluations=k) for scale in (1.0, 0.0)))
        for k in (4, 8, 16, 32)
    ]
    slopes = [float(torch.log2(torch.tensor(a / b))) for a, b in pairwise(gaps)]
    assert min(slopes) > 1.5  # as dt^2, or faster


def test_they_carry_history() -> None:
    """The same state forecast on from afresh differs from the second half of a long forecast."""
    x, v, q, m = state(6)
    model = with_features()
    once = forecast(model, x, v, q, m, 1.0, evaluations=8)
    half = forecast(model, x, v, q, m, 0.5, evaluations=4)
    assert gap(once, forecast(model, *half, q, m, 0.5, evaluations=4)) > 1e-4


def test_all_their_weights_are_trained() -> None:
    model = drawn(0.05, features=8).train()
    x, v, q, m = state(6)
    model.for_training().forward(x, v, q, 1.0, m)[0].square().sum().backward()
    assert model.features is not None
    for name, p in model.features.named_parameters():
        assert p.grad is not None, name
        assert float(p.grad.abs().max()) > 0, name


def test_channels_of_the_law_come_first() -> None:
    model = drawn(couplings="charges", features=8)
    assert model.law.coefficients(torch.ones(1)).shape == (1 + FEATURE_CHANNELS, 1)


# 2 The clamp of each component


def turned_gap(model: Integrator, degrees: float) -> float:
    x, v, q, m = state(12, spread=0.4)
    r = torch.as_tensor(plane_rotation(3, 0, 1, torch.pi * degrees / 180))
    there = forecast(model, x @ r.T, v @ r.T, q, m)
    here = [a @ r.T for a in forecast(model, x, v, q, m)]
    return gap(there, here)


def limited(limit: float) -> Integrator:
    torch.manual_seed(0)
    return knowing_coulomb(component_limit=limit, energy=False, conserve=True)


def test_a_limit_that_is_never_reached_changes_nothing() -> None:
    given = state(6)
    plain = forecast(knowing_coulomb(energy=False), *given)
    assert gap(forecast(limited(1e9), *given), plain) < 1e-9
    assert gap(forecast(limited(0.3), *given), plain) > 0.01


def test_it_knows_the_axes_and_says_so() -> None:
    model = limited(1.0)
    assert (model.group, Integrator(IntegratorConfig()).group) == ("Sym", "E(n)")
    assert turned_gap(model, 90.0) < 1e-6
    assert turned_gap(model, 45.0) > 0.01
    assert turned_gap(knowing_coulomb(energy=False), 45.0) < 1e-6


def test_each_component_of_a_pair_force_stays_within() -> None:
    """Two bodies at rest, one short round in one sub-step: the impulse is the clamped force times dt."""
    x = torch.tensor([[[0.1, 0.02, 0.0], [-0.1, -0.02, 0.0]]], dtype=torch.float64)
    v, ones = torch.zeros_like(x), torch.ones(1, 2, dtype=torch.float64)
    model = knowing_coulomb(component_limit=5.0)
    dt = 1e-6
    facts = (torch.stack([ones, ones]), ones, alone(1, dt), model.law.table(), model.law.u0, model.law.softening)

    def force(limit: Tensor | None) -> Tensor:
        return rounds_in_torch(x, v, *facts, dt, 1, 1, limit=limit)[1][0, 0] / dt

    free, held = force(None), force(torch.tensor(5.0, dtype=torch.float64))
    assert free[0] > 5.0 > free[1] > 0.0
    torch.testing.assert_close(held, torch.stack([held.new_tensor(5.0), free[1], held.new_tensor(0.0)]))


def test_the_limit_is_learned() -> None:
    model = drawn(0.3, component_limit=0.5).train()
    x, v, q, m = state(6, spread=0.5)
    model(x, v, q, 0.5, m)[0].square().sum().backward()
    assert model.log_limit is not None
    assert model.log_limit.grad is not None
    assert float(model.log_limit.grad) != 0.0


@pytest.mark.parametrize("name", ["features", "component_limit"])
def test_what_cannot_be(name: str) -> None:
    with pytest.raises(InputError, match=f"model.{name} must be >= 0; got -1"):
        Integrator(IntegratorConfig(**{name: -1}))  # type: ignore[arg-type]
