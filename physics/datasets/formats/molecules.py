"""Structures with names, GRO (GROMACS) and PDB, of one frame or many: text in columns. Read with NumPy alone.

Lengths are in Å and times in ps, as in MDAnalysis, whatever the file has.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.formats.base import Arrays, Hints, Imported
from physics.datasets.formats.elements import SYMBOLS, named_species
from physics.datasets.formats.importer import as_one_sample, constant, importer
from physics.datasets.formats.periodic import SAME, in_box
from physics.datasets.formats.text import (
    declared_count,
    first_lines,
    frames_of_text,
    header_line,
    next_line,
    open_end,
    refuse_ragged,
)
from physics.errors import InputError

UNITS = {"length": "Å", "time": "ps"}
NM = 10.0
"""Å."""
GRO_NAMES = 20
"""Columns before the coordinates: residue, its name, the atom's name, its number."""
GRO_TIME = re.compile(r"\bt=\s*([-+.\deE]+)")
GUESSED = "elements are guessed from the names of atoms"


def element_of(residue: str, atom: str) -> str:
    """The symbol of an atom by its name: an ion's where the residue is named alike, else of its first letter."""
    letters = re.sub("[^A-Za-z]", "", atom)
    if (whole := letters.capitalize()) in SYMBOLS and re.sub("[^A-Za-z]", "", residue).upper() == letters.upper():
        return whole
    return letters[:1].upper() if letters[:1].upper() in SYMBOLS else atom


def names_of(elements: NDArray[np.str_], guessed: bool) -> tuple[Arrays, tuple[str, ...]]:
    """Species and masses by symbols, and what is to be said of them."""
    arrays, notes = named_species(elements)
    return arrays, ((GUESSED, *notes) if guessed and "masses" in arrays else notes)


def _columns(path: Path, lines: list[str], first: int, width: int, count: int, frame: int) -> NDArray[np.float64]:
    """Numbers (lines, count) in columns of one width, from a character on."""
    stop = first + width * count
    table = np.array([line[first:stop].ljust(stop - first) for line in lines], dtype=f"U{stop - first}")
    try:
        cells = table.view("U1").reshape(len(lines), count, width)
        return np.ascontiguousarray(cells).view(f"U{width}")[..., 0].astype(np.float64)
    except ValueError as error:
        raise InputError(f"{path}: frame {frame}: {' '.join(str(error).split()):.120}") from None


def _gro(path: Path, split: str, hints: Hints) -> Imported:
    x: list[NDArray[np.float64]] = []
    v: list[NDArray[np.float64]] = []
    boxes: list[list[float]] = []
    times: list[float | None] = []
    names: list[list[str]] = []
    with frames_of_text(path, hints.progress) as stream:
        while (title := next_line(path, stream)) is not None:
            if not title.strip() and x:
                continue
            frame = len(x)
            count = declared_count(path, header_line(path, stream, frame).strip(), frame)
            refuse_ragged(path, count, len(x[0]) if x else count, frame)
            lines = [header_line(path, stream, frame) for _ in range(count)]
            dots = [k for k, letter in enumerate(lines[0]) if letter == "." and k >= GRO_NAMES]
            width = dots[1] - dots[0] if len(dots) > 2 else 0
            if width < 5:
                raise InputError(f"{path}: frame {frame}: expected coordinates in columns; got {lines[0]!r:.80}")
            x.append(NM * _columns(path, lines, GRO_NAMES, width, 3, frame))
            if len(dots) >= 6:
                v.append(NM * _columns(path, lines, GRO_NAMES + 3 * width, width, 3, frame))
            names.append([line[5:15] for line in lines])
            found = GRO_TIME.search(title)
            times.append(float(found[1]) if found else None)
            boxes.append([NM * float(word) for word in header_line(path, stream, frame).split()])
    if not x:
        raise InputError(f"{path}: no frames; expected a title, a number of atoms, and a line for each")
    arrays, notes = _in_gro_box(path, np.stack(x), boxes)
    if len(v) == len(x):
        arrays["velocities"] = np.stack(v)
    named = constant(path, "the name", np.array(names))
    elements = [element_of(str(name)[:5].strip(), str(name)[5:].strip()) for name in named]
    return _imported(path, arrays, np.array(elements), True, times, notes)


