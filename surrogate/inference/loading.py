"""`load()`: a trained model by shipped name, run or checkpoint folder, or the name of outside code."""

import math
from dataclasses import astuple
from pathlib import Path

from physics.errors import InputError, unknown_name
from resources.shipped import shipped_models
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.outside_model import outside_model
from surrogate.inference.training_range import usable_card
from surrogate.models.base import SurrogateModel
from surrogate.tasks.dynamics.scales import Scales
from surrogate.training.checkpoint import ModelError, read_checkpoint
from surrogate.training.config import built_model, config_from_tree


def load(name: str | Path, device: str = "cpu", *, trust_code: bool = False) -> Forecaster:
    """A model by shipped name, run folder or checkpoint folder.

    Parameters
    ----------
    name : str or Path
        Also `package.module:callable` for an outside model, with `trust_code`.
    device : str

    Raises
    ------
    ModelError
        For an unknown or damaged model.
    """
    shipped = shipped_models()
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


def _from_checkpoint(path: Path, name: str, device: str) -> Forecaster:
    checkpoint = read_checkpoint(path)
    info = checkpoint.info
    try:
        config = config_from_tree(info["config"], str(checkpoint.path))
        model = built_model(config)
        if not isinstance(model, SurrogateModel):
            raise TypeError(f"model of dynamics: its task is {config.task}")
        scales = Scales(**{name: float(value) for name, value in dict(info["scales"]).items()})
        horizon, card = float(info["horizon"]), info["card"]
        if not usable_card(card):
            raise TypeError("card")
        if not all(0 < value < math.inf for value in (horizon, *astuple(scales))):
            raise TypeError("horizon and scales")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise ModelError(str(error)) from None
        raise ModelError(f"{checkpoint.path}: not a forecasting checkpoint (no usable {error})") from None
    expected = {k: (tuple(t.shape), t.dtype) for k, t in model.state_dict().items()}
    found = {k: (tuple(t.shape), t.dtype) for k, t in checkpoint.tensors.items()}
    if expected != found:
        wrong = min(name for name, _ in set(expected.items()) ^ set(found.items()))
        raise ModelError(f"{checkpoint.path}: weights do not fit model {config.model!r} (first: {wrong})")
    model.load_state_dict(checkpoint.tensors)
    model.set_length_unit(scales.length)
    return Forecaster(
        model, name=name, card=card, horizon=horizon, scales=scales, digest=checkpoint.digest, device=device
    )
