"""The first sight of a turned world: forecasts of the frames that are on the screen, before all the others.

Every forecast in it is the model's own, from the turned state. The truth, under an isotropic law and as long as
no chaos has made its round-off large, is the known one turned; the re-simulated truth follows with the whole
comparison. A law that is not isotropic is simulated anew at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.state.setup import Setup
from surrogate.comparison.comparison import Comparison, with_energy_shares

if TYPE_CHECKING:
    from physics.types import Trajectory
    from surrogate.inference.forecaster import Forecaster

FloatArray = NDArray[np.float64]

AHEAD = 8
"""Frames after the shown one that a glimpse holds: a playing clock moves on meanwhile."""

CHAOTIC_GROWTH = 1e5
"""Where a 1e-6 perturbation has grown so many times, round-off may be seen: simulate anew."""


@dataclass(frozen=True, eq=False)
class Glimpse:
    """Some frames of the comparison that is still being made.

    Attributes
    ----------
    setup : Setup
        What it was made for.
    comparison, contrast : Comparison, Comparison or None
        Of the frames from `first` on; only their trajectories are of use.
    first : int
        Number of their first frame in the whole comparison.
    """

    setup: Setup
    comparison: Comparison
    contrast: Comparison | None
    first: int

    def holds(self, frame: int) -> bool:
        """Whether a frame of the whole comparison is in it."""
        return self.first <= frame < self.first + self.comparison.truth.n_frames


def frames_near(frame: int, trail: int, n_frames: int) -> tuple[int, int]:
    """First frame and the one after the last that a picture of `frame` with its trail needs, and some more."""
    return max(frame - trail, 0), min(frame + 1 + AHEAD, n_frames)


def turned_is_enough(growth: FloatArray, isotropic: bool, stop: int) -> bool:
    """Whether the truth up to a frame is the known one turned, to far below what can be seen."""
    return isotropic and float(growth[:stop].max(initial=0.0)) < CHAOTIC_GROWTH


def glimpse_of(
    setup: Setup,
    truth: "Trajectory",
    rotation: Any,
    models: "tuple[Forecaster, Forecaster | None]",
    near: tuple[int, int],
    facts: Mapping[str, Any],
) -> Glimpse | None:
    """The forecasts of some frames; None where the models do not do it (the whole comparison will say why).

    Parameters
    ----------
    truth : Trajectory
        Under the world rotation, all of it.
    near : (int, int)
        First frame and the one after the last, as the window numbers them: one horizon after the truth's own.
    facts : mapping
        Of the truth: title, law_known.
    """
    from physics.errors import InputError
    from physics.types import Trajectory
    from surrogate.comparison.forecasts import comparison_parts, outside_training
    from surrogate.inference.rollout import horizon_in_frames

    known = bool(facts["law_known"])

    def part(model: "Forecaster") -> Comparison:
        k = horizon_in_frames(truth.times, model.horizon)
        window = slice(near[0], near[1] + k)
        some = Trajectory(
            truth.times[window],
            truth.positions[window],
            truth.velocities[window],
            truth.system,
            truth.velocity_offset,
        )
        parts = comparison_parts(model, some, rotation, scenario_name=facts["title"], law_known=known)
        return replace(with_energy_shares(next(parts)), outside_training=outside_training(model, truth, known))

    model, other = models
    try:
        comparison = part(model)
    except InputError:
        return None
    try:
        contrast = None if other is None or other.horizon != model.horizon else part(other)
    except InputError:
        contrast = None
    return Glimpse(setup, comparison, contrast, near[0])
