"""The forward pass of an EGNN as one Numba kernel: tiles of edges in registers and L1, nothing of size E stored.

Systems are worked on one group after the other, all layers of a group at once. Every matrix product is a
:func:`dense` over rows of `width` numbers (nodes, or the TILE edges at hand); `width` is the hidden size filled up
with zeros to a multiple of PANEL, which changes nothing: silu(0) = 0. The order in which a row's numbers are
summed depends on the row alone, so results do not depend on batch, group or threads.

Weights are one flat array in the order of :class:`surrogate.models.egnn.cpu.layout.Layout`.
"""

import math

import numpy as np
from numba import carray
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from surrogate.nn.cpu.tile_products import add_row, dense, dense_dots, dot
from surrogate.nn.cpu.tiles import LANES, ROWS, add, at_address, broadcast, fma, load, silu, store

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
def first_layer(
    pairs: FloatArray,
    receivers: IntArray,
    senders: IntArray,
    scalars: FloatArray,
    n_edges: int,
    width: int,
    weights: FloatArray,
    place: int,
    active: bool,
    out: FloatArray,
) -> None:
    """Rows P_i + S_j + three scalars times their weights of some edges, then silu if `active`.

    Parameters
    ----------
    pairs : float32
        Rows [P, S] of all nodes: what receivers and senders give.
    receivers, senders : (edges,) int64
        Nodes i and j.
    scalars : (edges, 3) float32
    """
    for e in range(n_edges):
        receiver, sender = 2 * receivers[e] * width, (2 * senders[e] + 1) * width
        a, b, c = broadcast(scalars[e, 0]), broadcast(scalars[e, 1]), broadcast(scalars[e, 2])
        for k in range(0, width, LANES):
            total = add(load(pairs, receiver + k), load(pairs, sender + k))
            total = fma(a, load(weights, place + k), total)
            total = fma(b, load(weights, place + width + k), total)
            total = fma(c, load(weights, place + 2 * width + k), total)
            if active:
                total = silu(total)
            store(out, e * width + k, total)


@kernel
def embed(nodes: FloatArray, n_nodes: int, weights: FloatArray, width: int) -> None:
    """The features of nodes, from the speeds that stand at their ends."""
    for i in range(n_nodes):
        speed = broadcast(nodes[(2 * i + 1) * width - 1])
        for k in range(0, width, LANES):
            store(nodes, 2 * i * width + k, fma(speed, load(weights, k), load(weights, width + k)))


