"""Tensor products of features with harmonics, the maps of a steerable network.

Along each path (a block of the input, a degree of the harmonics, a block of the output) channels are mixed by a
matrix and degrees are coupled. The two commute: mixing is done where there are fewer components, and paths that
mix at the same place are one product.
"""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import torch
from torch import Tensor, nn

from physics.errors import InputError
from surrogate.nn.steerable.harmonics import NO_COUPLINGS, Couplings
from surrogate.nn.steerable.irreps import Block, Feature, Irreps, components


class Path(NamedTuple):
    """From a block of the input by harmonics of a degree to a block of the output."""

    source: int
    degree: int
    target: int


class Plan:
    """Which paths there are, and the order of mixing and coupling along each.

    Parameters
    ----------
    irreps_in, irreps_out : Irreps
    harmonics : Irreps
        One channel of each degree 0, 1, ...; see `natural_irreps(1, degree)`.
    mix_first : bool
        Whether channels are mixed first along all paths: for what is mixed at nodes and coupled on edges.

    Attributes
    ----------
    paths : list of Path
    shapes : list of (int, int)
        Of the weights: (channels in, channels out) of each group of paths that are mixed by one product.
    """

    def __init__(self, irreps_in: Irreps, harmonics: Irreps, irreps_out: Irreps, mix_first: bool = False) -> None:
        self.irreps_in, self.irreps_out = irreps_in, irreps_out
        self.paths = [
            Path(s, j, t)
            for s, (_, k, p) in enumerate(irreps_in)
            for j, (_, _, sign) in enumerate(harmonics)
            for t, (_, d, q) in enumerate(irreps_out)
            if abs(k - d) <= j <= k + d and p * sign == q
        ]
        if missing := set(range(len(irreps_out))) - {path.target for path in self.paths}:
            raise InputError(f"no path leads to block {min(missing)} of the output")
        early = [
            p
            for p in self.paths
            if mix_first
            or irreps_out[p.target].degree > irreps_in[p.source].degree
            or not irreps_in[p.source].degree
        ]
        late = [p for p in self.paths if p not in early]
        self.mixed_first = [
            (s, found) for s in range(len(irreps_in)) if (found := [p for p in early if p[0] == s])
        ]
        self.mixed_last = [(t, found) for t in range(len(irreps_out)) if (found := [p for p in late if p[2] == t])]
        self.shapes = [
            *(
                (irreps_in[s].channels, sum(irreps_out[p.target].channels for p in on))
                for s, on in self.mixed_first
            ),
            *(
                (sum(irreps_in[p.source].channels for p in on), irreps_out[t].channels)
                for t, on in self.mixed_last
            ),
        ]

    @property
    def fan_in(self) -> list[int]:
        """Channels that are added up in a channel of each block of the output."""
        return [
            sum(self.irreps_in[p.source].channels for p in self.paths if p.target == t)
            for t in range(len(self.irreps_out))
        ]

    @property
    def takes_bias(self) -> bool:
        """Whether the first block of the output is of even scalars that scalars of the input lead to."""
        if not self.mixed_first:
            return False
        (s, on), target = self.mixed_first[0], self.irreps_out[0]
        return (target.degree, target.parity, self.irreps_in[s].degree, on[0].target) == (0, 1, 0, 0)

    @property
    def n_weights(self) -> int:
        """Numbers in all weights of one product."""
        return sum(rows * columns for rows, columns in self.shapes)

    def split(self, weights: Tensor) -> list[Tensor]:
        """The weights of each group, of the `shapes`, from all in one array (n_weights,)."""
        parts = torch.split(weights, [rows * columns for rows, columns in self.shapes])
        return [part.view(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def at(self, path: Path, weights: Tensor) -> Tensor:
        """The view (channels in, channels out) of one path in weights (n_weights,)."""
        groups = [on for _, on in (*self.mixed_first, *self.mixed_last)]
        group, on = next((g, on) for g, on in enumerate(groups) if path in on)
        early, before = group < len(self.mixed_first), on[: on.index(path)]
        row = 0 if early else sum(self.irreps_in[p.source].channels for p in before)
        column = sum(self.irreps_out[p.target].channels for p in before) if early else 0
        rows = slice(row, row + self.irreps_in[path.source].channels)
        return self.split(weights)[group][rows, column : column + self.irreps_out[path.target].channels]

    def mixed(self, f: Feature, weights: Sequence[Tensor], bias: Tensor | None = None) -> list[Tensor]:
        """The channels of blocks along the paths that mix first: (..., (2 k + 1) M) of each group.

        The bias is that of the first block of the output, which `takes_bias`.
        """
        blocks = [f[s] for s, _ in self.mixed_first]
        offsets: list[Tensor | None] = [None] * len(blocks)
        if bias is not None:
            offsets[0] = nn.functional.pad(bias, (0, weights[0].shape[-1] - len(bias)))
        return [
            _product(components(block, self.irreps_in[s].degree), w, offset).flatten(-2)
            for (s, _), block, w, offset in zip(self.mixed_first, blocks, weights, offsets, strict=False)
        ]

    def coupled(self, mixed: Sequence[Tensor], couplings: Couplings) -> list[Tensor | None]:
        """Blocks (..., 2 l + 1, C) of the output from those of `mixed`; None where no such path leads."""
        terms: list[tuple[Path, Tensor]] = []
        for (s, on), block in zip(self.mixed_first, mixed, strict=True):
            sizes = [self.irreps_out[p.target].channels for p in on]
            parts = torch.split(components(block, self.irreps_in[s].degree), sizes, dim=-1)
            terms.extend(zip(on, parts, strict=True))
        out: list[Tensor | None] = [None] * len(self.irreps_out)
        for (_, j, t), part in sorted(terms, key=lambda term: term[0].degree):  # those that are not coupled first
            out[t] = couplings(part, j, self.irreps_out[t].degree, out[t])
        return out

    def __call__(
        self, f: Feature, couplings: Couplings, weights: Sequence[Tensor], bias: Tensor | None = None
    ) -> Feature:
        """The output.

        Parameters
        ----------
        f : Feature
        couplings : Couplings
        weights : sequence of (channels in, channels out) tensors
            Of the `shapes`.
        bias : (channels of the first block of the output,) tensor, optional
            See `takes_bias`.
        """
        first = len(self.mixed_first)
        out = self.coupled(self.mixed(f, weights[:first], bias), couplings)
        for (t, on), w in zip(self.mixed_last, weights[first:], strict=True):
            d = self.irreps_out[t].degree
            parts = [couplings(components(f[s], self.irreps_in[s].degree), j, d) for s, j, _ in on]
            out[t] = _product(parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1), w, out[t])
        return self.finished(out)

    @staticmethod
    def finished(blocks: Sequence[Tensor | None]) -> Feature:
        """The feature of blocks (..., 2 l + 1, C)."""
        return tuple(block.flatten(-2) for block in blocks if block is not None)


def _product(rows: Tensor, weight: Tensor, onto: Tensor | None) -> Tensor:
    """Channels of (..., 2 l + 1, C) mixed by a matrix (C, M), added to `onto`: such rows, or one of them (M,)."""
    flat = rows.flatten(0, -2)
    if onto is None:
        return (flat @ weight).view(*rows.shape[:-1], -1)
    return torch.addmm(onto if onto.dim() == 1 else onto.flatten(0, -2), flat, weight).view(*rows.shape[:-1], -1)


class TensorProduct(nn.Module):
    """A bilinear layer of features and harmonics that acts like torch's Linear: weights, bias U(+-1/sqrt(fan_in)).

    fan_in is the number of channels over all paths into a block of the output, and nothing else is scaled.
    Couplings are isometries: where components of harmonics have unit variance an output's is that of a Linear.

    Parameters
    ----------
    irreps_in, harmonics, irreps_out : Irreps
    bias : bool
        Of even scalars in the first block of the output.
    mix_first : bool
        See Plan.
    scales : sequence of float, optional
        Factors of the blocks of the input, taken into the weights.
    """

    factors: Tensor | None

    def __init__(
        self,
        irreps_in: Irreps,
        harmonics: Irreps,
        irreps_out: Irreps,
        *,
        bias: bool = True,
        mix_first: bool = False,
        scales: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.plan = plan = Plan(irreps_in, harmonics, irreps_out, mix_first)
        bounds = [1 / sqrt(n) for n in plan.fan_in]
        self.weight = nn.Parameter(torch.empty(plan.n_weights))
        biased = bias and plan.takes_bias
        start = torch.empty(irreps_out[0].channels).uniform_(-bounds[0], bounds[0])
        self.bias = nn.Parameter(start) if biased else None
        factors = torch.ones(plan.n_weights)
        with torch.no_grad():
            for path in plan.paths:
                bound = bounds[path.target]
                plan.at(path, self.weight).uniform_(-bound, bound)
                if scales is not None:
                    plan.at(path, factors).fill_(scales[path.source])
        scaled = scales is not None and any(c != 1 for c in scales)
        self.register_buffer("factors", factors if scaled else None, persistent=False)

    def weights(self) -> list[Tensor]:
        """Of each group of paths, with the factors of the input."""
        return self.plan.split(self.weight if self.factors is None else self.weight * self.factors)

    def forward(self, f: Feature, couplings: Couplings) -> Feature:
        """Feature of irreps_out."""
        return self.plan(f, couplings, self.weights(), self.bias)


class Linear(nn.Module):
    """An equivariant linear map: channels of each degree and parity mixed, a bias on even scalars in front.

    Blocks of the input of one degree and parity are taken side by side; weights start as those of torch's Linear.
    """

    def __init__(self, irreps_in: Irreps, irreps_out: Irreps, *, bias: bool = True) -> None:
        super().__init__()
        self.product = TensorProduct(irreps_in, (Block(1, 0, 1),), irreps_out, bias=bias)

    def forward(self, f: Feature) -> Feature:
        """Feature of irreps_out."""
        out: Feature = self.product(f, NO_COUPLINGS)
        return out
