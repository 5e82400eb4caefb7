"""Every vector operation: the compiled one against its meaning in NumPy, at every width."""

import math
from fractions import Fraction

import numpy as np
import pytest

from physics.kernels import points, vectors
from physics.kernels.jit import kernel

WIDTHS = (1, 2, 4, 8, 16, 64)
EDGES = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 5e-324, 1e-300, 1e300, 0.1, -3.7]
TWO = {
    "add": vectors.add,
    "sub": vectors.sub,
    "mul": vectors.mul,
    "div": vectors.div,
    "smaller": vectors.smaller,
    "larger": vectors.larger,
}


def applied(operation, width, arguments):
    """A compiled kernel that loads vectors of some width, applies an operation and stores the result."""
    if arguments == 1:

        @kernel
        def run(x, y, z, out):
            vectors.store(out, 0, operation(vectors.load(x, 0, width)))
    elif arguments == 2:

        @kernel
        def run(x, y, z, out):
            vectors.store(out, 0, operation(vectors.load(x, 0, width), vectors.load(y, 0, width)))
    else:

        @kernel
        def run(x, y, z, out):
            vectors.store(
                out, 0, operation(vectors.load(x, 0, width), vectors.load(y, 0, width), vectors.load(z, 0, width))
            )

    return run


def edges(width, shift):
    return np.resize(np.roll(EDGES, shift), max(width, len(EDGES)))[:width].copy()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", TWO)
def test_operations_of_two_have_the_bits_of_numpy(name, width):
    run = applied(TWO[name], width, 2)
    for shift_x in range(0, len(EDGES), 1 if width < 8 else 5):
        for shift_y in range(len(EDGES)):
            x, y, out = edges(width, shift_x), edges(width, shift_y), np.zeros(width)
            run(x, y, x, out)
            with np.errstate(all="ignore"):
                np.testing.assert_array_equal(out, TWO[name](x, y))
    x, y = np.random.default_rng(0).standard_normal((2, width))
    run(x, y, x, out)
    assert out.tobytes() == np.asarray(TWO[name](x, y)).tobytes()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("operation", [vectors.root, vectors.root_seed], ids=["root", "root_seed"])
def test_operations_of_one_have_the_bits_of_numpy(operation, width, rng):
    run = applied(operation, width, 1)
    x, out = np.exp(rng.uniform(-300, 300, width)), np.zeros(width)
    run(x, x, x, out)
    assert out.tobytes() == np.asarray(operation(x)).tobytes()


def rounded_once(x, y, z):
    return float(Fraction(x) * Fraction(y) + Fraction(z))


@pytest.mark.parametrize("width", WIDTHS)
def test_fma_rounds_once(width, rng):
    x, y = rng.standard_normal((2, width))
    z = -x * y * (1 + rng.uniform(-1e-15, 1e-15, width))  # what two roundings lose entirely
    for operation, sign in ((vectors.fma, 1.0), (vectors.fnma, -1.0)):
        out = np.zeros(width)
        applied(operation, width, 3)(x, y, sign * z, out)
        expected = [rounded_once(sign * a, b, sign * c) for a, b, c in zip(x, y, z, strict=True)]
        np.testing.assert_array_equal(out, expected)
        twice = sign * x * y + sign * z
        assert width < 4 or (out != twice).any()  # and the check bites
        np.testing.assert_allclose(operation(x, y, sign * z), out, atol=1e-15)  # its meaning without compilation


@pytest.mark.parametrize("width", WIDTHS)
def test_loads_stores_and_constants(width, rng):
    @kernel
    def moved(x, out):
        vectors.store(out, 3, vectors.add(vectors.load(x, 2, width), vectors.broadcast(2.5, width)))
        vectors.store(out, 3 + width, vectors.constant(0.5, vectors.load(x, 0, width)))

    x, out = rng.standard_normal((2, 70)), np.zeros((2, 80))  # flat indices cross rows
    moved(x, out)
    flat = out.reshape(-1)
    np.testing.assert_array_equal(flat[3 : 3 + width], x.reshape(-1)[2 : 2 + width] + 2.5)
    np.testing.assert_array_equal(flat[3 + width : 3 + 2 * width], 0.5)
    assert not flat[:3].any()
    assert not flat[3 + 2 * width :].any()
    np.testing.assert_array_equal(vectors.constant(0.5, vectors.load(x, 0, width)), vectors.broadcast(0.5, width))


@pytest.mark.parametrize("width", [1, 8, 16])
@pytest.mark.parametrize("n_dims", range(1, 9))
def test_points_do_in_every_dimension_what_vectors_do(n_dims, width, rng):
    stride = width + 3

    @kernel
    def combined(x, y, out):
        p, r = points.load_point(x, 1, stride, n_dims, width), points.load_point(y, 1, stride, n_dims, width)
        c = points.plus_square(points.point_difference(p, r), vectors.broadcast(0.25, width))
        p = points.minus_scaled(points.plus_scaled(p, c, r), vectors.broadcast(0.3, width), points.scaled(r, c))
        points.store_point(out, 2, stride, points.limited(p, vectors.broadcast(0.8, width)))

    x, y = rng.standard_normal((2, n_dims * stride + width))
    out, expected = np.zeros((2, len(x) + 2))
    combined(x, y, out)
    combined.py_func(x, y, expected)
    np.testing.assert_allclose(out, expected, rtol=1e-13, atol=1e-14)
    assert np.abs(out).max() <= 0.8
    assert np.count_nonzero(out) == n_dims * width


def test_limits_keep_nan():
    for limit in (vectors.smaller, vectors.larger):
        assert math.isnan(limit(np.array([np.nan]), np.array([1.0]))[0])
