"""How everything that acts on particles is packed for kernels: one array of float64.

In front stand the LAW_PARAMETERS numbers of the (first) law; behind them, where there is anything, the fields'
(drag, trap, electric field, magnetic field row by row). If the law is a sum or the space is not open, there follow
the number of further laws, their LAW_PARAMETERS numbers each, and the boundary's kind, onset, cut-off and sides.
:func:`physics.laws.packing.packed_parameters` writes the array.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from physics.kernels.jit import kernel

FloatArray = NDArray[np.float64]

FORM, BY_MASS, CONSTANTS = range(3)
"""Places of a law's numbers: which pair force (:data:`physics.laws.FORMS`), whether masses rather than charges
scale it, and from there on its `PairConstants`."""
LAW_PARAMETERS = 8
FIELDS = LAW_PARAMETERS
"""Where the fields' numbers begin."""

PERIODIC = 2
"""Code of a periodic boundary (:data:`physics.boundaries.BOUNDARIES`)."""


class PairConstants(NamedTuple):
    """A law's numbers, in the order in which they are packed.

    Attributes
    ----------
    softening : float [length]
        s^2 = r^2 + softening^2.
    scale : float
        Of the product of two charges or masses.
    confinement : float [force/length]
        Every pair is also pulled together by confinement / N times its separation.
    limit : float [force]
        Each Cartesian component of the total force is clamped here.
    exponent : float
        p of a force that falls as 1 / s^p; NaN where it does not.
    own : float
        One more number for the law's own pair force.
    """

    softening: float = 0.0
    scale: float = 1.0
    confinement: float = 0.0
    limit: float = np.inf
    exponent: float = np.nan
    own: float = 0.0


class Forces(NamedTuple):
    """What acts on the particles of one or more systems.

    Attributes
    ----------
    charges, masses : (n_particles, lanes) float64 [charge], [mass]
        Of single systems in scalar kernels: (n_particles, 1).
    parameters : (any,) float64
        As packed (see the module).
    """

    charges: FloatArray
    masses: FloatArray
    parameters: FloatArray


class Term(NamedTuple):
    """One law of a sum, as pairs of particles feel it.

    Attributes
    ----------
    form : int
        Which pair force.
    by_mass : bool
        Whether masses scale it.
    constants : PairConstants
    pull : float [force/length]
        The confinement of a single pair.
    onset, cutoff : float [length]
        Of a periodic box, between which the energy is switched off; 0 elsewhere.
    """

    form: int
    by_mass: bool
    constants: PairConstants
    pull: float
    onset: float
    cutoff: float


@kernel
def more_at(d: int) -> int:
    """Where the number of further laws stands, behind the fields."""
    return FIELDS + 2 + d + d * d


@kernel
def n_terms(parameters: FloatArray, d: int) -> int:
    """How many laws add up."""
    more = more_at(d)
    return 1 + int(parameters[more]) if parameters.shape[0] > more else 1


@kernel
def term_parameters(parameters: FloatArray, d: int, term: int) -> FloatArray:
    """The numbers of one law of the sum."""
    at = 0 if term == 0 else more_at(d) + 1 + LAW_PARAMETERS * (term - 1)
    return parameters[at : at + LAW_PARAMETERS]


@kernel
def boundary_at(parameters: FloatArray, d: int) -> int:
    """Where the boundary's numbers begin; the array's end in open space."""
    more = more_at(d)
    if parameters.shape[0] <= more:
        return int(parameters.shape[0])
    return more + 1 + LAW_PARAMETERS * int(parameters[more])


@kernel
def is_periodic(parameters: FloatArray, d: int) -> bool:
    """Whether pairs see the nearest images."""
    at = boundary_at(parameters, d)
    return bool(at < parameters.shape[0] and parameters[at] == PERIODIC)


@kernel
def constants_at(parameters: FloatArray, at: int) -> PairConstants:
    """The constants of the law whose numbers begin at a place."""
    c = at + CONSTANTS
    return PairConstants(
        parameters[c],
        parameters[c + 1],
        parameters[c + 2],
        parameters[c + 3],
        parameters[c + 4],
        parameters[c + 5],
    )


@kernel
def term_of(parameters: FloatArray, d: int, n: int, term: int) -> Term:
    """One law of the sum, for `n` particles in `d` dimensions."""
    at = 0 if term == 0 else more_at(d) + 1 + LAW_PARAMETERS * (term - 1)
    constants = constants_at(parameters, at)
    onset, cutoff = 0.0, 0.0
    if is_periodic(parameters, d):
        around = boundary_at(parameters, d)
        onset, cutoff = parameters[around + 1], parameters[around + 2]
    return Term(
        int(parameters[at + FORM]),
        parameters[at + BY_MASS] != 0.0,
        constants,
        constants.confinement / n,
        onset,
        cutoff,
    )


@kernel
def periodic_sides(parameters: FloatArray, d: int) -> FloatArray:
    """The sides of a periodic box, (n_dims,); empty elsewhere."""
    at = boundary_at(parameters, d) + 3
    return parameters[at : at + d] if is_periodic(parameters, d) else parameters[:0]


@kernel
def nearest(r: float, sides: FloatArray, k: int) -> float:
    """Coordinate k of a separation, to the nearest image in a box with these :func:`periodic_sides`."""
    if sides.shape[0] == 0:
        return r
    side = float(sides[k])
    return r - side * math.floor(r / side + 0.5)
