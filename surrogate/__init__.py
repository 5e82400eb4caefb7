"""Learned surrogates of particle dynamics: models, training, forecasts, comparisons. PyTorch; no Qt.

`load` is imported on first use, so that importing the package stays cheap.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from surrogate.forecaster import Forecaster as Forecaster
    from surrogate.forecaster import load as load

__all__ = ["Forecaster", "load"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from surrogate import forecaster

        return getattr(forecaster, name)
    raise AttributeError(f"module 'surrogate' has no attribute {name!r}")
