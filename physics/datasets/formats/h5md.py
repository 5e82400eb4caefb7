"""H5MD, molecular data in HDF5 (de Buyl, Colberg and Höfling, 2014; version 1.1), read with h5py.

Links to other files are not followed.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.formats.apart import apart
from physics.datasets.formats.base import Arrays, Hints, Imported, refuse_oversized
from physics.datasets.formats.importer import constant, importer, optional_package, starts_with
from physics.datasets.formats.periodic import in_box, rectangular
from physics.datasets.formats.text import by_id
from physics.errors import InputError

MAGIC = b"\x89HDF\r\n\x1a\n"


def _item(path: Path, h5py: Any, group: Any, name: str) -> Any:
    """A member of a group, or None; links out of the file are refused."""
    if name not in group:
        return None
    if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
        raise InputError(f"{path}: {group.name}/{name} is a link to another file, which is not followed")
    return group[name]


def _values(path: Path, dataset: Any, what: str) -> NDArray[Any]:
    """The numbers of a dataset that lie in this file."""
    if not hasattr(dataset, "shape") or not hasattr(dataset, "is_virtual"):
        raise InputError(f"{path}: {what} is not a dataset")
    if dataset.is_virtual or dataset.external:
        raise InputError(f"{path}: {what} lies in another file, which is not followed")
    if dataset.dtype.kind not in "fiu":
        raise InputError(f"{path}: {what} must be numbers; got dtype {dataset.dtype}")
    refuse_oversized(path, dataset.size * dataset.dtype.itemsize)
    if dataset.size and not dataset.id.get_storage_size():
        raise InputError(f"{path}: {what} declares the shape {dataset.shape} and holds nothing")
    return np.asarray(dataset[()])


def _unit(dataset: Any) -> str:
    text = dataset.attrs.get("unit", "")
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)


class _Particles:
    """One group of particles: its elements by name, over the frames of the positions."""

    def __init__(self, path: Path, h5py: Any, group: Any) -> None:
        self.path, self.h5py, self.group = path, h5py, group
        self.units: dict[str, str] = {}
        self.notes: list[str] = []
        positions = self.element("position", "length")
        if positions is None or positions.ndim != 3:
            raise InputError(f"{path}: {group.name}: expected position/value (frames, particles, dims)")
        self.positions = positions
        self.times, self.counted = self._times()

    def element(self, name: str, quantity: str = "") -> NDArray[Any] | None:
        """An element's values, with frames where it depends on time."""
        found = _item(self.path, self.h5py, self.group, name)
        if found is None:
            return None
        dataset = found if not isinstance(found, self.h5py.Group) else _item(self.path, self.h5py, found, "value")
        if dataset is None:
            return None
        if quantity and (label := _unit(dataset)):
            self.units[quantity] = label
        return _values(self.path, dataset, f"{self.group.name}/{name}")

    def _times(self) -> tuple[NDArray[np.float64], str]:
        frames, element = len(self.positions), self.group["position"]
        for name, counted in (("time", ""), ("step", "steps")):
            dataset = _item(self.path, self.h5py, element, name)
            if dataset is None:
                continue
            values = _values(self.path, dataset, f"{element.name}/{name}").astype(np.float64)
            if values.ndim == 0:  # frames at equal distances
                values = float(dataset.attrs.get("offset", 0.0)) + values * np.arange(frames)
            if values.shape != (frames,):
                raise InputError(f"{self.path}: {element.name}/{name} must be ({frames},); got {values.shape}")
            if not counted and (label := _unit(dataset)):
                self.units["time"] = label
            return values, counted
        return np.arange(frames, dtype=np.float64), "frames"

    def of_frames(self, name: str) -> NDArray[Any] | None:
        """An element at the same frames as the positions; left aside where it is at others."""
        values = self.element(name)
        if values is not None and values.shape[:2] != self.positions.shape[:2]:
            self.notes.append(f"{name} is not at the frames of the positions, and left aside")
            return None
        return values

    def of_particles(self, name: str, quantity: str = "") -> NDArray[Any] | None:
        """An element that is constant in time."""
        values, n = self.element(name, quantity), self.positions.shape[1]
        if values is None:
            return None
        if values.ndim == 0:
            return np.full(n, values)
        if values.ndim == 2 and values.shape[1] == n:
            return constant(self.path, name, values)
        if values.shape != (n,):
            raise InputError(f"{self.path}: {self.group.name}/{name} must be ({n},); got {values.shape}")
        return values

    def arrays(self) -> Arrays:
        """Of one sample."""
        velocities, images = self.of_frames("velocity"), self.of_frames("image")
        kept = {"velocities": velocities, "images": images, "ids": self.of_frames("id")}
        columns: Arrays = {name: values for name, values in kept.items() if values is not None}
        columns["positions"] = self.positions
        self._sorted(columns)
        arrays = self._in_box(columns["positions"], columns.get("images"))
        if "velocities" in columns:
            arrays["velocities"] = columns["velocities"]
        for name, stored, quantity in (
            ("masses", "mass", "mass"),
            ("charges", "charge", "charge"),
            ("species",) * 3,
        ):
            values = self.of_particles(stored, quantity if quantity != "species" else "")
            if values is not None:
                arrays[name] = values
        return arrays | {"times": self.times}

    def _sorted(self, columns: Arrays) -> None:
        """Particles in the order of their ids, where these change places."""
        ids = columns.pop("ids", None)
        if ids is None or ids.ndim != 2 or (ids == ids[0]).all():
            return
        known = None
        for frame, row in enumerate(ids):
            order = by_id(self.path, row, known, frame)
            known = row[order]
            for values in columns.values():
                values[frame] = values[frame][order]

    def _in_box(self, x: NDArray[Any], images: NDArray[Any] | None) -> Arrays:
        box, n_dims = _item(self.path, self.h5py, self.group, "box"), x.shape[-1]
        edges = None if box is None else _Box(self.path, self.h5py, box).edges(len(x), n_dims)
        if box is None or edges is None:
            return {"positions": x}
        walls = box.attrs.get("boundary", [b"none"] * n_dims)
        names = [wall.decode() if isinstance(wall, bytes) else str(wall) for wall in np.atleast_1d(walls)]
        periodic = np.array([wall == "periodic" for wall in names])
        if len(periodic) != n_dims:
            raise InputError(f"{self.path}: {box.name}: boundary {names!r:.60}; expected {n_dims}")
        arrays, notes = in_box(x, edges, periodic, images)
        self.notes += notes
        return arrays


