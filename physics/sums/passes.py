"""What a pass over the pairs of some systems takes (:func:`physics.sums.lanes.passes`)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from physics.kernels.parameters import Term

FloatArray = NDArray[np.float64]


class Kicks(NamedTuple):
    """What follows the forces of a pass: v <- v + closing a, v <- v + opening a, x <- x + drift v.

    The end of one step and the start of the next, each rounded, so that two runs have the bits of one. 0 leaves a
    kick out; x is moved only after a kick. [time]
    """

    closing: float
    opening: float
    drift: float


NO_KICKS = Kicks(0.0, 0.0, 0.0)


class LaneForces(NamedTuple):
    """One law as a pass over a group of lanes needs it.

    Attributes
    ----------
    coupling, inverse_mass : (n_particles, lanes) float64
    law : Term
    softening2 : float [length^2]
        Its softening squared.
    """

    coupling: FloatArray
    inverse_mass: FloatArray
    law: Term
    softening2: float
