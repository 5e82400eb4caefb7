"""One small trajectory in a box, as the libraries and generators of each format's field write it."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

N, FRAMES, STEP = 6, 5, 0.25
BOX = np.array([4.0, 5.0, 6.0])
SYMBOLS = ["H", "O", "H", "Na", "Cl", "O"]
NUMBERS = np.array([1, 8, 1, 11, 17, 8])


@dataclass
class Source:
    """What was written: straight lines through a periodic box, in float64."""

    rng: np.random.Generator
    charges: np.ndarray = field(default_factory=lambda: np.array([0.5, -1.0, 0.5, 1.0, -1.0, 0.25]))
    masses: np.ndarray = field(default_factory=lambda: np.array([1.0, 16.0, 1.5, 23.0, 35.5, 16.0]))
    species: np.ndarray = field(default_factory=lambda: np.array([1, 2, 1, 3, 4, 2]))

    def __post_init__(self):
        self.times = STEP * np.arange(FRAMES)
        start = self.rng.uniform(0, 1, (N, 3)) * BOX
        velocity = self.rng.normal(0, 1.0, (N, 3))
        velocity[0] = [3.0, -3.0, 0.0]  # leaves the box
        self.positions = start + velocity * self.times[:, None, None]
        self.velocities = np.broadcast_to(velocity, self.positions.shape).copy()
        self.images = np.floor(self.positions / BOX).astype(int)
        self.wrapped = self.positions - self.images * BOX


@dataclass
class Written:
    """A file and what reading it must give, (samples, ...) as in a data set; None for what it does not hold."""

    path: Path
    positions: np.ndarray
    velocities: np.ndarray | None = None
    charges: np.ndarray | None = None
    masses: np.ndarray | None = None
    species: np.ndarray | None = None
    box: np.ndarray | None = None
    times: np.ndarray | None = None
    units: dict = field(default_factory=dict)
    atol: float = 0.0
    """Of the digits or the dtype of the format."""


def npy_set(folder, source):
    """As the generators of EGNN and NRI: (samples, frames, dims, particles), charges (samples, particles, 1)."""
    x = np.stack([source.positions, source.positions + 1])
    v = np.stack([source.velocities, source.velocities])
    q = np.stack([source.charges, -source.charges])
    for kind, array in {
        "loc": x.transpose(0, 1, 3, 2),
        "vel": v.transpose(0, 1, 3, 2),
        "charges": q[..., None],
        "edges": q[:, :, None] * q[:, None, :],
    }.items():
        for split in ("train", "valid", "test"):
            np.save(folder / f"{kind}_{split}_charged6_initvel1small.npy", array)
    units = {"time": "frame"}
    times = np.arange(FRAMES)
    return Written(folder / "loc_test_charged6_initvel1small.npy", x, v, q, times=times, units=units)


def table(folder, source):
    """By the csv module, rows in any order."""
    path = folder / "table.csv"
    rows = [
        [s, t, f"p{i}", *x[i], *v[i], source.charges[i], source.masses[i], source.species[i]]
        for s in (0, 1)
        for t, x, v in zip(source.times, source.positions + s, source.velocities, strict=True)
        for i in range(N)
    ]
    source.rng.shuffle(rows)
    with path.open("w", newline="") as stream:
        names = ["sample", "time", "particle", "x0", "x1", "x2", "v0", "v1", "v2", "charge", "mass", "species"]
        csv.writer(stream).writerows([names, *rows])
    x = np.stack([source.positions, source.positions + 1])
    both = {name: np.stack([getattr(source, name)] * 2) for name in ("charges", "masses", "species", "velocities")}
    return Written(path, x, times=source.times, **both)


def lammps_dump(folder, source):
    """As LAMMPS's `dump custom`, atoms in any order, with `dump_modify units yes time yes`."""
    path = folder / "run.lammpstrj"
    with path.open("w") as stream:
        stream.write("ITEM: UNITS\nmetal\n")
        for k in range(FRAMES):
            stream.write(f"ITEM: TIME\n{source.times[k]}\nITEM: TIMESTEP\n{100 * k}\nITEM: NUMBER OF ATOMS\n{N}\n")
            stream.write("ITEM: BOX BOUNDS pp pp pp\n" + "".join(f"0 {length:.16e}\n" for length in BOX))
            stream.write("ITEM: ATOMS id type mass q x y z ix iy iz vx vy vz\n")
            for i in source.rng.permutation(N):
                numbers = [*source.wrapped[k, i], *source.images[k, i], *source.velocities[k, i]]
                row = [i + 1, source.species[i], source.masses[i], source.charges[i], *numbers]
                stream.write(" ".join(f"{value:.17g}" for value in row) + " \n")
    return Written(
        path,
        source.positions[None],
        source.velocities[None],
        source.charges[None],
        source.masses[None],
        source.species[None],
        BOX[None],
        source.times,
        {"length": "Å", "time": "ps", "charge": "e", "mass": "Da"},
        atol=1e-14,
    )


def _atoms(source, wrapped):
    import ase
    from ase import units

    frames = []
    for k in range(FRAMES):
        x = source.wrapped[k] if wrapped else source.positions[k]
        atoms = ase.Atoms(SYMBOLS, positions=x, cell=BOX, pbc=True)
        atoms.set_masses(source.masses)
        atoms.set_velocities(source.velocities[k])
        atoms.set_initial_charges(source.charges)
        atoms.info["time"] = source.times[k] / units.fs * units.fs
        frames.append(atoms)
    return frames


def extxyz(folder, source):
    """By ASE: eight digits after the point; momenta, which readers divide by the masses."""
    from ase.io import write

    path = folder / "run.extxyz"
    write(path, _atoms(source, wrapped=True))
    rest = (source.charges[None], source.masses[None], NUMBERS[None], BOX[None], source.times)
    return Written(path, source.positions[None], source.velocities[None], *rest, atol=2e-8)


def xyz(folder, source):
    """By ASE, which writes neither velocities nor times nor a box."""
    from ase.data import atomic_masses
    from ase.io import write

    path = folder / "run.xyz"
    write(path, _atoms(source, wrapped=False), format="xyz")
    masses = atomic_masses[NUMBERS]
    times, units = np.arange(FRAMES), {"time": "frame", "mass": "Da"}
    kinds = {"masses": masses[None], "species": NUMBERS[None]}
    return Written(path, source.positions[None], times=times, units=units, atol=1e-14, **kinds)


WRITERS = {
    "npy-set": npy_set,
    "csv": table,
    "lammps-dump": lammps_dump,
    "extxyz": extxyz,
    "xyz": xyz,
}
"""By the names of FORMATS."""
