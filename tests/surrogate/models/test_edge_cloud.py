"""The edge cloud: its equations in plain loops, its guard, its graphs, and what breaks its symmetry."""

import numpy as np
import pytest
import torch
from torch.nn.functional import gelu

from physics.errors import InputError
from surrogate.models import MODELS
from surrogate.models.edge_cloud import lifted
from surrogate.models.edge_cloud import model as edge_cloud
from surrogate.nn import row_tiles
from surrogate.nn.edges import AllPairs
from surrogate.nn.graph import Graph
from surrogate.nn.group_convolution import KernelBasis
from tests.surrogate.models.cases import BROKEN, awake, distance, made, outputs, rotation, states, turning_error

forms = pytest.mark.parametrize("case", ["edge-cloud", "edge-cloud-nonlinear"])


def textbook(model, x, v, q):
    """The equations for one system, lifted node after lifted node."""
    n = len(x)
    nodes = [(i, j) for i in range(n) for j in range(n) if i != j]
    unit = {(i, j): (x[j] - x[i]) / ((x[j] - x[i]).square().sum() + 1e-16).sqrt() for i, j in nodes}
    o = [unit[a] for a in nodes]
    start = [torch.stack([q[i], q[i] * q[j], v[i] @ unit[i, j], v[j] @ unit[i, j]]) for i, j in nodes]
    f = model.embedding(torch.stack(start))

    def invariants(a, b):
        y = x[nodes[b][0]] - x[nodes[a][0]]
        across = y - (y @ o[a]) * o[a]
        length = (across.square().sum() + 1e-16).sqrt()
        return torch.stack([y @ o[a], length, o[a] @ o[b], q[nodes[a][0]] * q[nodes[b][0]]])

    p = torch.stack([torch.stack([invariants(a, b) for b in range(len(nodes))]) for a in range(len(nodes))])
    for layer in model.layers:
        if model.basis is None:
            pairs = (len(nodes), len(nodes), f.shape[1])
            both = [f[:, None].expand(pairs), f[None].expand(pairs), p]
            z = layer.phi_m(torch.cat(both, dim=-1)).mean(1)
            f = f + layer.phi_f(torch.cat([f, z], dim=-1))
        else:
            products = [p, torch.einsum("abi,abj->abij", p, p), torch.einsum("abi,abj,abk->abijk", p, p, p)]
            ordered = torch.cat([t.flatten(2) for t in products], dim=-1)
            basis = gelu(model.basis.second(gelu(model.basis.first(ordered))))
            z = (layer.kernel(basis) * f[None]).sum(1) / (n * (n - 1))
            f = f + layer.pointwise(z)
    gains = model.readout(f)
    moved = torch.zeros_like(x)
    for (i, _), o_a, gain in zip(nodes, o, gains, strict=True):
        moved[i] += (gain[0] * o_a + gain[1] * v[i]) / (n - 1)
    return x + moved


@forms
def test_it_is_its_equations(case):
    model, state = made(case).double(), states(3, 4, 3)
    with torch.no_grad():
        plain = torch.stack([textbook(model, *one) for one in zip(*state, strict=True)])
    assert distance(outputs(model, *state), [plain]) < 1e-12


@forms
def test_directions_of_a_fixed_grid_break_rotations_alone(case, monkeypatch):
    model, state = awake(made(case)).double(), states()
    assert turning_error(model, rotation(3), *state) < 1e-10
    axis = torch.tensor([0.6, 0.0, 0.8]).double()
    monkeypatch.setattr(edge_cloud, "directions", lambda r: axis.expand_as(r))
    assert turning_error(model, rotation(3), *state) > BROKEN


@pytest.mark.parametrize("invariants", [1, 2, 4])
def test_equal_products_are_made_once_and_weigh_as_all_of_them(invariants):
    torch.manual_seed(0)
    basis, p = KernelBasis(invariants, 8, 5).double(), torch.randn(3, 7, invariants).double()
    products = [p, torch.einsum("abi,abj->abij", p, p), torch.einsum("abi,abj,abk->abijk", p, p, p)]
    ordered = torch.cat([t.flatten(2) for t in products], dim=-1)
    assert basis.first.in_features == ordered.shape[-1]
    whole = gelu(basis.second(gelu(basis.first(ordered))))
    assert float((basis(list(p.unbind(-1))) - whole).detach().abs().max()) < 1e-14


@forms
def test_blocks_of_systems_change_nothing(case, monkeypatch):
    model, state = made(case).double(), states(3, 5, 7)
    whole = outputs(model, *state)
    monkeypatch.setattr(row_tiles, "TILE_EDGES", {"cpu": 3 * 400})
    assert distance(outputs(model, *state), whole) < 1e-13


def test_too_many_pairs_are_refused_unless_their_reach_is_limited():
    config = MODELS["edge-cloud"].Config(hidden=4, basis=4, layers=1)
    x, v, q = states(3, 24, 1, dtype=torch.float32)
    with pytest.raises(InputError, match=r"24 particles have 304,704 pairs.*model\.cutoff or model\.neigh"):
        MODELS["edge-cloud"](config)(x, v, q)
    assert lifted.Lifted.of(AllPairs.of(x[:, :23])).pairs.n_edges <= lifted.MOST_PAIRS
    few = MODELS["edge-cloud"](MODELS["edge-cloud"].Config(hidden=4, basis=4, layers=1, neighbours=4))
    assert torch.isfinite(few(x, v, q)[0]).all()


def test_too_many_near_pairs_are_refused(monkeypatch):
    monkeypatch.setattr(lifted, "MOST_NEAR_PAIRS", 100)
    model = MODELS["edge-cloud"](MODELS["edge-cloud"].Config(hidden=4, basis=4, layers=1, neighbours=3))
    with pytest.raises(InputError, match=r"15 edges have .* pairs, at most 100 are made"):
        model(*states(3, 5, 1, dtype=torch.float32))


def test_an_edge_hears_the_edges_to_its_receiver_and_to_its_senders():
    ends = torch.tensor([[0, 1, 1, 2, 3], [1, 0, 2, 1, 2]])  # a chain: 3 hears 2, which hears 1, ...
    graph = Graph.of_edges(ends[0], ends[1], [4])
    pairs = lifted.Lifted.of(graph).pairs
    heard = {(a, b) for a, b in zip(pairs.receivers.tolist(), pairs.senders.tolist(), strict=True)}
    reach = {(i, k) for i, k in ends.T.tolist()} | {(i, i) for i in range(4)}
    expected = {(a, b) for a in range(5) for b in range(5) if (int(ends[0, a]), int(ends[0, b])) in reach}
    assert heard == expected
    assert len(pairs.receivers) == len(expected)
    assert np.array_equal(pairs.begins.numpy(), np.searchsorted(pairs.receivers.numpy(), np.arange(6)))


def test_a_particle_without_an_edge_stays_where_it_is():
    model = awake(made("edge-cloud")).double()
    x, v, q = (t[0] for t in states(3, 3, 1))
    pair = Graph.of_edges(torch.tensor([0, 1]), torch.tensor([1, 0]), [3])
    with torch.no_grad():
        moved = model(x, v, q, graph=pair)[0] - x
    assert torch.equal(moved[2], torch.zeros(3).double())
    assert moved[:2].abs().min() > 0


def test_an_unknown_form_is_refused():
    with pytest.raises(InputError, match=r"model\.message must be one of linear, nonlinear; got 'cubic'"):
        MODELS["edge-cloud"](MODELS["edge-cloud"].Config(message="cubic"))
