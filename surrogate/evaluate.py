"""`python -m surrogate.evaluate`: one model on one data set: errors, equivariance, forward time."""

import json
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from physics.baselines.clean import clean_windows, largest_forces
from physics.cli import CommandParser, command_line, positive_float, positive_int, progress_bar, run_command, seed
from physics.datasets.reading import DataSplit, read_split
from physics.errors import InputError
from physics.files import atomic_write
from surrogate.evaluation.metrics import equivariance_errors, error_summary, haar_matrices, sample_errors
from surrogate.inference.forecaster import Forecaster
from surrogate.inference.loading import load
from surrogate.tasks.dynamics.windows import task_frames

FloatArray = NDArray[np.float64]
FORWARD_BATCH = 100
FORWARD_REPEATS = 20
STEPS_LIMIT = 100_000
"""Most integration steps of a window that is followed to find out whether it is clean."""

EXAMPLES = (
    "python -m surrogate.evaluate egnn-nbody --data data/nbody.zarr",
    "python -m surrogate.evaluate runs/mine --data mine.npz --input-frame 0 --target-frame 10 --json result.json",
    "python -m surrogate.evaluate egnn-nd --data data/bound4.zarr --dtype float64 --rotations 16",
    "python -m surrogate.evaluate integrator-nd --data data/bound4.zarr --tolerance 1e-3",
)


def evaluation(
    model: Forecaster,
    split: DataSplit,
    split_name: str,
    *,
    input_frame: int = -1,
    target_frame: int = -1,
    rotations: int = 8,
    rotation_seed: int = 0,
    dtype: str = "float32",
    evaluations: int | None = None,
    tolerance: float | None = None,
) -> dict[str, Any]:
    """The contract's numbers for one model on one split.

    Where the model chooses, `evaluations` message rounds are spent on each window, or with `tolerance` [length]
    as many as it takes until doubling them changes less than that.

    Raises
    ------
    InputError
        Where the data's n, N or horizon do not fit the model.
    """
    first, last = task_frames(split, split_name, input_frame, target_frame)
    horizon = float(split.times[last] - split.times[first])
    if model.horizons == "any":
        model = model.with_horizon(horizon)
    model.refuse_unfit(split.n_dims, split.n_particles, horizon, torch.as_tensor(split.masses))
    if evaluations is not None:
        model = model.with_evaluations(evaluations)
    if tolerance is not None:
        model = model.with_tolerance(tolerance)
    kind = torch.float64 if dtype == "float64" else torch.float32
    x, v, target, v_target = (
        np.asarray(a, dtype=np.float64)
        for a in (
            split.positions[:, first],
            split.velocities[:, first],
            split.positions[:, last],
            split.velocities[:, last],
        )
    )
    q, m = (np.asarray(a, dtype=np.float64) for a in (split.charges, split.masses))
    forecast, velocities = model.forecast_in(x, v, q, kind, m)
    cost = model.cost
    errors = sample_errors(forecast, target)
    result = error_summary(errors)
    ballistic = sample_errors(x + horizon * v, target)
    result["mse_ballistic"] = float(ballistic.mean())
    result["velocity_mse"] = None
    if velocities is not None and result["non_finite"] == 0:
        result["velocity_mse"] = float(sample_errors(velocities, v_target).mean())
    result |= _clean_part(split, errors, x, v, q, horizon)
    result |= _equivariance(model, x, v, q, m, kind, rotations, rotation_seed)
    result |= {
        "evaluations": cost.evaluations if tolerance else model.evaluations,
        "tolerance": tolerance,
        "law_calls_per_pair": cost.law_calls,
        "forward_ms": forward_milliseconds(model, x, v, q, m, kind),
        "dtype": dtype,
        "model": model.name,
        "data": split.source,
        "split": split_name,
        "input_frame": first,
        "target_frame": last,
        "horizon": horizon,
        "outside_training": list(_outside(model, split, first)),
    }
    return result


def _outside(model: Forecaster, split: DataSplit, first: int) -> tuple[str, ...]:
    at = float(split.times[first])
    return model.outside(split.n_dims, split.n_particles, dict(split.recipe) or None, (at, at))


def _clean_part(
    split: DataSplit, errors: FloatArray, x: FloatArray, v: FloatArray, q: FloatArray, horizon: float
) -> dict[str, Any]:
    if split.recipe.get("law") != "reference":
        return {}
    dt = split.recipe.get("dt", 0.001)
    if not isinstance(dt, float) or not horizon / STEPS_LIMIT < dt <= horizon:
        return {}  # a recipe that was not written by us
    clean = clean_windows(largest_forces(x, v, q, dt=dt, n_steps=round(horizon / dt)))
    summary = error_summary(errors[clean])
    return {
        "mse_clean": summary["mse"],
        "mse_clean_median": summary["mse_median"],
        "samples_clean": summary["samples"],
    }


def _equivariance(
    model: Forecaster,
    x: FloatArray,
    v: FloatArray,
    q: FloatArray,
    m: FloatArray,
    kind: torch.dtype,
    count: int,
    chosen: int,
) -> dict[str, Any]:
    def positions(a: FloatArray, b: FloatArray) -> FloatArray:
        return model.forecast_in(a, b, q, kind, m)[0]

    values = equivariance_errors(positions, x, v, haar_matrices(x.shape[-1], count, chosen))
    finite = bool(np.isfinite(values).all())
    return {
        "equivariance_error": float(np.median(values)) if finite else None,
        "equivariance_error_max": float(values.max()) if finite else None,
        "rotations": count,
        "rotation_seed": chosen,
    }


