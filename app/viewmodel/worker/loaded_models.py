"""Models as the application asks for them: by name and effort, loaded once; in the child process only."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.viewmodel.state.setup import Effort
from resources.shipped import FILE_NAME, shipped_models, shipped_models_of_any_task

if TYPE_CHECKING:
    from surrogate.inference.forecaster import Forecaster


def default_model() -> str:
    """The model the application starts with."""
    names = shipped_models()
    for name in ("integrator-nd", "egnn-nd", "egnn-nbody"):
        if name in names:
            return name
    return next(iter(names), "")


def tuned_model(name: str, effort: Effort) -> "Forecaster":
    """A model that spends what is asked; named so that it can stand beside itself.

    Raises
    ------
    InputError
        Where it cannot choose.
    """
    model = _model(name or default_model())
    if effort == Effort():
        return model
    if effort.evaluations is not None:
        model = model.with_evaluations(effort.evaluations)
    if effort.tolerance is not None:
        model = model.with_tolerance(effort.tolerance)
    model.name = f"{model.name} ({effort})"  # a copy: the loaded one keeps its name
    return model


def about(model: "Forecaster") -> dict[str, Any]:
    """What the details of a comparison say of how a model was asked."""
    return {"evaluations": model.evaluations, "tolerance": model.tolerance, "chooses": model.chooses_evaluations}


def task_model(name: str) -> Any:
    """A loaded model of any task.

    Raises
    ------
    InputError
    """
    return _loaded_of_any_task(name, 0 if name in shipped_models_of_any_task() else _stamp(name))


def _model(name: str) -> "Forecaster":
    """A loaded model; loaded anew where its file has changed, as a training does."""
    return _loaded(name, 0 if name in shipped_models() else _stamp(name))


def _stamp(name: str) -> int:
    """The time of the last change of a checkpoint; 0 where there is none."""
    files = (Path(name) / "best" / FILE_NAME, Path(name) / FILE_NAME, Path(name))
    stamps = (file.stat().st_mtime_ns for file in files if file.is_file())
    return next(stamps, 0)


@lru_cache(maxsize=8)
def _loaded(name: str, stamp: int) -> "Forecaster":
    from surrogate.inference.loading import load

    return load(name)


@lru_cache(maxsize=2)
def _loaded_of_any_task(name: str, stamp: int) -> Any:
    from surrogate.inference.loading import load_predictor

    return load_predictor(name)
