"""Simulation archives of REBOUND, read with rebound: one sample, a frame a snapshot."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from physics.datasets.formats.apart import apart
from physics.datasets.formats.base import Arrays, Hints, Imported
from physics.datasets.formats.importer import as_one_sample, constant, importer, optional_package, starts_with
from physics.datasets.formats.periodic import in_box
from physics.datasets.formats.text import refuse_ragged
from physics.errors import InputError

MAGIC = b"REBOUND Binary File"
QUANTITIES = ("length", "time", "mass")
SUMMED = ("basic", "compensated", "tree")
"""Kinds of gravity that are the full sum over pairs, or stand for it."""


def _load(path: Path, split: str, hints: Hints) -> Imported:
    rebound = optional_package(path, "rebound")
    with tempfile.TemporaryDirectory(prefix="isotwin-") as folder:
        link = Path(folder) / "archive.bin"  # rebound takes no name but ASCII
        link.symlink_to(path.resolve())
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            archive = rebound.Simulationarchive(str(link))
            snapshots = [_snapshot(path, simulation, frame) for frame, simulation in enumerate(archive)]
            first = archive[0]
    if any("corrupted" in str(one.message) for one in said):
        raise InputError(f"{path}: damaged: {' '.join(str(said[0].message).split()):.120}")
    kept = [k for k, (t, *_) in enumerate(snapshots) if k == 0 or t != snapshots[k - 1][0]]
    for frame in kept:
        refuse_ragged(path, len(snapshots[frame][1]), len(snapshots[0][1]), frame)
    x, v, m = (np.stack([snapshots[frame][part] for frame in kept]) for part in (1, 2, 3))
    arrays: Arrays = {"velocities": v, "masses": constant(path, "masses", m)}
    arrays["times"] = np.array([snapshots[frame][0] for frame in kept])
    notes: tuple[str, ...] = ()
    if len(kept) < len(snapshots):
        notes = (f"snapshots that repeat a time are left out: {len(snapshots) - len(kept)}",)
    periodic = np.full(3, first.boundary == "periodic")
    lengths = float(first.root_size) * np.array([[first.N_root_x, first.N_root_y, first.N_root_z]])
    found, said_too = in_box(x, np.repeat(lengths, len(x), axis=0), periodic)
    recipe: dict[str, Any] = {}
    if first.gravity in SUMMED and first.boundary in ("none", "open") and first.N_active >= first.N:
        recipe = {"law": "gravity", "parameters": {"G": float(first.G), "eps": float(first.softening)}}
        notes += (
            f"the law is taken for gravity, G = {first.G:g}, softening {first.softening:g}; forces beside "
            "REBOUND's own are not in its files",
        )
    units = {name: str(label) for name, label in first.units.items() if name in QUANTITIES and label}
    return Imported(as_one_sample(arrays | found), "", units, recipe, notes + said_too)


def _snapshot(path: Path, simulation: Any, frame: int) -> tuple[float, Any, Any, Any]:
    """Time, positions, velocities and masses of the real particles."""
    count = simulation.N - max(simulation.N_var, 0)
    if count < 1:
        raise InputError(f"{path}: snapshot {frame} has no particles")
    x, v, m = np.zeros((simulation.N, 3)), np.zeros((simulation.N, 3)), np.zeros(simulation.N)
    simulation.serialize_particle_data(xyz=x, vxvyvz=v, m=m)
    return float(simulation.t), x[:count], v[:count], m[:count]


REBOUND = importer(
    "a REBOUND archive", apart(_load), lambda path: starts_with(path, MAGIC), (".bin", ".sa"), needs="rebound"
)
