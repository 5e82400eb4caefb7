"""`python -m surrogate.studies.audit`: what the published N-body set can show, measured again.

Follows docs/benchmark-audit.md point by point: the clamp, the orientation-blind reference and its
counter-example, the isotropic simulator, clean windows, the baselines that know the law, and models beside them.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from physics.baselines.orientation import (
    BLIND_ROTATIONS,
    clean_windows,
    isotropic_simulation,
    largest_forces,
    orientation_study,
    published_start,
    published_step,
)
from physics.baselines.references import adaptive_leapfrog_forecast, eta_for, leapfrog_forecast
from physics.cli import (
    CommandParser,
    command_line,
    positive_int,
    progress_bar,
    refuse_foreign,
    run_command,
    seed,
    staged_folder,
)
from physics.datasets.reading import read_split
from physics.errors import InputError
from physics.files import write_json
from physics.laws.reference import REFERENCE_DT
from physics.rotations import plane_rotation
from physics.types import FloatArray
from resources.shipped import shipped_models
from surrogate.evaluation.benchmark.models import (
    BenchmarkModel,
    fitted_models,
    force_evaluations,
    forecast_with_cost,
    listed_models,
    loaded_models,
)
from surrogate.evaluation.benchmark.summary import paired_excess
from surrogate.evaluation.benchmark.tables import count, number
from surrogate.evaluation.evaluation_set import EvaluationSet, evaluation_set

BoolArray = NDArray[np.bool_]
Row = tuple[str, FloatArray, dict[str, Any]]
"""Name, errors (n_windows,), and what else its row of the table says."""

LEAPFROG = (16, 64, 128, 256, 512, 1000)
ADAPTIVE = (19, 64)
EVALUATIONS = 16
SPEED_RESOLUTION = 1e-3
"""A rotated past whose speeds at t = 0 miss 0.5 by more than this can be distinguished from the true one."""

EXAMPLES = (
    "python -m surrogate.studies.audit --data data/nbody.zarr --out docs/audit",
    "python -m surrogate.studies.audit --data data/nbody.zarr --models integrator=runs/a+runs/b,egnn-nbody --out "
    "out/audit",
)


def clamp_part(data: EvaluationSet, clean: BoolArray, steps: int, before: int) -> dict[str, Any]:
    """How often the clamp acts, and how far the published simulator is from equivariant.

    Returns
    -------
    dict
        `turned_error`: |S(Rx) - R S(x)|, root mean square over particles and coordinates, for a turn of 45
        degrees about the third axis: medians over clean and touched windows. `touched_before_share`: share of
        windows whose past, followed from t = 0, saw |F| above the limit.
    """
    w = data.windows
    matrix = plane_rotation(3, 0, 1, np.pi / 4)
    x, _ = published_step(w, steps)
    turned = replace(w, x=w.x @ matrix.T, v=w.v @ matrix.T)
    apart = np.sqrt(np.mean((published_step(turned, steps)[0] - x @ matrix.T) ** 2, axis=(1, 2)))
    start_x, start_v = published_start(w, before)
    past = clean_windows(largest_forces(start_x, start_v, w.q, dt=REFERENCE_DT, n_steps=before))
    return {
        "windows": len(w),
        "clean": int(clean.sum()),
        "touched_share": float(1 - clean.mean()),
        "touched_before_share": float(1 - past.mean()),
        "turned_error_clean_median": float(np.median(apart[clean])),
        "turned_error_touched_median": float(np.median(apart[~clean])),
        "turned_error_touched_mean": float(apart[~clean].mean()),
    }


def row_of(name: str, errors: FloatArray, clean: BoolArray, isotropic: FloatArray, **more: Any) -> dict[str, Any]:
    """One row of the audit's table; `errors` (n_windows,) is the mean over seeds."""
    return {
        "entrant": name,
        "mse": float(errors.mean()),
        "mse_stderr": float(errors.std(ddof=1) / np.sqrt(len(errors))),
        "mse_median": float(np.median(errors)),
        "mse_clean": float(errors[clean].mean()),
        "mse_clean_median": float(np.median(errors[clean])),
        **paired_excess(errors, isotropic),
        **more,
    }


