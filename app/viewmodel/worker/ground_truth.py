"""The truth of a setup: the system before the world's turn, made once and kept, and simulated anew under it.

With it goes what no model has a part in: how chaotic it is, how far the turned truth is from the truth turned, the
engine's round-off. No PyTorch here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.viewmodel.state.detail import detail_of
from app.viewmodel.state.own_system import MAX_PARTICLES, scenario_of_system, system_of_state
from app.viewmodel.state.setup import Effort, Operation, OwnSystem, Setup, rotation_matrix
from app.viewmodel.worker.symmetry import Arrays, engine_errors
from physics.errors import InputError
from physics.types import FloatArray

if TYPE_CHECKING:
    from physics.scenarios import Scenario
    from physics.types import State, Trajectory
    from surrogate.comparison.ground_truth import Rotation
    from surrogate.inference.forecaster import Forecaster

CLAMP_SEEDS = 16
"""Where the clamp never acts, a seed with which it does is looked for below this."""

MOST_NUMBERS = 24_000_000
"""Coordinates of a stored trajectory that are shown: 0.2 GB in each array of float64."""

PERTURBATION = 1e-6
"""How far the second truth starts from the first, to tell chaos from model error."""


@dataclass(frozen=True, eq=False)
class Unturned:
    """What no rotation changes: the system before the turn, computed once and kept.

    Attributes
    ----------
    truth : Trajectory
    growth : (n_frames,) float64, or None
        None for stored data: it is measured after their forecasts, where their law is known.
    scenario : Scenario or None
        At the frames of the application; None for stored data.
    own_system : OwnSystem or None
        The system and its state, as the editor takes them; None where the law is unknown or it is too large.
    facts : mapping
        title, description, law_known, drawn, seed, n_samples; of stored data splits, notes, units, box.
    """

    truth: "Trajectory"
    growth: FloatArray | None
    scenario: "Scenario | None"
    facts: Mapping[str, Any]
    own_system: OwnSystem | None


def before_the_turn(setup: Setup, horizon: float) -> Unturned:
    """What there was before the turn."""
    stamp = _stamp(setup.data or setup.scenario)
    if setup.data:
        return _stored(setup.data, setup.split, setup.index, stamp)
    unrotated = replace(setup, operations=(), model="", contrast="", effort=Effort(), contrast_effort=Effort())
    return _unturned(unrotated, horizon, stamp)


def _stamp(place: str) -> int:
    """The time of a file's last change; 0 for a name."""
    path = Path(place)
    return path.stat().st_mtime_ns if path.exists() else 0


def ground_truth(setup: Setup, horizon: float) -> tuple["Trajectory", Unturned]:
    """The truth from the rotated state, and what there was before the turn."""
    before = before_the_turn(setup, horizon)
    return _turned(before, setup.operations) if setup.operations else before.truth, before


def turned_truth(setup: Setup, model: "Forecaster") -> tuple["Trajectory", "Rotation", bool]:
    """The truth at a model's frames, the world rotation it is under, and whether its law is known."""
    truth, before = ground_truth(setup, model.horizon)
    return truth, world_rotation(setup, truth.n_dims), bool(before.facts["law_known"])


def world_rotation(setup: Setup, n_dims: int) -> "Rotation":
    """The world rotation of a setup, with its operations in words."""
    from surrogate.comparison.ground_truth import Rotation

    turns = ", ".join(map(str, setup.operations))
    return Rotation(rotation_matrix(setup.operations, n_dims), turns, not setup.operations)


@lru_cache(maxsize=2)
def _turned(before: Unturned, operations: tuple[Operation, ...]) -> "Trajectory":
    """The truth simulated anew from the turned state; a stored truth turned."""
    from physics.types import State

    plain = before.truth
    matrix = rotation_matrix(operations, plain.n_dims)
    if before.scenario is None:
        return plain.transformed(matrix)
    start = plain.state(0)
    turned = State(start.positions @ matrix.T, start.velocities @ matrix.T, start.time)
    return before.scenario.trajectory(plain.system.transformed(matrix), turned)


@lru_cache(maxsize=8)
def _unturned(setup: Setup, horizon: float, stamp: int) -> Unturned:
    """Made once for each system; `stamp` is the time of its file's last change."""
    from physics.scenarios import load_scenario

    scenario = scenario_of_system(setup.own) if setup.own is not None else load_scenario(setup.scenario)
    if setup.clamped:
        scenario = scenario.clamped()
    drawn = bool(scenario.random)
    system, state = scenario.initial(
        dims=setup.dims, n_particles=setup.particles if drawn else None, seed=setup.seed if drawn else None
    )
    per_horizon = detail_of(system.n_particles, setup.in_full).frames_per_horizon
    finer = replace(scenario, frame_interval=horizon / per_horizon)
    plain = finer.trajectory(system, state)
    seed = scenario.random.get("seed") if setup.seed is None else setup.seed
    facts = {
        "title": scenario.title,
        "description": scenario.description,
        "law_known": True,
        "drawn": drawn,
        "seed": seed if drawn else None,
        "n_samples": 0,
        "clamp_note": _clamp_note(scenario, setup, drawn) if setup.clamped else "",
    }
    own = system_of_state(plain, scenario.title, scenario.duration, scenario.frame_interval, scenario.dt)
    growth = growth_of(plain, lambda start: finer.trajectory(system, start))
    return Unturned(plain, growth, finer, facts, own)


