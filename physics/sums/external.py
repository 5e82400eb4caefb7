"""What acts on particles beside a law of all pairs, in lanes: a uniform force by mass, q B v, springs on edges.

All of it counts in the clamp of a particle's total force, where there is one.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel
from physics.kernels.parameters import FIELDS, Forces, term_of
from physics.sums.accelerations import total_acceleration
from physics.sums.fields import add_velocity_fields

FloatArray = NDArray[np.float64]

TERMS = 24
"""Of the series of a rotation by up to a radian or two: the next one is below round-off."""


class LaneExternal(NamedTuple):
    """What acts on a block of systems beside `Forces`, whose parameters hold the magnetic field.

    Attributes
    ----------
    uniform : (n_dims,) float64 [length/time^2]
        Acceleration of every particle; empty for none.
    edges : (n_particles, n_particles, lanes) float64
        Weights of the springs of the law `spring`, which is then the law; empty for none.
    turns : bool
        Whether there is a magnetic field.
    limit, norm_limit : float [force]
        What each Cartesian component of a particle's total force, and its norm, are cut down to.
    """

    uniform: FloatArray
    edges: FloatArray
    turns: bool
    limit: float
    norm_limit: float


@kernel
def add_edge_springs(x: FloatArray, forces: Forces, edges: FloatArray, a: FloatArray) -> None:
    """Add -(k/N) e_ij r_ij / m_i of each pair; arrays as in lanes."""
    n, d, lanes = x.shape
    pull = term_of(forces.parameters, d, n, 0).pull
    for i in range(n):
        for j in range(i + 1, n):
            for k in range(d):
                for w in range(lanes):
                    f = pull * edges[i, j, w] * (x[i, k, w] - x[j, k, w])
                    a[i, k, w] -= f / forces.masses[i, w]
                    a[j, k, w] += f / forces.masses[j, w]


@kernel
def clamp(a: FloatArray, masses: FloatArray, limit: float, norm_limit: float) -> None:
    """Cut down the force m a of each particle, by component and by norm, in place."""
    n, d, lanes = a.shape
    if limit < np.inf:
        for i in range(n):
            for k in range(d):
                for w in range(lanes):
                    most = limit / masses[i, w]
                    a[i, k, w] = max(min(a[i, k, w], most), -most)
    if norm_limit < np.inf:
        for i in range(n):
            for w in range(lanes):
                f2 = 0.0
                for k in range(d):
                    f2 += a[i, k, w] * a[i, k, w]
                size = masses[i, w] * math.sqrt(f2)
                if size > norm_limit:
                    for k in range(d):
                        a[i, k, w] *= norm_limit / size


@kernel
def external_acceleration(
    x: FloatArray, v: FloatArray, forces: Forces, external: LaneExternal, moving: bool, a: FloatArray
) -> None:
    """Acceleration from everything, clamped, written into `a`.

    Parameters
    ----------
    x, v, a : (n_particles, n_dims, lanes) float64
    forces : Forces
    external : LaneExternal
    moving : bool
        Whether what depends on the velocity counts in.
    """
    if external.edges.size:
        a[:] = 0.0
        add_edge_springs(x, forces, external.edges, a)
    else:
        total_acceleration(x, forces, a)
    for k in range(external.uniform.shape[0]):
        a[:, k] += external.uniform[k]
    if moving and external.turns:
        add_velocity_fields(v, forces, a)
    clamp(a, forces.masses, external.limit, external.norm_limit)


@kernel
def turn(v: FloatArray, forces: Forces, dt: float) -> None:
    """V <- exp(q B dt / m) v, in place: the exact motion in the magnetic field alone."""
    n, d, lanes = v.shape
    first = FIELDS + 2 + d
    term, following = np.empty(d), np.empty(d)
    for i in range(n):
        for w in range(lanes):
            angle = dt * forces.charges[i, w] / forces.masses[i, w]
            for k in range(d):
                term[k] = v[i, k, w]
            for s in range(1, TERMS):
                for k in range(d):
                    following[k] = 0.0
                    for j in range(d):
                        following[k] += forces.parameters[first + k * d + j] * term[j]
                for k in range(d):
                    term[k] = angle / s * following[k]
                    v[i, k, w] += term[k]
