"""A comparison of a scenario, or of a sample of a data set, under a world rotation."""

from dataclasses import dataclass
from pathlib import Path

from physics.datasets.reading import available_splits
from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.scenario_files import fields_tree
from physics.scenarios import Scenario
from surrogate.comparison.comparison import Comparison
from surrogate.comparison.forecasts import Progress, comparison_parts
from surrogate.comparison.ground_truth import (
    rotation_of,
    scenario_times,
    scenario_truth,
    stored_box,
    stored_given,
    stored_notes,
    stored_truth,
)
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.frame_pairs import fitted
from surrogate.inference.rollout import model_pairs


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
    horizon: float | None = None,
    evaluations: int | None = None,
    seconds: float | None = None,
    command: str = "",
    progress: Progress = lambda _: None,
) -> Comparison:
    """Compare on a scenario, simulated from the rotated state.

    Parameters
    ----------
    dims, n_particles, seed : int, optional
        Another number of dimensions or particles, another draw; the scenario's own by default.
    n_frames : int, optional
        Compare so many frames; all by default.
    horizon : float, optional [time]
        By default the model's own, or of one that takes any, one that fits the frames.
    evaluations : int, optional
        Message rounds a horizon, for models that choose.
    seconds : float, optional
        See :func:`comparison_parts`.
    command : str
        What makes this comparison again.
    progress : callable
    """
    n_dims = dims or scenario.dims
    model.refuse_unfit(n_dims, n_particles or 2, model.horizon)
    rotation = rotation_of(n_dims, world.rotate, world.random_seed, world.reflect)
    model, note = fitted(model, scenario_times(scenario, horizon or model.horizon, n_frames), horizon, evaluations)
    truth = scenario_truth(
        scenario, rotation, model.horizon, dims=dims, n_particles=n_particles, chosen_seed=seed, n_frames=n_frames
    )
    recipe = {
        "scenario": scenario.name,
        "law": scenario.law,
        "parameters": dict(scenario.parameters),
        "fields": fields_tree(scenario.fields),
        "n_dims": n_dims,
        "seed": seed if seed is not None else scenario.random.get("seed"),
    }
    *_, whole = comparison_parts(
        model,
        truth,
        rotation,
        scenario_name=scenario.title,
        command=command,
        details={"recipe": recipe, "description": scenario.description},
        notes=(note,) if note else (),
        seconds=seconds,
        thin=n_frames is None,
        progress=progress,
    )
    return whole


def stored_comparison(
    model: Forecaster,
    split: DataSplit,
    split_name: str,
    index: int,
    world: WorldRotation,
    *,
    number: int | None = None,
    n_frames: int | None = None,
    horizon: float | None = None,
    evaluations: int | None = None,
    seconds: float | None = None,
    command: str = "",
    progress: Progress = lambda _: None,
) -> Comparison:
    """Compare on one sample of a data set, rotated; other parameters as of :func:`scenario_comparison`.

    Parameters
    ----------
    split : DataSplit
    index : int
        Of the sample, in `split`.
    number : int, optional
        Of the sample in the data set, for its name, where `split` is a part of that.
    """
    truth, known, recipe = stored_truth(split, split_name, index)
    given = stored_given(split, index)
    model = model.with_given(**{name: given[name] for name in ("species", "edges") if name in given})
    model.refuse_unfit(truth.n_dims, truth.system.n_particles, model.horizon)
    rotation = rotation_of(truth.n_dims, world.rotate, world.random_seed, world.reflect)
    try:
        model, note = fitted(model, truth.times, horizon, evaluations)
    except InputError as error:
        raise InputError(f"{split.source}: {error}") from None
    truth = truth.transformed(rotation.matrix)
    if n_frames is not None:
        pairs = model_pairs(model, truth)
        if n_frames > len(pairs):
            raise InputError(f"--frames {n_frames}: only {len(pairs)} are stored that have one a horizon earlier")
        truth = truth.part(slice(0, int(pairs.targets[n_frames - 1]) + 1))
    splits, number = available_splits(split.source), index if number is None else number
    *_, whole = comparison_parts(
        model,
        truth,
        rotation,
        scenario_name=f"{Path(split.source).name}, {split_name if splits else 'sample'} {number}",
        law_known=known,
        command=command,
        details={"recipe": recipe, "units": dict(split.units)},
        notes=(*stored_notes(split), note) if note else stored_notes(split),
        box=stored_box(split, split_name, index, rotation),
        seconds=seconds,
        thin=n_frames is None,
        progress=progress,
    )
    return whole
