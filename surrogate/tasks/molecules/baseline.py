"""What is known of properties before a network: a mean, or what the counts of elements tell of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from surrogate.tasks.molecules.molecule_set import MoleculeSet
from surrogate.tasks.molecules.targets import ELEMENTS

BASELINES = ("mean", "elements")


@dataclass(frozen=True)
class Baseline:
    """Properties as networks give them: (property - baseline) / deviation.

    Attributes
    ----------
    coefficients : (1 + elements, targets) float64 array
        A constant, and what every atom of an element adds to it, in the properties' units.
    deviation : (targets,) float64 array
        Mean absolute deviation of the training set from it.
    """

    coefficients: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, molecules: MoleculeSet, values: NDArray[np.float64], by_elements: bool) -> Self:
        """Of properties (molecules, targets): their means, or the least-squares fit of least norm."""
        coefficients = np.zeros((1 + len(ELEMENTS), values.shape[1]))
        if by_elements:
            coefficients[:] = np.linalg.lstsq(_counts(molecules), values)[0]
        else:
            coefficients[0] = values.mean(0)
        found = cls(coefficients, np.ones(values.shape[1]))
        return cls(coefficients, np.abs(values - found.of_molecules(molecules)).mean(0))

    @classmethod
    def from_rows(cls, rows: Sequence[Sequence[float]]) -> Self:
        """The opposite of :meth:`rows`.

        Raises
        ------
        TypeError, ValueError
            Where they are none.
        """
        table = np.array([[float(number) for number in row] for row in rows])
        if table.ndim != 2 or table.shape[1] != 2 + len(ELEMENTS) or not np.isfinite(table).all():
            raise ValueError("labels")
        return cls(table[:, 1:].T.copy(), table[:, 0])

    def rows(self) -> list[list[float]]:
        """Of each property the deviation, the constant and a number for every element."""
        rows: list[list[float]] = np.concatenate([self.deviation[None], self.coefficients]).T.tolist()
        return rows

    def of_molecules(self, molecules: MoleculeSet) -> NDArray[np.float64]:
        """(molecules, targets) in the properties' units."""
        found: NDArray[np.float64] = _counts(molecules) @ self.coefficients
        return found

    def properties(self, found: NDArray[np.float64], molecules: MoleculeSet) -> NDArray[np.float64]:
        """Properties (molecules, targets) of a network's outputs."""
        return found * self.deviation + self.of_molecules(molecules)


def _counts(molecules: MoleculeSet) -> NDArray[np.float64]:
    """(molecules, 1 + elements): 1, and the atoms of each element."""
    columns = [(molecules.numbers == number).sum(1) for number in ELEMENTS]
    return np.stack([np.ones(len(molecules)), *columns], axis=1)
