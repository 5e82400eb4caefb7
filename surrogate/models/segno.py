"""SEGNO: one shared equivariant layer as the acceleration of a second-order dynamics in equal steps."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from surrogate.models.egnn.model import EGCL
from surrogate.models.graph_model import GraphModel, NeighbourConfig
from surrogate.nn.edges import Edges, edge_projections
from surrogate.nn.row_tiles import by_rows


@dataclass(frozen=True)
class SegnoConfig(NeighbourConfig):
    """Sizes of a SEGNO.

    Attributes
    ----------
    hidden : int
    steps : int
        Equal time steps, each one pass of the shared layer.
    """

    hidden: int = 64
    steps: int = 8


class Segno(GraphModel):
    """E(n)-equivariant second-order graph ODE, the integrator's nearest published peer.

    Notes
    -----
    With dt = horizon / steps: a_i = C sum_j r_ij phi_x(m_ij), v_i <- v_i + dt a_i, x_i <- x_i + dt v_i, and
    h_i <- h_i + phi_h(h_i, sum_j m_ij), the same layer in every step.

    **Source** SEGNO (Liu et al. 2024); the layer is that of EGNN.
    **Deviations** edge attributes are [q_i q_j, d_ij(0)^2] as for our EGNN.
    **Checked by** tests/surrogate/models/test_models.py.
    """

    Config = SegnoConfig
    gives_velocity = True

    def __init__(self, config: SegnoConfig) -> None:
        super().__init__(config)
        self.evaluations = config.steps
        self.embedding = nn.Linear(1, config.hidden)
        self.layer = EGCL(config.hidden, 2, with_velocity=False)

    def on_edges(
        self, x: Tensor, v: Tensor, q: Tensor, edges: Edges, horizon: float, masses: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """See GraphModel.on_edges."""
        dt = horizon / self.evaluations
        h = self.embedding(v.square().sum(-1, keepdim=True).add(1e-16).sqrt())
        x0 = x
        for step in range(self.evaluations):
            p, s = edge_projections(self.layer.edge_in, h)
            acceleration, m_i = by_rows(partial(self._edge_sums, p, s, x, x0, q), edges, x.device)
            v = v + dt * acceleration
            x = x + dt * v
            if step + 1 < self.evaluations:  # the last features reach no output
                h = self.layer.updated_features(h, m_i)
        return x, v

    def _edge_sums(
        self, p: Tensor, s: Tensor, x: Tensor, x0: Tensor, q: Tensor, edges: Edges
    ) -> tuple[Tensor, Tensor]:
        """Accelerations and sums of messages of receivers."""
        r = edges.displacements(x)
        at_start = edges.displacements(x0).square().sum(-1, keepdim=True)
        c = edges.at_receivers(q) * edges.at_senders(q)
        scalars = torch.cat([r.square().sum(-1, keepdim=True), c, at_start], dim=-1)
        m = self.layer.messages(p, s, scalars, edges)
        return self.layer.coordinate_update(m, r, edges), edges.sums(m)
