"""The error of one model on the samples of a data set, so that they can be browsed worst first."""

from dataclasses import dataclass

import numpy as np

from app.viewmodel.state.samples import SampleError
from app.viewmodel.state.setup import Setup
from app.viewmodel.worker.tasks.task import Cancelled, Part, Progress, Task

MOST = 400
"""Samples that are measured at most: the first ones."""

AT_ONCE = 40


@dataclass(frozen=True)
class SampleErrorsTask(Task):
    """Forecast the samples of a setup's split from the task's input frame, one horizon ahead; the worst first."""

    setup: Setup

    def run(self, progress: Progress, cancelled: Cancelled, part: Part) -> tuple[SampleError, ...]:
        """See Task."""
        from app.viewmodel.worker.loaded_models import tuned_model
        from physics.datasets.reading import read_samples
        from surrogate.comparison.ground_truth import task_start
        from surrogate.evaluation.single_forecasts import window_errors

        setup = self.setup
        model = tuned_model(setup.model, setup.effort)
        found: list[SampleError] = []
        first, count = 0, 1
        while first < count and not cancelled():
            samples, total = read_samples(setup.data, setup.split, range(first, min(first + AT_ONCE, MOST)))
            count = min(total, MOST)
            errors = window_errors(model, samples, task_start(samples, setup.split))
            errors = np.where(np.isfinite(errors), errors, np.inf)
            found += [(first + k, float(error)) for k, error in enumerate(errors)]
            first += len(samples)
            part(ranked(found))
            progress(first / count)
        return ranked(found)


def ranked(errors: list[SampleError]) -> tuple[SampleError, ...]:
    """The worst first."""
    return tuple(sorted(errors, key=lambda pair: -pair[1]))
