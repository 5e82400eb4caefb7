"""Tables with a row a sample, time and particle: sample, time, particle, x0, ..., v0, ..., charge, mass, species.

Rows come in any order. `sample` and `v0`, ... may be missing, as may charge, mass and species; `frame` or `step`
stands in for `time`. Other columns are left aside.
"""

import csv
import re
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from physics.datasets.formats.base import Arrays, Hints, Imported
from physics.datasets.formats.elements import MOST_NAMED, named_species
from physics.datasets.formats.importer import constant, importer
from physics.datasets.formats.text import LINE_LIMIT, first_lines, frames_of_text, open_end
from physics.datasets.times import time_tolerance
from physics.errors import InputError

CLOCKS = (("time", ""), ("t", ""), ("step", "steps"), ("frame", "frames"))
"""Names of the column of times, and what it counts instead of them."""
ALIASES = {
    "x": "x0",
    "y": "x1",
    "z": "x2",
    "vx": "v0",
    "vy": "v1",
    "vz": "v2",
    "q": "charge",
    "m": "mass",
    "id": "particle",
    "source": "sample",
}
EXPECTS = "columns sample, time, particle, x0, x1, ... and optionally v0, v1, ..., charge, mass, species"
WEIGHT = 6
"""Bytes in memory for each of a file, at most: names of particles are padded."""
COORDINATE = re.compile(r"([xv])(\d{1,3})")


def _header(path: Path) -> tuple[list[str], str]:
    """Names of the columns, in our words, and what separates them."""
    lines = first_lines(path, 1)
    if not lines or len(lines[0]) > LINE_LIMIT:
        return [], ","
    separator = max(",;\t", key=lines[0].count)
    names = [name.strip().lower() for name in next(csv.reader(lines, delimiter=separator))]
    return [ALIASES.get(name, name) if ALIASES.get(name) not in names else name for name in names], separator


def _axis(names: list[str], letter: str) -> list[str]:
    """x0, x1, ... as far as they go on."""
    found = sorted(int(match[2]) for name in names if (match := COORDINATE.fullmatch(name)) and match[1] == letter)
    return [f"{letter}{k}" for k in found] if found == list(range(len(found))) else []


def _load(path: Path, split: str, hints: Hints) -> Imported:
    names, separator = _header(path)
    clock, counted = next(((name, what) for name, what in CLOCKS if name in names), ("", ""))
    places, speeds = _axis(names, "x"), _axis(names, "v")
    if not clock or not places or len(set(names)) < len(names):
        raise InputError(f"{path}: the columns are {', '.join(names)!r:.120}; expected {EXPECTS}")
    if speeds and len(speeds) != len(places):
        raise InputError(f"{path}: {len(places)} columns x0, ... and {len(speeds)} columns v0, ...")
    texts: list[str] = [name for name in ("sample", "particle", "species") if name in names]
    numbers = [name for name in (clock, *places, *speeds, "charge", "mass") if name in names]
    with frames_of_text(path, hints.progress, WEIGHT) as stream:
        table = _table(path, stream, names, separator, texts, numbers)
    keys, (samples, times, particles) = _order(path, table, clock)
    rows = np.empty(len(keys), dtype=np.intp)
    rows[keys] = np.arange(len(keys))
    shape = (len(samples), times.shape[1], len(particles))
    arrays: Arrays = {"times": times[0], "positions": _coordinates(table, places, rows, shape)}
    if speeds:
        arrays["velocities"] = _coordinates(table, speeds, rows, shape)
    notes: tuple[str, ...] = ()
    for name, column in (("charges", "charge"), ("masses", "mass")):
        if column in table:
            arrays[name] = np.stack(
                [constant(path, column, values) for values in table[column][rows].reshape(shape)]
            )
    if "species" in table:
        texts_of = [constant(path, "species", values) for values in table["species"][rows].reshape(shape)]
        found, notes = named_species(np.concatenate(texts_of))
        if "masses" in arrays:
            found.pop("masses", None)
            notes = tuple(note for note in notes if "masses" not in note)
        arrays |= {name: values.reshape(len(samples), -1) for name, values in found.items()}
    if samples.dtype.kind == "U" and len(samples) > 1:
        notes += (f"samples are {', '.join(f'{k} = {name}' for k, name in enumerate(samples[:MOST_NAMED]))}",)
    notes += open_end(path)
    left = [name for name in names if name not in (*texts, *numbers)]
    if left:
        notes = (*notes, f"columns left aside: {', '.join(left):.80}")
    return Imported(arrays, counted, notes=notes)