class _Box:
    """The box of a group of particles."""

    def __init__(self, path: Path, h5py: Any, group: Any) -> None:
        self.path, self.h5py, self.group = path, h5py, group

    def edges(self, frames: int, n_dims: int) -> NDArray[np.float64] | None:
        """Lengths (frames, dims), or None."""
        found = _item(self.path, self.h5py, self.group, "edges")
        moving = isinstance(found, self.h5py.Group)
        dataset = _item(self.path, self.h5py, found, "value") if moving else found
        if dataset is None:
            return None
        values = _values(self.path, dataset, f"{self.group.name}/edges").astype(np.float64)
        values = values if moving else values[None]
        if values.shape[1:] == (n_dims, n_dims):
            values = rectangular(self.path, values)
        if values.shape not in ((frames, n_dims), (1, n_dims)):
            raise InputError(
                f"{self.path}: {self.group.name}/edges must be ({n_dims},) a frame; got {values.shape}"
            )
        return np.broadcast_to(values, (frames, n_dims))


def _load(path: Path, split: str, hints: Hints) -> Imported:
    h5py = optional_package(path, "h5py")
    with h5py.File(path, "r") as file:
        particles = _item(path, h5py, file, "particles")
        if not isinstance(particles, h5py.Group) or not len(particles):
            raise InputError(f"{path}: no group 'particles', which H5MD has")
        names = ["all"] if "all" in particles else sorted(particles)
        groups = [_Particles(path, h5py, _item(path, h5py, particles, name)) for name in names]
        arrays = [group.arrays() for group in groups]
    first, notes = groups[0], [note for group in groups for note in group.notes]
    for group, found in zip(groups[1:], arrays[1:], strict=True):
        same = all(name in found and found[name].shape == values.shape for name, values in arrays[0].items())
        if not same or len(found) != len(arrays[0]) or (group.times != first.times).any():
            raise InputError(
                f"{path}: groups {', '.join(names):.80} of particles are unlike; expected one, or one named all"
            )
    if len(groups) > 1:
        notes.append(f"groups of particles are taken for samples: {', '.join(names):.80}")
    joined = {name: np.stack([found[name] for found in arrays]) for name in arrays[0] if name != "times"}
    return Imported({**joined, "times": first.times}, first.counted, first.units, notes=tuple(notes))


H5MD = importer(
    "an H5MD file", apart(_load), lambda path: starts_with(path, MAGIC), (".h5md", ".h5", ".hdf5"), needs="h5py"
)
