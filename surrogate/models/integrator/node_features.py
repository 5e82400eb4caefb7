"""Node features h of the integrator: an EGNN's invariant stream beside the pair law."""

import torch
from torch import Tensor, nn

from surrogate.nn.edges import AllPairs, Edges, edge_projections, first_edge_layer
from surrogate.nn.mlp import mlp
from surrogate.nn.row_tiles import by_rows

FEATURE_CHANNELS = 2
"""Couplings that the features give each particle, each with a radial function of its own in the pair law."""
NEAREST = 1e-4
"""Smaller distances look alike to the messages [length]."""


class NodeFeatures(nn.Module):
    """h_i <- h_i + dt phi_h(h_i, sum_j phi_e(h_i, h_j, invariants of the pair)), one set of weights for all.

    The invariants are log r, the speed of approach r.w / r, the relative speed |w| and q_i q_j: differences
    alone, so neither place nor velocity of the whole system is seen.

    Parameters
    ----------
    width : int

    Notes
    -----
    **Source** Satorras et al. 2021, the feature update of eq. 6, with a residual as in its code.
    **Deviations** the step is proportional to dt, so that h converges with the rounds; messages see velocities,
    and move positions only through couplings.
    **Checked by** tests/surrogate/models/test_integrator_options.py.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.embedding = nn.Linear(2, width)
        self.phi_e = mlp(2 * width + 4, width, width)
        self.phi_h = mlp(2 * width, width, width)
        self.phi_k = nn.Linear(width, FEATURE_CHANNELS)

    def first(self, q: Tensor, m: Tensor) -> Tensor:
        """Features of the first round from charges and masses (B, N): (B, N, width)."""
        given = torch.stack([q, m], dim=-1).to(self.embedding.weight)
        made: Tensor = self.embedding(given)
        return made

    def forward(self, h: Tensor, x: Tensor, v: Tensor, q: Tensor, dt: float) -> Tensor:
        """Those of the next round, (B, N, width), in the dtype of the weights."""
        first_map = self.phi_e[0]
        assert isinstance(first_map, nn.Linear)
        p, s = edge_projections(first_map, h)
        charge = q.unsqueeze(-1)

        def sums(edges: Edges) -> tuple[Tensor]:
            r, w = edges.displacements(x), edges.differences(v)
            distance = r.square().sum(-1, keepdim=True).add(NEAREST**2).sqrt()
            speed = w.square().sum(-1, keepdim=True).add(NEAREST**2).sqrt()
            approach = (r * w).sum(-1, keepdim=True) / distance
            coupling = edges.at_receivers(charge) * edges.at_senders(charge)
            invariants = torch.cat([distance.log(), approach, speed, coupling], dim=-1).to(h)
            hidden = first_edge_layer(first_map, p, s, invariants, edges)
            return (edges.sums(self.phi_e[1:](hidden)),)

        (m_i,) = by_rows(sums, AllPairs.of(x), x.device)
        made: Tensor = h + dt * self.phi_h(torch.cat([h, m_i], dim=-1))
        return made

    def couplings(self, h: Tensor) -> Tensor:
        """(FEATURE_CHANNELS, B, N) float64."""
        made: Tensor = self.phi_k(h).double().movedim(-1, 0).contiguous()
        return made
