"""SchNet: its trunk equals the public one with the same weights; the energy head conserves momentum."""

import pytest
import torch
from torch import Tensor, nn

from physics.errors import InputError
from surrogate.models.schnet import SchNet, SchNetConfig
from surrogate.nn import row_tiles
from surrogate.nn.graph import Graph
from tests.surrogate.models.cases import (
    BROKEN,
    awake,
    distance,
    made,
    outputs,
    rotation,
    shifting_error,
    states,
    turning_error,
)
from tests.surrogate.models.public_code import stored, with_ruled_weights


@pytest.mark.parametrize("cutoff", [0.0, 3.0])
def test_features_equal_those_of_the_public_code(cutoff: float) -> None:
    """SchNetPack's SchNet, with a shifted softplus behind its filters."""
    found = stored("schnet")
    config = SchNetConfig(hidden=16, layers=2, basis=12, edge_invariants=False, cutoff=cutoff)
    model = with_ruled_weights(SchNet(config))
    x, v, q = (found[name].flatten(0, 1) for name in "xvq")
    edges = Graph.near(x, [5] * 3, cutoff=model.cutoff)
    with torch.no_grad():
        h = model.features((x, v, q.unsqueeze(-1)), edges)
    assert float((h - found["h_cutoff" if cutoff else "h"].flatten(0, 1)).abs().max()) < 1e-8


def energy_model() -> SchNet:
    model = awake(made("schnet-energy")).double()
    assert isinstance(model, SchNet)
    return model


def pushes(model: SchNet, *state: Tensor) -> Tensor:
    """x_hat - x of a model without its own velocities."""
    nn.init.zeros_(model.phi_v[-1].weight)  # type: ignore[arg-type]
    nn.init.zeros_(model.phi_v[-1].bias)  # type: ignore[arg-type]
    return outputs(model, *state)[0] - state[0]


def test_the_energy_head_conserves_momentum_and_the_radial_one_does_not() -> None:
    pushed = pushes(energy_model(), *states())
    assert float(pushed.abs().max()) > BROKEN
    assert float(pushed.sum(1).abs().max()) < 1e-9
    radial = awake(made("schnet")).double()
    assert isinstance(radial, SchNet)
    assert float(pushes(radial, *states()).sum(1).abs().max()) > BROKEN


def test_the_energy_head_is_the_gradient_of_its_energy() -> None:
    model, (x, v, q) = energy_model(), states(3, 5, 1)
    pushed = pushes(model, x, v, q)

    def energy(at: Tensor) -> float:
        with torch.no_grad():
            h = model.features((at, v.flatten(0, 1), q.view(-1, 1)), Graph.near(at, [5]))
            assert model.energy is not None
            return float(model.energy(h).sum())

    step = torch.zeros(5, 3).double()
    step[2, 1] = 1e-5
    slope = (energy(x[0] + step) - energy(x[0] - step)) / 2e-5
    assert float(pushed[0, 2, 1]) == pytest.approx(-slope, rel=1e-6)


def test_forecasts_of_the_energy_head_are_the_same_however_gradients_are_switched(monkeypatch) -> None:
    model, state = energy_model(), states()
    assert model(*state)[0].requires_grad
    with_gradients = [model(*state)[0].detach()]
    with torch.no_grad():
        assert not model(*state)[0].requires_grad
        assert distance(outputs(model, *state), with_gradients) < 1e-13
    with torch.inference_mode():
        assert distance(outputs(model, *(t + 0 for t in state)), with_gradients) < 1e-13
    monkeypatch.setattr(row_tiles, "WHOLE_EDGES", 0)
    monkeypatch.setattr(row_tiles, "TILE_EDGES", {"cpu": 9})
    assert distance(outputs(model, *state), with_gradients) < 1e-11


@pytest.mark.parametrize("case", ["schnet-energy", "schnet"])
def test_forecasts_are_differentiable_through_states_that_depend_on_each_other(case: str) -> None:
    """In a roll-out velocities depend on positions; the energy is differentiated without that."""
    model, (x, v, q) = awake(made(case)).double(), states(3, 4, 1)

    def loss(at: Tensor) -> Tensor:
        return model(at, v + 0.5 * at.sin(), q)[0].square().sum()

    x.requires_grad_()
    assert torch.equal(model(x, v + 0.5 * x.sin(), q)[0], model(x.detach(), v + 0.5 * x.detach().sin(), q)[0])
    (gradient,) = torch.autograd.grad(loss(x), x)
    step = torch.zeros_like(x)
    step[0, 1, 2] = 1e-5
    slope = float((loss(x + step) - loss(x - step)).detach()) / 2e-5
    assert float(gradient[0, 1, 2]) == pytest.approx(slope, rel=1e-5)


def test_a_trunk_that_sees_positions_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    model = awake(made("schnet")).double()
    whole = SchNet.features

    def leaning(self, state, edges, known=None):
        return whole(self, state, edges, known) + 0.3 * state[0][..., :1]

    assert shifting_error(model, *states()) < 1e-10
    monkeypatch.setattr(SchNet, "features", leaning)
    assert shifting_error(model, *states()) > BROKEN


def test_a_cutoff_of_a_component_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    model = awake(made("schnet")).double()
    whole = SchNet._geometry

    def leaning(self, state, edges):
        r, inputs, _ = whole(self, state, edges)
        return r, inputs, (1 + torch.cos(r[..., :1])) / 2

    assert turning_error(model, rotation(3), *states()) < 1e-10
    monkeypatch.setattr(SchNet, "_geometry", leaning)
    assert turning_error(model, rotation(3), *states()) > BROKEN


def test_an_unknown_head_is_refused() -> None:
    with pytest.raises(InputError, match="head"):
        SchNet(SchNetConfig(head="forces"))