@lru_cache(maxsize=2)
def _stored(data: str, split: str, index: int, stamp: int) -> Unturned:
    """A sample of a data set, read once; frames are left out where it would take too much memory."""
    from physics.datasets.reading import available_splits, read_samples
    from surrogate.comparison.ground_truth import Rotation, stored_box, stored_notes, stored_truth

    one, count = read_samples(data, split, range(index, index + 1))
    splits = available_splits(data)
    notes = [*stored_notes(one), *(() if splits else ("no splits",))]
    truth, known, recipe = stored_truth(one, split, 0)
    every = -(-truth.positions.size // MOST_NUMBERS)
    if every > 1:
        truth = truth.part(slice(None, None, every))
        notes.append(f"large: every {every}th frame")
    title, span = f"{Path(data).name} #{index}", float(truth.times[-1] - truth.times[0])
    editable = known and truth.system.n_particles <= MAX_PARTICLES
    facts = {
        "title": title,
        "description": str(recipe.get("preset", "")),
        "law_known": known,
        "drawn": False,
        "seed": None,
        "n_samples": count,
        "splits": splits,
        "notes": tuple(notes),
        "units": dict(one.units),
        "box": stored_box(one, split, 0, Rotation(np.eye(truth.n_dims), "", True)),
    }
    return Unturned(truth, None, None, facts, system_of_state(truth, title, span) if editable else None)


def _clamp_note(scenario: "Scenario", setup: Setup, drawn: bool) -> str:
    """That the clamp cannot act in this run, under no rotation, and a seed with which it does; else empty."""
    from physics.baselines.orientation import clean_windows, largest_forces
    from physics.stepping.defaults import default_dt

    def never(seed: int | None) -> bool:
        chosen = {"n_particles": setup.particles, "seed": seed} if drawn else {}
        system, state = scenario.initial(dims=setup.dims, **chosen)
        if (system.masses != 1.0).any() or system.fields.any:
            return False  # the published law has neither masses nor fields: not known
        dt = default_dt(system, state.n_dims)
        arrays = (a[None] for a in (state.positions, state.velocities, system.charges))
        return bool(clean_windows(largest_forces(*arrays, dt=dt, n_steps=round(scenario.duration / dt)))[0])

    if not never(setup.seed):
        return ""
    text = "the clamp was never reached in this run, so the published law acts as an isotropic one"
    if drawn:
        other = next((seed for seed in range(1, CLAMP_SEEDS) if not never(seed)), None)
        text += f": try seed {other}" if other is not None else ""
    return text


def growth_of(truth: "Trajectory", again: "Callable[[State], Trajectory] | None" = None) -> FloatArray:
    """How many times a perturbation of 1e-6 has grown at each frame; ones where it cannot be simulated.

    Parameters
    ----------
    again : callable, optional
        Simulates from another state as the truth was, which then need not be run once more to compare with.
    """
    from physics.simulate import simulate
    from physics.types import State

    def by_default(state: State) -> "Trajectory":
        return simulate(truth.system, state, float(truth.times[-1] - truth.times[0]), times=truth.times)

    start = truth.state(0)
    rng = np.random.default_rng(0)
    shift = rng.standard_normal(start.positions.shape)
    shift *= PERTURBATION / np.linalg.norm(shift)
    moved = State(start.positions + shift, start.velocities, start.time)
    try:
        other, same = (again(moved), truth) if again is not None else (by_default(moved), by_default(start))
    except InputError:
        return np.ones(truth.n_frames)
    apart = np.linalg.norm(other.positions - same.positions, axis=(1, 2))
    return np.asarray(apart / PERTURBATION)


def truth_residual(truth: "Trajectory", plain: "Trajectory", matrix: FloatArray, n_seen: int) -> FloatArray | None:
    """|truth - R plain| / radius at each of the frames that are seen, (n_seen,); None where nothing was turned."""
    if truth is plain:
        return None
    x, plain_x = truth.positions[-n_seen:], plain.positions[-n_seen:]
    size = np.linalg.norm(x - x.mean(axis=1, keepdims=True), axis=(1, 2))
    return np.asarray(np.linalg.norm(x - plain_x @ matrix.T, axis=(1, 2)) / np.maximum(size, 1e-300))


@lru_cache(maxsize=8)
def errors_of_engine(before: Unturned) -> dict[str, FloatArray]:
    """Once for a system: no world rotation changes them."""
    from physics.types import State

    scenario, plain = before.scenario, before.truth
    assert scenario is not None

    def simulated(states: Arrays, matrix: FloatArray) -> FloatArray:
        x, v, q, m = (array[0] for array in states)
        system = replace(plain.system, charges=q, masses=m).transformed(matrix)
        return scenario.trajectory(system, State(x, v, float(plain.times[0]))).positions

    return engine_errors(plain, simulated)
