"""One small trajectory in a box, as the libraries and generators of each format's field write it."""

import csv
import warnings
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


def _universe(source):
    import MDAnalysis

    universe = MDAnalysis.Universe.empty(N, N, atom_resindex=range(N), trajectory=True, velocities=True)
    universe.add_TopologyAttr("name", [symbol.upper() for symbol in SYMBOLS])
    universe.add_TopologyAttr("resname", [symbol.upper() for symbol in SYMBOLS])
    universe.add_TopologyAttr("resid", range(1, N + 1))
    universe.add_TopologyAttr("elements", SYMBOLS)
    return universe


def _by_mdanalysis(path, source, positions, **options):
    """Frames by a writer of MDAnalysis: Å and ps there, whatever the file has; in single precision."""
    import MDAnalysis

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        universe = _universe(source)
        with MDAnalysis.Writer(str(path), N, **options) as writer:
            for k in range(FRAMES):
                ts = universe.trajectory.ts
                ts.positions, ts.velocities = positions[k], source.velocities[k]
                ts.dimensions = [*BOX, 90, 90, 90]
                ts.time, ts.frame = source.times[k], k
                writer.write(universe.atoms)
    return path


def _named():
    from ase.data import atomic_masses

    return {"species": NUMBERS[None], "masses": atomic_masses[NUMBERS][None], "box": BOX[None]}


LABELS = {"length": "Å", "time": "ps", "mass": "Da"}


def xtc(folder, source):
    """By MDAnalysis, beside a GRO file: a thousandth of a nm, no velocities."""
    _by_mdanalysis(folder / "run.gro", source, source.wrapped)
    path = _by_mdanalysis(folder / "run.xtc", source, source.wrapped)
    return Written(path, source.positions[None], times=source.times, units=LABELS, atol=6e-3, **_named())


def trr(folder, source):
    """By MDAnalysis, without names."""
    path = _by_mdanalysis(folder / "run.trr", source, source.wrapped)
    x, v = source.positions[None], source.velocities[None]
    units = {"length": "Å", "time": "ps"}
    return Written(path, x, v, box=BOX[None], times=source.times, units=units, atol=2e-6)


def dcd(folder, source):
    """By MDAnalysis, beside a PDB file; no velocities."""
    _by_mdanalysis(folder / "run.pdb", source, source.wrapped)
    path = _by_mdanalysis(folder / "run.dcd", source, source.wrapped, dt=STEP)
    return Written(path, source.positions[None], times=source.times, units=LABELS, atol=2e-6, **_named())


def netcdf(folder, source):
    """By MDAnalysis, as Amber does."""
    path = _by_mdanalysis(folder / "run.nc", source, source.wrapped, velocities=True)
    x, v = source.positions[None], source.velocities[None]
    units = {"length": "Å", "time": "ps"}
    return Written(path, x, v, box=BOX[None], times=source.times, units=units, atol=2e-6)


def gro(folder, source):
    """By MDAnalysis, a frame at a time: a thousandth of a nm; the time in the title, as GROMACS has it."""
    parts = []
    path = folder / "run.gro"
    for k in range(FRAMES):
        frame = Source(source.rng)
        frame.velocities = source.velocities[[k] * FRAMES]
        _by_mdanalysis(path, frame, source.wrapped[[k] * FRAMES])
        lines = path.read_text().splitlines(keepends=True)
        parts += [f"in water t= {source.times[k]:.5f} step= {k}\n", *lines[1:]]
    path.write_text("".join(parts))
    x, v = source.positions[None], source.velocities[None]
    return Written(path, x, v, times=source.times, units=LABELS, atol=6e-3, **_named())


def pdb(folder, source):
    """By MDAnalysis: a thousandth of an Å, models for frames, no times."""
    path = _by_mdanalysis(folder / "run.pdb", source, source.wrapped, multiframe=True)
    units = LABELS | {"time": "frame"}
    return Written(path, source.positions[None], times=np.arange(FRAMES), units=units, atol=6e-4, **_named())


