"""A second task, to show that the trainer takes any: a scalar of graphs of different sizes, from their edges.

Its batches are graphs side by side, without padding; its model draws numbers at every forward pass, so that a run
which forgets the random state differs.
"""

import hashlib
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from physics.cli import run_command
from surrogate.tasks import TASKS
from surrogate.tasks.base import ModelCall, Setting, Stage, Task, Validation

NAME = "graph-scalar"
WHERE = "tests.surrogate.tasks.graph_scalar:GraphScalar"


@dataclass(frozen=True)
class SumsConfig:
    hidden: int = 4


class Sums(nn.Module):
    """Messages of neighbours, summed over each graph."""

    Config = SumsConfig

    def __init__(self, config: SumsConfig) -> None:
        super().__init__()
        self.node = nn.Sequential(nn.Linear(2, config.hidden), nn.SiLU())
        self.out = nn.Linear(2 * config.hidden, 1)

    def forward(self, degrees: Tensor, edges: Tensor, owner: Tensor, graphs: int) -> Tensor:
        """(graphs,) from degrees (nodes,), edges (2, E), and each node's graph."""
        noise = 0.01 * torch.randn_like(degrees)
        h = self.node(torch.stack([degrees, noise], dim=1))
        summed = torch.zeros_like(h).index_add(0, edges[0], h[edges[1]])
        both = torch.cat([h, summed], dim=1)
        return self.out(both.new_zeros(graphs, both.shape[1]).index_add(0, owner, both)).squeeze(1)


@dataclass(frozen=True)
class GraphData:
    paths: tuple[str, ...] = ()
    most_nodes: int = 0


@dataclass(frozen=True)
class GraphOptions:
    error: str = "squared"


@dataclass(frozen=True)
class GraphBatch:
    degrees: Tensor
    edges: Tensor
    owner: Tensor
    target: Tensor
    fraction: float = 1.0


class GraphScalar(Task):
    """How many edges a graph has, over ten: learned from graphs of 3 to 7 nodes."""

    MODELS = {"sums": Sums}  # noqa: RUF012
    Data, Options = GraphData, GraphOptions
    SOURCES = ("tests/surrogate/tasks/graph_scalar.py",)
    metric = "mse"
    columns = ("mae",)

    def __init__(self, data: GraphData, options: GraphOptions, model: nn.Module, setting: Setting) -> None:
        self._options, self._setting = options, setting
        found = [np.load(path) for path in data.paths]
        graphs = [a[:n, :n] for f in found for a, n in zip(f["adjacency"], f["n_nodes"], strict=True)]
        graphs = [a for a in graphs if not data.most_nodes or len(a) <= data.most_nodes]
        held = max(len(graphs) // 5, 1)
        self._train, self._valid = graphs[:-held], graphs[-held:]
        self.steps_per_epoch = len(self._train) // setting.batch_size

    @classmethod
    def checks(cls, data: GraphData, options: GraphOptions) -> Sequence[tuple[bool, str]]:
        return ((options.error in ("squared", "absolute"), "train.error must be squared or absolute"),)

    def stages(self, model: nn.Module, epochs: int) -> list[Stage]:
        return [Stage("scalar", epochs, tuple(model.parameters()))]

    def batches(
        self, seed: int, epoch: int, *, skip: int = 0, rank: int = 0, count: int = 1
    ) -> Iterator[GraphBatch]:
        order = np.random.default_rng([seed, epoch]).permutation(len(self._train))
        size = self._setting.batch_size
        for step in range(skip, self.steps_per_epoch):
            chosen = order[step * size : (step + 1) * size]
            part = chosen[size * rank // count : size * (rank + 1) // count]
            yield self._batch([self._train[i] for i in part], len(part) / size)

    def _batch(self, graphs: Sequence[np.ndarray], fraction: float = 1.0) -> GraphBatch:
        sizes = [len(a) for a in graphs]
        starts = np.cumsum([0, *sizes[:-1]])
        edges = np.concatenate([np.stack(a.nonzero()) + first for a, first in zip(graphs, starts, strict=True)], 1)
        numbers = (np.concatenate([a.sum(0) for a in graphs]), [a.sum() / 20.0 for a in graphs])
        degrees, target = (torch.tensor(np.asarray(n), dtype=self._setting.dtype) for n in numbers)
        owner = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
        return GraphBatch(degrees, torch.as_tensor(edges), owner, target, fraction)

    def loss(self, model: ModelCall, batch: GraphBatch, stage: Stage) -> Tensor:
        error = model(batch.degrees, batch.edges, batch.owner, len(batch.target)) - batch.target
        return (error.square() if self._options.error == "squared" else error.abs()).mean()

    def validation(self, model: ModelCall, stage: Stage) -> Validation:
        batch = self._batch(self._valid)
        error = model(batch.degrees, batch.edges, batch.owner, len(batch.target)) - batch.target
        return Validation(float(error.square().mean()), [float(error.abs().mean())])

    def identity(self) -> list[dict[str, Any]]:
        data = b"".join(a.tobytes() for a in self._train + self._valid)
        return [{"graphs": len(self._train), "sha256": hashlib.sha256(data).hexdigest()}]

    def card(self) -> dict[str, Any]:
        return {"sizes": sorted({len(a) for a in self._train})}


def graphs(path: Path, count: int = 40, seed: int = 0) -> Path:
    """Random graphs of 3 to 7 nodes."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(3, 8, count)
    upper = np.triu(rng.random((count, 7, 7)) < 0.5, 1).astype(np.uint8)
    inside = np.arange(7) < sizes[:, None]
    adjacency = (upper + upper.swapaxes(1, 2)) * inside[:, None] * inside[:, :, None]
    np.savez(path, adjacency=adjacency, n_nodes=sizes)
    return path


def trained(argv: list[str], die_at: int = 0) -> None:
    """The command in a process of its own, which dies of SIGKILL right before its `die_at`-th file operation."""
    from surrogate.train import main
    from surrogate.training import loop

    TASKS[NAME] = WHERE
    torch.set_num_threads(1)
    loop.SAVE_EVERY_SECONDS = -1.0  # restart points after every step
    count = 0

    def deadly(inner: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return inner(*arguments, **options)

        return call

    os.fsync = deadly(os.fsync)
    Path.replace = deadly(Path.replace)  # type: ignore[method-assign]
    os._exit(run_command(main, argv))
