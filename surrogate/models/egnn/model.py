"""EGNN: E(n)-equivariant message passing, with the velocity update in both of its forms, or without.

Only invariants enter the networks and only differences and velocities are moved, so one set of weights runs
in every dimension.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numba
import torch
from torch import Tensor, nn

from physics.errors import InputError
from surrogate.models.base import Accelerated
from surrogate.models.egnn.cpu.inference import MOST_HIDDEN, FusedForward
from surrogate.models.egnn.cpu.training import FusedTraining
from surrogate.models.graph_model import GraphModel, NeighbourConfig
from surrogate.nn.edges import AllPairs, Edges, edge_projections, first_edge_layer
from surrogate.nn.mlp import mlp, silu
from surrogate.nn.row_tiles import by_rows, row_ranges

SOFTENING = 0.01
"""Added to squared distances in the velocity head."""
FUSED = "fused float32 kernels"
VELOCITY_FORMS = ("init", "recurrent", "none")


@dataclass(frozen=True)
class EGNNConfig(NeighbourConfig):
    """Sizes and form of an EGNN.

    Attributes
    ----------
    hidden, layers : int
    velocity : str
        "init": x += phi_v(h) v(0) in every layer (form I, the published number);
        "recurrent": v <- phi_v(h) v + ..., x += v (form R, equation 7 of the paper);
        "none": no velocity stream, velocities enter as invariants of the pairs.
    velocity_head : bool
        A separate small head for the forecast velocity, trained after the positions with the rest frozen.
    edge_attributes : int
        Numbers that are given with each pair and enter its message: 1 for the `edges` of data, any for graphs.
    infer_edges : bool
        Messages are summed with weights e_ij = sigmoid(w . m_ij + b) (equation 8 of the paper): see
        :meth:`EGNN.inferred_edges`.
    gate_coordinates : bool
        Weigh them before they move coordinates, too, as the published code does; the paper weighs the sums alone.
    """

    hidden: int = 64
    layers: int = 4
    velocity: str = "init"
    velocity_head: bool = False
    edge_attributes: int = 0
    infer_edges: bool = False
    gate_coordinates: bool = False


class EGCL(nn.Module):
    """One equivariant graph convolution; `attributes` is the number of edge attributes besides d_ij^2.

    `phi_inf` makes the logits of e_ij where edges are inferred; without `moves` coordinates stay as they are.
    """

    def __init__(
        self,
        hidden: int,
        attributes: int,
        with_velocity: bool,
        infer_edges: bool = False,
        moves: bool = True,
    ) -> None:
        super().__init__()
        self.edge_in = nn.Linear(2 * hidden + 1 + attributes, hidden)
        self.edge_out = nn.Linear(hidden, hidden)
        if moves:
            self.phi_x = mlp(hidden, hidden, 1, bias=False)
            nn.init.xavier_uniform_(self.phi_x[-1].weight, gain=0.001)  # type: ignore[arg-type]
        self.phi_h = mlp(2 * hidden, hidden, hidden)
        self.phi_v = mlp(hidden, hidden, 1) if with_velocity else None
        self.phi_inf = nn.Linear(hidden, 1) if infer_edges else None

    def messages(self, p: Tensor, s: Tensor, scalars: Tensor, edges: Edges) -> Tensor:
        """m_ij = phi_e(h_i, h_j, scalars), (edges..., F), from the `edge_projections` of h."""
        return silu(self.edge_out(silu(first_edge_layer(self.edge_in, p, s, scalars, edges))))

    def coordinate_update(self, m: Tensor, r: Tensor, edges: Edges) -> Tensor:
        """C sum_j r_ij phi_x(m_ij), C = 1 / number of senders, (..., rows, n)."""
        weighted: Tensor = r * self.phi_x(m.flatten(0, -2)).view(*m.shape[:-1], 1)
        return edges.means(weighted)

    def updated_features(self, h: Tensor, m_i: Tensor) -> Tensor:
        """h_i + phi_h(h_i, m_i) with m_i = sum_j m_ij, (..., N, F)."""
        return h + torch.as_tensor(self.phi_h(torch.cat([h, m_i], dim=-1)))


class VelocityHead(nn.Module):
    """v_hat_i = v_i + a_i v_i + b_i (x_hat_i - x_i) + C sum_j u_ij c_ij: equivariant; positions untouched."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.node = mlp(hidden, hidden, 2)
        self.pair = mlp(2 * hidden + 3, hidden, 1)

    def forward(self, h: Tensor, x: Tensor, v: Tensor, x_hat: Tensor, q: Tensor, edges: Edges) -> Tensor:
        """Forecast velocities (..., N, n); q is (..., N, 1)."""
        h, x_hat = h.detach(), x_hat.detach()
        gains = self.node(h)
        first_map = self.pair[0]
        assert isinstance(first_map, nn.Linear)
        p, s = edge_projections(first_map, h)

        def pushes(edges: Edges) -> tuple[Tensor]:
            r = edges.displacements(x_hat)
            soft = r.square().sum(-1, keepdim=True) + SOFTENING
            c = edges.at_receivers(q) * edges.at_senders(q)
            scalars = torch.cat([c, soft.log(), soft.rsqrt()], dim=-1)
            hidden = first_edge_layer(first_map, p, s, scalars, edges)
            return (edges.means(r * soft.rsqrt() * self.pair[1:](hidden)),)

        (push,) = by_rows(pushes, edges, x.device)
        forecast: Tensor = v + gains[..., :1] * v + gains[..., 1:] * (x_hat - x) + push
        return forecast