def _in_gro_box(path: Path, x: NDArray[Any], boxes: list[list[float]]) -> tuple[Arrays, tuple[str, ...]]:
    """Three lengths, or nine numbers of which the last six tilt the box; zeros for no box."""
    if any(len(box) not in (3, 9) for box in boxes):
        raise InputError(f"{path}: expected a box of 3 or 9 numbers; got {boxes[0]!r:.80}")
    if any(abs(number) > SAME for box in boxes for number in box[3:]):
        raise InputError(f"{path}: a triclinic box; expected a rectangular one")
    lengths = np.array([box[:3] for box in boxes])
    return in_box(x, lengths, np.full(3, bool((lengths > 0).all())))


def _imported(
    path: Path,
    arrays: Arrays,
    elements: NDArray[np.str_],
    guessed: bool,
    times: list[float | None],
    notes: tuple[str, ...],
) -> Imported:
    found, said = names_of(elements, guessed)
    timed = all(time is not None for time in times)
    arrays["times"] = np.array(times if timed else np.arange(len(times)), dtype=np.float64)
    units = UNITS | ({"mass": "Da"} if "masses" in found else {})
    notes = (*notes, *said, *open_end(path))
    return Imported(as_one_sample(arrays | found), "" if timed else "frames", units, notes=notes)


def _pdb(path: Path, split: str, hints: Hints) -> Imported:
    models: list[list[str]] = [[]]
    cell = None
    with frames_of_text(path, hints.progress) as stream:
        while (line := next_line(path, stream)) is not None:
            if line.startswith(("ATOM  ", "HETATM")):
                models[-1].append(line)
            elif line.startswith(("ENDMDL", "END")) and models[-1]:
                models.append([])
            elif line.startswith("CRYST1") and cell is None:
                cell = _columns(path, [line], 6, 9, 3, 0)[0], [float(word) for word in line[33:54].split()]
    if not models[-1]:
        models.pop()
    if not models:
        raise InputError(f"{path}: no lines ATOM or HETATM")
    for frame, lines in enumerate(models):
        refuse_ragged(path, len(lines), len(models[0]), frame)
    x = np.stack([_columns(path, lines, 30, 8, 3, frame) for frame, lines in enumerate(models)])
    arrays, notes = {"positions": x}, tuple[str, ...]()
    if cell is not None and (cell[0] > 1.0).all():  # a unit cell of 1 Å stands for none
        if any(abs(angle - 90.0) > 1e-3 for angle in cell[1]):
            raise InputError(f"{path}: a triclinic cell; expected angles of 90")
        arrays, notes = in_box(x, np.broadcast_to(cell[0], (len(x), 3)), np.ones(3, dtype=bool))
    symbols = [line[76:78].strip().capitalize() for line in models[0]]
    guessed = not all(symbol in SYMBOLS for symbol in symbols)
    if guessed:
        symbols = [element_of(line[17:20].strip(), line[12:16].strip()) for line in models[0]]
    return _imported(path, arrays, np.array(symbols), guessed, [None] * len(models), notes)


def _is_gro(path: Path) -> bool:
    lines = first_lines(path, 3)
    return (
        len(lines) == 3
        and lines[1].strip().isdecimal()
        and len(lines[2]) > GRO_NAMES
        and lines[2][:5].strip().isdecimal()
        and lines[2][15:20].strip().isdecimal()
        and "." in lines[2][GRO_NAMES:]
    )


def _is_pdb(path: Path) -> bool:
    marks = ("HEADER", "TITLE ", "REMARK", "CRYST1", "MODEL ", "ATOM  ", "HETATM")
    lines = first_lines(path, 100)
    return (
        bool(lines) and lines[0].startswith(marks) and any(line.startswith(("ATOM  ", "HETATM")) for line in lines)
    )


GRO = importer("a GRO file", _gro, _is_gro, (".gro",), names_particles=True, kept=True)
PDB = importer("a PDB file", _pdb, _is_pdb, (".pdb", ".ent"), names_particles=True, kept=True)
