"""`python -m surrogate.benchmark`: learned models beside opponents that know the law, at equal cost.

Wall time against error first; then exactly K evaluations in every window; then a mean K with per-window K.
Where the data go on beyond the task's target, roll-outs. Law calls per pair stand beside evaluations everywhere.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from physics.baselines.clean import clean_windows, largest_forces
from physics.baselines.orientation import isotropic_simulation
from physics.baselines.references import eta_for, leapfrog_forecast
from physics.cli import CommandParser, command_line, positive_int, progress_bar, run_command
from physics.datasets.reading import read_split
from physics.errors import unknown_name
from physics.files import write_json
from physics.output_folder import refuse_foreign, staged_folder
from physics.time_scales import REFERENCE_DT
from resources.shipped import shipped_models
from surrogate.evaluation.benchmark.models import (
    Arena,
    Entrant,
    Field,
    Score,
    adaptive_score,
    adapts,
    arena_of,
    field_of,
    leapfrog_score,
    listed_models,
)
from surrogate.evaluation.benchmark.rollouts import (
    LEAPFROG_EVALUATIONS,
    MODEL_EVALUATIONS,
    course_of,
    entrant_rollouts,
    leapfrog_rollouts,
    perturbed_rollouts,
)
from surrogate.evaluation.benchmark.tables import report
from surrogate.training.machine import machine

FloatArray = NDArray[np.float64]

EVALUATIONS = (8, 16, 32, 64, 128)
TOLERANCES = (1e-2, 1e-3, 1e-4)
"""Of models that choose: each window doubles its evaluations until its positions move less than this [length]."""
RESAMPLES = 2000
ROLLOUT_WINDOWS = 300

EXAMPLES = (
    "python -m surrogate.benchmark --data data/iso3.zarr --out out/iso3",
    "python -m surrogate.benchmark --models runs/integrator-nd --seeds 3 --data data/bound3.zarr --out out/bound3",
    "python -m surrogate.benchmark --models mine=runs/a+runs/b,egnn-nbody --data data/nbody.zarr --out out/nbody",
    "python -m surrogate.benchmark --models egnn-nd --opponent adaptive --data data/iso3.zarr --out out/adaptive",
)


@dataclass(frozen=True, eq=False)
class Yard:
    """What the published set adds: which windows are clean, and the isotropic simulator's errors.

    Attributes
    ----------
    clean : (n_windows,) bool
    isotropic : (n_windows,) float64
    """

    clean: NDArray[np.bool_]
    isotropic: FloatArray


def yard_of(arena: Arena) -> Yard | None:
    """The published set's yardsticks; None for other laws."""
    if arena.windows.law != "reference":
        return None
    w, steps = arena.windows, round(arena.horizon / REFERENCE_DT)
    clean = clean_windows(largest_forces(w.x, w.v, w.q, dt=REFERENCE_DT, n_steps=steps))
    return Yard(clean, arena.errors(isotropic_simulation(w, steps)[0]))


def summary(score: Score, yard: Yard | None) -> dict[str, Any]:
    """The numbers of one row: over windows, and over seeds where there are several.

    Returns
    -------
    dict
        mse, mse_median, mse_p99: mean over seeds; their *_spread: standard deviation over seeds; mse_stderr:
        standard error over windows of the seeds' mean; on the published set mse_clean, mse_clean_median, and
        excess, excess_low, excess_high: mean paired excess over the isotropic simulator with its 95 %
        bootstrap interval. Null where a forecast is not finite.
    """
    e = score.errors
    result: dict[str, Any] = {
        "evaluations": score.evaluations,
        "law_calls_per_pair": score.law_calls,
        "ms_per_window": score.milliseconds,
        "setting": score.setting,
        "seeds": len(e),
        "windows": e.shape[1],
        "non_finite": int((~np.isfinite(e)).sum()),
    }
    finite = result["non_finite"] == 0
    columns: dict[str, FloatArray] = {
        "mse": e.mean(axis=1),
        "mse_median": np.median(e, axis=1),
        "mse_p99": np.quantile(e, 0.99, axis=1),
    }
    if yard is not None:
        columns["mse_clean"] = e[:, yard.clean].mean(axis=1)
        columns["mse_clean_median"] = np.median(e[:, yard.clean], axis=1)
    for key, values in columns.items():
        result[key] = float(values.mean()) if finite else None
        result[f"{key}_spread"] = float(values.std(ddof=1)) if finite and len(e) > 1 else None
    per_window = e.mean(axis=0)
    many = len(per_window) > 1 and finite
    result["mse_stderr"] = float(per_window.std(ddof=1) / np.sqrt(len(per_window))) if many else None
    if yard is not None and finite:
        result |= paired_excess(per_window, yard.isotropic)
    return result


def paired_excess(errors: FloatArray, yardstick: FloatArray, seed: int = 0) -> dict[str, Any]:
    """Mean of errors - yardstick over the same windows, and its 95 % interval from 2000 resamplings of windows."""
    rng = np.random.default_rng(seed)
    difference = errors - yardstick
    means = np.array(
        [difference[rng.integers(0, len(difference), len(difference))].mean() for _ in range(RESAMPLES)]
    )
    low, high = np.quantile(means, [0.025, 0.975])
    return {
        "excess": float(difference.mean()),
        "excess_low": float(low),
        "excess_high": float(high),
        "excess_share": float(difference.mean() / max(yardstick.mean(), 1e-300)),
    }


