"""Numba kernels of the one-body part of a round, with their adjoints; the motions are those of `one_body.OneBody`.

first half    v <- exp(-gamma dt/2) v - kappa dt/2 (x - x_com), v <- R v + k, x <- x + D v + d
second half   the same backwards
"""

import math
from typing import NamedTuple

import numpy as np

from physics.kernels.jit import inlined_kernel, kernel, leaf_kernel
from physics.types import FloatArray


class OneBodyArrays(NamedTuple):
    """What acts on each particle by itself, in rounds of one length; or gradients of it.

    Attributes
    ----------
    kappa : (B,) float64
        Strength of the trap.
    gamma : (1,) float64
        Drag.
    kick : (B, N, n) float64, or (0, 0, 0) without uniform fields
    rotation, drift : (B, N, n, n) float64, or (0, 0, 0, 0) without a magnetic field
    offset : (B, N, n) float64, or (0, 0, 0)
    """

    kappa: FloatArray
    gamma: FloatArray
    kick: FloatArray
    rotation: FloatArray
    drift: FloatArray
    offset: FloatArray

    def part(self, some: slice) -> "OneBodyArrays":
        """Copies of those of some systems."""
        kappa, gamma, *fields = self
        return OneBodyArrays(kappa[some].copy(), gamma.copy(), *(array[some].copy() for array in fields))


@inlined_kernel
def first_half(x: FloatArray, v: FloatArray, m: FloatArray, one: OneBodyArrays, b: int, dt: float) -> None:
    """The half of system b before the pairs, in place on x, v (N, n)."""
    half_kick(x, v, m, one.kappa[b], one.gamma[0], dt)
    if one.kick.shape[0] > 0:
        field_velocities(v, one, b)
        field_positions(x, v, one, b)


@inlined_kernel
def second_half(x: FloatArray, v: FloatArray, m: FloatArray, one: OneBodyArrays, b: int, dt: float) -> None:
    """The half of system b after the pairs, in place on x, v (N, n)."""
    if one.kick.shape[0] > 0:
        field_positions(x, v, one, b)
        field_velocities(v, one, b)
    half_kick(x, v, m, one.kappa[b], one.gamma[0], -dt)


@leaf_kernel
def half_kick(x: FloatArray, v: FloatArray, m: FloatArray, kappa: float, gamma: float, dt: float) -> None:
    """Drag and trap of half a round: damp, then trap (`dt` > 0), or trap, then damp (`dt` < 0)."""
    number, n = x.shape
    step = abs(dt)
    shrink = math.exp(-0.5 * gamma * step)
    total = 0.0
    for i in range(number):
        total += m[i]
    for k in range(n):
        centre = 0.0
        for i in range(number):
            centre += m[i] * x[i, k]
        centre /= total
        for i in range(number):
            if dt > 0.0:
                v[i, k] = shrink * v[i, k] - 0.5 * step * kappa * (x[i, k] - centre)
            else:
                v[i, k] = shrink * (v[i, k] - 0.5 * step * kappa * (x[i, k] - centre))


@kernel
def field_velocities(v: FloatArray, one: OneBodyArrays, b: int) -> None:
    """Turn and kick: v <- R v + k, in place."""
    number, n = v.shape
    turned = np.empty(n)
    for i in range(number):
        if one.rotation.shape[0] > 0:
            for k in range(n):
                turned[k] = 0.0
                for c in range(n):
                    turned[k] += one.rotation[b, i, k, c] * v[i, c]
        else:
            for k in range(n):
                turned[k] = v[i, k]
        for k in range(n):
            v[i, k] = turned[k] + one.kick[b, i, k]


@leaf_kernel
def field_positions(x: FloatArray, v: FloatArray, one: OneBodyArrays, b: int) -> None:
    """Move: x <- x + D v + d, in place."""
    number, n = x.shape
    if one.rotation.shape[0] > 0:
        for i in range(number):
            for k in range(n):
                moved = one.offset[b, i, k]
                for c in range(n):
                    moved += one.drift[b, i, k, c] * v[i, c]
                x[i, k] += moved


