"""Senders, and a first edge layer made from products of nodes: equal to the layer on concatenated features."""

import pytest
import torch
from torch import nn

from surrogate.nn.edges import AllPairs, edge_projections, first_edge_layer, senders
from surrogate.nn.mlp import mlp


def test_senders_are_all_the_others():
    values = torch.arange(10.0).reshape(2, 5, 1)
    found = senders(values)
    assert found.shape == (4, 2, 5, 1)
    for b in range(2):
        for i in range(5):
            others = sorted(float(values[b, j]) for j in range(5) if j != i)
            assert sorted(found[:, b, i, 0].tolist()) == others


@pytest.mark.parametrize("particles", [5, 80])
def test_senders_of_some_rows(particles):
    values = torch.randn(2, particles, 3)
    whole = torch.stack([values.roll(-s, 1) for s in range(1, particles)])
    assert torch.equal(senders(values), whole)
    for first, last in ((0, 1), (2, 5), (particles - 2, particles)):
        assert torch.equal(senders(values, first, last), whole[:, :, first:last])


def test_senders_gathered_in_inference_mode_can_be_trained_afterwards():
    values = torch.randn(3, 7, 2, dtype=torch.float64)
    with torch.inference_mode():
        senders(values)
    values.requires_grad_()
    assert torch.autograd.gradcheck(senders, (values,))
    assert torch.autograd.gradcheck(lambda v: senders(v, 2, 5), (values,))


def concatenated(linear, h, scalars):
    h_j = senders(h)
    return linear(torch.cat([h.expand(h_j.shape), h_j, scalars], dim=-1))


def from_nodes(linear, h, scalars):
    return first_edge_layer(linear, *edge_projections(linear, h), scalars, AllPairs.of(h))


@pytest.mark.parametrize("particles", [2, 5, 80])
def test_the_first_edge_layer_is_that_of_concatenated_features(particles):
    torch.manual_seed(0)
    linear = nn.Linear(2 * 6 + 3, 4).double()
    h, scalars = torch.randn(2, particles, 6).double(), torch.randn(particles - 1, 2, particles, 3).double()
    torch.testing.assert_close(
        from_nodes(linear, h, scalars), concatenated(linear, h, scalars), rtol=0, atol=1e-12
    )
    swapped = first_edge_layer(linear, *edge_projections(linear, h)[::-1], scalars, AllPairs.of(h))
    assert (swapped - concatenated(linear, h, scalars)).abs().max() > 0.1


def test_it_can_be_mapped_and_differentiated_by_torch_func():
    torch.manual_seed(0)
    linear = nn.Linear(2 * 6 + 3, 4).double()
    h, scalars = torch.randn(7, 2, 5, 6).double(), torch.randn(7, 4, 2, 5, 3).double()
    each = torch.func.vmap(lambda a, b: from_nodes(linear, a, b))(h, scalars)
    torch.testing.assert_close(each[3], from_nodes(linear, h[3], scalars[3]), rtol=0, atol=1e-12)
    slopes = torch.func.jacrev(lambda a: from_nodes(linear, a, scalars[0]).sum())(h[0])
    expected = torch.func.jacrev(lambda a: concatenated(linear, a, scalars[0]).sum())(h[0])
    torch.testing.assert_close(slopes, expected, rtol=0, atol=1e-12)


def test_weights_of_an_mlp_are_drawn_and_named_as_those_of_its_layers():
    torch.manual_seed(0)
    ours = mlp(8, 16, 16, 1, bias=False)
    torch.manual_seed(0)
    theirs = nn.Sequential(nn.Linear(8, 16), nn.SiLU(), nn.Linear(16, 16), nn.SiLU(), nn.Linear(16, 1, bias=False))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = torch.randn(3, 8)
    assert torch.equal(ours(x), theirs(x))


def test_numbers_given_for_pairs_stand_at_their_edges_and_come_back_as_matrices():
    matrices = torch.arange(50.0).view(2, 5, 5)
    edges = AllPairs.of(torch.zeros(2, 5, 3), matrices)
    nodes = torch.arange(5.0).expand(2, 5).unsqueeze(-1)
    i, j = edges.at_receivers(nodes).long().squeeze(-1), edges.at_senders(nodes).long().squeeze(-1)
    assert torch.equal(edges.attributes.squeeze(-1), matrices[torch.arange(2).view(1, 2, 1), i, j])
    apart = ~torch.eye(5, dtype=torch.bool)
    assert torch.equal(edges.matrices(edges.attributes), matrices * apart)
    assert torch.equal(edges.part(1, 3).attributes, edges.attributes[:, :, 1:3])
    assert AllPairs.of(torch.zeros(2, 5, 3)).attributes is None
