"""`python -m surrogate.studies.example_data --out DIR`: the two files of docs/own-data.md, made by the engine.

`beads.csv` has many short trajectories, `ions.lammpstrj` one long one; neither says under which law.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from physics.cli import CommandParser, run_command
from physics.files import atomic_write
from physics.simulate import simulate
from physics.types import FloatArray, State, System, Trajectory

EXAMPLES = ("python -m surrogate.studies.example_data --out resources/examples",)
COULOMB = 8.9875517873681764e9
"""N m^2 / C^2"""
ELEMENTARY = 1.602176634e-19
"""C"""
BERYLLIUM = 9.0121831 * 1.66053906660e-27
"""kg"""


def beads() -> str:
    """Beads of 1 g with charges of 2.5 to 10 nC on an air table: mm, s, nC; 60 samples of 16 frames.

    The law is Coulomb's in the plane, softened over 6 mm.
    """
    rng = np.random.default_rng(7)
    length, charge, frame = 30.0, 5.0, 0.04  # mm, nC, s
    constant = COULOMB * 1e6 * 1e6 * 1e-18  # g mm^3 / (s nC)^2: 1 N is 1e6 g mm / s^2
    time = np.sqrt(length**3 / (constant * charge**2))  # of 1 g
    rows = ["sample,time,particle,x0,x1,v0,v1,charge"]
    for sample in range(60):
        q = rng.uniform(0.5, 2.0, 3) * rng.choice([-1.0, 1.0], 3)
        start = State(rng.standard_normal((3, 2)), _at_rest(0.5 * rng.standard_normal((3, 2))))
        system = System(q, law="coulomb", parameters={"eps": 0.2, "p": 2})
        made = simulate(system, start, 15 * frame / time, n_frames=16)
        for f, (x, v) in enumerate(zip(made.positions * length, made.velocities * length / time, strict=True)):
            for i in range(3):
                numbers = ",".join(f"{value:.6g}" for value in (*x[i], *v[i], q[i] * charge))
                rows.append(f"{sample},{f * frame:.6g},{i},{numbers}")
    return "\n".join(rows) + "\n"


def ions() -> str:
    """Eight beryllium ions in a trap, 400 frames, LAMMPS units micro (um, us, pC; steps of 1 ns, every fourth).

    Ions repel each other by Coulomb's law, softened over 0.3 um, and every pair is held by a weak spring.
    """
    rng = np.random.default_rng(11)
    length, frame = 3.0, 0.004  # um, us
    time = np.sqrt(BERYLLIUM * (length * 1e-6) ** 3 / (COULOMB * ELEMENTARY**2)) * 1e6  # us
    start = State(rng.standard_normal((8, 3)), _at_rest(0.5 * rng.standard_normal((8, 3))))
    system = System(np.ones(8), law="spring+coulomb", parameters={"spring.k": 4.0, "coulomb.eps": 0.1})
    made: Trajectory = simulate(system, start, 399 * frame / time, n_frames=400)
    lines = []
    for f, (x, v) in enumerate(zip(made.positions * length, made.velocities * length / time, strict=True)):
        lines += ["ITEM: UNITS", "micro"] if f == 0 else []
        lines += ["ITEM: TIMESTEP", str(4 * f), "ITEM: NUMBER OF ATOMS", "8"]
        lines += ["ITEM: BOX BOUNDS ff ff ff", *["-30 30"] * 3, "ITEM: ATOMS id type q x y z vx vy vz"]
        for i in range(8):
            numbers = " ".join(f"{value:.6g}" for value in (1e12 * ELEMENTARY, *x[i], *v[i]))
            lines.append(f"{i + 1} 1 {numbers}")
    return "\n".join(lines) + "\n"


def _at_rest(velocities: FloatArray) -> FloatArray:
    """Without the mean."""
    return np.asarray(velocities - velocities.mean(axis=0))


FILES = {"beads.csv": beads, "ions.lammpstrj": ions}


def main(argv: Sequence[str]) -> None:
    """Parse the command line and write."""
    parser = CommandParser(
        "surrogate.studies.example_data", "Write the example files of docs/own-data.md.", EXAMPLES
    )
    parser.add_argument("--out", type=Path, required=True, help="folder; files of these names are replaced")
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, made in FILES.items():
        atomic_write(options.out / name, made().encode())
        sys.stdout.write(f"{options.out / name}\n")


if __name__ == "__main__":
    sys.exit(run_command(main))
