"""Models from outside: what `package.module:callable` returns, any object with the contract's `forecast`.

Its code runs in this process, so only where the user said `--trust-code`.
"""

import importlib
from typing import Any

import numpy as np
import torch

from physics.types import FloatArray
from surrogate.inference.forecaster import Cost, Forecast, Forecaster
from surrogate.training.checkpoint import ModelError


def outside_model(text: str, trust_code: bool) -> "OutsideForecaster":
    """The model made by calling `package.module:callable`.

    Raises
    ------
    ModelError
        Where it is not trusted, cannot be made or has no `forecast`.
    """
    if not trust_code:
        raise ModelError(f"{text}: an outside model runs its own code; add --trust-code if you trust it")
    module_name, _, attribute = text.partition(":")
    try:
        made = getattr(importlib.import_module(module_name), attribute)()
    except Exception as error:  # foreign code may raise anything
        raise ModelError(f"{text}: cannot be made ({type(error).__name__}: {error})") from None
    if not callable(getattr(made, "forecast", None)):
        raise ModelError(f"{text}: returned {type(made).__name__}; expected an object with forecast(...)")
    return OutsideForecaster(made, text)


class OutsideForecaster(Forecaster):
    """An outside object with the contract's `forecast`, made to look like ours."""

    def __init__(self, made: Any, name: str) -> None:
        self._made, self.name, self.digest = made, name, ""
        self.card = dict(getattr(made, "card", {}) or {})
        self.horizons = getattr(made, "horizons", "any")
        self.horizon = 1.0 if self.horizons == "any" else float(next(iter(self.horizons)))
        self.dims = getattr(made, "dims", "any")
        self.particles = getattr(made, "particles", "any")
        self.uses_masses = bool(getattr(made, "uses_masses", False))
        self.gives_velocity = bool(getattr(made, "gives_velocity", False))
        self.chooses_evaluations = False
        self.evaluations = int(getattr(made, "evaluations", 0))
        self.tolerance = None
        self.cost = Cost(float(self.evaluations), None)
        self.group = str(getattr(made, "group", "unknown"))
        self.device = torch.device("cpu")

    def forecast(
        self,
        positions: Any,
        velocities: Any,
        charges: Any,
        horizon: float | None = None,
        *,
        masses: Any = None,
        evaluations: int | None = None,
        tolerance: float | None = None,
    ) -> Forecast:
        """The outside object's own forecast; it chooses no evaluations."""
        if evaluations is not None or tolerance is not None:
            raise ModelError(f"{self.name}: an outside model has {self.evaluations} evaluations and chooses none")
        horizon = self.horizon if horizon is None else horizon
        result = self._made.forecast(positions, velocities, charges, horizon, masses=masses)
        return Forecast(result.positions, getattr(result, "velocities", None), ())

    def forecast_in(
        self, x: FloatArray, v: FloatArray, q: FloatArray, dtype: torch.dtype, m: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        """See Forecaster.forecast_in."""
        kind = np.float32 if dtype is torch.float32 else np.float64
        masses = m.astype(kind) if m is not None and self.uses_masses else None
        result = self.forecast(x.astype(kind), v.astype(kind), q.astype(kind), self.horizon, masses=masses)
        velocities = None if result.velocities is None else np.asarray(result.velocities, dtype=np.float64)
        positions = np.asarray(result.positions, dtype=np.float64)
        if positions.shape != x.shape:
            raise ModelError(f"{self.name}: forecast positions must be {x.shape}; got {positions.shape}")
        return positions, velocities
