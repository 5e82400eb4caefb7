"""Named scenarios worth looking at: TOML files in resources/scenarios, or a user's own.

A scenario is either fixed (its particles are listed) or drawn from a data preset with a seed.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from physics.datasets.presets import PRESETS, draw_state, published_states
from physics.errors import InputError, unknown_name
from physics.fields import NO_FIELDS, Fields
from physics.files import bounded_text
from physics.types import State, System, Trajectory
from resources import SCENARIOS

SIZE_LIMIT = 1 << 20
MAX_PARTICLES = 10_000
MAX_DIMS = 64
MAX_DEPTH = 16

KEYS: dict[str, Any] = {
    "title": str,
    "description": str,
    "law": str,
    "parameters": dict,
    "duration": (int, float),
    "frame_interval": (int, float),
    "start": (int, float),
    "dt": (int, float),
    "particles": dict,
    "random": dict,
    "fields": dict,
}
FIELD_KEYS: dict[str, Any] = {
    "electric": list, "magnetic": list, "drag": (int, float), "trap": (int, float),
}  # fmt: skip


@dataclass(frozen=True)
class Scenario:
    """A system and how long to watch it.

    Attributes
    ----------
    name, title, description : str
    law, parameters : str, mapping
    duration, frame_interval : float [time]
    start : float [time]
        A drawn scenario is run this long before it is shown, as the data sets are; for a fixed one the time of
        the state that is listed.
    dt : float or None [time]
    particles : mapping
        charges, positions, velocities and optional masses of a fixed scenario.
    random : mapping
        preset, particles, dims, seed of a drawn one.
    fields : Fields
        In more dimensions than theirs nothing acts along the new axes.
    """

    name: str
    title: str
    description: str
    law: str
    parameters: Mapping[str, Any]
    duration: float = 10.0
    frame_interval: float = 0.1
    start: float = 0.0
    dt: float | None = None
    particles: Mapping[str, Any] = field(default_factory=dict)
    random: Mapping[str, Any] = field(default_factory=dict)
    fields: Fields = NO_FIELDS

    @property
    def dims(self) -> int:
        """The scenario's own number of dimensions."""
        if self.random:
            return int(self.random["dims"])
        return len(self.particles["positions"][0])

    def initial(
        self, *, dims: int | None = None, n_particles: int | None = None, seed: int | None = None
    ) -> tuple[System, State]:
        """The system and its state at `start`.

        Parameters
        ----------
        dims : int, optional
            Another dimension: a drawn scenario is drawn there, a fixed one is padded with zeros (never cut).
        n_particles, seed : int, optional
            For drawn scenarios only.

        Raises
        ------
        InputError
            Where a fixed scenario cannot do what is asked.
        """
        for what, value, low, high in (
            ("dims", dims, 1, MAX_DIMS),
            ("n_particles", n_particles, 1, MAX_PARTICLES),
            ("seed", seed, 0, 2**32 - 1),
        ):
            if value is not None and not low <= value <= high:
                raise InputError(f"scenario {self.name!r}: {what} must be from {low} to {high}; got {value}")
        if self.random:
            return self._drawn(dims, n_particles, seed)
        if n_particles is not None or seed is not None:
            raise InputError(f"scenario {self.name!r} is fixed: its particles cannot be drawn anew")
        given = self.particles
        state = State(given["positions"], given["velocities"], self.start)
        x, v = state.positions, state.velocities
        n = x.shape[1] if dims is None else max(dims, x.shape[1])
        fields = self.fields.padded(n)
        system = System(given["charges"], given.get("masses", 1.0), self.law, self.parameters, fields)
        if len(x) != system.n_particles:
            raise InputError(f"positions must have a row for each of {system.n_particles} charges; got {len(x)}")
        if dims is not None and dims != x.shape[1]:
            if dims < x.shape[1]:
                raise InputError(f"scenario {self.name!r} needs n = {x.shape[1]} or more; got --dims {dims}")
            pad = ((0, 0), (0, dims - x.shape[1]))
            x, v = np.pad(x, pad), np.pad(v, pad)
        return system, State(x, v, self.start)

    def _drawn(self, dims: int | None, n_particles: int | None, seed: int | None) -> tuple[System, State]:
        preset = str(self.random["preset"])
        n = int(self.random["particles"]) if n_particles is None else n_particles
        d = int(self.random["dims"]) if dims is None else dims
        chosen = int(self.random["seed"]) if seed is None else seed
        spec = PRESETS[preset]
        if spec.fixed_shape and (n, d) != (spec.particles, 3):
            raise InputError(f"scenario {self.name!r} draws from {preset!r}: n = 3 and N = {spec.particles} only")
        if spec.streams:
            if chosen >= spec.sizes["test"]:
                raise InputError(
                    f"scenario {self.name!r}: seed picks one of the {spec.sizes['test']} published test "
                    f"trajectories; got {chosen}"
                )
            *_, (x, v, q) = published_states(preset, "test", chosen + 1)
        else:
            x, v, q = draw_state(preset, n, d, np.random.default_rng([chosen, 3]))
        system = System(q, 1.0, self.law, self.parameters, self.fields.padded(d))
        state = State(x, v, 0.0)
        if self.start > 0:
            from physics.simulate import simulate  # Numba: not for those who only list scenarios

            state = simulate(system, state, self.start, n_frames=2, dt=self.dt).state(-1)
        return system, state

    def clamped(self) -> "Scenario":
        """The same system under the published law, whose clamp of each component is not isotropic.

        Raises
        ------
        InputError
            Where there is a magnetic field or drag, which that law's integrator does not take.
        """
        if self.fields.on_velocity:
            raise InputError(f"scenario {self.name!r}: law 'reference' takes no magnetic field and no drag")
        title = f"{self.title} (published clamped law)"
        return replace(self, title=title, law="reference", parameters={}, dt=None)

    def trajectory(self, system: System, state: State, n_frames: int | None = None) -> Trajectory:
        """The truth from `state` on, at the scenario's frames (or `n_frames` of them)."""
        count = round(self.duration / self.frame_interval) + 1 if n_frames is None else n_frames
        times = state.time + self.frame_interval * np.arange(count)
        from physics.simulate import simulate

        return simulate(system, state, float(times[-1] - state.time), times=times, dt=self.dt)


