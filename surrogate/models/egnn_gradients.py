"""Training's half of the fused EGNN: a forward pass that keeps its nodes, and the gradients of all weights.

Nothing of the size of the edges is kept: the backward pass makes each tile of edges again, in the caches. Kept are
features, message sums, positions and velocities of the nodes before every layer, and what goes into silu. Systems
are worked on in parts, each with gradient sums of its own, so that their order does not depend on threads.

Letters are those of :mod:`surrogate.models.egnn`: edges go through e = silu(P_i + S_j + scalars . W_c),
m = silu(e W_2 + b_2), g = silu(m W_3 + b_3), phi_x = g . w_3; g_y is the gradient of the loss with respect to y.
Weights, their transposes and gradients are flat arrays in the orders in which they are read here, made by
:mod:`surrogate.models.egnn_training`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from physics.kernels.tiles import (
    LANES,
    PANEL,
    ROWS,
    add,
    broadcast,
    fma,
    load,
    load_tile,
    multiply,
    plus_outer,
    sigmoid,
    silu,
    store,
    store_tile,
    total,
)
from surrogate.models.egnn_kernels import TILE as FORWARD_TILE
from surrogate.models.egnn_kernels import add_row, convolve, dense

FloatArray = NDArray[np.float32]
DoubleArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

TILE = 8 * ROWS
"""Edges that are worked on together; six arrays of their features are 60 kB at width 64."""


@kernel
def room_for(n_numbers: int) -> FloatArray:
    """Zeros that begin a cache line, so that no vector crosses one."""
    held = np.zeros(n_numbers + LANES, dtype=np.float32)
    return held[-(held.ctypes.data // 4) % LANES :]


@kernel
def whole_rows(n: int) -> int:
    """`n` filled up to a multiple of ROWS."""
    return (n + ROWS - 1) // ROWS * ROWS


@kernel
def dense_onto(
    x: FloatArray,
    start: int,
    stride: int,
    n_rows: int,
    n_in: int,
    weights: FloatArray,
    place: int,
    n_out: int,
    out: FloatArray,
    out_start: int,
    out_stride: int,
) -> int:
    """Out += x W for rows in steps of ROWS; returns the place behind W, which is stored as in :func:`dense`."""
    for panel in range(0, n_out, PANEL):
        first = place + n_in * panel
        for row in range(0, n_rows, ROWS):
            to = out_start + row * out_stride + panel
            tile = load_tile(out, to, out_stride)
            at = start + row * stride
            for k in range(n_in):
                tile = plus_outer(tile, x, at + k, stride, weights, first + k * PANEL)
            store_tile(tile, out, to, out_stride)
    return place + n_in * n_out


@kernel
def outer_onto(
    a: FloatArray,
    start_a: int,
    stride_a: int,
    n_a: int,
    b: FloatArray,
    start_b: int,
    stride_b: int,
    n_b: int,
    n_rows: int,
    out: FloatArray,
    place: int,
) -> int:
    """Out (n_a, n_b) += a^T b, a sum over rows; returns the place behind it, n_a filled up to whole ROWS.

    Numbers of `a` up to the next multiple of ROWS are read too.
    """
    for panel in range(0, n_b, PANEL):
        for row in range(0, n_a, ROWS):
            to = place + row * n_b + panel
            tile = load_tile(out, to, n_b)
            for e in range(n_rows):
                tile = plus_outer(tile, a, start_a + e * stride_a + row, 1, b, start_b + e * stride_b + panel)
            store_tile(tile, out, to, n_b)
    return place + whole_rows(n_a) * n_b


@kernel
def rows_onto(x: FloatArray, start: int, stride: int, n_rows: int, width: int, out: FloatArray, place: int) -> int:
    """Out += the sum of all rows of x; returns the place behind it."""
    for k in range(0, width, LANES):
        summed = load(out, place + k)
        for row in range(n_rows):
            summed = add(summed, load(x, start + row * stride + k))
        store(out, place + k, summed)
    return place + width


@kernel
def bend(x: FloatArray, bent: FloatArray, slopes: FloatArray, n_numbers: int) -> None:
    """`bent` is silu(x) (may be x), `slopes` the derivative there: s + silu (1 - s) with s = sigmoid(x)."""
    one, minus = broadcast(np.float32(1.0)), broadcast(np.float32(-1.0))
    for k in range(0, n_numbers, LANES):
        s = sigmoid(load(x, k))
        y = multiply(load(x, k), s)
        store(bent, k, y)
        store(slopes, k, fma(y, fma(minus, s, one), s))


@kernel
def scale(x: FloatArray, factors: FloatArray, n_numbers: int) -> None:
    """X times factors, number by number."""
    for k in range(0, n_numbers, LANES):
        store(x, k, multiply(load(x, k), load(factors, k)))


@kernel
def first_edges(
    pairs: FloatArray,
    receivers: IntArray,
    senders: IntArray,
    scalars: FloatArray,
    n_edges: int,
    width: int,
    weights: FloatArray,
    place: int,
    e_rows: FloatArray,
) -> None:
    """P_i + S_j + scalars . W_c of a tile's edges, before silu."""
    for e in range(n_edges):
        receiver, sender = 2 * receivers[e] * width, (2 * senders[e] + 1) * width
        a, b, c = broadcast(scalars[e, 0]), broadcast(scalars[e, 1]), broadcast(scalars[e, 2])
        for k in range(0, width, LANES):
            summed = add(load(pairs, receiver + k), load(pairs, sender + k))
            summed = fma(a, load(weights, place + k), summed)
            summed = fma(b, load(weights, place + width + k), summed)
            summed = fma(c, load(weights, place + 2 * width + k), summed)
            store(e_rows, e * width + k, summed)


