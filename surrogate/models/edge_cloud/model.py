"""Edge cloud: convolution over pairs of edges, with kernels of the invariants of two positions and directions."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from physics.errors import InputError
from surrogate.models.edge_cloud.lifted import Lifted
from surrogate.models.graph_model import GraphModel, NeighbourConfig
from surrogate.nn.edges import AllPairs, Edges, edge_projections, first_edge_layer
from surrogate.nn.group_convolution import KernelBasis, Pointwise
from surrogate.nn.mlp import mlp, silu
from surrogate.nn.row_tiles import by_rows, by_systems, row_ranges

MESSAGES = ("linear", "nonlinear")
INVARIANTS = 4
"""Of a pair of lifted nodes."""


@dataclass(frozen=True)
class EdgeCloudConfig(NeighbourConfig):
    """Sizes and form of an edge cloud.

    Attributes
    ----------
    hidden, layers : int
    basis : int
        Functions that kernels are combinations of.
    message : str
        "linear": a convolution, with kernels of the invariants of pairs; "nonlinear": an MLP of both features and
        the invariants.
    """

    hidden: int = 64
    layers: int = 4
    basis: int = 64
    message: str = "linear"


def directions(r: Tensor) -> Tensor:
    """o_ij = (x_j - x_i) / d_ij of displacements r_ij = x_i - x_j, 0 where they are."""
    return -r * r.square().sum(-1, keepdim=True).add(1e-16).rsqrt()


class ConvolutionLayer(nn.Module):
    """z_a = mean_b k(p_ab) f_b, channel by channel; f_a <- f_a + L2 act(L1 LN(z_a))."""

    def __init__(self, hidden: int, functions: int) -> None:
        super().__init__()
        self.kernel = nn.Linear(functions, hidden, bias=False)
        self.pointwise = Pointwise(hidden)

    def prepared(self, f: Tensor) -> tuple[Tensor, ...]:
        """What its pairs are made of, node arrays."""
        return (f,)

    def messages(self, prepared: tuple[Tensor, ...], known: Tensor, pairs: Edges) -> tuple[Tensor]:
        """The mean of messages to receivers; `known` is the basis on pairs."""
        return (pairs.means(self.kernel(known) * pairs.at_senders(prepared[0])),)

    def updated(self, f: Tensor, z: Tensor) -> Tensor:
        """Features after the layer."""
        return f + torch.as_tensor(self.pointwise(z))


class MessageLayer(nn.Module):
    """m_ab = MLP([f_a, f_b, p_ab]); f_a <- f_a + MLP([f_a, mean_b m_ab])."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.phi_m = mlp(2 * hidden + INVARIANTS, hidden, hidden)
        self.phi_f = mlp(2 * hidden, hidden, hidden)

    def prepared(self, f: Tensor) -> tuple[Tensor, ...]:
        """See ConvolutionLayer."""
        first_map = self.phi_m[0]
        assert isinstance(first_map, nn.Linear)
        return edge_projections(first_map, f)

    def messages(self, prepared: tuple[Tensor, ...], known: Tensor, pairs: Edges) -> tuple[Tensor]:
        """See ConvolutionLayer; `known` are the invariants. The last map is linear: it is applied to the mean."""
        (p, s), first_map = prepared, self.phi_m[0]
        assert isinstance(first_map, nn.Linear)
        return (pairs.means(silu(first_edge_layer(first_map, p, s, known, pairs))),)

    def updated(self, f: Tensor, z: Tensor) -> Tensor:
        """See ConvolutionLayer."""
        return f + torch.as_tensor(self.phi_f(torch.cat([f, self.phi_m[-1](z)], dim=-1)))


