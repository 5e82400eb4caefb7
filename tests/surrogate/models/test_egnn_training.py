"""The fused training step: the layers' gradients, once, for any number of threads."""

import copy

import pytest
import torch

from surrogate.bench import textbook
from surrogate.models.egnn.model import EGNN, EGNNConfig
from tests.surrogate.models.cases import awake
from tests.surrogate.models.test_egnn_inference import single

CLOSE = 3e-5
"""Relative to the largest number of each weight's gradient, which is a sum over edges with terms of both signs."""
forms = pytest.mark.parametrize("form", ["init", "recurrent"])


def made(form="init", hidden=64, layers=3, head=False):
    torch.manual_seed(0)
    return awake(EGNN(EGNNConfig(hidden=hidden, layers=layers, velocity=form, velocity_head=head)))


def target_of(x):
    return torch.roll(x, 1, 0) + 0.5


def gradients(model, forward, state, **how):
    found = torch.autograd.grad(
        (forward(*state) - target_of(state[0])).square().mean(),
        list(model.parameters()),
        allow_unused=True,
        **how,
    )
    return dict(zip((name for name, _ in model.named_parameters()), found, strict=True))


def fused(model, *state):
    accelerated = model.for_training()
    assert accelerated.description == "fused float32 kernels"
    return accelerated.forward(*state)[0]


def exact_gradients(model, state, shift=0.0):
    model = copy.deepcopy(model).double()

    def forward(*state):
        weights = dict(model.named_parameters())
        return textbook.egnn(weights, model.form, model.evaluations, *state, shift=shift)

    return gradients(model, forward, [t.double() for t in state])


def far(found, expected):
    assert {name for name, g in found.items() if g is None} == {n for n, g in expected.items() if g is None}
    pairs = [(found[name].double(), g.double()) for name, g in expected.items() if g is not None]
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)


@forms
@pytest.mark.parametrize(("n", "particles", "systems"), [(3, 5, 3), (2, 2, 400), (5, 7, 1), (1, 40, 2), (9, 3, 2)])
def test_gradients_are_the_textbooks(form, n, particles, systems):
    model, state = made(form), single(n, particles, systems)
    kept = [t.clone() for t in state]
    found = gradients(model, lambda *s: fused(model, *s), state)
    assert far(found, exact_gradients(model, state)) < CLOSE
    assert far(found, exact_gradients(model, state, shift=1e-2)) > CLOSE
    assert all(torch.equal(t, k) for t, k in zip(state, kept, strict=True))


@pytest.mark.parametrize("hidden", [1, 8, 65, 100])
@pytest.mark.parametrize("layers", [1, 2])
def test_widths_that_fill_no_panel_and_single_layers(hidden, layers):
    model, state = made(hidden=hidden, layers=layers), single()
    found = gradients(model, lambda *s: fused(model, *s), state)
    assert far(found, exact_gradients(model, state)) < CLOSE


@forms
def test_forecasts_are_the_layers(form):
    model, state = made(form), single(systems=70)
    with torch.no_grad():
        expected = copy.deepcopy(model).double()(*(t.double() for t in state))[0]
    found = fused(model, *state).detach().double()
    assert float((found - expected).abs().max() / expected.abs().max()) < 2e-6


def test_a_velocity_head_is_trained_by_pytorch():
    accelerated = made(head=True).for_training()
    assert accelerated.description == "PyTorch: the kernels do not train a velocity head"
    assert accelerated.forward(*single())[1] is not None


def test_a_head_that_is_skipped_is_no_hindrance():
    model, state = made(head=True), single()
    model.skip_velocity_head = True
    found = gradients(model, lambda *s: fused(model, *s), state)
    assert all(g is None for name, g in found.items() if name.startswith("velocity_head"))
    assert far(found, exact_gradients(model, state)) < CLOSE


def test_frozen_weights_get_no_gradients_and_the_others_theirs():
    model, state = made(), single()
    model.layers[1].requires_grad_(False)
    fused(model, *state).square().mean().backward()
    expected = copy.deepcopy(model)
    expected.zero_grad()
    expected(*state)[0].square().mean().backward()
    assert all(p.grad is None for p in model.layers[1].parameters())
    assert sum(p.grad is not None for p in model.parameters()) > 10
    for p, e in zip(model.parameters(), expected.parameters(), strict=True):
        assert (p.grad is None) == (e.grad is None)
        assert p.grad is None or float((p.grad - e.grad).abs().max() / e.grad.abs().max()) < CLOSE


def test_weights_are_read_anew_by_every_call():
    model, state = made(), single()
    forward = model.for_training().forward
    before = forward(*state)[0].detach()
    with torch.no_grad():
        model.layers[1].edge_out.weight.mul_(1.5)
    after = forward(*state)[0].detach()
    assert torch.equal(after, fused(model, *state).detach())
    assert float((after - before).abs().max()) > 1e-3


def test_gradients_of_gradients_are_pytorchs():
    model, state = made(hidden=8, layers=2), single()
    weight = model.layers[0].edge_out.weight

    def curve(forward):
        (slope,) = torch.autograd.grad(forward(*state)[0].square().mean(), weight, create_graph=True)
        slope.square().sum().backward()

    curve(model)
    assert weight.grad.abs().max() > 0
    with pytest.raises(RuntimeError, match="once_differentiable"):
        curve(model.for_training().forward)


def test_a_graph_may_be_gone_through_twice_but_not_past_changed_weights():
    model, state = made(), single()
    loss = fused(model, *state).square().mean()
    first = torch.autograd.grad(loss, model.layers[0].edge_in.weight, retain_graph=True)[0]
    again = torch.autograd.grad(loss, model.layers[0].edge_in.weight, retain_graph=True)[0]
    assert torch.equal(first, again)
    with torch.no_grad():
        model.layers[2].edge_out.bias += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize(("particles", "systems"), [(5, 230), (60, 1)])
def test_threads_change_no_bit(particles, systems):
    model, state = made(), single(particles=particles, systems=systems)
    before = torch.get_num_threads()
    try:
        runs = []
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            runs.append(gradients(model, lambda *s: fused(model, *s), state))
    finally:
        torch.set_num_threads(before)
    for run in runs[1:]:
        assert all(g is None or torch.equal(g, runs[0][name]) for name, g in run.items())


def test_nothing_of_the_size_of_the_edges_is_kept():
    def kept(particles):
        model, state = made(layers=2), single(particles=particles, systems=1)
        parts = fused(model, *state).grad_fn.parts
        arrays = [*parts.x, *parts.v, *parts.nodes, *parts.pairs, *parts.hidden]
        return sum(array.nbytes for array in arrays) / particles

    assert kept(200) < 1.1 * kept(20)


def test_training_goes_where_the_layers_go():
    state, errors = single(systems=40), []
    for choose in (lambda m: m, lambda m: m.for_training().forward):
        model = made(hidden=16, layers=2)
        forward = choose(model)
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
        for _ in range(20):
            loss = (forward(*state)[0] - target_of(state[0])).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        errors.append(loss.item())
    assert errors[0] == pytest.approx(errors[1], rel=1e-4)
