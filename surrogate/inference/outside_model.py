"""Models from outside: what `package.module:callable` returns, any object with the contract's `forecast`.

Its code runs in this process, so only where the user said `--trust-code`.
"""

import importlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from physics.types import FloatArray
from surrogate.inference.forecast import Cost, Forecast
from surrogate.inference.forecaster import UNIT_SCALES, Forecaster
from surrogate.inference.given_arrays import asked_states
from surrogate.models.base import GIVEN
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
        self.card, self.seen = dict(getattr(made, "card", {}) or {}), None
        self.horizons = getattr(made, "horizons", "any")
        self.horizon = self.usual_horizon = 1.0 if self.horizons == "any" else float(next(iter(self.horizons)))
        self._measured_horizon = math.inf  # it says no more than what it takes
        self.scales, self.sees = UNIT_SCALES, tuple(getattr(made, "sees", ("positions", "velocities", "charges")))
        self.takes = tuple(name for name in GIVEN if name in self.sees)
        self.bound: dict[str, FloatArray] = {}
        self.dims = getattr(made, "dims", "any")
        self.particles = getattr(made, "particles", "any")
        self.uses_masses = bool(getattr(made, "uses_masses", False))
        self.gives_velocity = bool(getattr(made, "gives_velocity", False))
        self.chooses_evaluations = self.takes_graphs = False
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
        **given: Any,
    ) -> Forecast:
        """The outside object's own forecast; it chooses no evaluations."""
        if evaluations is not None or tolerance is not None:
            raise ModelError(f"{self.name}: an outside model has {self.evaluations} evaluations and chooses none")
        horizon = self.horizon if horizon is None else horizon
        asked = asked_states(positions, velocities, charges, masses)
        beside = self._beside(given, asked.x)
        found = self._found(positions, velocities, charges, horizon, masses, given or self.bound)
        made = [None if a is None else torch.as_tensor(a).reshape(asked.x.shape) for a in found]
        outside, finite = self._remarks(asked.state, horizon, made, beside)
        return Forecast(*found, outside, finite=finite[0] if asked.single else finite)

    def forecast_in(
        self,
        x: FloatArray,
        v: FloatArray,
        q: FloatArray,
        dtype: torch.dtype,
        m: FloatArray | None = None,
        given: Mapping[str, FloatArray] | None = None,
    ) -> tuple[FloatArray, FloatArray | None]:
        """See Forecaster.forecast_in."""
        kind = np.float32 if dtype is torch.float32 else np.float64
        masses = m.astype(kind) if m is not None and self.uses_masses else None
        states = (x.astype(kind), v.astype(kind), q.astype(kind))
        positions, velocities = self._found(*states, self.horizon, masses, given or self.bound)
        as_double = None if velocities is None else np.asarray(velocities, dtype=np.float64)
        return np.asarray(positions, dtype=np.float64), as_double

    def _found(self, x: Any, v: Any, q: Any, horizon: float, m: Any, given: Mapping[str, Any]) -> tuple[Any, Any]:
        """Positions and velocities (or None) that the object forecasts, of the shape of its input."""
        result = self._made.forecast(x, v, q, horizon, masses=m, **given)
        if np.shape(result.positions) != np.shape(x):
            raise ModelError(
                f"{self.name}: forecast positions must be {np.shape(x)}; got {np.shape(result.positions)}"
            )
        return result.positions, getattr(result, "velocities", None)
