"""Every tile operation: the compiled one against its meaning in NumPy; silu against float64."""

import numpy as np
import pytest

from physics.kernels.jit import kernel
from surrogate.nn.cpu import tiles
from surrogate.nn.cpu.tiles import LANES, PANEL, ROWS

ROUNDING = 2e-6
"""Relative: the Python functions round twice where kernels fuse, over a few hundred numbers."""


@kernel
def silus(x, out):
    for k in range(0, len(x), LANES):
        tiles.store(out, k, tiles.silu(tiles.load(x, k)))


@kernel
def affine(x, y, value, out):
    for k in range(0, len(x), LANES):
        scaled = tiles.fma(tiles.broadcast(value), tiles.load(x, k), tiles.load(y, k))
        tiles.store(out, k, tiles.add(scaled, tiles.load(y, k)))


@kernel
def product(x, stride, weights, n_in, active, out, dots):
    tile = tiles.tile_of(weights, n_in * PANEL)
    for k in range(n_in):
        tile = tiles.plus_outer(tile, x, k, stride, weights, k * PANEL)
    if active:
        tile = tiles.tile_silu(tile)
    tiles.store_tile(tile, out, 0, PANEL)
    tiles.add_dots(tile, weights, n_in * PANEL, dots, 0)


@kernel
def slopes(x, out, sums):
    for k in range(0, len(x), LANES):
        s = tiles.sigmoid(tiles.load(x, k))
        tiles.store(out, k, tiles.multiply(s, tiles.load(x, k)))
        sums[k // LANES] = tiles.total(s)


@kernel
def added(x, stride, y, out):
    tile = tiles.plus_outer(tiles.load_tile(x, 2, stride), y, 0, 1, x, 0)
    tiles.store_tile(tile, out, 0, PANEL)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def exact_silu(x):
    x = x.astype(np.float64)
    with np.errstate(over="ignore"):
        return x / (1 + np.exp(-x))


def worst_units(found, exact):
    return float((np.abs(found - exact) / np.spacing(np.abs(exact).astype(np.float32))).max())


def silu_of(x):
    out = np.empty_like(x)
    silus(x, out)
    return out


def test_silu_is_right_to_its_last_places():
    x = np.linspace(-80, 80, 1_600_000, dtype=np.float32)
    near = np.linspace(-15, 15, 1_600_000, dtype=np.float32)
    assert worst_units(silu_of(near), exact_silu(near)) < 3.0
    assert worst_units(silu_of(x), exact_silu(x)) < 6.0
    wrong = silu_of(near) * np.float32(1 + 4e-7)
    assert worst_units(wrong, exact_silu(near)) > 3.0


def test_silu_of_extremes():
    x = np.zeros(16, dtype=np.float32)
    x[:9] = [0, -0.0, 1e4, 3e38, np.inf, -1e4, -3e38, np.nan, 100]
    found = silu_of(x)
    np.testing.assert_array_equal(found[[0, 1, 2, 3, 4, 8]], x[[0, 1, 2, 3, 4, 8]])
    assert -1e-30 < found[5] <= 0
    assert np.isnan(found[7])


def test_silu_means_what_numpy_does():
    x = 5 * numbers(LANES * 8)
    meant = np.concatenate([tiles.silu(part) for part in x.reshape(-1, LANES)])
    np.testing.assert_allclose(silu_of(x), meant, rtol=ROUNDING)


def test_vectors_mean_what_numpy_does():
    x, y = numbers(LANES * 4), numbers(LANES * 4, seed=1)
    out = np.empty_like(x)
    affine(x, y, np.float32(1.5), out)
    np.testing.assert_allclose(out, np.float32(1.5) * x + 2 * y, rtol=ROUNDING, atol=ROUNDING)
    meant = tiles.add(tiles.fma(tiles.broadcast(np.float32(1.5)), x[:LANES], y[:LANES]), y[:LANES])
    np.testing.assert_allclose(out[:LANES], meant, rtol=ROUNDING, atol=ROUNDING)


def test_sigmoid_is_the_slope_of_silu_without_its_factor():
    x = np.linspace(-80, 80, 160_000, dtype=np.float32)
    out, sums = np.empty_like(x), np.empty(len(x) // LANES, dtype=np.float32)
    slopes(x, out, sums)
    assert worst_units(out, exact_silu(x)) < 6.0
    exact = (1 / (1 + np.exp(-x.astype(np.float64)))).reshape(-1, LANES)
    np.testing.assert_allclose(sums, exact.sum(1), rtol=1e-6)
    meant = np.array([tiles.total(tiles.sigmoid(part)) for part in x.reshape(-1, LANES)])
    np.testing.assert_allclose(sums, meant, rtol=ROUNDING, atol=1e-9)


def test_a_tile_is_read_row_by_row():
    stride = PANEL + 7
    x, y, out = numbers(ROWS * stride + 2), numbers(ROWS, seed=1), np.empty(ROWS * PANEL, dtype=np.float32)
    added(x, stride, y, out)
    rows = x[2:].reshape(ROWS, stride)[:, :PANEL]
    np.testing.assert_allclose(out.reshape(ROWS, PANEL), rows + y[:, None] * x[:PANEL], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(tiles.load_tile(x, 2, stride), rows)


@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize("n_in", [1, 7, 64])
def test_a_tile_is_a_product_with_a_matrix(n_in, active):
    stride = n_in + 3
    x, weights = numbers(ROWS * stride), numbers((n_in + 1) * PANEL, seed=1)
    out, dots = np.zeros(ROWS * PANEL, dtype=np.float32), np.ones(ROWS, dtype=np.float32)
    product(x, stride, weights, n_in, active, out, dots)
    rows = x.reshape(ROWS, stride)[:, :n_in].astype(np.float64)
    exact = rows @ weights[: n_in * PANEL].reshape(n_in, PANEL) + weights[n_in * PANEL :]
    exact = exact_silu(exact) if active else exact
    np.testing.assert_allclose(out.reshape(ROWS, PANEL), exact, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(dots, 1 + exact @ weights[n_in * PANEL :], rtol=1e-5, atol=1e-4)
    tile = tiles.tile_of(weights, n_in * PANEL)
    for k in range(n_in):
        tile = tiles.plus_outer(tile, x, k, stride, weights, k * PANEL)
    meant, meant_dots = np.zeros_like(out), np.ones_like(dots)
    tile = tiles.tile_silu(tile) if active else tile
    tiles.store_tile(tile, meant, 0, PANEL)
    tiles.add_dots(tile, weights, n_in * PANEL, meant_dots, 0)
    np.testing.assert_allclose(out, meant, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(dots, meant_dots, rtol=1e-5, atol=1e-4)
