"""A non-linearity that commutes with rotations: activations of scalars, which are the gates of all else."""

from math import pi

import numpy as np
import torch
from torch import Tensor, nn

from surrogate.nn.steerable.irreps import Block, Feature, Irreps, components


def _second_moment_factor(values: np.ndarray, z: np.ndarray) -> float:
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * pi)
    return float(1 / np.sqrt((values**2 * density).sum() * (z[1] - z[0])))


_Z = np.linspace(-12, 12, 4801)
SILU_FACTOR = _second_moment_factor(_Z / (1 + np.exp(-_Z)), _Z)
"""With it SiLU of a standard normal variable has second moment 1: 1.6765."""
SIGMOID_FACTOR = _second_moment_factor(1 / (1 + np.exp(-_Z)), _Z)
"""The same for the sigmoid: 1.8462."""


class Gate(nn.Module):
    """SiLU of scalars; sigmoids of further scalars times all else, one a channel.

    Attributes
    ----------
    irreps_in : Irreps
        One even block of scalars and gates, then the others of irreps_out: what the layer before must give.
    factors : tuple of float
        By which each block of the output is to be multiplied so that activations keep second moments
        (`normalised`): left to the next layer's weights (`TensorProduct.scales`).

    Parameters
    ----------
    irreps_out : Irreps
        The first block, and it alone, is of even scalars.
    """

    def __init__(self, irreps_out: Irreps) -> None:
        super().__init__()
        scalars, others = irreps_out[0], irreps_out[1:]
        self.sizes = [scalars.channels, *(b.channels for b in others)]
        self.degrees = [b.degree for b in others]
        self.irreps_out = irreps_out
        self.irreps_in: Irreps = (Block(sum(self.sizes), 0, 1), *others)
        self.factors = (SILU_FACTOR, *(SIGMOID_FACTOR for _ in others))

    def forward(self, f: Feature) -> Feature:
        """Feature of irreps_out from one of irreps_in, without the `factors`."""
        scalars, *gates = torch.split(f[0], self.sizes, dim=-1)
        gated: list[Tensor] = []
        for block, gate, degree in zip(f[1:], gates, self.degrees, strict=True):
            gated.append((components(block, degree) * torch.sigmoid(gate).unsqueeze(-2)).flatten(-2))
        return (nn.functional.silu(scalars), *gated)
