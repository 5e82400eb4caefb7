"""`python -m surrogate.compare`: one model against the truth on one system, under one rotation, exported."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from physics import __version__
from physics.cli import (
    CommandParser,
    command_line,
    positive_float,
    positive_int,
    progress_bar,
    refuse_existing,
    run_command,
    seed,
)
from physics.datasets.presets import PRESETS
from physics.datasets.reading import DataSplit, read_split
from physics.errors import InputError, unknown_name
from physics.laws import is_law
from physics.rotations import parse_operations, random_rotation, reflection
from physics.scenario_files import fields_tree
from physics.scenarios import Scenario, load_scenario, shipped_scenarios
from physics.types import State, System, Trajectory
from surrogate.comparison import Comparison
from surrogate.exporters import EXPORTERS, export_all
from surrogate.forecaster import Forecaster
from surrogate.loading import load
from surrogate.metrics import haar_matrices, relative_residuals
from surrogate.render import COLOURINGS, LAYOUTS, ViewOptions
from surrogate.render.colourings import colouring_of
from surrogate.rollout import chained_rollout, horizon_in_frames, sliding_forecast
from surrogate.zoo import shipped_models

FloatArray = NDArray[np.float64]
DEFAULT_FORMATS = "mp4,png,html,csv,npz"

EXAMPLES = (
    'python -m surrogate.compare egnn-nd --scenario bound --rotate "0-1:30,0-2:45" --out out/bound',
    "python -m surrogate.compare egnn-nd --scenario bound-4d --random-rotation 1 --out out/bound4",
    "python -m surrogate.compare egnn-nbody --data data/nbody.zarr --index 12 --formats png,csv --out out/12",
)


@dataclass(frozen=True)
class Rotation:
    """A world rotation and how the user wrote it.

    Attributes
    ----------
    matrix : (n, n) float64
        An element of O(n).
    turns : str
        For captions: what was asked.
    identity : bool
    """

    matrix: FloatArray
    turns: str
    identity: bool


def rotation_of(n_dims: int, rotate: str | None, random_seed: int | None, reflect: int | None) -> Rotation:
    """The world rotation of the options: turns left to right (or a Haar draw from SO(n)), then a reflection."""
    matrix, parts = np.eye(n_dims), list[str]()
    if rotate:
        matrix, parts = parse_operations(rotate, n_dims)
    elif random_seed is not None:
        matrix = random_rotation(n_dims, np.random.default_rng(random_seed))
        parts.append(f"random rotation {random_seed}")
    if reflect is not None:
        matrix = reflection(n_dims, reflect) @ matrix
        parts.append(f"reflect x{reflect}")
    return Rotation(matrix, ", ".join(parts), not parts)


def scenario_truth(
    scenario: Scenario,
    rotation: Rotation,
    model: Forecaster,
    *,
    dims: int | None = None,
    n_particles: int | None = None,
    chosen_seed: int | None = None,
    n_frames: int | None = None,
) -> Trajectory:
    """The truth of a scenario re-simulated from the rotated state.

    With `n_frames`, so many compared frames: the model's horizon comes before the first of them.
    """
    system, state = scenario.initial(dims=dims, n_particles=n_particles, seed=chosen_seed)
    turned = State(state.positions @ rotation.matrix.T, state.velocities @ rotation.matrix.T, state.time)
    if n_frames is not None:
        lead = horizon_in_frames(np.arange(3) * np.float64(scenario.frame_interval), model.horizon)
        n_frames += lead
    return scenario.trajectory(system.transformed(rotation.matrix), turned, n_frames)


def task_start(split: DataSplit, split_name: str) -> int:
    """The frame at which the task of a data set begins."""
    preset = PRESETS.get(str(split.recipe.get("preset")))
    return preset.input_frame[split_name] if preset else 0


def stored_truth(split: DataSplit, split_name: str, index: int) -> tuple[Trajectory, bool, dict[str, Any]]:
    """A stored trajectory from the task's input frame on, whether its law is known, and its recipe."""
    if not 0 <= index < len(split):
        raise InputError(f"{split.source}: no sample {index}; it has {len(split)} (0 to {len(split) - 1})")
    recipe = dict(split.recipe)
    first = task_start(split, split_name)
    known = is_law(recipe.get("law"))
    law, parameters = (recipe["law"], recipe.get("parameters") or {}) if known else ("coulomb", {})
    system = System(split.charges[index], split.masses[index], law, parameters)
    truth = Trajectory(
        split.times[first:],
        split.positions[index, first:],
        split.velocities[index, first:],
        system,
        float(recipe.get("velocity_offset", 0.0)),
    )
    return truth, known, recipe


