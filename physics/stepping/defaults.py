"""Which integrator is sound for a system: what `simulate()` chooses by default, and what it refuses."""

from physics.boundaries import OPEN, Boundary
from physics.errors import InputError, unknown_name
from physics.fields import NO_FIELDS, Fields
from physics.integrators import INTEGRATORS
from physics.integrators.base import Integrator
from physics.laws import LAWS
from physics.laws.names import law_terms


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
