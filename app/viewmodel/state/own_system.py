"""Systems of the user's own: what the scene editor does to them, what is wrong with them, and as scenarios.

Pure functions of frozen values. What needs the laws imports them late: Numba is not for a window that opens.
"""

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from app.viewmodel.state.own_fields import fields_of, with_field_dims, with_fields_of
from app.viewmodel.state.setup import OwnSystem
from physics.datasets.presets import PRESETS, draw_masses, draw_state
from physics.errors import InputError
from physics.massless import refuse_forces_on_massless
from physics.types import FloatArray

if TYPE_CHECKING:
    from physics.scenarios import Scenario
    from physics.types import Trajectory

T = TypeVar("T")
MAX_DIMS, MAX_PARTICLES = 8, 200
PER_PARTICLE = ("charges", "masses", "positions", "velocities")
NUDGE = 0.2
"""How far a copy stands from its original [length]: at the same place their force would be without measure."""

DRAWS = tuple(name for name, preset in PRESETS.items() if not preset.fixed_shape)
"""Presets that a random draw can be of."""


def system_of_state(
    trajectory: "Trajectory", title: str, duration: float, frame_interval: float = 0.05, dt: float | None = None
) -> OwnSystem:
    """The first state of a trajectory as a system."""
    given, state = trajectory.system, trajectory.state(0)
    system = OwnSystem(
        title=title,
        law=given.law,
        parameters=tuple(given.parameters.items()),
        charges=tuple(given.charges.tolist()),
        masses=tuple(given.masses.tolist()),
        positions=_rows(state.positions),
        velocities=_rows(state.velocities),
        duration=duration,
        frame_interval=frame_interval,
        start=state.time,
        dt=dt,
    )
    return with_fields_of(system, given.fields)


def scenario_of_system(system: OwnSystem) -> "Scenario":
    """The system as a scenario, checked as one that is read from a file.

    Raises
    ------
    InputError
        One line: what does not fit.
    """
    from physics.scenario_files import fields_tree
    from physics.scenarios import scenario_from_tree

    tree: dict[str, Any] = {
        "title": system.title,
        "law": system.law,
        "parameters": dict(system.parameters),
        "duration": system.duration,
        "frame_interval": system.frame_interval,
        "start": system.start,
        "particles": {
            "charges": list(system.charges),
            "masses": list(system.masses),
            "positions": [list(row) for row in system.positions],
            "velocities": [list(row) for row in system.velocities],
        },
        "fields": fields_tree(fields_of(system)),
    }
    if system.dt is not None:
        tree["dt"] = system.dt
    return scenario_from_tree(tree, "own", "scene")


def problems(system: OwnSystem) -> dict[str, str]:
    """What is wrong, by entry: "title", "duration", "parameter NAME", "particles", "mass I", "drag", "fields"."""
    from physics.laws.names import law_claims, resolve_parameters

    found: dict[str, str] = {}
    if not system.title.strip():
        found["title"] = "a title is needed"
    for name, value in system.parameters:
        try:
            resolve_parameters(system.law, {name: value})
        except InputError:
            limits = law_claims(system.law).parameters[name].limits
            found[f"parameter {name}"] = f"{name} must be {limits}; got {value}"
    if not 2 <= system.duration / system.frame_interval <= 100_000:
        least, most = 2 * system.frame_interval, 100_000 * system.frame_interval
        found["duration"] = f"must be from {least:g} to {most:g}; got {system.duration:g}"
    if not 2 <= system.n_particles <= MAX_PARTICLES:
        found["particles"] = f"2 to {MAX_PARTICLES} particles; got {system.n_particles}"
    found |= _mass_problems(system)
    if system.drag < 0:
        found["drag"] = f"drag must be 0 or more; got {system.drag:g}"
    if system.law == "reference" and (system.magnetic or system.drag):
        found["fields"] = "the law 'reference' takes no magnetic field and no drag"
    if len(set(system.positions)) < system.n_particles and not law_claims(system.law).smooth_at_contact:
        found["particles"] = f"two particles at one place, which the law {system.law!r} does not take"
    return found


def _mass_problems(system: OwnSystem) -> dict[str, str]:
    """Masses below 0, and of 0 where more than gravity acts on a test particle."""
    found = {}
    for at, (charge, mass) in enumerate(zip(system.charges, system.masses, strict=True)):
        if mass <= 0:
            one = (np.array([charge]), np.array([mass]))
            try:
                refuse_forces_on_massless(system.law, dict(system.parameters), fields_of(system), *one)
            except InputError:
                found[f"mass {at}"] = f"the mass of particle {at} must be above 0; got {mass:g}"
    return found


def with_law(system: OwnSystem, law: str) -> OwnSystem:
    """Another law with its default parameters; those of the same name are kept."""
    from physics.laws.names import law_claims

    had = dict(system.parameters)
    values = tuple((name, had.get(name, default)) for name, default in law_claims(law).defaults.items())
    return replace(system, law=law, parameters=values, dt=None)


