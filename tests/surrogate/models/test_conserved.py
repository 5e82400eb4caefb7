"""Angular momentum and energy reach what is wanted, in any n, by a change that carries no momentum."""

import pytest
import torch
from torch import Tensor

from surrogate.models.integrator.conserved import (
    MOST_SCALING,
    angular_momentum,
    centred,
    kinetic_energy,
    rigid_turn,
    with_angular_momentum,
    with_energy,
)
from tests.surrogate.models.integrators import state

dims = pytest.mark.parametrize("n", [2, 3, 4, 5, 6])


def momentum(v: Tensor, m: Tensor) -> Tensor:
    return (m.unsqueeze(-1) * v).sum(1)


def about_centre(x: Tensor, v: Tensor, m: Tensor) -> Tensor:
    return angular_momentum(centred(x, m), centred(v, m), m)


@dims
@pytest.mark.parametrize("particles", [3, 5, 12])
def test_the_wanted_angular_momentum_at_the_same_momentum(n: int, particles: int) -> None:
    x, v, _, m = state(6, particles, n)
    x_before, v_before, _, _ = state(6, particles, n, seed=1)
    wanted = about_centre(x, v_before, m)  # what this body can have: N <= n bodies span N - 1 dimensions
    moved, turned = with_angular_momentum(x, v, m, wanted)
    assert float((about_centre(x, v, m) - wanted).abs().max()) > 0.1
    assert float((about_centre(moved, turned, m) - wanted).abs().max()) < 1e-12
    assert float((moved - x).abs().max()) < 1e-2
    torch.testing.assert_close(momentum(turned, m), momentum(v, m), rtol=0, atol=1e-13)
    # Where the shape did change, as in a forecast, positions give way where no turn of velocities helps (N <= n)
    near = x + 1e-4 * (x_before - x)
    moved, turned = with_angular_momentum(near, v_before, m, wanted)
    assert float((about_centre(moved, turned, m) - wanted).abs().max()) < 1e-12
    assert float((moved - near).abs().max()) < 1e-2
    torch.testing.assert_close(momentum(moved, m), momentum(near, m), rtol=0, atol=1e-13)


@dims
def test_the_turn_is_the_smallest_change(n: int) -> None:
    """A rigid rotation carries its angular momentum with the least kinetic energy."""
    x, v, _, m = state(4, 5, n)
    x = centred(x, m)
    wanted = about_centre(x, v, m)
    turn = rigid_turn(x, wanted, m)
    torch.testing.assert_close(angular_momentum(x, turn, m), wanted, rtol=0, atol=1e-12)
    assert (kinetic_energy(turn, m) < kinetic_energy(centred(v, m), m)).all()
    square = (centred(v, m) - turn) * m.unsqueeze(-1)
    torch.testing.assert_close((square * turn).sum((1, 2)), torch.zeros(4).double(), rtol=0, atol=1e-12)


@dims
@pytest.mark.parametrize("particles", [3, 5, 12])
def test_the_wanted_energy_at_the_same_momenta(n: int, particles: int) -> None:
    x, v, _, m = state(6, particles, n)
    for factor in (0.98, 1.0, 1.05):
        wanted = factor * kinetic_energy(v, m)
        found = with_energy(x, v, m, wanted)
        inner = (kinetic_energy(found, m) - wanted).abs() / wanted
        reachable = (kinetic_energy(found - v, m) > 0) | (factor == 1.0)
        assert reachable.any()
        assert float(inner[reachable].max()) < 1e-12
        torch.testing.assert_close(momentum(found, m), momentum(v, m), rtol=0, atol=1e-13)
        torch.testing.assert_close(about_centre(x, found, m), about_centre(x, v, m), rtol=0, atol=1e-12)


def test_an_energy_out_of_reach_leaves_the_velocities() -> None:
    x, v, _, m = state(6, 5, 3)
    for wanted in (-torch.ones(6).double(), 1e3 * kinetic_energy(v, m)):
        assert torch.equal(with_energy(x, v, m, wanted), v)
    scaled = with_energy(x, v, m, 1.01 * kinetic_energy(v, m))
    assert float((scaled - v).abs().max()) > 1e-4
    assert MOST_SCALING > 1


@pytest.mark.parametrize("what", ["angular momentum", "energy"])
@pytest.mark.parametrize("n", [2, 3, 4])
def test_gradients(what: str, n: int) -> None:
    x, v, _, m = state(2, 5, n)
    wanted = about_centre(*state(2, 5, n, seed=3)[:2], m).requires_grad_()
    kinetic = (1.05 * kinetic_energy(v, m)).requires_grad_()
    x.requires_grad_()
    v.requires_grad_()
    if what == "energy":
        assert torch.autograd.gradcheck(lambda x, v, e: with_energy(x, v, m, e), (x, v, kinetic))
    else:
        assert torch.autograd.gradcheck(lambda x, v, w: with_angular_momentum(x, v, m, w - w.mT), (x, v, wanted))


@pytest.mark.parametrize("shape", ["two bodies", "collinear", "coincident", "at rest"])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_shapes_without_inertia_stay_finite(shape: str, n: int) -> None:
    x, v, _, m = state(3, 2 if shape == "two bodies" else 4, n)
    if shape == "collinear":
        x = x[:, :, :1] * torch.ones(n).double()
    elif shape == "coincident":
        x = x[:, :1].expand(3, 4, n).clone()
    elif shape == "at rest":
        v = torch.zeros_like(v)
    wanted = about_centre(x, state(3, x.shape[1], n, seed=1)[1], m)
    x.requires_grad_()
    v.requires_grad_()
    moved, turned = with_angular_momentum(x, v, m, wanted)
    found = with_energy(moved, turned, m, 1.02 * kinetic_energy(v, m))
    (found.square().sum() + found.sum()).backward()
    for tensor in (found, x.grad, v.grad):
        assert torch.isfinite(tensor).all()
    assert float((about_centre(moved, turned, m) - wanted).detach().abs().max()) < 1e-12
