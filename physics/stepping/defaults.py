"""What `simulate()` chooses by default: a sound integrator, refusing what it cannot take, and the step."""

import math

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
from physics.sums.pairs import open_coefficient
from physics.sums.rates import shortest_rate
from physics.types import State, System

LARGEST_COUPLING = 1e100
"""Charges and masses beyond it have no finite force."""
LARGEST_DT = 5e-4
UNSOFTENED_DT = 1e-4
"""No equal step resolves a contact without softening; this one is right for most of the way."""
STEP_FRACTION = 0.02
"""Of the shortest time scale: a step of the default fixed steppers."""


def shortest_time(system: System, state: State) -> float:
    """The shortest time scale of pairs and trap at one moment [time]."""
    x, v = (np.array(values, dtype=np.float64) for values in (state.positions, state.velocities))
    return 1.0 / float(shortest_rate(x, v, system.forces(state.n_dims)))


def default_dt(system: System, n_dims: int = 3) -> float:
    """A step that resolves the shortest time scale any state of the system can have, in time units.

    Notes
    -----
    0.02 over the fastest of: a head-on passage of the strongest pair through each softened term, the oscillation
    in a spring, under a confinement kappa or in the trap, the gyration, the decay by drag; at most 5e-4.
    A law that is defined with a step has that (`reference`: the published generator's), an unsoftened term 1e-4.

    Parameters
    ----------
    n_dims : int
        What "gauss" is read for.
    """
    lightest = float(system.masses.min())
    longest = LARGEST_DT
    for name, values in term_values(system.law, system.parameters).items():
        law = LAWS[name]
        if law.dt is not None:
            return law.dt
        if values.get("eps") == 0.0:
            longest = min(longest, UNSOFTENED_DT)
            continue
        term = term_of(packed_parameters(name, values, n_dims), n_dims, 1, 0)
        if law.couplings:
            of = system.masses if law.couplings == ("masses",) else system.charges
            largest = float(np.max(np.abs(of)))
            if largest > LARGEST_COUPLING:
                raise InputError(
                    f"the largest of the {law.couplings[0]} is {largest:g}; no step resolves its force"
                )
            strongest = largest**2 * term.constants.scale
            at_contact = abs(float(open_coefficient(term._replace(pull=0.0), 0.0, strongest)))
            longest = min(longest, _step(at_contact / lightest))
        longest = min(longest, _step(term.constants.confinement / lightest))
    fields = system.fields
    longest = min(longest, _step(abs(fields.trap) / lightest))
    gyration = float(np.linalg.norm(fields.magnetic, 2)) if fields.magnetic.size else 0.0
    fastest = max(gyration * float(np.max(np.abs(system.charges))), fields.drag) / lightest
    return min(longest, _step(fastest**2))


def _step(rate2: float) -> float:
    """A fraction of the time scale given as the square of its rate."""
    return STEP_FRACTION / math.sqrt(max(rate2, 1e-12))


def default_integrator(
    law: str, fields: Fields = NO_FIELDS, boundary: Boundary = OPEN, *, singular: bool = False
) -> str:
    """The integrator that "auto" stands for.

    Parameters
    ----------
    singular : bool
        Whether close encounters may be arbitrarily close (a term without softening) and the steps are free to
        follow them: only steps of their own resolve that.

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
