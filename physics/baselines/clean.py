"""Clean windows of the published set: those in which its per-component clamp never acts.

The published simulator clamps each Cartesian component of the force, which makes its data non-isotropic. A
window is clean when the unclamped |F| stays at or below the limit for every particle and step.
"""

import numpy as np
from numpy.typing import NDArray

from physics.forces import FORCES, REFERENCE_FORCE_LIMIT, largest_unclamped_force
from physics.integrators import symplectic_euler
from physics.kernels.jit import kernel
from physics.laws import packed_parameters
from physics.simulate import pack_lanes, run_blocks

FloatArray = NDArray[np.float64]


@kernel
def _follow(
    x: FloatArray,
    v: FloatArray,
    q: FloatArray,
    m: FloatArray,
    parameters: FloatArray,
    dt: float,
    n_steps: int,
    largest: FloatArray,
) -> None:
    a = np.empty_like(x)
    for _ in range(n_steps):
        largest_unclamped_force(x, q, largest)
        symplectic_euler(1, x, v, q, m, parameters, a, dt, 1)


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
    packed = packed_parameters("reference", FORCES["reference"].defaults, positions.shape[-1])

    def run(block: slice) -> int:
        x, v, q = (pack_lanes(np.asarray(a[block], dtype=np.float64)) for a in (positions, velocities, charges))
        largest = np.zeros(q.shape[-1])
        _follow(x, v, q, np.ones_like(q), packed, dt, n_steps, largest)
        result[block] = largest
        return int(block.stop - block.start)

    run_blocks(run, len(positions))
    return result


def clean_windows(largest: FloatArray) -> NDArray[np.bool_]:
    """Which windows the clamp leaves alone, (n_samples,) bool."""
    return np.asarray(largest <= REFERENCE_FORCE_LIMIT)
