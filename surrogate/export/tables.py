"""trajectories.csv (tidy: one row per frame, particle and source) and metrics.csv (one row per frame)."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from physics.files import atomic_path
from physics.types import Trajectory
from surrogate.comparison.comparison import Comparison
from surrogate.export import figures
from surrogate.export.base import ExportJob
from surrogate.render.captions import sources


def export(job: ExportJob) -> list[Path]:
    """Write trajectories.csv and metrics.csv, both or neither; numbers read back bit-equal."""
    trajectories, metrics = job.folder / "trajectories.csv", job.folder / "metrics.csv"
    with atomic_path(trajectories) as longer, atomic_path(metrics) as shorter:
        _write(shorter, *metric_table(job.comparison))
        job.step(0.1)
        n = job.comparison.truth.n_dims
        names = ["step", "time", "particle", "source"]
        names += [f"{letter}{axis}" for letter in "xv" for axis in range(n)]
        shown = sources(job.comparison)
        with longer.open("w", newline="", encoding="utf-8") as stream:
            table = csv.writer(stream, lineterminator="\n")
            table.writerow(names)
            for done, source in enumerate(shown, start=1):
                table.writerows(tidy_rows(getattr(job.comparison, source), source))
                job.step(0.1 + 0.9 * done / len(shown))
    return [trajectories, metrics]


def tidy_rows(trajectory: Trajectory, source: str) -> Iterable[list[Any]]:
    """One row per frame and particle: step, time, particle, source, x0.., v0.. [length], [length/time]."""
    states = np.concatenate([trajectory.positions, trajectory.velocities], axis=-1).tolist()
    for frame, (time, particles) in enumerate(zip(trajectory.times.tolist(), states, strict=True)):
        for particle, numbers in enumerate(particles):
            yield [frame, time, particle, source, *numbers]


def metric_table(comparison: Comparison) -> tuple[list[str], list[list[Any]]]:
    """Names of the columns and one row per frame: errors, energies (if the law is known), momentum norms."""
    columns: dict[str, Sequence[float]] = {"time": comparison.truth.times.tolist()}
    for curve in figures.error_curves(comparison):
        errors = comparison.particle_errors(getattr(comparison, curve.source))
        columns[f"{curve.source}_position_rmse"] = curve.values.tolist()
        columns[f"{curve.source}_largest_error"] = errors.max(axis=1).tolist()
    if comparison.has_energies:
        for curve in figures.energy_curves(comparison):
            columns[f"{curve.source}_energy"] = curve.values.tolist()
    for curve in figures.momentum_curves(comparison):
        columns[f"{curve.source}_momentum_norm"] = curve.values.tolist()
    rows = [[frame, *numbers] for frame, numbers in enumerate(zip(*columns.values(), strict=True))]
    return ["step", *columns], rows


def _write(path: Path, names: list[str], rows: Iterable[list[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(names)
        table.writerows(rows)
