"""The forward pass of an EGNN as one Numba kernel: tiles of edges in registers and L1, nothing of size E stored.

Systems are worked on one group after the other, all layers of a group at once. Every matrix product is a
:func:`dense` over rows of `width` numbers (nodes, or the TILE edges at hand); `width` is the hidden size filled up
with zeros to a multiple of PANEL, which changes nothing: silu(0) = 0. The order in which a row's numbers are summed
depends on the row alone, so results do not depend on batch, group or threads.

Weights are one flat array, made by :mod:`surrogate.models.egnn_fused` in the order in which they are read here.
"""

import math

import numpy as np
from numpy.typing import NDArray

from physics.jit import kernel
from physics.tiles import (
    LANES,
    PANEL,
    ROWS,
    add,
    add_dots,
    broadcast,
    fma,
    load,
    plus_outer,
    silu,
    store,
    store_tile,
    tile_of,
    tile_silu,
)

FloatArray = NDArray[np.float32]
DoubleArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

TILE = 8 * ROWS
"""Edges that are worked on together: 12 kB of features at width 64."""
BLOCK = 32
"""Messages are summed in blocks of so many, which keeps the rounding of large systems down."""
SOFTENING = 0.01
"""Of the velocity head."""


@kernel
def dense(
    x: FloatArray,
    start: int,
    stride: int,
    n_rows: int,
    n_in: int,
    weights: FloatArray,
    place: int,
    n_out: int,
    active: bool,
    out: FloatArray,
    out_start: int,
    out_stride: int,
) -> int:
    """Out = x W + b for rows in steps of ROWS, then silu if `active`; returns the place behind W and b.

    W is stored as n_out / PANEL panels (n_in, PANEL), b behind them. Rows up to the next multiple of ROWS are
    written too.
    """
    bias = place + n_in * n_out
    for panel in range(0, n_out, PANEL):
        first = place + n_in * panel
        for row in range(0, n_rows, ROWS):
            tile = tile_of(weights, bias + panel)
            at = start + row * stride
            for k in range(n_in):
                tile = plus_outer(tile, x, at + k, stride, weights, first + k * PANEL)
            if active:
                tile = tile_silu(tile)
            store_tile(tile, out, out_start + row * out_stride + panel, out_stride)
    return bias + n_out


@kernel
def dense_dots(
    x: FloatArray,
    start: int,
    stride: int,
    n_rows: int,
    width: int,
    weights: FloatArray,
    place: int,
    out: FloatArray,
    out_start: int,
) -> int:
    """Out = silu(x W + b) . w: a map to one number without its own bias; returns the place behind w."""
    bias = place + width * width
    last = bias + width
    for row in range(n_rows + ROWS - 1):
        out[out_start + row] = np.float32(0.0)
    for panel in range(0, width, PANEL):
        first = place + width * panel
        for row in range(0, n_rows, ROWS):
            tile = tile_of(weights, bias + panel)
            at = start + row * stride
            for k in range(width):
                tile = plus_outer(tile, x, at + k, stride, weights, first + k * PANEL)
            add_dots(tile_silu(tile), weights, last + panel, out, out_start + row)
    return last + width


@kernel
def pair_silu(
    nodes: FloatArray,
    receiver: int,
    sender: int,
    width: int,
    weights: FloatArray,
    place: int,
    first: float,
    second: float,
    third: float,
    out: FloatArray,
    row: int,
) -> None:
    """One row of a first edge layer: silu(P_i + S_j + three scalars times their weights).

    `receiver` and `sender` are the places of P_i and S_j in `nodes`.
    """
    a, b, c = broadcast(np.float32(first)), broadcast(np.float32(second)), broadcast(np.float32(third))
    for k in range(0, width, LANES):
        total = add(load(nodes, receiver + k), load(nodes, sender + k))
        total = fma(a, load(weights, place + k), total)
        total = fma(b, load(weights, place + width + k), total)
        total = fma(c, load(weights, place + 2 * width + k), total)
        store(out, row + k, silu(total))


@kernel
def add_row(x: FloatArray, start: int, out: FloatArray, out_start: int, width: int) -> None:
    """out += x, `width` numbers."""
    for k in range(0, width, LANES):
        store(out, out_start + k, add(load(out, out_start + k), load(x, start + k)))


@kernel
def dot(x: FloatArray, start: int, weights: FloatArray, place: int, width: int) -> float:
    """Product of two rows, in double precision and in their order."""
    total = 0.0
    for k in range(width):
        total += np.float64(x[start + k]) * weights[place + k]
    return total


