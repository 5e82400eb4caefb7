"""SE(3)-Transformer: equal to the published code with the same weights, invariant attention, heads of channels."""

import pytest
import torch

from physics.errors import InputError
from surrogate.models.se3_transformer import AttentionBlock, SE3Transformer, SE3TransformerConfig
from tests.surrogate.models.cases import BROKEN, awake, made, outputs, rotation, states, turning_error
from tests.surrogate.models.public_code import stored, with_ruled_weights

PUBLISHED = SE3TransformerConfig(form="reference", channels=21, degree=2)


def test_equals_the_published_code() -> None:
    """The SE(3)-Transformer of the EGNN paper's benchmark, its kernels in float64 and its last factor 1."""
    found = stored("se3-transformer")
    model = with_ruled_weights(SE3Transformer(PUBLISHED))
    torch.nn.init.ones_(model.scale)
    (x_hat,) = outputs(model, found["x"], found["v"], found["q"])
    assert float((found["x_hat"] - found["x"]).abs().max()) > 0.5
    assert float((x_hat - found["x_hat"]).abs().max()) < 1e-6


def test_the_published_number_of_parameters() -> None:
    assert SE3Transformer(PUBLISHED).n_parameters == 1_763_134


def several_heads(heads: int = 4) -> SE3Transformer:
    torch.manual_seed(0)
    return awake(SE3Transformer(SE3TransformerConfig(heads=heads, layers=2))).double()


def attention_of(
    model: SE3Transformer, monkeypatch: pytest.MonkeyPatch, *state: torch.Tensor
) -> list[torch.Tensor]:
    found, whole = [], AttentionBlock.attention
    with monkeypatch.context() as patch:
        patch.setattr(
            AttentionBlock, "attention", lambda *given: found.append(whole(*given)) or found[-1], raising=True
        )
        outputs(model, *state)
    return found


def test_attention_is_invariant_and_its_rows_sum_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    model, (x, v, q) = several_heads(), states()
    turn = torch.as_tensor(rotation(3))
    here = attention_of(model, monkeypatch, x, v, q)
    there = attention_of(model, monkeypatch, x @ turn.T, v @ turn.T, q)
    assert [a.shape for a in here] == [(4, 3, 5, 4)] * 2
    for a, b in zip(here, there, strict=True):
        assert torch.allclose(a.sum(0), torch.ones(3, 5, 4).double())
        assert torch.allclose(a, b, atol=1e-10)
        assert float(a.std(0).max()) > 0.01


def test_heads_of_components_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    model = several_heads()
    assert turning_error(model, rotation(3), *states()) < 1e-10
    whole = AttentionBlock.of_head

    def of_components(self, parts, head):
        mask = torch.ones(parts.shape[-2], 1).double()
        if len(mask) > 1:
            mask[torch.arange(len(mask)) % self.heads != head] = 0
        return whole(self, parts * mask, head)

    monkeypatch.setattr(AttentionBlock, "of_head", of_components)
    assert turning_error(model, rotation(3), *states()) > BROKEN


@pytest.mark.parametrize(("case", "seen"), [("se3-transformer", True), ("se3-transformer-reference", False)])
def test_blocks_of_the_reference_do_not_see_their_own_velocity(case: str, seen: bool) -> None:
    """Of two particles each has all of the other's attention, and the blocks have no skip connection."""
    model, (x, v, q) = awake(made(case)).double(), states(particles=2)
    found: list[torch.Tensor] = []
    model.blocks[0].register_forward_hook(lambda *given: found.append(given[2][1]))
    faster = v.clone()
    faster[:, 0] *= 2
    outputs(model, x, v, q)
    outputs(model, x, faster, q)
    before, after = found
    assert float((after - before)[:, 1].abs().max()) > BROKEN
    assert bool((after - before)[:, 0].abs().max() > BROKEN) == seen


def test_heads_must_divide_channels() -> None:
    with pytest.raises(InputError, match="heads"):
        SE3Transformer(SE3TransformerConfig(heads=3))
