"""Particles of mass 0, test particles: they feel gravity and exert nothing.

Kernels multiply a pair's force out and divide by the mass. To them a test particle has :data:`TEST_MASS`, a power
of two, so that the division gives the acceleration to the last bit; the product of two of them underflows to 0,
and what one does to a particle with mass is far below the last bit of anything (:func:`without_traces`).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from physics.errors import InputError
from physics.fields import Fields, FloatArray

TEST_MASS = 2.0**-600
TRACE = 2.0**-400
"""What is smaller, in a system with test particles, is their trace."""


def inertial_masses(masses: FloatArray) -> FloatArray:
    """Masses for kernels: TEST_MASS where there is none."""
    return np.where(masses == 0.0, TEST_MASS, masses)


def without_traces(values: FloatArray, masses: FloatArray) -> FloatArray:
    """Positions or velocities as they are, but 0 where only a test particle's pull makes them another number."""
    if masses.all():
        return values
    return np.where(np.abs(values) < TRACE, 0.0, values)


def refuse_forces_on_massless(
    law: str, parameters: Mapping[str, Any], fields: Fields, charges: FloatArray, masses: FloatArray
) -> None:
    """Refuse masses below 0, and forces on particles without mass that leave them no finite acceleration.

    Parameters
    ----------
    charges, masses : (..., n_particles) float64

    Raises
    ------
    InputError
        Naming the particle and the force.
    """
    if masses.min(initial=0.0) >= 0.0 and masses.all():
        return
    if (masses < 0).any():
        raise InputError(
            f"masses must be positive, or 0 for test particles; got {masses.min()}{_where(masses < 0)}"
        )
    from physics.laws import LAWS  # Numba
    from physics.laws.names import term_values

    forces = {"a trap": fields.trap, "drag": fields.drag}
    charged: list[str] = ["an electric field"] if np.any(fields.electric) else []
    charged += ["a magnetic field"] if np.any(fields.magnetic) else []
    for name, values in term_values(law, parameters).items():
        forces[f"law {name!r}"] = LAWS[name].constants(values, 1).confinement
        charged += [f"law {name!r}"] if "charges" in LAWS[name].couplings else []
    reason = "whose acceleration, force over mass, is not finite; a particle of mass 0 feels gravity alone"
    for force in (name for name, strength in forces.items() if strength):
        raise InputError(f"masses must be positive under {force}; got 0{_where(masses == 0)}, {reason}")
    if charged and (loaded := (masses == 0) & (charges != 0)).any():
        raise InputError(
            f"masses must be positive for charged particles under {charged[0]}; got 0{_where(loaded)}, {reason}"
        )


def _where(chosen: np.typing.NDArray[np.bool_]) -> str:
    """The first chosen place, for a message."""
    index = tuple(map(int, np.argwhere(chosen)[0]))
    return f" at index {index}"
