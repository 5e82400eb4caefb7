"""PaiNN: equal to the public blocks with the same weights, and its symmetries are those of its gates."""

import pytest
import torch

from surrogate.models.painn import Message, PaiNN, PaiNNConfig, Update
from tests.surrogate.models.cases import BROKEN, awake, made, outputs, rotation, states, turning_error
from tests.surrogate.models.public_code import stored, with_ruled_weights


@pytest.mark.parametrize("cutoff", [0.0, 3.0])
def test_equals_the_public_blocks(cutoff: float) -> None:
    """SchNetPack's Gaussians, cosine cut-off, interaction, mixing and gated blocks."""
    found = stored("painn")
    model = with_ruled_weights(PaiNN(PaiNNConfig(hidden=16, layers=2, basis=12, cutoff=cutoff)))
    (x_hat,) = outputs(model, found["x"], found["v"], found["q"])
    public = found["x_hat_cutoff" if cutoff else "x_hat"]
    assert float((public - found["x"]).abs().max()) > 0.1
    assert float((x_hat - public).abs().max()) < 1e-6


def test_a_gate_that_sees_a_component_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    model = awake(made("painn")).double()
    assert turning_error(model, rotation(3), *states()) < 1e-10
    whole = Update.forward
    monkeypatch.setattr(Update, "forward", lambda self, s, vectors: whole(self, s + vectors[..., 0, :], vectors))
    assert turning_error(model, rotation(3), *states()) > BROKEN


def test_a_filter_that_sees_a_component_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    model = awake(made("painn")).double()
    whole = Message.sums

    def leaning(self, phi, vectors, geometry, edges):
        u, inputs, envelope = geometry
        return whole(self, phi, vectors, (u, inputs + u[..., 0, :], envelope), edges)

    monkeypatch.setattr(Message, "sums", leaning)
    assert turning_error(model, rotation(3), *states()) > BROKEN


def test_a_neighbour_leaves_smoothly() -> None:
    model = awake(made("painn")).double()
    near = PaiNN(PaiNNConfig(cutoff=2.0)).double()
    near.load_state_dict(model.state_dict())
    x, v, q = (torch.stack([t, t]) for t in (torch.zeros(2, 3), torch.randn(2, 3), torch.ones(2)))
    x[:, 1, 0] = torch.tensor([2.0 - 1e-3, 2.0 + 1e-3])
    inside, outside = near(x.double(), v.double(), q.double())[0].detach() - x
    assert float((inside - outside).abs().max()) < 1e-4
    x[0, 1, 0] = 1.0
    inside, outside = near(x.double(), v.double(), q.double())[0].detach() - x
    assert float((inside - outside).abs().max()) > BROKEN
