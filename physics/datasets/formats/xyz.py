"""XYZ: for each frame a count, a comment, and a line `name x y z` for every particle. Read with NumPy alone."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.formats.base import Hints, Imported
from physics.datasets.formats.elements import named_species
from physics.datasets.formats.importer import as_one_sample, constant, importer
from physics.datasets.formats.text import (
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

NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?)"
TIME = re.compile(rf"(?<![a-z])(?:time|t)\s*[=:]\s*{NUMBER}", re.IGNORECASE)
STEP = re.compile(rf"(?<![a-z])(?:time_?step|step|i)\s*[=:]\s*{NUMBER}(?!\.)", re.IGNORECASE)
EXPECTS = "a number of particles, a comment, and a line 'name x y z' for each"
ROW = np.dtype([("name", "U20"), ("x", "f8"), ("y", "f8"), ("z", "f8")])


def _load(path: Path, split: str, hints: Hints) -> Imported:
    comments: list[str] = []
    frames: list[NDArray[Any]] = []
    more = 0
    with frames_of_text(path, hints.progress) as stream:
        while (line := next_line(path, stream)) is not None:
            if not line.strip():
                continue
            count = declared_count(path, line, len(frames))
            refuse_ragged(path, count, len(frames[0]) if frames else count, len(frames))
            comments.append(header_line(path, stream, len(frames)))
            at = stream.tell() if not frames else 0
            if not frames:
                more = len(header_line(path, stream, 0).split()) - 4
                stream.seek(at)
            frames.append(particle_rows(path, stream, count, len(frames), ROW, (0, 1, 2, 3)))
    if not frames:
        raise InputError(f"{path}: no frames; expected {EXPECTS}")
    found, notes = named_species(constant(path, "name", np.stack([rows["name"] for rows in frames])))
    x = np.stack([np.stack([rows[axis] for axis in "xyz"], axis=-1) for rows in frames])
    times, counted = comment_times(comments)
    notes += open_end(path)
    if more > 0:
        notes = (*notes, f"{more} more columns left aside: plain XYZ does not say what they are")
    units = {"mass": "Da"} if "masses" in found else {}
    return Imported(as_one_sample({"positions": x, "times": times, **found}), counted, units, notes=notes)


def comment_times(comments: list[str]) -> tuple[NDArray[np.float64], str]:
    """Times of frames by their comments ("time = 0.5"), or steps ("Timestep: 100"), or frames; and which."""
    for pattern, counted in ((TIME, ""), (STEP, "steps")):
        found = [pattern.search(comment) for comment in comments]
        if all(found):
            numbers = [float(match[1].upper().replace("D", "E")) for match in found if match]
            return np.array(numbers), counted
    return np.arange(len(comments), dtype=np.float64), "frames"


def is_xyz(path: Path, extended: bool) -> bool:
    """Whether a file begins as XYZ does, and with the comment of the extended or the plain kind."""
    lines = first_lines(path, 3)
    if len(lines) < 3 or not lines[0].strip().isdecimal() or len(lines[2].split()) < (1 if extended else 4):
        return False
    return ("properties=" in lines[1].lower()) == extended


XYZ = importer("an XYZ file", _load, lambda path: is_xyz(path, extended=False), (".xyz",), EXPECTS, kept=True)
