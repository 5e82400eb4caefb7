"""Softmax, sums of outer products and bilinear forms over the senders of each receiver, on both kinds of edges."""

import pytest
import torch

from surrogate.nn import graph
from surrogate.nn.edges import AllPairs
from surrogate.nn.graph import Graph


def a_graph(degrees, seed=0):
    """A graph of one system in which receivers have so many senders."""
    generator = torch.Generator().manual_seed(seed)
    receivers = torch.repeat_interleave(torch.tensor(degrees))
    senders = torch.randint(len(degrees), (len(receivers),), generator=generator)
    return Graph.of_edges(receivers, senders, [len(degrees)])


def drawn(edges, *widths):
    """Edge arrays."""
    torch.manual_seed(1)
    like = edges.at_receivers(torch.zeros(3, 5, 1) if isinstance(edges, AllPairs) else torch.zeros(edges.last, 1))
    return [torch.randn(*like.shape[:-1], w, dtype=torch.float64) for w in widths]


many = pytest.mark.parametrize("width", [32, 3], ids=["one block", "several blocks"])
kinds = pytest.mark.parametrize(
    "edges", [AllPairs(3, 5), a_graph([3, 0, 7, 1, 1]), a_graph([2, 2, 2])], ids=["all pairs", "graph", "nearest"]
)


@kinds
@many
def test_they_are_those_of_loops(edges, width, monkeypatch):
    monkeypatch.setattr(graph, "BLOCK_EDGES", width)
    a, b, s = drawn(edges, 4, 6, 2)
    made, weights = edges.outer_sums(a, b), edges.softmax(3 * s)
    matrices = torch.randn_like(made)
    forms = edges.forms(a, matrices, b)
    if isinstance(edges, AllPairs):
        at = torch.arange(15).expand(4, -1).flatten()
        a, b, s, weights, forms = (t.flatten(0, -2) for t in (a, b, s, weights, forms))
        made, matrices = made.flatten(0, 1), matrices.flatten(0, 1)
    else:
        at = edges.receivers
    for i, outer in enumerate(made):
        assert torch.allclose(outer, a[at == i].T @ b[at == i])
        assert torch.allclose(weights[at == i], (3 * s[at == i]).softmax(0))
    assert torch.allclose(forms.squeeze(-1), torch.einsum("ef,efg,eg->e", a, matrices[at], b))


@many
def test_parts_together_are_the_whole_and_gradients_flow(width, monkeypatch):
    monkeypatch.setattr(graph, "BLOCK_EDGES", width)
    whole = a_graph([3, 0, 7, 1, 1, 4])
    a, b, s = (t.requires_grad_() for t in drawn(whole, 4, 6, 2))
    matrices = torch.randn(6, 4, 6, dtype=torch.float64)
    outer, forms, soft = whole.outer_sums(a, b), whole.forms(a, matrices, b), whole.softmax(s)
    for first, last in ((0, 2), (2, 3), (3, 6)):
        rows = slice(int(whole.begins[first]), int(whole.begins[last]))
        part = whole.part(first, last)
        assert torch.equal(part.rows(matrices), matrices[first:last])
        assert torch.allclose(part.outer_sums(a[rows], b[rows]), outer[first:last])
        assert torch.allclose(part.forms(a[rows], matrices[first:last], b[rows]), forms[rows])
        assert torch.allclose(part.softmax(s[rows]), soft[rows])
    inputs = (a, b, s)
    assert torch.autograd.gradcheck(
        lambda a, b, s: (whole.outer_sums(a, b), whole.forms(a, matrices, b), whole.softmax(s)), inputs
    )


def test_softmax_of_large_numbers_is_finite():
    edges = a_graph([3, 2])
    assert torch.isfinite(edges.softmax(torch.full((5, 1), 1e30))).all()
    assert torch.equal(edges.softmax(torch.full((5, 1), -1e30)).view(-1), torch.tensor([1, 1, 1, 1.5, 1.5]) / 3)
