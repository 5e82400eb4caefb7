"""Accelerations of every particle of some systems, from everything that depends on positions."""

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import inlined_kernel, kernel
from physics.kernels.parameters import LAW_PARAMETERS, Forces, is_periodic, more_at, n_terms, term_parameters
from physics.sums.fields import add_position_fields
from physics.sums.lanes import inverses, passes
from physics.sums.pairs import periodic_acceleration
from physics.sums.passes import NO_KICKS

FloatArray = NDArray[np.float64]


@inlined_kernel
def lane_acceleration(x: FloatArray, forces: Forces, a: FloatArray) -> None:
    """Acceleration under the (first) law in open space, written into `a`.

    Parameters
    ----------
    x, a : (n_particles, n_dims, lanes) float64 [length], [length/time^2]
    forces : Forces
        What is packed behind the law's own numbers is left to :func:`total_acceleration`.
    """
    a[:] = 0.0
    passes(x, x, forces, inverses(forces.masses), a, NO_KICKS, min(x.shape[0], 1))


@kernel
def several_accelerations(x: FloatArray, forces: Forces, a: FloatArray) -> None:
    """Those of all laws of a sum, in open space or in a periodic box; arguments as :func:`lane_acceleration`."""
    d = x.shape[1]
    a[:] = 0.0
    own = np.empty_like(x)
    for term in range(n_terms(forces.parameters, d)):
        if is_periodic(forces.parameters, d):
            periodic_acceleration(term, x, forces, a)
        else:
            parameters = term_parameters(forces.parameters, d, term)
            lane_acceleration(x, Forces(forces.charges, forces.masses, parameters), own)
            a += own


@inlined_kernel
def total_acceleration(x: FloatArray, forces: Forces, a: FloatArray) -> None:
    """That of all laws and of the fields that act on positions; arguments as :func:`lane_acceleration`.

    Steppers deal with the fields that act on velocities (:mod:`physics.sums.fields`) and with walls
    (:mod:`physics.integrators.walls`).
    """
    if forces.parameters.shape[0] > more_at(x.shape[1]):
        several_accelerations(x, forces, a)
    else:
        lane_acceleration(x, forces, a)
    if forces.parameters.shape[0] > LAW_PARAMETERS:
        add_position_fields(x, forces, a)
