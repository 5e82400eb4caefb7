"""What layers ask of edges; edges of all ordered pairs; a first edge layer made from products of nodes.

Of all pairs, edge arrays are (s, b, i) for senders j = (i + 1 + s) mod N of receivers i: sums over senders are
sums over s, without a scatter. Edge lists are in :mod:`surrogate.nn.graph`.
"""

from functools import lru_cache
from typing import Protocol, Self

import torch
from torch import Tensor, nn

MANY_SENDERS = 64
"""With more, senders are a view and not a stack of as many slices."""


class Edges(Protocol):
    """Directed edges to a range of receivers: what a layer needs of a graph, whatever its shape.

    Node arrays are (..., nodes, F) and edge arrays have axes of edges before their last; what is made of edges has
    the receivers of the range alone.

    """

    @property
    def attributes(self) -> Tensor | None:
        """What is given with each edge, (edges..., numbers) in the same order."""
        ...

    @property
    def n_edges(self) -> int:
        """Directed edges."""
        ...

    @property
    def first(self) -> int:
        """The first receiver."""
        ...

    @property
    def last(self) -> int:
        """One behind the last receiver."""
        ...

    def at_receivers(self, values: Tensor) -> Tensor:
        """Node values as edge values: those of the receivers."""
        ...

    def at_senders(self, values: Tensor) -> Tensor:
        """Node values as edge values: those of the senders."""
        ...

    def displacements(self, x: Tensor) -> Tensor:
        """r_ij = x_i - x_j from sender j (or its image) to receiver i."""
        ...

    def differences(self, values: Tensor) -> Tensor:
        """Receiver less sender of other node values, which periods do not shift."""
        ...

    def sums(self, values: Tensor) -> Tensor:
        """Sums over senders, a node array of the receivers."""
        ...

    def means(self, values: Tensor) -> Tensor:
        """Means over senders, 0 without any."""
        ...

    def softmax(self, values: Tensor) -> Tensor:
        """Of edge values, over the senders of each receiver."""
        ...

    def outer_sums(self, a: Tensor, b: Tensor) -> Tensor:
        """Sums over senders of a_ij b_ij^T of edge values, (..., receivers, A, B)."""
        ...

    def forms(self, a: Tensor, matrices: Tensor, b: Tensor) -> Tensor:
        """a_ij^T M_i b_ij of edge values, (edges..., 1), with matrices (..., receivers, A, B) of the range."""
        ...

    def rows(self, values: Tensor) -> Tensor:
        """Node values of the receivers of the range."""
        ...

    def part(self, first: int, last: int) -> Self:
        """Edges to a part of the range alone."""
        ...

    def ranges(self, most: int) -> list[tuple[int, int]]:
        """The range in pieces of at most so many edges, of one receiver at least."""
        ...

    def repeated(self, count: int) -> "Edges":
        """Of all nodes, the edges of so many copies of every system, the first copies of all systems first."""
        ...

    def system_means(self, values: Tensor) -> Tensor:
        """Means over the particles of each system, of node values; they broadcast to nodes."""
        ...


