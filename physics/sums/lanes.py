"""Sums over pairs on explicit vectors, one system a lane, and the kick and drift that follow them.

Everything a step needs is made in one pass over the pairs i < j of a group of lanes: once the row of particle i is
done, its force is whole and no later pair looks at its position, so it is kicked and moved at once.
:func:`any_law_passes` does that under every law and in any n, :func:`inverse_square_passes` with points in
registers for the common laws, whose pair force falls as 1/r^2. Both make the same operations in the same order: a
lane has the same bits in either, in any block and at any width.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from physics.kernels.inverse_cube import GROUP, inverse_cube
from physics.kernels.jit import kernel
from physics.kernels.parameters import Forces, term_of
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
from physics.kernels.vectors import aligned_stack, broadcast, fma, fnma, larger, load, mul, smaller, store, sub
from physics.laws import pair_coefficients
from physics.sums.large_systems import LARGE, receiver_accelerations
from physics.sums.passes import Kicks, LaneForces
from physics.sums.rows import row_passes, takes_rows

FloatArray = NDArray[np.float64]

LANES = 32
"""Largest number of systems per block, a multiple of GROUP: what is done once for a block and frame is then little
beside the steps."""
MOST_DIMS = 8
"""Largest n whose points are held in registers."""


def any_law_passes(width: int) -> Callable[..., None]:
    """Passes (see :func:`passes`) under every law and in any n, for groups of `width` lanes."""

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
        n, d, lanes = x.shape
        coupling, inverse_mass, law, eps2 = acting
        scale, pull, limit = law.constants.scale, law.pull, law.constants.limit
        closing, opening, dt = kicks
        kicked = closing != 0.0 or opening != 0.0
        c = np.ones(n * width + GROUP)
        closing_w, opening_w = broadcast(closing, width), broadcast(opening, width)
        dt_w = broadcast(dt, width)
        top, low = broadcast(limit, width), broadcast(-limit, width)
        for _ in range(n_passes):
            for i in range(n):
                for j in range(i + 1, n):
                    r2 = broadcast(eps2, width)
                    for k in range(d):
                        r = sub(load(x, (i * d + k) * lanes + w, width), load(x, (j * d + k) * lanes + w, width))
                        r2 = fma(r, r, r2)
                    store(c, (j - i - 1) * width, r2)
                pair_coefficients(law.form, law.constants, c, (n - 1 - i) * width)
                k_i = mul(broadcast(scale, width), load(coupling, i * lanes + w, width))
                for j in range(i + 1, n):
                    t = (j - i - 1) * width
                    k_ij = mul(k_i, load(coupling, j * lanes + w, width))
                    store(c, t, fma(k_ij, load(c, t, width), broadcast(-pull, width)))
                inverse = load(inverse_mass, i * lanes + w, width)
                for k in range(d):
                    at = (i * d + k) * lanes + w
                    x_i, f_i = load(x, at, width), load(f, at, width)
                    for j in range(i + 1, n):
                        to = (j * d + k) * lanes + w
                        r, c_ij = sub(x_i, load(x, to, width)), load(c, (j - i - 1) * width, width)
                        f_i = fma(c_ij, r, f_i)
                        store(f, to, fnma(c_ij, r, load(f, to, width)))
                    if limit < np.inf:
                        f_i = larger(smaller(f_i, top), low)
                    a_i = mul(f_i, inverse)
                    if not kicked:
                        store(f, at, a_i)
                    else:
                        v_i = load(v, at, width)
                        if closing != 0.0:
                            v_i = fma(closing_w, a_i, v_i)
                        if opening != 0.0:
                            v_i = fma(opening_w, a_i, v_i)
                        store(v, at, v_i)
                        store(f, at, broadcast(0.0, width))
                        if dt != 0.0:
                            store(x, at, fma(dt_w, v_i, x_i))

    return passes


def inverse_square_passes(n_dims: int) -> Callable[..., None]:
    """Passes (see :func:`passes`) under the laws whose pair force falls as 1/r^2, for one n."""
    width = GROUP if n_dims <= 3 else GROUP // 2  # more would not fit into the registers

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
        kicked = closing != 0.0 or opening != 0.0
        eps2, less_pull = broadcast(softening2, width), broadcast(-law.pull, width)
        scale, limit = broadcast(law.constants.scale, width), broadcast(law.constants.limit, width)
        closing_w, opening_w = broadcast(closing, width), broadcast(opening, width)
        dt_w, zero = broadcast(dt, width), broadcast(0.0, width)
        for u in range(w, w + GROUP, width):
            for _ in range(n_passes):
                for i in range(n):
                    at = i * across + u
                    x_i, f_i = load_point(x, at, lanes, n_dims, width), load_point(f, at, lanes, n_dims, width)
                    k_i = mul(scale, load(coupling, i * lanes + u, width))
                    for j in range(i + 1, n):
                        to = j * across + u
                        r = point_difference(x_i, load_point(x, to, lanes, n_dims, width))
                        k_ij = mul(k_i, load(coupling, j * lanes + u, width))
                        c = fma(k_ij, inverse_cube(plus_square(r, eps2)), less_pull)
                        f_i = plus_scaled(f_i, c, r)
                        store_point(f, to, lanes, minus_scaled(load_point(f, to, lanes, n_dims, width), c, r))
                    if law.constants.limit < np.inf:
                        f_i = limited(f_i, limit)
                    a_i = scaled(f_i, load(inverse_mass, i * lanes + u, width))
                    if not kicked:
                        store_point(f, at, lanes, a_i)
                    else:
                        v_i = load_point(v, at, lanes, n_dims, width)
                        if closing != 0.0:
                            v_i = plus_scaled(v_i, closing_w, a_i)
                        if opening != 0.0:
                            v_i = plus_scaled(v_i, opening_w, a_i)
                        store_point(v, at, lanes, v_i)
                        for k in range(n_dims):
                            store(f, at + k * lanes, zero)
                        if dt != 0.0:
                            store_point(x, at, lanes, plus_scaled(x_i, dt_w, v_i))

    return passes


@kernel
def kick(v: FloatArray, a: FloatArray, h: float) -> None:
    """Add h a to v, one fma each; C-contiguous arrays of one shape."""
    whole = v.size - v.size % GROUP
    for t in range(0, whole, GROUP):
        store(v, t, fma(broadcast(h, GROUP), load(a, t, GROUP), load(v, t, GROUP)))
    for t in range(whole, v.size):
        store(v, t, fma(broadcast(h, 1), load(a, t, 1), load(v, t, 1)))


_group_passes, _lane_passes = any_law_passes(GROUP), any_law_passes(1)
_in_1, _in_2, _in_3, _in_4 = (inverse_square_passes(n) for n in (1, 2, 3, 4))
_in_5, _in_6, _in_7, _in_8 = (inverse_square_passes(n) for n in (5, 6, 7, 8))


@kernel
def passes(  # noqa: C901  (a table of n, spelt out: kernels take no functions from tuples)
    x: FloatArray,
    v: FloatArray,
    forces: Forces,
    inverse_mass: FloatArray,
    f: FloatArray,
    kicks: Kicks,
    n_passes: int,
) -> None:
    """Sum the pair forces, kick and drift, `n_passes` times over; the (first) law alone acts.

    Parameters
    ----------
    x, v, f : (n_particles, n_dims, lanes) float64
        Positions and velocities are advanced in place. `f` must hold zeros; what it holds in the end is of use
        only without a kick: the acceleration.
    inverse_mass : (n_particles, lanes) float64
        Of :func:`inverses`.
    """
    n, d, lanes = x.shape
    if lanes == 1 and n >= LARGE:
        for _ in range(n_passes):
            receiver_accelerations(x, forces, f, 0, n)
            if kicks.closing != 0.0:
                kick(v, f, kicks.closing)
            if kicks.opening != 0.0:
                kick(v, f, kicks.opening)
            if kicks.drift != 0.0:
                kick(x, v, kicks.drift)
        return
    law = term_of(forces.parameters, d, n, 0)
    coupling = forces.masses if law.by_mass else forces.charges
    acting = LaneForces(coupling, inverse_mass, law, law.constants.softening * law.constants.softening)
    groups = lanes - lanes % GROUP
    fast = law.constants.exponent == 2.0 and d <= MOST_DIMS
    for w in range(0, groups, GROUP):
        if not fast:
            _group_passes(x, v, acting, f, w, kicks, n_passes)
        elif takes_rows(n, d):
            row_passes(x, v, acting, f, w, kicks, n_passes)
        elif d == 1:
            _in_1(x, v, acting, f, w, kicks, n_passes)
        elif d == 2:
            _in_2(x, v, acting, f, w, kicks, n_passes)
        elif d == 3:
            _in_3(x, v, acting, f, w, kicks, n_passes)
        elif d == 4:
            _in_4(x, v, acting, f, w, kicks, n_passes)
        elif d == 5:
            _in_5(x, v, acting, f, w, kicks, n_passes)
        elif d == 6:
            _in_6(x, v, acting, f, w, kicks, n_passes)
        elif d == 7:
            _in_7(x, v, acting, f, w, kicks, n_passes)
        else:
            _in_8(x, v, acting, f, w, kicks, n_passes)
    for w in range(groups, lanes):
        _lane_passes(x, v, acting, f, w, kicks, n_passes)


@kernel
def inverses(m: FloatArray) -> FloatArray:
    """1 / m of each particle and lane."""
    inverse_mass = np.empty(m.shape)
    for i in range(m.shape[0]):
        for w in range(m.shape[1]):
            inverse_mass[i, w] = 1.0 / m[i, w]
    return inverse_mass