class EdgeCloud(GraphModel):
    """E(n)-equivariant convolution on R^n x S^(n-1), sampled where the particles' own directions are.

    Notes
    -----
    Every edge a = (i, j) is a node with base x_i and direction o_a = (x_j - x_i) / d_ij. Its features begin as
    L [q_i, q_i q_j, v_i . o_a, v_j . o_a]. Of y = x_b - x_a, a pair has the invariants y . o_a,
    |y - (y . o_a) o_a|, o_a . o_b and q_i(a) q_i(b), which are all that a kernel sees. Read-out:
    x_i + mean_j w(f_ij) o_ij + mean_j s(f_ij) v_i; a particle without an edge stays where it is.

    The mean over b is over all edges of the system, b = a among them; with near pairs or a graph over the edges to
    x_i and to its senders. All pairs of edges are N^2 (N - 1)^2: for more than 23 particles a reach is needed.

    **Source** Bekkers et al., "Fast, Expressive SE(n) Equivariant Networks through Weight-Sharing in
    Position-Orientation Space" (2024): invariants, polynomial basis, depth-wise kernels and ConvNeXt blocks; the
    edge cloud is its point-cloud mode. "nonlinear" is the family of directional message passing (DimeNet++,
    SphereNet).
    **Deviations** no published number is for this form: the features at the start, the charges as an invariant,
    the mean for the sum and the read-out of velocities are ours. Charges enter the features themselves, so that a
    forecast is not even in them.
    **Checked by** tests/surrogate/models/test_edge_cloud.py; 159,298 parameters (test_models.py).
    """

    Config = EdgeCloudConfig
    even_in_charges = False

    def __init__(self, config: EdgeCloudConfig) -> None:
        super().__init__(config)
        if config.message not in MESSAGES:
            raise InputError(f"model.message must be one of {', '.join(MESSAGES)}; got {config.message!r}")
        self.evaluations = config.layers
        linear = config.message == "linear"
        self.embedding = nn.Linear(4, config.hidden)
        self.basis = KernelBasis(INVARIANTS, config.hidden, config.basis) if linear else None
        self.layers = nn.ModuleList(
            ConvolutionLayer(config.hidden, config.basis) if linear else MessageLayer(config.hidden)
            for _ in range(config.layers)
        )
        self.readout = nn.Linear(config.hidden, 2)

    def on_edges(
        self, x: Tensor, v: Tensor, q: Tensor, edges: Edges, horizon: float, masses: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """See GraphModel.on_edges.

        Raises
        ------
        InputError
            Where there are too many pairs of edges.
        """
        if not isinstance(edges, AllPairs):
            return self._positions(x, v, q, edges), None
        return by_systems(self._positions, (x, v, q), (edges.n * (edges.n - 1)) ** 2), None

    def _positions(self, x: Tensor, v: Tensor, q: Tensor, edges: Edges | None = None) -> Tensor:
        """Forecast positions of node arrays, on all pairs where no edges are given."""
        edges = edges or AllPairs.of(x)
        lifted = Lifted.of(edges)
        r = edges.displacements(x)
        o = directions(r)
        q_i, v_i = edges.at_receivers(q), edges.at_receivers(v)
        along = [(t * o).sum(-1, keepdim=True) for t in (v_i, edges.at_senders(v))]
        f = self.embedding(lifted.nodes(torch.cat([q_i, q_i * edges.at_senders(q), *along], dim=-1)))
        points = lifted.nodes(edges.at_receivers(x)), lifted.nodes(o), lifted.nodes(q_i)
        pairs = lifted.pairs
        known = self._known(*points, pairs) if len(row_ranges(pairs, x.device)) == 1 else None
        for layer in self.layers:
            assert isinstance(layer, ConvolutionLayer | MessageLayer)
            (z,) = by_rows(partial(self._messages, layer, layer.prepared(f), points, known), pairs, x.device)
            f = layer.updated(f, z)
        gains = lifted.back(self.readout(f))
        return x + edges.means(gains[..., :1] * o) + edges.means(gains[..., 1:]) * v

    def _messages(
        self,
        layer: ConvolutionLayer | MessageLayer,
        prepared: tuple[Tensor, ...],
        points: tuple[Tensor, Tensor, Tensor],
        known: Tensor | None,
        pairs: Edges,
    ) -> tuple[Tensor]:
        return layer.messages(prepared, self._known(*points, pairs) if known is None else known, pairs)

    def _known(self, x: Tensor, o: Tensor, q: Tensor, pairs: Edges) -> Tensor:
        """What every layer needs of pairs: the kernels' basis, or the invariants themselves."""
        y, o_a = -pairs.displacements(x), pairs.at_receivers(o)
        along = (y * o_a).sum(-1)
        across = (y - along.unsqueeze(-1) * o_a).square().sum(-1).add(1e-16).sqrt()
        turn = (o_a * pairs.at_senders(o)).sum(-1)
        charges = (pairs.at_receivers(q) * pairs.at_senders(q)).squeeze(-1)
        invariants = [along, across, turn, charges]
        return torch.stack(invariants, dim=-1) if self.basis is None else self.basis(invariants)
