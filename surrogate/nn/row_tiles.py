"""Edges of large systems a few receivers at a time, so that memory grows as the particles and not as the pairs."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

WHOLE_EDGES = 100_000
"""Up to so many directed edges of a batch are worked on at once, while gradients are wanted."""
TILE_EDGES = {"cpu": 1 << 12, "cuda": 1 << 20}
"""Of a tile: its features (64 of them, float32: 1 MB) stay in a CPU's caches, and keep a GPU busy."""


def rows_at_once(x: Tensor) -> int:
    """Receivers of a tile, for positions x (B, N, n): all of them where there are few edges."""
    n_systems, n = x.shape[:2]
    tile = TILE_EDGES.get(x.device.type, 1 << 20)
    few = max(WHOLE_EDGES, tile) if torch.is_grad_enabled() else tile  # a tile is made twice for its gradient
    if n_systems * n * (n - 1) <= few:
        return n
    return max(tile // (n_systems * (n - 1)), 1)


def by_rows(edges: Callable[[int, int], tuple[Tensor, ...]], x: Tensor) -> tuple[Tensor, ...]:
    """What `edges` makes of all receivers, in tiles where there are many; each is made again when differentiated.

    Parameters
    ----------
    edges : callable
        Of the first receiver and the one behind the last; returns (B, rows, ...) tensors, sums over senders.
    x : (B, N, n) tensor

    Returns
    -------
    tuple of (B, N, ...) tensors
    """
    n, rows = x.shape[1], rows_at_once(x)
    if rows == n:
        return edges(0, n)
    tiles = [(first, min(first + rows, n)) for first in range(0, n, rows)]
    if torch.is_grad_enabled():
        parts = [checkpoint(edges, *tile, use_reentrant=False, preserve_rng_state=False) for tile in tiles]
        return tuple(torch.cat(pieces, dim=1) for pieces in zip(*parts, strict=True))
    # memory for all is allocated first: results kept between tiles would fragment it
    made = edges(*tiles[0])
    whole = tuple(part.new_empty(part.shape[0], n, *part.shape[2:]) for part in made)
    for first, last in tiles:
        for to, part in zip(whole, edges(first, last) if first else made, strict=True):
            to[:, first:last] = part
    return whole
