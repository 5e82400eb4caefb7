"""One window, many entrants: what each of them makes of the same windows at the same cost.

An entrant is a learned model (one or several seeds) or an opponent that knows the law. Costs are stated twice:
evaluations as the contract counts them (one pass over all pairs that moves something), and law calls per pair,
since a round of the integrator may call its law several times for a close pair.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from physics.baselines.references import ADAPTIVE_LAWS, Windows, adaptive_leapfrog_forecast, leapfrog_forecast
from physics.datasets.reading import DataSplit
from physics.errors import InputError
from physics.forces import FORCES
from surrogate.evaluation.metrics import sample_errors
from surrogate.inference.forecaster import Cost, Forecaster
from surrogate.inference.loading import load
from surrogate.tasks.dynamics.windows import task_frames

FloatArray = NDArray[np.float64]

TIMED_BATCH = 100
TIMED_REPEATS = 5


@dataclass(frozen=True, eq=False)
class Arena:
    """The windows of a data set's task, and their truth.

    Attributes
    ----------
    windows : Windows
        `law` is "" where the data do not say.
    target : (n_windows, N, n) float64
    horizon : float [time]
    input_frame, target_frame : int
    """

    windows: Windows
    target: FloatArray
    horizon: float
    input_frame: int
    target_frame: int

    @property
    def knows_law(self) -> bool:
        """Whether opponents that know the law can take part."""
        return self.windows.law in FORCES

    def errors(self, positions: FloatArray) -> FloatArray:
        """Mean squared error of each window, (n_windows,)."""
        return sample_errors(positions, self.target)


def arena_of(split: DataSplit, split_name: str) -> Arena:
    """The task's windows of one split."""
    first, last = task_frames(split, split_name, -1, -1)
    x, v, target, q, m = (
        np.asarray(a, dtype=np.float64)
        for a in (
            split.positions[:, first],
            split.velocities[:, first],
            split.positions[:, last],
            split.charges,
            split.masses,
        )
    )
    law, parameters = split.recipe.get("law"), split.recipe.get("parameters")
    known = isinstance(law, str) and law in FORCES
    windows = Windows(x, v, q, m, str(law) if known else "", parameters if isinstance(parameters, dict) else {})
    return Arena(windows, target, float(split.times[last] - split.times[first]), first, last)


@dataclass(frozen=True, eq=False)
class Score:
    """What one entrant did at one setting.

    Attributes
    ----------
    errors : (n_seeds, n_windows) float64
        Mean squared error of each window.
    evaluations : float
        Per window (the mean, where windows differ).
    law_calls : float
        Per pair and window.
    milliseconds : float
        Wall time of a window: batch of 100, one thread, median of 5, first seed.
    setting : str
        What was chosen, for people ("eta = 0.3").
    """

    errors: FloatArray
    evaluations: float
    law_calls: float
    milliseconds: float
    setting: str = ""


def timed(run: Callable[[NDArray[np.int64]], object], count: int) -> float:
    """Milliseconds per window of `run` on 100 windows (their row numbers), after one call to warm up."""
    rows = np.resize(np.arange(count), TIMED_BATCH)
    run(rows)
    samples = []
    for _ in range(TIMED_REPEATS):
        begin = time.perf_counter()
        run(rows)
        samples.append(1e3 * (time.perf_counter() - begin) / TIMED_BATCH)
    return float(np.median(samples))


@dataclass(frozen=True, eq=False)
class Entrant:
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

    def score(self, arena: Arena, evaluations: int | None) -> Score:
        """All seeds on all windows, with so many evaluations each (None: the model's own number)."""
        return self._scored(arena, [m.with_evaluations(evaluations) if evaluations else m for m in self.seeds])

    def score_within(self, arena: Arena, tolerance: float) -> Score:
        """All seeds on all windows, each window with as many evaluations as the tolerance [length] asks for."""
        return self._scored(arena, [m.with_tolerance(tolerance) for m in self.seeds], f"tolerance = {tolerance:g}")

    def _scored(self, arena: Arena, models: Sequence[Forecaster], setting: str = "") -> Score:
        results = [forecast_with_cost(m, arena.windows, torch.float32) for m in models]
        errors = np.array([arena.errors(x) for x, _, _ in results])
        evaluations = float(np.mean([cost.evaluations for _, _, cost in results]))
        calls = float(np.mean([law_calls(cost) for _, _, cost in results]))

        def run(rows: NDArray[np.int64]) -> object:
            w = arena.windows
            return models[0].forecast_in(w.x[rows], w.v[rows], w.q[rows], torch.float32, w.m[rows])

        return Score(errors, evaluations, calls, timed(run, len(arena.windows)), setting)