def jobs(arena: Arena, field: Field) -> Iterator[tuple[str, str, Callable[[], Score]]]:
    """Every measurement: who, in which table ("exact", "own", "mean" or "yardstick"), and the work itself."""
    w = arena.windows
    for entrant in field.entrants:
        if not entrant.chooses:
            yield entrant.name, "own", lambda entrant=entrant: entrant.score(arena, None)  # type: ignore[misc]
            continue
        for t in TOLERANCES:
            name = f"{entrant.name}, K per window"
            yield name, "mean", lambda entrant=entrant, t=t: entrant.score_within(arena, t)  # type: ignore[misc]
    for k in EVALUATIONS:
        if arena.knows_law:
            yield "leapfrog", "exact", lambda k=k: leapfrog_score(arena, k)  # type: ignore[misc]
        if adapts(arena):
            eta = lambda k=k, w=w: eta_for(w, arena.horizon, k)  # noqa: E731
            yield "adaptive", "mean", lambda eta=eta: adaptive_score(arena, eta())  # type: ignore[misc]
        if w.law == "reference":
            i = w.isotropic()
            eta = lambda k=k, w=i: eta_for(w, arena.horizon, k)  # noqa: E731
            yield (
                "adaptive, isotropic clamp",
                "mean",
                lambda eta=eta: adaptive_score(arena, eta(), isotropic=True),  # type: ignore[misc]
            )
        for entrant in field.entrants:
            if entrant.chooses:
                yield entrant.name, "exact", lambda entrant=entrant, k=k: entrant.score(arena, k)  # type: ignore[misc]


def yardsticks(arena: Arena, yard: Yard | None) -> Iterator[tuple[str, Score]]:
    """Straight lines, and the isotropic simulator on the published set."""
    w = arena.windows
    nan = float("nan")
    yield "x + v t", Score(arena.errors(w.x + arena.horizon * w.v)[None], 0.0, 0.0, nan)
    if yard is not None:
        steps = float(round(arena.horizon / REFERENCE_DT))
        yield "isotropic simulator", Score(yard.isotropic[None], steps, steps, nan)


def rows_of(
    arena: Arena, field: Field, opponent: str, yard: Yard | None, advance: Callable[[float], None]
) -> list[dict[str, Any]]:
    """Every row of the tables, judged twice: at the opponent's same evaluations, and at its same law calls.

    `won` is the share of windows with an error below the opponent's with as many evaluations, `won_at_equal_calls`
    below the opponent's with as many law calls per pair. Leapfrog is run with just that many; of other opponents
    the nearest setting counts.
    """
    scores: list[tuple[str, str, Score]] = []
    for name, kind, work in jobs(arena, field):
        scores.append((name, kind, work()))
        advance(1)
    scores += [(name, "yardstick", score) for name, score in yardsticks(arena, yard)]
    against = [score for name, _, score in scores if name == opponent]
    rows = []
    for name, kind, score in scores:
        row: dict[str, Any] = {"entrant": name, "table": kind, **summary(score, yard)}
        for key, cost in (("won", score.evaluations), ("won_at_equal_calls", score.law_calls)):
            silent = not against or name == opponent or kind == "yardstick"
            row[key] = None if silent else won(arena, score, against, opponent, cost)
        rows.append(row)
    return rows


def won(arena: Arena, score: Score, against: Sequence[Score], opponent: str, cost: float) -> float:
    """Share of windows (and seeds) with an error below the opponent's at this cost."""
    if opponent == "leapfrog":
        x, _ = leapfrog_forecast(arena.windows, arena.horizon, max(round(cost), 1))
        rival = arena.errors(x)
    else:
        nearest = min(against, key=lambda s: abs(np.log(max(s.law_calls, 1) / max(cost, 1))))
        rival = nearest.errors.mean(axis=0)
    return float(np.mean(np.nan_to_num(score.errors, nan=np.inf) < rival))


def rollout_rows(
    course: Any, field: Field, knows_law: bool, advance: Callable[[float], None]
) -> list[dict[str, Any]]:
    """Roll-outs of every model that can, of the true law's leapfrog, and of a perturbed truth."""
    rows: list[dict[str, Any]] = []

    def add(name: str, evaluations: float | None, result: dict[str, Any]) -> None:
        rows.append({"entrant": name, "evaluations": evaluations, **result})
        advance(1)

    for entrant in field.entrants:
        for k in MODEL_EVALUATIONS if entrant.chooses else (None,):
            add(entrant.name, k or entrant.seeds[0].evaluations, entrant_rollouts(course, entrant, k))
    if knows_law:
        for k in LEAPFROG_EVALUATIONS:
            add("leapfrog", k, leapfrog_rollouts(course, k))
        add("truth moved by 1e-6", None, perturbed_rollouts(course))
    return rows


