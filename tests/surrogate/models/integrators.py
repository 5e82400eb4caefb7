"""What the tests of the flagship share: integrators that know a law exactly, states, masses."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from physics import State, System, simulate
from surrogate.inference.forecaster import Forecaster
from surrogate.models.base import SurrogateModel
from surrogate.models.integrator.model import Integrator, IntegratorConfig
from surrogate.models.integrator.one_body import OneBody, one_body
from surrogate.models.integrator.pair_law import KNOT_SPACING, PairLaw


def coulomb_table(law: PairLaw, strength: float = 1.0) -> Tensor:
    """Coefficients of the spline through rho^-3, the softened Coulomb law, at every knot: (n_knots,).

    A uniform B-spline of e^(a u) has coefficients e^(a u) times 6 / (4 + 2 cosh(a h)): nothing to solve.
    """
    u = law.u0 + KNOT_SPACING * torch.arange(-1, law.n_knots - 1, dtype=torch.float64)
    return strength * 6 / (4 + 2 * math.cosh(3 * KNOT_SPACING)) * torch.exp(-3 * u)


def knowing_coulomb(strength: float = 1.0, **settings: Any) -> Integrator:
    """An integrator whose charges channel is the softened Coulomb law (eps = its softening), ready to forecast."""
    model = Integrator(IntegratorConfig(**settings)).eval()
    rows = [
        coulomb_table(model.law, strength) if name == "charges" else torch.zeros(model.law.n_knots)
        for name in model.couplings
    ]
    table = torch.stack([row.double() for row in rows])
    model.law.table = lambda: table  # type: ignore[method-assign]
    return model


class Uncopied(Forecaster):
    """A forecaster around such an integrator, which is not copied to another dtype: its table is a stub."""

    def network(self, dtype: torch.dtype) -> SurrogateModel:
        return super().network(torch.float32)


def drawn(std: float = 0.1, **settings: Any) -> Integrator:
    """An integrator with a random law in every channel (and a drag where it has one)."""
    torch.manual_seed(0)
    model = Integrator(IntegratorConfig(**settings))
    with torch.no_grad():
        for p in model.law.phi[-1].parameters():
            p.normal_(0, std)
        if not model.conserve:
            model.drag.fill_(0.3)
    return model.double() if model.features is not None else model  # the law is tabulated in float64 anyhow


def alone(systems: int, dt: float) -> OneBody:
    """Nothing that acts on particles by themselves."""
    return one_body(torch.zeros(systems, dtype=torch.float64), torch.zeros((), dtype=torch.float64), dt)


def state(systems: int = 4, particles: int = 5, n: int = 3, seed: int = 0, spread: float = 1.0) -> list[Tensor]:
    """Float64 x, v, q, m."""
    rng = np.random.default_rng([systems, particles, n, seed])
    x, v = rng.standard_normal((2, systems, particles, n))
    q = rng.choice([-1.0, 1.0], (systems, particles))
    m = rng.uniform(0.5, 2.0, (systems, particles))
    return [torch.as_tensor(a) for a in (spread * x, 0.5 * v, q, m)]


def forecast(model: Integrator, x: Tensor, v: Tensor, q: Tensor, m: Tensor, *args: Any, **kw: Any) -> list[Tensor]:
    """Positions and velocities by the kernels, without gradients; `horizon` 1 unless given."""
    horizon = args[0] if args else kw.pop("horizon", 1.0)
    with torch.no_grad():
        return list(model.for_inference().forward(x, v, q, horizon, m, **kw))


def gap(a: list[Tensor], b: list[Tensor]) -> float:
    """Largest difference of positions or velocities."""
    return max(float((s - t).abs().max()) for s, t in zip(a, b, strict=True))


def truth(x: Tensor, v: Tensor, q: Tensor, m: Tensor, horizon: float) -> Tensor:
    ends = [
        simulate(
            System(charge, mass, law="coulomb", parameters={"eps": 0.1}),
            State(position, velocity),
            horizon,
            n_frames=2,
            dt=1e-3,
        ).positions[-1]
        for position, velocity, charge, mass in zip(*(a.numpy() for a in (x, v, q, m)), strict=True)
    ]
    return torch.as_tensor(np.array(ends))


def rmses(model: Integrator, given: list[Tensor], horizon: float, counts: tuple[int, ...]) -> Tensor:
    """RMSE of each sample for each number of rounds: (len(counts), B)."""
    end = truth(*given, horizon)
    found = [forecast(model, *given, horizon, evaluations=k)[0] for k in counts]
    return torch.stack([(x - end).square().mean((1, 2)).sqrt() for x in found])


def slope(errors: Tensor, counts: tuple[int, ...]) -> float:
    return -float(np.polyfit(np.log(counts), np.log(errors.numpy()), 1)[0])