def shipped_scenarios() -> dict[str, Path]:
    """Names and paths of the scenarios that ship."""
    return {path.stem: path for path in sorted(SCENARIOS.glob("*.toml"))}


def scenario_titles() -> dict[str, str]:
    """Names and titles of the scenarios that ship."""
    trees = {name: tomllib.loads(path.read_text()) for name, path in shipped_scenarios().items()}
    return {name: str(tree["title"]) for name, tree in trees.items()}  # the tests read the rest of them


def load_scenario(name: str) -> Scenario:
    """A scenario by shipped name or TOML path.

    Raises
    ------
    InputError
        Naming the file and key that do not fit.
    """
    shipped = shipped_scenarios()
    if name in shipped:
        path = shipped[name]
    elif Path(name).suffix == ".toml":
        path = Path(name)
    else:
        raise unknown_name("scenario", name, shipped)
    text = bounded_text(path, SIZE_LIMIT)
    for number, line in enumerate(text.splitlines(), 1):
        # tomllib needs quadratic time for dotted keys and headers; none of ours is nested
        key, equals, _ = line.partition("=")
        named = (equals or line.lstrip().startswith("[")) and not any(mark in key for mark in "\"'#,")
        if (named and key.count(".") > MAX_DEPTH) or line.count("[") > 2 * MAX_PARTICLES:
            raise InputError(f"{path}: line {number} is too deeply nested")
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also integers of more digits than Python converts
        raise InputError(f"{path}: not valid TOML ({error})") from None
    if _depth(tree) > MAX_DEPTH:
        raise InputError(f"{path}: too deeply nested")
    return scenario_from_tree(tree, path.stem, str(path))


def _depth(tree: dict[str, Any]) -> int:
    """Levels of dicts and lists, found without recursion."""
    level: list[Any] = [tree]
    depth = 0
    while level:
        depth += 1
        inner = (item.values() if isinstance(item, dict) else item for item in level)
        level = [child for values in inner for child in values if isinstance(child, dict | list)]
    return depth


