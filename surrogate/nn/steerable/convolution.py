"""Tensor field convolutions of node features, what they see of edges, and the reference's non-linearity."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from surrogate.nn.edges import Edges
from surrogate.nn.row_tiles import by_rows, row_ranges
from surrogate.nn.steerable.harmonics import TINY, Harmonics
from surrogate.nn.steerable.irreps import Feature, Irreps, components
from surrogate.nn.steerable.tensor_field import Paths, PathWeights, RadialNets

EdgeValues = Callable[[Edges], tuple[Tensor, Tensor]]
"""Scalars (edges..., 1 or 2) and harmonics (edges..., (degree + 1)^2) of a range of receivers."""


class EdgeInputs(nn.Module):
    """What kernels see of edges: [d_ij] or [d_ij, q_i q_j], and harmonics of x_i - x_j up to a degree."""

    def __init__(self, degree: int, charges: bool) -> None:
        super().__init__()
        self.charges = charges
        self.harmonics = Harmonics(degree, 0)

    def forward(self, x: Tensor, q: Tensor, edges: Edges) -> tuple[Tensor, Tensor]:
        """Scalars and harmonics, see EdgeValues."""
        r = edges.displacements(x)
        d = (r.square().sum(-1, keepdim=True) + TINY).sqrt()
        scalars = torch.cat([d, edges.at_receivers(q) * edges.at_senders(q)], dim=-1) if self.charges else d
        return scalars, torch.cat([torch.ones_like(d), *self.harmonics.values(r)], dim=-1)

    def of(self, x: Tensor, q: Tensor, edges: Edges) -> EdgeValues:
        """The same for all layers: made once where edges are not worked on in tiles."""
        if len(row_ranges(edges, x.device)) > 1:
            return partial(self, x, q)
        known = self(x, q, edges)
        return lambda _: known


class Convolution(nn.Module):
    """f_i <- mean_j sum_k K^{lk}(r_ij) f_j^k + W^l f_i^l, of features of degrees 0, 1, ...

    Parameters
    ----------
    irreps_in, irreps_out : Irreps
        Blocks of different degrees, those of the first equally wide.
    scalars : int
        Of edges.
    width : int
        Of the radial networks.
    reference : bool
        As in the EGNN paper's benchmark: all paths, a ReLU network for each pair of degrees, weights drawn as
        there. Otherwise one SiLU network and the paths that commute with reflections.
    """

    def __init__(
        self, irreps_in: Irreps, irreps_out: Irreps, *, scalars: int, width: int, reference: bool
    ) -> None:
        super().__init__()
        self.paths = kernel_paths(irreps_in, irreps_out, reference)
        gain = 6**0.5 if reference else 1.0
        self.weights = PathWeights(self.paths, {b.degree: b.channels for b in irreps_out}, width, gain)
        activation = "relu" if reference else "silu"
        self.radial = RadialNets(self.weights.n_networks, scalars, width, activation, gain)
        self.own = OwnChannels(irreps_in, irreps_out)

    def forward(self, f: Feature, values: EdgeValues, edges: Edges) -> Feature:
        """Feature of irreps_out."""
        messages = by_rows(partial(self._means, f, values), edges, f[0].device)
        own = self.own(f)
        return tuple(m + own[k] if k in own else m for k, m in enumerate(messages))

    def _means(self, f: Feature, values: EdgeValues, edges: Edges) -> Feature:
        scalars, harmonics = values(edges)
        n = edges.sums(torch.ones_like(scalars[..., :1])).clamp_min(1)
        sums = self.weights.sums(self.paths(f, harmonics, edges), self.radial(scalars), edges)
        return tuple(s / n for s in sums)


class NormActivation(nn.Module):
    """f_c <- f_c / |f_c| (Linear(ReLU(LayerNorm(|f|))))_c for each degree; for degree 0, f / |f| is the sign."""

    def __init__(self, irreps: Irreps, linear: bool) -> None:
        super().__init__()
        self.degrees = [b.degree for b in irreps]
        self.nets = nn.ModuleList()
        for b in irreps:
            net = [nn.LayerNorm(b.channels), nn.ReLU()]
            self.nets.append(nn.Sequential(*net, *([nn.Linear(b.channels, b.channels)] if linear else [])))
            if linear:
                nn.init.kaiming_uniform_(self.nets[-1][-1].weight)  # type: ignore[index]

    def forward(self, f: Feature) -> Feature:
        """Feature of the same irreps."""
        found = []
        for block, degree, net in zip(f, self.degrees, self.nets, strict=True):
            parts = components(block, degree)
            norms = (parts.square().sum(-2) + TINY).sqrt()
            found.append((parts * (net(norms) / norms).unsqueeze(-2)).flatten(-2))
        return tuple(found)


def kernel_paths(irreps_in: Irreps, irreps_out: Irreps, reference: bool) -> Paths:
    """Paths between blocks of different degrees; see Convolution."""
    degrees_in, degrees_out = ([b.degree for b in irreps] for irreps in (irreps_in, irreps_out))
    channels = irreps_in[0].channels
    return Paths(degrees_in, degrees_out, channels, reflections=not reference, separate=reference)


class OwnChannels(nn.Module):
    """W^l f_i^l without a bias, for degrees that input and output have; at the start it keeps variances."""

    def __init__(self, irreps_in: Irreps, irreps_out: Irreps) -> None:
        super().__init__()
        sizes = {b.degree: b.channels for b in irreps_in}
        both = [(k, b) for k, b in enumerate(irreps_out) if b.degree in sizes]
        self.places = [(k, [i.degree for i in irreps_in].index(b.degree), b.degree) for k, b in both]
        self.weights = nn.ParameterList(
            torch.randn(sizes[b.degree], b.channels) / sizes[b.degree] ** 0.5 for _, b in both
        )

    def forward(self, f: Feature) -> dict[int, Tensor]:
        """By their number, blocks of the output."""
        return {
            k: (components(f[source], degree) @ weight).flatten(-2)
            for (k, source, degree), weight in zip(self.places, self.weights, strict=True)
        }
