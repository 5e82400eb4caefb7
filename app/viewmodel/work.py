"""The long work behind the window, run in a child process: simulate, forecast, measure, export.

This is the only module of the view model that reaches PyTorch, and it does so inside its functions: the
window's own process never loads it.
"""

import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.glimpse import Glimpse, glimpse_of, turned_is_enough
from app.viewmodel.own_scene import scenario_of_scene, scene_of_state
from app.viewmodel.setup import Effort, Operation, OwnScene, Setup, rotation_matrix
from app.viewmodel.symmetry import Arrays, Forecast, Symmetry, engine_errors, model_symmetry
from physics.errors import InputError
from surrogate.comparison import Comparison
from surrogate.zoo import FILE_NAME, shipped_models

if TYPE_CHECKING:
    from physics.scenarios import Scenario
    from physics.types import Trajectory
    from surrogate.forecaster import Forecaster

FloatArray = NDArray[np.float64]

UNSAVED = "own-scene.toml"
"""Stands in commands for a scene of the user's own that is in no file yet."""

APP_FRAMES_PER_HORIZON = 25
"""Frames of one model horizon as shown: smooth at real-time speed."""

CLAMP_SEEDS = 16
"""Where the clamp never acts, a seed with which it does is looked for below this."""

PERTURBATION = 1e-6
"""How far the second truth starts from the first, to tell chaos from model error."""


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
    symmetry: Mapping[str, Symmetry] = field(default_factory=dict)
    energies: Mapping[str, FloatArray] = field(default_factory=dict)
    kinetic: float = 1.0
    measured: bool = True
    picture: int = field(default_factory=time.monotonic_ns)


def _model(name: str) -> "Forecaster":
    """A loaded model; loaded anew where its file has changed, as a training does."""
    files = (Path(name) / "best" / FILE_NAME, Path(name) / FILE_NAME, Path(name))
    stamps = (file.stat().st_mtime_ns for file in files if file.is_file())
    return _loaded(name, 0 if name in shipped_models() else next(stamps, 0))


@lru_cache(maxsize=8)
def _loaded(name: str, stamp: int) -> "Forecaster":
    from surrogate.forecaster import load

    return load(name)


def tuned_model(name: str, effort: Effort) -> "Forecaster":
    """A model that spends what is asked; named so that it can stand beside itself.

    Raises
    ------
    InputError
        Where it cannot choose.
    """
    model = _model(name or default_model())
    if effort == Effort():
        return model
    if effort.evaluations is not None:
        model = model.with_evaluations(effort.evaluations)
    if effort.tolerance is not None:
        model = model.with_tolerance(effort.tolerance)
    model.name = f"{model.name} ({effort})"  # a copy: the loaded one keeps its name
    return model


def _about(model: "Forecaster") -> dict[str, Any]:
    return {"evaluations": model.evaluations, "tolerance": model.tolerance, "chooses": model.chooses_evaluations}


def default_model() -> str:
    """The model the application starts with."""
    names = shipped_models()
    for name in ("integrator-nd", "egnn-nd", "egnn-nbody"):
        if name in names:
            return name
    return next(iter(names), "")


def prepare(setup: Setup) -> Prepared:
    """Simulate the rotated state, forecast it with the model and the contrast, and measure."""
    *_, whole = prepared_parts(setup)
    return whole


def prepared_parts(setup: Setup) -> Iterator[Prepared]:
    """What `prepare` makes: first the forecasts, as soon as they can be drawn, then all of it."""
    from surrogate.compare import comparison_parts

    begin = time.perf_counter()
    model = tuned_model(setup.model, setup.effort)
    truth, before = _truths(setup, model)
    plain, facts = before.truth, before.facts
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
    )
    comparison = next(parts)
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
            )
            contrast = next(other_parts)
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
        advice=_advice(setup, comparison),
        seconds=time.perf_counter() - begin,
        drawn=facts["drawn"],
        seed=facts["seed"],
        n_samples=facts["n_samples"],
        splits=facts.get("splits", ()),
        scene=before.scene,
        clamp_note=facts.get("clamp_note", ""),
        measured=False,
    )
    yield first
    comparison, contrast = next(parts), next(other_parts, contrast)
    yield replace(
        first,
        comparison=comparison,
        contrast=contrast,
        truth_residual=_truth_residual(truth, plain, rotation.matrix, seen.n_frames),
        symmetry=_symmetry(first, (model, other), truth, before),
        energies=_energies(comparison, contrast),
        kinetic=_kinetic(comparison),
        measured=True,
    )


