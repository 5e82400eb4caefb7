"""Training's half of the fused EGNN: a forward pass that keeps its nodes, and the gradients of all weights.

Nothing of the size of the edges is kept: the backward pass makes each tile of edges again, in the caches. Kept are
features, message sums, positions and velocities of the nodes before every layer, and what goes into silu. Systems
are worked on in parts, each with gradient sums of its own, so that their order does not depend on threads.

Letters are those of :mod:`surrogate.models.egnn.model`: edges go through e = silu(P_i + S_j + scalars . W_c),
m = silu(e W_2 + b_2), g = silu(m W_3 + b_3), phi_x = g . w_3; g_y is the gradient of the loss with respect to y.
Weights, their transposes and gradients are flat arrays in the orders of
:class:`surrogate.models.egnn.cpu.layout.TrainingLayout`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from surrogate.models.egnn.cpu.edges_backward import TILE, edges_back
from surrogate.models.egnn.cpu.kernels import TILE as FORWARD_TILE
from surrogate.models.egnn.cpu.kernels import convolve
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
from surrogate.nn.cpu.tiles import LANES, ROWS, add, broadcast, fma, load, multiply, silu, store, total

FloatArray = NDArray[np.float32]
DoubleArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


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
        Written: features and sums of messages; as many rows as nodes, filled up to whole ROWS.
    pairs : (layers, rows, 2 width) float32
        Written: P and S.
    hidden : (layers, 2, rows, width) float32
        Written: h W_4 + b_4 and [h, sum m] W_5 + b_5, before silu.
    """
    count, d = x0.shape
    rows = whole_rows(count)
    row = 2 * width
    spare = aligned_zeros((rows + 1) * width)
    edges, messages = aligned_zeros((FORWARD_TILE + 1) * width), aligned_zeros((FORWARD_TILE + 1) * width)
    block = aligned_zeros(width)
    gains = np.zeros(max(FORWARD_TILE, rows) + ROWS, dtype=np.float32)
    updates, numbers = np.zeros((count, d)), np.empty((3, FORWARD_TILE), dtype=np.int64)
    relative = np.empty((FORWARD_TILE, d), dtype=np.float32)
    scalars = np.empty((FORWARD_TILE, 3), dtype=np.float32)
    nodes[:, count:] = np.float32(0.0)
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
            updates,
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
                move = np.float32(updates[i, k] / (n - 1))
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
    g_pairs = aligned_zeros((rows + 1) * row)
    g_nodes = aligned_zeros((rows + 1) * row)  # of features and of message sums
    spare, slopes = aligned_zeros((rows + 1) * width), aligned_zeros((rows + 1) * width)
    buffers = aligned_zeros(6 * (TILE + 1) * width)
    g_x, g_v = np.empty((count, d)), np.zeros((count, d))
    g_updates = np.empty((count, d))
    for i in range(count):
        for k in range(d):
            g_x[i, k] = g_out[i, k]
    back, g_place = 0, 0
    square = width * width
    for layer in range(n_layers - 1, -1, -1):
        h = nodes[layer].reshape(-1)
        at_edges = starts[layer] + 2 * square + row
        after = at_edges + 3 * width + 3 * (square + width) + width  # w_4 and b
        if layer < n_layers - 1:
            # h' = h + silu([h, sum m] W_5 + b_5) W_6 + b_6
            silu_and_slope(hidden[layer, 1].reshape(-1), spare, slopes, used)
            g_place = outer_onto(g_nodes, 0, row, width, spare, 0, width, width, count, gradients, g_place)
            g_place = rows_onto(g_nodes, 0, row, count, width, gradients, g_place)
            spare[: rows * width] = np.float32(0.0)
            back = dense_onto(g_nodes, 0, row, count, width, transposed, back, width, spare, 0, width)
            scale(spare, slopes, used)
            g_place = outer_onto(spare, 0, width, width, h, 0, row, row, count, gradients, g_place)
            g_place = rows_onto(spare, 0, width, count, width, gradients, g_place)
            for i in range(count):
                g_nodes[(2 * i + 1) * width : (2 * i + 2) * width] = np.float32(0.0)
            back = dense_onto(spare, 0, width, count, width, transposed, back, row, g_nodes, 0, row)
        # x' = x + updates + gain v with gain = silu(h W_4 + b_4) . w_4 + b
        silu_and_slope(hidden[layer, 0].reshape(-1), spare, slopes, used)
        at_row = g_place + whole_rows(width) * width + width
        for i in range(count):
            of_gain = 0.0
            for k in range(d):
                if carried:
                    g_v[i, k] += g_x[i, k]
                    of_gain += g_v[i, k] * v[layer, i, k]
                    g_updates[i, k] = g_v[i, k] / (n - 1)
                else:
                    of_gain += g_x[i, k] * v0[i, k]
                    g_updates[i, k] = g_x[i, k] / (n - 1)
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
        g_place = outer_onto(slopes, 0, width, width, h, 0, row, width, count, gradients, g_place)
        rows_onto(slopes, 0, width, count, width, gradients, g_place)
        g_place = at_row + width + LANES
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
            g_updates,
            g_nodes,
            g_pairs,
            g_x,
            buffers,
            gradients,
            g_place,
        )
        back += 2 * square
        g_place += 2 * whole_rows(width) * width + 6 * width
        # P and S of the features
        g_place = outer_onto(g_pairs, 0, row, row, h, 0, row, width, count, gradients, g_place)
        g_place = rows_onto(g_pairs, 0, row, count, width, gradients, g_place)
        back = dense_onto(g_pairs, 0, row, count, row, transposed, back, width, g_nodes, 0, row)
    # h(0) = speed w + b
    for i in range(count):
        speed = np.float32(0.0)
        for k in range(d):
            speed += v0[i, k] * v0[i, k]
        factor = broadcast(np.float32(math.sqrt(speed + np.float32(1e-16))))
        for k in range(0, width, LANES):
            given = load(g_nodes, i * row + k)
            store(gradients, g_place + k, fma(factor, given, load(gradients, g_place + k)))
            store(gradients, g_place + width + k, add(given, load(gradients, g_place + width + k)))


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
