"""Learned surrogates of particle dynamics: models, training, forecasts, comparisons. PyTorch; no Qt.

`load`, `forecast_many` and `Forecaster` are imported on first use, so that importing the package stays cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from surrogate.inference.forecaster import Forecaster as Forecaster
    from surrogate.inference.loading import load_predictor as load
    from surrogate.inference.mixed_sizes import forecast_many as forecast_many

__all__ = ["Forecaster", "forecast_many", "load"]

_HOMES = {
    "Forecaster": ("surrogate.inference.forecaster", "Forecaster"),
    "forecast_many": ("surrogate.inference.mixed_sizes", "forecast_many"),
    "load": ("surrogate.inference.loading", "load_predictor"),
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        module, attribute = _HOMES[name]
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module 'surrogate' has no attribute {name!r}")
