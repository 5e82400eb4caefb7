"""`python -m physics.convert`: files of others as data sets of ours, .npz or Zarr.

Several files are several samples. What a file does not say (axes, the time of a step, box, charges, masses, units)
is given by options; what is guessed, filled in or left aside is said in a line each.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from physics.cli import (
    CommandParser,
    command_line,
    positive_float,
    positive_int,
    progress_bar,
    refuse_existing,
    run_command,
)
from physics.datasets.changes import Changes, changed, joined
from physics.datasets.checks import QUANTITIES
from physics.datasets.formats import FORMATS
from physics.datasets.formats.base import AXES, Format, Hints, Imported
from physics.datasets.formats.importer import checked
from physics.datasets.formats.mdanalysis import TOPOLOGIES
from physics.datasets.formats.npy_set import set_of
from physics.datasets.reading import format_of
from physics.datasets.split import NO_POSITIONS
from physics.datasets.writing import ENDINGS, write_data
from physics.errors import InputError, unknown_name

EXAMPLES = (
    "python -m physics.convert run.lammpstrj --time-step 0.005 --out data/run.npz",
    "python -m physics.convert dataset/loc_train_charged5_initvel1small.npy --time-step 0.1 --out nbody.zarr",
    "python -m physics.convert a.xyz b.xyz c.xyz --box 10 --charges 0.5 --units nm,ps,e,Da --out three.npz",
    "python -m physics.convert traj.xtc conf.gro --out protein.npz",
    "python -m physics.convert positions.npz --axes samples,frames,dims,particles --out mine.npz",
)


def main(argv: Sequence[str]) -> None:
    """Parse the command line and convert."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.list:
        sys.stdout.write(listing())
        return
    if not options.files or not options.out:
        parser.error("a file to convert and --out are required")
    _check_output(options.files, options.out, options.overwrite)
    changes = Changes(
        time_step=options.time_step,
        box=options.box,
        unwrap=options.unwrap,
        charges=options.charges,
        masses=options.masses,
        units=options.units,
        dims=options.dims,
        cut=options.cut,
    )
    files, rows, hints = _formats(options.files, options.format, options.axes)
    wanted = _splits(files, rows, options.split)
    if len(wanted) > 1 and options.out.suffix == ".npz":
        raise InputError(
            f"{options.out}: an .npz is one split; {files[0]} has {', '.join(wanted)} (--split NAME, or .zarr)"
        )
    splits, lines = {}, []
    for split in wanted:
        parts = []
        for file, row in zip(files, rows, strict=True):
            with progress_bar(f"reading {file.name}", file.stat().st_size, "bytes") as advance:
                parts.append(_loaded(file, row, split, replace(hints, progress=advance)))
        try:
            splits[split] = changed(files[0], joined(files, parts), changes)
        except InputError:
            raise
        except ValueError as error:  # of NumPy, for arrays that are not of one trajectory
            raise InputError(f"{files[0]}: its arrays do not fit together ({error})") from None
        found = checked(files[0], splits[split])
        samples, frames, particles, dims = found.positions.shape
        lines.append(
            f"{options.out}{split and f' {split}'}: {samples} samples of {frames} frames, N = {particles}, "
            f"n = {dims}, times {found.times[0]:.6g} to {found.times[-1]:.6g}\n"
        )
    origin = {"files": [file.name for file in files], "command": command_line("physics.convert", argv)}
    write_data(options.out, splits, origin, overwrite=options.overwrite)
    sys.stdout.writelines(lines)


def _parser() -> CommandParser:
    parser = CommandParser("physics.convert", "Convert trajectories of others into a data set.", EXAMPLES)
    parser.add_argument("files", nargs="*", type=Path, metavar="IN", help="files (or folders); several: samples")
    parser.add_argument("--out", type=Path, metavar="DATA", help="what to write: DATA.npz or DATA.zarr")
    parser.add_argument(
        "--format", metavar="NAME", help="of the files (default: by name and contents); see --list"
    )
    parser.add_argument(
        "--axes", type=_axes, help=f"their order in the files (npy-set, npz); ours: {','.join(AXES)}"
    )
    parser.add_argument(
        "--time-step", type=positive_float, metavar="DT", help="multiplies times, or the steps or frames counted"
    )
    parser.add_argument("--box", type=_lengths, metavar="L[,L..]", help="lengths of the periodic box")
    parser.add_argument("--unwrap", action="store_true", help="write positions that run on through the box")
    parser.add_argument("--charges", metavar="FILE|VALUE", help="a number for all, or a file (.npy, text)")
    parser.add_argument("--masses", metavar="FILE|VALUE", help="the same of masses")
    parser.add_argument("--units", type=_labels, metavar="LENGTH,TIME[,CHARGE[,MASS]]", help="labels")
    parser.add_argument("--dims", type=positive_int, metavar="n", help="keep the first n coordinates")
    parser.add_argument("--cut", type=positive_int, metavar="F", help="cut trajectories into samples of F frames")
    parser.add_argument("--split", metavar="NAME", help="of the splits of the files, this one")
    parser.add_argument("--list", action="store_true", help="list the formats and stop")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing data set")
    return parser


