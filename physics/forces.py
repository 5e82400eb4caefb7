"""The laws: what each particle pair does to each other, with what each law claims of itself.

A law is one row of :data:`FORCES`. Its arithmetic is a pair coefficient (:mod:`physics.kernels.lane_laws`) and a
pair energy (here). Kernels work on blocks of independent systems laid out (n_particles, n_dims, lanes), with one
system in each lane of explicit vectors (:mod:`physics.kernels.lane_sums`); every lane has the same bits as a
system computed alone. One system of very many particles is summed otherwise
(:mod:`physics.kernels.large_systems`).

To add a law: write its pair coefficient in `coefficients` and, with its pair energy, in
:mod:`physics.kernels.pairs`, pack its parameters (:mod:`physics.laws`), give it the next code and a row in FORCES.
The tests are parametrised over FORCES and ask for what the row claims.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.kernels.fields import LAW_PARAMETERS, add_position_fields
from physics.kernels.jit import kernel
from physics.kernels.lane_sums import inverses, passes
from physics.kernels.pairs import is_periodic, more_at, n_terms, periodic_acceleration, term_code, term_parameters

FloatArray = NDArray[np.float64]

LANES = 32
"""Largest number of systems per block, a multiple of the lanes that run in lockstep: what is done once for a block
and frame is then little beside the steps."""

REFERENCE_FORCE_LIMIT = 100.0
"""The published generator clamps each Cartesian component of the total force here (0.1 / dt)."""


@dataclass(frozen=True)
class Force:
    """A law and what it claims; the tests check every claim and nothing more.

    Attributes
    ----------
    code : int
        How kernels select the law.
    defaults : mapping
        Parameter names and default values.
    conservative : bool
        The acceleration is minus the gradient of the energy over the mass, everywhere.
    isotropic : bool
        The law commutes with every element of O(n).
    smooth_at_contact : bool
        Finite for coincident particles.
    formula : str
        For people.
    couplings : str
        What scales a pair's force, as k_i k_j: "charges", "masses" or "none".
    """

    code: int
    defaults: Mapping[str, Any]
    conservative: bool
    isotropic: bool
    smooth_at_contact: bool
    formula: str
    couplings: str = "charges"


FORCES: dict[str, Force] = {
    "coulomb": Force(
        code=0,
        defaults={"eps": 0.1, "p": 2.0, "kappa": 0.0},
        conservative=True,
        isotropic=True,
        smooth_at_contact=True,
        formula="m_i a_i = q_i sum_j q_j r_ij / (r_ij^2 + eps^2)^((p+1)/2) - (kappa/N) sum_j r_ij",
    ),
    "reference": Force(
        code=1,
        defaults={"force_limit": REFERENCE_FORCE_LIMIT},
        conservative=False,
        isotropic=False,
        smooth_at_contact=False,
        formula="m_i a_i = clamp(q_i sum_j q_j r_ij / r_ij^3, +-force_limit per Cartesian component)",
    ),
    "gravity": Force(
        code=2,
        defaults={"eps": 0.1, "G": 1.0},
        conservative=True,
        isotropic=True,
        smooth_at_contact=True,
        formula="m_i a_i = -G m_i sum_j m_j r_ij / (r_ij^2 + eps^2)^(3/2)",
        couplings="masses",
    ),
    "spring": Force(
        code=3,
        defaults={"k": 0.5},
        conservative=True,
        isotropic=True,
        smooth_at_contact=True,
        formula="m_i a_i = -(k/N) sum_j r_ij",
        couplings="none",
    ),
    "yukawa": Force(
        code=4,
        defaults={"eps": 0.1, "screening": 2.0},
        conservative=True,
        isotropic=True,
        smooth_at_contact=True,
        formula="m_i a_i = q_i sum_j q_j (1 + s/screening) exp(-s/screening) r_ij / s^3, s^2 = r_ij^2 + eps^2",
    ),
    "softcore": Force(
        code=5,
        defaults={"eps": 0.5},
        conservative=True,
        isotropic=True,
        smooth_at_contact=True,
        formula="m_i a_i = q_i sum_j q_j r_ij / (r_ij^2 + eps^2)",
    ),
}


@kernel
def lane_acceleration(
    code: int, x: FloatArray, q: FloatArray, m: FloatArray, parameters: FloatArray, a: FloatArray
) -> None:
    """Acceleration of every particle of some systems, written into `a`.

    Parameters
    ----------
    code : int
        Force.code.
    x, a : (n_particles, n_dims, lanes) float64 [length], [length/time^2]
    q, m : (n_particles, lanes) float64 [charge], [mass]
    parameters : (3,) or longer float64
        As packed by :func:`physics.laws.packed_parameters`; what is behind the law's own is left to
        `total_acceleration`.
    """
    a[:] = 0.0
    passes(code, x, x, q, m, inverses(m), parameters, a, 0.0, 0.0, 0.0, min(x.shape[0], 1))


@kernel
def several_accelerations(
    code: int, x: FloatArray, q: FloatArray, m: FloatArray, parameters: FloatArray, a: FloatArray
) -> None:
    """Those of all terms of a sum, in open space or in a periodic box; arguments as :func:`lane_acceleration`."""
    d = x.shape[1]
    a[:] = 0.0
    own = np.empty_like(x)
    for term in range(n_terms(parameters, d)):
        if is_periodic(parameters, d):
            periodic_acceleration(code, term, x, q, m, parameters, a)
        else:
            lane_acceleration(
                term_code(code, parameters, d, term), x, q, m, term_parameters(parameters, d, term), own
            )
            a += own


@kernel
def total_acceleration(
    code: int, x: FloatArray, q: FloatArray, m: FloatArray, parameters: FloatArray, a: FloatArray
) -> None:
    """That of all terms and of the fields that act on positions; arguments as :func:`lane_acceleration`.

    Steppers deal with the fields that act on velocities (:mod:`physics.fields`) and with walls
    (:mod:`physics.boundaries`).
    """
    if parameters.shape[0] > more_at(x.shape[1]):
        several_accelerations(code, x, q, m, parameters, a)
    else:
        lane_acceleration(code, x, q, m, parameters, a)
    if parameters.shape[0] > LAW_PARAMETERS:
        add_position_fields(x, q, m, parameters, a)


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
