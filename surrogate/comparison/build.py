"""A comparison from where its truth comes from: a scenario, or a trajectory of a data set."""

from dataclasses import dataclass
from pathlib import Path

from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.scenario_files import fields_tree
from physics.scenarios import Scenario
from surrogate.comparison.comparison import Comparison
from surrogate.comparison.forecasts import comparison_parts
from surrogate.comparison.ground_truth import rotation_of, scenario_truth, stored_truth
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.rollout import horizon_in_frames


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
