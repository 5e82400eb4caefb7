"""The particles of one frame as numbers: the table, its CSV, the words at the mouse. Pure NumPy."""

import csv
import io
from dataclasses import dataclass

import numpy as np

from app.viewmodel.presenters.sample_readouts import sample_words
from app.viewmodel.state.view import energies_shown
from app.viewmodel.state.view_state import ViewState
from physics.types import FloatArray
from surrogate.comparison.comparison import Comparison
from surrogate.render.captions import short_number, with_unit


@dataclass(frozen=True, eq=False)
class ParticleTable:
    """A row a particle; positions, speed and energy are those of the truth, the error is the forecast's.

    Attributes
    ----------
    columns : tuple of str
    values : (n_particles, n_columns) float64
        Row k is particle k; not a number where something is unknown.
    """

    columns: tuple[str, ...]
    values: FloatArray


LEADING = ("particle", "charge", "mass", "speed", "error", "energy")
"""The columns before the coordinates."""


def particle_table(state: ViewState) -> ParticleTable | None:
    """The particles at the shown frame; None before there is a comparison."""
    result = state.result
    if result is None:
        return None
    comparison, frame = result.comparison, state.frame
    truth = comparison.truth
    system, x, v = truth.system, truth.positions[frame], truth.velocities[frame]
    unknown, there = np.full(system.n_particles, np.nan), result.has_forecast(frame)
    columns = [
        np.arange(system.n_particles),
        system.charges,
        system.masses,
        np.linalg.norm(v, axis=1),
        np.linalg.norm(comparison.forecast.positions[frame] - x, axis=1) if there else unknown,
        _energies(comparison, frame) if energies_shown(comparison) else unknown,
        *x.T,
    ]
    names = (*LEADING, *(f"x{i}" for i in range(truth.n_dims)))
    return ParticleTable(names, np.stack(columns, axis=1).astype(np.float64))


def _energies(comparison: Comparison, frame: int) -> FloatArray:
    if "truth" in comparison.energy_shares:
        return np.asarray(comparison.energy_shares["truth"][frame])
    from physics.observables import particle_energies, single_frame  # Numba: not when the window opens

    truth = comparison.truth
    alone = single_frame(truth.system, truth.state(frame), truth.velocity_offset)
    return np.asarray(particle_energies(alone)[0])


def csv_of(table: ParticleTable) -> str:
    """All of it in full precision, with a head line; empty where something is unknown."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.values.tolist():
        writer.writerow([int(row[0]), *("" if value != value else repr(value) for value in row[1:])])
    return out.getvalue()


def particle_words(state: ViewState, particle: int) -> str:
    """What a tool tip says of a particle, a node or an atom."""
    result = state.result
    if state.sample is not None:
        return sample_words(state.sample.sample, particle)
    if result is None:
        return ""
    comparison, frame = result.comparison, state.frame
    truth = comparison.truth
    speed = float(np.linalg.norm(truth.velocities[frame, particle]))
    error = float(
        np.linalg.norm(comparison.forecast.positions[frame, particle] - truth.positions[frame, particle])
    )
    words = [
        f"particle {particle}",
        f"charge {with_unit(f'{truth.system.charges[particle]:+g}', comparison, 'charge')}",
        f"speed {with_unit(short_number(speed), comparison, 'length/time')}",
    ]
    if result.has_forecast(frame):
        words.append(f"error {with_unit(short_number(error), comparison, 'length')}")
    return "\n".join(words)
