"""Kernels of tensor fields: radial networks times harmonics of edges, between features of degrees 0, 1, ...

K^{lk}(r) = sum_J R_J^{lk}(|r|) C(k, J, l) Y_J(r), and R are matrices of channels. They are linear in the hidden
units of networks of edge scalars, so K is never formed: edges couple degrees (`Paths`), receivers sum the products
of that with hidden units, and the weights of the last layers (`PathWeights`) meet receivers alone.
"""

from collections.abc import Mapping, Sequence
from math import sqrt

import torch
from torch import Tensor, nn

from surrogate.nn.edges import Edges
from surrogate.nn.steerable.clebsch_gordan import clebsch_gordan
from surrogate.nn.steerable.harmonics import INTEGRAL
from surrogate.nn.steerable.irreps import Feature

ACTIVATIONS = {"relu": nn.functional.relu, "silu": nn.functional.silu}


class Paths(nn.Module):
    """Which degrees of the input reach which of the output by harmonics of which degree.

    Attributes
    ----------
    groups : list of (int, int)
        (l, number of paths) for each group of paths that share a radial network: all to one degree l or, where
        `separate`, those from one degree k to l, k by k.

    Parameters
    ----------
    degrees_in, degrees_out : sequence of int
        The first are 0, 1, ...; channels of all are equally many.
    channels : int
        Of the input.
    reflections : bool
        Only paths with even k + J + l, which commute with reflections; normalised so that of features with unit
        variance an output with weights of unit variance has unit variance. Otherwise all paths, each the unit-norm
        map (a 3j symbol) of orthonormal harmonics.
    separate : bool
        See groups.
    """

    matrix: Tensor

    def __init__(
        self,
        degrees_in: Sequence[int],
        degrees_out: Sequence[int],
        channels: int,
        *,
        reflections: bool,
        separate: bool,
    ) -> None:
        super().__init__()
        self.channels, self.separate = channels, separate
        self.components = sum(2 * k + 1 for k in degrees_in)
        self.harmonics = max(degrees_in) + max(degrees_out)
        paths = {
            (k, d): [j for j in range(abs(k - d), k + d + 1) if not (reflections and (k + j + d) % 2)]
            for d in degrees_out
            for k in degrees_in
        }
        self.groups: list[tuple[int, int]] = []
        rows: list[Tensor] = []
        for d in degrees_out:
            fan_in = channels * sum(len(paths[k, d]) for k in degrees_in)
            scale = 1 / sqrt(fan_in) if reflections else INTEGRAL / sqrt(2 * d + 1)
            from_degrees = [[k] for k in degrees_in] if separate else [degrees_in]
            for some in from_degrees:
                maps = [scale * self._map(k, j, d) for k in some for j in paths[k, d]]
                self.groups.append((d, len(maps)))
                rows.append(torch.stack(maps, dim=2).flatten(1, 2))
        # float64 until the module is cast to less, as of Harmonics
        self.register_buffer("matrix", torch.cat(rows, dim=1).flatten(1), persistent=False)

    def _map(self, k: int, j: int, degree: int) -> Tensor:
        """(harmonics, 2 degree + 1, components of the input)."""
        whole = torch.zeros((self.harmonics + 1) ** 2, 2 * degree + 1, self.components, dtype=torch.float64)
        c = torch.tensor(clebsch_gordan(k, j, degree).transpose(1, 2, 0))
        whole[j**2 : (j + 1) ** 2, :, k**2 : (k + 1) ** 2] = c
        return whole

    @property
    def widths(self) -> list[int]:
        """Components of what each group makes of one channel."""
        return [(2 * d + 1) * n for d, n in self.groups]

    def forward(self, f: Feature, harmonics: Tensor, edges: Edges) -> tuple[Tensor, ...]:
        """What the degrees of senders become on edges, with all their channels.

        Parameters
        ----------
        f : Feature
            Node arrays, one a degree.
        harmonics : (edges..., at least (degree + 1)^2) tensor
            Of degrees 0, 1, ... side by side.
        edges : Edges

        Returns
        -------
        (edges..., (2 l + 1) paths channels) tensors
            One a group.
        """
        sent = edges.at_senders(torch.cat(f, dim=-1))
        y = harmonics[..., : len(self.matrix)].flatten(0, -2)
        kernels = (y @ self.matrix.to(y)).view(len(y), -1, self.components)
        made = torch.bmm(kernels, sent.view(len(y), self.components, self.channels))
        return torch.split(made.view(*sent.shape[:-1], -1), [w * self.channels for w in self.widths], dim=-1)


