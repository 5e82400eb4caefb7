"""SE(3)-Transformer: messages of a tensor field network under attention whose logits are invariant; n = 3."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from physics.errors import InputError
from surrogate.models.graph_model import GraphModel, NeighbourConfig
from surrogate.models.tfn import STATE, VECTOR, is_reference
from surrogate.nn.edges import Edges
from surrogate.nn.row_tiles import by_rows
from surrogate.nn.steerable.convolution import (
    Convolution,
    EdgeInputs,
    EdgeValues,
    NormActivation,
    OwnChannels,
    kernel_paths,
)
from surrogate.nn.steerable.gate import Gate
from surrogate.nn.steerable.irreps import Feature, Irreps, components, natural_irreps
from surrogate.nn.steerable.tensor_field import PathWeights, RadialNets, channels_of_head
from surrogate.nn.steerable.tensor_product import Linear


@dataclass(frozen=True)
class SE3TransformerConfig(NeighbourConfig):
    """Sizes and form of an SE(3)-Transformer; the published sizes are form "reference", 21 channels, degree 2.

    Attributes
    ----------
    form : str
        "corrected": an embedding and blocks with a node's own features and a residual, gates, radial networks that
        see [d_ij, q_i q_j], reflections commute; "reference": as published, none of these.
    channels : int
        Of each degree.
    degree : int
        The highest of the features between layers, 1 or more.
    layers : int
        Blocks of attention; a convolution follows.
    heads : int
        Equal parts of the channels that attend on their own.
    radial : int
        Width of the radial networks.
    """

    form: str = "corrected"
    channels: int = 16
    degree: int = 1
    layers: int = 4
    heads: int = 1
    radial: int = 32


class AttentionBlock(nn.Module):
    """z_i = sum_j alpha_ij V_ij, alpha the softmax over senders of <q_i, k_ij> / sqrt(D), D the keys' components.

    V_ij and k_ij are kernels times features of senders, q_i is linear in those of the receiver. The result is
    f + Gate(Linear([f, z])) (both irreps are the same then), in the reference the non-linearity of z.
    """

    def __init__(
        self, before: Irreps, after: Irreps, *, scalars: int, width: int, heads: int, reference: bool
    ) -> None:
        super().__init__()
        degrees = {b.degree for b in before}
        keys = tuple(b for b in after if b.degree in degrees)
        self.value_paths = kernel_paths(before, after, reference)
        self.key_paths = self.value_paths if keys == after else kernel_paths(before, keys, reference)
        gain = 6**0.5 if reference else 1.0
        self.keys = PathWeights(self.key_paths, {b.degree: b.channels for b in keys}, width, gain)
        self.values = PathWeights(self.value_paths, {b.degree: b.channels for b in after}, width, gain)
        networks = self.keys.n_networks + self.values.n_networks
        self.radial = RadialNets(networks, scalars, width, "relu" if reference else "silu", gain)
        self.queries = OwnChannels(before, keys)
        self.degrees, self.heads = [b.degree for b in keys], heads
        self.scale = (heads / sum(b.width for b in keys)) ** 0.5
        self.norm = NormActivation(after, linear=False) if reference else None
        self.gate = None if reference else Gate(after)
        self.mix = None if self.gate is None else Linear(before + after, self.gate.irreps_in, bias=False)

    def forward(self, f: Feature, values: EdgeValues, edges: Edges) -> Feature:
        """Feature of the irreps after the block."""
        queries = tuple(self.queries(f).values())
        z = by_rows(partial(self._attended, f, queries, values), edges, f[0].device)
        if self.norm is not None:
            found: Feature = self.norm(z)
            return found
        assert self.gate is not None
        assert self.mix is not None
        return tuple(own + more for own, more in zip(f, self.gate(self.mix(f + z)), strict=True))

    def _attended(self, f: Feature, queries: Feature, values: EdgeValues, edges: Edges) -> Feature:
        """sum_j alpha_ij V_ij of receivers."""
        scalars, harmonics = values(edges)
        g = self.radial(scalars)
        of_keys, of_values = g[: self.keys.n_networks], g[self.keys.n_networks :]
        sent = self.value_paths(f, harmonics, edges)
        sent_keys = sent if self.key_paths is self.value_paths else self.key_paths(f, harmonics, edges)
        alpha = self.attention(sent_keys, of_keys, tuple(edges.rows(q) for q in queries), edges)
        made = []
        for h in range(self.heads):
            factors, columns = alpha[..., h : h + 1], (h, self.heads)
            made.append(self.values.sums(sent, of_values, edges, factors=factors, columns=columns))
        if self.heads == 1:
            return tuple(made[0])
        degrees = list(dict.fromkeys(self.values.degrees))
        parts = [[components(b, k) for b, k in zip(blocks, degrees, strict=True)] for blocks in made]
        return tuple(torch.cat(blocks, dim=-1).flatten(-2) for blocks in zip(*parts, strict=True))

    def attention(self, sent: tuple[Tensor, ...], g: tuple[Tensor, ...], queries: Feature, edges: Edges) -> Tensor:
        """Alpha (edges..., heads); sums over senders are 1."""
        logits = []
        for h in range(self.heads):
            asked = [self.of_head(components(q, k), h) for q, k in zip(queries, self.degrees, strict=True)]
            logits.append(self.keys.forms(sent, g, asked, edges, columns=(h, self.heads)))
        return edges.softmax(torch.cat(logits, dim=-1) * self.scale)

    def of_head(self, parts: Tensor, head: int) -> Tensor:
        """A head's channels, with all components, of (..., 2 l + 1, channels)."""
        return channels_of_head(parts, head, self.heads)


