"""Products of dense layers by oneDNN: numbers and gradients, and what is left to PyTorch's own."""

import pytest
import torch
from torch import nn

from surrogate.models import MODELS
from surrogate.models.base import mlp, senders
from surrogate.nn import dense
from surrogate.nn.dense import Dense, linear

needs_onednn = pytest.mark.skipif(not dense.PRESENT, reason="oneDNN has nothing to gain on this processor")
SHAPES = [(2000, 64, 64), (1100, 128, 64), (2600, 33, 70)]
"""Rows, in, out, of enough work for oneDNN in training."""


def drawn(rows, n_in, n_out):
    generator = torch.Generator().manual_seed(rows)
    x = torch.randn(rows, n_in, generator=generator)
    weight = torch.randn(n_out, n_in, generator=generator) / n_in**0.5
    return x, weight, torch.randn(n_out, generator=generator), torch.randn(rows, n_out, generator=generator)


def results(function, x, weight, bias, g):
    """Values, and gradients of x, weight and bias."""
    given = [t.detach().clone().requires_grad_() for t in (x, weight, bias)]
    made = function(*given)
    return [made.detach(), *torch.autograd.grad(made, given, g)]


@pytest.fixture
def calls(monkeypatch):
    """Shapes of the products that oneDNN was given."""
    seen = []
    product = dense._product

    def counted(a, b, *rest):
        seen.append((tuple(a.shape), tuple(b.shape)))
        return product(a, b, *rest)

    monkeypatch.setattr(dense, "_product", counted)
    return seen


@needs_onednn
@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients_are_those_of_float64(shape, calls):
    x, weight, bias, g = drawn(*shape)
    found = results(linear, x, weight, bias, g)
    assert len(calls) == 3  # forward, and the gradients of x and of the weights
    exact = results(nn.functional.linear, *(t.double() for t in (x, weight, bias)), g.double())
    for value, reference in zip(found, exact, strict=True):
        assert value.dtype is torch.float32
        assert (value - reference).abs().max() < 2e-6 * reference.abs().max()


@needs_onednn
def test_without_gradients_it_is_one_product(calls):
    x, weight, bias, _ = drawn(500, 64, 64)
    made = linear(x.view(4, 25, 5, 64), weight, bias)
    assert len(calls) == 1
    assert made.shape == (4, 25, 5, 64)
    assert (made.view(500, 64) - (x.double() @ weight.double().T + bias.double())).abs().max() < 5e-6


@needs_onednn
def test_gaps_between_rows_and_gradients_of_one_number_are_right():
    wide, weight, bias, _ = drawn(2000, 131, 64)
    for x in (wide[:, 3:67], wide[:, :64].view(4, 100, 5, 64).transpose(0, 2), wide.t()[:64].t()):
        given = [t.detach().requires_grad_() for t in (x, weight[:, 64:128], bias)]
        found = torch.autograd.grad(linear(*given).sum(), given)
        exact = [t.detach().double().requires_grad_() for t in (x, weight[:, 64:128], bias)]
        expected = torch.autograd.grad(nn.functional.linear(*exact).sum(), exact)
        for value, reference in zip(found, expected, strict=True):
            assert (value - reference).abs().max() < 2e-6 * reference.abs().max()


@needs_onednn
def test_gradients_of_gradients():
    found = []
    for dtype in (torch.float32, torch.float64):
        x, weight, bias, g = (t.to(dtype).requires_grad_() for t in drawn(2000, 64, 64))
        (slope,) = torch.autograd.grad(linear(x, weight, bias).sigmoid(), x, g, create_graph=True)
        found.append(torch.autograd.grad(slope.square().sum(), (weight, g)))
    for value, reference in zip(*found, strict=True):
        assert (value - reference).abs().max() < 1e-5 * reference.abs().max()


def test_gradcheck():
    x, weight, bias, _ = (t.double().requires_grad_() for t in drawn(6, 16, 16))
    assert torch.autograd.gradcheck(linear, (x, weight, bias))


@needs_onednn
def test_repeated_calls_give_the_same_bits():
    x, weight, bias, g = drawn(2000, 64, 64)
    threads = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            first = results(linear, x, weight, bias, g)
            for _ in range(20):
                again = results(linear, x, weight, bias, g)
                assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    finally:
        torch.set_num_threads(threads)


@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")  # PyTorch itself, in jvp
def test_what_it_does_not_cover_is_left_to_pytorch(calls, monkeypatch):
    x, weight, bias, g = drawn(2000, 64, 64)

    def same(*given):
        expected = nn.functional.linear(*given)
        assert torch.equal(linear(*given), expected)

    same(x[:100], weight, bias)  # too small
    same(x[:, :8], weight[:, :8], bias)  # too narrow
    same(x.double(), weight.double(), bias.double())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        same(x, weight, bias)
    each = torch.func.vmap(lambda row: linear(row, weight, bias))(x.view(2, 1000, 64))
    assert torch.equal(each.view(2000, 64), nn.functional.linear(x, weight, bias))
    _, moved = torch.func.jvp(lambda t: linear(t, weight, bias), (x,), (x,))
    assert torch.allclose(moved, x @ weight.T, atol=1e-5)
    slope = torch.func.grad(lambda w: (linear(x, w, bias) * g).sum())(weight)
    assert torch.allclose(slope, g.T @ x, rtol=1e-4, atol=1e-3)
    monkeypatch.setattr(dense, "PRESENT", False)
    same(x, weight, bias)
    assert not calls


def test_weights_are_drawn_and_named_as_by_pytorch():
    torch.manual_seed(0)
    ours = mlp(8, 16, 16, 1, bias=False)
    torch.manual_seed(0)
    theirs = nn.Sequential(nn.Linear(8, 16), nn.SiLU(), nn.Linear(16, 16), nn.SiLU(), nn.Linear(16, 1, bias=False))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))
    x = torch.randn(3, 8)
    assert torch.equal(ours(x), theirs(x))


@needs_onednn
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyTorch's own, while it compiles
def test_a_compiled_layer_has_the_same_gradients():
    from surrogate.training.compiled import compiler

    if compiler() is None:
        pytest.skip("no C++ compiler")
    torch.manual_seed(0)
    layer = Dense(64, 64)
    x, _, _, g = drawn(2000, 64, 64)
    expected = torch.autograd.grad(layer(x), tuple(layer.parameters()), g)
    found = torch.autograd.grad(torch.compile(layer)(x), tuple(layer.parameters()), g)
    for value, reference in zip(found, expected, strict=True):
        assert (value - reference).abs().max() < 2e-6 * reference.abs().max()


def test_gathered_senders_can_be_trained_after_inference():
    values = torch.randn(3, 7, 2, dtype=torch.float64)
    with torch.inference_mode():
        senders(values)
    values.requires_grad_()
    assert torch.autograd.gradcheck(senders, (values,))
    assert torch.autograd.gradcheck(lambda v: senders(v, 2, 5), (values,))


@needs_onednn
@pytest.mark.parametrize("name", ["egnn", "gnn", "segno", "egnn-recurrent"])
def test_models_take_it_in_training(name, calls):
    assert name in MODELS
    model = MODELS[name](MODELS[name].Config())
    x, v = torch.randn(2, 100, 5, 3)
    forward = getattr(model, "in_torch", model)  # EGNN's training step has a kernel of its own
    forward(x, v, torch.ones(100, 5))[0].sum().backward()
    assert calls
