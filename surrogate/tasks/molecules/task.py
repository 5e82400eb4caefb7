"""The task of molecules: mean absolute errors of properties."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from physics.errors import InputError
from surrogate.tasks.array_sets import has_parts, kept_aside
from surrogate.tasks.base import ModelCall, Setting, Stage, Task, Validation
from surrogate.tasks.molecules.baseline import BASELINES, Baseline
from surrogate.tasks.molecules.molecule_set import MoleculeSet, read_molecules
from surrogate.tasks.molecules.networks import MODELS, EGNNProperties, atom_inputs
from surrogate.tasks.molecules.targets import TARGETS
from surrogate.tasks.one_size_batches import one_size_batches, steps_of

AT_ONCE = 50_000
"""Ordered pairs of a forward pass of a validation, about."""


@dataclass(frozen=True)
class MoleculeDataConfig:
    """[data] of molecules.

    Attributes
    ----------
    paths : tuple of str
        One set; of one without parts every eleventh molecule is kept aside for validation.
    train_molecules, valid_molecules : int
        The first so many; 0 is all.
    """

    paths: tuple[str, ...] = ()
    train_molecules: int = 0
    valid_molecules: int = 0


@dataclass(frozen=True)
class MoleculeOptions:
    """What molecules add to [train].

    Attributes
    ----------
    baseline : str
        Labels are properties less a "mean" (as published), or less what the counts of elements tell of them by
        least squares ("elements"), over their mean absolute deviation from it.
    """

    baseline: str = "mean"


@dataclass(frozen=True)
class MoleculeBatch:
    """Molecules of one size; `share` is their number over that of a full batch."""

    atoms: Tensor
    positions: Tensor
    labels: Tensor
    share: float
    fraction: float = 1.0


class Molecules(Task):
    """Properties of molecules: the L1 loss of (property - baseline) / (mean absolute deviation from it).

    Batches are molecules of one size each, and a small one counts by its molecules.
    """

    MODELS = MODELS
    Data, Options = MoleculeDataConfig, MoleculeOptions
    SOURCES = (
        "surrogate/tasks/molecules/*.py",
        "surrogate/tasks/array_sets.py",
        "surrogate/tasks/one_size_batches.py",
        "surrogate/models/egnn/model.py",
    )
    metric = "deviation"

    def __init__(
        self, data: MoleculeDataConfig, options: MoleculeOptions, model: nn.Module, setting: Setting
    ) -> None:
        assert isinstance(model, EGNNProperties)
        if len(data.paths) != 1:
            raise InputError(f"data.paths: expected one set of molecules (--data); got {len(data.paths)}")
        self._setting, self.targets = setting, model.targets
        train, valid = parts_of(data.paths[0], data)
        values = labels_of(data.paths[0], train, self.targets)
        self._baseline = Baseline.of(train, values, by_elements=options.baseline == "elements")
        if not self._baseline.deviation.all():
            index = int(self._baseline.deviation.argmin())
            raise InputError(f"{data.paths[0]}: {self.targets[index]} never differs from its baseline")
        self._train = self._tensors(train, values)
        self._sizes, self._valid = train.n_atoms, valid
        self._valid_labels = labels_of(data.paths[0], valid, self.targets)
        self.columns = tuple(f"mae_{name}" for name in self.targets)
        if min(np.unique_counts(self._sizes).counts.min(), setting.batch_size) < setting.processes:
            raise InputError(f"less than one molecule of each size for {setting.processes} processes")
        self.steps_per_epoch = steps_of(self._sizes, setting.batch_size)
        self._identity = {"molecules": [len(train), len(valid)], "sha256": _digest(train, valid)}
        self._card = {
            "train_molecules": len(train),
            "targets": {name: TARGETS[name].unit for name in self.targets},
            "sizes": [int(train.n_atoms.min()), int(train.n_atoms.max())],
            "elements": sorted(set(train.numbers[train.numbers > 0].tolist())),
        }

    @classmethod
    def checks(cls, data: MoleculeDataConfig, options: MoleculeOptions) -> Sequence[tuple[bool, str]]:
        """See Task.checks."""
        return (
            (min(data.train_molecules, data.valid_molecules) >= 0, "data.*_molecules must be >= 0"),
            (options.baseline in BASELINES, f"train.baseline must be one of {', '.join(BASELINES)}"),
        )

    def stages(self, model: nn.Module, epochs: int) -> list[Stage]:
        """One."""
        return [Stage("properties", epochs, tuple(model.parameters()))]

    def batches(
        self, seed: int, epoch: int, *, skip: int = 0, rank: int = 0, count: int = 1
    ) -> Iterator[MoleculeBatch]:
        """See Task.batches."""
        size = self._setting.batch_size
        every = one_size_batches(self._sizes, size, np.random.default_rng([seed, epoch]))
        for molecules in every[skip:]:
            own = molecules[len(molecules) * rank // count : len(molecules) * (rank + 1) // count]
            n, which = int(self._sizes[own[0]]), torch.as_tensor(own, device=self._setting.device)
            atoms, positions, labels = (t[which] for t in self._train)
            share = len(molecules) / size
            yield MoleculeBatch(atoms[:, :n], positions[:, :n], labels, share, len(own) / len(molecules))

    def loss(self, model: ModelCall, batch: MoleculeBatch, stage: Stage) -> Tensor:
        """The mean over properties and molecules, less where a batch is small."""
        errors: Tensor = (model(batch.atoms, batch.positions) - batch.labels).abs()
        return batch.share * errors.mean()

    def validation(self, model: ModelCall, stage: Stage) -> Validation:
        """The mean over properties of the error over its deviation; the errors themselves."""
        setting = self._setting
        found = predicted(model, self._valid, len(self.targets), setting.dtype, setting.device)
        errors = np.abs(self._baseline.properties(found, self._valid) - self._valid_labels).mean(0)
        return Validation(float((errors / self._baseline.deviation).mean()), errors.tolist())

    def remark(self, values: Mapping[str, Any], stage: Stage) -> str:
        """Errors in the properties' units."""
        shown = [f"{name} {values[f'mae_{name}']:.3g} {TARGETS[name].unit}" for name in self.targets[:4]
                 if f"mae_{name}" in values]  # fmt: skip
        return ", ".join(shown) + (" ..." if len(self.targets) > 4 and shown else "")

    def identity(self) -> list[dict[str, Any]]:
        """See Task.identity."""
        return [self._identity]

    def usage(self) -> dict[str, Any]:
        """See Baseline.rows."""
        return {"labels": dict(zip(self.targets, self._baseline.rows(), strict=True))}

    def card(self) -> dict[str, Any]:
        """How many molecules, of which sizes and elements."""
        return self._card

    def _tensors(self, molecules: MoleculeSet, values: NDArray[np.float64]) -> tuple[Tensor, Tensor, Tensor]:
        labels = torch.as_tensor((values - self._baseline.of_molecules(molecules)) / self._baseline.deviation)
        atoms = atom_inputs(torch.as_tensor(molecules.numbers), self._setting.dtype)
        tensors = atoms, torch.as_tensor(molecules.positions), labels
        atoms, positions, labels = (t.to(self._setting.device, self._setting.dtype) for t in tensors)
        return atoms, positions, labels


