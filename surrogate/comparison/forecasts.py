"""A `Comparison` made of a truth already turned, of a scenario, or of a stored trajectory, and one model."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from physics import __version__
from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.scenario_files import fields_tree
from physics.scenarios import Scenario
from physics.types import FloatArray, Trajectory
from surrogate.comparison.comparison import Comparison
from surrogate.comparison.ground_truth import Rotation, rotation_of, scenario_truth, stored_truth
from surrogate.evaluation.metrics import haar_matrices, relative_residuals
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.rollout import chained_rollout, horizon_in_frames, sliding_forecast
from surrogate.tasks.dynamics.ranges import States


def outside_training(model: Forecaster, truth: Trajectory, law_known: bool) -> tuple[str, ...]:
    """Why sliding forecasts of all of a truth lie outside the model's training; empty inside.

    Times are compared where the law is known: where the clock of other data starts means nothing.
    """
    inputs = truth.part(slice(0, truth.n_frames - horizon_in_frames(truth.times, model.horizon)))
    system, shape = truth.system, (inputs.n_frames, truth.system.n_particles)
    q, m = (np.broadcast_to(a, shape) for a in (system.charges, system.masses))
    states = States(inputs.positions, inputs.velocities, q, m)
    if law_known:
        times = (float(inputs.times[0]), float(inputs.times[-1]))
        return model.outside_system(system, truth.n_dims, times, states=states)
    return model.outside(truth.n_dims, system.n_particles, states=states)


def comparison_parts(
    model: Forecaster,
    truth: Trajectory,
    rotation: Rotation,
    *,
    scenario_name: str,
    law_known: bool = True,
    command: str = "",
    details: dict[str, Any] | None = None,
    chained: bool = True,
    dtype: torch.dtype = torch.float32,
    n_elements: int = 8,
) -> Iterator[Comparison]:
    """Forecasts beside an already rotated truth: first the sliding one alone, for those who wait for it, then all.

    The whole comparison has the roll-out (if `chained`) and the model's equivariance error, too.
    `n_elements` Haar-random elements of O(n) measure the latter where there is no rotation.
    """
    model.refuse_unfit(truth.n_dims, truth.system.n_particles, model.horizon)
    k = horizon_in_frames(truth.times, model.horizon)
    sliding = sliding_forecast(model, truth, dtype)
    first = Comparison(
        truth=truth.part(slice(k, None)),
        forecast=sliding,
        rollout=None,
        rotation=rotation.matrix,
        equivariance_error=None,
        model_name=model.name,
        scenario_name=scenario_name,
        horizon=model.horizon,
        outside_training=outside_training(model, truth, law_known),
        law_known=law_known,
        command=command,
        details={
            "versions": {"isotwin": __version__, "torch": str(torch.__version__), "numpy": np.__version__},
            "checkpoint_sha256": model.digest,
            "turns": rotation.turns,
            "law": truth.system.law,
            "parameters": dict(truth.system.parameters),
            "fields": fields_tree(truth.system.fields),
            "card": model.card,
            "gives_velocity": model.gives_velocity,
            **(details or {}),
        },
    )
    yield first
    rolled, note = None, {}
    try:
        rolled = chained_rollout(model, truth, dtype) if chained else None
    except InputError as error:  # the sliding forecast is still worth showing
        note = {"rollout_note": f"no chained roll-out: {error}"}
    shape = (len(sliding.positions), truth.system.n_particles)
    q, m = (np.broadcast_to(a, shape) for a in (truth.system.charges, truth.system.masses))

    def forecast(x: FloatArray, v: FloatArray) -> FloatArray:
        return model.forecast_in(x, v, q, dtype, m)[0]

    x, v = truth.positions[:-k], truth.velocities[:-k]
    if rotation.identity:
        matrices = haar_matrices(truth.n_dims, n_elements, 0)
        residuals = [relative_residuals(forecast(x @ g.T, v @ g.T), sliding.positions, g) for g in matrices]
        errors = np.concatenate(residuals)
    else:
        # The forecast of the turned state, which there is, against the turned forecast of the state before it.
        before = forecast(x @ rotation.matrix, v @ rotation.matrix)
        errors = relative_residuals(sliding.positions, before, rotation.matrix)
    yield replace(
        first,
        rollout=rolled,
        equivariance_error=float(np.median(errors)),
        details={**note, **first.details},
    )


@dataclass(frozen=True)
class WorldRotation:
    """How the world is turned: see :func:`surrogate.comparison.ground_truth.rotation_of`."""

    rotate: str | None = None
    random_seed: int | None = None
    reflect: int | None = None


def scenario_comparison(
    model: Forecaster,
    scenario: Scenario,
    world: WorldRotation,
    *,
    dims: int | None = None,
    n_particles: int | None = None,
    seed: int | None = None,
    n_frames: int | None = None,
    command: str = "",
) -> Comparison:
    """Compare on a scenario, simulated from the rotated state.

    Parameters
    ----------
    dims, n_particles, seed : int, optional
        Another number of dimensions or particles, another draw; the scenario's own by default.
    n_frames : int, optional
        Compare so many frames; all by default.
    command : str
        What makes this comparison again.
    """
    n_dims = dims or scenario.dims
    model.refuse_unfit(n_dims, n_particles or 2, model.horizon)
    rotation = rotation_of(n_dims, world.rotate, world.random_seed, world.reflect)
    truth = scenario_truth(
        scenario, rotation, model, dims=dims, n_particles=n_particles, chosen_seed=seed, n_frames=n_frames
    )
    recipe = {
        "scenario": scenario.name,
        "law": scenario.law,
        "parameters": dict(scenario.parameters),
        "fields": fields_tree(scenario.fields),
        "n_dims": n_dims,
        "seed": seed if seed is not None else scenario.random.get("seed"),
    }
    details = {"recipe": recipe, "description": scenario.description}
    *_, whole = comparison_parts(
        model, truth, rotation, scenario_name=scenario.title, command=command, details=details
    )
    return whole


def stored_comparison(
    model: Forecaster,
    split: DataSplit,
    split_name: str,
    index: int,
    world: WorldRotation,
    *,
    n_frames: int | None = None,
    command: str = "",
) -> Comparison:
    """Compare on one sample of a data set, rotated; parameters as of :func:`scenario_comparison`."""
    truth, known, recipe = stored_truth(split, split_name, index)
    rotation = rotation_of(truth.n_dims, world.rotate, world.random_seed, world.reflect)
    truth = truth.transformed(rotation.matrix)
    if n_frames is not None:
        lead = horizon_in_frames(truth.times, model.horizon)
        if lead + n_frames > truth.n_frames:
            raise InputError(f"--frames {n_frames}: only {truth.n_frames - lead} are stored")
        truth = truth.part(slice(0, lead + n_frames))
    title, details = f"{Path(split.source).name}, {split_name} {index}", {"recipe": recipe}
    *_, whole = comparison_parts(
        model, truth, rotation, scenario_name=title, law_known=known, command=command, details=details
    )
    return whole
