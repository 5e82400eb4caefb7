"""Inferred edges of an EGNN (models.md 6): gates that are open or shut, their symmetry, the published code."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from physics.errors import InputError
from surrogate.models import MODELS
from surrogate.models.base import config_from_dict
from surrogate.models.egnn.model import EGCL, EGNN
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

DATA = Path(__file__).parent / "data" / "egnn.npz"
ORACLE = {
    "init": {},
    "no-velocity": {"velocity": "none"},
    "inferred": {"infer_edges": True, "gate_coordinates": True},
    "inferred-no-velocity": {"velocity": "none", "infer_edges": True, "gate_coordinates": True},
}
"""Settings under which the published code was run, with the weights of `oracle_model`."""
gated = pytest.mark.parametrize("case", ["egnn-inferred-edges", "egnn-gated-coordinates"])


def oracle_model(name: str) -> EGNN:
    """An EGNN with weights of a rule, so that they need not be stored."""
    model = EGNN(config_from_dict(EGNN.Config, ORACLE[name], "model")).double()
    with torch.no_grad():
        for index, p in enumerate(model.parameters()):
            numbers = torch.arange(p.numel(), dtype=torch.float64)
            p.copy_((torch.sin(1.7 * numbers + index) / p.shape[-1] ** 0.5).view(p.shape))
    return model


def gates(model: EGNN) -> list[nn.Linear]:
    return [layer.phi_inf for layer in model.layers]


def with_bias(case: str, bias: float) -> EGNN:
    model = awake(made(case)).double()
    with torch.no_grad():
        for gate in gates(model):
            gate.weight.mul_(1e-3)
            gate.bias.fill_(bias)
    return model


@pytest.mark.parametrize("name", ORACLE)
def test_outputs_are_those_of_the_published_code(name: str) -> None:
    stored = np.load(DATA)
    x, v, q = (torch.as_tensor(stored[key]) for key in ("x", "v", "q"))
    there = torch.as_tensor(stored[name])
    assert float((there - x).square().mean().sqrt()) > 0.05
    (found,) = outputs(oracle_model(name), x, v, q)
    assert float((found - there).abs().max()) < 1e-5
    assert float((found - torch.as_tensor(stored[next(k for k in ORACLE if k != name)])).abs().max()) > BROKEN


@gated
def test_open_gates_are_a_plain_egnn(case: str) -> None:
    model, state = with_bias(case, 30.0), states()
    plain = awake(made("egnn")).double()
    plain.load_state_dict({k: w for k, w in model.state_dict().items() if ".phi_inf." not in k})
    assert distance(outputs(model, *state), outputs(plain, *state)) < 1e-9
    assert distance(outputs(with_bias(case, 0.0), *state), outputs(plain, *state)) > BROKEN


@gated
def test_shut_gates_let_no_message_through(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shut, half, sums = with_bias(case, -30.0), with_bias(case, 0.0), []
    whole = EGCL.updated_features
    monkeypatch.setattr(EGCL, "updated_features", lambda self, h, m_i: (sums.append(m_i), whole(self, h, m_i))[1])
    outputs(shut, *states())
    assert max(float(m.abs().max()) for m in sums) < 1e-9
    sums.clear()
    outputs(half, *states())
    assert min(float(m.abs().max()) for m in sums) > BROKEN


@gated
def test_a_gate_that_sees_positions_fails(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Placed(nn.Module):
        """A gate on Linear(x_i): what it is given, the messages, knows no positions."""

        def __init__(self, x: Tensor) -> None:
            super().__init__()
            self.x, self.linear = x, nn.Linear(3, 1).double()

        def forward(self, m: Tensor) -> Tensor:
            return self.linear(self.x).expand(*m.shape[:-1], 1)

    model, state = awake(made(case)).double(), states()
    assert turning_error(model, rotation(3), *state) < 1e-10
    forward = model.forward

    def placed(x: Tensor, v: Tensor, q: Tensor):
        torch.manual_seed(0)
        for layer in model.layers:
            layer.phi_inf = Placed(x)
        return forward(x, v, q)

    monkeypatch.setattr(model, "forward", placed)
    assert turning_error(model, rotation(3), *state) > BROKEN
    assert shifting_error(model, *state) > BROKEN


@gated
def test_inferred_edges_are_invariant_and_directed(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, (x, v, q) = awake(made(case)).double(), states()
    e = model.inferred_edges(x, v, q)
    assert e.shape == (4 if case == "egnn-gated-coordinates" else 3, 3, 5, 5)
    assert not e.diagonal(dim1=-2, dim2=-1).any()
    apart = ~torch.eye(5, dtype=torch.bool)
    assert float(e[..., apart].min()) > 0
    assert float(e.max()) < 1
    assert float((e - e.mT).abs().max()) > 1e-6
    turn = torch.as_tensor(rotation(3))
    assert float((model.inferred_edges(x @ turn.T + 1.0, v @ turn.T, q) - e).abs().max()) < 1e-10
    order = torch.tensor([3, 0, 4, 1, 2])
    there = model.inferred_edges(x[:, order], v[:, order], q[:, order])
    assert float((there - e[:, :, order][..., order]).abs().max()) < 1e-10
    graph = Graph.near(x.flatten(0, 1), [5] * 3)
    on_graph = model.inferred_edges(*(t.flatten(0, 1) for t in (x, v, q)), graph=graph)
    b, i, j = graph.receivers // 5, graph.receivers % 5, graph.senders % 5
    assert float((on_graph - e[:, b, i, j]).abs().max()) < 1e-10
    monkeypatch.setattr(row_tiles, "TILE_EDGES", {"cpu": 9})
    assert float((model.inferred_edges(x, v, q) - e).abs().max()) < 1e-12


def test_the_kernels_say_why_they_do_not_serve() -> None:
    model = made("egnn-inferred-edges")
    assert model.for_inference().description == "PyTorch: the kernels know no inferred edges"
    assert model.for_training().description == "PyTorch: the kernels know no inferred edges"


def test_settings_and_requests_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="infers no edges"):
        made("egnn").inferred_edges(*states(dtype=torch.float32))
    with pytest.raises(InputError, match=r"needs model\.infer_edges"):
        MODELS["egnn"](config_from_dict(EGNN.Config, {"gate_coordinates": True}, "model"))