def with_parameter(system: OwnSystem, name: str, value: float | str) -> OwnSystem:
    """One parameter of the law changed."""
    return replace(system, parameters=tuple((n, value if n == name else v) for n, v in system.parameters))


def with_dims(system: OwnSystem, n_dims: int) -> OwnSystem:
    """More coordinates, which are zero, or fewer."""

    def cut(rows: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        return tuple((row + (0.0,) * n_dims)[:n_dims] for row in rows)

    fields = with_field_dims(system, n_dims)
    return replace(fields, positions=cut(system.positions), velocities=cut(system.velocities))


def with_particle(system: OwnSystem) -> OwnSystem:
    """One particle more, at rest, out of the way of the others."""
    reach = max((abs(row[0]) for row in system.positions), default=0.0)
    zeros = (0.0,) * (system.n_dims or 3)
    charge = -system.charges[-1] if system.charges else 1.0
    return _joined(system, charge, 1.0, (float(round(reach + 0.5, 1)), *zeros[1:]), zeros)


def duplicated(system: OwnSystem, at: int) -> OwnSystem:
    """A copy of a particle, a little beside it."""
    row = system.positions[at]
    beside = (row[0] + NUDGE, *row[1:])
    return _joined(system, system.charges[at], system.masses[at], beside, system.velocities[at])


def _joined(
    system: OwnSystem, charge: float, mass: float, position: tuple[float, ...], velocity: tuple[float, ...]
) -> OwnSystem:
    return replace(
        system,
        charges=(*system.charges, charge),
        masses=(*system.masses, mass),
        positions=(*system.positions, position),
        velocities=(*system.velocities, velocity),
    )


def without(system: OwnSystem, which: tuple[int, ...]) -> OwnSystem:
    """Some particles fewer."""
    keep = [k for k in range(system.n_particles) if k not in which]
    kept: dict[str, Any] = {name: tuple(getattr(system, name)[k] for k in keep) for name in PER_PARTICLE}
    return replace(system, **kept)


def resized(system: OwnSystem, n: int) -> OwnSystem:
    """So many particles: new ones at rest, or the last ones away."""
    while system.n_particles < n:
        system = with_particle(system)
    return without(system, tuple(range(n, system.n_particles)))


def with_value(system: OwnSystem, at: int, column: str, value: float) -> OwnSystem:
    """One number of a particle changed; columns as :func:`columns` names them."""
    if column == "charge":
        return replace(system, charges=_changed(system.charges, at, value))
    if column == "mass":
        return replace(system, masses=_changed(system.masses, at, value))
    name, axis = "positions" if column[0] == "x" else "velocities", int(column[1:])
    rows = getattr(system, name)
    changes: dict[str, Any] = {name: _changed(rows, at, _changed(rows[at], axis, value))}
    return replace(system, **changes)


def _changed(items: tuple[T, ...], at: int, item: T) -> tuple[T, ...]:
    return (*items[:at], item, *items[at + 1 :])


def columns(system: OwnSystem) -> list[str]:
    """Heads of the table: charge, mass, x0 .., v0 .."""
    axes = range(system.n_dims)
    return ["charge", "mass", *(f"x{k}" for k in axes), *(f"v{k}" for k in axes)]


def values(system: OwnSystem) -> list[list[float]]:
    """The table's numbers, a row a particle."""
    parts = zip(system.charges, system.masses, system.positions, system.velocities, strict=True)
    return [[q, m, *x, *v] for q, m, x, v in parts]


def at_rest(system: OwnSystem) -> OwnSystem:
    """Without net momentum: the velocity of the centre of mass is taken from all; InputError without any mass."""
    v, m = np.array(system.velocities), np.array(system.masses)
    if not m.sum() > 0:
        raise InputError(f"a system of total mass {m.sum():g} has no centre of mass")
    return replace(system, velocities=_rows(v - (m @ v) / m.sum()))


def scaled(system: OwnSystem, factor: float) -> OwnSystem:
    """All positions times a factor, about the origin; InputError where they would be too large for a number."""
    with np.errstate(over="ignore"):
        positions = np.array(system.positions) * factor
    if not np.isfinite(positions).all():
        raise InputError(f"positions times {factor:g} are too large")
    return replace(system, positions=_rows(positions))


def drawn(system: OwnSystem, preset: str, seed: int) -> OwnSystem:
    """Positions, velocities, charges and masses drawn anew as a data preset does; law and n, N are kept."""
    rng = np.random.default_rng([seed, 3])
    x, v, q = draw_state(preset, system.n_particles, system.n_dims, rng)
    charges, masses = tuple(q.tolist()), tuple(draw_masses(preset, system.n_particles, rng).tolist())
    return replace(system, charges=charges, masses=masses, positions=_rows(x), velocities=_rows(v), start=0.0)


def number(text: str) -> float:
    """A finite number that was typed.

    Raises
    ------
    InputError
        For anything else.
    """
    try:
        value = float(text.strip().replace("−", "-"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{text.strip()[:20]!r} is not a number")
    return value


def _rows(array: FloatArray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in array.tolist())
