"""The fields of a system of the user's own: each number by name, as the editor shows it. Pure functions.

Names are "E0", "E1", .. for the electric field, "B0-1", "B0-2", .. for the planes of the magnetic one, "drag" and
"trap". A field whose numbers are all zero is none: its tuple is empty.
"""

from dataclasses import replace

import numpy as np

from app.viewmodel.state.setup import OwnSystem, planes
from physics.errors import InputError
from physics.fields import Fields

SINGLE = ("drag", "trap")


def field_names(n_dims: int) -> list[str]:
    """All names in n dimensions: n of E, n (n - 1) / 2 of B, drag and trap."""
    return [*(f"E{k}" for k in range(n_dims)), *(f"B{i}-{j}" for i, j in planes(n_dims)), *SINGLE]


def field_values(system: OwnSystem) -> dict[str, float]:
    """Every number by name."""
    n = system.n_dims
    electric = system.electric or (0.0,) * n
    magnetic = system.magnetic or (0.0,) * len(planes(n))
    return dict(zip(field_names(n), (*electric, *magnetic, system.drag, system.trap), strict=True))


def with_field(system: OwnSystem, name: str, value: float) -> OwnSystem:
    """One number changed."""
    values = field_values(system)
    if name not in values:
        raise InputError(f"there is no field {name!r} in {system.n_dims} dimensions")
    values[name] = value
    n, numbers = system.n_dims, tuple(values.values())
    return replace(
        system,
        electric=_unless_zero(numbers[:n]),
        magnetic=_unless_zero(numbers[n : -len(SINGLE)]),
        drag=values["drag"],
        trap=values["trap"],
    )


def without_fields(system: OwnSystem) -> OwnSystem:
    """Nothing but the pair law."""
    return replace(system, electric=(), magnetic=(), drag=0.0, trap=0.0)


def with_field_dims(system: OwnSystem, n_dims: int) -> OwnSystem:
    """The fields in another dimension: zero along new axes, cut where there are fewer."""
    electric = (*system.electric, *(0.0,) * n_dims)[:n_dims]
    had = dict(zip(planes(system.n_dims), system.magnetic, strict=True)) if system.magnetic else {}
    magnetic = tuple(had.get(plane, 0.0) for plane in planes(n_dims))
    return replace(system, electric=_unless_zero(electric), magnetic=_unless_zero(magnetic))


def fields_of(system: OwnSystem) -> Fields:
    """As the engine takes them.

    Raises
    ------
    InputError
        Where there are not as many numbers as there are axes and planes, or the drag is below zero.
    """
    n = system.n_dims
    matrix = np.zeros((n, n) if system.magnetic else 0)
    if system.magnetic:
        if len(system.magnetic) != len(planes(n)):
            raise InputError(f"magnetic must have {len(planes(n))} planes for n = {n}; got {len(system.magnetic)}")
        for (i, j), value in zip(planes(n), system.magnetic, strict=True):
            matrix[i, j], matrix[j, i] = value, -value
    return Fields(np.array(system.electric), matrix, system.drag, system.trap)


def with_fields_of(system: OwnSystem, fields: Fields) -> OwnSystem:
    """The system with the engine's fields."""
    matrix = fields.magnetic
    return replace(
        system,
        electric=_unless_zero(tuple(fields.electric.tolist())),
        magnetic=_unless_zero(tuple(float(matrix[i, j]) for i, j in planes(len(matrix)))),
        drag=fields.drag,
        trap=fields.trap,
    )


def _unless_zero(numbers: tuple[float, ...]) -> tuple[float, ...]:
    return numbers if any(numbers) else ()
