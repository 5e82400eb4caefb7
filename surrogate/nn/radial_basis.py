"""Distances as features: Gaussians at evenly spaced centres, and a smooth cut-off."""

import math

import torch
from torch import Tensor, nn

TINY = 1e-12
"""Added to squared distances: twice differentiable roots where two particles coincide, in float32 too."""


LEAST = -30.0
"""Exponents are held here: smaller ones make denormal numbers, of which products are 50 times as slow."""


class GaussianBasis(nn.Module):
    """e_k(d) = exp(-(d - mu_k)^2 / (2 spacing^2)) of `count` centres mu_k from 0 to `farthest` [length].

    A longer distance fades from all of them. The centres are no part of the weights.
    """

    centres: Tensor

    def __init__(self, count: int, farthest: float) -> None:
        super().__init__()
        self.scale = math.sqrt(0.5) * (count - 1) / farthest
        self.register_buffer("centres", torch.linspace(0, self.scale * farthest, count), persistent=False)

    def forward(self, d: Tensor) -> Tensor:
        """(..., count) from distances (..., 1)."""
        return (self.scale * d - self.centres).square().neg().clamp(min=LEAST).exp()


def cosine_cutoff(d: Tensor, cutoff: float) -> Tensor:
    """(1 + cos(pi d / cutoff)) / 2, and 0 from the cut-off on."""
    return 0.5 * (1 + torch.cos(math.pi / cutoff * d.clamp(max=cutoff)))