def forward_milliseconds(
    model: Forecaster, x: FloatArray, v: FloatArray, q: FloatArray, m: FloatArray, kind: torch.dtype
) -> float:
    """Median wall time of 20 forwards on a batch of 100, after one to warm up."""
    rows = np.resize(np.arange(len(x)), FORWARD_BATCH)
    x, v, q, m = x[rows], v[rows], q[rows], m[rows]
    model.forecast_in(x, v, q, kind, m)
    samples = []
    for _ in range(FORWARD_REPEATS):
        begin = time.perf_counter()
        model.forecast_in(x, v, q, kind, m)
        samples.append(1e3 * (time.perf_counter() - begin))
    return float(np.median(samples))


def table(result: dict[str, Any]) -> str:
    """The numbers for people."""

    def number(key: str) -> str:
        value = result.get(key)
        if value is None:
            return "-"
        return f"{value:.4g}" if isinstance(value, float) else str(value)

    gain = ""
    if result.get("mse"):
        gain = f"  ({result['mse_ballistic'] / result['mse']:.1f} times better than x + v t)"
    lines = [
        f"model                 {result['model']} on {result['data']} ({result['split']}, "
        f"frame {result['input_frame']} -> {result['target_frame']})",
        f"mse                   {number('mse')} +- {number('mse_stderr')}{gain}",
        f"  median, p99         {number('mse_median')}, {number('mse_p99')}",
    ]
    if "mse_clean" in result:
        lines.append(
            f"  clean windows       {number('mse_clean')} (median {number('mse_clean_median')}, "
            f"{result['samples_clean']} of {result['samples']})"
        )
    lines += [
        f"velocity mse          {number('velocity_mse')}",
        f"equivariance error    {number('equivariance_error')}, largest {number('equivariance_error_max')} "
        f"({result['rotations']} elements of O(n), {result['dtype']})",
        f"evaluations           {number('evaluations')}"
        + (f"  (mean; tolerance {number('tolerance')})" if result["tolerance"] else "")
        + (f"  (law calls per pair: {number('law_calls_per_pair')})" if result["law_calls_per_pair"] else ""),
        f"forward, batch 100    {result['forward_ms']:.2f} ms",
    ]
    if result["non_finite"]:
        lines.append(f"non-finite forecasts  {result['non_finite']} of {result['samples']}")
    if result["outside_training"]:
        lines.append("outside training      " + "; ".join(result["outside_training"]))
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str]) -> None:
    """Parse the command line and evaluate."""
    parser = CommandParser("surrogate.evaluate", "Measure a model on a data set.", EXAMPLES)
    parser.add_argument("model", metavar="MODEL", help="a shipped name, a run folder or a checkpoint folder")
    parser.add_argument("--data", required=True, help="Zarr or .npz")
    parser.add_argument("--split", default="test", help="train, valid or test (default)")
    parser.add_argument("--input-frame", type=int, default=-1, metavar="I", help="default: the data's task")
    parser.add_argument("--target-frame", type=int, default=-1, metavar="J", help="default: the data's task")
    parser.add_argument(
        "--rotations", type=positive_int, default=8, metavar="R", help="elements of O(n) (default 8)"
    )
    parser.add_argument("--rotation-seed", type=seed, default=0, metavar="S")
    parser.add_argument("--evaluations", type=positive_int, metavar="K", help="for models that choose")
    parser.add_argument(
        "--tolerance",
        type=positive_float,
        metavar="T",
        help="for models that choose: double the evaluations of each window until its positions move less than T",
    )
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there, too")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing --json file")
    parser.add_argument("--trust-code", action="store_true", help="allow MODEL to be package.module:callable")
    options = parser.parse_args(argv)
    if options.split not in ("train", "valid", "test"):
        parser.error(f"--split must be train, valid or test; got {options.split!r}")
    for name in ("input_frame", "target_frame"):
        if getattr(options, name) < -1:
            parser.error(f"--{name.replace('_', '-')} must be a frame number from 0; got {getattr(options, name)}")
    if options.json and options.json.exists() and not options.overwrite:
        raise InputError(f"{options.json}: already exists; choose another name or use --overwrite")
    model = load(options.model, trust_code=options.trust_code)
    if (options.evaluations or options.tolerance) and not model.chooses_evaluations:
        asked = "--evaluations" if options.evaluations else "--tolerance"
        raise InputError(
            f"{asked}: model {model.name!r} always uses {model.evaluations} evaluations and cannot choose"
        )
    split = read_split(options.data, options.split)
    with progress_bar("evaluating", 1) as advance:
        result = evaluation(
            model,
            split,
            options.split,
            input_frame=options.input_frame,
            target_frame=options.target_frame,
            rotations=options.rotations,
            rotation_seed=options.rotation_seed,
            dtype=options.dtype,
            evaluations=options.evaluations,
            tolerance=options.tolerance,
        )
        advance(1)
    result["command"] = command_line("surrogate.evaluate", argv)
    if options.json:
        write_json(options.json, result)
    sys.stdout.write(table(result))


def write_json(path: Path, values: dict[str, Any]) -> None:
    """A JSON file without NaN (null stands for what is unknown), written atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, (json.dumps(without_nan(values), indent=1, allow_nan=False) + "\n").encode())


def without_nan(value: Any) -> Any:
    """The same tree with every non-finite number replaced by None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return value


if __name__ == "__main__":
    sys.exit(run_command(main))
