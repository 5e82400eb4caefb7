"""`python -m surrogate.compare`: one model against the truth on one system, under one rotation, exported."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from physics.cli import (
    CommandParser,
    command_line,
    positive_float,
    positive_int,
    progress_bar,
    refuse_existing,
    run_command,
    seed,
    staged_folder,
)
from physics.datasets.reading import read_samples
from physics.errors import InputError, unknown_name
from physics.scenarios import load_scenario, shipped_scenarios
from resources.shipped import shipped_models
from surrogate.comparison.comparison import Comparison
from surrogate.comparison.ground_truth import rotation_of
from surrogate.comparison.subjects import WorldRotation, scenario_comparison, stored_comparison
from surrogate.export import EXPORTERS, export_all
from surrogate.export.metrics import summary_text
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.loading import load_predictor
from surrogate.render import COLOURINGS, LAYOUTS, ViewOptions
from surrogate.render.colourings import colouring_of

DEFAULT_FORMATS = "mp4,png,html,csv,npz"

EXAMPLES = (
    'python -m surrogate.compare egnn-nd --scenario bound --rotate "0-1:30,0-2:45" --out out/bound',
    "python -m surrogate.compare egnn-nd --scenario bound-4d --random-rotation 1 --out out/bound4",
    "python -m surrogate.compare egnn-nbody --data data/nbody.zarr --index 12 --formats png,csv --out out/12",
    "python -m surrogate.compare integrator-nd --data mine.npz --index 0 --horizon 0.6 --out out/mine",
    'python -m surrogate.compare runs/er --data data/er.zarr --index 3 --rotate "0-7:40" --out out/graph',
)

SECONDS = 50.0
"""About how long the forecasts of a system of many particles may take, unless all are asked for [second]."""

MANY = 1000
"""Particles from which on it is said beforehand that not all may be made."""


def command_parser() -> CommandParser:
    """The options of this command."""
    parser = CommandParser(
        "surrogate.compare", "Export truth and forecast side by side, under a rotation.", EXAMPLES
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help="a shipped name, a run or a checkpoint folder")
    parser.add_argument("--scenario", metavar="NAME", help="a shipped scenario or a TOML file (see --list)")
    parser.add_argument("--data", help="data of any format (physics.convert --list), instead of a scenario")
    parser.add_argument("--index", type=int, default=None, metavar="I", help="which sample of --data")
    parser.add_argument("--split", default="test", choices=("train", "valid", "test"))
    parser.add_argument("--dims", type=positive_int, metavar="n", help="dimensions, for a scenario")
    parser.add_argument("--particles", type=positive_int, metavar="N", help="particles, for a drawn scenario")
    parser.add_argument("--seed", type=seed, help="another draw of a drawn scenario; of the noise of a graph")
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
    parser.add_argument(
        "--horizon",
        type=positive_float,
        metavar="H",
        help="how far ahead each frame is forecast, for models that take any (default: one that fits the frames)",
    )
    parser.add_argument(
        "--in-full", action="store_true", help="make all of it, however long a system of many particles takes"
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
    parser = command_parser()
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
    if options.data and (options.dims or options.particles or options.law):
        parser.error("--dims, --particles and --law are for scenarios")
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
    model = load_predictor(options.model, trust_code=options.trust_code)
    if not isinstance(model, Forecaster):
        _picture(options, model, command_line("surrogate.compare", argv))
        return
    if options.data and options.seed is not None:
        parser.error("--seed is for scenarios, and for the noise of graphs")
    if options.evaluations is not None:
        model.with_evaluations(options.evaluations)  # refused before the work where it cannot choose
    if options.tolerance is not None:
        model = model.with_tolerance(options.tolerance)
    command = command_line("surrogate.compare", argv)
    comparison = _comparison(options, model, command)
    colouring_of(look.colour_by, comparison)
    with progress_bar(f"exporting {', '.join(formats)}", 100.0, "%") as advance:
        export_all(comparison, options.out, formats, shares(advance), None, look)
    sys.stdout.write(summary_text(comparison, options.out))


def _picture(options: Any, model: Any, command: str) -> None:
    """Of a model of another task: one graph or molecule of a set."""
    from surrogate.comparison.task_samples import SAMPLES, Place
    from surrogate.export.task_pictures import sample_files

    if not options.data:
        raise InputError(f"model {model.name!r} is of the task {model.task!r}: give --data and --index")
    row = SAMPLES[model.task]
    samples = row.read(options.data, options.split)
    place = Place(options.data, options.split, options.index, len(samples))
    turned = rotation_of(row.dims(model), options.rotate, options.random_rotation, options.reflect)
    with staged_folder(options.out, options.overwrite) as folder:
        files = sample_files(row.make(model, samples, place, turned, options.seed or 0), folder, command)
    for path in files:
        sys.stdout.write(f"{options.out / path.name}\n")


def _comparison(options: Any, model: Forecaster, command: str) -> Comparison:
    world = WorldRotation(options.rotate, options.random_rotation, options.reflect)
    seconds = None if options.in_full else SECONDS
    with progress_bar("forecasting", 100.0, "%") as advance:
        return _made(options, model, world, seconds, command, shares(advance))


def shares(advance: Callable[[float], None]) -> Callable[[float], None]:
    """Of a bar that goes to 100: what takes the share done, 0 to 1."""
    done = 0.0

    def report(fraction: float) -> None:
        nonlocal done
        advance(100.0 * max(fraction - done, 0.0))
        done = max(fraction, done)

    return report


def _made(
    options: Any,
    model: Forecaster,
    world: WorldRotation,
    seconds: float | None,
    command: str,
    progress: Callable[[float], None],
) -> Comparison:
    shared: dict[str, Any] = {"n_frames": options.frames, "horizon": options.horizon, "seconds": seconds}
    shared |= {"evaluations": options.evaluations, "command": command, "progress": progress}
    if options.data:
        at = options.index
        one, _ = read_samples(options.data, options.split, range(at, at + 1))
        if one.n_particles >= MANY and seconds is not None:
            sys.stderr.write(f"{one.n_particles:,} particles: what fits about a minute is made (--in-full: all)\n")
        return stored_comparison(model, one, options.split, 0, world, number=at, **shared)
    scenario = load_scenario(options.scenario)
    return scenario_comparison(
        model,
        scenario.clamped() if options.law else scenario,
        world,
        dims=options.dims,
        n_particles=options.particles,
        seed=options.seed,
        **shared,
    )


def listing() -> str:
    """The shipped scenarios and models, for --list."""
    lines = ["scenarios:"]
    lines += [f"  {name:16} {load_scenario(name).description}" for name in shipped_scenarios()]
    lines += ["models:", *(f"  {name}" for name in shipped_models())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(run_command(main))
