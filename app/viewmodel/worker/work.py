"""The long work behind the window, run in a child process: simulate, forecast, measure, export.

PyTorch is loaded inside functions, here and in the modules that these call: the window's own process never
loads it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.state.own_scene import scenario_of_scene
from app.viewmodel.state.setup import OwnScene, Setup, rotation_matrix
from app.viewmodel.worker.commands import UNSAVED, command_of, training_commands
from app.viewmodel.worker.detail import Detail, detail_of, left_out
from app.viewmodel.worker.ground_truth import (
    Unturned,
    before_the_turn,
    errors_of_engine,
    truth_residual,
    truths,
)
from app.viewmodel.worker.loaded_models import default_model, tuned_model
from app.viewmodel.worker.preview import Glimpse, glimpse_of, turned_is_enough
from app.viewmodel.worker.symmetry import Forecast, Symmetry, model_symmetry
from physics.errors import InputError
from resources.shipped import FILE_NAME
from surrogate.comparison.comparison import Comparison, with_energy_shares

if TYPE_CHECKING:
    from physics.types import Trajectory
    from surrogate.inference.forecaster import Forecaster

FloatArray = NDArray[np.float64]

LONG = 1.0
"""A comparison that takes longer tells how far it is [second]; of a quick one that would be more work than use."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A finished comparison with what the read-outs show beside it.

    Attributes
    ----------
    setup : Setup
        What it was made for.
    comparison, contrast : Comparison, Comparison or None
    contrast_note : str
        Why there is no contrast although one was asked for.
    growth : (n_frames,) float64
        How many times a 1e-6 perturbation of the truth before the turn has grown.
    truth_residual : (n_frames,) float64, or None
        |truth(R x) - R truth(x)| / radius at each frame; None without a rotation.
    own_dims, own_particles : int
    advice : str
        What to run where the law was not learned; empty where it was.
    clamp_note : str
        That the clamped law never clamped, and which seed to try; empty where it did or is not used.
    left_out : str
        What is missing because the system is large; empty for nothing.
    symmetry : mapping of str to Symmetry
        Equivariance errors of "model", "contrast" and "engine", as far as there are any.
    energies : mapping of str to (n_frames,) float64
        Of truth, forecast, roll-out and second model, as far as there are any.
    kinetic : float
        Mean kinetic energy of the truth, the measure of energy errors (the total may be near zero).
    seconds : float
    measured : bool
        False in a first answer: the forecasts are there, the roll-out and the read-outs follow.
    picture : int
        The same for the first answer and the whole one, which draw the same frames.
    drawn : bool
        Whether the scenario can be drawn with another N, n and seed.
    seed : int or None
    n_samples : int
        Of the data set that is browsed; 0 for a scenario.
    splits : tuple of str
        Of the data set; none where it is one split by itself.
    scene : OwnScene
        The system before the turn, for the scene editor.
    """

    setup: Setup
    comparison: Comparison
    contrast: Comparison | None
    contrast_note: str
    growth: FloatArray
    truth_residual: FloatArray | None
    advice: str
    seconds: float
    drawn: bool
    seed: int | None
    n_samples: int = 0
    splits: tuple[str, ...] = ()
    scene: OwnScene | None = None
    clamp_note: str = ""
    left_out: str = ""
    symmetry: Mapping[str, Symmetry] = field(default_factory=dict)
    energies: Mapping[str, FloatArray] = field(default_factory=dict)
    kinetic: float = 1.0
    measured: bool = True
    picture: int = field(default_factory=time.monotonic_ns)


def _about(model: "Forecaster") -> dict[str, Any]:
    return {"evaluations": model.evaluations, "tolerance": model.tolerance, "chooses": model.chooses_evaluations}


def prepare(setup: Setup) -> Prepared:
    """Simulate the rotated state, forecast it with the model and the contrast, and measure."""
    *_, whole = prepared_parts(setup)
    return whole


def prepared_parts(setup: Setup, progress: Callable[[float], None] = lambda _: None) -> Iterator[Prepared]:
    """What `prepare` makes: first the forecasts, as soon as they can be drawn, then all of it.

    `progress` is told how far it is, 0 to 1, where that takes longer than LONG.
    """
    from surrogate.comparison.forecasts import comparison_parts

    begin = time.perf_counter()

    def reached(share: float) -> None:
        if time.perf_counter() - begin > LONG:
            progress(share)

    model = tuned_model(setup.model, setup.effort)
    truth, before = truths(setup, model.horizon)
    reached(0.2)
    plain, facts = before.truth, before.facts
    detail = detail_of(truth.system.n_particles, setup.in_full)
    title = facts["title"]
    rotation = _rotation(setup, truth.n_dims)
    parts = comparison_parts(
        model,
        truth,
        rotation,
        scenario_name=title,
        law_known=facts["law_known"],
        command=command_of(setup, default_model()),
        details={"description": facts["description"], "seed": facts["seed"], **_about(model)},
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
                details=_about(other),
                chained=False,
                n_elements=detail.n_elements,
            )
            contrast = with_energy_shares(next(other_parts))
        except InputError as error:
            note = str(error)
    seen = comparison.truth
    first = Prepared(
        setup=setup,
        comparison=comparison,
        contrast=contrast,
        contrast_note=note,
        growth=before.growth[truth.n_frames - seen.n_frames :],
        truth_residual=None,
        advice=training_commands(comparison),
        seconds=time.perf_counter() - begin,
        drawn=facts["drawn"],
        seed=facts["seed"],
        n_samples=facts["n_samples"],
        splits=facts.get("splits", ()),
        scene=before.scene,
        clamp_note=facts.get("clamp_note", ""),
        left_out=left_out(detail, stored=before.scenario is None),
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
        energies=_energies(comparison, contrast),
        kinetic=_kinetic(comparison),
        measured=True,
    )


def turned_truth(setup: Setup, model: "Forecaster") -> tuple["Trajectory", Any, bool]:
    """The truth at a model's frames, the world rotation it is under, and whether its law is known."""
    truth, before = truths(setup, model.horizon)
    return truth, _rotation(setup, truth.n_dims), bool(before.facts["law_known"])


