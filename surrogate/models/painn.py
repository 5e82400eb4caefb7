"""PaiNN: scalars and vectors of every particle, mixed by gates that see invariants alone; in any dimension."""

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from surrogate.models.graph_model import GraphModel, NeighbourConfig
from surrogate.nn.edges import Edges
from surrogate.nn.mlp import mlp
from surrogate.nn.radial_basis import TINY, GaussianBasis, cosine_cutoff
from surrogate.nn.row_tiles import by_rows, row_ranges

NORM_TINY = 1e-8
"""Added to squared lengths of vector features, as published."""

Geometry = tuple[Tensor, Tensor, Tensor | None]
"""Of edges: unit vectors u_ji (edges..., n, 1), filter inputs (edges..., 2 K), the factor of a cut-off or None."""


@dataclass(frozen=True)
class PaiNNConfig(NeighbourConfig):
    """Sizes of a PaiNN.

    Attributes
    ----------
    hidden, layers : int
    basis : int
        Centres of the Gaussians of distances.
    farthest : float
        The last centre [length, in the units of the run].
    """

    hidden: int = 64
    layers: int = 3
    basis: int = 32
    farthest: float = 10.0


def lengths(vectors: Tensor) -> Tensor:
    """|V| (..., F) of vector features (..., n, F)."""
    return vectors.square().sum(-2).add(NORM_TINY).sqrt()


class Message(nn.Module):
    """[a, b, c]_ij = phi(s_j) * W(e_ij): s_i += sum_j a_ij, V_i += sum_j (u_ji b_ij + c_ij * V_j)."""

    def __init__(self, hidden: int, inputs: int) -> None:
        super().__init__()
        self.phi = mlp(hidden, hidden, 3 * hidden)
        self.filter = nn.Linear(inputs, 3 * hidden)

    def sums(self, phi: Tensor, vectors: Tensor, geometry: Geometry, edges: Edges) -> tuple[Tensor, Tensor]:
        """What receivers get: scalars (..., rows, F) and vectors (..., rows, n F), of phi(s) (..., nodes, 3 F)."""
        u, inputs, envelope = geometry
        filters = self.filter(inputs)
        gated = (filters if envelope is None else filters * envelope) * edges.at_senders(phi)
        a, b, c = gated.chunk(3, dim=-1)
        v_j = edges.at_senders(vectors.flatten(-2)).view(*gated.shape[:-1], *vectors.shape[-2:])
        moved = torch.addcmul(v_j * c.unsqueeze(-2), u, b.unsqueeze(-2))
        return edges.sums(a), edges.sums(moved.flatten(-2))


class Update(nn.Module):
    """[a, b, c]_i = MLP [s_i, |W V_i|]: s_i += a_i + c_i <W V_i, U V_i>, V_i += b_i * U V_i."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.mixing = nn.Linear(hidden, 2 * hidden, bias=False)
        self.gates = mlp(2 * hidden, hidden, 3 * hidden)

    def forward(self, s: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Scalars (..., F) and vectors (..., n, F)."""
        w, u = self.mixing(vectors).chunk(2, dim=-1)
        a, b, c = self.gates(torch.cat([s, lengths(w)], dim=-1)).chunk(3, dim=-1)
        return s + torch.addcmul(a, c, (w * u).sum(-2)), torch.addcmul(vectors, b.unsqueeze(-2), u)


