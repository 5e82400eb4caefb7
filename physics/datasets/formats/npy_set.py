"""Sets of .npy files: `loc_train_NAME.npy`, `vel_`, `charges_`, `edges_`, as generators of N-body data write them.

NRI, EGNN, ClofNet and SEGNN's charges store (samples, frames, dims, particles); SEGNN's gravity, EGNO and FastEGNN
(samples, frames, particles, dims). The other files of the set tell which. There are no times.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.formats.base import AXES, Arrays, Hints, Imported, in_our_order
from physics.datasets.formats.importer import importer
from physics.datasets.recipes import SPLITS
from physics.errors import InputError

NAME = re.compile(r"(loc|vel|charges|edges)(?:_(train|valid|val|test)(?![a-z0-9]))?(|[_-].*)\.npy")
EXPECTS = "loc_train_NAME.npy, or loc_NAME.npy, and vel_, charges_, edges_ beside it"
GRAVITY = "gravity"
"""In a name: the file of charges holds masses then (SEGNN)."""

ASKED = (
    "python -m physics.convert IN --axes samples,frames,dims,particles (or samples,frames,particles,dims) "
    "--out DATA.npz says which"
)


def _parts(path: Path) -> tuple[str, str, str] | None:
    """What a file holds, its split ("" for none), and the name of its set."""
    match = NAME.fullmatch(path.name)
    if match is None:
        return None
    kind, split, name = match.groups()
    return kind, {None: "", "val": "valid"}.get(split, split), name


def _members(path: Path) -> dict[tuple[str, str], Path]:
    """Files of the set by (split, kind)."""
    own = None if path.is_dir() else _parts(path)
    if own is None and not path.is_dir():
        raise InputError(f"{path}: not the name of a file of a set; expected {EXPECTS}")
    folder = path if own is None else path.parent
    found = [(file, parts) for file in sorted(folder.glob("*.npy")) if (parts := _parts(file))]
    names = sorted({name for _, (kind, _, name) in found if kind == "loc"}) if own is None else [own[2]]
    if len(names) != 1:
        listed = ", ".join(name or "(no name)" for name in names)
        raise InputError(
            f"{path}: holds {len(names)} sets ({listed:.200}); give a file of one; expected {EXPECTS}"
        )
    return {(split, kind): file for file, (kind, split, name) in found if name == names[0]}


def set_of(path: Path) -> tuple[Path, str]:
    """The folder and the name of the set that a path stands for: the same for all its files."""
    parts = None if path.is_dir() else _parts(path)
    return (path.resolve(), "") if parts is None else (path.resolve().parent, parts[2])


def _splits(path: Path) -> tuple[str, ...]:
    there = {split for split, kind in _members(path) if kind == "loc"}
    return tuple(split for split in SPLITS if split in there)


def _load(path: Path, split: str, hints: Hints) -> Imported:
    members = _members(path)
    splits = sorted({name for name, kind in members if kind == "loc"})
    wanted = split if any(splits) else ""
    if (wanted, "loc") not in members:
        raise InputError(f"{path}: no split {split!r}; it has {', '.join(splits) or 'no loc_*.npy'}")
    files = {kind: _opened(file) for (name, kind), file in members.items() if name == wanted}
    loc, where = files["loc"], members[wanted, "loc"]
    if loc.ndim != 4:
        raise InputError(f"{where}: expected four axes: samples, frames, particles, dims; got shape {loc.shape}")
    arrays: Arrays = {}
    notes: list[str] = []
    order = hints.axes or _axes(where, loc.shape, files)
    for name, kind in (("positions", "loc"), ("velocities", "vel")):
        if kind in files:
            if files[kind].shape != loc.shape:
                raise InputError(f"{where}: {loc.shape}, but {kind} is {files[kind].shape}; expected equal shapes")
            arrays[name] = in_our_order(where, files[kind], order)
    samples, frames, particles, _ = arrays["positions"].shape
    if "charges" in files:
        heavy = GRAVITY in where.name
        arrays["masses" if heavy else "charges"] = _of_particles(where, files["charges"], samples, particles)
        notes += ["masses are those of the file of charges, as the name says gravity"] if heavy else []
    if "edges" in files:
        if files["edges"].shape == (samples, particles, particles):
            arrays["edges"] = files["edges"]
        else:
            notes.append(f"edges of shape {files['edges'].shape} are no pairs of particles, and left aside")
    arrays["times"] = np.arange(frames, dtype=np.float64)
    return Imported(arrays, "frames", notes=tuple(notes))


def _opened(file: Path) -> NDArray[Any]:
    """A file, mapped: nothing of it is read yet; what it declares must be there."""
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # of damaged headers many kinds
        if "pickle" in str(error).lower() or "object" in str(error).lower():
            raise InputError(
                f"{file}: holds pickled objects, which are never loaded (NumPy makes them of samples with "
                "different numbers of particles); expected a plain array, a set for each number"
            ) from None
        raise InputError(f"{file}: not a whole .npy file ({' '.join(str(error).split()):.120})") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu" or 0 in array.shape:
        raise InputError(
            f"{file}: expected numbers; got {getattr(array, 'dtype', 'several arrays')}, empty or not"
        )
    return array


def _counts(files: dict[str, NDArray[Any]], samples: int) -> Iterator[int]:
    """Numbers of particles that charges and edges tell."""
    charges, edges = files.get("charges"), files.get("edges")
    if charges is not None:
        shape = charges.shape[1:] if len(charges) == samples and charges.ndim > 1 else charges.shape
        wide = [size for size in shape if size > 1]
        if len(wide) < 2:
            yield wide[0] if wide else 1
    if edges is not None and edges.ndim == 3 and len(edges) == samples and edges.shape[1] == edges.shape[2]:
        yield edges.shape[1]


def _axes(path: Path, shape: tuple[int, ...], files: dict[str, NDArray[Any]]) -> tuple[str, ...]:
    """Which of the last two axes counts the particles."""
    counts = set(_counts(files, shape[0]))
    if len(counts) > 1:
        raise InputError(f"{path}: charges and edges are of {' and '.join(map(str, sorted(counts)))} particles")
    if not counts:
        raise InputError(f"{path}: {shape}, and no charges or edges tell particles from dimensions; {ASKED}")
    count = counts.pop()
    if count not in shape[2:]:
        raise InputError(f"{path}: {shape}, but charges or edges are of {count} particles")
    if shape[2] == shape[3]:
        raise InputError(f"{path}: {shape}: as many particles as dimensions; {ASKED}")
    return AXES if shape[2] == count else ("samples", "frames", "dims", "particles")


def _of_particles(path: Path, array: NDArray[Any], samples: int, particles: int) -> NDArray[Any]:
    """(samples, particles) of an array that has them with axes of length 1, or the same for all samples."""
    if array.size == samples * particles and len(array) == samples:
        return array.reshape(samples, particles)
    if array.size == particles:
        return np.broadcast_to(array.reshape(particles), (samples, particles))
    raise InputError(
        f"{path}: charges of shape {array.shape}; expected {(samples, particles)}, with axes of 1 or not"
    )


def _recognised(path: Path) -> bool:
    if path.is_dir():
        return any((parts := _parts(file)) and parts[0] == "loc" for file in path.glob("*.npy"))
    if not path.is_file() or _parts(path) is None:
        return False
    with path.open("rb") as stream:
        return stream.read(6) == b"\x93NUMPY"


NPY_SET = importer(
    "a set of .npy files (loc_*, vel_*, charges_*, edges_*)",
    _load,
    _recognised,
    (".npy",),
    EXPECTS,
    splits=_splits,
)