def turned_truth(setup: Setup, model: "Forecaster") -> tuple["Trajectory", Any, bool]:
    """The truth at a model's frames, the world rotation it is under, and whether its law is known."""
    truth, before = _truths(setup, model)
    return truth, _rotation(setup, truth.n_dims), bool(before.facts["law_known"])


def _rotation(setup: Setup, n_dims: int) -> Any:
    from surrogate.compare import Rotation

    turns = ", ".join(map(str, setup.operations))
    return Rotation(rotation_matrix(setup.operations, n_dims), turns, not setup.operations)


@dataclass(frozen=True, eq=False)
class Unturned:
    """What no rotation changes: the system before the turn, computed once and kept.

    Attributes
    ----------
    truth : Trajectory
    growth : (n_frames,) float64
    scenario : Scenario or None
        At the frames of the application; None for stored data.
    scene : OwnScene
        The system and its state, as the scene editor takes them.
    facts : mapping
        title, description, law_known, drawn, seed, n_samples.
    """

    truth: "Trajectory"
    growth: FloatArray
    scenario: "Scenario | None"
    facts: Mapping[str, Any]
    scene: OwnScene


def glimpse(setup: Setup, near: tuple[int, int]) -> Glimpse | None:
    """The forecasts of the frames on the screen, before all the others; None where there is nothing to show."""
    from physics.forces import FORCES

    model = tuned_model(setup.model, setup.effort)
    try:
        other = tuned_model(setup.contrast, setup.contrast_effort) if setup.contrast else None
    except InputError:
        other = None  # the whole comparison says why
    before = _before(setup, model)
    rotation = _rotation(setup, before.truth.n_dims)
    isotropic = before.scenario is None or FORCES[before.truth.system.law].isotropic
    if turned_is_enough(before.growth, isotropic, near[1] + APP_FRAMES_PER_HORIZON):
        truth = before.truth.transformed(rotation.matrix)
    else:
        truth = _truths(setup, model)[0]
    return glimpse_of(setup, truth, rotation, (model, other), near, before.facts["title"])


def _before(setup: Setup, model: "Forecaster") -> Unturned:
    """What there was before the turn."""
    path = Path(setup.data or setup.scenario)
    stamp = path.stat().st_mtime_ns if path.exists() else 0
    unrotated = replace(setup, operations=(), model="", contrast="", effort=Effort(), contrast_effort=Effort())
    return _unturned(unrotated, model.horizon / APP_FRAMES_PER_HORIZON, stamp)


def _truths(setup: Setup, model: "Forecaster") -> tuple["Trajectory", Unturned]:
    """The truth from the rotated state, and what there was before the turn."""
    before = _before(setup, model)
    return _turned(before, setup.operations) if setup.operations else before.truth, before


@lru_cache(maxsize=2)
def _turned(before: Unturned, operations: tuple[Operation, ...]) -> "Trajectory":
    """The truth simulated anew from the turned state; a stored truth turned."""
    from physics.types import State

    plain = before.truth
    matrix = rotation_matrix(operations, plain.n_dims)
    if before.scenario is None:
        return plain.transformed(matrix)
    start = plain.state(0)
    turned = State(start.positions @ matrix.T, start.velocities @ matrix.T, start.time)
    return before.scenario.trajectory(plain.system.transformed(matrix), turned)


