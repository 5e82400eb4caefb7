"""The fused kernel: equal to the layers it stands for, with the weights it was made from."""

import copy

import numpy as np
import pytest
import torch

from surrogate.bench import textbook
from surrogate.models.egnn.cpu import inference as egnn_fused
from surrogate.models.egnn.model import EGNN, EGNNConfig
from tests.surrogate.models.cases import awake, states

CLOSE = 2e-6
"""Relative to the largest coordinate: float32 rounding through four layers, in two orders of summing."""
forms = pytest.mark.parametrize("form", ["init", "recurrent"])


def made(form="init", head=True, hidden=64, layers=3):
    torch.manual_seed(0)
    model = EGNN(EGNNConfig(hidden=hidden, layers=layers, velocity=form, velocity_head=head))
    return awake(model).eval()


def single(n=3, particles=5, systems=3):
    return states(n, particles, systems, dtype=torch.float32)


def far(found, expected):
    pairs = [(a, b) for a, b in zip(found, expected, strict=True) if b is not None]
    assert [a is None for a in found] == [b is None for b in expected]
    return max(float((a.double() - b.double()).abs().max() / b.abs().max()) for a, b in pairs)


def fused(model, *state):
    accelerated = model.for_inference()
    assert accelerated.description == "fused float32 kernels"
    return accelerated.forward(*state)


def exact(model, *state):
    with torch.no_grad():
        return copy.deepcopy(model).double()(*(t.double() for t in state))


@forms
@pytest.mark.parametrize("head", [False, True])
@pytest.mark.parametrize(("n", "particles", "systems"), [(3, 5, 3), (2, 2, 70), (5, 7, 1), (1, 40, 2), (9, 3, 2)])
def test_the_kernel_equals_the_layers(form, head, n, particles, systems):
    model = made(form, head)
    state = single(n, particles, systems)
    kept = [t.clone() for t in state]
    assert far(fused(model, *state), exact(model, *state)) < CLOSE
    assert all(torch.equal(t, k) for t, k in zip(state, kept, strict=True))


@pytest.mark.parametrize("hidden", [1, 8, 65, 100])
def test_widths_that_fill_no_panel_are_filled_up(hidden):
    model = made(hidden=hidden, layers=2)
    state = single()
    assert far(fused(model, *state), exact(model, *state)) < 2 * CLOSE


@forms
@pytest.mark.parametrize("head", [False, True])
def test_the_first_layer_may_be_the_last(form, head):
    model = made(form, head, layers=1)
    state = single(systems=60)  # more than one group: the rows of the first are written over
    assert far(fused(model, *state), exact(model, *state)) < CLOSE


@forms
def test_it_equals_the_textbook(form):
    model = made(form, head=False, layers=4)
    state = single(systems=20)
    expected = textbook.egnn(model.state_dict(), form, 4, *state)
    assert far(fused(model, *state), (expected, None)) < CLOSE
    wrong = textbook.egnn(model.state_dict(), form, 4, *state, shift=1e-3)
    assert far(fused(model, *state), (wrong, None)) > CLOSE


def test_a_model_itself_is_pytorch():
    model, state = made(), single()
    with torch.no_grad():
        plain = model(*state)
    assert 0 < far(fused(model, *state), plain) < CLOSE
    assert model(*state)[0].requires_grad


def test_inputs_need_not_be_contiguous_and_may_want_gradients():
    model, (x, v, q) = made(), single()
    wide = torch.empty(x.shape[0], x.shape[1], 6)
    wide[..., ::2] = x
    expected = fused(model, x, v, q)
    assert far(fused(model, wide[..., ::2], v, q), expected) == 0
    assert not fused(model, x.requires_grad_(), v, q)[0].requires_grad


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (lambda: made(hidden=egnn_fused.MOST_HIDDEN + 1, layers=1), "PyTorch: the kernels are for at most 256"),
        (lambda: made().double(), "PyTorch: float64 on cpu"),
        (lambda: EGNN(EGNNConfig(velocity="none")), "PyTorch: the kernels need a velocity stream"),
        (lambda: with_tanh(made()), "PyTorch: the kernels know the layers of the paper alone"),
        (lambda: made().to("meta"), "PyTorch: float32 on meta"),
    ],
)
def test_what_the_kernels_do_not_cover_is_pytorch_and_says_why(model, said):
    model = model()
    for accelerated in (model.for_inference(), model.for_training()):
        assert accelerated.description.startswith(said)
        assert accelerated.forward is model
        assert accelerated.differentiable


