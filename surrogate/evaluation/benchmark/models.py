"""The models of a benchmark, one forecaster for each seed, and what a forecast of all windows takes.

Costs are stated twice: evaluations as the contract counts them (one pass over all pairs that moves something), and
force evaluations per pair (in files: law calls), since a round of the integrator may evaluate the force of a close
pair several times.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from physics.baselines.references import Windows
from physics.errors import InputError
from physics.types import FloatArray
from surrogate.evaluation.evaluation_set import EvaluationSet, input_states
from surrogate.evaluation.single_forecasts import median_milliseconds
from surrogate.inference.forecast import Cost
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.loading import load
from surrogate.inference.training_range import preset_times
from surrogate.tasks.dynamics.windows import given_arrays

TIMED_BATCH = 100
TIMED_REPEATS = 5


@dataclass(frozen=True, eq=False)
class Measurement:
    """Errors and cost of one model or baseline at one setting.

    Attributes
    ----------
    errors : (n_seeds, n_windows) float64
        Mean squared error of each window.
    evaluations : float
        Per window (the mean, where windows differ).
    force_evaluations : float
        Per pair and window.
    milliseconds : float
        Wall time of a window: batch of 100, one thread, median of 5, first seed.
    setting : str
        What was chosen, for people ("eta = 0.3").
    """

    errors: FloatArray
    evaluations: float
    force_evaluations: float
    milliseconds: float
    setting: str = ""


def timed(run: Callable[[NDArray[np.int64]], object], count: int) -> float:
    """Milliseconds per window of `run` on 100 windows (their row numbers), after one call to warm up."""
    rows = np.resize(np.arange(count), TIMED_BATCH)
    return median_milliseconds(lambda: run(rows), TIMED_REPEATS) / TIMED_BATCH


@dataclass(frozen=True, eq=False)
class BenchmarkModel:
    """A learned model, one forecaster for each seed.

    Attributes
    ----------
    name : str
    seeds : tuple of Forecaster
    notes : tuple of str
        What must be said beside its numbers (outside training).
    """

    name: str
    seeds: tuple[Forecaster, ...]
    notes: tuple[str, ...] = ()

    @property
    def chooses(self) -> bool:
        """Whether it takes any number of evaluations."""
        return all(model.chooses_evaluations for model in self.seeds)

    def measured(self, data: EvaluationSet, evaluations: int | None) -> Measurement:
        """All seeds on all windows, with so many evaluations each (None: the model's own number)."""
        return self._measured(data, [m.with_evaluations(evaluations) if evaluations else m for m in self.seeds])

    def measured_within(self, data: EvaluationSet, tolerance: float) -> Measurement:
        """All seeds on all windows, each with as many evaluations as a tolerance in its unit asks for."""
        lengths = [tolerance * m.scales.length for m in self.seeds]
        models = [m.with_tolerance(length) for m, length in zip(self.seeds, lengths, strict=True)]
        return self._measured(data, models, f"tolerance = {lengths[0]:g}")

    def _measured(self, data: EvaluationSet, models: Sequence[Forecaster], setting: str = "") -> Measurement:
        given = given_arrays(data.split, models[0].takes)
        results = [forecast_with_cost(m, data.windows, torch.float32, given) for m in models]
        errors = np.array([data.errors(x) for x, _, _ in results])
        evaluations = float(np.mean([cost.evaluations for _, _, cost in results]))
        calls = float(np.mean([force_evaluations(cost) for _, _, cost in results]))

        def forward(rows: NDArray[np.int64]) -> object:
            some = {name: array[rows] for name, array in given.items()}
            return forecast_with_cost(models[0], data.windows.part(rows), torch.float32, some)

        milliseconds = timed(forward, len(data.windows))
        return Measurement(errors, evaluations, calls, milliseconds, setting)


def force_evaluations(cost: Cost) -> float:
    """Force evaluations per pair; a model that does not count them makes one each evaluation."""
    return cost.evaluations if cost.force_evaluations is None else cost.force_evaluations


def forecast_with_cost(
    model: Forecaster, windows: Windows, dtype: torch.dtype, given: Mapping[str, FloatArray] | None = None
) -> tuple[FloatArray, FloatArray | None, Cost]:
    """Positions and velocities of all windows, and what they took."""
    x, v = model.forecast_in(windows.x, windows.v, windows.q, dtype, windows.m, given)
    return x, v, model.cost


@dataclass(frozen=True)
class Listed:
    """A model as named on the command line: its name in tables, and the paths of its seeds."""

    name: str
    paths: tuple[str, ...]


def listed_models(text: str, seeds: int) -> list[Listed]:
    """The models of "a,b,name=run1+run2": each with its seeds.

    With `seeds` above 1 a name without "=" stands for the runs NAME-0 ... NAME-(seeds - 1) where the first exists;
    a list after "=" is cut to its first `seeds` (1: all of it).

    Raises
    ------
    InputError
        For an empty or doubled name, or fewer runs than seeds.
    """
    result: list[Listed] = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, equals, runs = item.partition("=")
        if equals:
            paths = tuple(filter(None, (run.strip() for run in runs.split("+"))))
            if not name or not paths:
                raise InputError(f"--models: {item!r:.60} must read NAME=RUN1+RUN2")
            if len(paths) < seeds:
                raise InputError(f"--models: {name} lists {len(paths)} runs; --seeds {seeds} asks for more")
            paths = paths[:seeds] if seeds > 1 else paths
        elif seeds > 1 and Path(f"{name}-0").exists():
            paths, name = tuple(f"{name}-{k}" for k in range(seeds)), Path(name).name
        else:
            paths, name = (name,), name if ":" in name else Path(name).name
        if name in [listed.name for listed in result]:
            raise InputError(f"--models: {name!r} is listed twice; name them apart with NAME=RUN")
        result.append(Listed(name, paths))
    if not result:
        raise InputError("--models: no model is named")
    return result


def loaded_models(listed: Sequence[Listed], *, trust_code: bool = False) -> dict[Listed, list[Forecaster]]:
    """A forecaster for each seed of each model."""
    return {item: [load(path, trust_code=trust_code) for path in item.paths] for item in listed}


def fitted_models(
    loaded: Mapping[Listed, Sequence[Forecaster]], data: EvaluationSet
) -> tuple[list[BenchmarkModel], dict[str, str]]:
    """The models that are measured, and for each that cannot do this n, N or horizon the reason it is left out."""
    models, left_out = list[BenchmarkModel](), dict[str, str]()
    w, split, time = data.windows, data.split, float(data.split.times[data.first])
    times, states = preset_times(split.recipe, time, time), input_states(split, w)
    for item, forecasters in loaded.items():
        try:
            seeds = tuple(_fitted(model, data) for model in forecasters)
        except InputError as error:
            left_out[item.name] = str(error)
            continue
        outside = seeds[0].outside(
            w.x.shape[2], w.x.shape[1], split.recipe, times, states=states, units=split.units
        )
        models.append(BenchmarkModel(item.name, seeds, outside))
    return models, left_out


def _fitted(model: Forecaster, data: EvaluationSet) -> Forecaster:
    """The model at the horizon of the windows, at its usual evaluations per unit of time."""
    w = data.windows
    if model.horizons == "any":
        model = model.with_horizon(data.horizon)
    model.refuse_unfit(w.x.shape[2], w.x.shape[1], data.horizon, torch.as_tensor(w.m))
    return model