@lru_cache(maxsize=8)
def _unturned(setup: Setup, interval: float, stamp: int) -> Unturned:
    """Made once for each system; `stamp` is the time of its file's last change."""
    from physics.dataset import available_splits, read_samples
    from physics.scenarios import load_scenario
    from surrogate.compare import stored_truth

    if setup.data:
        one, count = read_samples(setup.data, setup.split, range(setup.index, setup.index + 1))
        plain, known, recipe = stored_truth(one, setup.split, 0)
        facts = {
            "title": f"{Path(setup.data).name} #{setup.index}",
            "description": str(recipe.get("preset", "")),
            "law_known": known,
            "drawn": False,
            "seed": None,
            "n_samples": count,
            "splits": available_splits(setup.data),
        }
        span = float(plain.times[-1] - plain.times[0])
        return Unturned(
            plain,
            _growth(plain),
            None,
            facts,
            scene_of_state(plain, f"{Path(setup.data).name} #{setup.index}", span),
        )
    scenario = scenario_of_scene(setup.own) if setup.own is not None else load_scenario(setup.scenario)
    if setup.clamped:
        scenario = scenario.clamped()
    drawn = bool(scenario.random)
    system, state = scenario.initial(
        dims=setup.dims,
        n_particles=setup.particles if drawn else None,
        seed=setup.seed if drawn else None,
    )
    finer = replace(scenario, frame_interval=interval)
    plain = finer.trajectory(system, state)
    seed = scenario.random.get("seed") if setup.seed is None else setup.seed
    facts = {
        "title": scenario.title,
        "description": scenario.description,
        "law_known": True,
        "drawn": drawn,
        "seed": seed if drawn else None,
        "n_samples": 0,
        "clamp_note": _clamp_note(scenario, setup, drawn) if setup.clamped else "",
    }
    scene = scene_of_state(plain, scenario.title, scenario.duration, scenario.frame_interval, scenario.dt)
    return Unturned(plain, _growth(plain), finer, facts, scene)


def _clamp_note(scenario: "Scenario", setup: Setup, drawn: bool) -> str:
    """That the clamp cannot act in this run, under no rotation, and a seed with which it does; else empty."""
    from physics.clean import clean_windows, largest_forces
    from physics.simulate import default_dt

    def never(seed: int | None) -> bool:
        chosen = {"n_particles": setup.particles, "seed": seed} if drawn else {}
        system, state = scenario.initial(dims=setup.dims, **chosen)
        if (system.masses != 1.0).any() or system.fields.any:
            return False  # the published law has neither masses nor fields: not known
        dt = default_dt(system)
        arrays = (a[None] for a in (state.positions, state.velocities, system.charges))
        return bool(clean_windows(largest_forces(*arrays, dt=dt, n_steps=round(scenario.duration / dt)))[0])

    if not never(setup.seed):
        return ""
    text = "the clamp was never reached in this run, so the published law acts as an isotropic one"
    if drawn:
        other = next((seed for seed in range(1, CLAMP_SEEDS) if not never(seed)), None)
        text += f": try seed {other}" if other is not None else ""
    return text


def _growth(truth: "Trajectory") -> FloatArray:
    """How many times a perturbation of 1e-6 has grown at each frame; ones for stored data."""
    from physics.simulate import simulate
    from physics.types import State

    start = truth.state(0)
    rng = np.random.default_rng(0)
    shift = rng.standard_normal(start.positions.shape)
    shift *= PERTURBATION / np.linalg.norm(shift)
    moved = State(start.positions + shift, start.velocities, start.time)
    try:
        other = simulate(truth.system, moved, float(truth.times[-1] - truth.times[0]), times=truth.times)
        same = simulate(truth.system, start, float(truth.times[-1] - truth.times[0]), times=truth.times)
    except InputError:
        return np.ones(truth.n_frames)
    apart = np.linalg.norm(other.positions - same.positions, axis=(1, 2))
    return np.asarray(apart / PERTURBATION)


def _truth_residual(
    truth: "Trajectory", plain: "Trajectory", matrix: FloatArray, n_seen: int
) -> FloatArray | None:
    if truth is plain:
        return None
    x, plain_x = truth.positions[-n_seen:], plain.positions[-n_seen:]
    size = np.linalg.norm(x - x.mean(axis=1, keepdims=True), axis=(1, 2))
    return np.asarray(np.linalg.norm(x - plain_x @ matrix.T, axis=(1, 2)) / np.maximum(size, 1e-300))


