"""What acts on each particle by itself, for kernels: gamma, k, E, then B row by row, packed from FIELDS on."""

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from physics.kernels.parameters import FIELDS, Forces

FloatArray = NDArray[np.float64]

TERMS = 20
"""Of the exponential's Taylor series, after scaling below 1/2: the next one is below round-off."""


@kernel
def add_position_fields(x: FloatArray, forces: Forces, a: FloatArray) -> None:
    """Add (q E - k x) / m to the accelerations; arrays as in lanes."""
    n, d, lanes = x.shape
    q, m, parameters = forces.charges, forces.masses, forces.parameters
    trap = parameters[FIELDS + 1]
    for i in range(n):
        for k in range(d):
            electric = parameters[FIELDS + 2 + k]
            for w in range(lanes):
                a[i, k, w] += (q[i, w] * electric - trap * x[i, k, w]) / m[i, w]


@kernel
def add_velocity_fields(v: FloatArray, forces: Forces, a: FloatArray) -> None:
    """Add (q B v - gamma v) / m to the accelerations; arrays as in lanes."""
    n, d, lanes = v.shape
    q, m, parameters = forces.charges, forces.masses, forces.parameters
    drag = parameters[FIELDS]
    first = FIELDS + 2 + d
    for i in range(n):
        for k in range(d):
            for w in range(lanes):
                force = -drag * v[i, k, w]
                for j in range(d):
                    force += q[i, w] * parameters[first + k * d + j] * v[i, j, w]
                a[i, k, w] += force / m[i, w]


@kernel
def product(a: FloatArray, b: FloatArray, out: FloatArray) -> None:
    """The product of two small square matrices; np.dot would need SciPy."""
    size = a.shape[0]
    for i in range(size):
        for j in range(size):
            total = 0.0
            for k in range(size):
                total += a[i, k] * b[k, j]
            out[i, j] = total


@kernel
def free_flow(q: float, m: float, parameters: FloatArray, d: int, dt: float, flow: FloatArray) -> None:
    """Exact motion of a free particle in B and drag over dt: v <- flow[0] v, x <- x + flow[1] v.

    With A = (q B - gamma) / m, flow[0] = exp(A dt) and flow[1] = int_0^dt exp(A s) ds: the top blocks of the
    exponential of [[A, 1], [0, 0]] dt, by scaling, a Taylor series and squaring.

    Parameters
    ----------
    flow : (2, d, d) float64
        Written.
    """
    drag, first = parameters[FIELDS], FIELDS + 2 + d
    big = np.zeros((2 * d, 2 * d))
    for i in range(d):
        big[i, d + i] = dt
        for j in range(d):
            big[i, j] = dt * q * parameters[first + i * d + j] / m
        big[i, i] -= dt * drag / m
    size = np.abs(big).sum()
    halvings = 0
    while size > 0.5:
        size *= 0.5
        halvings += 1
    big *= 0.5**halvings
    term, total, made = np.eye(2 * d), np.eye(2 * d), np.empty((2 * d, 2 * d))
    for s in range(1, TERMS):
        product(term, big, made)
        term[:] = made / s
        total += term
    for _ in range(halvings):
        product(total, total, made)
        total[:] = made
    flow[0] = total[:d, :d]
    flow[1] = total[:d, d:]