def orientation_part(
    data: EvaluationSet,
    clean: BoolArray,
    steps: int,
    before: int,
    rotations: int,
    chosen_seed: int,
    advance: Callable[[float], None],
) -> tuple[FloatArray, FloatArray, dict[str, Any]]:
    """Errors of the blind and the informed average (n_windows,), and what the past says of the orientation.

    Clean windows count as exact: every orientation gives their truth.
    """
    touched = np.flatnonzero(~clean)
    study = orientation_study(
        data.windows.part(touched),
        steps,
        rotations=rotations,
        seed=chosen_seed,
        steps_before=before,
        progress=advance,
    )
    assert study.informed is not None
    assert study.speed_error is not None
    assert study.speed_error_turned is not None
    assert study.speed_error_least is not None
    blind, informed = np.zeros(len(clean)), np.zeros(len(clean))
    target = data.target[touched]
    blind[touched] = np.mean((study.blind - target) ** 2, axis=(1, 2))
    informed[touched] = np.mean((study.informed - target) ** 2, axis=(1, 2))
    distinguished = study.speed_error_turned > SPEED_RESOLUTION
    return (
        blind,
        informed,
        {
            "rotations": rotations,
            "betrayed_share": float(distinguished.mean()),
            "recognised_share": float((study.speed_error < 0.1 * study.speed_error_least)[distinguished].mean()),
            "speed_error_own_median": float(np.median(study.speed_error)),
            "speed_error_turned_median": float(np.median(study.speed_error_turned)),
            "informed_less_blind": paired_excess(informed, blind),
            "speed_error": study.speed_error.tolist(),
            "speed_error_turned": study.speed_error_turned.tolist(),
            "speed_error_least": study.speed_error_least.tolist(),
        },
    )


def baselines(data: EvaluationSet, advance: Callable[[float], None]) -> list[Row]:
    """The true law with fixed and adaptive steps: name, errors (n_windows,), costs."""
    w = data.windows
    rows: list[Row] = []
    for k in LEAPFROG:
        errors = data.errors(leapfrog_forecast(w, data.horizon, k)[0])
        rows.append(("true law, leapfrog", errors, {"evaluations": k, "law_calls_per_pair": k}))
        advance(1)
    for windows, name in ((w, "true law, adaptive"), (w.isotropic(), "isotropic clamp, adaptive")):
        for k in ADAPTIVE:
            x, _, counts = adaptive_leapfrog_forecast(windows, data.horizon, eta_for(windows, data.horizon, k))
            mean = float(counts.mean())
            rows.append((name, data.errors(x), {"evaluations": mean, "law_calls_per_pair": mean}))
            advance(1)
    return rows


def learned(data: EvaluationSet, models: Sequence[BenchmarkModel]) -> list[Row]:
    """Every model: name, errors averaged over seeds (n_windows,), costs and spread over seeds."""
    rows = []
    for model in models:
        seeds = [m.with_evaluations(EVALUATIONS) if model.chooses else m for m in model.seeds]
        results = [forecast_with_cost(m, data.windows, torch.float32) for m in seeds]
        errors = np.array([data.errors(x) for x, _, _ in results])
        more: dict[str, Any] = {
            "evaluations": seeds[0].evaluations,
            "law_calls_per_pair": float(np.mean([force_evaluations(cost) for _, _, cost in results])),
            "seeds": len(seeds),
            "mse_spread": float(errors.mean(axis=1).std(ddof=1)) if len(seeds) > 1 else None,
        }
        rows.append((model.name, errors.mean(axis=0), more))
    return rows


def audit(
    data: EvaluationSet,
    models: Sequence[BenchmarkModel],
    *,
    rotations: int = BLIND_ROTATIONS,
    chosen_seed: int = 0,
) -> tuple[dict[str, Any], dict[str, FloatArray]]:
    """All numbers of the page, and the arrays that its figures draw."""
    steps = round(data.horizon / REFERENCE_DT)
    before = 100 * (data.input_frame + 1)
    w = data.windows
    with progress_bar("clamp and baselines", len(LEAPFROG) + 2 * len(ADAPTIVE) + 3, "parts") as advance:
        largest = largest_forces(w.x, w.v, w.q, dt=REFERENCE_DT, n_steps=steps)
        clean = clean_windows(largest)
        if clean.all():
            raise InputError("the clamp acts in none of these windows; take more of them")
        clamp = clamp_part(data, clean, steps, before)
        advance(1)
        isotropic = data.errors(isotropic_simulation(w, steps)[0])
        advance(1)
        known = baselines(data, advance)
        measured = learned(data, models)
        advance(1)
    with progress_bar("orientations", int((~clean).sum()), "windows") as advance:
        blind, informed, orientation = orientation_part(
            data, clean, steps, before, rotations, chosen_seed, advance
        )
    rows = [
        row_of("orientation-blind reference", blind, clean, isotropic),
        row_of("likely orientations only", informed, clean, isotropic),
        row_of("isotropic simulator", isotropic, clean, isotropic, evaluations=steps, law_calls_per_pair=steps),
    ]
    rows += [row_of(name, errors, clean, isotropic, **more) for name, errors, more in (*known, *measured)]
    drawn = {"largest": largest, "isotropic simulator": isotropic, "orientation-blind": blind}
    drawn |= {f"model: {name}": errors for name, errors, _ in measured}
    return {"clamp": clamp, "orientation": orientation, "rows": rows}, drawn


