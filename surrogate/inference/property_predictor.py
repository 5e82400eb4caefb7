"""`PropertyPredictor`: a trained network of molecules, from users' arrays to properties in their units."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from surrogate.tasks.molecules.baseline import Baseline
from surrogate.tasks.molecules.molecule_set import MoleculeSet, checked
from surrogate.tasks.molecules.networks import EGNNProperties
from surrogate.tasks.molecules.targets import ELEMENTS, TARGETS
from surrogate.tasks.molecules.task import predicted


class PropertyPredictor:
    """A trained network that tells properties of molecules.

    Attributes
    ----------
    network : EGNNProperties
    name, device, digest : str
    card : mapping
        Data, training and validation error.
    targets : tuple of str
        What it tells: names of TARGETS.
    task : str
    """

    task = "molecules"

    def __init__(
        self, network: EGNNProperties, *, name: str, info: Mapping[str, Any], digest: str, device: str
    ) -> None:
        labels = dict(info["labels"])
        if tuple(labels) != network.targets:
            raise TypeError("labels")
        if not isinstance(info["card"], dict):
            raise TypeError("card")
        self.network, self._baseline = network.to(device).eval(), Baseline.from_rows(list(labels.values()))
        self._forward = self.network.for_inference().forward
        self.name, self.card, self.digest, self.device = name, info["card"], digest, device
        self.targets = network.targets

    def __repr__(self) -> str:
        return f"PropertyPredictor({self.name!r}, {', '.join(self.targets)})"

    def predict(
        self, numbers: NDArray[Any], positions: NDArray[Any], n_atoms: NDArray[Any] | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Properties of molecules.

        Parameters
        ----------
        numbers : (samples, M) array of int
            Atomic numbers.
        positions : (samples, M, 3) array [angstrom]
        n_atoms : (samples,) array of int, optional
            M each by default.

        Returns
        -------
        dict of str to (samples,) array
            By the names of `targets`, in the units of TARGETS; energies without those of the atoms alone.

        Raises
        ------
        InputError
            Where the arrays are no molecules, or of unknown elements.
        """
        z = np.asarray(numbers)
        sizes = np.full(len(z), z.shape[-1]) if n_atoms is None else np.asarray(n_atoms)
        arrays = {"numbers": z, "positions": np.asarray(positions, dtype=np.float64), "n_atoms": sizes}
        return self.of(checked("molecules", arrays))

    def of(self, molecules: MoleculeSet) -> dict[str, NDArray[np.float64]]:
        """As `predict`, of a set."""
        found = predicted(self._forward, molecules, len(self.targets), torch.float32, self.device)
        return dict(zip(self.targets, self._baseline.properties(found, molecules).T, strict=True))

    def outside_training(self, molecules: MoleculeSet) -> list[str]:
        """In what molecules differ from those that the network was trained on; empty where in nothing."""
        found = []
        low, high = self.card.get("sizes", (1, 10**9))
        if outside := int(((molecules.n_atoms < low) | (molecules.n_atoms > high)).sum()):
            found.append(
                f"other sizes in {outside} of {len(molecules)} molecules (trained: {low} to {high} atoms)"
            )
        there = set(molecules.numbers[molecules.numbers > 0].tolist())
        if others := sorted(there - set(self.card.get("elements", there))):
            found.append(f"elements {', '.join(ELEMENTS[z] for z in others)}")
        return found

    def units(self) -> dict[str, str]:
        """Of what it tells, by name."""
        return {name: TARGETS[name].unit for name in self.targets}