class GatedBlock(nn.Module):
    """[s', g]_i = MLP [s_i, |W V_i|], V'_i = g_i * U V_i: other numbers of scalars and vectors."""

    def __init__(self, hidden: int, scalars: int, vectors: int) -> None:
        super().__init__()
        self.n_vectors = vectors
        self.mixing = nn.Linear(hidden, 2 * vectors, bias=False)
        self.gates = mlp(hidden + vectors, hidden, scalars + vectors)
        nn.init.ones_(self.gates[-1].bias[scalars:])  # type: ignore[index]

    def forward(self, s: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Scalars (..., scalars) and vectors (..., n, vectors)."""
        w, u = self.mixing(vectors).chunk(2, dim=-1)
        out = self.gates(torch.cat([s, lengths(w)], dim=-1))
        return out[..., : -self.n_vectors], out[..., -self.n_vectors :].unsqueeze(-2) * u


class PaiNN(GraphModel):
    """E(n)-equivariant message passing with scalar and vector features.

    Notes
    -----
    s_i = Linear(|v_i|) and V_i = v_i (x) w at the start, then `layers` times a message and an update (above); two
    gated blocks make one vector of them, x_hat_i = x_i + V'_i. Filters W are linear in [e(d_ij), q_i q_j e(d_ij)],
    e the Gaussians of the distance: one for pairs that attract and one for those that repel. With a cut-off they
    are multiplied by (1 + cos(pi d / cutoff)) / 2.

    **Source** Schuett, Unke, Gastegger, "Equivariant message passing for the prediction of tensorial properties
    and molecular spectra" (2021), eq. 7-10, and the gated blocks of its figure 3; blocks as in SchNetPack.
    **Deviations** in what it starts from (there types of atoms and no vectors) and in the charges of the filters;
    Gaussians for sines; 64 features for 128; gates of the head start at 1, so that velocities reach the output.
    **Checked by** tests/surrogate/models/test_painn.py (layer and head equal SchNetPack's) and test_models.py.
    """

    Config = PaiNNConfig

    def __init__(self, config: PaiNNConfig) -> None:
        super().__init__(config)
        hidden, self.evaluations = config.hidden, config.layers
        self.basis = GaussianBasis(config.basis, config.farthest)
        self.embedding = nn.Linear(1, hidden)
        self.velocity_channels = nn.Linear(1, hidden, bias=False)
        self.messages = nn.ModuleList(Message(hidden, 2 * config.basis) for _ in range(config.layers))
        self.updates = nn.ModuleList(Update(hidden) for _ in range(config.layers))
        self.head = nn.ModuleList([GatedBlock(hidden, hidden // 2, hidden // 2), GatedBlock(hidden // 2, 1, 1)])

    def on_edges(
        self, x: Tensor, v: Tensor, q: Tensor, edges: Edges, horizon: float, masses: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """See GraphModel.on_edges."""
        s = self.embedding(v.square().sum(-1, keepdim=True).add(TINY).sqrt())
        vectors = self.velocity_channels(v.unsqueeze(-1))
        known = self._geometry(x, q, edges) if len(row_ranges(edges, x.device)) == 1 else None
        for message, update in zip(self.messages, self.updates, strict=True):
            assert isinstance(message, Message)
            made = partial(self._received, message, message.phi(s), vectors, x, q, known)
            ds, moved = by_rows(made, edges, x.device)
            s, vectors = update(s + ds, vectors + moved.view(vectors.shape))
        s, vectors = self.head[0](s, vectors)
        _, vectors = self.head[1](nn.functional.silu(s), vectors)
        return x + vectors.squeeze(-1), None

    def _received(
        self,
        message: Message,
        phi: Tensor,
        vectors: Tensor,
        x: Tensor,
        q: Tensor,
        known: Geometry | None,
        edges: Edges,
    ) -> tuple[Tensor, Tensor]:
        return message.sums(phi, vectors, known or self._geometry(x, q, edges), edges)

    def _geometry(self, x: Tensor, q: Tensor, edges: Edges) -> Geometry:
        r = edges.displacements(x)
        d2 = r.square().sum(-1, keepdim=True).add(TINY)
        d = d2.sqrt()
        e = self.basis(d)
        c = edges.at_receivers(q) * edges.at_senders(q)
        envelope = None if math.isinf(self.cutoff) else cosine_cutoff(d, self.cutoff)
        return (r / -d).unsqueeze(-1), torch.cat([e, c * e], dim=-1), envelope
