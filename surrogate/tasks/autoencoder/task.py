"""The task of graph autoencoding: cross-entropy of edges decoded from the places of nodes."""

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
from surrogate.tasks.autoencoder.graph_set import GraphSet, graph_set, read_graphs
from surrogate.tasks.autoencoder.networks import MODELS, GraphEncoder
from surrogate.tasks.base import ModelCall, Setting, Stage, Task, Validation
from surrogate.tasks.one_size_batches import one_size_batches, steps_of

AT_ONCE = 100_000
"""Ordered pairs of a forward pass of a validation, about."""
VALID_SEED = 1 << 20
"""Of the noise of validations."""


@dataclass(frozen=True)
class GraphDataConfig:
    """[data] of graphs.

    Attributes
    ----------
    paths : tuple of str
        Sets of graphs; of one without parts every eleventh graph is kept aside for validation.
    train_graphs : int
        Of each set, the first so many; 0 is all.
    """

    paths: tuple[str, ...] = ()
    train_graphs: int = 0


@dataclass(frozen=True)
class AutoencoderOptions:
    """What graph autoencoding adds to [train]: nothing."""


@dataclass(frozen=True)
class GraphBatch:
    """Graphs of one size."""

    adjacency: Tensor
    noise: Tensor
    fraction: float = 1.0


@dataclass(frozen=True)
class Counts:
    """How well edges are decoded.

    Attributes
    ----------
    bce : float
        Cross-entropy, summed over the ordered pairs of a graph, mean over graphs.
    true, missed, invented, pairs : int
        Ordered pairs: edges decoded as such, edges that are not, others decoded as edges, and all.
    """

    bce: float
    true: int
    missed: int
    invented: int
    pairs: int

    @property
    def error_percent(self) -> float:
        """Pairs decoded wrongly, of all [%]."""
        return 100.0 * (self.missed + self.invented) / self.pairs

    @property
    def f1(self) -> float:
        """2 true / (2 true + missed + invented); 1 where there is nothing to find and nothing was found."""
        found = 2 * self.true + self.missed + self.invented
        return 2 * self.true / found if found else 1.0


