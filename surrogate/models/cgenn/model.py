"""CGENN: particles are multivectors, and messages products of them; any polynomial of these is equivariant."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from physics.errors import InputError
from surrogate.models.cgenn.layers import CEMLP, MVLinear, with_scalar
from surrogate.models.graph_model import GraphModel, NeighbourConfig
from surrogate.nn.clifford import MOST_DIMS, Algebra, algebra
from surrogate.nn.edges import Edges
from surrogate.nn.row_tiles import by_rows


@dataclass(frozen=True)
class CGENNConfig(NeighbourConfig):
    """Sizes of a CGENN.

    Attributes
    ----------
    dims : int
        Space dimensions, 1 to 5; the weights have as many grades and fit no other.
    hidden : int
        Channels, each a multivector of 2^dims components.
    layers : int
    """

    dims: int = 3
    hidden: int = 28
    layers: int = 3


class CGLayer(nn.Module):
    """m_ij = CEMLP([f_i - f_j, c_ij]); f_i <- f_i + CEMLP([f_i, mean_j m_ij])."""

    def __init__(self, a: Algebra, channels: int) -> None:
        super().__init__()
        self.edge = CEMLP(a, channels + 1, channels)
        self.node = CEMLP(a, 2 * channels, channels)

    def forward(self, f: Tensor, c: Tensor, edges: Edges) -> Tensor:
        """Updated features (2^n, channels, nodes); q is (..., N, 1)."""
        first = self.edge.linears[0]
        assert isinstance(first, MVLinear)
        projected = torch.bmm(first.matrices()[:, :, :-1], f)  # of nodes: the map is linear, and edges are many
        nodes = projected.flatten(0, 1).T.reshape(*c.shape[:-1], -1)
        (m_i,) = by_rows(partial(self._mean_messages, nodes, c), edges, f.device)
        made: Tensor = f + self.node(torch.cat([f, m_i.flatten(0, -2).T.reshape(f.shape)], dim=1))
        return made

    def _mean_messages(self, nodes: Tensor, q: Tensor, edges: Edges) -> tuple[Tensor]:
        """mean_j m_ij of receivers, (..., rows, 2^n channels)."""
        first = self.edge.linears[0]
        assert isinstance(first, MVLinear)
        assert first.bias is not None
        r = edges.differences(nodes)
        c = edges.at_receivers(q) * edges.at_senders(q)
        f = r.flatten(0, -2).T.reshape(-1, len(first.bias), c.numel())
        scalars = torch.addcmul(first.bias.unsqueeze(-1), first.weight[:, -1:, 0], c.reshape(1, -1))
        m = self.edge.after_first(with_scalar(f, scalars))
        return (edges.means(m.flatten(0, 1).T.reshape(r.shape)),)


class CGENN(GraphModel):
    """E(n)-equivariant network of multivectors; a forecast adds the vector part of one to the positions.

    Notes
    -----
    f_i^0 is a mixture of q_i (grade 0), x_i - mean x and v_i (grade 1); c_ij = q_i q_j has grade 0.

    **Source** Ruhe, Brandstetter, Forre 2023, "Clifford Group Equivariant Neural Networks" (MSE 0.0039), as its
    published code runs it. **Deviations** none; outputs of that code are met to 1e-5. Charges enter nodes as they
    are: a forecast changes where all signs are flipped. **Checked by** tests/surrogate/models/test_cgenn.py.
    """

    Config = CGENNConfig
    even_in_charges = False

    def __init__(self, config: CGENNConfig) -> None:
        super().__init__(config)
        if not 1 <= config.dims <= MOST_DIMS:
            raise InputError(f"model.dims must be 1 to {MOST_DIMS} for cgenn; got {config.dims}")
        self.dims = config.dims
        self.evaluations = config.layers
        a = algebra(config.dims)
        self.embedding = nn.Linear(3, config.hidden)
        nn.init.normal_(self.embedding.weight, std=3**-0.5)
        nn.init.zeros_(self.embedding.bias)
        self.layers = nn.ModuleList(CGLayer(a, config.hidden) for _ in range(config.layers))
        self.projection = MVLinear(a, config.hidden, 1)

    def on_edges(
        self, x: Tensor, v: Tensor, q: Tensor, edges: Edges, horizon: float, masses: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """See GraphModel.on_edges."""
        n, mixed = x.shape[-1], self.embedding.weight
        at, speed = (t.flatten(0, -2).T.unsqueeze(1) for t in (x - edges.system_means(x), v))  # (n, 1, nodes)
        vectors = mixed[:, 1:2] * at + mixed[:, 2:] * speed
        scalars = torch.addmm(self.embedding.bias.unsqueeze(-1), mixed[:, :1], q.reshape(1, -1)).unsqueeze(0)
        f = torch.cat([scalars, vectors, vectors.new_zeros(2**n - 1 - n, *vectors.shape[1:])])
        for layer in self.layers:
            f = layer(f, q, edges)
        moved = self.projection(f)[1 : n + 1]
        return x + moved.flatten(0, 1).T.reshape(x.shape), None
