"""The comparison behind the window, made in a child process: simulate, forecast, measure.

PyTorch is loaded inside functions, here and in the modules that these call: the window's own process never
loads it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from app.viewmodel.state.commands import command_of, training_commands
from app.viewmodel.state.detail import Detail, detail_of, left_out
from app.viewmodel.state.results import ComparisonResult, ForecastPart
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.symmetry import Symmetry
from app.viewmodel.worker.ground_truth import (
    Unturned,
    errors_of_engine,
    ground_truth,
    truth_residual,
    world_rotation,
)
from app.viewmodel.worker.loaded_models import about, default_model, tuned_model
from app.viewmodel.worker.measured import energies_of, kinetic_of, precisions
from app.viewmodel.worker.stored import stored_parts
from app.viewmodel.worker.symmetry import model_symmetry
from physics.errors import InputError
from surrogate.comparison.comparison import Comparison, with_energy_shares

if TYPE_CHECKING:
    from physics.types import Trajectory
    from surrogate.inference.forecaster import Forecaster

LONG = 1.0
"""A comparison that takes longer reports its progress [second]."""


def result_of(setup: Setup) -> ComparisonResult:
    """Simulate the rotated state, forecast it with the model and the contrast, and measure."""
    *_, whole = result_parts(setup)
    assert isinstance(whole, ComparisonResult)
    return whole


def result_parts(
    setup: Setup, progress: Callable[[float], None] = lambda _: None, frame: int = 0
) -> Iterator[ComparisonResult | ForecastPart]:
    """What `result_of` makes: first the forecasts, as soon as they can be drawn, then all of it.

    `progress` is called with how far it is, 0 to 1, where that takes longer than LONG. The forecasts of stored
    data come in parts, that of `frame` first.
    """
    if setup.data:
        yield from stored_parts(setup, progress, frame)
    else:
        yield from _scenario_parts(setup, progress)


def _scenario_parts(setup: Setup, progress: Callable[[float], None]) -> Iterator[ComparisonResult]:
    from surrogate.comparison.forecasts import comparison_parts

    begin = time.perf_counter()

    def reached(share: float) -> None:
        if time.perf_counter() - begin > LONG:
            progress(share)

    model = tuned_model(setup.model, setup.effort)
    truth, before = ground_truth(setup, model.horizon)
    reached(0.2)
    plain, facts = before.truth, before.facts
    detail = detail_of(truth.system.n_particles, setup.in_full)
    title = facts["title"]
    rotation = world_rotation(setup, truth.n_dims)
    parts = comparison_parts(
        model,
        truth,
        rotation,
        scenario_name=title,
        law_known=facts["law_known"],
        command=command_of(setup, default_model()),
        details={"description": facts["description"], "seed": facts["seed"], **about(model)},
        n_elements=detail.n_elements,
    )
    comparison = with_energy_shares(next(parts))
    reached(0.4)
    contrast, note, other = None, "", None
    other_parts: Iterator[Comparison] = iter(())
    if setup.contrast:
        try:
            other = tuned_model(setup.contrast, setup.contrast_effort)
            other_parts = comparison_parts(
                other,
                truth,
                rotation,
                scenario_name=title,
                law_known=facts["law_known"],
                details=about(other),
                chained=False,
                n_elements=detail.n_elements,
            )
            contrast = with_energy_shares(next(other_parts))
        except InputError as error:
            note = str(error)
    seen = comparison.truth
    first = ComparisonResult(
        setup=setup,
        comparison=comparison,
        contrast=contrast,
        contrast_note=note,
        growth=None if before.growth is None else before.growth[truth.n_frames - seen.n_frames :],
        truth_residual=None,
        advice=training_commands(comparison),
        seconds=time.perf_counter() - begin,
        drawn=facts["drawn"],
        seed=facts["seed"],
        system=before.own_system,
        clamp_note=facts.get("clamp_note", ""),
        left_out=left_out(detail, stored=False),
        measured=False,
    )
    yield first
    reached(0.5)
    comparison = with_energy_shares(replace(next(parts), energy_shares=comparison.energy_shares))
    if contrast is not None:
        contrast = replace(next(other_parts), energy_shares=contrast.energy_shares)
    reached(0.8)
    yield replace(
        first,
        comparison=comparison,
        contrast=contrast,
        truth_residual=truth_residual(truth, plain, rotation.matrix, seen.n_frames),
        symmetry=_symmetry(first, (model, other), truth, before, detail),
        energies=energies_of(comparison, contrast),
        kinetic=kinetic_of(comparison),
        measured=True,
    )


def _symmetry(
    first: ComparisonResult,
    models: "tuple[Forecaster, Forecaster | None]",
    truth: "Trajectory",
    before: Unturned,
    detail: Detail,
) -> dict[str, Symmetry]:
    """Of the models and the engine, under the world rotation or, without one, a Haar draw."""
    n_seen = first.comparison.truth.n_frames
    rotation = first.comparison.rotation if first.setup.operations else None
    found = {"model": model_symmetry(*precisions(models[0], truth), truth, rotation, n_seen, detail)}
    if models[1] is not None and first.contrast is not None:
        n_forecast = first.contrast.truth.n_frames
        found["contrast"] = model_symmetry(*precisions(models[1], truth), truth, rotation, n_forecast, detail)
    if before.scenario is not None and detail.engine:
        errors = {name: values[-n_seen:] for name, values in errors_of_engine(before).items()}
        turned = truth_residual(truth, before.truth, first.comparison.rotation, n_seen)
        if turned is not None:
            errors["rotation"] = turned
        found["engine"] = Symmetry(np.arange(n_seen), errors, {})
    return found
