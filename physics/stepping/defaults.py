"""What `simulate()` chooses by default: a sound integrator, refusing what it cannot take, and the step."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from physics.boundaries import OPEN, Boundary
from physics.errors import InputError, unknown_name
from physics.fields import NO_FIELDS, Fields
from physics.integrators import INTEGRATORS
from physics.integrators.base import Integrator
from physics.kernels.parameters import term_of
from physics.laws import LAWS
from physics.laws.names import law_terms, term_values
from physics.laws.packing import packed_parameters
from physics.massless import inertial_masses
from physics.sums.large_systems import LARGE
from physics.sums.pairs import open_coefficient
from physics.sums.passages import NEGLIGIBLE, PASSAGE_FRACTION, fastest_passage
from physics.sums.rates import shortest_rate
from physics.types import State, System

LARGEST_COUPLING = 1e100
"""Charges and masses beyond it have no finite force."""
LARGEST_DT = 5e-4
UNSOFTENED_DT = 1e-4
"""No equal step resolves a contact without softening; this one is right for most of the way."""
STEP_FRACTION = 0.02
"""Of the shortest time scale: a step of the default fixed steppers."""
MANY_STEPS = 2_000_000
"""Rather than more equal steps "auto" takes an integrator that chooses its own."""
MOST_FIRST_STEPS = 1e8
"""A run over the first step of an adaptive integrator, at most, by default."""


def shortest_time(system: System, state: State) -> float:
    """The shortest time scale of pairs and trap at one moment [time]."""
    x, v = (np.array(values, dtype=np.float64) for values in (state.positions, state.velocities))
    return 1.0 / float(shortest_rate(x, v, system.forces(state.n_dims)))


def default_dt(system: System, n_dims: int = 3) -> float:
    """A step that resolves the shortest time scale of the forces in any state of the system, in time units.

    Notes
    -----
    0.02 over the fastest of: a head-on passage of the strongest pair through each softened term, the oscillation
    in a spring, under a confinement kappa or in the trap, the gyration, the decay by drag; at most 5e-4.
    A pair's rate^2 is its force over its distance and its reduced mass: G (m_i + m_j) / eps^3 of gravity. What is
    taken is within a factor of 2 of the largest, max |q| max |q / m|, or max m of gravity.
    A law that is defined with a step has that (`reference`: the published generator's), an unsoftened term 1e-4.

    Parameters
    ----------
    n_dims : int
        What "gauss" is read for.
    """
    lightest = float(np.min(system.masses, where=system.masses > 0, initial=np.inf))
    longest = LARGEST_DT
    for name, values in term_values(system.law, system.parameters).items():
        law = LAWS[name]
        if law.dt is not None:
            return law.dt
        if values.get("eps") == 0.0:
            longest = min(longest, UNSOFTENED_DT)
            continue
        longest = min(longest, _step(_contact_rate2(system, name, values, n_dims)))
        longest = min(longest, _step(law.constants(values, n_dims).confinement / lightest))
    fields = system.fields
    longest = min(longest, _step(abs(fields.trap) / lightest))
    gyration = float(np.linalg.norm(fields.magnetic, 2)) if fields.magnetic.size else 0.0
    turning = np.maximum(gyration * np.abs(system.charges), fields.drag)
    fastest = float(np.max(turning / inertial_masses(system.masses)))
    return min(longest, _step(fastest**2))


def _contact_rate2(system: System, name: str, values: Mapping[str, Any], n_dims: int) -> float:
    """The square of the rate at which the strongest pair oscillates through its softened centre [1/time^2]."""
    couplings = LAWS[name].couplings
    if not couplings:
        return 0.0
    term = term_of(packed_parameters(name, values, n_dims), n_dims, 1, 0)
    by_mass = couplings == ("masses",)
    of = system.masses if by_mass else np.abs(system.charges)
    largest = float(of.max())
    if largest > LARGEST_COUPLING:
        raise InputError(f"the largest of the {couplings[0]} is {largest:g}; no step resolves its force")
    each = 1.0 if by_mass else float(np.max(of / inertial_masses(system.masses)))
    strength = largest * each * term.constants.scale
    return abs(float(open_coefficient(term._replace(pull=0.0), 0.0, strength)))


def _step(rate2: float) -> float:
    """A fraction of the time scale given as the square of its rate."""
    return STEP_FRACTION / math.sqrt(max(rate2, 1e-12))


def passing_dt(system: System, state: State, duration: float) -> float:
    """:func:`default_dt`, or less where particles of this state pass each other too fast for it.

    Notes
    -----
    0.1 of the time that a passage takes, softened distance over relative speed: of those ahead in straight
    flight, reckoned at half their distance; of the fastest two and head-on where something bends all paths (a
    trap, a magnetic field, a confinement, a box).
    """
    longest = default_dt(system, state.n_dims)
    terms = term_values(system.law, system.parameters)
    if any(LAWS[name].dt is not None for name in terms) or system.n_particles < 2:
        return longest
    contacts = {
        float(values["eps"]): _contact_rate2(system, name, values, state.n_dims)
        for name, values in terms.items()
        if values.get("eps")
    }
    fastest, bent = _fastest_pair(system, state)
    rates = {fastest / eps: contact2 for eps, contact2 in contacts.items()}
    rate = max((rate for rate, contact2 in rates.items() if contact2 > NEGLIGIBLE * rate * rate), default=0.0)
    if rate * longest <= PASSAGE_FRACTION:
        return longest
    if not bent:
        x, v = (np.array(values, dtype=np.float64) for values in (state.positions, state.velocities))
        rate = float(fastest_passage(x, v, system.forces(state.n_dims), duration, 0.5).rate)
    return min(longest, PASSAGE_FRACTION / rate) if rate else longest


def takes_many_steps(system: System, state: State, duration: float) -> bool:
    """Whether equal steps would be so many that adaptive ones are the better choice; never of large systems."""
    return system.n_particles < LARGE and abs(duration) > MANY_STEPS * passing_dt(system, state, duration)


def _fastest_pair(system: System, state: State) -> tuple[float, bool]:
    """A bound of all relative speeds [length/time], and whether paths bend by more than what pairs do."""
    terms, fields = term_values(system.law, system.parameters), system.fields
    confinement = sum(LAWS[name].constants(values, state.n_dims).confinement for name, values in terms.items())
    x, v = state.positions, state.velocities
    with np.errstate(over="ignore", invalid="ignore"):  # of 1e300: no passage is reckoned with
        fallen = confinement * ((x - x.mean(axis=0)) ** 2).sum(axis=1) + abs(fields.trap) * (x**2).sum(axis=1)
        speeds = np.linalg.norm(v - v.mean(axis=0), axis=1) + np.sqrt(fallen / inertial_masses(system.masses))
    bent = bool(confinement or fields.trap or np.any(fields.magnetic) or system.boundary.kind != "open")
    return float(np.sort(speeds)[-2:].sum()), bent


def default_integrator(
    law: str, fields: Fields = NO_FIELDS, boundary: Boundary = OPEN, *, singular: bool = False
) -> str:
    """The integrator that "auto" stands for.

    Parameters
    ----------
    singular : bool
        Whether close encounters may be arbitrarily close (a term without softening), or too short beside the run
        for equal steps, and the steps are free to follow them: only steps of their own resolve that.

    Notes
    -----
    A law that is defined with an integrator (`reference`) has that; what depends on the velocity needs boris,
    walls need leapfrog; a singular law is given to ias15; everything else to leapfrog.
    """
    for name in law_terms(law):
        if LAWS[name].integrator:
            return str(LAWS[name].integrator)
    if boundary.reflects:
        return "leapfrog"
    if singular:
        return "ias15"
    return "boris" if fields.on_velocity else "leapfrog"


def able_integrator(name: str, fields: Fields, boundary: Boundary) -> Integrator:
    """The row of an integrator that takes these fields and this boundary.

    Raises
    ------
    InputError
        For an unknown name, or naming those that are able.
    """
    if name not in INTEGRATORS:
        raise unknown_name("integrator", name, [*INTEGRATORS, "auto"])
    row = INTEGRATORS[name]
    if fields.on_velocity and not row.takes_velocity_forces:
        able = ", ".join(key for key, row in INTEGRATORS.items() if row.takes_velocity_forces)
        raise InputError(f"integrator {name!r} takes no magnetic field and no drag; these do: {able}")
    if boundary.reflects and not row.takes_walls:
        able = ", ".join(key for key, row in INTEGRATORS.items() if row.takes_walls)
        raise InputError(f"integrator {name!r} takes no reflecting walls; these do: {able}")
    return row
