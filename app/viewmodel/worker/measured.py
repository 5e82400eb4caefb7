"""What is measured on a comparison once its forecasts are there: symmetries, energies."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.worker.symmetry import Forecast
from physics.types import FloatArray
from surrogate.comparison.comparison import Comparison

if TYPE_CHECKING:
    from physics.types import Trajectory
    from surrogate.inference.forecaster import Forecaster

Bools = NDArray[np.bool_]


def precisions(model: "Forecaster", truth: "Trajectory") -> tuple[Forecast, Forecast]:
    """A model in single and in double precision, in the fields of a system."""
    bound = model.of_system(truth.system, truth.n_dims)
    return (
        lambda states, matrix: bound.turned(matrix).positions_after(*states, double=False),
        lambda states, matrix: bound.turned(matrix).positions_after(*states, double=True),
    )


def energies_of(
    comparison: Comparison, second: Comparison | None, made: Bools | None = None, second_made: Bools | None = None
) -> dict[str, FloatArray]:
    """Energy at each frame of each source there is, (n_frames,); none where the law is unknown.

    Not a number at frames that have no forecast: `made` as of ComparisonResult.
    """
    if not comparison.law_known:
        return {}
    energies = {source: shares.sum(axis=1) for source, shares in comparison.energy_shares.items()}
    if second is not None and second.truth.n_frames == comparison.truth.n_frames:
        energies["second"] = second.energy_shares["forecast"].sum(axis=1)
    there = {"forecast": made, "rollout": made, "second": second_made}
    return {name: where(there.get(name), values) for name, values in energies.items()}


def where(made: Bools | None, values: FloatArray) -> FloatArray:
    """Values of frames, not a number at those that are not made; all of them for None."""
    return values if made is None else np.where(made, values, np.nan)


def kinetic_of(comparison: Comparison) -> float:
    """Mean kinetic energy of the truth, which energy errors are shares of; 1 where nothing moves."""
    from physics.observables import kinetic_energy

    mean = float(kinetic_energy(comparison.truth).mean())
    return mean if mean > 1e-12 else 1.0
