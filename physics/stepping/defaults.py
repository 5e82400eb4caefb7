"""What `simulate()` chooses when it is not told: an integrator that is sound for the system."""

from physics.boundaries import OPEN, Boundary
from physics.fields import NO_FIELDS, Fields
from physics.laws import law_terms


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
    The published clamp has its own; what depends on the velocity needs boris, walls need leapfrog; a singular law
    is given to ias15; everything else to leapfrog.
    """
    if "reference" in law_terms(law):
        return "symplectic-euler"
    if boundary.reflects:
        return "leapfrog"
    if singular:
        return "ias15"
    return "boris" if fields.on_velocity else "leapfrog"