class SE3Transformer(GraphModel):
    """SE(3)-Transformer from (q_i, v_i) to a displacement.

    Notes
    -----
    **Source** Fuchs et al., "SE(3)-Transformers" (2020); "reference" is what the EGNN paper benchmarked (MSE
    0.0244): the skip connection is commented out, so that a particle's own charge and velocity reach its forecast
    through attention alone; no q_i q_j; the output is multiplied by a number that starts at 0.01.
    **Deviations** "reference" has none but those of :class:`surrogate.models.tfn.TFN` (gradients through
    directions, signs of maps, the basis of degree 2). "corrected" has what it lacks, see SE3TransformerConfig, and
    a factor that starts at 1.
    **Checked by** tests/surrogate/models/test_se3_transformer.py (outputs of the published code, 1,763,134
    parameters), test_models.py (359,265 parameters, symmetries).
    """

    Config = SE3TransformerConfig
    group = "E(3)"
    even_in_charges = False
    dims = 3

    def __init__(self, config: SE3TransformerConfig) -> None:
        super().__init__(config)
        reference = is_reference(config.form)
        if config.heads < 1 or config.channels % config.heads:
            raise InputError(f"model.heads must divide {config.channels} channels; got {config.heads}")
        if reference:
            self.group = "SE(3)"
        self.evaluations = config.layers + 1
        mid = natural_irreps(config.channels, config.degree)
        self.inputs = EdgeInputs(2 * config.degree, charges=not reference)
        self.embedding = None if reference else OwnChannels(STATE, mid)
        self.widths = [b.width for b in mid]
        sizes: dict[str, Any] = {"scalars": 1 if reference else 2, "width": config.radial, "reference": reference}
        irreps_in = [STATE if reference and not k else mid for k in range(config.layers)]
        self.blocks = nn.ModuleList(AttentionBlock(i, mid, heads=config.heads, **sizes) for i in irreps_in)
        self.out = Convolution(mid, VECTOR, **sizes)
        self.scale = nn.Parameter(torch.full((1,), 0.01 if reference else 1.0))

    def on_edges(
        self, x: Tensor, v: Tensor, q: Tensor, edges: Edges, horizon: float, masses: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """See GraphModel.on_edges."""
        values = self.inputs.of(x, q, edges)
        f: Feature = (q, v)
        if self.embedding is not None:
            known = self.embedding(f)
            f = tuple(known[k] if k in known else q.new_zeros(*q.shape[:-1], w) for k, w in enumerate(self.widths))
        for block in self.blocks:
            f = block(f, values, edges)
        (moved,) = self.out(f, values, edges)
        return x + self.scale * moved, None
