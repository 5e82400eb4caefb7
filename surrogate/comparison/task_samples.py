"""A sample of a set beside what a model of its task makes of it: edges decoded, properties told. No PyTorch."""

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from physics.errors import InputError
from physics.types import FloatArray
from surrogate.tasks.array_sets import SPLITS, has_parts
from surrogate.tasks.autoencoder.graph_set import NETWORKX, GraphSet, read_graphs
from surrogate.tasks.molecules.molecule_set import MoleculeSet, read_molecules

if TYPE_CHECKING:
    from surrogate.comparison.ground_truth import Rotation
    from surrogate.inference.graph_autoencoder import GraphAutoencoder
    from surrogate.inference.property_predictor import PropertyPredictor


GRAPH_ENDINGS = tuple(ending for endings in NETWORKX for ending in endings if ending != ".txt")
"""Of files that are graphs and nothing else."""


@dataclass(frozen=True)
class Place:
    """Where a sample stands.

    Attributes
    ----------
    data, split : str
    index, count : int
        Of `count` samples in this split.
    splits : tuple of str
        Parts of the set; none where it is one by itself.
    """

    data: str
    split: str
    index: int
    count: int
    splits: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise InputError(f"{self.data}: index {self.index}; it has 0 to {self.count - 1}")


@dataclass(frozen=True, eq=False)
class TaskSample:
    """What all samples have.

    Attributes
    ----------
    model, digest : str
    place : Place
    rotation : (n, n) float64 array
        The world rotation.
    turns : str
        How it was asked for; empty for none.
    outside : tuple of str
        In what it differs from the training data of the model.
    """

    model: str
    digest: str
    place: Place
    rotation: FloatArray
    turns: str
    outside: tuple[str, ...]

    @property
    def n_dims(self) -> int:
        """Of the space it is drawn in."""
        return len(self.rotation)

    @property
    def points(self) -> FloatArray:
        """What is drawn, (N, n)."""
        raise NotImplementedError

    @property
    def badge(self) -> str:
        """A warning for its picture; empty where there is none."""
        return f"outside training: {'; '.join(self.outside)}" if self.outside else ""


@dataclass(frozen=True, eq=False)
class GraphSample(TaskSample):
    """A graph, the turned places of its nodes, and the edges decoded from those.

    Attributes
    ----------
    z : (N, n) float64 array
    adjacency : (N, N) array of 0 and 1
    probability : (N, N) float32 array
        Of edges; decoded where above 1/2.
    """

    z: FloatArray
    adjacency: NDArray[np.uint8]
    probability: NDArray[np.float32]

    @property
    def points(self) -> FloatArray:
        """See TaskSample."""
        return self.z

    def masks(self) -> dict[str, NDArray[np.bool_]]:
        """Which pairs i < j are edges that were found, missed and invented, (N, N) each."""
        joined, decoded = np.triu(self.adjacency > 0, 1), np.triu(self.probability > 0.5, 1)
        return {"found": joined & decoded, "missed": joined & ~decoded, "invented": ~joined & decoded}

    @property
    def wrong_percent(self) -> float:
        """Pairs decoded wrongly, of all [%]."""
        counts = {name: int(mask.sum()) for name, mask in self.masks().items()}
        return 100 * (counts["missed"] + counts["invented"]) / (len(self.z) * (len(self.z) - 1) // 2)

    @property
    def f1(self) -> float:
        """Of edges; 1 where there is nothing to find and nothing was found."""
        found, missed, invented = (int(mask.sum()) for mask in self.masks().values())
        return 2 * found / (2 * found + missed + invented) if found + missed + invented else 1.0


@dataclass(frozen=True, eq=False)
class MoleculeSample(TaskSample):
    """A molecule, turned, and its properties.

    Attributes
    ----------
    numbers : (N,) int64 array
        Atomic numbers.
    positions : (N, 3) float64 array [angstrom]
    told, known : mapping of str to float
        Properties as the model tells them, and the true ones as far as the set has them.
    units : mapping of str to str
    """

    numbers: NDArray[np.int64]
    positions: FloatArray
    told: Mapping[str, float]
    known: Mapping[str, float]
    units: Mapping[str, str]

    @property
    def points(self) -> FloatArray:
        """See TaskSample."""
        return self.positions


def graph_sample(
    model: "GraphAutoencoder", graphs: GraphSet, place: Place, rotation: "Rotation", seed: int = 0
) -> GraphSample:
    """A graph of a set, its nodes placed and turned, its edges decoded from the turned places.

    Parameters
    ----------
    seed : int
        Of the noise that nodes begin with.
    """
    graph = graphs.graph(place.index)
    z = model.encode(graph[None], seed=seed)[0].astype(np.float64) @ rotation.matrix.T
    outside = model.outside_training(GraphSet(graph[None], np.array([len(graph)])))
    shared = (model.name, model.digest, place, rotation.matrix, rotation.turns, tuple(outside))
    return GraphSample(*shared, z, graph, model.decode(z[None])[0])


def molecule_sample(
    model: "PropertyPredictor", molecules: MoleculeSet, place: Place, rotation: "Rotation", seed: int = 0
) -> MoleculeSample:
    """A molecule of a set, turned, and what the model tells of it then; nothing is drawn by `seed`."""
    one = molecules.part(slice(place.index, place.index + 1))
    n = int(one.n_atoms[0])
    turned = one.positions @ rotation.matrix.T
    one = MoleculeSet(one.numbers, turned, one.n_atoms, one.targets)
    told = {name: float(values[0]) for name, values in model.of(one).items()}
    known = {name: float(one.targets[name][0]) for name in told if name in one.targets}
    outside = tuple(model.outside_training(one))
    shared = (model.name, model.digest, place, rotation.matrix, rotation.turns, outside)
    return MoleculeSample(*shared, one.numbers[0, :n], turned[0, :n], told, known, model.units())


def splits_of(path: str) -> tuple[str, ...]:
    """Parts of a set; none where it is one by itself."""
    return tuple(s for s in SPLITS if (Path(path) / s).is_dir()) if has_parts(path) else ()


@dataclass(frozen=True)
class Samples:
    """How the samples of a task come about.

    Attributes
    ----------
    read : callable
        A part of a set, from its path and the name of the part.
    make : callable
        `graph_sample` and the like.
    dims : callable
        The n of a model.
    """

    read: Callable[[str, str], Any]
    make: Callable[..., TaskSample]
    dims: Callable[[Any], int]


SAMPLES: dict[str, Samples] = {
    "autoencoder": Samples(read_graphs, graph_sample, lambda model: int(model.n_dims)),
    "molecules": Samples(read_molecules, molecule_sample, lambda model: 3),
}
"""By task."""


def task_of_set(path: Path) -> str | None:
    """The task whose sets have the arrays that a file has, or its ending; None for none of them."""
    if path.is_dir():
        inside = next((path / s for s in SPLITS if (path / s / "zarr.json").is_file()), path)
        names = {entry.name for entry in inside.iterdir()}
        graphs = any(entry.suffix.lower() in GRAPH_ENDINGS for entry in path.iterdir())
    elif path.suffix.lower() == ".npz" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names, graphs = {name.removesuffix(".npy") for name in archive.namelist()}, False
    else:
        names, graphs = set(), path.suffix.lower() in GRAPH_ENDINGS
    if graphs or "adjacency" in names:
        return "autoencoder"
    return "molecules" if {"numbers", "n_atoms"} <= names else None
