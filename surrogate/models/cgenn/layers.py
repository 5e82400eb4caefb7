"""Layers of multivectors: what commutes with rotations and reflections because it treats each grade as a whole.

Features are (2^n, channels, rows): components first, so that a grade is a slice, and rows last, so that weights
are the same along the fastest axis.
"""

import math

import torch
from torch import Tensor, nn

from surrogate.nn.clifford import Algebra, geometric_product

EPS = 1e-6


def square_norms(f: Tensor, a: Algebra) -> Tensor:
    """Square norms f~ f of each grade, (n + 1, channels, rows); in a Euclidean space a sum of squares."""
    squares = f.square()
    return torch.stack([squares[of_grade].sum(0) for of_grade in a.slices])


def smooth_norm(q: Tensor) -> Tensor:
    """(q^2 + 1e-16)^(1/4), the norm of a multivector with square norm q; differentiable at 0."""
    return q.square().add(1e-16).sqrt().sqrt()


class MVLinear(nn.Module):
    """Channels are mixed by one matrix for each grade; a bias has grade 0 alone, others would point somewhere."""

    def __init__(self, a: Algebra, n_in: int, n_out: int, *, bias: bool = True) -> None:
        super().__init__()
        self.algebra = a
        self.weight = nn.Parameter(torch.randn(n_out, n_in, a.n_grades) / math.sqrt(n_in))
        self.bias = nn.Parameter(torch.zeros(n_out)) if bias else None

    def matrices(self) -> Tensor:
        """(2^n, out, in): that of each blade."""
        return self.weight.permute(2, 0, 1)[self.algebra.grades.to(self.weight.device)]

    def forward(self, f: Tensor) -> Tensor:
        """(2^n, out, rows) from (2^n, in, rows)."""
        made = torch.bmm(self.matrices(), f)
        return made if self.bias is None else with_scalar(made, self.bias.unsqueeze(-1))


def with_scalar(f: Tensor, scalars: Tensor) -> Tensor:
    """Multivectors that nobody else needs plus scalars (channels, rows)."""
    f[0] += scalars
    return f


class MVSiLU(nn.Module):
    """Each grade times the sigmoid of a linear function of its square norm; of grade 0, of the scalar itself."""

    def __init__(self, a: Algebra, channels: int) -> None:
        super().__init__()
        self.algebra = a
        self.a = nn.Parameter(torch.ones(channels, a.n_grades))
        self.b = nn.Parameter(torch.zeros(channels, a.n_grades))

    def forward(self, f: Tensor) -> Tensor:
        """(2^n, channels, rows)."""
        invariants = torch.cat([f[:1], square_norms(f, self.algebra)[1:]])
        gates = torch.addcmul(self.b.T.unsqueeze(-1), self.a.T.unsqueeze(-1), invariants).sigmoid()
        return f * gates[self.algebra.grades.to(f.device)]


class ProductLayer(nn.Module):
    """(linear_left(f) + weighted product of f and normalised linear_right(f)) / sqrt(2), channel by channel."""

    def __init__(self, a: Algebra, channels: int) -> None:
        super().__init__()
        self.algebra = a
        self.linear_right = MVLinear(a, channels, channels, bias=False)
        self.linear_left = MVLinear(a, channels, channels)
        self.alpha = nn.Parameter(torch.zeros(channels, a.n_grades))
        self.weight = nn.Parameter(torch.randn(channels, len(a.paths)) / math.sqrt(a.n + 1))

    def forward(self, f: Tensor) -> Tensor:
        """(2^n, channels, rows)."""
        right = self.linear_right(f)
        norms = smooth_norm(square_norms(right, self.algebra))
        scales = self.alpha.sigmoid().T.unsqueeze(-1) * (norms - 1) + (1 + EPS)
        right = right / scales[self.algebra.grades.to(f.device)]
        product = geometric_product(f, right, self.weight.T.unsqueeze(-1))
        made: Tensor = (self.linear_left(f) + product) * math.sqrt(0.5)
        return made


class MVLayerNorm(nn.Module):
    """a_c f over the channels' mean norm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.ones(channels))

    def forward(self, f: Tensor) -> Tensor:
        """(2^n, channels, rows)."""
        means: Tensor = smooth_norm(f.square().sum(0)).mean(0) + EPS
        return f * (self.a.unsqueeze(-1) / means)


class CEMLP(nn.Module):
    """Twice [linear, gates, product, normalisation]."""

    def __init__(self, a: Algebra, n_in: int, channels: int) -> None:
        super().__init__()
        self.linears = nn.ModuleList(MVLinear(a, n, channels) for n in (n_in, channels))
        self.rest = nn.ModuleList(
            nn.Sequential(MVSiLU(a, channels), ProductLayer(a, channels), MVLayerNorm(channels)) for _ in range(2)
        )

    def forward(self, f: Tensor) -> Tensor:
        """(2^n, channels, rows) from (2^n, in, rows)."""
        return self.after_first(self.linears[0](f))

    def after_first(self, f: Tensor) -> Tensor:
        """What remains behind the first linear map."""
        made: Tensor = self.rest[1](self.linears[1](self.rest[0](f)))
        return made
