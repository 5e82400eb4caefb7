"""A sample of another task than dynamics: read, turned, given to its model. In the child process only."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from app.viewmodel.state.sample_result import SampleResult
from app.viewmodel.state.setup import Setup, fitting_operations, rotation_matrix
from app.viewmodel.worker.loaded_models import task_model
from physics.errors import InputError
from surrogate.comparison.task_samples import SAMPLES, Place, splits_of


def sample_result(setup: Setup) -> SampleResult:
    """The sample that a setup asks for, under its world rotation as far as that exists in the model's n.

    Raises
    ------
    InputError
    """
    from surrogate.comparison.ground_truth import Rotation

    model = task_model(setup.task_model)
    if model.task != setup.task:
        raise InputError(f"model {setup.task_model!r} is of the task {model.task!r}; expected {setup.task!r}")
    row = SAMPLES[setup.task]
    samples = _read(setup.task, setup.data, setup.split, _stamp(setup.data))
    place = Place(setup.data, setup.split, setup.index, len(samples), splits_of(setup.data))
    n = row.dims(model)
    operations = fitting_operations(setup.operations, n)
    turned = Rotation(rotation_matrix(operations, n), ", ".join(map(str, operations)), not operations)
    return SampleResult(setup, row.make(model, samples, place, turned, setup.seed or 0))


def _stamp(data: str) -> int:
    path = Path(data)
    return path.stat().st_mtime_ns if path.exists() else 0


@lru_cache(maxsize=2)
def _read(task: str, data: str, split: str, stamp: int) -> Any:
    """Read once; `stamp` is the time of the last change."""
    return SAMPLES[task].read(data, split)
