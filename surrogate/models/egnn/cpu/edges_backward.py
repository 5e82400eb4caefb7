"""Gradients of an EGNN layer's sums over edges: each tile of edges is computed again, then differentiated.

Letters are those of :mod:`surrogate.models.egnn.cpu.gradients`.
"""

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from surrogate.models.egnn.cpu.kernels import first_layer
from surrogate.nn.cpu.tile_products import (
    add_row,
    dense,
    dense_onto,
    outer_onto,
    rows_onto,
    scale,
    silu_and_slope,
    whole_rows,
)
from surrogate.nn.cpu.tiles import LANES, ROWS, broadcast, fma, load, multiply, store, total

FloatArray = NDArray[np.float32]
DoubleArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

TILE = 8 * ROWS
"""Edges that are worked on together; six arrays of their features are 60 kB at width 64."""


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
    g_updates: DoubleArray,
    g_nodes: FloatArray,
    g_pairs: FloatArray,
    g_x: DoubleArray,
    buffers: FloatArray,
    gradients: FloatArray,
    g_place: int,
) -> None:
    """What a tile of edges gives to the gradients of weights, of P and S, and of positions.

    Parameters
    ----------
    place, back, g_place : int
        Where this layer's edge weights, their transposes and their gradients begin.
    pairs, g_pairs : float32
        Rows [P, S] of all nodes, and the gradients of these.
    relative, scalars : float32
        r_ij and [d_ij^2, q_i q_j, d_ij(0)^2] of the edges.
    g_updates : (nodes, n_dims) float64
        Gradient of the sum over j of r_ij phi_x(m_ij).
    g_nodes : float32
        Rows whose second halves are the gradients of message sums.
    g_x : (nodes, n_dims) float64
    buffers : float32
        For six arrays of the tile's features.
    """
    d = relative.shape[1]
    size = (TILE + 1) * width
    used = n_edges * width
    e_rows, e_slopes, m_rows = buffers, buffers[size:], buffers[2 * size :]
    m_slopes, g_rows, g_slopes = buffers[3 * size :], buffers[4 * size :], buffers[5 * size :]
    # the tile once more
    first_layer(pairs, receivers, senders, scalars, n_edges, width, weights, place, False, e_rows)
    silu_and_slope(e_rows, e_rows, e_slopes, used)
    after = dense(e_rows, 0, width, n_edges, width, weights, place + 3 * width, width, False, m_rows, 0, width)
    silu_and_slope(m_rows, m_rows, m_slopes, used)
    after = dense(m_rows, 0, width, n_edges, width, weights, after, width, False, g_rows, 0, width)
    silu_and_slope(g_rows, g_rows, g_slopes, used)
    # phi_x = g . w_3, and back through g
    at_matrix_3 = g_place
    at_bias_3 = at_matrix_3 + whole_rows(width) * width
    at_row_3 = at_bias_3 + width
    for e in range(n_edges):
        i, j = receivers[e], senders[e]
        summed, of_phi = broadcast(np.float32(0.0)), 0.0
        for k in range(0, width, LANES):
            summed = fma(load(g_rows, e * width + k), load(weights, after + k), summed)
        phi = total(summed)
        for k in range(d):
            of_phi += g_updates[i, k] * relative[e, k]
            g_r = g_updates[i, k] * phi
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
    g_updates: DoubleArray,
    g_nodes: FloatArray,
    g_pairs: FloatArray,
    g_x: DoubleArray,
    buffers: FloatArray,
    gradients: FloatArray,
    g_place: int,
) -> None:
    """:func:`tile_back` for all edges of a part; x0 and x are its positions at the start and before the layer."""
    n_nodes, d = x.shape
    receivers, senders = np.empty(TILE, dtype=np.int64), np.empty(TILE, dtype=np.int64)
    relative, scalars = np.empty((TILE, d), dtype=np.float32), np.empty((TILE, 3), dtype=np.float32)
    filled = 0
    # edges are made as in `convolve`: one function for both costs 5 % of the forward pass
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
                    g_updates,
                    g_nodes,
                    g_pairs,
                    g_x,
                    buffers,
                    gradients,
                    g_place,
                )
                filled = 0