@kernel
def tile_back(
    n_edges: int,
    width: int,
    weights: FloatArray,
    place: int,
    transposed: FloatArray,
    back: int,
    pairs: FloatArray,
    receivers: IntArray,
    senders: IntArray,
    relative: FloatArray,
    scalars: FloatArray,
    g_pull: DoubleArray,
    g_nodes: FloatArray,
    g_pairs: FloatArray,
    g_x: DoubleArray,
    room: FloatArray,
    gradients: FloatArray,
    grown: int,
) -> None:
    """What a tile of edges gives to the gradients of weights, of P and S, and of positions.

    Parameters
    ----------
    place, back, grown : int
        Where this layer's edge weights, their transposes and their gradients begin.
    pairs, g_pairs : float32
        Rows [P, S] of all nodes, and the gradients of these.
    relative, scalars : float32
        r_ij and [d_ij^2, q_i q_j, d_ij(0)^2] of the edges.
    g_pull : (nodes, n_dims) float64
        Gradient of the sum over j of r_ij phi_x(m_ij).
    g_nodes : float32
        Rows whose second halves are the gradients of message sums.
    g_x : (nodes, n_dims) float64
    room : float32
        For six arrays of the tile's features.
    """
    d = relative.shape[1]
    size = (TILE + 1) * width
    used = n_edges * width
    e_rows, e_slopes, m_rows = room, room[size:], room[2 * size :]
    m_slopes, g_rows, g_slopes = room[3 * size :], room[4 * size :], room[5 * size :]
    # the tile once more
    first_edges(pairs, receivers, senders, scalars, n_edges, width, weights, place, e_rows)
    bend(e_rows, e_rows, e_slopes, used)
    after = dense(e_rows, 0, width, n_edges, width, weights, place + 3 * width, width, False, m_rows, 0, width)
    bend(m_rows, m_rows, m_slopes, used)
    after = dense(m_rows, 0, width, n_edges, width, weights, after, width, False, g_rows, 0, width)
    bend(g_rows, g_rows, g_slopes, used)
    # phi_x = g . w_3, and back through g
    at_matrix_3 = grown
    at_bias_3 = at_matrix_3 + whole_rows(width) * width
    at_row_3 = at_bias_3 + width
    for e in range(n_edges):
        i, j = receivers[e], senders[e]
        summed, of_phi = broadcast(np.float32(0.0)), 0.0
        for k in range(0, width, LANES):
            summed = fma(load(g_rows, e * width + k), load(weights, after + k), summed)
        phi = total(summed)
        for k in range(d):
            of_phi += g_pull[i, k] * relative[e, k]
            g_r = g_pull[i, k] * phi
            g_x[i, k] += g_r
            g_x[j, k] -= g_r
        factor = broadcast(np.float32(of_phi))
        for k in range(0, width, LANES):
            at = e * width + k
            store(gradients, at_row_3 + k, fma(factor, load(g_rows, at), load(gradients, at_row_3 + k)))
            store(g_slopes, at, multiply(multiply(factor, load(weights, after + k)), load(g_slopes, at)))
            store(g_rows, at, load(g_nodes, (2 * i + 1) * width + k))  # g_m begins with that of the sum
    outer_onto(g_slopes, 0, width, width, m_rows, 0, width, width, n_edges, gradients, at_matrix_3)
    rows_onto(g_slopes, 0, width, n_edges, width, gradients, at_bias_3)
    back = dense_onto(g_slopes, 0, width, n_edges, width, transposed, back, width, g_rows, 0, width)
    scale(g_rows, m_slopes, used)
    at_matrix_2 = at_row_3 + width
    at_bias_2 = outer_onto(g_rows, 0, width, width, e_rows, 0, width, width, n_edges, gradients, at_matrix_2)
    at_scalars = rows_onto(g_rows, 0, width, n_edges, width, gradients, at_bias_2)
    m_slopes[: whole_rows(n_edges) * width] = np.float32(0.0)
    dense_onto(g_rows, 0, width, n_edges, width, transposed, back, width, m_slopes, 0, width)
    scale(m_slopes, e_slopes, used)
    for k in range(0, width, LANES):
        a, b, c = (
            load(gradients, at_scalars + k),
            load(gradients, at_scalars + width + k),
            load(gradients, at_scalars + 2 * width + k),
        )
        for e in range(n_edges):
            given = load(m_slopes, e * width + k)
            a = fma(broadcast(scalars[e, 0]), given, a)
            b = fma(broadcast(scalars[e, 1]), given, b)
            c = fma(broadcast(scalars[e, 2]), given, c)
        store(gradients, at_scalars + k, a)
        store(gradients, at_scalars + width + k, b)
        store(gradients, at_scalars + 2 * width + k, c)
    for e in range(n_edges):
        i, j = receivers[e], senders[e]
        add_row(m_slopes, e * width, g_pairs, 2 * i * width, width)
        add_row(m_slopes, e * width, g_pairs, (2 * j + 1) * width, width)
        summed = broadcast(np.float32(0.0))
        for k in range(0, width, LANES):
            summed = fma(load(m_slopes, e * width + k), load(weights, place + k), summed)
        of_d2 = 2.0 * np.float64(total(summed))
        for k in range(d):
            g_x[i, k] += of_d2 * relative[e, k]
            g_x[j, k] -= of_d2 * relative[e, k]