def law_calls(cost: Cost) -> float:
    """Law calls per pair; a model that does not count them makes one each evaluation."""
    return cost.evaluations if cost.law_calls is None else cost.law_calls


def forecast_with_cost(
    model: Forecaster, windows: Windows, dtype: torch.dtype
) -> tuple[FloatArray, FloatArray | None, Cost]:
    """Positions and velocities of all windows, and what they took."""
    x, v = model.forecast_in(windows.x, windows.v, windows.q, dtype, windows.m)
    return x, v, model.cost


def leapfrog_score(arena: Arena, evaluations: int) -> Score:
    """The true law, exactly so many equal steps."""
    x, _ = leapfrog_forecast(arena.windows, arena.horizon, evaluations)

    def run(rows: NDArray[np.int64]) -> object:
        return leapfrog_forecast(arena.windows.part(rows), arena.horizon, evaluations)

    milliseconds = timed(run, len(arena.windows))
    return Score(arena.errors(x)[None], float(evaluations), float(evaluations), milliseconds)


def adaptive_score(arena: Arena, eta: float, *, isotropic: bool = False) -> Score:
    """The true law with adaptive steps; with `isotropic`, the clamp of the published law on the norm."""
    windows = arena.windows.isotropic() if isotropic else arena.windows
    x, _, counts = adaptive_leapfrog_forecast(windows, arena.horizon, eta)

    def run(rows: NDArray[np.int64]) -> object:
        return adaptive_leapfrog_forecast(windows.part(rows), arena.horizon, eta)

    mean = float(counts.mean())
    setting = f"eta = {eta:.3g}; evaluations: median {np.median(counts):.0f}, most {counts.max()}"
    return Score(arena.errors(x)[None], mean, mean, timed(run, len(windows)), setting)


def adapts(arena: Arena) -> bool:
    """Whether the adaptive leapfrog knows this law."""
    return arena.windows.law in ADAPTIVE_LAWS


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


@dataclass(eq=False)
class Field:
    """Who takes part, and who was left out and why."""

    entrants: list[Entrant] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def field_of(listed: Sequence[Listed], arena: Arena, split: DataSplit, *, trust_code: bool = False) -> Field:
    """Load every model; those that cannot do this n, N or horizon are left out, with the reason."""
    result = Field()
    w = arena.windows
    for item in listed:
        models: list[Forecaster] = []
        try:
            for path in item.paths:
                models.append(_ready(load(path, trust_code=trust_code), arena))
        except _UnfitError as error:
            result.left_out[item.name] = str(error)
            continue
        at = float(split.times[arena.input_frame])
        outside = models[0].outside(w.x.shape[2], w.x.shape[1], _law_of(split), (at, at))
        result.entrants.append(Entrant(item.name, tuple(models), outside))
    return result


class _UnfitError(Exception):
    """A model that cannot take part."""


def _ready(model: Forecaster, arena: Arena) -> Forecaster:
    w = arena.windows
    if model.horizons == "any":
        model = model.with_horizon(arena.horizon) if hasattr(model, "_models") else _at(model, arena.horizon)
    try:
        model.refuse_unfit(w.x.shape[2], w.x.shape[1], arena.horizon, torch.as_tensor(w.m))
    except InputError as error:
        raise _UnfitError(str(error)) from None
    return model


def _at(model: Forecaster, horizon: float) -> Forecaster:
    model.horizon = horizon
    return model


def _law_of(split: DataSplit) -> dict[str, Any] | None:
    recipe = dict(split.recipe)
    return recipe if recipe.get("law") else None
