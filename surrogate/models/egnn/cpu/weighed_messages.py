"""Sums of inferred messages over all pairs by fused CPU kernels, with their gradients: nothing of size E is kept.

Edges go through u = P_i + S_j + scalars . W_c, a = silu(u), z = a W_2 + b_2, m = silu(z), e = sigmoid(m . w + b),
and h_i gets sum_j e_ij m_ij. The backward pass makes each tile of edges again. Pairs are in the order of
:func:`off_diagonal`; g_y is the gradient of the loss with respect to y. Positions get no gradient.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from physics.kernels.jit import kernel
from surrogate.models.egnn.cpu.inference import aligned_buffer
from surrogate.nn.cpu.threads import for_each
from surrogate.nn.cpu.tile_products import (
    add_row,
    aligned_zeros,
    dense,
    dense_onto,
    outer_onto,
    rows_onto,
    scale,
    silu_and_slope,
    whole_rows,
)
from surrogate.nn.cpu.tiles import (
    LANES,
    PANEL,
    ROWS,
    add,
    broadcast,
    fma,
    load,
    multiply,
    sigmoid,
    silu,
    store,
    total,
)

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

TILE = 8 * ROWS
"""Edges that are worked on together."""
PART_EDGES = 2000
MOST_PARTS = 8
"""Of a batch, each with gradient sums of its own; their number depends on the batch alone, not on threads."""


@kernel
def next_tile(n: int, first: int, n_edges: int, receivers: IntArray, senders: IntArray) -> int:
    """Nodes of the edges from `first` on; how many, TILE at most."""
    filled = min(TILE, n_edges - first)
    i, s = first // (n - 1), first % (n - 1)
    for e in range(filled):
        receivers[e] = i
        senders[e] = i - i % n + s + (1 if s >= i % n else 0)
        s += 1
        if s == n - 1:
            i, s = i + 1, 0
    return filled


@kernel
def first_rows(
    p: FloatArray,
    s: FloatArray,
    receivers: IntArray,
    senders: IntArray,
    scalars: FloatArray,
    start: int,
    n_scalars: int,
    filled: int,
    width: int,
    weights: FloatArray,
    out: FloatArray,
) -> None:
    """Rows u of a tile; `weights` begins with the panels of W_c."""
    for e in range(filled):
        for k in range(0, width, LANES):
            at = receivers[e] * width + k
            store(out, e * width + k, add(load(p, at), load(s, senders[e] * width + k)))
    dense_onto(scalars, start * n_scalars, n_scalars, filled, n_scalars, weights, 0, width, out, 0, width)


@kernel
def summed_messages(
    n: int,
    p: FloatArray,
    s: FloatArray,
    scalars: FloatArray,
    n_edges: int,
    n_scalars: int,
    width: int,
    weights: FloatArray,
    out: FloatArray,
) -> None:
    """Sums of messages of a part of the batch.

    Parameters
    ----------
    p, s : float32
        Rows of its nodes.
    scalars : float32
        Rows of its edges, with ROWS more behind them.
    weights : float32
        Panels of W_c, panels of W_2, then b_2, w and b (LANES numbers).
    out : float32
        Written: rows of nodes.
    """
    receivers, senders = np.empty(TILE, dtype=np.int64), np.empty(TILE, dtype=np.int64)
    rows, messages = aligned_zeros((TILE + 1) * width), aligned_zeros((TILE + 1) * width)
    second = n_scalars * width
    gate = second + width * width + width
    bias = load(weights, gate + width)
    out[:] = np.float32(0.0)
    for first in range(0, n_edges, TILE):
        filled = next_tile(n, first, n_edges, receivers, senders)
        first_rows(p, s, receivers, senders, scalars, first, n_scalars, filled, width, weights, rows)
        for k in range(0, filled * width, LANES):
            store(rows, k, silu(load(rows, k)))
        dense(rows, 0, width, filled, width, weights, second, width, True, messages, 0, width)
        for e in range(filled):
            logit = broadcast(np.float32(0.0))
            for k in range(0, width, LANES):
                logit = fma(load(messages, e * width + k), load(weights, gate + k), logit)
            factor = sigmoid(add(broadcast(total(logit)), bias))
            for k in range(0, width, LANES):
                at = receivers[e] * width + k
                store(out, at, fma(factor, load(messages, e * width + k), load(out, at)))


@kernel
def gradients_of_sums(
    n: int,
    p: FloatArray,
    s: FloatArray,
    scalars: FloatArray,
    n_edges: int,
    n_scalars: int,
    width: int,
    weights: FloatArray,
    transposed: FloatArray,
    g_out: FloatArray,
    g_p: FloatArray,
    g_s: FloatArray,
    gradients: FloatArray,
) -> None:
    """The opposite of :func:`summed_messages`.

    Parameters
    ----------
    transposed : float32
        Panels of the transpose of W_2.
    g_out : float32
        Rows of nodes.
    g_p, g_s : float32
        Written: rows of nodes.
    gradients : float32
        Added to: W_c (filled up to whole ROWS, width), W_2 (out, in; whole ROWS too), b_2, w, b (LANES numbers).
    """
    receivers, senders = np.empty(TILE, dtype=np.int64), np.empty(TILE, dtype=np.int64)
    size = (TILE + 1) * width
    buffers = aligned_zeros(5 * size)
    a_rows, a_slopes, m_rows = buffers, buffers[size:], buffers[2 * size :]
    m_slopes, g_rows = buffers[3 * size :], buffers[4 * size :]
    second = n_scalars * width
    gate = second + width * width + width
    bias = load(weights, gate + width)
    at_matrix = whole_rows(n_scalars) * width
    at_bias = at_matrix + whole_rows(width) * width
    at_gate = at_bias + width
    one, minus = broadcast(np.float32(1.0)), broadcast(np.float32(-1.0))
    g_p[:] = np.float32(0.0)
    g_s[:] = np.float32(0.0)
    for first in range(0, n_edges, TILE):
        filled = next_tile(n, first, n_edges, receivers, senders)
        used = filled * width
        first_rows(p, s, receivers, senders, scalars, first, n_scalars, filled, width, weights, a_rows)
        silu_and_slope(a_rows, a_rows, a_slopes, used)
        dense(a_rows, 0, width, filled, width, weights, second, width, False, m_rows, 0, width)
        silu_and_slope(m_rows, m_rows, m_slopes, used)
        for e in range(filled):
            logit, given = broadcast(np.float32(0.0)), broadcast(np.float32(0.0))
            for k in range(0, width, LANES):
                m = load(m_rows, e * width + k)
                logit = fma(m, load(weights, gate + k), logit)
                given = fma(m, load(g_out, receivers[e] * width + k), given)
            factor = sigmoid(add(broadcast(total(logit)), bias))
            slope = multiply(factor, fma(minus, factor, one))
            g_logit = multiply(broadcast(total(given)), slope)
            for k in range(0, width, LANES):
                at = e * width + k
                store(gradients, at_gate + k, fma(g_logit, load(m_rows, at), load(gradients, at_gate + k)))
                g_m = multiply(g_logit, load(weights, gate + k))
                g_m = fma(factor, load(g_out, receivers[e] * width + k), g_m)
                store(g_rows, at, multiply(g_m, load(m_slopes, at)))
            store(gradients, at_gate + width, add(g_logit, load(gradients, at_gate + width)))
        outer_onto(g_rows, 0, width, width, a_rows, 0, width, width, filled, gradients, at_matrix)
        rows_onto(g_rows, 0, width, filled, width, gradients, at_bias)
        m_slopes[: whole_rows(filled) * width] = np.float32(0.0)
        dense_onto(g_rows, 0, width, filled, width, transposed, 0, width, m_slopes, 0, width)
        scale(m_slopes, a_slopes, used)
        at = first * n_scalars
        outer_onto(scalars, at, n_scalars, n_scalars, m_slopes, 0, width, width, filled, gradients, 0)
        for e in range(filled):
            add_row(m_slopes, e * width, g_p, receivers[e] * width, width)
            add_row(m_slopes, e * width, g_s, senders[e] * width, width)


def off_diagonal(values: Tensor) -> Tensor:
    """Values (B, N, N, F) of pairs of different nodes, (B N (N - 1), F): receivers, then senders ascending."""
    n, width = values.shape[2:]
    inner = values.flatten(1, 2)[:, 1:].view(-1, n - 1, n + 1, width)[:, :, :-1]
    return inner.reshape(-1, width)


def padded_rows(scalars: Tensor) -> Tensor:
    """Rows with ROWS of zeros behind them, as the kernels read them."""
    return torch.cat([scalars, scalars.new_zeros(ROWS, scalars.shape[1])])


def weighed_messages(p: Tensor, s: Tensor, scalars: Tensor, *weights: Tensor) -> Tensor:
    """Sum_j e_ij m_ij, (B, N, F), of all pairs; differentiable but for `scalars`.

    Parameters
    ----------
    p, s : (B, N, F) float32 tensor
        F a multiple of PANEL.
    scalars : (B N (N - 1) + ROWS, C) float32 tensor
        :func:`padded_rows` of the pairs.
    weights : float32 tensors
        W_c (F, C), W_2 (F, F), b_2 (F,), w (1, F), b (1,): as PyTorch's linear layers have them.
    """
    made: Tensor = _WeighedMessages.apply(p, s, scalars, *weights)  # type: ignore[no-untyped-call]
    return made


class _WeighedMessages(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, p: Tensor, s: Tensor, scalars: Tensor, *weights: Tensor) -> Tensor:
        w_c, w_2, b_2, w, b = weights
        packed = torch.cat([_panels(w_c.T), _panels(w_2.T), b_2, w.flatten(), b.expand(LANES)])
        rows = [t.contiguous().view(-1).numpy() for t in (p, s, scalars, packed)]
        out = torch.empty(p.shape)
        parts = _parts(p)
        _each(parts, p, rows, summed_messages, (rows[3],), (out.view(-1).numpy(),))
        ctx.save_for_backward(p, s, scalars, packed, w_2)
        ctx.parts, ctx.shapes = parts, [t.shape for t in weights]
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g_out: Tensor) -> tuple[Tensor | None, ...]:
        p, s, scalars, packed, w_2 = ctx.saved_tensors
        width, count = ctx.shapes[0]
        rows = [t.contiguous().view(-1).numpy() for t in (p, s, scalars, packed)]
        back = _panels(w_2).numpy()
        filled = [int(whole_rows(count)) * width, int(whole_rows(width)) * width, width, width, LANES]
        sums = aligned_buffer(len(ctx.parts) - 1, sum(filled))
        sums.fill(0.0)
        g_p, g_s = torch.empty_like(p), torch.empty_like(s)
        nodes = [t.contiguous().view(-1).numpy() for t in (g_out, g_p, g_s)]
        _each(ctx.parts, p, rows, gradients_of_sums, (rows[3], back), nodes, sums)
        g_c, g_2, g_b2, g_w, g_b = torch.split(torch.from_numpy(sums).sum(0), filled)
        g_c = g_c.view(-1, width)[:count].T
        return g_p, g_s, None, g_c, g_2.view(-1, width)[:width], g_b2, g_w.view(1, -1), g_b[:1]


def _parts(p: Tensor) -> list[int]:
    """Bounds of the parts of a batch, in systems."""
    n_systems, n = p.shape[:2]
    count = max(1, min(MOST_PARTS, n_systems, round(n_systems * n * (n - 1) / PART_EDGES)))
    found: list[int] = np.linspace(0, n_systems, count + 1).round().astype(int).tolist()
    return found


def _each(
    parts: list[int],
    p: Tensor,
    rows: list[FloatArray],
    work: Any,
    fixed: Any,
    nodes: Any,
    sums: FloatArray | None = None,
) -> None:
    """A kernel for every part, with its rows of nodes and edges."""
    n, width = p.shape[1:]
    n_scalars = (len(fixed[0]) - width * width - 2 * width - LANES) // width

    def part(k: int) -> None:
        first, last = parts[k], parts[k + 1]
        some = slice(first * n * width, last * n * width)
        pairs = rows[2][first * n * (n - 1) * n_scalars :]
        edges = (last - first) * n * (n - 1)
        more = () if sums is None else (sums[k],)
        given = (n, rows[0][some], rows[1][some], pairs, edges, n_scalars, width, *fixed)
        work(*given, *(values[some] for values in nodes), *more)

    for_each(part, len(parts) - 1, torch.get_num_threads())


def _panels(matrix: Tensor) -> Tensor:
    """An (in, out) matrix cut into panels of its outputs, flat."""
    return matrix.reshape(len(matrix), -1, PANEL).transpose(0, 1).reshape(-1)
