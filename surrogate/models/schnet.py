"""SchNet: convolutions with filters of the distance, an invariant network, and two ways from it to positions."""

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from physics.errors import InputError
from surrogate.models.graph_model import GraphModel, NeighbourConfig
from surrogate.nn.edges import Edges, edge_projections, first_edge_layer
from surrogate.nn.mlp import mlp, silu
from surrogate.nn.radial_basis import TINY, GaussianBasis, cosine_cutoff
from surrogate.nn.row_tiles import by_rows, row_ranges

HEADS = ("radial", "energy")

Geometry = tuple[Tensor, Tensor, Tensor | None]
"""Of edges: displacements (edges..., n), filter inputs (edges..., inputs), the factor of a cut-off or None."""
State = tuple[Tensor, Tensor, Tensor]
"""Positions, velocities, charges at the start."""


@dataclass(frozen=True)
class SchNetConfig(NeighbourConfig):
    """Sizes and form of a SchNet.

    Attributes
    ----------
    hidden, layers : int
    basis : int
        Centres of the Gaussians of distances.
    farthest : float
        The last centre [length, in the units of the run].
    edge_invariants : bool
        Whether filters see [q_i q_j, u_ij.v_i, u_ij.v_j, v_i.v_j] besides the distance.
    head : str
        "radial": pushes along r_ij; "energy": the negative gradient of a learned energy, which conserves momentum.
    """

    hidden: int = 64
    layers: int = 4
    basis: int = 32
    farthest: float = 10.0
    edge_invariants: bool = True
    head: str = "radial"


def ssp(y: Tensor) -> Tensor:
    """Shifted softplus, ln(1 + e^y) - ln 2."""
    return nn.functional.softplus(y).sub_(math.log(2))


class Interaction(nn.Module):
    """m_i = sum_j W(e_ij) * A h_j; h_i <- h_i + L ssp(L m_i), with filters W = ssp L ssp L."""

    def __init__(self, hidden: int, inputs: int) -> None:
        super().__init__()
        self.filter_in, self.filter_out = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden)
        self.senders = nn.Linear(hidden, hidden, bias=False)
        self.node_in, self.node_out = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)

    def sums(self, sent: Tensor, geometry: Geometry, edges: Edges) -> tuple[Tensor]:
        """m_i (..., rows, F) of A h (..., nodes, F)."""
        _, inputs, envelope = geometry
        filters = ssp(self.filter_out(ssp(self.filter_in(inputs))))
        if envelope is not None:
            filters = filters * envelope
        return (edges.sums(filters * edges.at_senders(sent)),)

    def update(self, h: Tensor, m_i: Tensor) -> Tensor:
        """Node features (..., nodes, F)."""
        return h + torch.as_tensor(self.node_out(ssp(self.node_in(m_i))))


