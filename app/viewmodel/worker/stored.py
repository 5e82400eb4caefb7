"""Stored data in the window: the truth at once, its forecasts in parts as they are made, then what is measured.

All stored frames are kept, also those of the first horizon, which no forecast leads to: there the arrays of a
forecast repeat the truth, and `ComparisonResult.made` says so. No PyTorch is loaded for the truth.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.state.commands import command_of, training_commands
from app.viewmodel.state.detail import Detail, detail_of, left_out
from app.viewmodel.state.framing import steady_framing
from app.viewmodel.state.results import ComparisonResult, ForecastPart
from app.viewmodel.state.setup import Effort, Setup
from app.viewmodel.state.symmetry import Symmetry
from app.viewmodel.worker.ground_truth import ground_truth, growth_of, truth_residual, world_rotation
from app.viewmodel.worker.loaded_models import about, default_model, tuned_model
from app.viewmodel.worker.measured import energies_of, kinetic_of, precisions
from app.viewmodel.worker.symmetry import model_symmetry
from physics.errors import InputError
from physics.types import FloatArray, Trajectory
from surrogate.comparison.comparison import Comparison, with_energy_shares

if TYPE_CHECKING:
    from surrogate.inference.forecaster import Forecaster

PART_SECONDS = 0.4
"""Forecasts are handed over about so often."""

MADE = 0.9
"""Progress where all forecasts are made; what is measured on them follows."""

EXPORT_SECONDS = 50.0
"""About so much time is spent on an export of large data, unless all is asked for."""

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
        box=None if facts["box"] is None else facts["box"].turned(rotation.matrix),
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
        framing=steady_framing(comparison, stored=True),
    )


def whole_comparison(setup: Setup, progress: Progress = lambda _: None) -> Comparison:
    """A comparison on stored data at the frames that have a forecast, as `surrogate.compare` makes it."""
    from surrogate.comparison.forecasts import comparison_parts

    shown = truth_alone(setup)
    given, truth = shown.comparison, shown.comparison.truth
    model, note = fitted_model(setup.model, setup.effort, truth)
    *_, whole = comparison_parts(
        model,
        truth,
        world_rotation(setup, truth.n_dims),
        scenario_name=given.scenario_name,
        law_known=given.law_known,
        command=given.command,
        details={**given.details, **about(model)},
        notes=tuple(filter(None, (*shown.notes, note))),
        box=given.box,
        seconds=None if setup.in_full else EXPORT_SECONDS,
        progress=progress,
    )
    return whole


def fitted_model(name: str, effort: Effort, truth: Trajectory) -> "tuple[Forecaster, str]":
    """A model at a horizon that the frames have, and a note where that is not its own.

    Raises
    ------
    InputError
        One line: why it does not forecast these frames.
    """
    from surrogate.inference.frame_pairs import fitted

    model = tuned_model(name, effort)
    model.refuse_unfit(truth.n_dims, truth.system.n_particles, model.horizon)
    return fitted(model, truth.times, evaluations=effort.evaluations)


def stored_parts(setup: Setup, progress: Progress, frame: int) -> Iterator[ForecastPart | ComparisonResult]:
    """The forecasts of a setup whose truth is shown already, in parts and from a frame on; at last all of it."""
    begin = time.perf_counter()
    shown = truth_alone(setup)
    truth = shown.comparison.truth
    detail = detail_of(truth.system.n_particles, setup.in_full, stored=True)
    second = bool(setup.contrast)
    try:
        one = _Forecasts(shown, setup.model, setup.effort)
    except InputError as error:
        yield replace(shown, no_forecast=str(error), measured=True, seconds=time.perf_counter() - begin)
        return
    for part in one.parts(frame):
        progress(one.share * (0.5 * MADE if second else MADE))
        yield part
    comparison = one.whole()
    first = replace(
        shown,
        comparison=comparison,
        framing=steady_framing(comparison, stored=True),
        made=one.made,
        no_forecast=one.why_not_all(),
        notes=(*shown.notes, one.note) if one.note else shown.notes,
        advice=training_commands(comparison) if comparison.law_known else "",
        seconds=time.perf_counter() - begin,
        left_out=left_out(detail, stored=True),
    )
    other, contrast = None, None
    if second:
        try:
            other = _Forecasts(shown, setup.contrast, setup.contrast_effort)
            for _ in other.parts(frame):
                progress(0.5 * MADE * (1.0 + other.share))
            contrast = other.whole()
            first = replace(first, contrast=contrast, contrast_made=other.made)
        except InputError as error:
            other, first = None, replace(first, contrast_note=str(error))
    yield first
    if not detail.measured:
        yield replace(first, measured=True)
        return
    symmetry = {}
    for name, one_of in (("model", one), ("contrast", other)):
        if one_of is not None:
            progress(MADE)
            symmetry[name] = one_of.symmetry(setup, detail)
    comparison = with_energy_shares(
        replace(
            comparison,
            rollout=one.rollout(lambda: progress(MADE)),
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
    """One model's forecasts of the frames of a truth, made in parts.

    Attributes
    ----------
    made : (n_frames,) bool
    note : str
        On the horizon, where it is not the model's own.
    trouble : str
        Why some frames that could have a forecast have none; empty where all have.
    share : float
        0 to 1: how many of them are made.
    """

    def __init__(self, shown: ComparisonResult, name: str, effort: Effort) -> None:
        from surrogate.comparison.forecasts import outside_training
        from surrogate.inference.rollout import model_pairs

        given = shown.comparison
        truth = self._truth = given.truth
        self._shown = shown
        self._model, self.note = fitted_model(name, effort, truth)
        self._pairs = model_pairs(self._model, truth)
        self._x, self._v = truth.positions.copy(), truth.velocities.copy()
        self.made = np.zeros(truth.n_frames, dtype=np.bool_)
        self.trouble, self.share = "", 0.0
        self._facts: dict[str, Any] = {
            "model_name": self._model.name,
            "horizon": self._model.horizon,
            "outside_training": outside_training(self._model, truth, given.law_known, self._pairs, given.box),
        }

    def parts(self, frame: int) -> Iterator[ForecastPart]:
        """From a frame to the last one, then the ones before it."""
        from surrogate.inference.rollout import forecast_blocks

        truth, pairs = self._truth, self._pairs
        first = int(np.argmax(pairs.targets >= frame))
        order = np.roll(np.arange(len(pairs)), -first)
        at, count = 0, max(AT_FIRST // truth.system.n_particles, 1)
        while at < len(order):
            begin = time.perf_counter()
            states = truth.positions, truth.velocities
            for which, x, v in forecast_blocks(
                self._model, truth.system, states, pairs, order=order[at : at + count]
            ):
                at += len(which)
                self.share = at / len(order)
                yield self._taken(pairs.targets[which], x, v)
            seconds = max(time.perf_counter() - begin, 1e-6)
            count = max(min(int(count * PART_SECONDS / seconds), 4 * count), 1)

    def _taken(self, targets: NDArray[np.int64], x: FloatArray, v: FloatArray) -> ForecastPart:
        """Forecasts of some frames as they are shown: where finite, in a periodic box beside the truth."""
        from surrogate.inference.rollout import finite_states

        truth, box = self._truth, self._shown.comparison.box
        finite = finite_states(x, v)
        if not finite.all():
            when = truth.times[targets[~finite]].min()
            self.trouble = self.trouble or f"not finite, as at t = {when:g}: far outside training"
        targets, x, v = targets[finite], x[finite], v[finite]
        if box is not None and len(x):
            x = box.beside(x, truth.positions[targets])
        self._x[targets], self._v[targets], self.made[targets] = x, v, True
        notes = (self.note,) if self.note else ()
        return ForecastPart(self._shown.setup, targets, x, v, self._facts, notes)

    def why_not_all(self) -> str:
        """Why some frames have no forecast."""
        return self.trouble or f"it takes a frame one horizon ({self._model.horizon:g}) earlier"

    def whole(self) -> Comparison:
        """The comparison with all forecasts there are."""
        shown = self._shown.comparison
        details = {**shown.details, **about(self._model)}
        return replace(shown, forecast=self._trajectory(self._x, self._v), details=details, **self._facts)

    def _trajectory(self, x: FloatArray, v: FloatArray) -> Trajectory:
        truth = self._truth
        return Trajectory(truth.times, x, v, truth.system, truth.velocity_offset)

    def rollout(self, step: Callable[[], None]) -> Trajectory | None:
        """The chained roll-out, on all frames as the forecasts are; None where it is not finite.

        `step` is called with each part of it, and may raise to stop.
        """
        from surrogate.inference.rollout import chained_rollout

        try:
            rolled = chained_rollout(self._model, self._truth, pairs=self._pairs, made=lambda _: step())
        except InputError:
            return None
        x, v = self._truth.positions.copy(), self._truth.velocities.copy()
        at = self._pairs.targets
        x[at], v[at] = rolled.positions, rolled.velocities
        return self._trajectory(x, v)

    def symmetry(self, setup: Setup, detail: Detail) -> Symmetry:
        """Equivariance errors of the model, at frames of its forecasts."""
        rotation = self._shown.comparison.rotation if setup.operations else None
        inputs = self._truth.part(self._pairs.inputs)
        found = model_symmetry(*precisions(self._model, inputs), inputs, rotation, len(self._pairs), detail)
        return replace(found, frames=self._pairs.targets[found.frames])