@kernel
def first_half_adjoint(
    x: FloatArray,
    v: FloatArray,
    m: FloatArray,
    one: OneBodyArrays,
    b: int,
    dt: float,
    gx: FloatArray,
    gv: FloatArray,
    g: OneBodyArrays,
    sums: FloatArray,
) -> None:
    """Adjoint of `first_half` at its inputs x, v, which are left unchanged.

    gx, gv change in place, the fields of g gain, sums gains d/dkappa and d/dgamma.
    """
    if one.kick.shape[0] > 0:
        before = v.copy()
        half_kick(x, before, m, one.kappa[b], one.gamma[0], dt)
        after = before.copy()
        field_velocities(after, one, b)
        field_positions_adjoint(after, one, b, gx, gv, g)
        field_velocities_adjoint(before, one, b, gv, g)
    half_kick_adjoint(x, v, m, one.kappa[b], one.gamma[0], dt, gx, gv, sums)


@kernel
def second_half_adjoint(
    x: FloatArray,
    v: FloatArray,
    m: FloatArray,
    one: OneBodyArrays,
    b: int,
    dt: float,
    gx: FloatArray,
    gv: FloatArray,
    g: OneBodyArrays,
    sums: FloatArray,
) -> None:
    """Adjoint of `second_half` at its inputs x, v: see `first_half_adjoint`."""
    if one.kick.shape[0] > 0:
        moved, turned = x.copy(), v.copy()
        field_positions(moved, v, one, b)
        field_velocities(turned, one, b)
        half_kick_adjoint(moved, turned, m, one.kappa[b], one.gamma[0], -dt, gx, gv, sums)
        field_velocities_adjoint(v, one, b, gv, g)
        field_positions_adjoint(v, one, b, gx, gv, g)
    else:
        half_kick_adjoint(x, v, m, one.kappa[b], one.gamma[0], -dt, gx, gv, sums)


@kernel
def half_kick_adjoint(
    x: FloatArray,
    v: FloatArray,
    m: FloatArray,
    kappa: float,
    gamma: float,
    dt: float,
    gx: FloatArray,
    gv: FloatArray,
    sums: FloatArray,
) -> None:
    """Adjoint of `half_kick` at its inputs x, v; gx, gv change in place, sums gains d/dkappa and d/dgamma."""
    number, n = x.shape
    step = abs(dt)
    shrink = math.exp(-0.5 * gamma * step)
    total = 0.0
    for i in range(number):
        total += m[i]
    for k in range(n):
        centre, centre_gradient = 0.0, 0.0
        for i in range(number):
            centre += m[i] * x[i, k]
        centre /= total
        for i in range(number):
            reach = x[i, k] - centre
            g = gv[i, k]
            if dt > 0.0:
                pulled = g
                sums[1] += -0.5 * step * shrink * v[i, k] * g
            else:
                pulled = shrink * g
                sums[1] += -0.5 * step * shrink * (v[i, k] - 0.5 * step * kappa * reach) * g
            sums[0] += -0.5 * step * reach * pulled
            gx[i, k] += -0.5 * step * kappa * pulled
            centre_gradient += 0.5 * step * kappa * pulled
            gv[i, k] = shrink * g
        for i in range(number):
            gx[i, k] += m[i] / total * centre_gradient


@kernel
def field_velocities_adjoint(v: FloatArray, one: OneBodyArrays, b: int, gv: FloatArray, g: OneBodyArrays) -> None:
    """Adjoint of `field_velocities` at its input v: gv changes in place."""
    number, n = v.shape
    back = np.empty(n)
    for i in range(number):
        for k in range(n):
            g.kick[b, i, k] += gv[i, k]
        if one.rotation.shape[0] > 0:
            for c in range(n):
                back[c] = 0.0
                for k in range(n):
                    g.rotation[b, i, k, c] += gv[i, k] * v[i, c]
                    back[c] += one.rotation[b, i, k, c] * gv[i, k]
            for c in range(n):
                gv[i, c] = back[c]


@kernel
def field_positions_adjoint(
    v: FloatArray, one: OneBodyArrays, b: int, gx: FloatArray, gv: FloatArray, g: OneBodyArrays
) -> None:
    """Adjoint of `field_positions` at its input v: gv gains."""
    number, n = v.shape
    if one.rotation.shape[0] > 0:
        for i in range(number):
            for k in range(n):
                g.offset[b, i, k] += gx[i, k]
                for c in range(n):
                    g.drift[b, i, k, c] += gx[i, k] * v[i, c]
                    gv[i, c] += one.drift[b, i, k, c] * gx[i, k]
