"""Multilayer perceptrons: linear layers with SiLU between them."""

from itertools import pairwise

from torch import nn


def mlp(*sizes: int, bias: bool = True) -> nn.Sequential:
    """Linear layers of the given widths with SiLU between them; `bias` is that of the last one."""
    layers: list[nn.Module] = []
    for index, (n_in, n_out) in enumerate(pairwise(sizes)):
        last = index == len(sizes) - 2
        layers.append(nn.Linear(n_in, n_out, bias=bias or not last))
        if not last:
            layers.append(nn.SiLU())
    return nn.Sequential(*layers)