@kernel
def reduce_edges(
    edges: FloatArray,
    n_edges: int,
    width: int,
    weights: FloatArray,
    place: int,
    receivers: IntArray,
    order: IntArray,
    n_senders: int,
    messages: FloatArray,
    block: FloatArray,
    gains: FloatArray,
    nodes: FloatArray,
) -> int:
    """The edges of a tile from silu(first layer) on: messages summed into `nodes`, phi_x into `gains`.

    Returns the place behind the weights used.
    """
    after = dense(edges, 0, width, n_edges, width, weights, place, width, True, messages, 0, width)
    after = dense_dots(messages, 0, width, n_edges, width, weights, after, gains, 0)
    for e in range(n_edges):
        add_row(messages, e * width, block, 0, width)
        if (order[e] + 1) % BLOCK == 0 or order[e] + 1 == n_senders:
            add_row(block, 0, nodes, (2 * receivers[e] + 1) * width, width)
            block[:] = np.float32(0.0)
    return after


@kernel
def convolve(
    x0: FloatArray,
    x: FloatArray,
    q: FloatArray,
    n: int,
    weights: FloatArray,
    place: int,
    width: int,
    pairs: FloatArray,
    nodes: FloatArray,
    pull: DoubleArray,
    edges: FloatArray,
    messages: FloatArray,
    block: FloatArray,
    gains: FloatArray,
    relative: FloatArray,
    receivers: IntArray,
    order: IntArray,
) -> int:
    """All edges of a group: sums of messages to the second halves of `nodes`, sums of r_ij phi_x to `pull`.

    Parameters
    ----------
    x0, x : (nodes, n_dims) float32
        At the start and now; n_dims may be anything.
    q : (nodes,) float32
    n : int
        Nodes of each system.
    pairs : float32
        Rows [P, S] of the receivers' and senders' share of the first layer.
    """
    n_nodes, d = x.shape
    behind = place + 3 * width
    filled = 0
    for i in range(n_nodes):
        nodes[(2 * i + 1) * width : (2 * i + 2) * width] = np.float32(0.0)
        pull[i] = 0.0
    for i in range(n_nodes):
        base = i - i % n
        for s in range(n - 1):
            j = base + (i - base + 1 + s) % n
            d2, d2_start = np.float32(0.0), np.float32(0.0)
            for k in range(d):
                r = x[i, k] - x[j, k]
                r_start = x0[i, k] - x0[j, k]
                relative[filled, k] = r
                d2 += r * r
                d2_start += r_start * r_start
            pair_silu(
                pairs,
                2 * i * width,
                (2 * j + 1) * width,
                width,
                weights,
                place,
                d2,
                q[i] * q[j],
                d2_start,
                edges,
                filled * width,
            )
            receivers[filled], order[filled] = i, s
            filled += 1
            if filled == TILE or (i == n_nodes - 1 and s == n - 2):
                after = reduce_edges(
                    edges, filled, width, weights, behind, receivers, order, n - 1, messages, block, gains, nodes
                )
                for e in range(filled):
                    for k in range(d):
                        pull[receivers[e], k] += np.float64(relative[e, k]) * gains[e]
                filled = 0
    return after


@kernel
def head(
    x0: FloatArray,
    x: FloatArray,
    v: FloatArray,
    q: FloatArray,
    n: int,
    weights: FloatArray,
    place: int,
    width: int,
    nodes: FloatArray,
    pairs: FloatArray,
    spare: FloatArray,
    gains: FloatArray,
    out: FloatArray,
) -> None:
    """Velocities of the separate head: v + a v + b (x - x0) + mean_j u_ij c_ij."""
    n_nodes, d = x.shape
    place = dense(nodes, 0, 2 * width, n_nodes, width, weights, place, width, True, spare, 0, width)
    for i in range(n_nodes):
        for g in range(2):
            gains[2 * i + g] = dot(spare, i * width, weights, place + g * width, width) + weights[place + 2 * width + g]
    place += 2 * width + LANES
    place = dense(nodes, 0, 2 * width, n_nodes, width, weights, place, 2 * width, False, pairs, 0, 2 * width)
    push = np.empty(d)
    for i in range(n_nodes):
        base = i - i % n
        push[:] = 0.0
        for s in range(n - 1):
            j = base + (i - base + 1 + s) % n
            d2 = np.float32(0.0)
            for k in range(d):
                r = x[i, k] - x[j, k]
                d2 += r * r
            soft = np.float64(d2 + np.float32(SOFTENING))
            inverse = 1.0 / math.sqrt(soft)
            pair_silu(
                pairs,
                2 * i * width,
                (2 * j + 1) * width,
                width,
                weights,
                place,
                q[i] * q[j],
                np.float32(math.log(soft)),
                np.float32(inverse),
                spare,
                0,
            )
            gain = dot(spare, 0, weights, place + 3 * width, width) + weights[place + 4 * width]
            for k in range(d):
                push[k] += (x[i, k] - x[j, k]) * inverse * gain
        for k in range(d):
            own = v[i, k] + gains[2 * i] * v[i, k] + gains[2 * i + 1] * (x[i, k] - x0[i, k])
            out[i, k] = own + push[k] / (n - 1)


