"""Networks that give every node of a graph a place in n dimensions, and decode edges from distances.

**Source** Satorras et al. 2021, section 5.2, and its published code. Graphs of one batch have the same number of
nodes; those of a set may have any. `MODELS` is the literal registry.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from physics.errors import InputError
from surrogate.models.egnn.model import EGCL
from surrogate.models.gnn import GNNLayer
from surrogate.nn.edges import AllPairs, Edges, edge_projections
from surrogate.nn.mlp import mlp
from surrogate.nn.row_tiles import by_rows

CONTRACTION = 1e-3
"""By which places are drawn to the origin after every layer."""


@dataclass(frozen=True)
class EncoderConfig:
    """Sizes of an autoencoder.

    Attributes
    ----------
    hidden, layers : int
    embedding : int
        Dimensions of the space in which nodes are placed.
    """

    hidden: int = 64
    layers: int = 4
    embedding: int = 8


class GraphEncoder(nn.Module):
    """Places of nodes from edges, and logits of edges from places.

    Attributes
    ----------
    noise : int
        Numbers of N(0, 1) that each node is given, drawn anew for every forward pass; 0 for none.
    """

    Config = EncoderConfig
    noise: int = 0
    group: ClassVar[str] = "Sym"

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        if not 1 <= config.embedding <= 256:
            raise InputError(f"model.embedding must be from 1 to 256; got {config.embedding}")
        self.embedding = config.embedding

    def encode(self, adjacency: Tensor, noise: Tensor) -> Tensor:
        """Places (B, N, embedding) from 0 and 1 (B, N, N) and noise (B, N, `noise`)."""
        raise NotImplementedError

    def decode(self, z: Tensor) -> Tensor:
        """Logits of edges (B, N, N) from places; symmetric, those of the diagonal mean nothing."""
        raise NotImplementedError

    def forward(self, adjacency: Tensor, noise: Tensor) -> Tensor:
        """Logits of edges (B, N, N)."""
        return self.decode(self.encode(adjacency, noise))


class _DistanceDecoder(GraphEncoder):
    """Edges by the squared distance of places: sigmoid(w |z_i - z_j|^2 + b)."""

    group = "E(n)"

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config)
        self.noise = config.embedding
        self.w, self.b = nn.Parameter(-0.1 * torch.ones(1)), nn.Parameter(torch.ones(1))

    def decode(self, z: Tensor) -> Tensor:
        """See GraphEncoder."""
        return self.w * (z.unsqueeze(2) - z.unsqueeze(1)).square().sum(-1) + self.b


class EGNNEncoder(_DistanceDecoder):
    """EGNN whose nodes begin at x ~ N(0, I) with equal features.

    Notes
    -----
    x_i <- (1 - 1e-3)(x_i + C sum_j r_ij phi_x(m_ij)), m_ij of [h_i, h_j, d_ij^2, A_ij]; z = x.

    **Deviations** the equal features of the first layer are learned, and it adds to them (the published one begins
    with 1 and replaces them): the same functions. The last layer's features, which reach nothing, are not made.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config)
        self.start = nn.Parameter(torch.zeros(config.hidden))
        self.layers = nn.ModuleList(EGCL(config.hidden, 1, with_velocity=False) for _ in range(config.layers))

    def encode(self, adjacency: Tensor, noise: Tensor) -> Tensor:
        """See GraphEncoder."""
        x, h = noise, self.start.expand(*noise.shape[:-1], -1)
        edges = AllPairs.of(x, adjacency)
        for index, layer in enumerate(self.layers):
            assert isinstance(layer, EGCL)
            summed = index < len(self.layers) - 1
            p, s = edge_projections(layer.edge_in, h)
            moved, *m_i = by_rows(partial(self._edge_sums, layer, p, s, x, summed), edges, x.device)
            x = (x + moved) * (1 - CONTRACTION)
            if summed:
                h = layer.updated_features(h, *m_i)
        return x

    @staticmethod
    def _edge_sums(layer: EGCL, p: Tensor, s: Tensor, x: Tensor, summed: bool, edges: Edges) -> tuple[Tensor, ...]:
        r = edges.displacements(x)
        m = layer.messages(p, s, torch.cat([r.square().sum(-1, keepdim=True), _given(edges)], -1), edges)
        moved = layer.coordinate_update(m, r, edges)
        return (moved, edges.sums(m)) if summed else (moved,)


class RadialFieldEncoder(_DistanceDecoder):
    """x_i <- (1 - 1e-3) x_i + C sum_j r_ij phi([d_ij, A_ij]); z = x."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config)
        self.layers = nn.ModuleList(mlp(2, config.hidden, 1, bias=False) for _ in range(config.layers))
        for layer in self.layers:
            nn.init.xavier_uniform_(layer[-1].weight, gain=0.001)  # type: ignore[index]

    def encode(self, adjacency: Tensor, noise: Tensor) -> Tensor:
        """See GraphEncoder."""
        x, edges = noise, AllPairs.of(noise, adjacency)
        for layer in self.layers:
            r = edges.displacements(x)
            d = r.square().sum(-1, keepdim=True).add(1e-16).sqrt()
            x = x * (1 - CONTRACTION) + edges.means(r * layer(torch.cat([d, _given(edges)], -1)))
        return x


class GNNEncoder(GraphEncoder):
    """Message passing on equal features, a linear map to places, edges by sigmoid(w . (z_i - z_j)^2 + b).

    **Deviations** the first layer adds to its features, as the others do.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config)
        self.embed = nn.Linear(max(self.noise, 1), config.hidden)
        self.layers = nn.ModuleList(GNNLayer(config.hidden) for _ in range(config.layers))
        self.place, self.edge = nn.Linear(config.hidden, config.embedding), nn.Linear(config.embedding, 1)

    def encode(self, adjacency: Tensor, noise: Tensor) -> Tensor:
        """See GraphEncoder."""
        given = noise if self.noise else adjacency.new_ones(*adjacency.shape[:2], 1)
        h, edges = self.embed(given), AllPairs.of(given, adjacency)
        for layer in self.layers:
            h = layer(h, _given, edges)
        places: Tensor = self.place(h)
        return places

    def decode(self, z: Tensor) -> Tensor:
        """See GraphEncoder."""
        logits: Tensor = self.edge((z.unsqueeze(2) - z.unsqueeze(1)).square()).squeeze(-1)
        return logits


class NoiseGNNEncoder(GNNEncoder):
    """The GNN on a random number for each node, which tells nodes of the same neighbourhood apart."""

    noise = 1


MODELS: dict[str, type[GraphEncoder]] = {
    "egnn": EGNNEncoder,
    "radial-field": RadialFieldEncoder,
    "gnn": GNNEncoder,
    "noise-gnn": NoiseGNNEncoder,
}


def _given(edges: Edges) -> Tensor:
    attributes = edges.attributes
    assert attributes is not None
    return attributes