class SchNet(GraphModel):
    """Continuous-filter convolutions, E(n)-invariant, with an equivariant head.

    Notes
    -----
    h_i = L [|v_i|, q_i] at the start, then `layers` interactions (above) of filter inputs e(d_ij), the Gaussians
    of the distance, or with `edge_invariants` [e(d_ij), q_i q_j, u_ij.v_i, u_ij.v_j, v_i.v_j]. The messages are
    linear in h_j. With a cut-off, filters are multiplied by (1 + cos(pi d / cutoff)) / 2.

    Head "radial": x_hat_i = x_i + phi_v(h_i) v_i + C sum_j r_ij phi_x([h_i, h_j, filter inputs]), C = 1 / number
    of senders. Head "energy", as SchNet makes forces: x_hat_i = x_i + phi_v(h_i) v_i - dE/dx_i, E = sum_i phi(h_i)
    (differentiated in forecasts, and twice in training).

    **Source** Schuett et al., "SchNet: A continuous-filter convolutional neural network for modeling quantum
    interactions" (2017); the shifted softplus after a filter's second layer is the paper's (SchNetPack has none).
    **Deviations** it has no positions to give, so the heads are ours; it starts from speeds and charges (there
    types of atoms); 32 Gaussians up to 10 for 300 up to 30 Angstrom; `edge_invariants`.
    **Checked by** tests/surrogate/models/test_schnet.py (an interaction equals SchNetPack's) and test_models.py
    (89,538 parameters, 90,818 with edge invariants).
    """

    Config = SchNetConfig
    even_in_charges = False

    def __init__(self, config: SchNetConfig) -> None:
        super().__init__(config)
        if config.head not in HEADS:
            raise InputError(f"model.head must be one of {', '.join(HEADS)}; got {config.head!r}")
        hidden, self.evaluations = config.hidden, config.layers
        self.edge_invariants = config.edge_invariants
        inputs = config.basis + (4 if config.edge_invariants else 0)
        self.basis = GaussianBasis(config.basis, config.farthest)
        self.embedding = nn.Linear(2, hidden)
        self.layers = nn.ModuleList(Interaction(hidden, inputs) for _ in range(config.layers))
        self.phi_v = mlp(hidden, hidden, 1)
        radial = config.head == "radial"
        self.phi_x = mlp(2 * hidden + inputs, hidden, 1) if radial else None
        self.energy = None if radial else mlp(hidden, hidden // 2, 1)

    def on_edges(
        self, x: Tensor, v: Tensor, q: Tensor, edges: Edges, horizon: float, masses: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """See GraphModel.on_edges."""
        if self.phi_x is None:
            h, pushed = self._energy_pushes(x, v, q, edges)
        else:
            known = self._known((x, v, q), edges)
            h = self.features((x, v, q), edges, known)
            first_map = self.phi_x[0]
            assert isinstance(first_map, nn.Linear)
            p, s = edge_projections(first_map, h)
            (pushed,) = by_rows(partial(self._pushes, p, s, (x, v, q), known), edges, x.device)
        return torch.addcmul(x + pushed, self.phi_v(h), v), None

    def features(self, state: State, edges: Edges, known: Geometry | None = None) -> Tensor:
        """The invariant network: h (..., nodes, F)."""
        x, v, q = state
        speed = v.square().sum(-1, keepdim=True).add(TINY).sqrt()
        h: Tensor = self.embedding(torch.cat([speed, q], dim=-1))
        for layer in self.layers:
            assert isinstance(layer, Interaction)
            (m_i,) = by_rows(partial(self._sums, layer, layer.senders(h), state, known), edges, x.device)
            h = layer.update(h, m_i)
        return h

    def _sums(
        self, layer: Interaction, sent: Tensor, state: State, known: Geometry | None, edges: Edges
    ) -> tuple[Tensor]:
        return layer.sums(sent, known or self._geometry(state, edges), edges)

    def _pushes(self, p: Tensor, s: Tensor, state: State, known: Geometry | None, edges: Edges) -> tuple[Tensor]:
        """C sum_j r_ij phi_x([h_i, h_j, filter inputs]) of receivers."""
        assert self.phi_x is not None
        first_map = self.phi_x[0]
        assert isinstance(first_map, nn.Linear)
        r, inputs, envelope = known or self._geometry(state, edges)
        weights = self.phi_x[2](silu(first_edge_layer(first_map, p, s, inputs, edges)))
        return (edges.means(r * (weights if envelope is None else weights * envelope)),)

    def _energy_pushes(self, x: Tensor, v: Tensor, q: Tensor, edges: Edges) -> tuple[Tensor, Tensor]:
        """Features and -dE/dx_i, which is differentiable where gradients are wanted."""
        assert self.energy is not None
        wanted = torch.is_grad_enabled()
        with torch.inference_mode(False), torch.enable_grad():
            if x.is_inference():
                x, v, q = x.clone(), v.clone(), q.clone()
            x = x.view_as(x) if x.requires_grad else x.detach().requires_grad_()  # v may depend on x, too
            h = self.features((x, v, q), edges, self._known((x, v, q), edges))
            (gradient,) = torch.autograd.grad(self.energy(h).sum(), x, create_graph=wanted)
        return h, -gradient

    def _known(self, state: State, edges: Edges) -> Geometry | None:
        """The geometry of all edges, where they are worked on at once."""
        return self._geometry(state, edges) if len(row_ranges(edges, state[0].device)) == 1 else None

    def _geometry(self, state: State, edges: Edges) -> Geometry:
        x, v, q = state
        r = edges.displacements(x)
        d = r.square().sum(-1, keepdim=True).add(TINY).sqrt()
        inputs = self.basis(d)
        if self.edge_invariants:
            u, v_i, v_j = r / d, edges.at_receivers(v), edges.at_senders(v)
            products = [(a * b).sum(-1, keepdim=True) for a, b in ((u, v_i), (u, v_j), (v_i, v_j))]
            inputs = torch.cat([inputs, edges.at_receivers(q) * edges.at_senders(q), *products], dim=-1)
        return r, inputs, None if math.isinf(self.cutoff) else cosine_cutoff(d, self.cutoff)