@kernel
def forward(
    first: int,
    last: int,
    group: int,
    x0: FloatArray,
    v0: FloatArray,
    q: FloatArray,
    weights: FloatArray,
    width: int,
    n_layers: int,
    carried: bool,
    with_head: bool,
    x: FloatArray,
    v: FloatArray,
) -> None:
    """Positions (and velocities, `with_head`) of some systems one horizon later.

    Parameters
    ----------
    first, last : int
        Systems first..last-1 are done.
    group : int
        Systems that are worked on together.
    x0, v0 : (systems, n, n_dims) float32
    q : (systems, n) float32
    weights : float32
        See :class:`surrogate.models.egnn_fused.Packed`.
    width : int
        Hidden size, a multiple of PANEL.
    carried : bool
        Velocities are carried from layer to layer (the recurrent form).
    x, v : (systems, n, n_dims) float32
        Written; v is also worked in.
    """
    n, d = x0.shape[1:]
    most = (min(group, last - first) * n + ROWS - 1) // ROWS * ROWS
    # rows of nodes are [h, sum of messages], those of pairs [P, S]
    nodes, pairs = np.zeros(2 * most * width, dtype=np.float32), np.zeros(2 * most * width, dtype=np.float32)
    spare = np.zeros(2 * most * width, dtype=np.float32)
    edges = np.zeros(TILE * width, dtype=np.float32)
    messages = np.zeros(TILE * width, dtype=np.float32)
    block = np.zeros(width, dtype=np.float32)
    gains = np.zeros(TILE + ROWS + 2 * most, dtype=np.float32)
    relative = np.zeros((TILE, d), dtype=np.float32)
    pull = np.zeros((most, d))
    receivers, order = np.zeros(TILE, dtype=np.int64), np.zeros(TILE, dtype=np.int64)
    for start in range(first, last, group):
        stop = min(start + group, last)
        count = (stop - start) * n
        xs, vs = x[start:stop].reshape(count, d), v[start:stop].reshape(count, d)
        start_x, start_v = x0[start:stop].reshape(count, d), v0[start:stop].reshape(count, d)
        charges = q[start:stop].reshape(count)
        for i in range(count):
            speed = np.float32(0.0)
            for k in range(d):
                xs[i, k], vs[i, k] = start_x[i, k], start_v[i, k]
                speed += start_v[i, k] * start_v[i, k]
            speed = np.float32(math.sqrt(speed + np.float32(1e-16)))
            for k in range(width):
                nodes[2 * i * width + k] = speed * weights[k] + weights[width + k]
        place = 2 * width
        for layer in range(n_layers):
            place = dense(nodes, 0, 2 * width, count, width, weights, place, 2 * width, False, pairs, 0, 2 * width)
            place = convolve(
                start_x,
                xs,
                charges,
                n,
                weights,
                place,
                width,
                pairs,
                nodes,
                pull,
                edges,
                messages,
                block,
                gains,
                relative,
                receivers,
                order,
            )
            place = dense_dots(nodes, 0, 2 * width, count, width, weights, place, gains, 0)
            for i in range(count):
                gain = gains[i] + weights[place]
                for k in range(d):
                    move = np.float32(pull[i, k] / (n - 1))
                    if carried:
                        vs[i, k] = gain * vs[i, k] + move
                        xs[i, k] = xs[i, k] + vs[i, k]
                    else:
                        xs[i, k] = xs[i, k] + move + gain * start_v[i, k]
            place += LANES
            if layer < n_layers - 1:  # the last features reach no output
                place = dense(nodes, 0, 2 * width, count, 2 * width, weights, place, width, True, spare, 0, width)
                place = dense(spare, 0, width, count, width, weights, place, width, False, pairs, 0, width)
                for i in range(count):
                    add_row(pairs, i * width, nodes, 2 * i * width, width)
        if with_head:
            head(start_x, xs, start_v, charges, n, weights, place, width, nodes, pairs, spare, gains, vs)
