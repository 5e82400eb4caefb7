"""Extended XYZ, as ASE, OVITO and QUIP write it: the comment says what the columns are. Read with NumPy alone."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.formats.base import Arrays, Hints, Imported
from physics.datasets.formats.elements import named_species
from physics.datasets.formats.importer import as_one_sample, constant, importer
from physics.datasets.formats.periodic import in_box, rectangular
from physics.datasets.formats.text import (
    by_id,
    declared_count,
    frames_of_text,
    header_line,
    next_line,
    open_end,
    particle_rows,
    refuse_ragged,
)
from physics.datasets.formats.xyz import EXPECTS, is_xyz
from physics.errors import InputError

ENTRY = re.compile(r"""([\w.:-]+)\s*=\s*("[^"]*"|'[^']*'|\{[^}]*\}|\[[^\]]*\]|\S+)""")
KINDS = {"S": "U20", "R": "f8", "I": "i8", "L": "U5"}
"""NumPy's kinds of the letters in Properties."""

COLUMNS = {
    "species": ("species", "symbols", "element", "elements", "type"),
    "positions": ("pos", "positions", "position"),
    "velocities": ("velo", "velocities", "velocity", "vel"),
    "momenta": ("momenta", "momentum"),
    "charges": ("charge", "charges", "initial_charges", "q"),
    "masses": ("masses", "mass"),
    "images": ("image", "images"),
    "id": ("id",),
    "Z": ("z", "numbers"),
}
"""Names in lower case that columns of ours have in such files."""

TIMES = (("time", ""), ("timestep", "steps"), ("step", "steps"))
"""Keys of the comment that tell times, and what they count instead."""

MOMENTA = "velocities are momenta by masses (in the units of ASE: per 10.18 fs, where lengths are in Å)"


@dataclass(frozen=True, eq=False)
class _Frame:
    """One frame: the entries of its comment in lower case, its columns by our names."""

    entries: dict[str, str]
    columns: Arrays


def _properties(path: Path, entries: dict[str, str]) -> list[tuple[str, str, int]]:
    words = entries.get("properties", "").split(":")
    try:
        found = [(name, KINDS[kind], int(n)) for name, kind, n in zip(*[iter(words)] * 3, strict=True)]
    except (ValueError, KeyError):
        found = []
    if not found or any(not 1 <= n <= 64 for _, _, n in found):
        raise InputError(
            f"{path}: Properties={':'.join(words)!r:.80}; expected name:kind:columns, ... with kinds "
            f"{', '.join(KINDS)}"
        )
    return found


def _frame(
    path: Path, rows: NDArray[Any], properties: list[tuple[str, str, int]], entries: dict[str, str]
) -> _Frame:
    columns: Arrays = {}
    for name, _, _ in properties:
        for ours, theirs in COLUMNS.items():
            if name.lower() in theirs and ours not in columns:
                columns[ours] = rows[name]
    if "positions" not in columns:
        raise InputError(f"{path}: no column pos among {', '.join(name for name, _, _ in properties):.80}")
    return _Frame(entries, columns)


def _frames(path: Path, hints: Hints) -> list[_Frame]:
    frames: list[_Frame] = []
    known: NDArray[Any] | None = None
    with frames_of_text(path, hints.progress) as stream:
        while (line := next_line(path, stream)) is not None:
            if not line.strip():
                continue
            at = len(frames)
            count = declared_count(path, line, at)
            refuse_ragged(path, count, len(frames[0].columns["positions"]) if frames else count, at)
            comment = header_line(path, stream, at)
            entries = {key.lower(): value.strip("\"'") for key, value in ENTRY.findall(comment)}
            properties = _properties(path, entries)
            dtype = np.dtype([(name, kind, (n,) if n > 1 else ()) for name, kind, n in properties])
            width = sum(n for _, _, n in properties)
            rows = particle_rows(path, stream, count, at, dtype, tuple(range(width)))
            frame = _frame(path, rows, properties, entries)
            if "id" in frame.columns:
                order = by_id(path, frame.columns["id"], known, at)
                frame = _Frame(entries, {name: column[order] for name, column in frame.columns.items()})
                known = frame.columns["id"]
            if frames and frame.columns.keys() != frames[0].columns.keys():
                raise InputError(f"{path}: frame {at} has other columns than frame 0")
            frames.append(frame)
    if not frames:
        raise InputError(f"{path}: no frames; expected a number of particles and a comment with Properties=")
    return frames


def _load(path: Path, split: str, hints: Hints) -> Imported:
    frames = _frames(path, hints)
    columns = {name: np.stack([frame.columns[name] for frame in frames]) for name in frames[0].columns}
    x = columns["positions"]
    if x.ndim != 3:
        x = x[..., None]
    arrays, notes = _in_cell(path, frames, x, columns.get("images"))
    notes += open_end(path)
    for name in ("charges", "masses"):
        if name in columns:
            arrays[name] = constant(path, name, columns[name])
    if (names := columns.get("species", columns.get("Z"))) is not None:
        found, said = named_species(constant(path, "species", names.astype(np.str_)))
        notes += () if "masses" in columns else said
        arrays = {**found, **arrays}
    if "velocities" in columns:
        arrays["velocities"] = columns["velocities"].reshape(x.shape)
    elif "momenta" in columns and "masses" in arrays:
        arrays["velocities"] = columns["momenta"].reshape(x.shape) / arrays["masses"][:, None]
        notes += (MOMENTA,)
    arrays["times"], counted = _times(path, frames)
    units = {"mass": "Da"} if "masses" in arrays and "masses" not in columns else {}
    return Imported(as_one_sample(arrays), counted, units, notes=notes)


def _in_cell(
    path: Path, frames: list[_Frame], x: NDArray[Any], images: NDArray[Any] | None
) -> tuple[Arrays, tuple[str, ...]]:
    if not all("lattice" in frame.entries for frame in frames):
        return {"positions": x}, ()
    n_dims = x.shape[-1]
    walls = frames[0].entries.get("pbc", "T T T").replace(",", " ").strip("[]{}").split()
    periodic = np.array([wall.upper() in ("T", "TRUE", "1") for wall in walls])
    cells = [[float(word) for word in frame.entries["lattice"].split()] for frame in frames]
    if n_dims > 3 or len(periodic) != 3 or any(len(cell) != 9 for cell in cells):
        raise InputError(
            f"{path}: expected Lattice of nine numbers and pbc of three; got {frames[0].entries!r:.120}"
        )
    if not periodic[:n_dims].any():
        return {"positions": x}, ()
    lengths = rectangular(path, np.array(cells).reshape(-1, 3, 3), "Lattice")
    return in_box(x, lengths[:, :n_dims], periodic[:n_dims], None if images is None else images.reshape(x.shape))


def _times(path: Path, frames: list[_Frame]) -> tuple[NDArray[np.float64], str]:
    for key, counted in TIMES:
        if all(key in frame.entries for frame in frames):
            return np.array([float(frame.entries[key]) for frame in frames]), counted
    return np.arange(len(frames), dtype=np.float64), "frames"


EXTXYZ = importer(
    "an extended XYZ file",
    _load,
    lambda path: is_xyz(path, extended=True),
    (".extxyz", ".xyz"),
    EXPECTS,
    kept=True,
)