class Autoencoder(Task):
    """Edges of graphs, through places of their nodes in n dimensions.

    Batches are graphs of one size each (padding would be work for nothing): of every size about `batch_size` at
    once, in random order. Noise depends on (seed, epoch, batch) alone.
    """

    MODELS = MODELS
    Data, Options = GraphDataConfig, AutoencoderOptions
    SOURCES = (
        "surrogate/tasks/autoencoder/*.py",
        "surrogate/tasks/array_sets.py",
        "surrogate/tasks/one_size_batches.py",
        "surrogate/models/egnn/model.py",
        "surrogate/models/gnn.py",
    )
    metric = "bce"
    columns = ("error_percent", "f1")

    def __init__(
        self, data: GraphDataConfig, options: AutoencoderOptions, model: nn.Module, setting: Setting
    ) -> None:
        assert isinstance(model, GraphEncoder)
        self._setting, self._noise = setting, model.noise
        parts = [parts_of(path, data.train_graphs) for path in data.paths]
        if not parts:
            raise InputError("data.paths: no set of graphs (--data)")
        train, self._valid = ([part[k] for part in parts] for k in (0, 1))
        whole = graph_set([part.graph(k) for part in train for k in range(len(part))])
        self._sizes, self._adjacency = whole.n_nodes, torch.as_tensor(whole.adjacency, device=setting.device)
        self._identity = [_identity(*part) for part in parts]
        self._densities = whole.densities()
        if min(np.unique_counts(self._sizes).counts.min(), setting.batch_size) < setting.processes:
            raise InputError(f"less than one graph of each size for {setting.processes} processes")
        self.steps_per_epoch = steps_of(self._sizes, setting.batch_size)

    @classmethod
    def checks(cls, data: GraphDataConfig, options: AutoencoderOptions) -> Sequence[tuple[bool, str]]:
        """See Task.checks."""
        return ((data.train_graphs >= 0, "data.train_graphs must be >= 0"),)

    def stages(self, model: nn.Module, epochs: int) -> list[Stage]:
        """One."""
        return [Stage("edges", epochs, tuple(model.parameters()))]

    def batches(
        self, seed: int, epoch: int, *, skip: int = 0, rank: int = 0, count: int = 1
    ) -> Iterator[GraphBatch]:
        """See Task.batches."""
        setting = self._setting
        every = one_size_batches(self._sizes, setting.batch_size, np.random.default_rng([seed, epoch]))
        for step, graphs in enumerate(every[skip:], skip):
            n = int(self._sizes[graphs[0]])
            own = slice(len(graphs) * rank // count, len(graphs) * (rank + 1) // count)
            shape = (len(graphs), n, self._noise)
            noise = drawn_noise([seed, epoch, step], shape, setting.dtype, setting.device)[own]
            adjacency = self._adjacency[torch.as_tensor(graphs[own], device=setting.device), :n, :n]
            yield GraphBatch(adjacency.to(setting.dtype), noise, len(noise) / len(graphs))

    def loss(self, model: ModelCall, batch: GraphBatch, stage: Stage) -> Tensor:
        """Cross-entropy summed over ordered pairs, mean over graphs."""
        return _cross_entropy(model(batch.adjacency, batch.noise), batch.adjacency).mean()

    def validation(self, model: ModelCall, stage: Stage) -> Validation:
        """The cross-entropy of graphs kept aside, with the same noise every time; errors in % and F1."""
        setting = self._setting
        found = reconstruction(
            model, self._valid, VALID_SEED, noise=self._noise, dtype=setting.dtype, device=setting.device
        )
        return Validation(found.bce, (found.error_percent, found.f1))

    def remark(self, values: Mapping[str, Any], stage: Stage) -> str:
        """Errors and F1."""
        return f"{values['error_percent']:.3g} % of pairs wrong, F1 {values['f1']:.3f}" if "f1" in values else ""

    def identity(self) -> list[dict[str, Any]]:
        """See Task.identity."""
        return self._identity

    def card(self) -> dict[str, Any]:
        """How many graphs, of which sizes and densities."""
        low, high = np.quantile(self._densities, (0.0, 1.0))
        return {
            "train_graphs": len(self._sizes),
            "sizes": np.unique(self._sizes).tolist(),
            "density": [round(float(v), 4) for v in (low, self._densities.mean(), high)],
        }


def parts_of(path: str, most: int = 0) -> tuple[GraphSet, GraphSet]:
    """Graphs to train on and graphs kept aside.

    Raises
    ------
    InputError
    """
    if has_parts(path):
        train, valid = read_graphs(path, "train"), read_graphs(path, "valid")
    else:
        whole = read_graphs(path)
        aside = kept_aside(path, len(whole))
        train, valid = (GraphSet(whole.adjacency[w], whole.n_nodes[w]) for w in (~aside, aside))
    return (GraphSet(train.adjacency[:most], train.n_nodes[:most]) if most else train), valid


def by_size(sets: Sequence[GraphSet], dtype: torch.dtype, device: str) -> dict[int, Tensor]:
    """The matrices (graphs, n, n) of each number of nodes n, in the order of the sets."""
    found: dict[int, list[NDArray[np.uint8]]] = {}
    for one in sets:
        for n in np.unique(one.n_nodes):
            found.setdefault(int(n), []).append(one.adjacency[one.n_nodes == n, :n, :n])
    return {n: torch.as_tensor(np.concatenate(a), dtype=dtype, device=device) for n, a in sorted(found.items())}


def drawn_noise(seeds: Sequence[int], shape: Sequence[int], dtype: torch.dtype, device: str) -> Tensor:
    """Numbers of N(0, 1) that depend on the seeds alone."""
    noise = np.random.default_rng(list(seeds)).standard_normal(tuple(shape))
    return torch.as_tensor(noise, dtype=dtype, device=device)


@torch.no_grad()
def reconstruction(
    model: ModelCall,
    sets: Sequence[GraphSet],
    seed: int,
    *,
    noise: int,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
) -> Counts:
    """How well a model decodes the edges of sets of graphs, for one draw of the noise.

    Parameters
    ----------
    model : callable
        Logits of adjacency and noise: see GraphEncoder.
    sets : sequence of GraphSet
    seed : int
        Of the noise.
    noise : int
        Numbers of it a node.
    dtype, device
        Of the model.
    """
    entropy, graphs, counts = 0.0, 0, np.zeros(4, dtype=np.int64)
    for n, whole in by_size(sets, dtype, device).items():
        every = drawn_noise([seed, n], (len(whole), n, noise), dtype, device)
        height = max(AT_ONCE // n**2, 1)
        for a, drawn in zip(torch.split(whole, height), torch.split(every, height), strict=True):
            logits = model(a, drawn)
            entropy += float(_cross_entropy(logits, a).double().sum())
            edges, decoded = a > 0, (logits > 0) & ~torch.eye(n, dtype=torch.bool, device=a.device)
            counts += [int(k.sum()) for k in (edges & decoded, edges & ~decoded, ~edges & decoded)] + [
                len(a) * n * (n - 1)
            ]
        graphs += len(whole)
    return Counts(entropy / graphs, *map(int, counts))


def _cross_entropy(logits: Tensor, adjacency: Tensor) -> Tensor:
    """Of each graph, summed over its ordered pairs, (B,)."""
    each = nn.functional.binary_cross_entropy_with_logits(logits, adjacency, reduction="none")
    return each.sum((1, 2)) - each.diagonal(dim1=1, dim2=2).sum(1)


def _identity(train: GraphSet, valid: GraphSet) -> dict[str, Any]:
    digest = hashlib.sha256()
    for part in (train, valid):
        digest.update(part.n_nodes.tobytes() + np.ascontiguousarray(part.adjacency).tobytes())
    return {"graphs": [len(train), len(valid)], "sha256": digest.hexdigest()}
