"""Operations on rows: the compiled ones against their meaning in NumPy."""

import numpy as np
import pytest

from physics.kernels import points, rows, vectors
from physics.kernels.jit import kernel


@pytest.mark.parametrize("width", [1, 8])
@pytest.mark.parametrize("n_rows", [3, 5])
@pytest.mark.parametrize("n_dims", [1, 3])
def test_rows_do_what_their_points_do(n_rows, n_dims, width, rng):
    coordinates = n_rows * n_dims
    last = (n_rows - 1) // 2 - 1

    @kernel
    def combined(x, y, out):
        p, f = (
            points.load_point(x, 0, width, coordinates, width),
            points.load_point(y, 0, width, coordinates, width),
        )
        q, r = points.load_point(x, 5, width, n_rows, width), points.load_point(x, 7, width, n_dims, width)
        c = vectors.mul(
            rows.inner_products(q, q, 0), rows.inner_squares(p, n_rows, 0, vectors.broadcast(0.5, width))
        )
        f = rows.inner_forces(f, c, p, 0)
        c = rows.inner_squares(p, n_rows, last, vectors.broadcast(0.5, width))
        f = rows.inner_forces(f, vectors.fma(c, c, vectors.constant(0.1, c)), p, last)
        c = rows.squares(p, r, vectors.broadcast(0.1, width))
        f = rows.scaled_each(rows.plus_each(f, c, p, r), q)
        points.store_point(out, 0, width, f)
        points.store_point(out, coordinates * width, width, rows.minus_all(r, c, p, r))

    x, y = rng.standard_normal((2, coordinates * width + 64))
    out, expected = np.zeros((2, coordinates * width + 64))
    combined(x, y, out)
    combined.py_func(x, y, expected)
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-12)
    assert np.count_nonzero(out) == (coordinates + n_dims) * width


def test_parts_of_the_inner_pairs_are_all_of_them():
    assert rows.inner_pairs(3, 0) == [(0, 1), (0, 2), (1, 2)]
    both = rows.inner_pairs(5, 0) + rows.inner_pairs(5, 1)
    assert both == [(a, b) for a in range(5) for b in range(a + 1, 5)]