def scenario_from_tree(tree: dict[str, Any], name: str, where: str) -> Scenario:
    """A checked scenario from parsed TOML."""
    _check_types(tree, KEYS, where)
    for key in ("title", "law"):
        if key not in tree:
            raise InputError(f"{where}: {key} is missing")
    if ("particles" in tree) == ("random" in tree):
        raise InputError(f"{where}: expected either [particles] or [random]")
    tables = ("parameters", "particles", "random", "fields")
    values = {key: tree[key] for key in tree if key not in tables}
    for key in ("duration", "frame_interval", "start", "dt"):
        if key in values:
            try:
                values[key] = float(values[key])
            except OverflowError:
                values[key] = math.inf
            if not math.isfinite(values[key]) or values[key] < 0 or (key != "start" and values[key] == 0):
                raise InputError(f"{where}: {key} must be positive and finite; got {values[key]}")
    values.setdefault("description", "")
    try:
        from physics.laws.names import resolve_parameters

        parameters = resolve_parameters(tree["law"], tree.get("parameters", {}))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    scenario = Scenario(
        name,
        parameters=parameters,
        particles=tree.get("particles", {}),
        random=tree.get("random", {}),
        fields=_checked_fields(tree.get("fields", {}), tree["law"], where),
        **values,
    )
    if not 2 <= scenario.duration / scenario.frame_interval <= 100_000:
        raise InputError(f"{where}: duration / frame_interval must be from 2 to 100000 frames")
    if scenario.random:
        _check_random(scenario.random, scenario.fields, where)
    else:
        _check_particles(scenario, where)
    return scenario


def _check_types(table: Mapping[str, Any], known: Mapping[str, Any], where: str, title: str = "") -> None:
    """Refuse keys of a table that are not known, and values of another type."""
    for key, value in table.items():
        if key not in known:
            raise unknown_name(f"key in {where}{title}", key, known)
        if not isinstance(value, known[key]) or isinstance(value, bool):
            raise InputError(f"{where}:{title} {key} has the wrong type; got {value!r:.60}")


def _checked_fields(given: Mapping[str, Any], law: str, where: str) -> Fields:
    _check_types(given, FIELD_KEYS, where, " [fields]")
    try:
        fields = Fields(**given)
    except (InputError, OverflowError) as error:
        raise InputError(f"{where}: [fields] {error}") from None
    from physics.integrators import INTEGRATORS
    from physics.stepping.defaults import default_integrator

    if fields.on_velocity and not INTEGRATORS[default_integrator(law, fields)].takes_velocity_forces:
        raise InputError(f"{where}: [fields] law {law!r} takes no magnetic field and no drag")
    return fields if fields.any else NO_FIELDS


def _check_random(random: Mapping[str, Any], fields: Fields, where: str) -> None:
    wanted = {"preset": str, "particles": int, "dims": int, "seed": int}
    for key in random:
        if key not in wanted:
            raise unknown_name(f"key in {where} [random]", key, wanted)
    for key, kind in wanted.items():
        if not isinstance(random.get(key), kind) or isinstance(random.get(key), bool):
            raise InputError(f"{where}: [random] {key} must be {kind.__name__}; got {random.get(key)!r}")
    if random["preset"] not in PRESETS:
        raise unknown_name(f"preset in {where}", random["preset"], PRESETS)
    if not 1 <= random["particles"] <= MAX_PARTICLES or not 1 <= random["dims"] <= MAX_DIMS:
        raise InputError(f"{where}: [random] particles must be 1 to {MAX_PARTICLES}, dims 1 to {MAX_DIMS}")
    if not 0 <= random["seed"] < 2**32:
        raise InputError(f"{where}: [random] seed must be from 0 to 2^32-1")
    _check_field_dims(random["dims"], fields, where)


def _check_field_dims(n_dims: int, fields: Fields, where: str) -> None:
    if fields.n_dims not in (None, n_dims):
        raise InputError(f"{where}: [fields] are for n = {fields.n_dims}; the scenario has n = {n_dims}")


def _check_particles(scenario: Scenario, where: str) -> None:
    known = ("charges", "positions", "velocities", "masses")
    for key in scenario.particles:
        if key not in known:
            raise unknown_name(f"key in {where} [particles]", key, known)
    for key in known[:3]:
        if not isinstance(scenario.particles.get(key), list) or not scenario.particles[key]:
            raise InputError(f"{where}: [particles] {key} must be a non-empty list")
    try:
        _, state = replace(scenario, fields=NO_FIELDS).initial()
    except InputError as error:
        raise InputError(f"{where}: [particles] {error}") from None
    _check_field_dims(state.n_dims, scenario.fields, where)
