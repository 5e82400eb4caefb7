"""GNN: message passing on raw coordinates, equivariant to nothing but permutations; shipped for contrast."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surrogate.models.graph_model import GraphModel, NeighbourConfig
from surrogate.nn.edges import Edges, edge_projections, first_edge_layer
from surrogate.nn.mlp import mlp, silu
from surrogate.nn.row_tiles import by_rows


@dataclass(frozen=True)
class GNNConfig(NeighbourConfig):
    """Sizes of the GNN.

    Attributes
    ----------
    dims : int
        Space dimensions; the weights fit no other.
    hidden, layers : int
    velocity_head : bool
        A separate MLP for the forecast velocity, trained after the positions with the rest frozen.
    """

    dims: int = 3
    hidden: int = 64
    layers: int = 4
    velocity_head: bool = False


class GNNLayer(nn.Module):
    """m_ij = act(L2 act(L1 [h_i, h_j, a_ij])); h_i <- h_i + MLP([h_i, sum_j m_ij]); one number a_ij an edge."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.phi_e = mlp(2 * hidden + 1, hidden, hidden)
        self.phi_h = mlp(2 * hidden, hidden, hidden)

    def forward(self, h: Tensor, attributes: Callable[[Edges], Tensor], edges: Edges) -> Tensor:
        """Updated node features (..., N, F); `attributes` gives the a_ij (edges..., 1) of edges."""
        first_map = self.phi_e[0]
        assert isinstance(first_map, nn.Linear)
        p, s = edge_projections(first_map, h)

        def sums(edges: Edges) -> tuple[Tensor]:
            hidden = first_edge_layer(first_map, p, s, attributes(edges), edges)
            return (edges.sums(silu(self.phi_e[1:](hidden))),)

        (m_i,) = by_rows(sums, edges, h.device)
        return h + torch.as_tensor(self.phi_h(torch.cat([h, m_i], dim=-1)))


class GNN(GraphModel):
    """Absolute positions from absolute positions and velocities.

    Notes
    -----
    **Source** Gilmer et al. 2017 as benchmarked by Satorras et al. 2021, table 2 (MSE 0.0107).
    **Deviations** none without `velocity_head`. **Checked by** tests/surrogate/models/test_gnn.py (equals the
    published code) and test_models.py, which asserts that rotations, reflections and translations FAIL.
    """

    Config = GNNConfig
    group = "Sym"
    centres = False

    def __init__(self, config: GNNConfig) -> None:
        super().__init__(config)
        self.dims = config.dims
        self.evaluations = config.layers
        self.gives_velocity = config.velocity_head
        self.embedding = nn.Linear(2 * config.dims, config.hidden)
        self.layers = nn.ModuleList(GNNLayer(config.hidden) for _ in range(config.layers))
        self.readout = mlp(config.hidden, config.hidden, config.dims)
        self.velocity_head = mlp(config.hidden, config.hidden, config.dims) if config.velocity_head else None

    def on_edges(
        self, x: Tensor, v: Tensor, q: Tensor, edges: Edges, horizon: float, masses: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """See GraphModel.on_edges."""
        h = self.embedding(torch.cat([x, v], dim=-1))
        for layer in self.layers:
            h = layer(h, lambda edges: edges.at_receivers(q) * edges.at_senders(q), edges)
        if self.velocity_head is None or self.skip_velocity_head:
            return self.readout(h), None
        return self.readout(h), v + self.velocity_head(h.detach())
