"""Products of rows with matrices, and what else kernels of networks do to rows, on the engine's register tiles.

Rows are runs of `width` float32 numbers in flat arrays, a `stride` apart from `start` on; `width` is a multiple of
PANEL. A matrix (in, out) is stored as out / PANEL panels (in, PANEL). The order in which a row's numbers are
summed depends on the row alone.
"""

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from surrogate.nn.cpu.tiles import (
    LANES,
    PANEL,
    ROWS,
    add,
    add_dots,
    broadcast,
    fma,
    load,
    load_tile,
    multiply,
    plus_outer,
    sigmoid,
    store,
    store_tile,
    tile_of,
    tile_silu,
)

FloatArray = NDArray[np.float32]


@kernel
def whole_rows(n: int) -> int:
    """`n` filled up to a multiple of ROWS."""
    return (n + ROWS - 1) // ROWS * ROWS


@kernel
def aligned_zeros(n_numbers: int) -> FloatArray:
    """Zeros that begin a cache line, so that no vector crosses one."""
    held = np.zeros(n_numbers + LANES, dtype=np.float32)
    return held[-(held.ctypes.data // 4) % LANES :]


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
    n_in: int,
    width: int,
    weights: FloatArray,
    place: int,
    out: FloatArray,
    out_start: int,
) -> int:
    """Out = silu(x W + b) . w: a map to one number without its own bias; returns the place behind w."""
    bias = place + n_in * width
    last = bias + width
    for row in range(n_rows + ROWS - 1):
        out[out_start + row] = np.float32(0.0)
    for panel in range(0, width, PANEL):
        first = place + n_in * panel
        for row in range(0, n_rows, ROWS):
            tile = tile_of(weights, bias + panel)
            at = start + row * stride
            for k in range(n_in):
                tile = plus_outer(tile, x, at + k, stride, weights, first + k * PANEL)
            add_dots(tile_silu(tile), weights, last + panel, out, out_start + row)
    return last + width


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
def add_row(x: FloatArray, start: int, out: FloatArray, out_start: int, width: int) -> None:
    """Out += x, `width` numbers."""
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
def silu_and_slope(x: FloatArray, values: FloatArray, slopes: FloatArray, n_numbers: int) -> None:
    """`values` is silu(x) (may be x), `slopes` the derivative there: s + silu (1 - s) with s = sigmoid(x)."""
    one, minus = broadcast(np.float32(1.0)), broadcast(np.float32(-1.0))
    for k in range(0, n_numbers, LANES):
        s = sigmoid(load(x, k))
        y = multiply(load(x, k), s)
        store(values, k, y)
        store(slopes, k, fma(y, fma(minus, s, one), s))


@kernel
def scale(x: FloatArray, factors: FloatArray, n_numbers: int) -> None:
    """X times factors, number by number."""
    for k in range(0, n_numbers, LANES):
        store(x, k, multiply(load(x, k), load(factors, k)))
