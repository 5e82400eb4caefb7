"""Trajectories without names, XTC and TRR (GROMACS), DCD (CHARMM, NAMD), NetCDF (Amber), read with MDAnalysis.

Names, and with them species and masses, come from a GRO or PDB file of the same stem beside the file, or from one
that is given; charges, too, from a topology of CHARMM (PSF) or Amber (PRMTOP). Lengths are in Å and times in ps,
whatever the file has.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.datasets.formats.apart import apart
from physics.datasets.formats.base import Arrays, Hints, Imported, refuse_impossible, refuse_oversized
from physics.datasets.formats.elements import named_species
from physics.datasets.formats.importer import as_one_sample, importer, optional_package, starts_with
from physics.datasets.formats.molecules import GRO, NM, PDB, UNITS
from physics.datasets.formats.periodic import in_box, rectangular
from physics.datasets.formats.records import (
    TRR_MAGIC,
    XTC_MAGIC,
    lammps_clock,
    walk_dcd,
    walk_netcdf,
    walk_trr,
    walk_xtc,
)
from physics.datasets.formats.text import refuse_ragged
from physics.errors import InputError

RIGHT = 1e-3
"""Degrees by which the angles of a rectangular cell may be off."""

TOPOLOGIES = (".psf", ".prmtop", ".parm7")
"""Endings of files that name particles and hold no positions."""

Frame = tuple[float, NDArray[Any], NDArray[Any] | None, NDArray[np.float64] | None]
"""Time, positions, velocities, lengths of the box."""


def _gromacs(path: Path, kind: str) -> Iterator[Frame]:
    formats = optional_package(path, "MDAnalysis.lib.formats.libmdaxdr")
    with getattr(formats, f"{kind}File")(str(path)) as file:
        refuse_impossible(path, "atoms", int(file.n_atoms), 1)
        for frame in file:
            box = NM * rectangular(path, np.asarray(frame.box, dtype=np.float64))
            if kind == "TRR" and not frame.hasx:
                continue
            v = np.float32(NM) * frame.v if kind == "TRR" and frame.hasv else None
            yield float(frame.time), np.float32(NM) * frame.x, v, box if (box > 0).all() else None


def _xtc(path: Path, split: str, hints: Hints) -> Imported:
    return _joined(path, _gromacs(path, "XTC"), hints)


def _trr(path: Path, split: str, hints: Hints) -> Imported:
    return _joined(path, _gromacs(path, "TRR"), hints)


def _read_by(path: Path, module: str, reader: str) -> Iterator[Frame]:
    readers = optional_package(path, f"MDAnalysis.coordinates.{module}")
    with getattr(readers, reader)(str(path)) as frames:
        refuse_impossible(path, "atoms", int(frames.n_atoms), 12)
        refuse_impossible(path, "frames", int(frames.n_frames), 12)
        for ts in frames:
            box = None
            if ts.dimensions is not None and (ts.dimensions[:3] > 0).all():
                if (np.abs(ts.dimensions[3:] - 90.0) > RIGHT).any():
                    raise InputError(f"{path}: a triclinic box; expected a rectangular one")
                box = ts.dimensions[:3].astype(np.float64)
            yield float(ts.time), ts.positions.copy(), ts.velocities.copy() if ts.has_velocities else None, box


def _dcd(path: Path, split: str, hints: Hints) -> Imported:
    found = _joined(path, _read_by(path, "DCD", "DCDReader"), hints)
    clock = lammps_clock(path)
    if clock is None:
        note = "times are taken for those of CHARMM, as its header has them; programs differ"
        return replace(found, notes=(*found.notes, note) if not found.counted else found.notes)
    start, step = clock
    times = start + step * np.arange(len(found.arrays["times"]))
    units = {quantity: label for quantity, label in found.units.items() if quantity in ("mass", "charge")}
    note = "written by LAMMPS: lengths and times are in the units of its style, which the file does not say"
    return replace(
        found, arrays=found.arrays | {"times": times}, counted="", units=units, notes=(*found.notes, note)
    )


def _netcdf(path: Path, split: str, hints: Hints) -> Imported:
    return _joined(path, _read_by(path, "TRJ", "NCDFReader"), hints)


def _joined(path: Path, found: Iterator[Frame], hints: Hints) -> Imported:
    frames: list[Frame] = []
    for number, frame in enumerate(found):
        refuse_ragged(path, len(frame[1]), len(frames[0][1]) if frames else len(frame[1]), number)
        frames.append(frame)
    if not frames:
        raise InputError(f"{path}: no frames")
    refuse_oversized(path, 2 * sum(frame[1].nbytes for frame in frames))
    x = np.stack([frame[1] for frame in frames])
    boxes = [frame[3] for frame in frames if frame[3] is not None]
    arrays: Arrays = {"positions": x}
    notes: tuple[str, ...] = ()
    if len(boxes) == len(frames):
        arrays, notes = in_box(x, np.stack(boxes), np.ones(3, dtype=bool))
    velocities = [frame[2] for frame in frames if frame[2] is not None]
    if len(velocities) == len(frames):
        arrays["velocities"] = np.stack(velocities)
    elif velocities:
        notes += (f"velocities are stored for {len(velocities)} of {len(frames)} frames, and left aside",)
    times, counted = np.array([frame[0] for frame in frames]), ""
    if len(times) > 1 and (times == times[0]).all():
        times, counted = np.arange(len(times), dtype=np.float64), "frames"
    names, said = _names(path, hints.topology, x.shape[1])
    units = UNITS | ({"mass": "Da"} if "masses" in names else {}) | ({"charge": "e"} if "charges" in names else {})
    return Imported(as_one_sample(arrays | names | {"times": times}), counted, units, notes=notes + said)


def _names(path: Path, topology: Path | None, count: int) -> tuple[Arrays, tuple[str, ...]]:
    """Species and masses of a file that names the particles, and what it says."""
    beside = [path.with_suffix(ending) for ending in (*TOPOLOGIES, *GRO.endings, *PDB.endings)]
    there = topology or next((file for file in beside if file.is_file()), None)
    if there is None:
        return {}, (
            "no names: a GRO, PDB, PSF or PRMTOP file of the same stem beside it, or given with it, has them",
        )
    arrays, about = _topology(there) if there.suffix.lower() in TOPOLOGIES else _structure(path, there)
    if len(arrays["species"]) != count:
        raise InputError(f"{there}: names {len(arrays['species'])} particles; {path.name} has {count}")
    return arrays, (f"names are those of {there.name}", *about)


def _topology(path: Path) -> tuple[Arrays, tuple[str, ...]]:
    """Species, masses and charges of a topology."""
    atoms = optional_package(path, "MDAnalysis").Universe(str(path)).atoms
    named = atoms.elements if hasattr(atoms, "elements") and all(atoms.elements) else atoms.types
    arrays, notes = named_species([str(name).capitalize() for name in named])
    for name in ("masses", "charges"):
        if hasattr(atoms, name):
            arrays[name] = np.asarray(getattr(atoms, name), dtype=np.float64)
    return arrays, tuple(note for note in notes if "masses" not in note)


def _structure(path: Path, there: Path) -> tuple[Arrays, tuple[str, ...]]:
    """Species and masses of a file that has positions of its own."""
    row = next((row for row in (GRO, PDB) if row.load is not None and row.recognises(there)), None)
    if row is None or row.load is None:
        raise InputError(f"{there}: expected a GRO or PDB file that names the particles of {path.name}")
    found = row.load(there, "", Hints())
    arrays = {name: array[0] for name, array in found.arrays.items() if name in ("species", "masses")}
    return arrays, tuple(note for note in found.notes if note.startswith(("elements", "masses", "species")))


def _is_dcd(path: Path) -> bool:
    return starts_with(path, b"CORD", at=4) or starts_with(path, b"CORD", at=8)


def _begins(magic: int) -> Callable[[Path], bool]:
    return lambda path: starts_with(path, magic.to_bytes(4, "big"))


def _is_netcdf(path: Path) -> bool:
    return starts_with(path, b"CDF")


_OF_MDANALYSIS: Any = {"needs": "MDAnalysis", "wants_names": True}

XTC = importer("an XTC file", apart(_xtc, walk_xtc), _begins(XTC_MAGIC), (".xtc",), **_OF_MDANALYSIS)
TRR = importer("a TRR file", apart(_trr, walk_trr), _begins(TRR_MAGIC), (".trr",), **_OF_MDANALYSIS)
DCD = importer("a DCD file", apart(_dcd, walk_dcd), _is_dcd, (".dcd",), **_OF_MDANALYSIS)
NETCDF = importer(
    "an Amber NetCDF file", apart(_netcdf, walk_netcdf), _is_netcdf, (".nc", ".ncdf"), **_OF_MDANALYSIS
)