def h5md(folder, source):
    """By h5py, as H5MD 1.1 says: wrapped positions with images, units, step and time shared by hard links."""
    import h5py

    path = folder / "run.h5md"
    with h5py.File(path, "w") as file:
        file.create_group("h5md").attrs["version"] = [1, 1]
        group = file.create_group("particles/atoms")
        for name, values, unit in (
            ("position", source.wrapped, "nm"),
            ("velocity", source.velocities, "nm ps-1"),
            ("image", source.images, ""),
        ):
            element = group.create_group(name)
            element["value"] = values
            if unit:
                element["value"].attrs["unit"] = unit
            if name == "position":
                element["step"], element["time"] = 10 * np.arange(FRAMES), source.times
                element["time"].attrs["unit"] = np.bytes_("ps")
            else:
                element["step"], element["time"] = group["position/step"], group["position/time"]
        box = group.create_group("box")
        box.attrs["dimension"], box.attrs["boundary"] = 3, [b"periodic"] * 3
        box["edges"] = BOX
        group["mass"], group["charge"], group["species"] = source.masses, source.charges, source.species
        group["charge"].attrs["unit"] = "e"
    units = {"length": "nm", "time": "ps", "charge": "e"}
    both = {name: getattr(source, name)[None] for name in ("charges", "masses", "species", "velocities")}
    return Written(
        path, source.positions[None], box=BOX[None], times=source.times, units=units, atol=1e-14, **both
    )


def gsd(folder, source):
    """By gsd.hoomd, in single precision, box about the origin, every step a multiple of 10."""
    import gsd.hoomd

    path = folder / "run.gsd"
    with gsd.hoomd.open(str(path), "w") as file:
        for k in range(FRAMES):
            frame = gsd.hoomd.Frame()
            frame.configuration.step, frame.configuration.box = 10 * k, [*BOX, 0, 0, 0]
            particles = frame.particles
            particles.N, particles.types, particles.typeid = N, ["A", "B", "C", "D", "E"], source.species
            particles.position, particles.image = source.wrapped[k] - BOX / 2, source.images[k]
            particles.velocity, particles.mass, particles.charge = (
                source.velocities[k],
                source.masses,
                source.charges,
            )
            file.append(frame)
    both = {name: getattr(source, name)[None] for name in ("charges", "masses", "species", "velocities")}
    times, units = 10 * np.arange(FRAMES), {"time": "step"}
    return Written(
        path, source.positions[None] - BOX / 2, box=BOX[None], times=times, units=units, atol=2e-6, **both
    )


def simulationarchive(folder, source):
    """By REBOUND: what it has integrated, bit by bit."""
    import rebound

    path = folder / "run.bin"
    simulation = rebound.Simulation()
    simulation.units = ("yr", "AU", "Msun")
    for m, x, v in zip(source.masses, source.positions[0], source.velocities[0], strict=True):
        simulation.add(m=m, x=x[0], y=x[1], z=x[2], vx=v[0], vy=v[1], vz=v[2])
    x, v = np.zeros((2, FRAMES, N, 3))
    times = []
    for k in range(FRAMES):
        simulation.integrate(STEP * k)
        simulation.save_to_file(str(path))
        simulation.serialize_particle_data(xyz=x[k], vxvyvz=v[k])
        times.append(simulation.t)
    units = {"length": "au", "time": "yr", "mass": "msun"}
    return Written(path, x[None], v[None], masses=source.masses[None], times=np.array(times), units=units)


WRITERS = {
    "npy-set": npy_set,
    "csv": table,
    "lammps-dump": lammps_dump,
    "extxyz": extxyz,
    "xyz": xyz,
    "gro": gro,
    "pdb": pdb,
    "xtc": xtc,
    "trr": trr,
    "dcd": dcd,
    "netcdf": netcdf,
    "h5md": h5md,
    "gsd": gsd,
    "simulationarchive": simulationarchive,
}
"""By the names of FORMATS."""
