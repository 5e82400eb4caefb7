"""Multilayer perceptrons: linear layers with SiLU between them."""

from itertools import pairwise

import torch
from torch import Tensor, nn


def silu(x: Tensor) -> Tensor:
    """SiLU of a tensor that nobody else needs: it is written over where no gradients are wanted."""
    return nn.functional.silu(x, inplace=not torch.is_grad_enabled())


class Mlp(nn.Sequential):
    """Linear layers, and SiLU modules that stand for :func:`silu`."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., out) from (..., in)."""
        for layer in self:
            x = silu(x) if isinstance(layer, nn.SiLU) else layer(x)
        return x


def mlp(*sizes: int, bias: bool = True) -> Mlp:
    """Linear layers of the given widths with SiLU between them; `bias` is that of the last one."""
    layers: list[nn.Module] = []
    for index, (n_in, n_out) in enumerate(pairwise(sizes)):
        last = index == len(sizes) - 2
        layers.append(nn.Linear(n_in, n_out, bias=bias or not last))
        if not last:
            layers.append(nn.SiLU())
    return Mlp(*layers)