def benchmark(arena: Arena, field: Field, course: Any, opponent: str) -> dict[str, Any]:
    """All rows and roll-outs, with progress."""
    count = sum(1 for _ in jobs(arena, field))
    with progress_bar("windows", count, "settings") as advance:
        yard = yard_of(arena)
        rows = rows_of(arena, field, opponent, yard, advance)
    result: dict[str, Any] = {"rows": rows, "rollouts": [], "rollout_windows": 0, "rollout_horizons": 0}
    if yard is not None:
        result["clean_windows"] = int(yard.clean.sum())
    if course is not None:
        turns = sum(len(MODEL_EVALUATIONS) if e.chooses else 1 for e in field.entrants)
        turns += (len(LEAPFROG_EVALUATIONS) + 1) if arena.knows_law else 0
        with progress_bar("roll-outs", turns, "settings") as advance:
            result["rollouts"] = rollout_rows(course, field, arena.knows_law, advance)
        result["rollout_windows"], result["rollout_horizons"] = len(course.start), course.n_horizons
    return result


def write_all(result: dict[str, Any], out: Path, overwrite: bool) -> None:
    """benchmark.json, benchmark.md and the figures, made aside and moved into place together."""
    from surrogate.evaluation.benchmark.figures import save_figures

    with staged_folder(out, overwrite) as staging:
        figures = save_figures(result, staging)
        (staging / "benchmark.md").write_text(report(result, figures), encoding="utf-8")
        write_json(staging / "benchmark.json", result)


def _refuse_opponent(name: str, entrants: Sequence[Entrant], arena: Arena) -> str | None:
    known = [entrant.name for entrant in entrants]
    known += ["leapfrog"] if arena.knows_law else []
    known += ["adaptive"] if adapts(arena) else []
    if name in known:
        return None
    if name == "leapfrog":  # the default: nobody asked for it by name where the law is unknown
        return "the law of these data is not known, so nobody that knows it takes part"
    raise unknown_name("opponent", name, known)


def main(argv: Sequence[str]) -> None:
    """Parse the command line and measure."""
    parser = CommandParser(
        "surrogate.benchmark",
        "Judge models beside opponents that know the law: wall time, exactly K, mean K, roll-outs.",
        EXAMPLES,
    )
    parser.add_argument(
        "--models",
        default="",
        metavar="A,B",
        help="shipped names, run folders, or NAME=RUN1+RUN2 for several seeds of one model (default: all shipped)",
    )
    parser.add_argument("--data", required=True, help="Zarr or .npz")
    parser.add_argument("--split", default="test", choices=("train", "valid", "test"))
    parser.add_argument(
        "--seeds",
        type=positive_int,
        default=1,
        metavar="K",
        help="a name stands for its runs NAME-0 .. NAME-(K-1)",
    )
    parser.add_argument(
        "--opponent",
        default="leapfrog",
        help="leapfrog (default), adaptive, or a model: for the share of windows won",
    )
    parser.add_argument("--samples", type=positive_int, metavar="S", help="only the first S windows")
    parser.add_argument(
        "--rollout-samples",
        type=positive_int,
        default=ROLLOUT_WINDOWS,
        metavar="S",
        help=f"windows whose roll-outs are followed (default {ROLLOUT_WINDOWS})",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for benchmark.json, benchmark.md, figures")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier benchmark in --out")
    parser.add_argument(
        "--trust-code", action="store_true", help="allow models of the form package.module:callable"
    )
    options = parser.parse_args(argv)
    refuse_foreign(options.out, options.overwrite, "benchmark.json")
    listed = listed_models(options.models or ",".join(shipped_models()), options.seeds)
    split = read_split(options.data, options.split)
    if options.samples:
        split = split.head(options.samples)
    torch.set_num_threads(1)
    arena = arena_of(split, options.split)
    field = field_of(listed, arena, split, trust_code=options.trust_code)
    note = _refuse_opponent(options.opponent, field.entrants, arena)
    course = course_of(split, arena, options.rollout_samples)
    result: dict[str, Any] = {
        "data": split.source,
        "split": options.split,
        "windows": len(split),
        "n_dims": split.n_dims,
        "particles": split.n_particles,
        "law": arena.windows.law or None,
        "input_frame": arena.input_frame,
        "target_frame": arena.target_frame,
        "horizon": arena.horizon,
        "opponent": None if note else options.opponent,
        "notes": [note] if note else [],
        "left_out": field.left_out,
        "outside_training": {e.name: list(e.notes) for e in field.entrants if e.notes},
        "runs": {item.name: list(item.paths) for item in listed},
        "digests": {e.name: [model.digest for model in e.seeds] for e in field.entrants},
        "machine": machine(),
        "command": command_line("surrogate.benchmark", argv),
    }
    result |= benchmark(arena, field, course, options.opponent)
    write_all(result, options.out, options.overwrite)
    text = (options.out / "benchmark.md").read_text(encoding="utf-8")
    sys.stdout.write(text + f"\n{options.out / 'benchmark.md'}\n")


if __name__ == "__main__":
    sys.exit(run_command(main))
