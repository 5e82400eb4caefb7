"""Scenes of the user's own: what the scene editor does to them, what is wrong with them, and as scenarios.

Pure functions of frozen values. What needs the laws imports them late: Numba is not for a window that opens.
"""

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.state.own_fields import fields_of, with_field_dims, with_fields_of
from app.viewmodel.state.setup import OwnScene
from physics.datasets.presets import PRESETS, draw_masses, draw_state
from physics.errors import InputError

if TYPE_CHECKING:
    from physics.scenarios import Scenario
    from physics.types import Trajectory

FloatArray = NDArray[np.float64]
T = TypeVar("T")
MAX_DIMS, MAX_PARTICLES = 8, 200
NUDGE = 0.2
"""How far a copy stands from its original [length]: at the same place their force would be without measure."""

DRAWS = tuple(name for name, preset in PRESETS.items() if not preset.fixed_shape)
"""Presets that a random draw can be of."""


def scene_of_state(
    trajectory: "Trajectory", title: str, duration: float, frame_interval: float = 0.05, dt: float | None = None
) -> OwnScene:
    """The first state of a trajectory as a scene."""
    system, state = trajectory.system, trajectory.state(0)
    scene = OwnScene(
        title=title,
        law=system.law,
        parameters=tuple(system.parameters.items()),
        charges=tuple(system.charges.tolist()),
        masses=tuple(system.masses.tolist()),
        positions=_rows(state.positions),
        velocities=_rows(state.velocities),
        duration=duration,
        frame_interval=frame_interval,
        start=state.time,
        dt=dt,
    )
    return with_fields_of(scene, system.fields)


def scenario_of_scene(scene: OwnScene) -> "Scenario":
    """The scene as a scenario, checked as one that is read from a file.

    Raises
    ------
    InputError
        One line: what does not fit.
    """
    from physics.scenario_files import fields_tree
    from physics.scenarios import scenario_from_tree

    tree: dict[str, Any] = {
        "title": scene.title,
        "law": scene.law,
        "parameters": dict(scene.parameters),
        "duration": scene.duration,
        "frame_interval": scene.frame_interval,
        "start": scene.start,
        "particles": {
            "charges": list(scene.charges),
            "masses": list(scene.masses),
            "positions": [list(row) for row in scene.positions],
            "velocities": [list(row) for row in scene.velocities],
        },
        "fields": fields_tree(fields_of(scene)),
    }
    if scene.dt is not None:
        tree["dt"] = scene.dt
    return scenario_from_tree(tree, "own", "scene")


def problems(scene: OwnScene) -> dict[str, str]:
    """What is wrong, by field: "title", "duration", "parameter NAME", "particles", "mass I", "drag", "fields"."""
    from physics.laws import force_of, parameter_limits, resolve_parameters

    found: dict[str, str] = {}
    if not scene.title.strip():
        found["title"] = "a title is needed"
    for name, value in scene.parameters:
        try:
            resolve_parameters(scene.law, {name: value})
        except InputError:
            found[f"parameter {name}"] = f"{name} must be {parameter_limits(name)}; got {value}"
    if not 2 <= scene.duration / scene.frame_interval <= 100_000:
        least, most = 2 * scene.frame_interval, 100_000 * scene.frame_interval
        found["duration"] = f"must be from {least:g} to {most:g}; got {scene.duration:g}"
    if not 2 <= scene.n_particles <= MAX_PARTICLES:
        found["particles"] = f"2 to {MAX_PARTICLES} particles; got {scene.n_particles}"
    for at, mass in enumerate(scene.masses):
        if mass <= 0:
            found[f"mass {at}"] = f"the mass of particle {at} must be above 0; got {mass:g}"
    if scene.drag < 0:
        found["drag"] = f"drag must be 0 or more; got {scene.drag:g}"
    if scene.law == "reference" and (scene.magnetic or scene.drag):
        found["fields"] = "the law 'reference' takes no magnetic field and no drag"
    if len(set(scene.positions)) < scene.n_particles and not force_of(scene.law).smooth_at_contact:
        found["particles"] = f"two particles at one place, which the law {scene.law!r} does not take"
    return found


def with_law(scene: OwnScene, law: str) -> OwnScene:
    """Another law with its default parameters; those of the same name are kept."""
    from physics.laws import force_of

    had = dict(scene.parameters)
    values = tuple((name, had.get(name, default)) for name, default in force_of(law).defaults.items())
    return replace(scene, law=law, parameters=values, dt=None)


def with_parameter(scene: OwnScene, name: str, value: float | str) -> OwnScene:
    """One parameter of the law changed."""
    return replace(scene, parameters=tuple((n, value if n == name else v) for n, v in scene.parameters))


