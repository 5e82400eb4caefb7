"""The fused kernel: equal to the layers it stands for, taken only where it may be, never with stale weights."""

import copy

import numpy as np
import pytest
import torch

from surrogate.bench import textbook
from surrogate.models.egnn.cpu import inference as egnn_fused
from surrogate.models.egnn.model import EGNN, EGNNConfig
from tests.surrogate.models.test_models import awake, states

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
    with torch.no_grad():
        found = egnn_fused.forecast(model, *state)
    assert found is not None
    return found


def exact(model, *state):
    with torch.no_grad():
        return copy.deepcopy(model).double().in_torch(*(t.double() for t in state))


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


def test_the_model_takes_it_at_inference_alone(monkeypatch):
    model, state = made(), single()
    calls = []
    real = egnn_fused.forward_at
    monkeypatch.setattr(egnn_fused, "forward_at", lambda *a: (calls.append(a), real(*a)))

    def taken(*given):
        calls.clear()
        out = model(*given)
        assert far([t if t is None else t.detach() for t in out], exact(model, *state)) < CLOSE
        return bool(calls)

    x, v, q = state
    with torch.no_grad():
        assert taken(*state)
        assert taken(*(t.requires_grad_() for t in single()))
        wide = torch.empty(x.shape[0], x.shape[1], 6)
        wide[..., ::2] = x
        assert taken(wide[..., ::2], v, q)  # not contiguous
        with torch.autocast("cpu"):
            calls.clear()
            model(*state)
            assert not calls
    with torch.inference_mode():
        assert taken(*state)
    assert not taken(*state)  # weights are being trained
    for p in model.parameters():
        p.requires_grad_(False)
    assert taken(*state)
    assert not taken(x.clone().requires_grad_(), v, q)


@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")  # PyTorch itself, in jvp
def test_it_leaves_to_pytorch_what_it_does_not_cover():
    x, v, q = single()
    with torch.no_grad():
        for model in (made(layers=1, hidden=egnn_fused.MOST_HIDDEN + 1), made().double()):
            assert egnn_fused.forecast(model, x, v, q) is None
        assert egnn_fused.forecast(EGNN(EGNNConfig(velocity="none")), x, v, q) is None
        model = made()
        assert egnn_fused.forecast(model, x.double(), v.double(), q.double()) is None
        assert egnn_fused.forecast(model, x[:, :1], v[:, :1], q[:, :1]) is None
        hook = model.layers[1].phi_h.register_forward_hook(lambda *_: None)
        assert egnn_fused.forecast(model, x, v, q) is None
        hook.remove()
        assert egnn_fused.forecast(model, x, v, q) is not None
        other = made()
        other.layers[0].phi_v[1] = torch.nn.Tanh()
        assert egnn_fused.forecast(other, x, v, q) is None
        each = torch.func.vmap(lambda a, b, c: model(a[None], b[None], c[None])[0][0])(x, v, q)
        assert far((each,), (model.in_torch(x, v, q)[0],)) < CLOSE
        _, moved = torch.func.jvp(lambda a: model(a, v, q)[0], (x,), (torch.ones_like(x),))
        assert float((moved - 1).abs().max()) < 1e-4  # moving everything moves everything


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
def test_weights_are_never_stale(change):
    model, state = made(), single()
    before = fused(model, *state)
    CHANGES[change](model)
    after = fused(model, *state)
    assert far(after, exact(model, *state)) < CLOSE
    assert far(after[:1], before[:1]) > CLOSE  # what would have been forecast with the old weights


@pytest.mark.parametrize("change", CHANGES)
def test_frozen_weights_stay(change):
    model, state = made(), single()
    frozen = model.frozen()
    before = fused(model, *state)
    with torch.no_grad():
        assert far(frozen(*state), before) == 0
        CHANGES[change](model)
        assert far(frozen(*state), before) == 0
    x, v, q = state
    moved = frozen(x.requires_grad_(), v, q)
    assert far([t.detach() for t in moved], before) < CLOSE
    assert torch.autograd.grad(moved[0].sum(), x)[0].isfinite().all()


def test_a_frozen_model_made_at_inference_is_differentiable():
    model, (x, v, q) = made(), single()
    with torch.inference_mode():
        frozen = model.frozen()
        expected = fused(model, x, v, q)
        assert far(frozen(x, v, q), expected) == 0
    (gradient,) = torch.autograd.grad(frozen(x.requires_grad_(), v, q)[0].square().sum(), x)
    (exactly,) = torch.autograd.grad(model.in_torch(x, v, q)[0].square().sum(), x)
    assert far((gradient,), (exactly,)) < 1e-4


def test_weights_swapped_for_a_call_are_seen():
    model, state = made(), single()
    before = fused(model, *state)
    other = {name: 1.1 * p.detach() for name, p in model.named_parameters()}
    with torch.no_grad():
        called = torch.func.functional_call(model, other, tuple(state))
    assert far(called[:1], before[:1]) > CLOSE
    assert far(fused(model, *state)[:1], before[:1]) == 0


def test_a_copy_has_weights_of_its_own():
    model, state = made(), single()
    before = fused(model, *state)
    other = copy.deepcopy(model)
    CHANGES["in place"](other)
    assert far(fused(other, *state)[:1], before[:1]) > CLOSE
    assert far(fused(model, *state)[:1], before[:1]) == 0


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
