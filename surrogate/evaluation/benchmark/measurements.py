"""A whole benchmark: models and baselines measured on the same windows, compared at equal cost, and rolled out.

Wall time against error first; then exactly K evaluations in every window; then a mean K with per-window K. Where
the data go on beyond the task's target, roll-outs. Law calls per pair stand beside evaluations everywhere.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from physics.baselines.references import leapfrog_forecast
from physics.cli import progress_bar, staged_folder
from physics.datasets.split import DataSplit
from physics.errors import unknown_name
from physics.files import write_json
from surrogate.evaluation.benchmark import baselines
from surrogate.evaluation.benchmark.models import BenchmarkModel, Listed, Measurement, fitted_models, loaded_models
from surrogate.evaluation.benchmark.rollouts import benchmark_rollout_set, rollout_count, rollout_rows
from surrogate.evaluation.benchmark.summary import summary
from surrogate.evaluation.benchmark.tables import report
from surrogate.evaluation.chosen_windows import UNASKED, Asked, no_splits_text, seen_share, seen_text
from surrogate.evaluation.evaluation_set import EvaluationSet, evaluation_set
from surrogate.training.machine import machine

EVALUATIONS = (8, 16, 32, 64, 128)
TOLERANCES = (1e-2, 1e-3, 1e-4)
"""Of models that choose: each window doubles its evaluations until its positions move less than this [length]."""

Work = Callable[[], Measurement]


def measurements(data: EvaluationSet, models: Sequence[BenchmarkModel]) -> Iterator[tuple[str, str, Work]]:
    """Every timed measurement: its name, its table ("exact", "own" or "mean"), and the work itself."""
    for model in models:
        if not model.chooses:
            yield model.name, "own", partial(model.measured, data, None)
            continue
        for tolerance in TOLERANCES:
            yield f"{model.name}, K per window", "mean", partial(model.measured_within, data, tolerance)
    for k in EVALUATIONS:
        if data.knows_law:
            yield "leapfrog", "exact", partial(baselines.leapfrog, data, k)
        if baselines.adaptive_knows_law(data):
            yield "adaptive", "mean", partial(baselines.adaptive, data, k)
        if data.windows.law == "reference":
            yield "adaptive, isotropic clamp", "mean", partial(baselines.adaptive, data, k, isotropic=True)
        for model in models:
            if model.chooses:
                yield model.name, "exact", partial(model.measured, data, k)


def rows_of(
    data: EvaluationSet,
    models: Sequence[BenchmarkModel],
    opponent: str,
    published: baselines.PublishedSet | None,
    advance: Callable[[float], None],
) -> list[dict[str, Any]]:
    """Every row of the tables, compared twice: at the opponent's same evaluations, and at its same law calls.

    `won` is the share of windows with an error below the opponent's with as many evaluations, `won_at_equal_calls`
    below the opponent's with as many law calls per pair. Leapfrog is run with just that many; of other opponents
    the nearest setting counts. The keys are those of benchmark.json: "entrant" is a model or a baseline.
    """
    found: list[tuple[str, str, Measurement]] = []
    for name, table, work in measurements(data, models):
        found.append((name, table, work()))
        advance(1)
    found += [(name, "yardstick", measured) for name, measured in baselines.free_baselines(data, published)]
    against = [measured for name, _, measured in found if name == opponent]
    rows = []
    for name, table, measured in found:
        row: dict[str, Any] = {"entrant": name, "table": table, **summary(measured, published)}
        for key, cost in (("won", measured.evaluations), ("won_at_equal_calls", measured.force_evaluations)):
            alone = not against or name == opponent or table == "yardstick"
            row[key] = None if alone else won(data, measured, against, opponent, cost)
        rows.append(row)
    return rows


def won(
    data: EvaluationSet, measured: Measurement, against: Sequence[Measurement], opponent: str, cost: float
) -> float:
    """Share of windows (and seeds) with an error below the opponent's at this cost."""
    if opponent == "leapfrog":
        x, _ = leapfrog_forecast(data.windows, data.horizon, max(round(cost), 1))
        errors = data.errors(x)
    else:
        nearest = min(against, key=lambda other: abs(np.log(max(other.force_evaluations, 1) / max(cost, 1))))
        errors = nearest.errors.mean(axis=0)
    return float(np.mean(np.nan_to_num(measured.errors, nan=np.inf) < errors))


