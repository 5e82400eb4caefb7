"""`make bench`: the speed and accuracy tables of docs/benchmarks.md, measured again on this machine."""

import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from physics.bench_table import BenchTable
from physics.cli import CommandParser, run_command
from physics.datasets.reading import read_split
from physics.datasets.request import request_from_options
from physics.generate import generate
from physics.machine import available_cores
from resources.shipped import shipped_models
from surrogate.bench.rendering import ticks_of_many
from surrogate.evaluation.rollout_metrics import rollout_summary
from surrogate.evaluation.single_forecasts import evaluation
from surrogate.inference.loading import load
from surrogate.training.machine import machine

SAMPLES = 300
THREE_DIMENSIONAL = {"integrator-gravity": ("gravity-5",), "integrator-fields": ("g+es-20", "l+es-20")}
"""Models made for presets that have one dimension."""
KEPT = ("mse", "mse_median", "mse_p99", "equivariance_error", "equivariance_error_max", "forward_ms")


def bench_published(table: BenchTable, out: Path) -> Path:
    """The 14,000 published trajectories, random stream, checks and writing included."""
    path = out / "nbody.zarr"
    shutil.rmtree(path, ignore_errors=True)
    begin = time.perf_counter()
    generate(request_from_options("nbody-reference", {}, None, None, None, {}), path)
    seconds = table.numbers["published_set_seconds"] = time.perf_counter() - begin
    table.say(f"\nPublished data set, 14,000 trajectories, {available_cores()} cores: {seconds:.1f} s")
    return path


def bench_models(table: BenchTable, published: Path, out: Path) -> None:
    """Every shipped model on the data it was made for."""
    table.say(
        "\n| model | data | n | MSE | +- (windows) | median | p99 | gain over x + v t | equivariance median, max "
        "| forward ms, batch 100 |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    isotropic = [(preset, n) for preset in ("charged-iso", "charged-bound") for n in (2, 3, 4, 5)]
    for name in shipped_models():
        model = load(name)
        if name.endswith("-nbody"):
            jobs = [(published, f"{name}_nbody")]
        elif name in THREE_DIMENSIONAL:
            jobs = [(_small_set(out, preset), f"{name}_{preset}") for preset in THREE_DIMENSIONAL[name]]
        else:
            jobs = [(_small_set(out, preset, n), f"{name}_{preset}_n{n}") for preset, n in isotropic]
        for path, key in jobs:
            split = read_split(path, "test")
            r = evaluation(model, split, "test")
            gain = r["mse_ballistic"] / r["mse"]
            for short in KEPT:
                table.numbers[f"{key}_{short}"] = r[short]
            table.numbers[f"{key}_gain"] = gain
            table.say(
                f"| {name} | {split.recipe['preset']} ({len(split)}) | {split.n_dims} | {r['mse']:.4g} "
                f"| {r['mse_stderr']:.1g} | {r['mse_median']:.2g} | {r['mse_p99']:.2g} | {gain:.1f} "
                f"| {r['equivariance_error']:.0e}, {r['equivariance_error_max']:.0e} | {r['forward_ms']:.1f} |"
            )


def bench_rollouts(table: BenchTable, out: Path) -> None:
    """Chained roll-outs of the models for every dimension on the bound set."""
    table.say(
        "\n| roll-outs, charged-bound | n | evaluations a horizon | valid time in horizons | energy drift at 10 |"
        "\n|---|---|---|---|---|"
    )
    for name in (name for name in shipped_models() if name.endswith("-nd")):
        model = load(name)
        for n in (2, 3, 4, 5):
            r = rollout_summary(model, read_split(_small_set(out, "charged-bound", n), "test"), "test")
            table.numbers[f"{name}_bound_n{n}_valid_time"] = r["valid_time_median"]
            table.numbers[f"{name}_bound_n{n}_energy_drift"] = r["energy_drift_median"]
            table.say(
                f"| {name} | {n} | {model.evaluations} | {r['valid_time_median']:.0f} of {r['horizons']} "
                f"| {r['energy_drift_median']:.2g} |"
            )


def bench_picture(table: BenchTable) -> None:
    """One tick of the picture: 200 particles, trails of 200 frames, truth and forecast, off screen."""
    ticks = ticks_of_many()
    table.say("\n| picture, N = 200, trails of 200 frames, 1280x700 | ms |\n|---|---|")
    for key, name in (("update_ms", "scene and painter, before the rendering"), ("render_ms", "rendering")):
        table.numbers[f"picture_{key}"] = ticks[key]
        table.say(f"| {name} | {ticks[key]:.1f} |")


def _small_set(out: Path, preset: str, n_dims: int | None = None) -> Path:
    """Test trajectories of a preset, in so many dimensions five particles each; of a published set as it is."""
    path = out / (f"{preset}-{n_dims}.zarr" if n_dims else f"{preset}.zarr")
    if not (path / "manifest.json").exists():
        shutil.rmtree(path, ignore_errors=True)
        generate(
            request_from_options(preset, {"test": str(SAMPLES)}, n_dims, 5 if n_dims else None, None, {}), path
        )
    return path


def main(argv: Sequence[str]) -> None:
    """Parse the command line and measure."""
    parser = CommandParser(
        "surrogate.bench.forecasts", "Measure the tables of docs/benchmarks.md again (a few minutes)."
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out/bench"), help="folder for data, forecasts.json, forecasts.md"
    )
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    table = BenchTable(machine())
    published = bench_published(table, options.out)
    bench_models(table, published, options.out)
    bench_rollouts(table, options.out)
    bench_picture(table)
    table.write(options.out, "forecasts")


if __name__ == "__main__":
    sys.exit(run_command(main))
