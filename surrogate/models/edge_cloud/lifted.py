"""The edges of a graph as nodes of a second one, whose pairs are edges with receivers that are near or the same.

A lifted node a = (i, j) is an edge to receiver i from sender j. It hears all lifted nodes (k, l) whose receiver k
is i itself or a sender to i; of all pairs these are all edges of the system, a among them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from physics.errors import InputError
from surrogate.nn.edges import AllPairs, Edges
from surrogate.nn.graph import Graph

MOST_PAIRS = 1 << 18
"""Most pairs of lifted nodes of one system where all exchange messages: 23 particles have 256,036."""
MOST_NEAR_PAIRS = 1 << 24
"""Most of all systems together on a graph, whose pairs are listed."""


class AllLiftedPairs(AllPairs):
    """All pairs within each of B systems of M lifted nodes, a node and itself included.

    Edge arrays are (sender, b, receiver), as those of all pairs of particles, but senders stand as they are.
    """

    @property
    def n_edges(self) -> int:
        """See Edges."""
        return self.n_systems * (self.last - self.first) * self.n

    def at_receivers(self, values: Tensor) -> Tensor:
        """See Edges; a view."""
        return self.rows(values).expand(self.n, -1, -1, -1)

    def at_senders(self, values: Tensor) -> Tensor:
        """See Edges; a view."""
        return values.transpose(0, 1).unsqueeze(2).expand(-1, -1, self.last - self.first, -1)

    def part(self, first: int, last: int) -> "AllLiftedPairs":
        """See Edges."""
        return AllLiftedPairs(self.n_systems, self.n, first, last)

    def ranges(self, most: int) -> list[tuple[int, int]]:
        """See Edges."""
        rows = max(most // (self.n_systems * self.n), 1)
        return [(k, min(k + rows, self.last)) for k in range(self.first, self.last, rows)]


@dataclass(frozen=True)
class Lifted:
    """The lifted nodes of a graph and their pairs.

    Attributes
    ----------
    edges : Edges
        Those that are the nodes.
    pairs : Edges
        Between the nodes, in the order that `nodes` gives.
    """

    edges: Edges
    pairs: Edges

    @classmethod
    def of(cls, edges: Edges) -> "Lifted":
        """The lifted nodes of all pairs, or of an edge list.

        Raises
        ------
        InputError
            Where there are too many pairs of lifted nodes.
        """
        if isinstance(edges, AllPairs):
            m = edges.n * (edges.n - 1)
            if m * m > MOST_PAIRS:
                raise InputError(
                    f"edge-cloud: {edges.n} particles have {m * m:,} pairs of edges, at most {MOST_PAIRS:,} are "
                    "made; set model.cutoff or model.neighbours"
                )
            return cls(edges, AllLiftedPairs(edges.n_systems, m))
        assert isinstance(edges, Graph)
        return cls(edges, _pairs_of_near_edges(edges))

    def nodes(self, values: Tensor) -> Tensor:
        """Values of edges (edges..., F) as a node array (B, M, F), or of an edge list (E, F)."""
        return values.transpose(0, 1).flatten(1, 2) if isinstance(self.edges, AllPairs) else values

    def back(self, values: Tensor) -> Tensor:
        """A node array as values of edges."""
        if not isinstance(self.edges, AllPairs):
            return values
        return values.view(len(values), self.edges.n - 1, self.edges.n, -1).transpose(0, 1)


def _runs(begins: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Runs of consecutive numbers behind each other: which run each is from, and the numbers."""
    which = torch.repeat_interleave(lengths)
    within = torch.arange(len(which), device=which.device) - (lengths.cumsum(0) - lengths)[which]
    return which, begins[which] + within


def _pairs_of_near_edges(graph: Graph) -> Graph:
    """Pairs of lifted nodes of an edge list; the shift of a pair is that of the edge between its receivers."""
    degrees, m = graph.begins.diff(), len(graph.receivers)
    own = torch.arange(len(degrees), device=degrees.device)
    # to each receiver the edges to itself, and to its senders: of a sender's image, shifted
    at = torch.cat([own, graph.receivers])
    order = torch.argsort(at, stable=True)
    at, by = at[order], torch.cat([own, graph.senders])[order]
    counts = torch.zeros_like(degrees).index_add(0, at, degrees[by])
    if (total := int((counts * degrees).sum())) > MOST_NEAR_PAIRS:
        raise InputError(
            f"edge-cloud: {m:,} edges have {total:,} pairs, at most {MOST_NEAR_PAIRS:,} are made; "
            "set a shorter model.cutoff or fewer model.neighbours"
        )
    via, heard = _runs(graph.begins[by], degrees[by])
    begins = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    node, place = _runs(begins[graph.receivers], counts[graph.receivers])
    shifts = None
    if graph.shifts is not None:
        none = graph.shifts.new_zeros(len(degrees), graph.shifts.shape[1])
        shifts = torch.cat([none, graph.shifts])[order][via[place]]
    ends = torch.cat([graph.sizes.new_zeros(1), graph.sizes.cumsum(0)])
    starts = torch.cat([counts.new_zeros(1), counts[graph.receivers].cumsum(0)])
    return Graph(node, heard[place], starts, graph.begins[ends].diff(), shifts, 0, m)
