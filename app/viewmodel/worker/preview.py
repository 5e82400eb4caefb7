"""The preview of a turned world: forecasts of the frames that are on the screen, before all the others.

Every forecast in it is the model's own, from the turned state. The truth, under an isotropic law and as long as
no chaos has made its round-off large, is the known one turned; the re-simulated truth follows with the whole
comparison. A law that is not isotropic is simulated anew at once.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.state.detail import detail_of
from app.viewmodel.state.results import Preview
from app.viewmodel.state.setup import Setup
from app.viewmodel.worker.ground_truth import before_the_turn, ground_truth, world_rotation
from app.viewmodel.worker.loaded_models import tuned_model
from app.viewmodel.worker.stored import fitted_model
from physics.errors import InputError
from physics.types import FloatArray
from surrogate.comparison.comparison import Comparison, with_energy_shares

if TYPE_CHECKING:
    from physics.types import Trajectory
    from surrogate.comparison.ground_truth import Rotation
    from surrogate.inference.forecaster import Forecaster

AHEAD = 8
"""Frames after the shown one that a preview holds: a playing clock moves on meanwhile."""

CHAOTIC_GROWTH = 1e5
"""Where a 1e-6 perturbation has grown so many times, round-off may be seen: simulate anew."""


def frames_near(frame: int, trail: int, n_frames: int) -> tuple[int, int]:
    """First frame and the one after the last that a picture of `frame` with its trail needs, and some more."""
    return max(frame - trail, 0), min(frame + 1 + AHEAD, n_frames)


def turned_is_enough(growth: FloatArray | None, isotropic: bool, stop: int) -> bool:
    """Whether the truth up to a frame is the known one turned, to far below what can be seen.

    That is what a stored one (`growth` None) always is.
    """
    return growth is None or (isotropic and float(growth[:stop].max(initial=0.0)) < CHAOTIC_GROWTH)


def preview(setup: Setup, near: tuple[int, int]) -> Preview | None:
    """The forecasts of the frames on the screen, before all the others; None where there is nothing to show."""
    from physics.laws.names import law_claims

    model = tuned_model(setup.model, setup.effort)
    try:
        other = tuned_model(setup.contrast, setup.contrast_effort) if setup.contrast else None
    except InputError:
        other = None  # the whole comparison says why
    before = before_the_turn(setup, model.horizon)
    rotation = world_rotation(setup, before.truth.n_dims)
    detail = detail_of(before.truth.system.n_particles, setup.in_full)
    isotropic = before.scenario is None or law_claims(before.truth.system.law).isotropic
    if turned_is_enough(before.growth, isotropic, near[1] + detail.frames_per_horizon):
        truth = before.truth.transformed(rotation.matrix)
    else:
        truth = ground_truth(setup, model.horizon)[0]
    known, title = bool(before.facts["law_known"]), before.facts["title"]
    contrast, made = None, None
    if setup.data:
        seen = _stored_frames(setup, truth, rotation, near, before.facts)
        if seen is None:
            return None
        comparison, made = seen
    else:
        some = _some_frames(model, truth, rotation, near, title, known)
        if some is None:
            return None
        comparison = some
        if other is not None and other.horizon == model.horizon:
            contrast = _some_frames(other, truth, rotation, near, title, known)
    return Preview(setup, comparison, contrast, near[0], made)


def _some_frames(
    model: "Forecaster", truth: "Trajectory", rotation: "Rotation", near: tuple[int, int], title: str, known: bool
) -> Comparison | None:
    """The forecasts of some frames; None where the model does not do it (the whole comparison will say why).

    Parameters
    ----------
    truth : Trajectory
        Under the world rotation, all of it.
    near : (int, int)
        First frame and the one after the last, as the window numbers them: one horizon after the truth's own.
    known : bool
        Whether the truth's law is known.
    """
    from surrogate.comparison.forecasts import comparison_parts, outside_training
    from surrogate.inference.frame_pairs import horizon_in_frames

    try:
        frames = slice(near[0], near[1] + horizon_in_frames(truth.times, model.horizon))
        made = next(comparison_parts(model, truth.part(frames), rotation, scenario_name=title, law_known=known))
        return replace(with_energy_shares(made), outside_training=outside_training(model, truth, known))
    except InputError:
        return None


def _stored_frames(
    setup: Setup, truth: "Trajectory", rotation: "Rotation", near: tuple[int, int], facts: Mapping[str, Any]
) -> tuple[Comparison, NDArray[np.bool_]] | None:
    """Some of all stored frames, and which of them have a forecast; None where none has one."""
    from surrogate.comparison.forecasts import outside_training
    from surrogate.inference.rollout import model_pairs, sliding_forecast

    try:
        model, _ = fitted_model(setup.model, setup.effort, truth)
        pairs = model_pairs(model, truth)
        shown = pairs.some(np.flatnonzero((pairs.targets >= near[0]) & (pairs.targets < near[1])))
        if not len(shown):
            return None
        forecast = sliding_forecast(model, truth, pairs=shown)
    except InputError:
        return None
    some, made = truth.part(slice(*near)), np.zeros(near[1] - near[0], dtype=np.bool_)
    x, v, at = some.positions.copy(), some.velocities.copy(), shown.targets - near[0]
    x[at], v[at], made[at] = forecast.positions, forecast.velocities, True
    whole = Comparison(
        truth=some,
        forecast=replace(forecast, times=some.times, positions=x, velocities=v),
        rollout=None,
        rotation=rotation.matrix,
        equivariance_error=None,
        model_name=model.name,
        scenario_name=facts["title"],
        horizon=model.horizon,
        outside_training=outside_training(model, truth, facts["law_known"]),
        law_known=facts["law_known"],
        box=None if facts["box"] is None else facts["box"].turned(rotation.matrix),
        details={"units": facts["units"], "turns": rotation.turns},
    )
    return with_energy_shares(whole), made