def _symmetry(
    first: Prepared, models: "tuple[Forecaster, Forecaster | None]", truth: "Trajectory", before: Unturned
) -> dict[str, Symmetry]:
    """Of the models and the engine, under the world rotation or, without one, a Haar draw."""
    n_seen = first.comparison.truth.n_frames
    rotation = first.comparison.rotation if first.setup.operations else None
    found = {"model": model_symmetry(*_precisions(models[0]), truth, rotation, n_seen)}
    if models[1] is not None and first.contrast is not None:
        found["contrast"] = model_symmetry(*_precisions(models[1]), truth, rotation, first.contrast.truth.n_frames)
    if before.scenario is not None:
        errors = {name: values[-n_seen:] for name, values in _engine_errors(before).items()}
        turned = _truth_residual(truth, before.truth, first.comparison.rotation, n_seen)
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


@lru_cache(maxsize=8)
def _engine_errors(before: Unturned) -> dict[str, FloatArray]:
    """Once for a system: no world rotation changes them."""
    from physics.types import State

    scenario, plain = before.scenario, before.truth
    assert scenario is not None

    def simulated(states: Arrays, matrix: FloatArray) -> FloatArray:
        x, v, q, m = (array[0] for array in states)
        system = replace(plain.system, charges=q, masses=m).transformed(matrix)
        return scenario.trajectory(system, State(x, v, float(plain.times[0]))).positions

    return engine_errors(plain, simulated)


def _energies(comparison: Comparison, second: Comparison | None) -> dict[str, FloatArray]:
    from physics.observables import total_energy

    if not comparison.law_known:
        return {}
    energies = {"truth": total_energy(comparison.truth), "forecast": total_energy(comparison.forecast)}
    if comparison.rollout is not None:
        energies["rollout"] = total_energy(comparison.rollout)
    if second is not None and second.truth.n_frames == comparison.truth.n_frames:
        energies["second"] = total_energy(second.forecast)
    return energies


def _kinetic(comparison: Comparison) -> float:
    from physics.observables import kinetic_energy

    mean = float(kinetic_energy(comparison.truth).mean())
    return mean if mean > 1e-12 else 1.0


def _advice(setup: Setup, comparison: Comparison) -> str:
    if not any(reason.startswith("law ") for reason in comparison.outside_training):
        return ""
    if comparison.truth.system.fields.any:  # no preset makes data with fields
        return ""
    n, d = comparison.truth.system.n_particles, comparison.truth.n_dims
    if comparison.truth.system.law == "reference":
        return (
            "python -m physics.generate --preset nbody-reference --out data/nbody.zarr && "
            "python -m surrogate.train --config egnn-nbody --data data/nbody.zarr --out runs/mine"
        )
    given = comparison.truth.system.parameters.items()
    parameters = " ".join(f"{key}={value if isinstance(value, str) else f'{value:g}'}" for key, value in given)
    return (
        f"python -m physics.generate --preset charged-bound --dims {d} --particles {n} --set {parameters} "
        "--out data/mine.zarr && python -m surrogate.train --config egnn-nd --data data/mine.zarr --out runs/mine"
    )


def command_of(setup: Setup, model_name: str) -> str:
    """The `surrogate.compare` command that makes this comparison again; it has no second model."""
    parts = ["python -m surrogate.compare", shlex.quote(setup.model or model_name), *setup.effort.options]
    if setup.data:
        parts.append(f"--data {shlex.quote(setup.data)} --split {setup.split} --index {setup.index}")
    else:
        parts.append(f"--scenario {shlex.quote(UNSAVED if setup.own is not None else setup.scenario)}")
        for option, value in (("--dims", setup.dims), ("--particles", setup.particles), ("--seed", setup.seed)):
            if value is not None:
                parts.append(f"{option} {value}")
        if setup.clamped:
            parts.append("--law reference")
    if setup.rotate_option:
        parts.append(setup.rotate_option)
    return " ".join([*parts, "--out out/comparison"])


@dataclass(frozen=True)
class ExportRequest:
    """What to export where."""

    setup: Setup
    folder: str
    formats: tuple[str, ...]


def export(request: ExportRequest, progress: Callable[[float], None], cancelled: Callable[[], bool]) -> list[str]:
    """Make the comparison anew and write it with the exporters of `surrogate.compare`; paths written."""
    from surrogate.exporters import export_all

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
    from physics.dataset import available_splits, read_samples
    from physics.scenarios import load_scenario
    from surrogate.forecaster import load

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