def comparison_of(
    model: Forecaster,
    truth: Trajectory,
    rotation: Rotation,
    *,
    scenario_name: str,
    law_known: bool = True,
    command: str = "",
    details: dict[str, Any] | None = None,
    chained: bool = True,
    dtype: torch.dtype = torch.float32,
) -> Comparison:
    """Forecast an already rotated truth, sliding and (if wanted) chained, and measure the model's equivariance."""
    *_, whole = comparison_parts(
        model,
        truth,
        rotation,
        scenario_name=scenario_name,
        law_known=law_known,
        command=command,
        details=details,
        chained=chained,
        dtype=dtype,
    )
    return whole


def outside_training(model: Forecaster, truth: Trajectory, law_known: bool) -> tuple[str, ...]:
    """Why sliding forecasts of all of a truth lie outside the model's training; empty inside."""
    k = horizon_in_frames(truth.times, model.horizon)
    input_times = (float(truth.times[0]), float(truth.times[-1 - k]))
    if law_known:
        return model.outside_system(truth.system, truth.n_dims, input_times)
    return model.outside(truth.n_dims, truth.system.n_particles, None, input_times)


def comparison_parts(
    model: Forecaster,
    truth: Trajectory,
    rotation: Rotation,
    *,
    scenario_name: str,
    law_known: bool = True,
    command: str = "",
    details: dict[str, Any] | None = None,
    chained: bool = True,
    dtype: torch.dtype = torch.float32,
    n_elements: int = 8,
) -> Iterator[Comparison]:
    """First the comparison without roll-out and equivariance error, for those who wait for it, then the whole.

    `n_elements` Haar-random elements of O(n) measure the latter where there is no rotation.
    """
    model.refuse_unfit(truth.n_dims, truth.system.n_particles, model.horizon)
    k = horizon_in_frames(truth.times, model.horizon)
    sliding = sliding_forecast(model, truth, dtype)
    seen = Trajectory(
        truth.times[k:], truth.positions[k:], truth.velocities[k:], truth.system, truth.velocity_offset
    )
    first = Comparison(
        truth=seen,
        forecast=sliding,
        rollout=None,
        rotation=rotation.matrix,
        equivariance_error=None,
        model_name=model.name,
        scenario_name=scenario_name,
        horizon=model.horizon,
        outside_training=outside_training(model, truth, law_known),
        law_known=law_known,
        command=command,
        details={
            "versions": {"isotwin": __version__, "torch": str(torch.__version__), "numpy": np.__version__},
            "checkpoint_sha256": model.digest,
            "turns": rotation.turns,
            "law": truth.system.law,
            "parameters": dict(truth.system.parameters),
            "fields": fields_tree(truth.system.fields),
            "card": model.card,
            "gives_velocity": model.gives_velocity,
            **(details or {}),
        },
    )
    yield first
    rolled, ran_away = None, {}
    try:
        rolled = chained_rollout(model, truth, dtype) if chained else None
    except InputError as error:  # the sliding forecast is still worth showing
        ran_away = {"rollout_note": f"no chained roll-out: {error}"}
    shape = (len(sliding.positions), truth.system.n_particles)
    q, m = (np.broadcast_to(a, shape) for a in (truth.system.charges, truth.system.masses))

    def forecast(x: FloatArray, v: FloatArray) -> FloatArray:
        return model.forecast_in(x, v, q, dtype, m)[0]

    x, v = truth.positions[:-k], truth.velocities[:-k]
    if rotation.identity:
        matrices = haar_matrices(truth.n_dims, n_elements, 0)
        residuals = [relative_residuals(forecast(x @ g.T, v @ g.T), sliding.positions, g) for g in matrices]
        errors = np.concatenate(residuals)
    else:
        # The forecast of the turned state, which there is, against the turned forecast of the state before it.
        before = forecast(x @ rotation.matrix, v @ rotation.matrix)
        errors = relative_residuals(sliding.positions, before, rotation.matrix)
    yield replace(
        first,
        rollout=rolled,
        equivariance_error=float(np.median(errors)),
        details={**ran_away, **first.details},
    )