def _rotation(setup: Setup, n_dims: int) -> Any:
    from surrogate.comparison.ground_truth import Rotation

    turns = ", ".join(map(str, setup.operations))
    return Rotation(rotation_matrix(setup.operations, n_dims), turns, not setup.operations)


def glimpse(setup: Setup, near: tuple[int, int]) -> Glimpse | None:
    """The forecasts of the frames on the screen, before all the others; None where there is nothing to show."""
    from physics.laws import force_of

    model = tuned_model(setup.model, setup.effort)
    try:
        other = tuned_model(setup.contrast, setup.contrast_effort) if setup.contrast else None
    except InputError:
        other = None  # the whole comparison says why
    before = before_the_turn(setup, model.horizon)
    rotation = _rotation(setup, before.truth.n_dims)
    detail = detail_of(before.truth.system.n_particles, setup.in_full)
    isotropic = before.scenario is None or force_of(before.truth.system.law).isotropic
    if turned_is_enough(before.growth, isotropic, near[1] + detail.frames_per_horizon):
        truth = before.truth.transformed(rotation.matrix)
    else:
        truth = truths(setup, model.horizon)[0]
    return glimpse_of(setup, truth, rotation, (model, other), near, before.facts)


def _symmetry(
    first: Prepared,
    models: "tuple[Forecaster, Forecaster | None]",
    truth: "Trajectory",
    before: Unturned,
    detail: Detail,
) -> dict[str, Symmetry]:
    """Of the models and the engine, under the world rotation or, without one, a Haar draw."""
    n_seen = first.comparison.truth.n_frames
    rotation = first.comparison.rotation if first.setup.operations else None
    found = {"model": model_symmetry(*_precisions(models[0]), truth, rotation, n_seen, detail)}
    if models[1] is not None and first.contrast is not None:
        n_forecast = first.contrast.truth.n_frames
        found["contrast"] = model_symmetry(*_precisions(models[1]), truth, rotation, n_forecast, detail)
    if before.scenario is not None and detail.engine:
        errors = {name: values[-n_seen:] for name, values in errors_of_engine(before).items()}
        turned = truth_residual(truth, before.truth, first.comparison.rotation, n_seen)
        if turned is not None:
            errors["rotation"] = turned
        found["engine"] = Symmetry(np.arange(n_seen), errors, {})
    return found


def _precisions(model: "Forecaster") -> tuple[Forecast, Forecast]:
    """A model in single and in double precision."""
    return (
        lambda states: model.positions_after(*states, double=False),
        lambda states: model.positions_after(*states, double=True),
    )


def _energies(comparison: Comparison, second: Comparison | None) -> dict[str, FloatArray]:
    if not comparison.law_known:
        return {}
    energies = {source: shares.sum(axis=1) for source, shares in comparison.energy_shares.items()}
    if second is not None and second.truth.n_frames == comparison.truth.n_frames:
        energies["second"] = second.energy_shares["forecast"].sum(axis=1)
    return energies


def _kinetic(comparison: Comparison) -> float:
    from physics.observables import kinetic_energy

    mean = float(kinetic_energy(comparison.truth).mean())
    return mean if mean > 1e-12 else 1.0


@dataclass(frozen=True)
class ExportRequest:
    """What to export where."""

    setup: Setup
    folder: str
    formats: tuple[str, ...]


def export(request: ExportRequest, progress: Callable[[float], None], cancelled: Callable[[], bool]) -> list[str]:
    """Make the comparison anew and write it with the exporters of `surrogate.compare`; paths written."""
    from surrogate.export import export_all

    prepared = prepare(replace(request.setup, contrast=""))
    written = export_all(prepared.comparison, Path(request.folder), request.formats, progress, cancelled)
    paths = [str(path) for path in written]
    if request.setup.own is not None:  # the command line in the sidecar names it
        from physics.scenario_files import write_scenario

        scene = Path(request.folder) / UNSAVED
        write_scenario(scene, scenario_of_scene(request.setup.own))
        paths.append(str(scene))
    return paths


def describe_file(path: str) -> Setup:
    """The part of a Setup that a file stands for: a scenario, a data set, or a checkpoint.

    Raises
    ------
    InputError
        One line, for anything else.
    """
    from physics.datasets.reading import available_splits, read_samples
    from physics.scenarios import load_scenario
    from surrogate.inference.loading import load

    place = Path(path)
    if not place.exists():
        raise InputError(f"{path}: no such file")
    if place.suffix == ".toml":
        load_scenario(path)
        return Setup(scenario=path)
    is_zarr = place.is_dir() and (place / "zarr.json").is_file()
    if place.suffix == ".npz" or is_zarr:
        splits = available_splits(place)
        split = "test" if "test" in splits or not splits else splits[0]
        read_samples(place, split, range(1))
        return Setup(scenario="", data=path, split=split)
    if place.name == FILE_NAME or (place / FILE_NAME).is_file() or (place / "best").is_dir():
        load(place)
        return Setup(scenario="", model=path)
    raise InputError(
        f"{path}: not something to open; expected a checkpoint, a run, a data set (.zarr, .npz) or a scenario"
    )