def listing() -> str:
    """The formats, a line each: name, endings, what it is, and the package it needs."""
    lines = []
    for name, row in FORMATS.items():
        needs = f"; needs {row.needs}: pip install 'isotwin[formats]'" if row.needs else ""
        lines.append(f"{name:18} {' '.join(row.endings) or 'folder':28} {row.title}{needs}\n")
    return "".join(lines)


def _axes(text: str) -> tuple[str, ...]:
    axes = tuple(text.split(","))
    if sorted(axes) != sorted(AXES):
        raise argparse.ArgumentTypeError(f"must be {','.join(AXES)} in the order of the file; got {text!r}")
    return axes


def _lengths(text: str) -> NDArray[np.float64]:
    try:
        found = np.array([float(word) for word in text.split(",")])
    except ValueError:
        found = np.zeros(1)
    if not ((found > 0) & (found < math.inf)).all():
        raise argparse.ArgumentTypeError(f"must be positive lengths, as 10 or 10,10,5; got {text!r}")
    return found


def _labels(text: str) -> dict[str, str]:
    labels = text.split(",")
    if not 2 <= len(labels) <= 4 or not all(label.strip() for label in labels):
        raise argparse.ArgumentTypeError(f"must be LENGTH,TIME[,CHARGE[,MASS]], as nm,ps,e,Da; got {text!r}")
    return dict(zip(QUANTITIES, (label.strip() for label in labels), strict=False))


def _check_output(files: Sequence[Path], out: Path, overwrite: bool) -> None:
    if out.suffix not in ENDINGS:
        raise InputError(f"{out}: expected a name that ends in {' or '.join(ENDINGS)}")
    refuse_existing(out, overwrite)
    if out.is_dir() != (out.suffix == ".zarr") and out.exists():
        raise InputError(f"{out}: is {'a folder' if out.is_dir() else 'a file'}; it is not replaced by the other")
    for file in files:
        if out.resolve() in (file.resolve(), *file.resolve().parents):
            raise InputError(f"{out}: is, or holds, a file that is read ({file})")


def _formats(
    files: Sequence[Path], name: str | None, axes: tuple[str, ...] | None
) -> tuple[list[Path], list[Format], Hints]:
    """Files of samples with their formats, and what else is known of them."""
    if name is not None and name not in FORMATS:
        raise unknown_name("format", name, FORMATS)
    for file in files:
        if not file.exists():
            raise InputError(f"{file}: no such file")
    names = [file for file in files if file.suffix.lower() in TOPOLOGIES]
    files = [file for file in files if file not in names]
    rows = [format_of(file) if name is None else FORMATS[name] for file in files]
    seen = [
        set_of(file) if row is FORMATS["npy-set"] else file.resolve()
        for file, row in zip(files, rows, strict=True)
    ]
    for at, file in enumerate(files):
        if seen[at] in seen[:at] and rows[at] is not FORMATS["npy-set"]:
            raise InputError(f"{file}: given twice")
    first = [at for at in range(len(files)) if seen[at] not in seen[:at]]  # a set may be given by all its files
    files, rows = [files[at] for at in first], [rows[at] for at in first]
    if wanting := [row for row in rows if row.wants_names]:
        names += [file for file, row in zip(files, rows, strict=True) if row.names_particles]
    if len(names) > 1 or (names and not wanting):
        raise InputError(
            f"{names[-1]}: names particles; expected one such file, and trajectories without names (XTC, ...)"
        )
    topology = names[0] if names else None
    for file, row in zip(files, rows, strict=True):
        if axes is not None and row not in (FORMATS["npz"], FORMATS["npy-set"]):
            raise InputError(f"{file}: --axes is for npz and npy-set; {row.title} says its own")
    kept = [(file, row) for file, row in zip(files, rows, strict=True) if file != topology]
    return [file for file, _ in kept], [row for _, row in kept], Hints(axes, topology)


def _splits(files: Sequence[Path], rows: Sequence[Format], wanted: str | None) -> tuple[str, ...]:
    there = [row.splits(file) for file, row in zip(files, rows, strict=True)]
    for file, splits in zip(files, there, strict=True):
        if splits != there[0]:
            raise InputError(
                f"{file}: its splits are {splits or 'none'}, those of {files[0]} {there[0] or 'none'}"
            )
    if wanted is not None and wanted not in there[0]:
        raise InputError(f"{files[0]}: no split {wanted!r}; it has {', '.join(there[0]) or 'none'}")
    return (wanted,) if wanted is not None else there[0] or ("",)


def _loaded(file: Path, row: Format, split: str, hints: Hints) -> Imported:
    if row.load is None:
        raise InputError(f"{file}: {row.title} cannot be converted")
    found = row.load(file, split, hints)
    x = found.arrays.get("positions")
    if x is None or x.ndim != len(AXES):
        raise InputError(f"{file}: {NO_POSITIONS}")
    if "times" not in found.arrays:
        counted = np.arange(x.shape[1], dtype=np.float64)
        found = replace(found, arrays=found.arrays | {"times": counted}, counted="frames")
    return found


if __name__ == "__main__":
    sys.exit(run_command(main))