def with_dims(scene: OwnScene, n_dims: int) -> OwnScene:
    """More coordinates, which are zero, or fewer."""

    def cut(rows: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        return tuple((row + (0.0,) * n_dims)[:n_dims] for row in rows)

    fields = with_field_dims(scene, n_dims)
    return replace(fields, positions=cut(scene.positions), velocities=cut(scene.velocities))


def with_particle(scene: OwnScene) -> OwnScene:
    """One particle more, at rest, out of the way of the others."""
    reach = max((abs(row[0]) for row in scene.positions), default=0.0)
    zeros = (0.0,) * (scene.n_dims or 3)
    return replace(
        scene,
        charges=(*scene.charges, -scene.charges[-1] if scene.charges else 1.0),
        masses=(*scene.masses, 1.0),
        positions=(*scene.positions, (float(round(reach + 0.5, 1)), *zeros[1:])),
        velocities=(*scene.velocities, zeros),
    )


def duplicated(scene: OwnScene, at: int) -> OwnScene:
    """A copy of a particle, a little beside it."""
    row = scene.positions[at]
    return replace(
        scene,
        charges=(*scene.charges, scene.charges[at]),
        masses=(*scene.masses, scene.masses[at]),
        positions=(*scene.positions, (row[0] + NUDGE, *row[1:])),
        velocities=(*scene.velocities, scene.velocities[at]),
    )


def without(scene: OwnScene, which: tuple[int, ...]) -> OwnScene:
    """Some particles fewer."""
    keep = [k for k in range(scene.n_particles) if k not in which]
    return replace(
        scene,
        charges=tuple(scene.charges[k] for k in keep),
        masses=tuple(scene.masses[k] for k in keep),
        positions=tuple(scene.positions[k] for k in keep),
        velocities=tuple(scene.velocities[k] for k in keep),
    )


def resized(scene: OwnScene, n: int) -> OwnScene:
    """So many particles: new ones at rest, or the last ones away."""
    while scene.n_particles < n:
        scene = with_particle(scene)
    return without(scene, tuple(range(n, scene.n_particles)))


def with_value(scene: OwnScene, at: int, column: str, value: float) -> OwnScene:
    """One number of a particle changed; columns as :func:`columns` names them."""
    if column == "charge":
        return replace(scene, charges=_changed(scene.charges, at, value))
    if column == "mass":
        return replace(scene, masses=_changed(scene.masses, at, value))
    axis = int(column[1:])
    if column[0] == "x":
        row = _changed(scene.positions[at], axis, value)
        return replace(scene, positions=_changed(scene.positions, at, row))
    row = _changed(scene.velocities[at], axis, value)
    return replace(scene, velocities=_changed(scene.velocities, at, row))


def _changed(items: tuple[T, ...], at: int, item: T) -> tuple[T, ...]:
    return (*items[:at], item, *items[at + 1 :])


def columns(scene: OwnScene) -> list[str]:
    """Heads of the table: charge, mass, x0 .., v0 .."""
    axes = range(scene.n_dims)
    return ["charge", "mass", *(f"x{k}" for k in axes), *(f"v{k}" for k in axes)]


def values(scene: OwnScene) -> list[list[float]]:
    """The table's numbers, a row a particle."""
    parts = zip(scene.charges, scene.masses, scene.positions, scene.velocities, strict=True)
    return [[q, m, *x, *v] for q, m, x, v in parts]


def at_rest(scene: OwnScene) -> OwnScene:
    """Without net momentum: the velocity of the centre of mass is taken from all; InputError without any mass."""
    v, m = np.array(scene.velocities), np.array(scene.masses)
    if not m.sum() > 0:
        raise InputError(f"a scene of total mass {m.sum():g} has no centre of mass")
    return replace(scene, velocities=_rows(v - (m @ v) / m.sum()))


def scaled(scene: OwnScene, factor: float) -> OwnScene:
    """All positions times a factor, about the origin; InputError where they would be too large for a number."""
    with np.errstate(over="ignore"):
        positions = np.array(scene.positions) * factor
    if not np.isfinite(positions).all():
        raise InputError(f"positions times {factor:g} are too large")
    return replace(scene, positions=_rows(positions))


def drawn(scene: OwnScene, preset: str, seed: int) -> OwnScene:
    """Positions, velocities, charges and masses drawn anew as a data preset does; law and n, N are kept."""
    rng = np.random.default_rng([seed, 3])
    x, v, q = draw_state(preset, scene.n_particles, scene.n_dims, rng)
    masses = draw_masses(preset, scene.n_particles, rng)
    return replace(
        scene,
        charges=tuple(q.tolist()),
        masses=tuple(masses.tolist()),
        positions=_rows(x),
        velocities=_rows(v),
        start=0.0,
    )


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
