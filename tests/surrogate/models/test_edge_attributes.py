"""Numbers given with each pair (an EGNN with `edge_attributes`): symmetries, graphs, what is refused."""

import pytest
import torch
from torch import Tensor

from physics.errors import InputError
from surrogate.models.egnn.model import EGNN, EGNNConfig
from surrogate.nn import row_tiles
from surrogate.nn.graph import Graph
from tests.surrogate.models.cases import BROKEN, distance, reflection, rotation, states

forms = pytest.mark.parametrize("velocity", ["init", "recurrent", "none"])


def model_of(velocity: str = "init", attributes: int = 1, **settings) -> EGNN:
    """Weights of order 1, so that nothing is near zero."""
    torch.manual_seed(0)
    model = EGNN(EGNNConfig(velocity=velocity, edge_attributes=attributes, **settings)).double()
    for layer in model.layers:
        torch.nn.init.normal_(layer.phi_x[-1].weight, std=0.1)
    return model


def edges_of(systems: int = 3, n: int = 5, directed: bool = False) -> Tensor:
    torch.manual_seed(4)
    drawn = torch.randint(0, 2, (systems, n, n)).double()
    return drawn if directed else torch.tril(drawn, -1) + torch.tril(drawn, -1).mT


def moved(model: EGNN, x: Tensor, v: Tensor, q: Tensor, **more: object) -> list[Tensor]:
    with torch.no_grad():
        return [model(x, v, q, **more)[0] - x]


@forms
@pytest.mark.parametrize("directed", [False, True])
def test_space_particles_and_given_edges_move_together(velocity: str, directed: bool) -> None:
    model, (x, v, q), edges = model_of(velocity), states(), edges_of(directed=directed)
    here = moved(model, x, v, q, edges=edges)
    for matrix in (rotation(3), reflection(3)):
        turn = torch.as_tensor(matrix)
        there = moved(model, x @ turn.T + 2.0, v @ turn.T, q, edges=edges)
        assert distance(there, [here[0] @ turn.T]) < 1e-10
    order = torch.tensor([3, 0, 4, 1, 2])
    permuted = x[:, order], v[:, order], q[:, order]
    assert distance(moved(model, *permuted, edges=edges[:, order][..., order]), [here[0][:, order]]) < 1e-10
    assert distance(moved(model, *permuted, edges=edges), [here[0][:, order]]) > BROKEN
    if directed:
        assert distance(moved(model, x, v, q, edges=edges.mT), here) > BROKEN


def test_an_edge_changes_its_receivers_message_in_the_right_direction() -> None:
    model, (x, v, q) = model_of(layers=1), states()
    edges = torch.zeros(3, 5, 5).double()
    before = moved(model, x, v, q, edges=edges)[0]
    edges[1, 2, 4] = 1.0  # from 4 to 2, in the second system
    changed = (moved(model, x, v, q, edges=edges)[0] - before).abs().amax(-1) > 1e-9
    assert changed.nonzero().tolist() == [[1, 2]]


@forms
def test_graphs_carry_them_in_systems_of_mixed_sizes(velocity: str) -> None:
    model = model_of(velocity)
    systems = [(*states(3, n, 1), edges_of(1, n, directed=True)) for n in (2, 7, 4)]
    x, v, q = (torch.cat([s[k].squeeze(0) for s in systems]) for k in range(3))
    graph = Graph.near(x, [2, 7, 4]).with_matrices([s[3].squeeze(0) for s in systems])
    alone = torch.cat([moved(model, *s[:3], edges=s[3])[0].squeeze(0) for s in systems])
    assert distance(moved(model, x, v, q, graph=graph), [alone]) < 1e-12


def test_near_pairs_have_those_of_all_pairs_and_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    everybody, near = model_of(), model_of(neighbours=4)
    (x, v, q), edges = states(), edges_of(directed=True)
    here = moved(everybody, x, v, q, edges=edges)
    assert distance(moved(near, x, v, q, edges=edges), here) < 1e-12  # five particles have four neighbours
    monkeypatch.setattr(row_tiles, "TILE_EDGES", {"cpu": 9})
    assert distance(moved(everybody, x, v, q, edges=edges), here) < 1e-12
    assert distance(moved(near, x, v, q, edges=edges), here) < 1e-12


def test_a_graph_may_carry_several() -> None:
    model, (x, v, q) = model_of(attributes=2), states()
    flat = [t.flatten(0, 1) for t in (x, v, q)]
    graph = Graph.near(flat[0], [5] * 3)
    values = torch.randn(graph.n_edges, 2).double()
    mixed = torch.randperm(graph.n_edges)
    whole, again = (
        Graph.of_edges(graph.receivers[at], graph.senders[at], [5] * 3, attributes=values[at])
        for at in (torch.arange(graph.n_edges), mixed)
    )
    here = moved(model, *flat, graph=whole)
    assert distance(moved(model, *flat, graph=again), here) < 1e-12
    other = Graph.of_edges(graph.receivers, graph.senders, [5] * 3, attributes=values[mixed])
    assert distance(moved(model, *flat, graph=other), here) > BROKEN


def test_what_is_missing_or_of_another_width_is_refused() -> None:
    state = states()
    with pytest.raises(InputError, match="takes 1 numbers with each pair; got none"):
        model_of()(*state)
    with pytest.raises(InputError, match="takes 2 numbers with each pair; got 1"):
        model_of(attributes=2)(*state, edges=edges_of())
    assert model_of().takes == ("edges",)
    assert model_of(cutoff=1.0).takes == ("edges", "box")
    assert model_of().float().for_training().description == "PyTorch: the kernels know no edge attributes"
