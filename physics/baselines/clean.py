"""Clean windows of the published set: those in which its per-component clamp never acts.

The published simulator clamps each Cartesian component of the force, which makes its data non-isotropic. A
window is clean when the unclamped |F| stays at or below the limit for every particle and step.
"""

import math

import numpy as np
from numpy.typing import NDArray

from physics.integrators.euler import symplectic_euler
from physics.kernels.jit import kernel
from physics.kernels.parameters import Forces
from physics.laws.packing import packed_parameters
from physics.laws.reference import REFERENCE, REFERENCE_FORCE_LIMIT
from physics.stepping.blocks import pack_lanes, run_blocks

FloatArray = NDArray[np.float64]


@kernel
def largest_unclamped_force(x: FloatArray, q: FloatArray, largest: FloatArray) -> None:
    """Raise `largest` to the largest norm of an unsoftened Coulomb force in each of some systems.

    Parameters
    ----------
    x : (n_particles, n_dims, lanes) float64
    q : (n_particles, lanes) float64
    largest : (lanes,) float64
        Updated in place.
    """
    n, d, lanes = x.shape
    for w in range(lanes):
        for i in range(n):
            f2 = 0.0
            total = np.zeros(d)
            for j in range(n):
                if j == i:
                    continue
                r2 = 0.0
                for k in range(d):
                    r = x[i, k, w] - x[j, k, w]
                    r2 += r * r
                c = q[i, w] * q[j, w] / (r2 * math.sqrt(r2))
                for k in range(d):
                    total[k] += c * (x[i, k, w] - x[j, k, w])
            for k in range(d):
                f2 += total[k] * total[k]
            largest[w] = max(largest[w], math.sqrt(f2))


@kernel
def _follow(x: FloatArray, v: FloatArray, forces: Forces, dt: float, n_steps: int, largest: FloatArray) -> None:
    a = np.empty_like(x)
    for _ in range(n_steps):
        largest_unclamped_force(x, forces.charges, largest)
        symplectic_euler(x, v, forces, a, dt, 1)


def largest_forces(
    positions: FloatArray, velocities: FloatArray, charges: FloatArray, *, dt: float, n_steps: int
) -> FloatArray:
    """Largest unclamped |F| of any particle along each window, following the published law.

    Parameters
    ----------
    positions, velocities : (n_samples, N, n) float64
        As stored at the input frame (the velocity half a step behind).
    charges : (n_samples, N) float64
    dt : float [time]
    n_steps : int

    Returns
    -------
    (n_samples,) float64 [force]
    """
    result = np.zeros(len(positions))
    packed = packed_parameters("reference", REFERENCE.defaults, positions.shape[-1])

    def run(block: slice) -> int:
        x, v, q = (pack_lanes(np.asarray(a[block], dtype=np.float64)) for a in (positions, velocities, charges))
        largest = np.zeros(q.shape[-1])
        _follow(x, v, Forces(q, np.ones_like(q), packed), dt, n_steps, largest)
        result[block] = largest
        return int(block.stop - block.start)

    run_blocks(run, len(positions))
    return result


def clean_windows(largest: FloatArray) -> NDArray[np.bool_]:
    """Which windows the clamp leaves alone, (n_samples,) bool."""
    return np.asarray(largest <= REFERENCE_FORCE_LIMIT)
