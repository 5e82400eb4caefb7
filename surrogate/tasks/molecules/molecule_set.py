"""Sets of molecules: their arrays, what is asked of them, and the files they are read from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physics.errors import InputError, unknown_name
from physics.files import bounded_text
from surrogate.tasks.array_sets import SPLITS, read_npz, read_zarr
from surrogate.tasks.molecules.targets import ELEMENTS, TARGETS

ARRAYS = ("numbers", "positions", "n_atoms")
MOST_ATOMS = 512
"""Of a molecule: every pair of atoms exchanges messages."""
TEXT_LIMIT = 256 << 20
"""Of an XYZ file."""


@dataclass(frozen=True)
class MoleculeSet:
    """Molecules, with what is known of them.

    Attributes
    ----------
    numbers : (samples, M) int64 array
        Atomic numbers; 0 from `n_atoms` on.
    positions : (samples, M, 3) float64 array [angstrom]
    n_atoms : (samples,) int64 array
    targets : mapping of str to (samples,) float64 array
        By the names of TARGETS, in their units.
    """

    numbers: NDArray[np.int64]
    positions: NDArray[np.float64]
    n_atoms: NDArray[np.int64]
    targets: Mapping[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.n_atoms)

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """What files keep of them, by name."""
        return {
            "numbers": self.numbers.astype(np.int8),
            "positions": self.positions,
            "n_atoms": self.n_atoms,
            **self.targets,
        }

    def part(self, which: NDArray[Any] | slice) -> "MoleculeSet":
        """Some of them."""
        targets = {name: values[which] for name, values in self.targets.items()}
        return MoleculeSet(self.numbers[which], self.positions[which], self.n_atoms[which], targets)


def molecule_set(
    molecules: Sequence[tuple[NDArray[Any], NDArray[Any]]], targets: Mapping[str, NDArray[Any]] | None = None
) -> MoleculeSet:
    """Molecules as (atomic numbers, positions), of any sizes, as one set."""
    sizes = np.array([len(z) for z, _ in molecules], dtype=np.int64)
    numbers = np.zeros((len(molecules), int(sizes.max())), dtype=np.int64)
    positions = np.zeros((*numbers.shape, 3))
    for index, (z, x) in enumerate(molecules):
        numbers[index, : len(z)], positions[index, : len(z)] = z, x
    return MoleculeSet(numbers, positions, sizes, dict(targets or {}))


def checked(where: str, arrays: Mapping[str, NDArray[Any]]) -> MoleculeSet:
    """A MoleculeSet of the arrays of a file.

    Raises
    ------
    InputError
        Naming the first molecule that is none.
    """
    for name in ARRAYS:
        if name not in arrays:
            raise InputError(f"{where}: no array {name!r}; molecules are numbers (samples, M), positions, n_atoms")
    z, x, n = (arrays[name] for name in ARRAYS)
    if z.ndim != 2 or 0 in z.shape or z.dtype.kind not in "iu" or z.shape[1] > MOST_ATOMS:
        raise InputError(
            f"{where}: numbers must be whole, (samples, M) with M to {MOST_ATOMS}; got {z.dtype} {z.shape}"
        )
    if x.shape != (*z.shape, 3) or x.dtype.kind != "f":
        raise InputError(f"{where}: positions must be numbers {(*z.shape, 3)}; got {x.dtype} {x.shape}")
    if n.shape != z.shape[:1] or n.dtype.kind not in "iu":
        raise InputError(f"{where}: n_atoms must be {len(z)} whole numbers; got {n.dtype} {n.shape}")
    z = z.astype(np.int64)
    inside = np.arange(z.shape[1]) < n[:, None]
    unknown = inside & ~np.isin(z, list(ELEMENTS))
    for wrong, words in (
        ((n < 1) | (n > z.shape[1]), f"n_atoms must be from 1 to {z.shape[1]}"),
        (((z != 0) & ~inside).any(1), "atoms from n_atoms on"),
        (~np.isfinite(x).all((1, 2)), "positions must be finite"),
        (unknown.any(1), f"an element other than {', '.join(ELEMENTS.values())}"),
    ):
        if wrong.any():
            index = int(wrong.argmax())
            more = f" (atomic number {z[index][unknown[index]][0]})" if "element" in words else ""
            raise InputError(f"{where}: molecule {index}: {words}{more}")
    targets = {}
    for name in TARGETS:
        if (values := arrays.get(name)) is None:
            continue
        if values.shape != n.shape or values.dtype.kind not in "iuf" or not np.isfinite(values).all():
            raise InputError(f"{where}: {name} must be {len(n)} finite numbers; got {values.dtype} {values.shape}")
        targets[name] = values.astype(np.float64)
    return MoleculeSet(z, x.astype(np.float64), n.astype(np.int64), targets)


def read_molecules(path: Path | str, split: str = "test") -> MoleculeSet:
    """One part of a set of molecules; the whole of a file without parts.

    Parameters
    ----------
    path : Path or str
        A Zarr folder, an .npz, or an .xyz or .extxyz file of one or many molecules.
    split : str
        "train", "valid" or "test".

    Raises
    ------
    InputError
        One line: what, where, what was expected.
    """
    path = Path(path)
    if split not in SPLITS:
        raise unknown_name("split", split, SPLITS)
    if not path.exists():
        raise InputError(f"{path}: no such set of molecules")
    names = (*ARRAYS, *TARGETS)
    if path.is_dir():
        return checked(str(path), read_zarr(path, split, names))
    if path.suffix.lower() == ".npz":
        return checked(str(path), read_npz(path, names))
    if path.suffix.lower() in (".xyz", ".extxyz"):
        return _read_xyz(path)
    raise InputError(f"{path}: not a set of molecules (.zarr, .npz, .xyz, .extxyz)")


def _read_xyz(path: Path) -> MoleculeSet:
    """Every block of an XYZ file, plain or extended; of each line the element and three coordinates."""
    lines = bounded_text(path, TEXT_LIMIT).splitlines()
    known = {symbol: number for number, symbol in ELEMENTS.items()}
    molecules, at = [], 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        try:
            count = int(lines[at])
        except ValueError:
            raise InputError(
                f"{path}: line {at + 1}: expected a number of atoms; got {lines[at][:40]!r}"
            ) from None
        rows = lines[at + 2 : at + 2 + count]
        if not 1 <= count <= MOST_ATOMS or len(rows) < count:
            raise InputError(f"{path}: line {at + 1}: {count} atoms, of which {len(rows)} lines follow")
        numbers, places = np.empty(count, dtype=np.int64), np.empty((count, 3))
        named, first = _columns(lines[at + 1], f"{path}: line {at + 2}")
        for index, row in enumerate(rows):
            words = row.split()
            symbol, rest = words[named] if named < len(words) else "", words[first : first + 3]
            if symbol not in known:
                raise InputError(
                    f"{path}: line {at + 3 + index}: element {symbol[:20]!r}; known are {', '.join(known)}"
                )
            try:
                x, y, z = map(number_of, rest)
                numbers[index], places[index] = known[symbol], (x, y, z)
            except ValueError:
                raise InputError(f"{path}: line {at + 3 + index}: expected three coordinates") from None
        molecules.append((numbers, places))
        at += 2 + count
    if not molecules:
        raise InputError(f"{path}: no molecules")
    found = molecule_set(molecules)
    return checked(str(path), found.arrays)


def _columns(comment: str, where: str) -> tuple[int, int]:
    """Where the element and the first coordinate stand in a line, as `Properties=` of an extended XYZ says."""
    said = re.search(r"Properties=(\S+)", comment)
    if said is None:
        return 0, 1
    words, at, places = said[1].strip('"').split(":"), 0, dict[str, int]()
    for name, count in zip(words[::3], words[2::3], strict=False):
        places[name], at = at, at + (int(count) if count.isdigit() else 1)
    if not {"species", "pos"} <= places.keys():
        raise InputError(f"{where}: Properties without species and pos; got {said[1][:60]!r}")
    return places["species"], places["pos"]


def number_of(text: str) -> float:
    """A number, also with an exponent as Mathematica writes it (1.5*^-6)."""
    return float(text.replace("*^", "e"))
