"""`python -m surrogate.molecules`: QM9 as a data set for the task `molecules`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from physics.cli import CommandParser, positive_int, progress_bar, refuse_existing, run_command, staged_folder
from physics.errors import InputError
from surrogate.tasks.array_sets import write_npz, write_zarr
from surrogate.tasks.molecules.qm9 import MOLECULES, package_folder, published_split, read_qm9, sample

EXAMPLES = (
    "python -m surrogate.molecules --out data/qm9.zarr",
    "python -m surrogate.molecules --sample 300 --out resources/examples/qm9-sample.npz",
    "python -m surrogate.molecules --from unpacked/qm9pack/data --out data/qm9.zarr",
)


def main(argv: Sequence[str]) -> None:
    """Parse the command line, read QM9, check it, write it."""
    parser = CommandParser("surrogate.molecules", "Make a data set of QM9, with the published split.", EXAMPLES)
    parser.add_argument("--out", type=Path, required=True, metavar="SET", help="NAME.zarr")
    there = "folder with the package's files, where it is not installed"
    parser.add_argument("--from", type=Path, dest="source", metavar="FOLDER", help=there)
    few = "instead NAME.npz: the first 30 molecules and so many from all of them, evenly, in single precision"
    parser.add_argument("--sample", type=positive_int, metavar="K", help=few)
    parser.add_argument("--overwrite", action="store_true", help="replace an existing set")
    options = parser.parse_args(argv)
    ending = ".npz" if options.sample else ".zarr"
    if options.out.suffix != ending:
        raise InputError(f"{options.out}: expected a name that ends in {ending}")
    refuse_existing(options.out, options.overwrite)
    folder = options.source or package_folder()
    with progress_bar("reading", MOLECULES, "molecules") as advance:
        whole, checks = read_qm9(folder, advance)
    if options.sample:
        parts = {"sampled": sample(whole, options.sample)}
        few_arrays = parts["sampled"].arrays
        write_npz(options.out, {**few_arrays, "positions": few_arrays["positions"].astype(np.float32)})
    else:
        parts = published_split(whole)
        with staged_folder(options.out, options.overwrite) as staging:
            write_zarr(staging, {name: part.arrays for name, part in parts.items()})
    sys.stdout.write(
        f"{options.out}: {', '.join(f'{len(part):,} {name}' for name, part in parts.items())}\n"
        "checks: molecule 1 is methane as published; "
        f"gap - (lumo - homo) at most {checks.gap:.2g} hartree; charges sum to 0 within {checks.charge:.2g} e; "
        f"rotational constants of the geometries within {max(checks.rotation, 0):.2g} of the rounded records\n"
    )


if __name__ == "__main__":
    sys.exit(run_command(main))
