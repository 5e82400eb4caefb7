"""`load()`: a trained model by shipped name, run or checkpoint folder, or the name of outside code."""

import math
from dataclasses import astuple
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import nn

from physics.errors import InputError, unknown_name
from resources.shipped import shipped_models_of_any_task
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.outside_model import outside_model
from surrogate.inference.training_range import usable_card
from surrogate.models.base import SurrogateModel
from surrogate.tasks import DEFAULT
from surrogate.tasks.dynamics.scales import Scales
from surrogate.training.checkpoint import Checkpoint, ModelError, read_checkpoint
from surrogate.training.config import Config, built_model, config_from_tree

PREDICTORS = {
    "autoencoder": "surrogate.inference.graph_autoencoder:GraphAutoencoder",
    "molecules": "surrogate.inference.property_predictor:PropertyPredictor",
}
"""What uses a trained model of another task than dynamics, `module:class`: made from the model and what its
checkpoint says; it raises KeyError, TypeError or ValueError where that is not enough."""


def load(name: str | Path, device: str = "cpu", *, trust_code: bool = False) -> Forecaster:
    """A model of dynamics by shipped name, run folder or checkpoint folder.

    Parameters
    ----------
    name : str or Path
        Also `package.module:callable` for an outside model, with `trust_code`.
    device : str

    Raises
    ------
    ModelError
        For an unknown or damaged model, and for one that has learned something else.
    """
    found = load_predictor(name, device, trust_code=trust_code)
    if not isinstance(found, Forecaster):
        raise ModelError(f"{name}: a model of the task {found.task!r}; it forecasts no trajectories")
    return found


def load_predictor(name: str | Path, device: str = "cpu", *, trust_code: bool = False) -> Any:
    """As :func:`load`, whatever the model has learned.

    Returns
    -------
    Forecaster
        Of a model of dynamics, or what PREDICTORS names for its task.

    Raises
    ------
    ModelError
    """
    shipped = shipped_models_of_any_task()
    text = str(name)
    if text in shipped:
        return _from_checkpoint(shipped[text], text, device)
    path = Path(text)
    try:
        is_run, exists = (path / "best").is_dir(), path.exists()
    except OSError as error:  # a name longer than the file system takes
        raise ModelError(f"{text[:80]}: not a model ({error.strerror})") from None
    if is_run:
        return _from_checkpoint(path / "best", path.name, device)
    if exists:
        return _from_checkpoint(path, path.stem if path.is_file() else path.name, device)
    if ":" in text:
        return outside_model(text, trust_code)
    raise ModelError(str(unknown_name("model", text, shipped)) + "; or give a run or checkpoint folder")


def _from_checkpoint(path: Path, name: str, device: str) -> Any:
    checkpoint = read_checkpoint(path)
    try:
        config = config_from_tree(checkpoint.info["config"], str(checkpoint.path))
        if config.task == DEFAULT:
            return _forecaster(checkpoint, config, name, device)
        if config.task not in PREDICTORS:
            raise TypeError(f"task: {config.task} makes no predictions")
        model = built_model(config)
        _set_weights(model, checkpoint, config)
        module, _, attribute = PREDICTORS[config.task].partition(":")
        make = getattr(import_module(module), attribute)
        return make(model, name=name, info=checkpoint.info, digest=checkpoint.digest, device=device)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise _refusal(checkpoint, error) from None


def _refusal(checkpoint: Checkpoint, error: Exception) -> ModelError:
    if isinstance(error, InputError):
        return ModelError(str(error))
    return ModelError(f"{checkpoint.path}: not a forecasting checkpoint (no usable {error})")


def _set_weights(model: nn.Module, checkpoint: Checkpoint, config: Config) -> None:
    expected = {k: (tuple(t.shape), t.dtype) for k, t in model.state_dict().items()}
    found = {k: (tuple(t.shape), t.dtype) for k, t in checkpoint.tensors.items()}
    if expected != found:
        wrong = min(name for name, _ in set(expected.items()) ^ set(found.items()))
        raise ModelError(f"{checkpoint.path}: weights do not fit model {config.model!r} (first: {wrong})")
    model.load_state_dict(checkpoint.tensors)


def _forecaster(checkpoint: Checkpoint, config: Config, name: str, device: str) -> Forecaster:
    info, model = checkpoint.info, built_model(config)
    assert isinstance(model, SurrogateModel)
    scales = Scales(**{name: float(value) for name, value in dict(info["scales"]).items()})
    horizon, card = float(info["horizon"]), info["card"]
    if not usable_card(card):
        raise TypeError("card")
    if not all(0 < value < math.inf for value in (horizon, *astuple(scales))):
        raise TypeError("horizon and scales")
    _set_weights(model, checkpoint, config)
    model.set_length_unit(scales.length)
    return Forecaster(
        model, name=name, card=card, horizon=horizon, scales=scales, digest=checkpoint.digest, device=device
    )
