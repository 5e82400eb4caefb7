"""What every model can learn: a linear optimum, four samples by heart, velocities beside positions."""

import copy

import pytest
import torch

from tests.surrogate.models.cases import (
    SMALLER,
    awake,
    cases,
    made,
    outputs,
    states,
)


def test_linear_reaches_its_closed_form_optimum() -> None:
    x, v, q = states(3, 5, 40)
    target = x + 0.7 * v + 0.1 * torch.sin(3 * x)
    best = float((v * (target - x)).sum() / (v * v).sum())
    model = made("linear").double()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.3)
    for _ in range(60):
        optimiser.zero_grad()
        (model(x, v, q)[0] - target).square().mean().backward()
        optimiser.step()
    assert float(model.t.detach()) == pytest.approx(best, abs=1e-9)
    assert abs(best - 0.7) > 1e-4


@cases
def test_four_samples_can_be_learned_by_heart(case: str) -> None:
    """With as many steps as anybody waits for; what a model cannot learn, its gradients do not reach."""
    model = made(case, **SMALLER.get(case, {}))
    x, v, q = states(3, 5, 4, dtype=torch.float32)
    v = 0.5 * v
    r = x[:, :, None] - x[:, None]
    force = (q[:, :, None, None] * q[:, None, :, None] * r / (r.square().sum(-1, keepdim=True) + 0.5)).sum(2)
    if case == "linear":
        x_target, v_target = x + 0.55 * v, v
    elif case == "egnn-no-velocity":  # its output is confined to the span of the r_ij
        x_target, v_target = x + 0.3 * force, v
    elif case == "integrator":  # it learns pair laws and nothing else
        teacher = made(case)
        softened = teacher.law.softening**2 - 0.5  # the force above, moved along for a whole horizon
        teacher.law.radial = lambda u: torch.stack([0 * u, 1 / (torch.exp(2 * u) - softened)])
        with torch.no_grad():
            x_target, v_target = teacher.for_inference().forward(x, v, q)
    else:
        x_target, v_target = x + v + 0.3 * force, v + 0.5 * force
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3 if case != "linear" else 0.05)
    losses, forward = [], model.for_training().forward
    for step in range(250):
        for group in optimiser.param_groups:
            group["lr"] *= 0.985 if step > 100 else 1
        forecast, velocities = forward(x, v, q)
        loss = (forecast - x_target).square().mean()
        if velocities is not None:
            loss = loss + (velocities - v_target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.02 * losses[0]
    assert losses[-1] < 0.01


@cases
def test_a_velocity_head_leaves_positions_alone(case: str) -> None:
    model = awake(made(case))
    head = model.velocity_head_parameters()
    if not head:
        assert {id(p) for p in model.position_parameters()} == {id(p) for p in model.parameters()}
        return
    state = states(dtype=torch.float32)
    x_before = copy.deepcopy(outputs(model, *state)[0])
    model(*state)[1].square().sum().backward()
    assert all(p.grad is None or not p.grad.any() for p in model.position_parameters())
    assert any(p.grad is not None and p.grad.any() for p in head)
    with torch.no_grad():
        for p in head:
            p.add_(1.0)
    assert torch.equal(outputs(model, *state)[0], x_before)