def table(result: dict[str, Any]) -> str:
    """audit.md: the numbers in one table."""
    c, o = result["clamp"], result["orientation"]
    less = o["informed_less_blind"]
    lines = [
        f"{c['windows']} windows, {c['clean']} clean; the clamp acts in {100 * c['touched_share']:.1f} % of them, "
        f"and acted before them in {100 * c['touched_before_share']:.1f} %. "
        f"A turned start ends {number(c['turned_error_touched_median'], 2)} away in the median touched window, "
        f"{number(c['turned_error_clean_median'], 1)} in the median clean one.",
        "",
        f"Touched windows whose rotated past misses the speeds of the recipe: {100 * o['betrayed_share']:.0f} %; "
        f"among these the true orientation looks ten times better than any of {o['rotations']} rotated ones in "
        f"{100 * o['recognised_share']:.0f} %. Averaging over the likely orientations instead of all changes the "
        f"error by {less['excess']:+.2g} ({less['excess_low']:+.2g} to {less['excess_high']:+.2g}).",
        "",
        "| who | evaluations | law calls per pair | mean MSE | +- windows | median | clean mean | clean median "
        "| excess over the isotropic simulator | 95 % | share |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        name = row["entrant"] + (f" ({row['seeds']} seeds)" if row.get("seeds", 1) > 1 else "")
        lines.append(
            f"| {name} | {count(row.get('evaluations'))} | {count(row.get('law_calls_per_pair'))} "
            f"| {number(row['mse'], 3)} | {number(row['mse_stderr'], 2)} | {number(row['mse_median'], 2)} "
            f"| {number(row['mse_clean'], 2)} | {number(row['mse_clean_median'], 2)} | {row['excess']:+.2g} "
            f"| {row['excess_low']:+.2g} to {row['excess_high']:+.2g} | {100 * row['excess_share']:+.0f} % |"
        )
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str]) -> None:
    """Parse the command line and measure."""
    parser = CommandParser(
        "surrogate.studies.audit",
        "Measure what the published N-body set can show (docs/benchmark-audit.md).",
        EXAMPLES,
    )
    parser.add_argument("--data", required=True, help="the published set: preset nbody-reference")
    parser.add_argument(
        "--models", default="", metavar="A,B", help="as for surrogate.benchmark (default: *-nbody)"
    )
    parser.add_argument("--rotations", type=positive_int, default=BLIND_ROTATIONS, metavar="M")
    parser.add_argument("--seed", type=seed, default=0, help="of the rotations")
    parser.add_argument("--samples", type=positive_int, metavar="S", help="only the first S test windows")
    parser.add_argument("--out", type=Path, required=True, help="folder for audit.json, audit.md and the figures")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier audit in --out")
    options = parser.parse_args(argv)
    refuse_foreign(options.out, options.overwrite, "audit.json")
    names = options.models or ",".join(name for name in shipped_models() if name.endswith("-nbody"))
    listed = listed_models(names, 1)
    split = read_split(options.data, "test")
    if split.recipe.get("law") != "reference" or split.recipe.get("preset") != "nbody-reference":
        raise InputError(f"{options.data}: not the published set; expected preset nbody-reference")
    split = split.head(options.samples) if options.samples else split
    torch.set_num_threads(1)
    data = evaluation_set(split, "test")
    models, _ = fitted_models(loaded_models(listed), data)
    result, drawn = audit(data, models, rotations=options.rotations, chosen_seed=options.seed)
    result["command"] = command_line("surrogate.studies.audit", argv)
    result["models"] = {item.name: list(item.paths) for item in listed}
    from surrogate.studies.audit_figures import save_figures

    with staged_folder(options.out, options.overwrite) as staging:
        save_figures(result, drawn, staging)
        (staging / "audit.md").write_text(table(result), encoding="utf-8")
        write_json(staging / "audit.json", result)
    sys.stdout.write(table(result) + f"\n{options.out / 'audit.md'}\n")


if __name__ == "__main__":
    sys.exit(run_command(main))
