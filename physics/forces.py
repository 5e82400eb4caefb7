"""The laws: what each particle pair does to each other, with what each law claims of itself.

A law is one row of :data:`FORCES`. Its arithmetic is a pair coefficient (:mod:`physics.lane_laws`) and a pair
energy (here). Kernels work on blocks of independent systems laid out (n_particles, n_dims, lanes), with one system
in each lane of explicit vectors (:mod:`physics.lane_kernels`); every lane has the same bits as a system computed
alone. One system of very many particles is summed otherwise (:mod:`physics.large_systems`).

To add a law: write its pair coefficient in `coefficients` and its pair energy in `pair_energy`, pack its
parameters, give it the next code and a row in FORCES. The tests are parametrised over FORCES and ask for what the
row claims.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.errors import InputError, unknown_name
from physics.field_kernels import LAW_PARAMETERS, add_position_fields
from physics.fields import NO_FIELDS, Fields
from physics.jit import kernel
from physics.lane_kernels import inverses, passes

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


NOT_NEGATIVE = ("eps", "kappa", "k")
POSITIVE = ("force_limit", "screening")
"""Limits of the parameters; the others take any finite number, `p` also "gauss"."""


def parameter_limits(name: str) -> str:
    """What a law's parameter may be, in words."""
    if name in NOT_NEGATIVE:
        return "0 or more"
    if name in POSITIVE:
        return "above 0"
    return "a finite number, or gauss for n - 1" if name == "p" else "a finite number"