def _parser() -> CommandParser:
    parser = CommandParser(
        "surrogate.compare", "Export truth and forecast side by side, under a rotation.", EXAMPLES
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help="a shipped name, a run or a checkpoint folder")
    parser.add_argument("--scenario", metavar="NAME", help="a shipped scenario or a TOML file (see --list)")
    parser.add_argument("--data", help="Zarr or .npz, instead of a scenario")
    parser.add_argument("--index", type=int, default=None, metavar="I", help="which sample of --data")
    parser.add_argument("--split", default="test", choices=("train", "valid", "test"))
    parser.add_argument("--dims", type=positive_int, metavar="n", help="dimensions, for a scenario")
    parser.add_argument("--particles", type=positive_int, metavar="N", help="particles, for a drawn scenario")
    parser.add_argument("--seed", type=seed, help="another draw of a drawn scenario")
    parser.add_argument(
        "--law", choices=("reference",), help="a scenario under the published, clamped law instead of its own"
    )
    parser.add_argument(
        "--rotate",
        metavar='"i-j:deg,..."',
        help="turn axis i toward axis j; left to right, also random:SEED and reflect:AXIS",
    )
    parser.add_argument("--random-rotation", type=seed, metavar="SEED", help="a Haar-random rotation instead")
    parser.add_argument("--reflect", type=int, metavar="AXIS", help="then change the sign of one coordinate")
    parser.add_argument(
        "--evaluations", type=positive_int, metavar="K", help="rounds per horizon, for a model that chooses"
    )
    parser.add_argument(
        "--tolerance", type=positive_float, metavar="L", help="let each window choose its rounds: see forecast()"
    )
    parser.add_argument("--frames", type=positive_int, metavar="F", help="compare so many frames")
    parser.add_argument("--formats", default=DEFAULT_FORMATS, help=f"of {', '.join(EXPORTERS)} (default: all)")
    parser.add_argument(
        "--colour-by", default="charge", metavar="NAME", help=f"particles by one of {', '.join(COLOURINGS)}"
    )
    parser.add_argument(
        "--layout", default="twin", choices=LAYOUTS, help="side by side, or the forecast over the truth"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="the folder to write")
    parser.add_argument("--overwrite", action="store_true", help="replace files of an earlier export")
    parser.add_argument("--trust-code", action="store_true", help="allow MODEL to be package.module:callable")
    parser.add_argument("--list", action="store_true", help="list the shipped scenarios and models, and stop")
    return parser


