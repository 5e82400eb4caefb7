"""Edges of large systems a few receivers at a time, so that memory grows as the particles and not as the pairs."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from surrogate.nn.edges import Edges

WHOLE_EDGES = 100_000
"""Up to so many directed edges are worked on at once, while gradients are wanted."""
TILE_EDGES = {"cpu": 1 << 12, "cuda": 1 << 20}
"""Of a tile: its features (64 of them, float32: 1 MB) stay in a CPU's caches, and keep a GPU busy."""


def row_ranges(edges: Edges, device: torch.device) -> list[tuple[int, int]]:
    """Ranges of receivers to be worked on one after the other: all of them where there are few edges."""
    tile = TILE_EDGES.get(device.type, 1 << 20)
    few = max(WHOLE_EDGES, tile) if torch.is_grad_enabled() else tile  # a tile is made twice for its gradient
    return [(edges.first, edges.last)] if edges.n_edges <= few else edges.ranges(tile)


def by_rows(made: Callable[[Edges], tuple[Tensor, ...]], edges: Edges, device: torch.device) -> tuple[Tensor, ...]:
    """What is `made` of edges to all receivers, in tiles where there are many; each again when differentiated.

    Parameters
    ----------
    made : callable
        Of edges; returns node arrays (..., rows, F) of their receivers.
    edges : Edges
    device : torch.device

    Returns
    -------
    tuple of (..., nodes, F) tensors
    """
    ranges = row_ranges(edges, device)
    if len(ranges) == 1:
        return made(edges)
    if torch.is_grad_enabled():
        parts = [
            checkpoint(made, edges.part(*rows), use_reentrant=False, preserve_rng_state=False) for rows in ranges
        ]
        return tuple(torch.cat(pieces, dim=-2) for pieces in zip(*parts, strict=True))
    # memory for all is allocated first: results kept between tiles would fragment it
    begin = made(edges.part(*ranges[0]))
    nodes = edges.last - edges.first
    whole = tuple(piece.new_empty(*piece.shape[:-2], nodes, piece.shape[-1]) for piece in begin)
    for number, (first, last) in enumerate(ranges):
        for to, piece in zip(whole, made(edges.part(first, last)) if number else begin, strict=True):
            to[..., first - edges.first : last - edges.first, :] = piece
    return whole
