"""`forward` of the networks is plain PyTorch: mapped, differentiated twice, autocast, with other weights."""

import pytest
import torch

from tests.surrogate.models.cases import BROKEN, awake, distance, made, outputs, states

networks = pytest.mark.parametrize("case", ["egnn", "egnn-no-velocity", "egnn-recurrent", "gnn", "segno"])


@networks
def test_forward_can_be_mapped(case: str) -> None:
    model = awake(made(case)).double().requires_grad_(False)
    x, v, q = states()
    each = torch.func.vmap(lambda a, b, c: model(a[None], b[None], c[None])[0][0])(x, v, q)
    assert distance([each], [model(x, v, q)[0]]) < 1e-12
    shared = torch.func.vmap(lambda a: model(a[None], v[:1], q[:1])[0][0])(x)
    assert distance([shared], [model(x, v[:1].expand_as(v), q[:1].expand_as(q))[0]]) < 1e-12


@networks
@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")  # PyTorch itself, in jvp
def test_forward_has_derivatives_of_both_modes_and_of_second_order(case: str) -> None:
    model = awake(made(case)).double().requires_grad_(False)
    x, v, q = states(3, 4, 2)

    def positions(x: torch.Tensor) -> torch.Tensor:
        return model(x, v, q)[0]

    along = torch.ones_like(x) * torch.arange(3.0)
    _, moved = torch.func.jvp(positions, (x,), (along,))
    step = 1e-6
    expected = (positions(x + step * along) - positions(x - step * along)) / (2 * step)
    assert distance([moved], [expected]) < 1e-6
    assert torch.autograd.gradgradcheck(positions, (x.requires_grad_(),), fast_mode=True)


@networks
def test_forward_follows_autocast(case: str) -> None:
    model = awake(made(case))
    state = states(dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        coarse = outputs(model, *state)
    exact = outputs(model, *state)
    assert 1e-6 < distance([coarse[0].float()], exact[:1]) < 0.3


def test_weights_swapped_for_a_call_are_seen() -> None:
    model = awake(made("egnn"))
    state = states(dtype=torch.float32)
    other = {name: 1.1 * p.detach() for name, p in model.named_parameters()}
    with torch.no_grad():
        called = torch.func.functional_call(model, other, tuple(state))
    assert distance([called[0]], outputs(model, *state)) > BROKEN