class AllPairs:
    """All ordered pairs within each of B systems of N particles; node arrays are (B, N, F).

    Where a number is given with each edge, `given` is (B, N, N): [b, i, j] is that of sender j to receiver i.
    """

    def __init__(
        self, n_systems: int, n: int, first: int = 0, last: int | None = None, given: Tensor | None = None
    ) -> None:
        self.n_systems, self.n, self.first, self.last = n_systems, n, first, n if last is None else last
        self._given = given

    @classmethod
    def of(cls, x: Tensor, given: Tensor | None = None) -> "AllPairs":
        """All pairs of positions (B, N, n)."""
        return cls(x.shape[0], x.shape[1], given=given)

    @property
    def attributes(self) -> Tensor | None:
        """See Edges."""
        if self._given is None:
            return None
        i, j = self._places(self._given.device)
        return self._given[:, i, j].transpose(0, 1).unsqueeze(-1)

    @property
    def n_edges(self) -> int:
        """See Edges."""
        return self.n_systems * (self.last - self.first) * (self.n - 1)

    def rows(self, values: Tensor) -> Tensor:
        """See Edges; a view."""
        return values[:, self.first : self.last]

    def at_receivers(self, values: Tensor) -> Tensor:
        """See Edges; a view."""
        return self.rows(values).expand(self.n - 1, -1, -1, -1)

    def at_senders(self, values: Tensor) -> Tensor:
        """See Edges."""
        return senders(values, self.first, self.last)

    def displacements(self, x: Tensor) -> Tensor:
        """See Edges."""
        return self.rows(x) - self.at_senders(x)

    def differences(self, values: Tensor) -> Tensor:
        """See Edges."""
        return self.displacements(values)

    def sums(self, values: Tensor) -> Tensor:
        """See Edges."""
        return values.sum(0)

    def means(self, values: Tensor) -> Tensor:
        """See Edges."""
        return values.mean(0)

    def softmax(self, values: Tensor) -> Tensor:
        """See Edges."""
        return values.softmax(0)

    def outer_sums(self, a: Tensor, b: Tensor) -> Tensor:
        """See Edges."""
        made = torch.bmm(a.flatten(1, 2).permute(1, 2, 0), b.flatten(1, 2).transpose(0, 1))
        return made.view(self.n_systems, -1, *made.shape[1:])

    def forms(self, a: Tensor, matrices: Tensor, b: Tensor) -> Tensor:
        """See Edges."""
        made = torch.bmm(a.flatten(1, 2).transpose(0, 1), matrices.flatten(0, 1)).transpose(0, 1)
        return (made.view(b.shape) * b).sum(-1, keepdim=True)

    def part(self, first: int, last: int) -> "AllPairs":
        """See Edges."""
        return AllPairs(self.n_systems, self.n, first, last, self._given)

    def ranges(self, most: int) -> list[tuple[int, int]]:
        """See Edges."""
        rows = max(most // (self.n_systems * (self.n - 1)), 1)
        return [(k, min(k + rows, self.last)) for k in range(self.first, self.last, rows)]

    def repeated(self, count: int) -> "AllPairs":
        """See Edges."""
        given = None if self._given is None else self._given.repeat(count, 1, 1)
        return AllPairs(count * self.n_systems, self.n, given=given)

    def system_means(self, values: Tensor) -> Tensor:
        """See Edges."""
        return values.mean(dim=1, keepdim=True)

    def matrices(self, values: Tensor) -> Tensor:
        """Edge values (N - 1, B, N, 1) as matrices (B, N, N): [b, i, j] is that of sender j to receiver i."""
        i, j = self._places(values.device)
        found = values.new_zeros(self.n_systems, self.n, self.n)
        found[:, i, j] = values.squeeze(-1).transpose(0, 1)
        return found

    def _places(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Receivers (rows,) and their senders (N - 1, rows)."""
        i = torch.arange(self.first, self.last, device=device)
        return i, (i + torch.arange(1, self.n, device=device).unsqueeze(-1)) % self.n


def senders(values: Tensor, first: int = 0, last: int | None = None) -> Tensor:
    """For receivers i of first..last-1 (all of them by default) their N - 1 senders j = (i + 1 + s) mod N.

    Parameters
    ----------
    values : (B, N, F) tensor
    first, last : int

    Returns
    -------
    (N - 1, B, last - first, F) tensor
        Entry [s, b, i - first] is values[b, (i + 1 + s) mod N]. Sums over senders are sums over s: no scatter.
    """
    n_systems, n, width = values.shape
    last = n if last is None else last
    if n - 1 <= MANY_SENDERS and values.is_cpu and not torch.compiler.is_compiling():
        index = _sender_index(n_systems, n, first, last)
        return values.flatten(0, 1).index_select(0, index).view(n - 1, n_systems, last - first, width)
    twice = torch.cat([values, values], dim=1)
    if n - 1 > MANY_SENDERS:
        return twice[:, first + 1 : last + n - 1].unfold(1, last - first, 1).permute(1, 0, 3, 2)
    return torch.stack([twice[:, first + s : last + s] for s in range(1, n)])


@lru_cache(maxsize=32)
def _sender_index(n_systems: int, n: int, first: int, last: int) -> Tensor:
    """Where the senders are among all particles of a batch: one gather instead of N - 1 slices.

    On a GPU the gather's gradient would add up in no fixed order.
    """
    with torch.inference_mode(False):  # what is kept from there could not be used in training
        s, i = torch.arange(1, n, device="cpu").view(-1, 1, 1), torch.arange(first, last, device="cpu")
        return (torch.arange(n_systems, device="cpu").view(-1, 1) * n + (i + s) % n).flatten()


def edge_projections(linear: nn.Linear, h: Tensor) -> tuple[Tensor, Tensor]:
    """What receivers (with the bias) and senders contribute to a first edge layer on [h_i, h_j, scalars].

    The map is split into its receiver, sender and scalar parts, so that the products with h are taken per node and
    not per edge.

    Parameters
    ----------
    linear : nn.Linear
        From 2 F + scalars numbers.
    h : (..., F) tensor
        A node array.

    Returns
    -------
    two (..., width) tensors
    """
    width, weight = h.shape[-1], linear.weight
    p = nn.functional.linear(h, weight[:, :width], linear.bias)
    s = nn.functional.linear(h.flatten(0, -2), weight[:, width : 2 * width])
    return p, s.view(p.shape)


def first_edge_layer(linear: nn.Linear, p: Tensor, s: Tensor, scalars: Tensor, edges: Edges) -> Tensor:
    """`linear` of [h_i, h_j, scalars] on edges.

    Parameters
    ----------
    linear : nn.Linear
    p, s : (..., width) tensor
        :func:`edge_projections` of h.
    scalars : (edges..., scalars) tensor
    edges : Edges

    Returns
    -------
    (edges..., width) tensor
    """
    sums = edges.at_senders(s) + edges.at_receivers(p)
    weight = linear.weight[:, -scalars.shape[-1] :]
    # the copy has autograd form the weights' gradient as scalars^T g, a quarter of the time of g^T scalars
    products = scalars.flatten(0, -2), weight.T.contiguous()
    flat = sums.flatten(0, -2)
    keep = torch.is_grad_enabled() or torch.is_autocast_enabled(flat.device.type)  # autocast knows no addmm_
    made = torch.addmm(flat, *products) if keep else flat.addmm_(*products)
    return made.view(sums.shape)
