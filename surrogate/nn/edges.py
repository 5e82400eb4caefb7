"""Edges of all ordered pairs, sender shift by sender shift, and a first edge layer made from products of nodes.

Edge arrays are (s, b, i) for senders j = (i + 1 + s) mod N of receivers i: sums over senders are sums over s.
"""

from functools import lru_cache

import torch
from torch import Tensor, nn

MANY_SENDERS = 64
"""With more, senders are a view and not a stack of as many slices."""


def senders(values: Tensor, first: int = 0, last: int | None = None) -> Tensor:
    """For receivers i of first..last-1 (all of them by default) their N - 1 senders j = (i + 1 + s) mod N.

    Parameters
    ----------
    values : (B, N, F) tensor
    first, last : int

    Returns
    -------
    (N - 1, B, last - first, F) tensor
        Entry [s, b, i - first] is values[b, (i + 1 + s) mod N]. Sums over senders are sums over s: no scatter.
    """
    n_systems, n, width = values.shape
    last = n if last is None else last
    if n - 1 <= MANY_SENDERS and values.is_cpu and not torch.compiler.is_compiling():
        index = _sender_index(n_systems, n, first, last)
        return values.flatten(0, 1).index_select(0, index).view(n - 1, n_systems, last - first, width)
    twice = torch.cat([values, values], dim=1)
    if n - 1 > MANY_SENDERS:
        return twice[:, first + 1 : last + n - 1].unfold(1, last - first, 1).permute(1, 0, 3, 2)
    return torch.stack([twice[:, first + s : last + s] for s in range(1, n)])


@lru_cache(maxsize=32)
def _sender_index(n_systems: int, n: int, first: int, last: int) -> Tensor:
    """Where the senders are among all particles of a batch: one gather instead of N - 1 slices.

    On a GPU the gather's gradient would add up in no fixed order.
    """
    with torch.inference_mode(False):  # what is kept from there could not be used in training
        s, i = torch.arange(1, n, device="cpu").view(-1, 1, 1), torch.arange(first, last, device="cpu")
        return (torch.arange(n_systems, device="cpu").view(-1, 1) * n + (i + s) % n).flatten()


def edge_projections(linear: nn.Linear, h: Tensor) -> tuple[Tensor, Tensor]:
    """What receivers (with the bias) and senders contribute to a first edge layer on [h_i, h_j, scalars].

    The map is split into its receiver, sender and scalar parts, so that the products with h are taken per node and
    not per edge.

    Parameters
    ----------
    linear : nn.Linear
        From 2 F + scalars numbers.
    h : (B, N, F) tensor

    Returns
    -------
    two (B, N, width) tensors
    """
    width, weight = h.shape[-1], linear.weight
    p = nn.functional.linear(h, weight[:, :width], linear.bias)
    s = nn.functional.linear(h.flatten(0, 1), weight[:, width : 2 * width])
    return p, s.view(p.shape)


def first_edge_layer(
    linear: nn.Linear, p: Tensor, s: Tensor, scalars: Tensor, first: int = 0, last: int | None = None
) -> Tensor:
    """`linear` of [h_i, h_j, scalars] for receivers i of first..last-1 and their :func:`senders` j.

    Parameters
    ----------
    linear : nn.Linear
    p, s : (B, N, width) tensor
        :func:`edge_projections` of h.
    scalars : (N - 1, B, last - first, scalars) tensor
    first, last : int

    Returns
    -------
    (N - 1, B, last - first, width) tensor
    """
    sums = senders(s, first, last) + p[:, first:last]
    weight = linear.weight[:, -scalars.shape[-1] :]
    # the copy has autograd form the weights' gradient as scalars^T g, a quarter of the time of g^T scalars
    made = torch.addmm(sums.flatten(0, 2), scalars.flatten(0, 2), weight.T.contiguous())
    return made.view(sums.shape)