def with_tanh(model):
    model.layers[0].phi_v[1] = torch.nn.Tanh()
    return model


def test_other_precisions_than_the_kernels_are_refused():
    model, state = made(), single()
    for accelerated in (model.for_inference(), copy.deepcopy(made(head=False)).for_training()):
        with pytest.raises(TypeError, match=r"take float32 on the CPU; got torch.float64"):
            accelerated.forward(*(t.double() for t in state))


CHANGES = {
    "optimiser step": lambda m: _step(m),
    "load_state_dict": lambda m: m.load_state_dict({k: 1.1 * t for k, t in m.state_dict().items()}),
    "assigned state": lambda m: m.load_state_dict({k: 1.1 * t for k, t in m.state_dict().items()}, assign=True),
    "in place": lambda m: m.layers[1].edge_out.weight.data.add_(0.01),
    "one number": lambda m: _one_number(m),
    "through numpy": lambda m: m.layers[0].phi_x[0].weight.detach().numpy().__imul__(1.1),
    "data replaced": lambda m: setattr(m.embedding.bias, "data", m.embedding.bias.data + 0.1),
    "tensors swapped": lambda m: torch.utils.swap_tensors(
        m.embedding.bias, torch.nn.Parameter(m.embedding.bias.detach() + 0.1)
    ),
    "parameter replaced": lambda m: setattr(m.embedding, "bias", torch.nn.Parameter(m.embedding.bias.data + 0.1)),
    "module replaced": lambda m: m.layers.__setitem__(1, m.layers[0]),
    "inner module replaced": lambda m: m.layers[0].phi_v.__setitem__(0, torch.nn.Linear(64, 64)),
}


def _step(model):
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    torch.optim.Adam(model.parameters(), lr=1e-2).step()


def _one_number(model):
    with torch.no_grad():
        model.layers[1].edge_out.weight[3, 5] += 0.3


@pytest.mark.parametrize("change", CHANGES)
def test_it_keeps_the_weights_it_was_made_from(change):
    model, state = made(), single()
    kept = model.for_inference().forward
    before = kept(*state)
    CHANGES[change](model)
    assert far(kept(*state), before) == 0
    after = fused(model, *state)
    assert far(after, exact(model, *state)) < CLOSE
    assert far(after[:1], before[:1]) > CLOSE


def test_it_may_be_made_and_used_at_inference():
    model, state = made(), single()
    expected = fused(model, *state)
    with torch.inference_mode():
        assert far(fused(model, *state), expected) == 0


def test_a_head_that_is_skipped_forecasts_no_velocities():
    model, state = made(), single()
    whole = fused(model, *state)
    model.skip_velocity_head = True
    x, v = fused(model, *state)
    assert v is None
    assert torch.equal(x, whole[0])


def test_bits_depend_on_no_batch_and_no_threads(monkeypatch):
    model, state = made(), single(particles=6, systems=101)
    whole = fused(model, *state)
    for k in (0, 50, 100):
        alone = fused(model, *(t[k : k + 1] for t in state))
        assert all(torch.equal(a[0], w[k]) for a, w in zip(alone, whole, strict=True))
    monkeypatch.setattr(egnn_fused, "EDGES_A_THREAD", 100)
    for threads in (2, 3, 8):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        assert all(torch.equal(a, w) for a, w in zip(fused(model, *state), whole, strict=True))


def test_non_finite_states_stay_visible():
    model, (x, v, q) = made(), single(systems=2)
    x[1, 2, 0] = np.nan
    found = fused(model, x, v, q)[0]
    assert found[1].isnan().all()
    assert found[0].isfinite().all()