@kernel
def sum_messages(
    messages: FloatArray,
    receivers: IntArray,
    order: IntArray,
    n_edges: int,
    n_senders: int,
    width: int,
    block: FloatArray,
    nodes: FloatArray,
) -> None:
    """Rows of messages added to their receivers' sums, BLOCK at a time; `order` counts those of each receiver."""
    for e in range(n_edges):
        ends = (order[e] + 1) % BLOCK == 0 or order[e] + 1 == n_senders
        for k in range(0, width, LANES):
            total = add(load(block, k), load(messages, e * width + k))
            if ends:
                at = (2 * receivers[e] + 1) * width + k
                store(nodes, at, add(load(nodes, at), total))
                total = broadcast(np.float32(0.0))
            store(block, k, total)


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
    updates: DoubleArray,
    edges: FloatArray,
    messages: FloatArray,
    block: FloatArray,
    gains: FloatArray,
    numbers: IntArray,
    relative: FloatArray,
    scalars: FloatArray,
    summed: bool,
) -> int:
    """All edges of a group: sums of messages to the second halves of `nodes`, sums of r_ij phi_x to `updates`.

    Returns the place behind the weights used.

    Parameters
    ----------
    x0, x : (nodes, n_dims) float32
        At the start and now.
    q : (nodes,) float32
    n : int
        Nodes of each system.
    pairs : float32
        Rows [P, S] of all nodes.
    edges, messages, numbers, relative, scalars
        Buffers for what belongs to the edges of a tile.
    summed : bool
        Whether sums of messages are wanted.
    """
    n_nodes, d = x.shape
    receivers, senders, order = numbers
    behind = place + 3 * width
    after = behind
    filled = 0
    for i in range(n_nodes):
        nodes[(2 * i + 1) * width : (2 * i + 2) * width] = np.float32(0.0)
        updates[i] = 0.0
    for i in range(n_nodes):
        base = i - i % n
        for s in range(n - 1):
            j = i + 1 + s
            if j >= base + n:
                j -= n
            d2, d2_start = np.float32(0.0), np.float32(0.0)
            for k in range(d):
                r = x[i, k] - x[j, k]
                r_start = x0[i, k] - x0[j, k]
                relative[filled, k] = r
                d2 += r * r
                d2_start += r_start * r_start
            scalars[filled, 0], scalars[filled, 1], scalars[filled, 2] = d2, q[i] * q[j], d2_start
            receivers[filled], senders[filled], order[filled] = i, j, s
            filled += 1
            if filled == TILE or (i == n_nodes - 1 and s == n - 2):
                first_layer(pairs, receivers, senders, scalars, filled, width, weights, place, True, edges)
                after = dense(edges, 0, width, filled, width, weights, behind, width, True, messages, 0, width)
                after = dense_dots(messages, 0, width, filled, width, width, weights, after, gains, 0)
                if summed:
                    sum_messages(messages, receivers, order, filled, n - 1, width, block, nodes)
                for e in range(filled):
                    for k in range(d):
                        updates[receivers[e], k] += np.float64(relative[e, k]) * gains[e]
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
    edges: FloatArray,
    out: FloatArray,
) -> None:
    """Velocities of the separate head: v + a v + b (x - x0) + mean_j u_ij c_ij, to `out`."""
    n_nodes, d = x.shape
    behind = dense(nodes, 0, 2 * width, n_nodes, width, weights, place, width, True, spare, 0, width)
    for i in range(n_nodes):
        a = dot(spare, i * width, weights, behind, width) + weights[behind + 2 * width]
        b = dot(spare, i * width, weights, behind + width, width) + weights[behind + 2 * width + 1]
        for k in range(d):
            out[i, k] = v[i, k] + a * v[i, k] + b * (x[i, k] - x0[i, k])
    place = behind + 2 * width + LANES
    place = dense(nodes, 0, 2 * width, n_nodes, width, weights, place, 2 * width, False, pairs, 0, 2 * width)
    receivers, senders = np.empty(1, dtype=np.int64), np.empty(1, dtype=np.int64)
    scalars, push = np.empty((1, 3), dtype=np.float32), np.empty(d)
    for i in range(n_nodes):
        base = i - i % n
        push[:] = 0.0
        for s in range(n - 1):
            j = i + 1 + s
            if j >= base + n:
                j -= n
            d2 = np.float32(0.0)
            for k in range(d):
                r = x[i, k] - x[j, k]
                d2 += r * r
            soft = np.float64(d2 + np.float32(SOFTENING))
            inverse = 1.0 / math.sqrt(soft)
            receivers[0], senders[0] = i, j
            scalars[0, 0], scalars[0, 1], scalars[0, 2] = q[i] * q[j], math.log(soft), inverse
            first_layer(pairs, receivers, senders, scalars, 1, width, weights, place, True, edges)
            gain = dot(edges, 0, weights, place + 3 * width, width) + weights[place + 4 * width]
            for k in range(d):
                push[k] += (x[i, k] - x[j, k]) * inverse * gain
        for k in range(d):
            out[i, k] += push[k] / (n - 1)


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
        See :class:`surrogate.models.egnn.cpu.layout.Layout`.
    width : int
        Hidden size, a multiple of PANEL.
    carried : bool
        Velocities are carried from layer to layer (the recurrent form).
    x, v : (systems, n, n_dims) float32
        Written; v with the head alone.
    """
    n, d = x0.shape[1:]
    most = (min(group, last - first) * n + ROWS - 1) // ROWS * ROWS
    edge_rows = min(TILE, (most * (n - 1) + ROWS - 1) // ROWS * ROWS)
    # one allocation for all: at one system, each is felt
    held = np.zeros((5 * most + 2 * edge_rows + 1) * width + max(TILE, most) + ROWS + LANES, dtype=np.float32)
    at = -(held.ctypes.data // 4) % LANES
    # rows of nodes are [h, sum of messages], those of pairs [P, S]
    nodes, at = held[at:], at + 2 * most * width
    pairs, at = held[at:], at + 2 * most * width
    spare, at = held[at:], at + most * width
    edges, at = held[at:], at + edge_rows * width
    messages, at = held[at:], at + edge_rows * width
    block, gains = held[at:], held[at + width :]
    updates, carried_v = np.zeros((most, d)), np.empty((most, d), dtype=np.float32)
    numbers = np.empty((3, TILE), dtype=np.int64)
    relative, scalars = np.empty((TILE, d), dtype=np.float32), np.empty((TILE, 3), dtype=np.float32)
    for start in range(first, last, group):
        stop = min(start + group, last)
        count = (stop - start) * n
        xs = x[start:stop].reshape(count, d)
        start_x, start_v = x0[start:stop].reshape(count, d), v0[start:stop].reshape(count, d)
        charges = q[start:stop].reshape(count)
        for i in range(count):
            speed = np.float32(0.0)
            for k in range(d):
                xs[i, k], carried_v[i, k] = start_x[i, k], start_v[i, k]
                speed += start_v[i, k] * start_v[i, k]
            nodes[(2 * i + 1) * width - 1] = np.float32(math.sqrt(speed + np.float32(1e-16)))
        place = 2 * width
        for layer in range(n_layers):
            # the first layer's features are made from speeds, and its products with them are taken of those
            n_in = 1 if layer == 0 else width
            own, row = width - n_in, 2 * width
            place = dense(nodes, own, row, count, n_in, weights, place, row, False, pairs, 0, row)
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
                updates,
                edges,
                messages,
                block,
                gains,
                numbers,
                relative,
                scalars,
                layer < n_layers - 1,
            )
            place = dense_dots(nodes, own, 2 * width, count, n_in, width, weights, place, gains, 0)
            for i in range(count):
                gain = gains[i] + weights[place]
                for k in range(d):
                    move = np.float32(updates[i, k] / (n - 1))
                    if carried:
                        carried_v[i, k] = gain * carried_v[i, k] + move
                        xs[i, k] = xs[i, k] + carried_v[i, k]
                    else:
                        xs[i, k] = xs[i, k] + move + gain * start_v[i, k]
            place += LANES
            if layer < n_layers - 1:  # the last features reach no output
                place = dense(
                    nodes, own, 2 * width, count, n_in + width, weights, place, width, True, spare, 0, width
                )
                place = dense(spare, 0, width, count, width, weights, place, width, False, pairs, 0, width)
            if layer == 0:
                embed(nodes, count, weights, width)
            if layer < n_layers - 1:
                for i in range(count):
                    add_row(pairs, i * width, nodes, 2 * i * width, width)
        if with_head:
            vs = v[start:stop].reshape(count, d)
            head(start_x, xs, start_v, charges, n, weights, place, width, nodes, pairs, spare, edges, vs)


@kernel
def forward_at(
    first: int,
    last: int,
    group: int,
    n_systems: int,
    n: int,
    n_dims: int,
    x0: int,
    v0: int,
    q: int,
    weights: int,
    width: int,
    n_layers: int,
    carried: bool,
    with_head: bool,
    x: int,
    v: int,
) -> None:
    """:func:`forward` of contiguous arrays given by their addresses, which cost less to hand over."""
    shape = (n_systems, n, n_dims)
    forward(
        first,
        last,
        group,
        carray(at_address(x0), shape, np.float32),
        carray(at_address(v0), shape, np.float32),
        carray(at_address(q), (n_systems, n), np.float32),
        carray(at_address(weights), (1,), np.float32),  # nothing asks for its length
        width,
        n_layers,
        carried,
        with_head,
        carray(at_address(x), shape, np.float32),
        carray(at_address(v), shape if with_head else (0, n, n_dims), np.float32),
    )