class EGNN(GraphModel):
    """EGNN with velocity (forms I and R) or without.

    Notes
    -----
    **Source** Satorras, Hoogeboom, Welling, "E(n) Equivariant Graph Neural Networks" (2021), eq. 3-7 and
    section 5.1; form I is what its published code runs. Edge attributes are [q_i q_j, d_ij(0)^2] as in the
    code (the paper mentions only the first).
    **Deviations** the per-component clamp of the pair terms at +-100 is dropped (it breaks equivariance
    when it acts); "none" feeds [q_i q_j, d_ij(0)^2, u_ij.v_i, u_ij.v_j, v_i.v_j] so that it is not blind.
    With inferred edges, e_ij weighs the sums of messages (eq. 8), and coordinates with `gate_coordinates` alone.
    **Checked by** tests/surrogate/models/test_models.py (equivariance, parameter count 134,020, I = R = none
    relations at v = 0, textbook layout), test_inferred_edges.py (outputs of the published code).
    """

    Config = EGNNConfig

    def __init__(self, config: EGNNConfig) -> None:
        super().__init__(config)
        if config.velocity not in VELOCITY_FORMS:
            raise InputError(f"model.velocity must be one of {', '.join(VELOCITY_FORMS)}; got {config.velocity!r}")
        if config.gate_coordinates and not config.infer_edges:
            raise InputError("model.gate_coordinates needs model.infer_edges")
        self.form = config.velocity
        self.infers_edges, self.gate_coordinates = config.infer_edges, config.gate_coordinates
        self.evaluations = config.layers
        self.gives_velocity = config.velocity_head
        self.embedding = nn.Linear(1, config.hidden)
        self.given = config.edge_attributes
        if self.given:
            self.sees = (*self.sees, "edges")
        attributes = (5 if self.form == "none" else 2) + self.given
        self.layers = nn.ModuleList(
            EGCL(config.hidden, attributes, self.form != "none", config.infer_edges) for _ in range(config.layers)
        )
        self.velocity_head = VelocityHead(config.hidden) if config.velocity_head else None

    def on_edges(
        self, x: Tensor, v: Tensor, q: Tensor, edges: Edges, horizon: float, masses: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """See GraphModel.on_edges."""
        x0, v0 = x, v
        h = self.embedding(v.square().sum(-1, keepdim=True).add(1e-16).sqrt())
        known = self._attributes(x, v, q, edges) if len(row_ranges(edges, x.device)) == 1 else None
        last_layer = len(self.layers) - 1
        for index, layer in enumerate(self.layers):
            assert isinstance(layer, EGCL)
            updated = index < last_layer  # the last layer's phi_h reaches no output
            p, s = edge_projections(layer.edge_in, h)
            made = partial(self._edge_sums, layer, p, s, x, known, (x0, v0, q), updated)
            moved, *m_i = by_rows(made, edges, x.device)
            if layer.phi_v is None:
                x = x + moved
            elif self.form == "init":
                x = (x + moved).addcmul(layer.phi_v(h), v0)
            else:
                v = layer.phi_v(h) * v + moved
                x = x + v
            if updated:
                h = layer.updated_features(h, *m_i)
        if self.velocity_head is None or self.skip_velocity_head:
            return x, None
        return x, self.velocity_head(h, x0, v0, x, q, edges)

    @torch.no_grad()
    def inferred_edges(self, x: Tensor, v: Tensor, q: Tensor, **more: Any) -> Tensor:
        """The weights e_ij of messages in a forward pass, from 0 to 1.

        The last layer's are left out where nothing depends on them: without `gate_coordinates`.

        Parameters
        ----------
        x, v, q, more
            As of `forward`.

        Returns
        -------
        (layers, B, N, N) tensor
            Entry [l, b, i, j] is that of j's message to i. Where not all pairs exchange messages (layers, E), in
            the order of `edges_of`.

        Raises
        ------
        InputError
            Where the model infers no edges.
        """
        gates = [gate for layer in self.layers if isinstance(gate := layer.phi_inf, nn.Linear)]
        if not gates:
            raise InputError("this model infers no edges (model.infer_edges)")
        logits: list[list[Tensor]] = [[] for _ in gates]
        hooks = [
            gate.register_forward_hook(lambda *call, kept=kept: kept.append(call[-1]))
            for gate, kept in zip(gates, logits, strict=True)
        ]
        try:
            self(x, v, q, **more)
        finally:
            for hook in hooks:
                hook.remove()
        found = torch.stack([torch.cat(parts, dim=-2).sigmoid() for parts in logits if parts])
        if more.get("graph") is not None or not self.all_pairs:
            return found.squeeze(-1)
        return torch.stack([AllPairs.of(x).matrices(e) for e in found])

    def for_inference(self) -> Accelerated:
        """See SurrogateModel.for_inference."""
        if reason := self._not_fused():
            return Accelerated(self, f"PyTorch: {reason}", differentiable=True)
        with_head = self.velocity_head is not None and not self.skip_velocity_head
        fused = FusedForward(self._named_weights(), carried=self.form == "recurrent", with_head=with_head)
        return Accelerated(fused, FUSED, differentiable=False)

    def for_training(self) -> Accelerated:
        """See SurrogateModel.for_training."""
        reason = self._not_fused()
        if self.velocity_head is not None and not self.skip_velocity_head:
            reason = reason or "the kernels do not train a velocity head"
        if reason:
            return Accelerated(self, f"PyTorch: {reason}", differentiable=True)
        fused = FusedTraining(self._named_weights(), carried=self.form == "recurrent")
        return Accelerated(fused, FUSED, differentiable=False)

    def _named_weights(self) -> dict[str, Tensor]:
        return dict(self.named_parameters(remove_duplicate=False))

    def _not_fused(self) -> str:
        """Why the fused kernels cannot stand for the layers; empty where they can."""
        weight, leaves = self.embedding.weight, {type(m) for m in self.modules() if not m._modules}
        if weight.dtype is not torch.float32 or not weight.is_cpu:
            return f"{str(weight.dtype).removeprefix('torch.')} on {weight.device.type}"
        if not self.all_pairs:
            return "the kernels are for all pairs"
        if self.form == "none":
            return "the kernels need a velocity stream"
        if self.infers_edges or self.given:
            return f"the kernels know no {'inferred edges' if self.infers_edges else 'edge attributes'}"
        if self.embedding.out_features > MOST_HIDDEN:
            return f"the kernels are for at most {MOST_HIDDEN} features"
        if not leaves <= {nn.Linear, nn.SiLU}:
            return "the kernels know the layers of the paper alone"
        return "Numba does not compile" if numba.config.DISABLE_JIT else ""

    def _edge_sums(
        self,
        layer: EGCL,
        p: Tensor,
        s: Tensor,
        x: Tensor,
        known: Tensor | None,
        start: tuple[Tensor, Tensor, Tensor],
        summed: bool,
        edges: Edges,
    ) -> tuple[Tensor, ...]:
        """C sum_j r_ij phi_x(m_ij), and if `summed` sum_j m_ij, of receivers."""
        r = edges.displacements(x)
        attributes = self._attributes(*start, edges) if known is None else known
        d2 = attributes[..., 1:2] if x is start[0] else r.square().sum(-1, keepdim=True)
        scalars = torch.cat([d2, attributes], dim=-1)
        m = layer.messages(p, s, scalars, edges)
        weighed = m
        if layer.phi_inf is not None and (summed or self.gate_coordinates):
            weighed = layer.phi_inf(m).sigmoid() * m
        moved = layer.coordinate_update(weighed if self.gate_coordinates else m, r, edges)
        return (moved, edges.sums(weighed)) if summed else (moved,)

    def _attributes(self, x: Tensor, v: Tensor, q: Tensor, edges: Edges) -> Tensor:
        """Edge attributes (edges..., attributes) from the state at the start, and those given."""
        r = edges.displacements(x)
        d2 = r.square().sum(-1, keepdim=True)
        found = [edges.at_receivers(q) * edges.at_senders(q), d2]
        if self.form == "none":
            u = r * d2.add(1e-16).rsqrt()
            v_i, v_j = edges.at_receivers(v), edges.at_senders(v)
            found += [(a * b).sum(-1, keepdim=True) for a, b in ((u, v_i), (u, v_j), (v_i, v_j))]
        if self.given:
            found.append(self._given_attributes(edges))
        return torch.cat(found, dim=-1)

    def _given_attributes(self, edges: Edges) -> Tensor:
        given = edges.attributes
        if given is None or given.shape[-1] != self.given:
            got = "none" if given is None else given.shape[-1]
            raise InputError(f"the model takes {self.given} numbers with each pair; got {got}")
        return given