@kernel
def edges_back(
    x0: FloatArray,
    x: FloatArray,
    q: FloatArray,
    n: int,
    width: int,
    weights: FloatArray,
    place: int,
    transposed: FloatArray,
    back: int,
    pairs: FloatArray,
    g_pull: DoubleArray,
    g_nodes: FloatArray,
    g_pairs: FloatArray,
    g_x: DoubleArray,
    room: FloatArray,
    gradients: FloatArray,
    grown: int,
) -> None:
    """:func:`tile_back` for all edges of a part; x0 and x are its positions at the start and before the layer."""
    n_nodes, d = x.shape
    receivers, senders = np.empty(TILE, dtype=np.int64), np.empty(TILE, dtype=np.int64)
    relative, scalars = np.empty((TILE, d), dtype=np.float32), np.empty((TILE, 3), dtype=np.float32)
    filled = 0
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
            receivers[filled], senders[filled] = i, j
            filled += 1
            if filled == TILE or (i == n_nodes - 1 and s == n - 2):
                tile_back(
                    filled,
                    width,
                    weights,
                    place,
                    transposed,
                    back,
                    pairs,
                    receivers,
                    senders,
                    relative,
                    scalars,
                    g_pull,
                    g_nodes,
                    g_pairs,
                    g_x,
                    room,
                    gradients,
                    grown,
                )
                filled = 0


