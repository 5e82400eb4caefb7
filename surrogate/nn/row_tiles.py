"""Edges of large systems a few receivers at a time, so that memory grows as the particles and not as the pairs."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from surrogate.nn.edges import Edges

WHOLE_EDGES = 100_000
"""Up to so many directed edges are worked on at once, while gradients are wanted."""
TILE_EDGES = {"cpu": 1 << 12, "cuda": 1 << 20}
"""Of a tile: its features (64 of them, float32: 1 MB) stay in a CPU's caches, and keep a GPU busy."""


def row_ranges(edges: Edges, device: torch.device, points: int = 1) -> list[tuple[int, int]]:
    """Ranges of receivers to be worked on one after the other: all of them where there are few edges.

    `points` is how often an edge has features: it counts as so many.
    """
    tile = TILE_EDGES.get(device.type, 1 << 20)
    few = max(WHOLE_EDGES, tile) if torch.is_grad_enabled() else tile  # a tile is made twice for its gradient
    return [(edges.first, edges.last)] if points * edges.n_edges <= few else edges.ranges(max(tile // points, 1))


def by_rows(
    made: Callable[[Edges], tuple[Tensor, ...]], edges: Edges, device: torch.device, points: int = 1
) -> tuple[Tensor, ...]:
    """What is `made` of edges to all receivers, in tiles where there are many; each again when differentiated.

    Parameters
    ----------
    made : callable
        Of edges; returns node arrays (..., rows, F) of their receivers.
    edges : Edges
    device : torch.device
    points : int
        See :func:`row_ranges`.

    Returns
    -------
    tuple of (..., nodes, F) tensors
    """
    ranges = row_ranges(edges, device, points)
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


def by_systems(made: Callable[..., Tensor], arrays: Sequence[Tensor], edges_each: int) -> Tensor:
    """What is `made` of arrays of systems, a few of them at a time: as many as stay in a CPU's caches.

    Parameters
    ----------
    made : callable
        Of as many arrays; returns (B, ...).
    arrays : sequence of (B, ...) tensors
    edges_each : int
        Directed edges of a system.
    """
    tile = TILE_EDGES.get(arrays[0].device.type, 1 << 20) * (4 if torch.is_grad_enabled() else 1)
    most = max(tile // max(edges_each, 1), 1)
    if len(arrays[0]) <= most:
        return made(*arrays)
    return torch.cat([made(*block) for block in zip(*(torch.split(a, most) for a in arrays), strict=True)])
