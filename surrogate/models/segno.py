"""SEGNO: one shared equivariant layer as the acceleration of a second-order dynamics in equal steps."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surrogate.models.base import SurrogateModel, senders
from surrogate.models.egnn import EGCL


@dataclass(frozen=True)
class SegnoConfig:
    """Sizes of a SEGNO.

    Attributes
    ----------
    hidden : int
    steps : int
        Equal time steps, each one pass of the shared layer.
    """

    hidden: int = 64
    steps: int = 8


class Segno(SurrogateModel):
    """E(n)-equivariant second-order graph ODE, the integrator's nearest published peer.

    Notes
    -----
    With dt = horizon / steps: a_i = C sum_j r_ij phi_x(m_ij), v_i <- v_i + dt a_i, x_i <- x_i + dt v_i, and
    h_i <- h_i + phi_h(h_i, sum_j m_ij), the same layer in every step.

    **Source** SEGNO (Liu et al. 2024), as described in shared/models.md section 16; the layer is that of EGNN.
    **Deviations** edge attributes are [q_i q_j, d_ij(0)^2] as for our EGNN.
    **Checked by** tests/surrogate/models/test_models.py.
    """

    Config = SegnoConfig
    gives_velocity = True

    def __init__(self, config: SegnoConfig) -> None:
        super().__init__()
        self.evaluations = config.steps
        self.embedding = nn.Linear(1, config.hidden)
        self.layer = EGCL(config.hidden, 2, with_velocity=False)

    def forward(
        self, x: Tensor, v: Tensor, q: Tensor, horizon: float = 1.0, masses: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """See SurrogateModel.forward."""
        dt = horizon / self.evaluations
        q = q.unsqueeze(-1)
        c = q * senders(q)
        h = self.embedding(v.square().sum(-1, keepdim=True).add(1e-16).sqrt())
        at_start = (x - senders(x)).square().sum(-1, keepdim=True)
        for step in range(self.evaluations):
            r = x - senders(x)
            d2 = r.square().sum(-1, keepdim=True)
            m = self.layer.messages(h, torch.cat([d2, c, at_start], dim=-1))
            v = v + dt * self.layer.pull(m, r)
            x = x + dt * v
            if step + 1 < self.evaluations:  # the last features reach no output
                h = self.layer.updated_features(h, m)
        return x, v
