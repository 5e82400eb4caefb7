"""Edge lists: sorted, refused where wrong, cut into parts, summed as loops would."""

import pytest
import torch

from physics.errors import InputError
from surrogate.nn.graph import Graph


def a_graph():
    torch.manual_seed(0)
    return Graph.near(torch.randn(9, 3).double(), [4, 0, 5], nearest=2)


def test_sums_and_means_are_those_of_a_loop_and_nobody_is_left_out():
    graph = Graph.of_edges(torch.tensor([3, 0, 3, 1]), torch.tensor([1, 2, 0, 0]), [4])
    values = torch.tensor([[1.0], [2.0], [4.0], [8.0]])  # in the order of receivers: 0, 1, 3, 3
    assert graph.receivers.tolist() == [0, 1, 3, 3]
    assert graph.sums(values).flatten().tolist() == [1.0, 2.0, 0.0, 12.0]
    assert graph.means(values).flatten().tolist() == [1.0, 2.0, 0.0, 6.0]


def test_parts_together_are_the_whole():
    graph = a_graph()
    x = torch.randn(9, 3).double()
    whole = graph.sums(graph.displacements(x))
    for most in (1, 3, 7, 100):
        ranges = graph.ranges(most)
        parts = [graph.part(*rows) for rows in ranges]
        assert sum(p.n_edges for p in parts) == graph.n_edges
        assert all(p.n_edges <= max(most, 2) for p in parts)
        assert torch.equal(torch.cat([p.sums(p.displacements(x)) for p in parts]), whole)
        inner = [p.part(p.first, p.last) for p in parts]
        assert torch.equal(
            torch.cat([p.means(p.displacements(x)) for p in inner]), graph.means(graph.displacements(x))
        )


def test_means_of_systems():
    values = torch.arange(9.0).unsqueeze(-1)
    assert a_graph().system_means(values).flatten().tolist() == [1.5] * 4 + [6.0] * 5


@pytest.mark.parametrize(
    ("receivers", "senders", "says"),
    [([0, 4], [1, 0], "between systems"), ([0, 5], [1, 4], "0 to 4"), ([-1], [0], "0 to 4")],
)
def test_edges_that_cannot_be_are_refused(receivers, senders, says):
    with pytest.raises(InputError, match=says):
        Graph.of_edges(torch.tensor(receivers), torch.tensor(senders), [3, 2])


def test_periods_shift_displacements():
    x = torch.tensor([[0.1, 0.0], [3.9, 0.0]])
    graph = Graph.near(x, [2], cutoff=1.0, box=torch.tensor([[4.0, 0.0]]))
    torch.testing.assert_close(graph.displacements(x), torch.tensor([[0.2, 0.0], [-0.2, 0.0]]))
    assert graph.differences(x)[0, 0] < -3


def test_attributes_stay_with_their_edges():
    ends = torch.tensor([3, 0, 3, 1]), torch.tensor([1, 2, 0, 0])
    graph = Graph.of_edges(*ends, [4, 2], attributes=10.0 * ends[0].unsqueeze(-1) + ends[1].unsqueeze(-1))
    assert graph.attributes.flatten().tolist() == [2.0, 10.0, 31.0, 30.0]
    assert graph.part(1, 3).attributes.flatten().tolist() == [10.0]
    whole = a_graph()
    matrices = [torch.arange(n * n).view(n, n) + 100 * n for n in (4, 0, 5)]
    found = whole.with_matrices(matrices).attributes.flatten().tolist()
    starts = {**dict.fromkeys(range(4), (0, 0)), **dict.fromkeys(range(4, 9), (2, 4))}
    for value, i, j in zip(found, whole.receivers.tolist(), whole.senders.tolist(), strict=True):
        system, first = starts[i]
        assert value == matrices[system][i - first, j - first]


def test_repeated_edges_are_those_of_copies_of_the_systems():
    x = torch.randn(9, 3, dtype=torch.float64)
    one = Graph.near(x, [2, 4, 3]).with_matrices([torch.randn(k, k).double() for k in (2, 4, 3)])
    other = Graph.near(x.repeat(3, 1), [2, 4, 3] * 3)
    thrice = one.repeated(3)
    for name in ("receivers", "senders", "begins", "sizes"):
        assert torch.equal(getattr(thrice, name), getattr(other, name)), name
    assert torch.equal(thrice.attributes, one.attributes.repeat(3, 1))
    f = torch.randn(27, 2, dtype=torch.float64)
    by_copy = torch.cat([one.means(one.at_senders(part)) for part in f.split(9)])
    assert torch.allclose(thrice.means(thrice.at_senders(f)), by_copy)
