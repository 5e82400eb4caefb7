"""`python -m surrogate.studies.unit_systems --out DIR`: the same data in five unit systems, trained to one error.

300 trajectories of charges train, 100 others test; every system is read, scaled, trained and measured on its own.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from physics.cli import CommandParser, command_line, refuse_existing, run_command
from physics.datasets.reading import read_split
from physics.files import write_json
from physics.simulate import simulate
from physics.types import State, System
from surrogate.evaluation.single_forecasts import evaluation
from surrogate.inference.loading import load
from surrogate.tasks.dynamics.scales import Scales
from surrogate.training.config import load_config
from surrogate.training.run import train

EXAMPLES = ("python -m surrogate.studies.unit_systems --out out/units",)

SYSTEMS = {
    "reduced": Scales(),
    "SI": Scales(3.4e-10, 2.73e-14, 1.602176634e-19, 6.63e-26),
    "femtoseconds, Angstrom, e, Da": Scales(3.4, 27.3, 1.0, 39.95),
    "reduced, charges in coulombs": Scales(1.0, 1.0, 1.602176634e-19, 1.0),
    "kilometres, years, kg": Scales(1.5e8, 0.16, 1.0, 2e30),
}
"""Units of length, time, charge and mass, in those of the file."""
SPLITS = {"train": 300, "test": 100}


def written(folder: Path, units: Scales) -> dict[str, Path]:
    """The files of one system: (samples, 11, 4, 3), charges +-1, a softened Coulomb law that no file names."""
    rng, paths = np.random.default_rng(0), {}
    folder.mkdir(parents=True, exist_ok=True)
    for name, samples in SPLITS.items():
        q = rng.choice([-1.0, 1.0], (samples, 4))
        starts = zip(rng.standard_normal((samples, 4, 3)), 0.5 * rng.standard_normal((samples, 4, 3)), strict=True)
        runs = [
            simulate(System(charges, parameters={"eps": 0.2, "p": 2}), State(x, v), 1.0, n_frames=11)
            for charges, (x, v) in zip(q, starts, strict=True)
        ]
        paths[name] = folder / f"{name}.npz"
        np.savez(
            paths[name],
            positions=np.stack([run.positions for run in runs]) * units.length,
            velocities=np.stack([run.velocities for run in runs]) * units.speed,
            charges=q * units.charge,
            masses=np.full(q.shape, units.mass),
            times=runs[0].times * units.time,
        )
    return paths


def main(argv: Sequence[str]) -> None:
    """Parse the command line, then write, train and measure each system."""
    title = "Train on the same data in five unit systems."
    parser = CommandParser("surrogate.studies.unit_systems", title, EXAMPLES)
    parser.add_argument("--out", type=Path, required=True, help="folder for data, runs and units.json")
    parser.add_argument("--epochs", type=int, default=60, help="of each training (default 60)")
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    options = parser.parse_args(argv)
    refuse_existing(options.out, options.overwrite)
    command, found = command_line("surrogate.studies.unit_systems", argv), {}
    for number, (name, units) in enumerate(SYSTEMS.items()):
        folder = options.out / str(number)
        paths = written(folder, units)
        config = load_config("own-data", {"train.epochs": str(options.epochs)})
        config = replace(config, data=replace(config.data, paths=(str(paths["train"]),)))
        train(config, folder / "run", resume=False, device="cpu", command=command, quiet=True)
        measured = evaluation(load(folder / "run"), read_split(paths["test"], "test"), "test", rotations=1)
        found[name] = {"mse": measured["mse"], "relative_mse": measured["relative_mse"]}
        sys.stdout.write(f"{name:30}  mse {measured['mse']:.6g}  of x + v t {measured['relative_mse']:.9g}\n")
        sys.stdout.flush()
    write_json(options.out / "units.json", {"command": command, "results": found})


if __name__ == "__main__":
    sys.exit(run_command(main))