def benchmark(
    listed: Sequence[Listed],
    split: DataSplit,
    split_name: str,
    *,
    asked: Asked = UNASKED,
    has_splits: bool = True,
    opponent: str = "leapfrog",
    rollout_samples: int,
    trust_code: bool = False,
    command: str = "",
) -> dict[str, Any]:
    """What benchmark.json holds, with progress.

    Parameters
    ----------
    asked : Asked
        Which windows; by default the data's task, of own data that of the first model that it fits.
    has_splits : bool
        Whether the data set has splits; of others everything is measured.
    opponent : str
        "leapfrog", "adaptive" or the name of a model: windows are won against it.
    rollout_samples : int
        Windows whose roll-outs are followed.

    Raises
    ------
    InputError
        For an unknown model or opponent. Models that do not fit the data are left out, with the reason.
    """
    loaded = loaded_models(listed, trust_code=trust_code)
    data = evaluation_set(split, split_name, asked, [seeds[0] for seeds in loaded.values()])
    models, left_out = fitted_models(loaded, data)
    note = _checked_opponent(opponent, models, data)
    seen = [seen_text(seen_share(m.seeds[0], data.split, data.first), len(data.windows), m.name) for m in models]
    whole = [] if has_splits else [no_splits_text(len(data.windows), data.split is split)]
    truth = benchmark_rollout_set(split, data, rollout_samples) if data.split is split else None
    result: dict[str, Any] = {
        "data": split.source,
        "split": split_name if has_splits else None,
        "windows": len(data.windows),
        "n_dims": split.n_dims,
        "particles": split.n_particles,
        "law": data.windows.law or None,
        "input_frame": data.input_frame,
        "target_frame": data.target_frame,
        "horizon": data.horizon,
        "opponent": None if note else opponent,
        "notes": [*whole, *split.notes, *data.notes, *filter(None, seen), *([note] if note else [])],
        "units": dict(split.units),
        "left_out": left_out,
        "outside_training": {model.name: list(model.notes) for model in models if model.notes},
        "runs": {item.name: list(item.paths) for item in listed},
        "digests": {model.name: [seed.digest for seed in model.seeds] for model in models},
        "machine": machine(),
        "command": command,
    }
    with progress_bar("windows", sum(1 for _ in measurements(data, models)), "settings") as advance:
        published = baselines.published_set(data)
        rows = rows_of(data, models, opponent, published, advance)
    result |= {"rows": rows, "rollouts": [], "rollout_windows": 0, "rollout_horizons": 0}
    if published is not None:
        result["clean_windows"] = int(published.clean.sum())
    if truth is not None:
        with progress_bar("roll-outs", rollout_count(models, data.knows_law), "settings") as advance:
            result["rollouts"] = rollout_rows(truth, models, data.knows_law, advance)
        result["rollout_windows"], result["rollout_horizons"] = len(truth.start), truth.n_horizons
    return result


def _checked_opponent(name: str, models: Sequence[BenchmarkModel], data: EvaluationSet) -> str | None:
    """Why windows are compared with no opponent (None: they are); an unknown one is refused."""
    known = [model.name for model in models]
    known += ["leapfrog"] if data.knows_law else []
    known += ["adaptive"] if baselines.adaptive_knows_law(data) else []
    if name in known:
        return None
    if name == "leapfrog":  # the default, so not asked for by name where the law is unknown
        return "the law of these data is not known, so nobody that knows it takes part"
    raise unknown_name("opponent", name, known)


def write_benchmark(result: dict[str, Any], out: Path, overwrite: bool) -> str:
    """Write benchmark.json, benchmark.md and the figures, all or none; returns the text of benchmark.md."""
    from surrogate.evaluation.benchmark.figures import save_figures

    with staged_folder(out, overwrite) as staging:
        text = report(result, save_figures(result, staging))
        (staging / "benchmark.md").write_text(text, encoding="utf-8")
        write_json(staging / "benchmark.json", result)
    return text