@kernel
def forward_kept(
    n: int,
    x0: FloatArray,
    v0: FloatArray,
    q: FloatArray,
    weights: FloatArray,
    width: int,
    n_layers: int,
    carried: bool,
    x: FloatArray,
    v: FloatArray,
    nodes: FloatArray,
    pairs: FloatArray,
    hidden: FloatArray,
) -> None:
    """The forward pass of a part, with what its gradients need.

    Parameters
    ----------
    n : int
        Nodes of each system.
    x0, v0 : (nodes, n_dims) float32
    q : (nodes,) float32
    carried : bool
        Velocities are carried from layer to layer (the recurrent form).
    x, v : (layers + 1, nodes, n_dims) float32
        Written: positions, and velocities where they are carried, before each layer and behind the last.
    nodes : (layers, rows, 2 width) float32
        Written: features and sums of messages; as many rows as nodes, filled up to whole ROWS, zero at first.
    pairs : (layers, rows, 2 width) float32
        Written: P and S.
    hidden : (layers, 2, rows, width) float32
        Written: h W_4 + b_4 and [h, sum m] W_5 + b_5, before silu.
    """
    count, d = x0.shape
    rows = whole_rows(count)
    row = 2 * width
    spare = room_for((rows + 1) * width)
    edges, messages = room_for((FORWARD_TILE + 1) * width), room_for((FORWARD_TILE + 1) * width)
    block = room_for(width)
    gains = np.zeros(max(FORWARD_TILE, rows) + ROWS, dtype=np.float32)
    pull, numbers = np.zeros((count, d)), np.empty((3, FORWARD_TILE), dtype=np.int64)
    relative = np.empty((FORWARD_TILE, d), dtype=np.float32)
    scalars = np.empty((FORWARD_TILE, 3), dtype=np.float32)
    x[0], v[0] = x0, v0
    h = nodes[0].reshape(-1)
    for i in range(count):
        speed = np.float32(0.0)
        for k in range(d):
            speed += v0[i, k] * v0[i, k]
        speed = np.float32(math.sqrt(speed + np.float32(1e-16)))
        for k in range(0, width, LANES):
            store(h, i * row + k, fma(broadcast(speed), load(weights, k), load(weights, width + k)))
    place = 2 * width
    for layer in range(n_layers):
        h, both = nodes[layer].reshape(-1), pairs[layer].reshape(-1)
        place = dense(h, 0, row, count, width, weights, place, row, False, both, 0, row)
        summed = layer < n_layers - 1
        place = convolve(
            x0,
            x[layer],
            q,
            n,
            weights,
            place,
            width,
            both,
            h,
            pull,
            edges,
            messages,
            block,
            gains,
            numbers,
            relative,
            scalars,
            summed,
        )
        of_gain = hidden[layer, 0].reshape(-1)
        place = dense(h, 0, row, count, width, weights, place, width, False, of_gain, 0, width)
        for i in range(count):
            total_gain = broadcast(np.float32(0.0))
            for k in range(0, width, LANES):
                total_gain = fma(silu(load(of_gain, i * width + k)), load(weights, place + k), total_gain)
            gain = total(total_gain) + weights[place + width]
            for k in range(d):
                move = np.float32(pull[i, k] / (n - 1))
                if carried:
                    v[layer + 1, i, k] = gain * v[layer, i, k] + move
                    x[layer + 1, i, k] = x[layer, i, k] + v[layer + 1, i, k]
                else:
                    x[layer + 1, i, k] = x[layer, i, k] + move + gain * v0[i, k]
        place += width + LANES
        if summed:
            of_update, following = hidden[layer, 1].reshape(-1), nodes[layer + 1].reshape(-1)
            place = dense(h, 0, row, count, row, weights, place, width, False, of_update, 0, width)
            for k in range(0, count * width, LANES):
                store(spare, k, silu(load(of_update, k)))
            place = dense(spare, 0, width, count, width, weights, place, width, False, following, 0, row)
            for i in range(count):
                add_row(h, i * row, following, i * row, width)


