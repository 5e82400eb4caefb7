"""What the tests of formulas share: data under any pair force, and integrators that have learned about it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from physics.datasets.split import DataSplit
from physics.types import FloatArray
from surrogate.evaluation.formula.law_windows import knots, table_through
from surrogate.inference.forecaster import Forecaster
from surrogate.models.integrator.model import Integrator, IntegratorConfig
from surrogate.tasks.dynamics.scales import Scales
from tests.surrogate.models.integrators import Uncopied

Radial = Callable[[FloatArray], FloatArray]
"""Force over r of a unit pair."""


def data_under(
    radial: Radial, couplings: str = "charges", samples: int = 20, frames: int = 12, steps: int = 40
) -> DataSplit:
    """Trajectories of 4 particles in 3 dimensions, frames 0.1 apart, by fine leapfrog steps in float64."""
    rng = np.random.default_rng(1)
    x, v = rng.standard_normal((samples, 4, 3)), 0.5 * rng.standard_normal((samples, 4, 3))
    q, m = rng.choice([-1.0, 1.0], (samples, 4)), np.ones((samples, 4))
    if couplings == "masses":
        m = rng.uniform(0.5, 2.0, (samples, 4))
    k = {"constant": np.ones_like(q), "charges": q, "masses": m}[couplings]
    h = 0.1 / steps

    def acceleration(x: FloatArray) -> FloatArray:
        r_ij = x[:, :, None] - x[:, None]
        r = np.sqrt((r_ij**2).sum(-1)) + np.eye(4)
        factors = k[:, :, None] * k[:, None] * radial(r) * (1 - np.eye(4))
        return np.asarray((factors[..., None] * r_ij).sum(2) / m[..., None])

    found = [(x, v)]
    for _ in range(frames - 1):
        for _ in range(steps):
            half = x + 0.5 * h * v
            v = v + h * acceleration(half)
            x = half + 0.5 * h * v
        found.append((x, v))
    xs, vs = (np.stack(parts, axis=1) for parts in zip(*found, strict=True))
    return DataSplit(xs, vs, q, m, 0.1 * np.arange(frames), "test")


def knowing(
    radial: Radial, couplings: str = "charges", scales: Scales | None = None, wrong: float = 0.03, **settings: Any
) -> Forecaster:
    """A model that has learned a law of one channel, but for a wave of relative size `wrong`."""
    scales = scales or Scales()
    model = Integrator(IntegratorConfig(couplings=couplings, energy=False, **settings)).eval()
    r = np.maximum(knots(model.law), 0.03) * scales.length
    unit = {"constant": 1.0, "charges": scales.charge**2, "masses": scales.mass**2}[couplings]
    values = (
        radial(r) * (1 + wrong * np.sin(3 * np.log(r / scales.length))) * (unit * scales.time**2 / scales.mass)
    )
    table = torch.as_tensor(table_through(values[None]))
    model.law.table = lambda: table  # type: ignore[method-assign]
    return Uncopied(model, name="m", card={}, horizon=1.0, scales=scales)
