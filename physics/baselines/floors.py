"""Floors of a benchmark: the errors of forecasts that know the law, on any window I -> J of a data set."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from physics.baselines.orientation import isotropic_simulation, published_step
from physics.baselines.references import (
    ADAPTIVE_LAWS,
    Windows,
    adaptive_leapfrog_forecast,
    eta_for,
    in_blocks,
    leapfrog_forecast,
    windows_at,
)
from physics.datasets.split import DataSplit
from physics.kernels.parameters import Forces
from physics.simulate import simulate_batch
from physics.stepping.schedule import Schedule
from physics.sums.external import LaneExternal, external_acceleration
from physics.types import FloatArray

EVALUATIONS = (16, 64, 128)
"""Law evaluations a window of the leapfrogs."""

STRAIGHT, LAW, ISOTROPIC = "x + v t", "law", "isotropic simulator"


@dataclass(frozen=True, eq=False)
class Floor:
    """What a forecast that knows the law leaves.

    Attributes
    ----------
    errors : (n_windows,) float64 [length^2]
        Mean squared error of each window, over particles and coordinates.
    evaluations : float
        Mean law evaluations a window.
    """

    errors: FloatArray
    evaluations: float

    @property
    def mse(self) -> float:
        """The mean of all windows."""
        return float(self.errors.mean())


def floors(
    split: DataSplit, input_frame: int, target_frame: int, evaluations: Sequence[int] = EVALUATIONS
) -> dict[str, Floor]:
    """The floors of the window `input_frame` -> `target_frame` of all samples, by name.

    Parameters
    ----------
    split : DataSplit
        With the recipe of one of our presets; of other data there is x + v t alone.
    evaluations : sequence of int
        Of the leapfrogs.

    Returns
    -------
    dict of str to Floor
        "x + v t"; "law", as the generator runs it; "isotropic simulator", the same with the clamp on the norm of
        the force (of a law without clamp the same numbers); for each K "leapfrog K" with equal steps and, where
        the pair time scale is known, "adaptive K" with a mean of about K and the clamp on the norm.

    Notes
    -----
    All begin with the input frame rounded to float32, as models do, and go on in float64. Where velocities are
    stored half a step behind, "law" and "isotropic simulator" go on from there (force, kick, drift); the leapfrogs
    first bring them to the time of the positions, an evaluation that is not counted.
    """
    w = _rounded(windows_at(split, input_frame))
    horizon = float(split.times[target_frame] - split.times[input_frame])
    target = np.asarray(split.positions[:, target_frame], dtype=np.float64)

    def floor(positions: FloatArray, calls: float) -> Floor:
        return Floor(np.asarray(((positions - target) ** 2).mean(axis=(1, 2))), calls)

    found = {STRAIGHT: floor(w.x + horizon * w.v, 0.0)}
    integrator, dt = str(split.recipe.get("integrator")), split.recipe.get("dt")
    if not w.law or not isinstance(dt, float):
        return found
    n_steps = round(horizon / dt)
    lagging = integrator == "symplectic-euler"
    if lagging:
        found[LAW] = floor(published_step(w, n_steps, dt)[0], n_steps)
    else:
        law: Any = {"law": w.law, "parameters": dict(w.parameters), "integrator": integrator}
        schedule = Schedule.through(np.array([0.0, horizon]), dt)
        x, _ = simulate_batch(w.x, w.v, w.q, masses=w.m, schedule=schedule, **law)
        found[LAW] = floor(x[:, -1], n_steps)
    clamped = w.law == "reference"
    found[ISOTROPIC] = floor(isotropic_simulation(w, n_steps, dt)[0], n_steps) if clamped else found[LAW]
    synchronised = _synchronised(w, -float(split.recipe.get("velocity_offset", 0.0)))
    for k in evaluations:
        found[f"leapfrog {k}"] = floor(leapfrog_forecast(synchronised, horizon, k)[0], k)
    for k in evaluations if w.law in ADAPTIVE_LAWS else ():
        one = synchronised.isotropic() if clamped else synchronised
        eta = eta_for(one, horizon, k)
        x, _, counts = adaptive_leapfrog_forecast(one, horizon, eta)
        found[f"adaptive {k}"] = floor(x, float(counts.mean()))
    return found


def _rounded(windows: Windows) -> Windows:
    x, v = (values.astype(np.float32).astype(np.float64) for values in (windows.x, windows.v))
    return replace(windows, x=x, v=v)


def _synchronised(windows: Windows, ahead: float) -> Windows:
    """Velocities so much later, by the force at the positions."""
    if not ahead:
        return windows

    def kicked(x: FloatArray, v: FloatArray, forces: Forces, beside: LaneExternal) -> None:
        a = np.empty_like(x)
        external_acceleration(x, v, forces, beside, True, a)
        v += ahead * a

    return replace(windows, v=in_blocks(windows, kicked)[1])