def parts_of(path: str, data: MoleculeDataConfig) -> tuple[MoleculeSet, MoleculeSet]:
    """Molecules to train on and molecules kept aside.

    Raises
    ------
    InputError
    """
    if has_parts(path):
        train, valid = read_molecules(path, "train"), read_molecules(path, "valid")
    else:
        whole = read_molecules(path)
        aside = kept_aside(path, len(whole))
        train, valid = whole.part(~aside), whole.part(aside)
    return train.part(slice(data.train_molecules or None)), valid.part(slice(data.valid_molecules or None))


def labels_of(path: str, molecules: MoleculeSet, targets: Sequence[str]) -> NDArray[np.float64]:
    """The properties of molecules (molecules, targets), in their units.

    Raises
    ------
    InputError
        Where a set lacks one.
    """
    for name in targets:
        if name not in molecules.targets:
            there = ", ".join(molecules.targets) or "none"
            raise InputError(f"{path}: no property {name!r} (model.targets); it has {there}")
    return np.stack([molecules.targets[name] for name in targets], axis=1)


@torch.no_grad()
def predicted(
    model: ModelCall, molecules: MoleculeSet, n_targets: int, dtype: torch.dtype, device: str
) -> NDArray[np.float64]:
    """What a network says of molecules, (molecules, targets), in deviations from the mean."""
    found = np.empty((len(molecules), n_targets))
    for n in np.unique(molecules.n_atoms):
        chosen = np.flatnonzero(molecules.n_atoms == n)
        height = max(AT_ONCE // int(n) ** 2, 1)
        for first in range(0, len(chosen), height):
            part = chosen[first : first + height]
            atoms = atom_inputs(torch.as_tensor(molecules.numbers[part, :n], device=device), dtype)
            positions = torch.as_tensor(molecules.positions[part, :n], dtype=dtype, device=device)
            found[part] = model(atoms, positions).double().cpu().numpy()
    return found


def _digest(*parts: MoleculeSet) -> str:
    digest = hashlib.sha256()
    for part in parts:
        for values in part.arrays.values():
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