def main(argv: Sequence[str]) -> None:
    """Parse the command line, compare, export."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.list:
        sys.stdout.write(listing())
        return
    if not options.model or not options.out:
        parser.error("MODEL and --out are required")
    if bool(options.scenario) == bool(options.data):
        parser.error("give either --scenario or --data")
    if options.data and options.index is None:
        parser.error("--data needs --index")
    if options.data and (options.dims or options.particles or options.law or options.seed is not None):
        parser.error("--dims, --particles, --seed and --law are for scenarios")
    if options.rotate and options.random_rotation is not None:
        parser.error("--rotate and --random-rotation exclude each other")
    formats = [name.strip() for name in options.formats.split(",") if name.strip()]
    for name in formats:
        if name not in EXPORTERS:
            raise unknown_name("format", name, EXPORTERS)
    if options.colour_by not in COLOURINGS:
        raise unknown_name("colouring", options.colour_by, COLOURINGS)
    look = ViewOptions(colour_by=options.colour_by, layout=options.layout)
    refuse_existing(options.out, options.overwrite)
    model = load(options.model, trust_code=options.trust_code)
    if options.evaluations is not None:
        model = model.with_evaluations(options.evaluations)
    if options.tolerance is not None:
        model = model.with_tolerance(options.tolerance)
    command = command_line("surrogate.compare", argv)
    comparison = _comparison(options, model, command)
    colouring_of(look.colour_by, comparison)
    with progress_bar(f"exporting {', '.join(formats)}", 1.0) as advance:
        done = 0.0

        def report(fraction: float) -> None:
            nonlocal done
            advance(fraction - done)
            done = fraction

        export_all(comparison, options.out, formats, report, None, look)
    sys.stdout.write(summary(comparison, options.out))


def _comparison(options: Any, model: Forecaster, command: str) -> Comparison:
    if options.scenario:
        scenario = load_scenario(options.scenario)
        if options.law:
            scenario = scenario.clamped()
        n_dims = options.dims or scenario.dims
        model.refuse_unfit(n_dims, options.particles or 2, model.horizon)
        rotation = rotation_of(n_dims, options.rotate, options.random_rotation, options.reflect)
        truth = scenario_truth(
            scenario,
            rotation,
            model,
            dims=options.dims,
            n_particles=options.particles,
            chosen_seed=options.seed,
            n_frames=options.frames,
        )
        recipe = {
            "scenario": scenario.name,
            "law": scenario.law,
            "parameters": dict(scenario.parameters),
            "fields": fields_tree(scenario.fields),
            "n_dims": n_dims,
            "seed": options.seed if options.seed is not None else scenario.random.get("seed"),
        }
        return comparison_of(
            model,
            truth,
            rotation,
            scenario_name=scenario.title,
            command=command,
            details={"recipe": recipe, "description": scenario.description},
        )
    truth, known, recipe = stored_truth(read_split(options.data, options.split), options.split, options.index)
    rotation = rotation_of(truth.n_dims, options.rotate, options.random_rotation, options.reflect)
    truth = truth.transformed(rotation.matrix)
    if options.frames:
        wanted = options.frames + horizon_in_frames(truth.times, model.horizon)
        if wanted > truth.n_frames:
            raise InputError(
                f"--frames {options.frames}: only {truth.n_frames - (wanted - options.frames)} are stored"
            )
        truth = Trajectory(
            truth.times[:wanted],
            truth.positions[:wanted],
            truth.velocities[:wanted],
            truth.system,
            truth.velocity_offset,
        )
    return comparison_of(
        model,
        truth,
        rotation,
        scenario_name=f"{Path(options.data).name}, {options.split} {options.index}",
        law_known=known,
        command=command,
        details={"recipe": recipe},
    )


def listing() -> str:
    """The shipped scenarios and models, for --list."""
    lines = ["scenarios:"]
    lines += [f"  {name:16} {load_scenario(name).description}" for name in shipped_scenarios()]
    lines += ["models:", *(f"  {name}" for name in shipped_models())]
    return "\n".join(lines) + "\n"


def summary(comparison: Comparison, folder: Path) -> str:
    """The comparison in a few lines, and where to look."""
    metrics = comparison.metrics()
    sliding, chained = np.array(metrics["position_rmse"]), metrics.get("rollout_position_rmse")
    n_frames, n, d = comparison.truth.positions.shape
    lines = [
        f"{comparison.model_name} on {comparison.scenario_name}: n = {d}, N = {n}, {n_frames} frames"
        + (f", rotation {comparison.details['turns']}" if comparison.details.get("turns") else ""),
        f"  forecast one horizon ({comparison.horizon:g}) ahead   RMSE mean {sliding.mean():.4g}, "
        f"median {np.median(sliding):.4g}, largest {sliding.max():.4g}",
    ]
    if chained:
        lines.append(f"  chained roll-out              RMSE at the end {chained[-1]:.4g}")
    if comparison.details.get("rollout_note"):
        lines.append(f"  {comparison.details['rollout_note']}")
    lines.append(f"  equivariance error            {metrics['equivariance_error']:.2g}")
    if comparison.outside_training:
        lines.append("  outside training              " + "; ".join(comparison.outside_training))
    found = [
        folder / name for name in ("report.html", "comparison.mp4", "comparison.png") if (folder / name).exists()
    ]
    lines.append("  look at                       " + ", ".join(map(str, found or [folder])))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(run_command(main))
