"""Learned surrogates of particle dynamics: models, training, forecasts, comparisons. PyTorch; no Qt.

`load` and `Forecaster` are imported on first use, so that importing the package stays cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from surrogate.inference.forecaster import Forecaster as Forecaster
    from surrogate.inference.loading import load as load

__all__ = ["Forecaster", "load"]

_HOMES = {"Forecaster": "surrogate.inference.forecaster", "load": "surrogate.inference.loading"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'surrogate' has no attribute {name!r}")
