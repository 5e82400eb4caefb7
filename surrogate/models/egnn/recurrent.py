"""EGNN in its recurrent form, read as time steps: velocities are a state, so they come out with the positions."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from surrogate.models.graph_model import GraphModel, NeighbourConfig
from surrogate.nn.edges import Edges
from surrogate.nn.mlp import mlp, silu
from surrogate.nn.row_tiles import by_rows


@dataclass(frozen=True)
class EGNNRecurrentConfig(NeighbourConfig):
    """Sizes of a recurrent EGNN.

    Attributes
    ----------
    hidden : int
    steps : int
        Layers; each advances the state by horizon / steps.
    shared : bool
        One set of layer weights for all steps.
    """

    hidden: int = 64
    steps: int = 8
    shared: bool = False


SOFTENING = 0.01
"""Added to squared distances before logarithms and roots: keeps values and gradients finite at contact."""

EDGE_SCALARS = 6
NODE_SCALARS = 4
DRIFT_SCALE = 0.02
"""Centre-of-mass speeds above this read as "drifting" in the node features."""


class RecurrentLayer(nn.Module):
    """phi_e, phi_x, phi_v and phi_h of one step."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.receive = nn.Linear(hidden, hidden)
        self.send = nn.Linear(hidden, hidden, bias=False)
        self.scalars = nn.Linear(EDGE_SCALARS, hidden, bias=False)
        self.edge_out = nn.Linear(hidden, hidden)
        self.phi_x = nn.Linear(hidden, 2, bias=False)
        self.phi_v = nn.Linear(hidden, 1)
        self.phi_h = mlp(2 * hidden, hidden, hidden)
        for last in (self.phi_x.weight, self.phi_v.weight, self.phi_v.bias):
            nn.init.zeros_(last)

    def messages(self, p: Tensor, s: Tensor, scalars: Tensor) -> Tensor:
        """m_ij (edges..., F) from what receivers (p) and senders (s) contribute and edge scalars."""
        sums = torch.addmm((s + p).flatten(0, -2), scalars.flatten(0, -2), self.scalars.weight.T.contiguous())
        return silu(self.edge_out(silu(sums.view(s.shape))))


class EGNNRecurrent(GraphModel):
    """E(n)-equivariant network whose layers are steps of a learned dynamics.

    Notes
    -----
    With dt = horizon / steps, each layer drifts half a step, updates
    v_i <- v_i + dt (p_i - mean p) with
    p_i = phi_v(h_i) v~_i + C sum_j [g_ij phi_x1(m_ij) r_ij + phi_x2(m_ij) (v_i - v_j)],
    drifts the other half, and updates h_i <- h_i + phi_h(h_i, C sum_j m_ij);
    g_ij = 1 / (d_ij^2 + 0.01), C = 1 / (N - 1), v~ relative to the mean velocity. Taking the mean push away
    conserves total momentum (unit masses) to round-off.

    **Source** Satorras et al. 2021, equation 7 in its recurrent reading (velocity carried from layer to layer).
    **Deviations** the layers are time steps of equal length; pair scalars are [q_i q_j, log, root and inverse
    root of the softened distance, radial and relative speed] and are renewed in each layer; relative
    velocities are a second equivariant direction. Node scalars include the centre-of-mass speed: total
    momentum tells the free data (any momentum) from the bound data (none), which obey different laws.
    **Checked by** tests/surrogate/models/test_models.py.
    """

    Config = EGNNRecurrentConfig
    gives_velocity = True

    def __init__(self, config: EGNNRecurrentConfig) -> None:
        super().__init__(config)
        self.steps = config.steps
        self.evaluations = config.steps
        self.embedding = mlp(NODE_SCALARS, config.hidden, config.hidden)
        count = 1 if config.shared else config.steps
        self.layers = nn.ModuleList(RecurrentLayer(config.hidden) for _ in range(count))

    def on_edges(
        self, x: Tensor, v: Tensor, q: Tensor, edges: Edges, horizon: float, masses: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """See GraphModel.on_edges."""
        dt = horizon / self.steps
        mean_v = edges.system_means(v)
        h = self.embedding(self._node_scalars(x, v, mean_v, edges))
        for step in range(self.steps):
            layer = self.layers[step % len(self.layers)]
            assert isinstance(layer, RecurrentLayer)
            x = x + (0.5 * dt) * v
            made = partial(self._edge_sums, layer, layer.receive(h), layer.send(h), x, v, q)
            from_pairs, m_i = by_rows(made, edges, x.device)
            push = layer.phi_v(h) * (v - mean_v) + from_pairs
            v = v + dt * (push - edges.system_means(push))
            x = x + (0.5 * dt) * v
            if step + 1 < self.steps:
                h = h + layer.phi_h(torch.cat([h, m_i], dim=-1))
        return x, v

    def _edge_sums(
        self, layer: RecurrentLayer, p: Tensor, s: Tensor, x: Tensor, v: Tensor, q: Tensor, edges: Edges
    ) -> tuple[Tensor, Tensor]:
        """What pairs push receivers with, and the mean of their messages."""
        r, dv = edges.displacements(x), edges.differences(v)
        c = edges.at_receivers(q) * edges.at_senders(q)
        s2 = r.square().sum(-1, keepdim=True) + SOFTENING
        m = layer.messages(edges.at_receivers(p), edges.at_senders(s), self._edge_scalars(c, r, dv, s2))
        weights = layer.phi_x(m)
        return edges.means(weights[..., :1] / s2 * r + weights[..., 1:] * dv), edges.means(m)

    @staticmethod
    def _node_scalars(x: Tensor, v: Tensor, mean_v: Tensor, edges: Edges) -> Tensor:
        relative = (v - mean_v).square().sum(-1, keepdim=True).add(1e-12).sqrt()
        radius = (x - edges.system_means(x)).square().sum(-1, keepdim=True).add(1e-12).sqrt()
        drift = mean_v.square().sum(-1, keepdim=True).add(1e-12).sqrt().expand_as(relative)
        return torch.cat([relative, radius, drift, drift / (drift + DRIFT_SCALE)], dim=-1)

    @staticmethod
    def _edge_scalars(c: Tensor, r: Tensor, dv: Tensor, s2: Tensor) -> Tensor:
        inverse = s2.rsqrt()
        radial = (r * dv).sum(-1, keepdim=True) * inverse
        relative = dv.square().sum(-1, keepdim=True).add(1e-12).sqrt()
        return torch.cat([c, s2.log(), s2 * inverse, inverse, radial, relative], dim=-1)
