"""The truth of a comparison: a scenario simulated from the turned state, or a stored trajectory."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.boundaries import OPEN, Boundary
from physics.datasets.presets import PRESETS
from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.fields import Fields
from physics.laws.names import is_law
from physics.rotations import parse_operations, random_rotation, reflection
from physics.scenarios import Scenario
from physics.types import FloatArray, State, System, Trajectory
from surrogate.comparison.box import PeriodicBox, periodic_box
from surrogate.inference.frame_pairs import horizon_in_frames
from surrogate.models.base import GIVEN

MOST_FRAMES = 100_000
"""Frames of a scenario."""


@dataclass(frozen=True)
class Rotation:
    """A world rotation and how the user wrote it.

    Attributes
    ----------
    matrix : (n, n) float64
        An element of O(n).
    turns : str
        For captions: what was asked.
    identity : bool
    """

    matrix: FloatArray
    turns: str
    identity: bool


def rotation_of(n_dims: int, rotate: str | None, random_seed: int | None, reflect: int | None) -> Rotation:
    """The world rotation of the options: turns left to right (or a Haar draw from SO(n)), then a reflection."""
    matrix, parts = np.eye(n_dims), list[str]()
    if rotate:
        matrix, parts = parse_operations(rotate, n_dims)
    elif random_seed is not None:
        matrix = random_rotation(n_dims, np.random.default_rng(random_seed))
        parts.append(f"random rotation {random_seed}")
    if reflect is not None:
        matrix = reflection(n_dims, reflect) @ matrix
        parts.append(f"reflect x{reflect}")
    return Rotation(matrix, ", ".join(parts), not parts)


def scenario_times(scenario: Scenario, horizon: float, n_frames: int | None = None) -> FloatArray:
    """Times of a scenario's frames from its start on, as many as `n_frames` compared ones may need."""
    count = round(scenario.duration / scenario.frame_interval) + 1
    if n_frames is not None:
        count = max(count, math.ceil(min(horizon / scenario.frame_interval, MOST_FRAMES)) + n_frames + 1)
    return np.float64(scenario.frame_interval) * np.arange(count)


def scenario_truth(
    scenario: Scenario,
    rotation: Rotation,
    horizon: float,
    *,
    dims: int | None = None,
    n_particles: int | None = None,
    chosen_seed: int | None = None,
    n_frames: int | None = None,
) -> Trajectory:
    """The truth of a scenario re-simulated from the rotated state.

    With `n_frames`, so many compared frames: one horizon comes before the first of them.
    """
    system, state = scenario.initial(dims=dims, n_particles=n_particles, seed=chosen_seed)
    turned = State(state.positions @ rotation.matrix.T, state.velocities @ rotation.matrix.T, state.time)
    if n_frames is not None:
        n_frames += horizon_in_frames(scenario_times(scenario, horizon, 1), horizon)
    return scenario.trajectory(system.transformed(rotation.matrix), turned, n_frames)


def task_start(split: DataSplit, split_name: str) -> int:
    """The frame at which the task of a data set begins; its velocities are known there."""
    preset = PRESETS.get(str(split.recipe.get("preset")))
    return max(preset.input_frame[split_name] if preset else 0, split.first_state)


def stored_truth(split: DataSplit, split_name: str, index: int) -> tuple[Trajectory, bool, dict[str, Any]]:
    """A stored trajectory from the task's input frame on, whether its law is known, and its recipe.

    Raises
    ------
    InputError
        Where there is no such sample, or no frame with a velocity.
    """
    if not 0 <= index < len(split):
        raise InputError(f"{split.source}: no sample {index}; it has {len(split)} (0 to {len(split) - 1})")
    recipe, first = dict(split.recipe), task_start(split, split_name)
    if split.first_state and len(split.times) < 3:
        raise InputError(
            f"{split.source}: velocities are differences of positions, which frame 0 has not, and "
            f"{len(split.times)} frames leave none to forecast; expected velocities, or three frames"
        )
    if first >= len(split.times):
        raise InputError(f"{split.source}: {len(split.times)} frames; a comparison begins at frame {first}")
    known = is_law(recipe.get("law")) and not acting(split)
    law, parameters = (recipe["law"], recipe.get("parameters") or {}) if known else ("coulomb", {})
    boundary = Boundary("periodic", split.box[index]) if known and split.box is not None else OPEN
    there, none = stored_given(split, index), np.empty(0)
    fields = Fields(there.get("uniform_field", none), there.get("magnetic_field", none))
    system = System(split.charges[index], split.masses[index], law, parameters, fields, boundary)
    truth = Trajectory(
        split.times[first:],
        split.positions[index, first:],
        split.velocities[index, first:],
        system,
        float(recipe.get("velocity_offset", 0.0)),
    )
    return truth, known, recipe


def acting(split: DataSplit) -> tuple[str, ...]:
    """What acts in the data beside a law of pairs, so that the recipe's law alone gives no energies."""
    names = ("edges", "uniform_field", "magnetic_field")
    return tuple(name for name in names if getattr(split, name) is not None)


def stored_given(split: DataSplit, index: int) -> dict[str, NDArray[Any]]:
    """What of a stored sample models may see beside its states: species, edges, fields.

    A uniform field is its system's electric field, too, whatever the particles feel of it.
    """
    return {name: values[index] for name in GIVEN if (values := getattr(split, name)) is not None}


def stored_notes(split: DataSplit) -> tuple[str, ...]:
    """What was filled in, guessed or left aside in the data, a phrase each."""
    if is_law(split.recipe.get("law")) and acting(split):
        return *split.notes, f"with {', '.join(acting(split))} in the data no energies are made"
    return split.notes


def stored_box(split: DataSplit, split_name: str, index: int, rotation: Rotation) -> PeriodicBox | None:
    """The periodic box of a stored trajectory, turned with the world; None for open space."""
    if split.box is None:
        return None
    return periodic_box(split.box[index], split.positions[index, task_start(split, split_name)], rotation.matrix)