class RadialNets(nn.Module):
    """The hidden layers of several networks of edge scalars, evaluated together.

    Each is Linear, LayerNorm, activation, twice. The constant 1 is appended: with it, `PathWeights` have a bias.
    """

    def __init__(self, count: int, scalars: int, width: int, activation: str, gain: float = 1.0) -> None:
        super().__init__()
        self.width, self.activation = width, activation
        sizes = [(scalars, width), (width, width)]
        self.weights = nn.ParameterList(_uniform(count, n, m, bound=gain / sqrt(n)) for n, m in sizes)
        self.biases = nn.ParameterList(_uniform(count, 1, m, bound=1 / sqrt(n)) for n, m in sizes)
        self.scales = nn.ParameterList(torch.ones(count, 1, m) for _, m in sizes)
        self.offsets = nn.ParameterList(torch.zeros(count, 1, m) for _, m in sizes)

    def forward(self, scalars: Tensor) -> tuple[Tensor, ...]:
        """For each network (edges..., width + 1) of (edges..., scalars)."""
        z = scalars.flatten(0, -2).expand(len(self.weights[0]), -1, -1)
        for weight, bias, scale, offset in zip(self.weights, self.biases, self.scales, self.offsets, strict=True):
            z = nn.functional.layer_norm(torch.baddbmm(bias, z, weight), (self.width,))
            z = ACTIVATIONS[self.activation](torch.addcmul(offset, z, scale))
        return nn.functional.pad(z, (0, 1), value=1.0).view(len(z), *scalars.shape[:-1], -1).unbind(0)


class PathWeights(nn.Module):
    """The last layers of radial networks: for each group of paths ((paths, channels in, width + 1), channels out).

    Parameters
    ----------
    paths : Paths
    channels_out : mapping of int to int
        By degree of the output.
    width : int
        Of the networks.
    gain : float
        The weights are drawn as torch's Linear draws them, times this.
    """

    def __init__(self, paths: Paths, channels_out: Mapping[int, int], width: int, gain: float = 1.0) -> None:
        super().__init__()
        self.separate = paths.separate
        self.degrees = [d for d, _ in paths.groups]
        self.weights = nn.ParameterList()
        for d, n in paths.groups:
            drawn = _uniform(n * paths.channels, width + 1, channels_out[d], bound=1 / sqrt(width))
            drawn[:, :-1] *= gain
            self.weights.append(drawn.flatten(0, 1))

    @property
    def n_networks(self) -> int:
        """Radial networks that are needed."""
        return len(self.degrees) if self.separate else 1

    def _radial(self, g: Sequence[Tensor], group: int) -> Tensor:
        return g[group if self.separate else 0]

    def sums(
        self,
        coupled: Sequence[Tensor],
        g: Sequence[Tensor],
        edges: Edges,
        *,
        factors: Tensor | None = None,
        columns: tuple[int, int] = (0, 1),
    ) -> list[Tensor]:
        """Sums over senders of kernels times features.

        Parameters
        ----------
        coupled : sequence of tensors
            Of :class:`Paths`.
        g : sequence of (edges..., width + 1) tensors
            Of :class:`RadialNets`, one a network.
        factors : (edges..., 1) tensor, optional
            Of the summands.
        columns : two int
            (h, H): only the h-th of H equal parts of the channels of each degree.

        Returns
        -------
        (..., receivers, (2 l + 1) channels) tensors
            One a degree of the output, in order.
        """
        found: dict[int, Tensor] = {}
        for group, (d, x) in enumerate(zip(self.degrees, coupled, strict=True)):
            radial = self._radial(g, group)
            if factors is not None:
                radial = radial * factors
            weight = channels_of_head(self.weights[group], *columns)
            products = edges.outer_sums(x, radial)
            made = products.view(-1, len(weight)) @ weight
            made = made.view(*products.shape[:-2], -1)
            found[d] = found[d] + made if d in found else made
        return list(found.values())

    def forms(
        self,
        coupled: Sequence[Tensor],
        g: Sequence[Tensor],
        queries: Sequence[Tensor],
        edges: Edges,
        *,
        columns: tuple[int, int] = (0, 1),
    ) -> Tensor:
        """<q_i, k_ij>, (edges..., 1): queries of receivers times kernels times features of senders.

        Parameters
        ----------
        coupled, g, edges, columns
            See :meth:`sums`.
        queries : sequence of (..., receivers, 2 l + 1, channels) tensors
            One a degree of the output, in order; channels are those of the columns.
        """
        by_degree = dict(zip(dict.fromkeys(self.degrees), queries, strict=True))
        total: Tensor | None = None
        for group, (d, x) in enumerate(zip(self.degrees, coupled, strict=True)):
            radial, q = self._radial(g, group), by_degree[d]
            weight = channels_of_head(self.weights[group], *columns)
            matrices = (q.reshape(-1, q.shape[-1]) @ weight.T).view(*q.shape[:-2], -1, radial.shape[-1])
            made = edges.forms(x, matrices, radial)
            total = made if total is None else total + made
        assert total is not None
        return total


def channels_of_head(values: Tensor, head: int, heads: int) -> Tensor:
    """One of equal parts of the last axis, the channels."""
    width = values.shape[-1] // heads
    return values[..., head * width : (head + 1) * width]


def _uniform(*shape: int, bound: float) -> Tensor:
    return torch.empty(shape).uniform_(-bound, bound)
