"""All models on one initial state: how good, how long, at what cost."""

import time
from dataclasses import dataclass

import numpy as np

from app.viewmodel.state.models import ModelRow
from app.viewmodel.state.setup import Effort, Setup
from app.viewmodel.worker.tasks.task import Cancelled, Part, Progress, Task
from physics.errors import InputError

ROW_SECONDS = 30.0
"""About so long the measurement of a model of many particles takes beside its forecasts."""


@dataclass(frozen=True)
class ModelTableTask(Task):
    """Measure `models` on the state of a setup; its own two models with the effort they have there."""

    setup: Setup
    models: tuple[str, ...]

    def run(self, progress: Progress, cancelled: Cancelled, part: Part) -> tuple[ModelRow, ...]:
        """A row for each model, in their order, given out as they come."""
        rows: tuple[ModelRow, ...] = ()
        for count, name in enumerate(self.models, 1):
            if cancelled():
                break
            rows = (*rows, measured(self.setup, name))
            part(rows)
            progress(count / len(self.models))
        return rows


def effort_in(setup: Setup, name: str) -> Effort:
    """What a model spends in a setup."""
    if name == setup.model:
        return setup.effort
    return setup.contrast_effort if name == setup.contrast else Effort()


def measured(setup: Setup, name: str) -> ModelRow:
    """One model's row; what it refuses is its reason."""
    from app.viewmodel.worker.ground_truth import turned_truth
    from app.viewmodel.worker.loaded_models import tuned_model
    from app.viewmodel.worker.stored import fitted_model
    from surrogate.comparison.forecasts import comparison_parts
    from surrogate.evaluation.metrics import valid_times
    from surrogate.inference.rollout import sliding_forecast

    effort = effort_in(setup, name)
    label = f"{name} ({effort})" if effort != Effort() else name
    try:
        model = tuned_model(name, effort)
        truth, rotation, known = turned_truth(setup, model)
        if not model.uses_masses and (truth.system.masses != 1).any():
            return ModelRow(name, label, "made for unit masses; this state has others")
        if setup.data:
            model, _ = fitted_model(name, effort, truth)
        *_, comparison = comparison_parts(
            model, truth, rotation, scenario_name="", law_known=known, seconds=ROW_SECONDS, thin=False
        )
        begin = time.perf_counter()
        sliding_forecast(model, truth)  # once more, now that everything is loaded and compiled
        seconds = time.perf_counter() - begin
    except InputError as error:
        return ModelRow(name, label, str(error))
    seen = comparison.truth
    errors = comparison.position_rmse()
    valid, to_end = None, False
    if comparison.rollout is not None:
        centred = seen.positions - seen.positions.mean(axis=1, keepdims=True)
        radius = np.sqrt(np.mean(np.sum(centred**2, axis=-1), axis=1))
        rolled = np.sqrt(np.mean(comparison.particle_errors(comparison.rollout) ** 2, axis=1))
        elapsed = np.asarray(seen.times - truth.times[0])
        valid = float(valid_times(elapsed, rolled[None], radius[None])[0])
        to_end = valid >= float(elapsed[-1])
    return ModelRow(
        name,
        label,
        error_median=float(np.median(errors)),
        error_end=float(errors[-1]),
        valid_time=valid,
        valid_to_end=to_end,
        equivariance=comparison.equivariance_error,
        evaluations=model.cost.evaluations,
        force_evaluations=model.cost.force_evaluations,
        milliseconds=1000 * seconds / seen.n_frames,
    )