def _table(
    path: Path, stream: TextIO, names: list[str], separator: str, texts: list[str], numbers: list[str]
) -> Arrays:
    """The columns by name."""
    wanted = [*texts, *numbers]
    dtype = np.dtype([(name, "U32" if name in texts else "f8") for name in wanted])
    try:
        stream.readline()
        rows = np.loadtxt(
            stream,
            dtype=dtype,
            comments=None,
            delimiter=separator,
            usecols=[names.index(name) for name in wanted],
            quotechar='"',
            ndmin=1,
        )
    except (ValueError, IndexError) as error:
        said = " ".join(str(error).split())
        raise InputError(f"{path}: {said:.160} (rows counted after the header)") from None
    if not len(rows):
        raise InputError(f"{path}: no rows; expected {EXPECTS}")
    return {name: rows[name] for name in wanted}


def _ranks(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Distinct values in order (whole numbers by size, else by alphabet), and which each one is."""
    if values.dtype.kind == "U" and all(text.strip().lstrip("-").isdecimal() for text in np.unique(values)):
        values = values.astype(np.int64)
    distinct, which = np.unique(values, return_inverse=True)
    return distinct, which.reshape(-1)


def _order(path: Path, table: Arrays, clock: str) -> tuple[NDArray[np.intp], tuple[NDArray[Any], ...]]:
    """For each row its place in (samples, frames, particles), flattened; and what these axes count."""
    count = len(table[clock])
    if not np.isfinite(table[clock]).all():
        raise InputError(f"{path}: {clock} must be finite; row {int(np.argmin(np.isfinite(table[clock])))} is not")
    samples, sample = _ranks(table.get("sample", np.zeros(count, dtype="U1")))
    particles, particle = _ranks(table.get("particle", np.zeros(count, dtype="U1")))
    if len(samples) * len(particles) > count:
        raise InputError(
            f"{path}: {count} rows, {len(samples)} samples and {len(particles)} particles; expected a row for "
            "each of these at each time"
        )
    clocks = [np.unique(table[clock][sample == k]) for k in range(len(samples))]
    frames = len(clocks[0])
    for k, times in enumerate(clocks):
        if len(times) != frames or (np.abs(times - clocks[0]) > 2 * time_tolerance(clocks[0])).any():
            raise InputError(
                f"{path}: sample {samples[k]} has {len(times)} frames from {times[0]:.6g} to {times[-1]:.6g}, "
                f"sample {samples[0]} {frames} from {clocks[0][0]:.6g} to {clocks[0][-1]:.6g}; expected the same "
                "times (or files of their own)"
            )
    frame = np.empty(count, dtype=np.intp)
    for k, times in enumerate(clocks):
        frame[sample == k] = np.searchsorted(times, table[clock][sample == k])
    places = (sample * frames + frame) * len(particles) + particle
    total = len(samples) * frames * len(particles)
    found = np.bincount(places, minlength=total) if total <= 2 * count else np.zeros(0)
    if total > 2 * count or (found != 1).any():
        _refuse_gap(path, found, (samples, frames, particles), clocks, count)
    return places, (samples, np.stack(clocks), particles)


def _refuse_gap(
    path: Path,
    found: NDArray[Any],
    axes: tuple[NDArray[Any], int, NDArray[Any]],
    clocks: list[NDArray[Any]],
    count: int,
) -> None:
    samples, frames, particles = axes
    where = ""
    if len(found):
        k, frame, particle = np.unravel_index(int(np.argmax(found != 1)), (len(samples), frames, len(particles)))
        rows = int(found[found != 1][0])
        where = (
            f": {rows} rows of sample {samples[k]}, time {clocks[k][frame]:.6g}, particle {particles[particle]}"
        )
    raise InputError(
        f"{path}: {count} rows, {len(samples)} samples, {frames} times and {len(particles)} particles{where}; "
        "expected one row each (every sample the same particles at all times; else files of their own)"
    )


def _coordinates(table: Arrays, names: list[str], rows: NDArray[np.intp], shape: tuple[int, ...]) -> NDArray[Any]:
    return np.stack([table[name][rows].reshape(shape) for name in names], axis=-1)


def _recognised(path: Path) -> bool:
    names, _ = _header(path)
    return bool(_axis(names, "x")) and any(name in names for name, _ in CLOCKS)


CSV = importer("a CSV table", _load, _recognised, (".csv", ".tsv"), EXPECTS, kept=True)
