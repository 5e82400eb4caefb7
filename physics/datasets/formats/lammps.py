"""Text dumps of LAMMPS: `dump atom`, `dump custom`. Read by us: a frame at a time, with NumPy alone."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from physics.datasets.formats.base import Arrays, Hints, Imported
from physics.datasets.formats.elements import named_species
from physics.datasets.formats.importer import as_one_sample, constant, importer
from physics.datasets.formats.periodic import in_box
from physics.datasets.formats.text import (
    by_id,
    declared_count,
    first_lines,
    frames_of_text,
    header_line,
    next_line,
    open_end,
    particle_rows,
    refuse_ragged,
)
from physics.errors import InputError

UNITS = {
    "real": ("Å", "fs", "e", "Da"),
    "metal": ("Å", "ps", "e", "Da"),
    "si": ("m", "s", "C", "kg"),
    "cgs": ("cm", "s", "statC", "g"),
    "electron": ("bohr", "fs", "e", "Da"),
    "micro": ("μm", "μs", "pC", "pg"),
    "nano": ("nm", "ns", "e", "ag"),
}
"""Labels of length, time, charge and mass of a style of units; `lj` has none."""

PLACES = (("xu", "yu", "zu"), ("xsu", "ysu", "zsu"), ("x", "y", "z"), ("xs", "ys", "zs"))
"""Columns of positions, the best first: unwrapped (u), in fractions of the box (s)."""
IMAGES, VELOCITIES = ("ix", "iy", "iz"), ("vx", "vy", "vz")
INTEGERS = ("id", "type", *IMAGES)
COLUMNS = {"q", "mass", "element", *INTEGERS, *VELOCITIES, *(name for names in PLACES for name in names)}
"""All that is read."""


@dataclass
class _Header:
    """What the lines before the particles say; units hold for all frames, all else for one."""

    units: str = ""
    step: int | None = None
    time: float | None = None
    count: int = 0
    bounds: NDArray[np.float64] = field(default_factory=lambda: np.zeros((3, 2)))
    periodic: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(3, dtype=bool))
    unsaid: bool = True
    tilted: bool = False


@dataclass(frozen=True, eq=False)
class _Frame:
    """One frame: its header, its particles in the order of their ids."""

    header: _Header
    rows: NDArray[Any]


def _read_box(path: Path, stream: TextIO, named: str, header: _Header, frame: int) -> None:
    words = named.split()
    if "abc" in words:
        raise InputError(f"{path}: frame {frame}: a general triclinic box; expected a rectangular one")
    rows = [header_line(path, stream, frame).split() for _ in range(3)]
    try:
        numbers = np.array([[float(word) for word in row] for row in rows])
    except ValueError:
        raise InputError(f"{path}: frame {frame}: expected the bounds of the box; got {rows!r:.80}") from None
    if numbers.ndim != 2 or numbers.shape[1] not in (2, 3):
        raise InputError(f"{path}: frame {frame}: expected three lines of bounds; got {rows!r:.80}")
    header.tilted = numbers.shape[1] == 3 and bool(numbers[:, 2].any())
    header.bounds = numbers[:, :2]
    walls = [word for word in words if len(word) == 2 and set(word) <= set("pfsm")]
    header.unsaid = len(walls) != 3
    header.periodic = np.array([word == "pp" for word in walls] if len(walls) == 3 else [False] * 3)


def _frames(path: Path, stream: TextIO, header: _Header) -> Iterator[_Frame]:
    known: NDArray[Any] | None = None
    first, frame, columns = 0, 0, ""
    while (line := next_line(path, stream)) is not None:
        name, _, rest = line.removeprefix("ITEM: ").partition(" ")
        if not line.startswith("ITEM: "):
            raise InputError(f"{path}: frame {frame}: expected a line 'ITEM: ...'; got {line!r:.60}")
        if name == "UNITS":
            header.units = header_line(path, stream, frame).strip()
        elif name == "TIME":
            header.time = float(header_line(path, stream, frame))
        elif name == "TIMESTEP":
            header.step = int(header_line(path, stream, frame))
        elif line == "ITEM: NUMBER OF ATOMS":
            header.count = declared_count(path, header_line(path, stream, frame), frame)
        elif name == "BOX":
            _read_box(path, stream, rest, header, frame)
        elif name == "ATOMS":
            if header.step is None or not header.count:
                raise InputError(f"{path}: frame {frame}: ITEM: ATOMS before TIMESTEP and NUMBER OF ATOMS")
            if frame and rest != columns:
                raise InputError(f"{path}: frame {frame} has the columns {rest!r:.80}, frame 0 {columns!r:.80}")
            columns, first = rest, first or header.count
            refuse_ragged(path, header.count, first, frame)
            rows = _rows(path, stream, header.count, rest.split(), frame)
            if "id" in (rows.dtype.names or ()):
                order = by_id(path, rows["id"], known, frame)
                rows, known = rows[order], rows["id"][order]
            yield _Frame(replace(header), rows)
            header.step, header.time, header.count, frame = None, None, 0, frame + 1
        else:
            raise InputError(f"{path}: frame {frame}: {line!r:.60} is not of a dump of atoms")


def _rows(path: Path, stream: TextIO, count: int, names: list[str], frame: int) -> NDArray[Any]:
    kept = [(at, name) for at, name in enumerate(names) if name in COLUMNS]
    kinds = [(name, "U20" if name == "element" else "i8" if name in INTEGERS else "f8") for _, name in kept]
    if not kept or len(set(names)) < len(names):
        raise InputError(f"{path}: frame {frame}: ITEM: ATOMS names no positions, or a column twice")
    return particle_rows(path, stream, count, frame, np.dtype(kinds), tuple(at for at, _ in kept))


def _load(path: Path, split: str, hints: Hints) -> Imported:
    header = _Header()
    with frames_of_text(path, hints.progress) as stream:
        frames = list(_frames(path, stream, header))
    if not frames:
        raise InputError(f"{path}: no frames; expected 'ITEM: TIMESTEP' and what follows it")
    names = frames[0].rows.dtype.names or ()
    arrays, notes = _positions(path, frames, names)
    notes += open_end(path)
    n_dims = arrays["positions"].shape[-1]
    if set(VELOCITIES[:n_dims]) <= set(names):
        arrays["velocities"] = _columns(frames, VELOCITIES[:n_dims])
    for name, column in (("species", "type"), ("masses", "mass"), ("charges", "q")):
        if column in names:
            arrays[name] = constant(path, name, _stacked(frames, column))
    if "element" in names:
        found, said = named_species(constant(path, "element", _stacked(frames, "element")))
        arrays |= {name: found[name] for name in found if name == "species" or "mass" not in names}
        notes += () if "mass" in names else said
    if "id" not in names:
        notes = (*notes, "no ids: particles are taken in the order in which each frame has them")
    timed = all(frame.header.time is not None for frame in frames)
    arrays["times"] = np.array(
        [frame.header.time if timed else frame.header.step for frame in frames], dtype=np.float64
    )
    if frames[0].header.unsaid:
        notes = (*notes, "the dump does not say whether its box is periodic; taken for not")
    labels = dict(zip(("length", "time", "charge", "mass"), UNITS.get(header.units, ()), strict=False))
    if "masses" in arrays and "mass" not in names:
        labels["mass"] = "Da"
    return Imported(as_one_sample(arrays), "" if timed else "steps", labels, notes=notes)


def _stacked(frames: list[_Frame], name: str) -> NDArray[Any]:
    return np.stack([frame.rows[name] for frame in frames])


def _columns(frames: list[_Frame], names: tuple[str, ...]) -> NDArray[Any]:
    return np.stack([_stacked(frames, name) for name in names], axis=-1)


def _positions(path: Path, frames: list[_Frame], names: tuple[str, ...]) -> tuple[Arrays, tuple[str, ...]]:
    for kind in PLACES:
        columns = tuple(name for name in kind if name in names)
        if columns and columns == kind[: len(columns)]:
            break
    else:
        raise InputError(f"{path}: no positions; expected columns x y z, xu yu zu, xs ys zs or xsu ysu zsu")
    n_dims = len(columns)
    x = _columns(frames, columns)
    bounds = np.stack([frame.header.bounds[:n_dims] for frame in frames])
    lengths, wrapped = bounds[..., 1] - bounds[..., 0], not columns[0].endswith("u")
    if any(frame.header.tilted for frame in frames):
        if columns[0] != "xu":
            raise InputError(f"{path}: a triclinic box; expected a rectangular one, or the columns xu yu zu")
        return {"positions": x}, ("the box is triclinic, and left aside",)
    if columns[0].startswith("xs"):
        x = bounds[:, None, :, 0] + x * lengths[:, None, :]
    images = None
    if wrapped and set(IMAGES[:n_dims]) <= set(names):
        images = _columns(frames, IMAGES[:n_dims])
    return in_box(x, lengths, frames[0].header.periodic[:n_dims], images, wrapped)


def _recognised(path: Path) -> bool:
    return any(line.startswith("ITEM: ") for line in first_lines(path, 1))


LAMMPS = importer(
    "a LAMMPS dump",
    _load,
    _recognised,
    (".lammpstrj", ".lammpsdump", ".dump"),
    "a first line 'ITEM: ...'",
    kept=True,
)
