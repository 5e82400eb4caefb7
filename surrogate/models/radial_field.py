"""Radial field: particles are pushed along their connections, by amounts that see distances and charges alone."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from surrogate.models.graph_model import GraphModel, NeighbourConfig
from surrogate.nn.edges import Edges
from surrogate.nn.mlp import mlp
from surrogate.nn.row_tiles import by_rows


@dataclass(frozen=True)
class RadialFieldConfig(NeighbourConfig):
    """Sizes of a radial field.

    Attributes
    ----------
    hidden, layers : int
    """

    hidden: int = 64
    layers: int = 4


class RadialLayer(nn.Module):
    """phi_ij = tanh(w . act(L [d_ij, q_i q_j, d_ij(0)^2])) and a factor of each particle's own velocity."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.phi = mlp(3, hidden, 1, bias=False)
        nn.init.xavier_uniform_(self.phi[-1].weight, gain=0.001)  # type: ignore[arg-type]
        self.phi_v = mlp(1, hidden, 1)


class RadialField(GraphModel):
    """E(n)-equivariant flow without node features; the state is the positions alone.

    Notes
    -----
    x_i <- x_i + C sum_j r_ij phi_ij + v_i phi_v(|v_i|) in each layer, v the velocities at the start.

    **Source** Koehler, Klein, Noe 2019, with the velocity of Satorras et al. 2021 (table 2, MSE 0.0104), whose
    published code adds the tanh. The present distance enters as it is, the one at the start squared.
    **Deviations** none. **Checked by** tests/surrogate/models/test_radial_field.py (equals the published code) and
    test_models.py (2,052 parameters).
    """

    Config = RadialFieldConfig

    def __init__(self, config: RadialFieldConfig) -> None:
        super().__init__(config)
        self.evaluations = config.layers
        self.layers = nn.ModuleList(RadialLayer(config.hidden) for _ in range(config.layers))

    def on_edges(
        self, x: Tensor, v: Tensor, q: Tensor, edges: Edges, horizon: float, masses: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """See GraphModel.on_edges."""
        start, speed = x, v.square().sum(-1, keepdim=True).add(1e-16).sqrt()
        for layer in self.layers:
            assert isinstance(layer, RadialLayer)
            (pushed,) = by_rows(partial(self._pushes, layer, x, start, q), edges, x.device)
            x = x + pushed + v * layer.phi_v(speed)
        return x, None

    @staticmethod
    def _pushes(layer: RadialLayer, x: Tensor, start: Tensor, q: Tensor, edges: Edges) -> tuple[Tensor]:
        """C sum_j r_ij phi_ij of receivers."""
        r = edges.displacements(x)
        d = r.square().sum(-1, keepdim=True).add(1e-16).sqrt()
        at_start = edges.displacements(start).square().sum(-1, keepdim=True)
        c = edges.at_receivers(q) * edges.at_senders(q)
        phi = torch.tanh(layer.phi(torch.cat([d, c, at_start], dim=-1)))
        return (edges.means(r * phi),)
