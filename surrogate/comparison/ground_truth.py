"""The truth of a comparison: a scenario simulated from the turned state, or a stored trajectory."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from physics.datasets.presets import PRESETS
from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.laws.names import is_law
from physics.rotations import parse_operations, random_rotation, reflection
from physics.scenarios import Scenario
from physics.types import FloatArray, State, System, Trajectory
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.rollout import horizon_in_frames


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


def scenario_truth(
    scenario: Scenario,
    rotation: Rotation,
    model: Forecaster,
    *,
    dims: int | None = None,
    n_particles: int | None = None,
    chosen_seed: int | None = None,
    n_frames: int | None = None,
) -> Trajectory:
    """The truth of a scenario re-simulated from the rotated state.

    With `n_frames`, so many compared frames: the model's horizon comes before the first of them.
    """
    system, state = scenario.initial(dims=dims, n_particles=n_particles, seed=chosen_seed)
    turned = State(state.positions @ rotation.matrix.T, state.velocities @ rotation.matrix.T, state.time)
    if n_frames is not None:
        lead = horizon_in_frames(np.arange(3) * np.float64(scenario.frame_interval), model.horizon)
        n_frames += lead
    return scenario.trajectory(system.transformed(rotation.matrix), turned, n_frames)


def task_start(split: DataSplit, split_name: str) -> int:
    """The frame at which the task of a data set begins."""
    preset = PRESETS.get(str(split.recipe.get("preset")))
    return preset.input_frame[split_name] if preset else split.first_state


def stored_truth(split: DataSplit, split_name: str, index: int) -> tuple[Trajectory, bool, dict[str, Any]]:
    """A stored trajectory from the task's input frame on, whether its law is known, and its recipe."""
    if not 0 <= index < len(split):
        raise InputError(f"{split.source}: no sample {index}; it has {len(split)} (0 to {len(split) - 1})")
    recipe = dict(split.recipe)
    first = task_start(split, split_name)
    known = is_law(recipe.get("law"))
    law, parameters = (recipe["law"], recipe.get("parameters") or {}) if known else ("coulomb", {})
    system = System(split.charges[index], split.masses[index], law, parameters)
    truth = Trajectory(
        split.times[first:],
        split.positions[index, first:],
        split.velocities[index, first:],
        system,
        float(recipe.get("velocity_offset", 0.0)),
    )
    return truth, known, recipe
