"""GSD files of HOOMD-blue (schema hoomd), read with gsd: a frame has what frame 0 has where it has no other."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.formats.apart import apart
from physics.datasets.formats.base import Arrays, Hints, Imported, refuse_oversized
from physics.datasets.formats.importer import as_one_sample, constant, importer, optional_package, starts_with
from physics.datasets.formats.periodic import in_box
from physics.datasets.formats.text import refuse_ragged
from physics.errors import InputError

MAGIC = b"\xdf\x65" * 4
HEADER = np.dtype(
    [
        ("magic", "<u8"),
        ("index", "<u8"),
        ("entries", "<u8"),
        ("names", "<u8"),
        ("name_entries", "<u8"),
        ("versions", "<u4", 2),
        ("texts", "S64", 2),
        ("rest", "V80"),
    ]
)
ENTRY = np.dtype(
    [
        ("frame", "<u8"),
        ("rows", "<u8"),
        ("place", "<i8"),
        ("columns", "<u4"),
        ("name", "<u2"),
        ("kind", "u1"),
        ("flags", "u1"),
    ]
)
SIZES = (0, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 1)
"""Bytes of a number, by the kind of a chunk."""

DEFAULTS = {"particles/mass": 1}
"""Of the schema; 0 for all others that are read."""


def _refuse_damage(path: Path) -> None:
    """Refuse what points out of the file; the library would take any size for true."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        raw = stream.read(HEADER.itemsize)
        if len(raw) < HEADER.itemsize:
            raise InputError(f"{path}: {size} bytes; expected a header of {HEADER.itemsize}")
        header = np.frombuffer(raw, HEADER)[0]
        if header["texts"][1] != b"hoomd":
            raise InputError(f"{path}: the schema is {header['texts'][1]!r:.40}; expected 'hoomd'")
        index, count = int(header["index"]), int(header["entries"])
        names, name_count = int(header["names"]), int(header["name_entries"])
        if index + count * ENTRY.itemsize > size or names + name_count * 64 > size:
            raise InputError(f"{path}: its index lies past its {size} bytes: it is cut off or damaged")
        stream.seek(index)
        entries = np.frombuffer(stream.read(count * ENTRY.itemsize), ENTRY)
    entries = entries[entries["place"] != 0]
    widths = np.array(SIZES)[np.minimum(entries["kind"], len(SIZES) - 1)].astype(np.float64)
    ends = entries["place"] + entries["rows"].astype(np.float64) * entries["columns"] * widths
    if (entries["place"] < 0).any() or (ends > size).any():
        raise InputError(f"{path}: chunks lie past its {size} bytes: it is cut off or damaged")


class _Frames:
    """Chunks of particles, frame by frame."""

    def __init__(self, path: Path, file: Any) -> None:
        self.path, self.file, self.count = path, file, int(file.nframes)
        if not self.count:
            raise InputError(f"{path}: no frames")
        numbers = [self.chunk(frame, "particles/N") for frame in range(self.count)]
        self.n = 0 if numbers[0] is None else int(numbers[0][0])
        for frame, number in enumerate(numbers):
            refuse_ragged(path, self.n if number is None else int(number[0]), self.n, frame)
        if not self.n:
            raise InputError(f"{path}: no particles")
        refuse_oversized(path, 24 * self.count * self.n)

    def chunk(self, frame: int, name: str) -> NDArray[Any] | None:
        """A chunk of a frame, or else of frame 0."""
        for at in (frame, 0):
            if self.file.chunk_exists(frame=at, name=name):
                return np.asarray(self.file.read_chunk(frame=at, name=name))
        return None

    def changes(self, name: str) -> bool:
        """Whether a chunk is written in later frames than the first."""
        return any(self.file.chunk_exists(frame=frame, name=name) for frame in range(1, self.count))

    def stacked(self, name: str, shape: tuple[int, ...]) -> NDArray[Any] | None:
        """A chunk of all frames, its default where a frame has none; None where no frame has one."""
        found = [self.chunk(frame, name) for frame in range(self.count)]
        present = [chunk for chunk in found if chunk is not None]
        if not present:
            return None
        default = np.full(shape, DEFAULTS.get(name, 0), present[0].dtype)
        values = [default if chunk is None else chunk for chunk in found]
        for frame, chunk in enumerate(values):
            if chunk.shape != shape:
                raise InputError(f"{self.path}: frame {frame}: {name} must be {shape}; got {chunk.shape}")
        return np.stack(values)


def _load(path: Path, split: str, hints: Hints) -> Imported:
    fl = optional_package(path, "gsd.fl")
    with fl.open(name=str(path), mode="r") as file:
        frames = _Frames(path, file)
        arrays, notes = _positions(path, frames)
        steps = [frames.chunk(frame, "configuration/step") for frame in range(frames.count)]
        n_dims = arrays["positions"].shape[-1]
        velocities = frames.stacked("particles/velocity", (frames.n, 3))
        if velocities is not None and (frames.changes("particles/velocity") or frames.count == 1):
            arrays["velocities"] = velocities[..., :n_dims]
        elif velocities is not None:
            notes += ("velocities are stored for the first frame only, and left aside",)
        for name, chunk in (("species", "typeid"), ("masses", "mass"), ("charges", "charge")):
            values = frames.stacked(f"particles/{chunk}", (frames.n,))
            if values is not None:
                arrays[name] = constant(path, name, values)
    arrays["times"] = np.array([0 if step is None else int(step[0]) for step in steps], dtype=np.float64)
    counted = "steps"
    if frames.count > 1 and not arrays["times"].any():
        arrays["times"], counted = np.arange(frames.count, dtype=np.float64), "frames"
    return Imported(as_one_sample(arrays), counted, notes=notes)


def _positions(path: Path, frames: _Frames) -> tuple[Arrays, tuple[str, ...]]:
    x = frames.stacked("particles/position", (frames.n, 3))
    if x is None:
        raise InputError(f"{path}: no positions")
    said = frames.chunk(0, "configuration/dimensions")
    n_dims, notes = 3, tuple[str, ...]()
    if said is not None and int(said[0]) == 2:
        n_dims, notes = 2, ("two dimensions, as the file says: z is left out",)
    box = frames.stacked("configuration/box", (6,))
    if box is None:
        return {"positions": x[..., :n_dims]}, notes
    if box[:, 3:].any():
        raise InputError(f"{path}: a triclinic box; expected a rectangular one")
    images = frames.stacked("particles/image", (frames.n, 3))
    if images is not None and frames.count > 1 and not frames.changes("particles/image") and images.any():
        images = None  # of the first frame only
    arrays, more = in_box(
        x[..., :n_dims],
        box[:, :n_dims].astype(np.float64),
        np.ones(n_dims, dtype=bool),
        None if images is None else images[..., :n_dims],
    )
    return arrays, (*notes, *more)


GSD = importer(
    "a GSD file", apart(_load, _refuse_damage), lambda path: starts_with(path, MAGIC), (".gsd",), needs="gsd"
)