def resolve_parameters(law: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a law: its defaults, overridden by `given`, checked.

    Raises
    ------
    InputError
        For an unknown law or parameter, or a value outside its range.
    """
    if law not in FORCES:
        raise unknown_name("law", law, FORCES)
    defaults = FORCES[law].defaults
    resolved = dict(defaults)
    for name, value in given.items():
        if name not in defaults:
            raise unknown_name(f"parameter of law {law!r}", name, defaults)
        if name == "p" and value == "gauss":
            resolved[name] = "gauss"
            continue
        number = _number(value)
        if not math.isfinite(number):
            expected = "a finite number or 'gauss'" if name == "p" else "a finite number"
            raise InputError(f"parameter {name} of law {law!r} must be {expected}; got {value!r:.60}")
        resolved[name] = number
        if name in NOT_NEGATIVE and value < 0:
            raise InputError(f"parameter {name} of law {law!r} must be >= 0; got {value}")
        if name in POSITIVE and value <= 0:
            raise InputError(f"parameter {name} of law {law!r} must be > 0; got {value}")
    return resolved


def _number(value: object) -> float:
    """The float of a real number; NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


_PACKED: dict[str, tuple[tuple[str, float], ...]] = {
    "reference": (("", 0.0), ("", 2.0), ("force_limit", 0.0)),
    "gravity": (("eps", 0.0), ("", 2.0), ("G", 0.0)),
    "spring": (("", 0.0), ("", 2.0), ("k", 0.0)),
    "yukawa": (("eps", 0.0), ("", 2.0), ("screening", 0.0)),
    "softcore": (("eps", 0.0), ("", 1.0), ("", 0.0)),
}
"""What each law but coulomb packs: the parameter of that name, else the number beside it."""


def packed_parameters(
    law: str, parameters: Mapping[str, Any], n_dims: int, fields: Fields = NO_FIELDS
) -> FloatArray:
    """The law's three numbers as kernels read them ("gauss" becomes p = n_dims - 1), then those of the fields."""
    if law == "coulomb":
        p = float(n_dims - 1) if parameters["p"] == "gauss" else float(parameters["p"])
        packed = np.array([parameters["eps"], p, parameters["kappa"]])
    else:
        packed = np.array([float(parameters.get(name, fallback)) for name, fallback in _PACKED[law]])
    return np.concatenate([packed, fields.packed(n_dims)])


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
        As packed by :func:`packed_parameters`; fields behind the law's own are left to `total_acceleration`.
    """
    a[:] = 0.0
    passes(code, x, x, q, m, inverses(m), parameters, a, 0.0, 0.0, 0.0, min(x.shape[0], 1))


@kernel
def total_acceleration(
    code: int, x: FloatArray, q: FloatArray, m: FloatArray, parameters: FloatArray, a: FloatArray
) -> None:
    """That of the pairs and of the fields that act on positions; arguments as :func:`lane_acceleration`.

    Steppers deal with the fields that act on velocities (:mod:`physics.fields`).
    """
    lane_acceleration(code, x, q, m, parameters, a)
    if parameters.shape[0] > LAW_PARAMETERS:
        add_position_fields(x, q, m, parameters, a)


@kernel
def pair_energy(code: int, r2: float, coupling: float, parameters: FloatArray, pull: float) -> float:
    """Potential energy of one pair at squared distance `r2`.

    `coupling` is q_i q_j (gravity: m_i m_j), `pull` is kappa/N or k/N.

    Notes
    -----
    q_i q_j s^(1-p) / (p-1) + (kappa / 2N) r^2 with s = sqrt(r^2 + eps^2); p = 1 (and softcore) gives
    -q_i q_j log s. The `reference` law's energy is that of its unclamped force. Gravity: -G m_i m_j / s;
    spring: (k / 2N) r^2; yukawa: q_i q_j exp(-s / screening) / s.
    """
    s2 = r2 + parameters[0] * parameters[0]
    p = parameters[1]
    energy = 0.0
    if code == 2:
        energy = -parameters[2] * coupling / math.sqrt(s2)
    elif code == 4:
        s = math.sqrt(s2)
        energy = coupling * math.exp(-s / parameters[2]) / s
    elif code == 3:
        energy = 0.0
    elif p == 1.0:
        energy = -0.5 * coupling * math.log(s2)
    elif p == 2.0:
        energy = coupling / math.sqrt(s2)
    else:
        energy = coupling * s2 ** (0.5 * (1.0 - p)) / (p - 1.0)
    return energy + 0.5 * pull * r2


@kernel
def potential_energies(
    code: int, x: FloatArray, q: FloatArray, m: FloatArray, parameters: FloatArray, energies: FloatArray
) -> None:
    """Potential energy of each state of one system, the sum of its pairs', written into `energies`.

    Parameters
    ----------
    x : (n_states, n_particles, n_dims) float64 [length]
    q, m : (n_particles,) float64 [charge], [mass]
    energies : (n_states,) float64 [energy]
    """
    n_states, n, d = x.shape
    pull = parameters[2] / n if code == 0 or code == 3 else 0.0
    for f in range(n_states):
        total = 0.0
        for i in range(n):
            for j in range(i + 1, n):
                r2 = 0.0
                for k in range(d):
                    r = x[f, i, k] - x[f, j, k]
                    r2 += r * r
                coupling = m[i] * m[j] if code == 2 else q[i] * q[j]
                total += pair_energy(code, r2, coupling, parameters, pull)
        energies[f] = total


@kernel
def shared_potential_energies(
    code: int, x: FloatArray, q: FloatArray, m: FloatArray, parameters: FloatArray, energies: FloatArray
) -> None:
    """Each particle's share of the potential energy, half of each of its pairs', written into `energies`.

    Parameters as for :func:`potential_energies`, but energies (n_states, n_particles).
    """
    n_states, n, d = x.shape
    pull = parameters[2] / n if code == 0 or code == 3 else 0.0
    for f in range(n_states):
        for i in range(n):
            energies[f, i] = 0.0
        for i in range(n):
            for j in range(i + 1, n):
                r2 = 0.0
                for k in range(d):
                    r = x[f, i, k] - x[f, j, k]
                    r2 += r * r
                coupling = m[i] * m[j] if code == 2 else q[i] * q[j]
                half = 0.5 * pair_energy(code, r2, coupling, parameters, pull)
                energies[f, i] += half
                energies[f, j] += half


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
