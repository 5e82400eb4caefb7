"""The sums of :mod:`physics.sums.lanes` for the common laws, five particles i at a time.

Pairs are visited in another order than there, but each particle's own sum keeps its order: the bits are the same.
What it gains is time: a particle j is loaded and stored once for five pairs, and their inverse cubes are under way
together.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from physics.kernels.inverse_cube import GROUP, inverse_cube
from physics.kernels.jit import kernel
from physics.kernels.points import (
    limited,
    load_point,
    minus_scaled,
    plus_scaled,
    plus_square,
    point_difference,
    scaled,
    store_point,
)
from physics.kernels.rows import (
    inner_forces,
    inner_products,
    inner_squares,
    minus_all,
    plus_each,
    scaled_each,
    squares,
)
from physics.kernels.vectors import Point, Vector, aligned_stack, broadcast, constant, fma, load, mul
from physics.sums.passes import Kicks, LaneForces

FloatArray = NDArray[np.float64]

ROWS = 5
"""Particles taken together: an odd number. More would not fit into the registers."""


@kernel
def kicked(v_i: Point, a_i: Point, like: Vector, closing: float, opening: float) -> Point:
    """Velocities after the kicks that are not of 0."""
    if closing != 0.0:
        v_i = plus_scaled(v_i, constant(closing, like), a_i)
    if opening != 0.0:
        v_i = plus_scaled(v_i, constant(opening, like), a_i)
    return v_i


def five_row_passes(n_dims: int) -> Callable[..., None]:
    """Passes (:func:`physics.sums.lanes.passes`) under laws whose pair force falls as 1/r^2, for one n."""
    coordinates, width = ROWS * n_dims, GROUP // 2

    @kernel
    def passes(
        x: FloatArray,
        v: FloatArray,
        acting: LaneForces,
        f: FloatArray,
        w: int,
        kicks: Kicks,
        n_passes: int,
    ) -> None:
        aligned_stack()
        coupling, inverse_mass, law, softening2 = acting
        closing, opening, dt = kicks
        n, lanes = x.shape[0], x.shape[2]
        across = n_dims * lanes
        in_rows = n - n % ROWS
        moves = closing != 0.0 or opening != 0.0
        eps2, less_pull = broadcast(softening2, width), -law.pull
        scale, limit = broadcast(law.constants.scale, width), broadcast(law.constants.limit, width)
        dt_w = broadcast(dt, width)
        for u in range(w, w + GROUP, width):
            for _ in range(n_passes):
                for i in range(0, in_rows, ROWS):
                    at, weight_at = i * across + u, i * lanes + u
                    x_i = load_point(x, at, lanes, coordinates, width)
                    f_i = load_point(f, at, lanes, coordinates, width)
                    q_i = load_point(coupling, weight_at, lanes, ROWS, width)
                    k_i = scaled(q_i, scale)
                    c = inverse_cube(inner_squares(x_i, ROWS, 0, eps2))
                    c = fma(inner_products(k_i, q_i, 0), c, constant(less_pull, c))
                    f_i = inner_forces(f_i, c, x_i, 0)
                    c = inverse_cube(inner_squares(x_i, ROWS, 1, eps2))
                    c = fma(inner_products(k_i, q_i, 1), c, constant(less_pull, c))
                    f_i = inner_forces(f_i, c, x_i, 1)
                    for j in range(i + ROWS, n):
                        to = j * across + u
                        x_j = load_point(x, to, lanes, n_dims, width)
                        k_ij = scaled(k_i, load(coupling, j * lanes + u, width))
                        c = fma(k_ij, inverse_cube(squares(x_i, x_j, eps2)), constant(less_pull, k_ij))
                        f_i = plus_each(f_i, c, x_i, x_j)
                        f_j = load_point(f, to, lanes, n_dims, width)
                        store_point(f, to, lanes, minus_all(f_j, c, x_i, x_j))
                    if law.constants.limit < np.inf:
                        f_i = limited(f_i, limit)
                    a_i = scaled_each(f_i, load_point(inverse_mass, weight_at, lanes, ROWS, width))
                    if not moves:
                        store_point(f, at, lanes, a_i)
                    else:
                        v_i = kicked(load_point(v, at, lanes, coordinates, width), a_i, scale, closing, opening)
                        store_point(v, at, lanes, v_i)
                        store_point(f, at, lanes, constant(0.0, a_i))
                        if dt != 0.0:
                            store_point(x, at, lanes, plus_scaled(x_i, dt_w, v_i))
                for i in range(in_rows, n):  # what is left, one by one
                    at = i * across + u
                    x_i, f_i = load_point(x, at, lanes, n_dims, width), load_point(f, at, lanes, n_dims, width)
                    k_i = mul(scale, load(coupling, i * lanes + u, width))
                    for j in range(i + 1, n):
                        to = j * across + u
                        r = point_difference(x_i, load_point(x, to, lanes, n_dims, width))
                        k_ij = mul(k_i, load(coupling, j * lanes + u, width))
                        c = fma(k_ij, inverse_cube(plus_square(r, eps2)), constant(less_pull, k_ij))
                        f_i = plus_scaled(f_i, c, r)
                        store_point(f, to, lanes, minus_scaled(load_point(f, to, lanes, n_dims, width), c, r))
                    if law.constants.limit < np.inf:
                        f_i = limited(f_i, limit)
                    a_i = scaled(f_i, load(inverse_mass, i * lanes + u, width))
                    if not moves:
                        store_point(f, at, lanes, a_i)
                    else:
                        v_i = kicked(load_point(v, at, lanes, n_dims, width), a_i, scale, closing, opening)
                        store_point(v, at, lanes, v_i)
                        store_point(f, at, lanes, constant(0.0, a_i))
                        if dt != 0.0:
                            store_point(x, at, lanes, plus_scaled(x_i, dt_w, v_i))

    return passes


_in_2, _in_3 = five_row_passes(2), five_row_passes(3)


@kernel
def takes_rows(n: int, d: int) -> bool:
    """Whether rows are the faster way for `n` particles in `d` dimensions.

    In 4 they gain a tenth from 20 particles on, for five seconds of compilation.
    """
    return (d == 2 or d == 3) and (n == ROWS or n >= 2 * ROWS)


@kernel
def row_passes(
    x: FloatArray,
    v: FloatArray,
    acting: LaneForces,
    f: FloatArray,
    w: int,
    kicks: Kicks,
    n_passes: int,
) -> None:
    """Passes of a group of lanes, where :func:`takes_rows`."""
    d = x.shape[1]
    if d == 2:
        _in_2(x, v, acting, f, w, kicks, n_passes)
    else:
        _in_3(x, v, acting, f, w, kicks, n_passes)