@kernel
def backward_kept(
    n: int,
    x0: FloatArray,
    v0: FloatArray,
    q: FloatArray,
    weights: FloatArray,
    starts: IntArray,
    transposed: FloatArray,
    width: int,
    n_layers: int,
    carried: bool,
    x: FloatArray,
    v: FloatArray,
    nodes: FloatArray,
    pairs: FloatArray,
    hidden: FloatArray,
    g_out: FloatArray,
    gradients: FloatArray,
) -> None:
    """Gradients of all weights from that of a part's last positions; the opposite of :func:`forward_kept`.

    Parameters
    ----------
    starts : (layers,) int64
        Where each layer's weights begin.
    g_out : (nodes, n_dims) float32
    gradients : float32
        Added to.
    """
    count, d = x0.shape
    rows = whole_rows(count)
    row = 2 * width
    used = count * width
    g_pairs = room_for((rows + 1) * row)
    g_nodes = room_for((rows + 1) * row)  # of features and of message sums
    spare, slopes = room_for((rows + 1) * width), room_for((rows + 1) * width)
    room = room_for(6 * (TILE + 1) * width)
    g_x, g_v = np.empty((count, d)), np.zeros((count, d))
    g_pull = np.empty((count, d))
    for i in range(count):
        for k in range(d):
            g_x[i, k] = g_out[i, k]
    back, grown = 0, 0
    square = width * width
    for layer in range(n_layers - 1, -1, -1):
        h = nodes[layer].reshape(-1)
        at_edges = starts[layer] + 2 * square + row
        after = at_edges + 3 * width + 3 * (square + width) + width  # w_4 and b
        if layer < n_layers - 1:
            # h' = h + silu([h, sum m] W_5 + b_5) W_6 + b_6
            bend(hidden[layer, 1].reshape(-1), spare, slopes, used)
            grown = outer_onto(g_nodes, 0, row, width, spare, 0, width, width, count, gradients, grown)
            grown = rows_onto(g_nodes, 0, row, count, width, gradients, grown)
            spare[: rows * width] = np.float32(0.0)
            back = dense_onto(g_nodes, 0, row, count, width, transposed, back, width, spare, 0, width)
            scale(spare, slopes, used)
            grown = outer_onto(spare, 0, width, width, h, 0, row, row, count, gradients, grown)
            grown = rows_onto(spare, 0, width, count, width, gradients, grown)
            for i in range(count):
                g_nodes[(2 * i + 1) * width : (2 * i + 2) * width] = np.float32(0.0)
            back = dense_onto(spare, 0, width, count, width, transposed, back, row, g_nodes, 0, row)
        # x' = x + pull + gain v with gain = silu(h W_4 + b_4) . w_4 + b
        bend(hidden[layer, 0].reshape(-1), spare, slopes, used)
        at_row = grown + whole_rows(width) * width + width
        for i in range(count):
            of_gain = 0.0
            for k in range(d):
                if carried:
                    g_v[i, k] += g_x[i, k]
                    of_gain += g_v[i, k] * v[layer, i, k]
                    g_pull[i, k] = g_v[i, k] / (n - 1)
                else:
                    of_gain += g_x[i, k] * v0[i, k]
                    g_pull[i, k] = g_x[i, k] / (n - 1)
            factor = broadcast(np.float32(of_gain))
            gain = np.float64(weights[after + width])
            for k in range(0, width, LANES):
                at = i * width + k
                gain += np.float64(total(multiply(load(spare, at), load(weights, after + k))))
                store(gradients, at_row + k, fma(factor, load(spare, at), load(gradients, at_row + k)))
                store(slopes, at, multiply(multiply(factor, load(weights, after + k)), load(slopes, at)))
            gradients[at_row + width] += np.float32(of_gain)
            for k in range(d):
                g_v[i, k] *= gain
        grown = outer_onto(slopes, 0, width, width, h, 0, row, width, count, gradients, grown)
        rows_onto(slopes, 0, width, count, width, gradients, grown)
        grown = at_row + width + LANES
        back = dense_onto(slopes, 0, width, count, width, transposed, back, width, g_nodes, 0, row)
        # sums over edges
        g_pairs[:] = np.float32(0.0)
        edges_back(
            x0,
            x[layer],
            q,
            n,
            width,
            weights,
            at_edges,
            transposed,
            back,
            pairs[layer].reshape(-1),
            g_pull,
            g_nodes,
            g_pairs,
            g_x,
            room,
            gradients,
            grown,
        )
        back += 2 * square
        grown += 2 * whole_rows(width) * width + 6 * width
        # P and S of the features
        grown = outer_onto(g_pairs, 0, row, row, h, 0, row, width, count, gradients, grown)
        grown = rows_onto(g_pairs, 0, row, count, width, gradients, grown)
        back = dense_onto(g_pairs, 0, row, count, row, transposed, back, width, g_nodes, 0, row)
    # h(0) = speed w + b
    for i in range(count):
        speed = np.float32(0.0)
        for k in range(d):
            speed += v0[i, k] * v0[i, k]
        factor = broadcast(np.float32(math.sqrt(speed + np.float32(1e-16))))
        for k in range(0, width, LANES):
            given = load(g_nodes, i * row + k)
            store(gradients, grown + k, fma(factor, given, load(gradients, grown + k)))
            store(gradients, grown + width + k, add(given, load(gradients, grown + width + k)))


@kernel
def picked(values: FloatArray, places: IntArray, out: FloatArray) -> None:
    """Out[k] = values[places[k]]."""
    for k in range(len(places)):
        out[k] = values[places[k]]


@kernel
def gathered(parts: FloatArray, places: IntArray, out: FloatArray) -> None:
    """Out[k] = the sum over parts of parts[p, places[k]], in their order."""
    for k in range(len(places)):
        summed = parts[0, places[k]]
        for p in range(1, len(parts)):
            summed += parts[p, places[k]]
        out[k] = summed
