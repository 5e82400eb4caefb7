"""What models are measured against: the true law at a given cost, straight lines, the isotropic simulator."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from physics.baselines.orientation import clean_windows, isotropic_simulation, largest_forces
from physics.baselines.references import ADAPTIVE_LAWS, adaptive_leapfrog_forecast, eta_for, leapfrog_forecast
from physics.laws.reference import REFERENCE_DT
from physics.types import FloatArray
from surrogate.evaluation.benchmark.models import Measurement, timed
from surrogate.evaluation.evaluation_set import EvaluationSet


def leapfrog(data: EvaluationSet, evaluations: int) -> Measurement:
    """The true law, exactly so many equal steps."""
    w, cost = data.windows, float(evaluations)
    x, _ = leapfrog_forecast(w, data.horizon, evaluations)
    milliseconds = timed(lambda rows: leapfrog_forecast(w.part(rows), data.horizon, evaluations), len(w))
    return Measurement(data.errors(x)[None], cost, cost, milliseconds)


def adaptive(data: EvaluationSet, evaluations: float, *, isotropic: bool = False) -> Measurement:
    """The true law with adaptive steps, about `evaluations` a window in the mean.

    With `isotropic` the clamp of the published law acts on the norm of the force.
    """
    w = data.windows.isotropic() if isotropic else data.windows
    eta = eta_for(w, data.horizon, evaluations)
    x, _, counts = adaptive_leapfrog_forecast(w, data.horizon, eta)
    milliseconds = timed(lambda rows: adaptive_leapfrog_forecast(w.part(rows), data.horizon, eta), len(w))
    mean = float(counts.mean())
    setting = f"eta = {eta:.3g}; evaluations: median {np.median(counts):.0f}, most {counts.max()}"
    return Measurement(data.errors(x)[None], mean, mean, milliseconds, setting)


def adaptive_knows_law(data: EvaluationSet) -> bool:
    """Whether the adaptive leapfrog knows the law of these data."""
    return data.windows.law in ADAPTIVE_LAWS


@dataclass(frozen=True, eq=False)
class PublishedSet:
    """What is known of windows of the published set.

    Attributes
    ----------
    clean : (n_windows,) bool
        The clamp of the law never acts.
    isotropic : (n_windows,) float64
        Errors of the isotropic simulator: the same law with the clamp on the norm.
    """

    clean: NDArray[np.bool_]
    isotropic: FloatArray


def published_set(data: EvaluationSet) -> PublishedSet | None:
    """Of windows under the published law; None for other laws."""
    if data.windows.law != "reference":
        return None
    w, steps = data.windows, round(data.horizon / REFERENCE_DT)
    eps = float(w.parameters.get("eps", 0.0))
    largest = largest_forces(w.x, w.v, w.q, dt=REFERENCE_DT, n_steps=steps, eps=eps, external=w.external)
    clean = clean_windows(largest)
    return PublishedSet(clean, data.errors(isotropic_simulation(w, steps)[0]))


def free_baselines(data: EvaluationSet, published: PublishedSet | None) -> Iterator[tuple[str, Measurement]]:
    """Baselines that are not timed: straight lines, and the isotropic simulator on the published set."""
    w = data.windows
    nan = float("nan")
    yield "x + v t", Measurement(data.errors(w.x + data.horizon * w.v)[None], 0.0, 0.0, nan)
    if published is not None:
        steps = float(round(data.horizon / REFERENCE_DT))
        yield "isotropic simulator", Measurement(published.isotropic[None], steps, steps, nan)
