"""Stored data in the window: the truth at once, its forecasts in parts as they are made, then what is measured.

All stored frames are kept, also those of the first horizon, which no forecast leads to: there the arrays of a
forecast repeat the truth, and `ComparisonResult.made` says so. No PyTorch is loaded for the truth.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from app.viewmodel.state.commands import command_of, training_commands
from app.viewmodel.state.detail import Detail, detail_of, left_out
from app.viewmodel.state.results import ComparisonResult, ForecastPart
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.symmetry import Symmetry
from app.viewmodel.worker.ground_truth import ground_truth, growth_of, truth_residual, world_rotation
from app.viewmodel.worker.loaded_models import about, default_model, tuned_model
from app.viewmodel.worker.measured import energies_of, kinetic_of, precisions
from app.viewmodel.worker.symmetry import model_symmetry
from physics.errors import InputError
from physics.types import FloatArray, Trajectory
from surrogate.comparison.comparison import Comparison, with_energy_shares
from surrogate.render.captions import mean_spacing

if TYPE_CHECKING:
    from surrogate.inference.forecaster import Forecaster

PART_SECONDS = 0.4
"""Forecasts are handed over about so often."""

AT_FIRST = 400
"""Frames of the first part times particles; one frame at least."""

Progress = Callable[[float], None]


def truth_alone(setup: Setup) -> ComparisonResult:
    """The stored trajectory of a setup under its world rotation, without any forecast."""
    begin = time.perf_counter()
    truth, before = ground_truth(setup, 1.0)
    rotation, facts = world_rotation(setup, truth.n_dims), before.facts
    comparison = Comparison(
        truth=truth,
        forecast=truth,
        rollout=None,
        rotation=rotation.matrix,
        equivariance_error=None,
        model_name=setup.model or default_model(),
        scenario_name=facts["title"],
        law_known=facts["law_known"],
        command=command_of(setup, default_model()),
        details={name: facts[name] for name in ("description", "seed", "units")} | {"turns": rotation.turns},
    )
    return ComparisonResult(
        setup=setup,
        comparison=comparison,
        contrast=None,
        contrast_note="",
        growth=None,
        truth_residual=None,
        advice="",
        seconds=time.perf_counter() - begin,
        drawn=False,
        seed=None,
        n_samples=facts["n_samples"],
        splits=facts["splits"],
        notes=facts["notes"],
        system=before.own_system,
        made=np.zeros(truth.n_frames, dtype=np.bool_),
        measured=False,
    )


def whole_comparison(setup: Setup) -> Comparison:
    """All of a comparison on stored data at the frames that have a forecast, as `surrogate.compare` makes it."""
    from surrogate.comparison.forecasts import comparison_parts

    shown = truth_alone(setup).comparison
    model = fitted(tuned_model(setup.model, setup.effort), shown.truth)
    n_elements = detail_of(shown.truth.system.n_particles, setup.in_full).n_elements
    *_, whole = comparison_parts(
        model,
        shown.truth,
        world_rotation(setup, shown.truth.n_dims),
        scenario_name=shown.scenario_name,
        law_known=shown.law_known,
        command=shown.command,
        details={**shown.details, **about(model)},
        n_elements=n_elements,
    )
    return whole


def fitted(model: "Forecaster", truth: Trajectory) -> "Forecaster":
    """The model at its own horizon where frames fit it, else at the frames' spacing if it takes any horizon.

    Raises
    ------
    InputError
        One line: why it does not forecast these frames.
    """
    from surrogate.inference.frame_pairs import horizon_in_frames

    model.refuse_unfit(truth.n_dims, truth.system.n_particles, model.horizon)
    try:
        if horizon_in_frames(truth.times, model.horizon) < truth.n_frames:
            return model
        raise InputError(f"{truth.n_frames} frames span less than the model's horizon of {model.horizon:g}")
    except InputError:
        if model.horizons != "any" or truth.n_frames < 2:
            raise
    model = model.with_horizon(mean_spacing(truth.times))
    horizon_in_frames(truth.times, model.horizon)
    return model


def stored_parts(setup: Setup, progress: Progress, frame: int) -> Iterator[ForecastPart | ComparisonResult]:
    """The forecasts of a setup whose truth is shown already, in parts and from a frame on; at last all of it."""
    begin = time.perf_counter()
    shown = truth_alone(setup)
    truth = shown.comparison.truth
    detail = detail_of(truth.system.n_particles, setup.in_full, stored=True)
    second = bool(setup.contrast)
    try:
        one = _Forecasts(shown, fitted(tuned_model(setup.model, setup.effort), truth))
    except InputError as error:
        yield replace(shown, no_forecast=str(error), measured=True, seconds=time.perf_counter() - begin)
        return
    for part in one.parts(frame):
        progress(one.share * (0.45 if second else 0.9))
        yield part
    comparison = one.whole()
    first = replace(
        shown,
        comparison=comparison,
        made=one.made,
        no_forecast=one.trouble or one.first_frames(),
        advice=training_commands(comparison) if comparison.law_known else "",
        seconds=time.perf_counter() - begin,
        left_out=left_out(detail, stored=True),
    )
    other, contrast = None, None
    if second:
        try:
            other = _Forecasts(shown, fitted(tuned_model(setup.contrast, setup.contrast_effort), truth))
            for _ in other.parts(frame):
                progress(0.45 + 0.45 * other.share)
            contrast = other.whole()
            first = replace(first, contrast=contrast, contrast_made=other.made)
        except InputError as error:
            other, first = None, replace(first, contrast_note=str(error))
    yield first
    if not detail.measured:
        yield replace(first, measured=True)
        return
    symmetry = {
        name: one_of.symmetry(setup, detail)
        for name, one_of in (("model", one), ("contrast", other))
        if one_of is not None
    }
    comparison = with_energy_shares(
        replace(
            comparison,
            rollout=one.rollout(),
            equivariance_error=float(np.median(symmetry["model"].errors["rotation"])),
        )
    )
    contrast = with_energy_shares(contrast) if contrast is not None else None
    plain, _ = ground_truth(replace(setup, operations=()), 1.0)
    yield replace(
        first,
        comparison=comparison,
        contrast=contrast,
        growth=growth_of(plain) if comparison.law_known else None,
        truth_residual=truth_residual(truth, plain, comparison.rotation, truth.n_frames),
        symmetry=symmetry,
        energies=energies_of(comparison, contrast, one.made, first.contrast_made),
        kinetic=kinetic_of(comparison),
        measured=True,
    )


class _Forecasts:
    """One model's forecasts of all frames of a truth, made in parts.

    Attributes
    ----------
    made : (n_frames,) bool
    trouble : str
        Why some frames that could have a forecast have none; empty where all have.
    share : float
        0 to 1: how many of them are made.
    """

    def __init__(self, shown: ComparisonResult, model: "Forecaster") -> None:
        from surrogate.comparison.forecasts import outside_training
        from surrogate.inference.frame_pairs import horizon_in_frames

        self._shown, self._model = shown, model
        truth = self._truth = shown.comparison.truth
        self.k = horizon_in_frames(truth.times, model.horizon)
        self._x, self._v = truth.positions.copy(), truth.velocities.copy()
        self.made = np.zeros(truth.n_frames, dtype=np.bool_)
        self.trouble, self.share = "", 0.0
        known = shown.comparison.law_known
        self._facts: dict[str, Any] = {
            "model_name": model.name,
            "horizon": model.horizon,
            "outside_training": outside_training(model, truth, known),
        }

    def parts(self, frame: int) -> Iterator[ForecastPart]:
        """From a frame to the last one, then the ones before it."""
        from surrogate.inference.rollout import sliding_forecast

        n_frames, k = self._truth.n_frames, self.k
        start = min(max(frame, k), n_frames - 1)
        count, done = max(AT_FIRST // self._truth.system.n_particles, 1), 0
        for at, end in ((start, n_frames), (k, start)):
            while at < end:
                stop, begin = min(at + count, end), time.perf_counter()
                done += stop - at
                self.share = done / (n_frames - k)
                try:
                    made = sliding_forecast(self._model, self._truth.part(slice(at - k, stop)))
                except InputError as error:
                    self.trouble = str(error)
                else:
                    self._x[at:stop], self._v[at:stop] = made.positions, made.velocities
                    self.made[at:stop] = True
                    yield ForecastPart(self._shown.setup, at, made.positions, made.velocities, self._facts)
                seconds = max(time.perf_counter() - begin, 1e-6)
                at, count = stop, max(min(int(count * PART_SECONDS / seconds), 4 * count), 1)

    def first_frames(self) -> str:
        """Why the first frames have no forecast."""
        return f"no frame one horizon of {self._model.horizon:g} earlier"

    def whole(self) -> Comparison:
        """The comparison with all forecasts there are."""
        shown = self._shown.comparison
        details = {**shown.details, **about(self._model)}
        return replace(shown, forecast=self._trajectory(self._x, self._v), details=details, **self._facts)

    def _trajectory(self, x: FloatArray, v: FloatArray) -> Trajectory:
        truth = self._truth
        return Trajectory(truth.times, x, v, truth.system, truth.velocity_offset)

    def rollout(self) -> Trajectory | None:
        """The chained roll-out, on all frames as the forecasts are; None where it is not finite."""
        from surrogate.inference.rollout import chained_rollout

        try:
            rolled = chained_rollout(self._model, self._truth)
        except InputError:
            return None
        x, v = self._truth.positions.copy(), self._truth.velocities.copy()
        x[self.k :], v[self.k :] = rolled.positions, rolled.velocities
        return self._trajectory(x, v)

    def symmetry(self, setup: Setup, detail: Detail) -> Symmetry:
        """Equivariance errors of the model, at frames of its forecasts."""
        rotation = self._shown.comparison.rotation if setup.operations else None
        n_seen = self._truth.n_frames - self.k
        found = model_symmetry(*precisions(self._model), self._truth, rotation, n_seen, detail)
        return replace(found, frames=found.frames + self.k)
