"""The contract of a task: what is learned, from which data, by which loss, and how it is scored.

The trainer (surrogate/training) knows nothing else of what it trains: batches, models and scores are passed from
method to method of one task. A task does not know the trainer. One object serves all runs of the same data, so it
holds no model: the methods that need one are given it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

ModelCall = Callable[..., Any]
"""Calls the model under training, in whatever precision and by whatever kernels the trainer has chosen."""


@dataclass(frozen=True)
class Setting:
    """What of a run its data depend on.

    Attributes
    ----------
    model : str
        The name of the model, for messages.
    batch_size : int
    dtype : torch.dtype
    device : str
    processes : int
        That divide every batch among them.
    folder : Path
        For temporary files of data sets that do not fit in memory.
    """

    model: str
    batch_size: int
    dtype: torch.dtype
    device: str
    processes: int
    folder: Path


@dataclass(frozen=True)
class Stage:
    """One phase of a training: its name, its epochs, and the parameters that are trained in it."""

    name: str
    epochs: int
    parameters: tuple[nn.Parameter, ...]


@dataclass(frozen=True)
class Validation:
    """What a model came to on the data kept aside.

    Attributes
    ----------
    score : float
        The least one is kept as the best.
    values : sequence of float
        More of it, named by `Task.columns`.
    """

    score: float
    values: Sequence[float] = ()


class Batch(Protocol):
    """What one step is made of: known to its task alone, but for `fraction`."""

    @property
    def fraction(self) -> float:
        """The part of the whole batch that this is: 1 but where several processes divide it."""


class DeviceBatches(Protocol):
    """The batches of one run, or of several side by side, gathered on the device many steps at a time."""

    def order(self, epoch: int) -> Any:
        """What decides the batches of an epoch, on the device."""

    def gathered(self, order: Any, first: int, count: int) -> list[Tensor]:
        """The fields of steps first..first + count - 1: tensors (steps, runs, ...)."""

    def batch(self, fields: Sequence[Tensor]) -> Any:
        """The batch of one step and run, from fields without their first two dimensions."""


class Task(ABC):
    """What is learned by the runs of one configuration, with its data read and checked.

    Parameters
    ----------
    data : Data
    options : Options
    model : nn.Module
        Untrained; asked for what it can take, not kept.
    setting : Setting

    Attributes
    ----------
    MODELS : mapping of str to type
        The models that can learn it: each has a frozen dataclass `Config`, and is made from one.
    Data : type
        The frozen dataclass of [data]; `paths` is a tuple of str.
    Options : type
        The frozen dataclass of what the task adds to [train]: its loss, its later stages.
    SOURCES : tuple of str
        Source files (patterns below the repository) that decide its numbers; a run is resumed with the same ones.
    metric : str
        What the score is, for the card: `valid_<metric>_<stage>`.
    columns : tuple of str
        Names of `Validation.values`: more columns of metrics.csv.
    steps_per_epoch : int
    """

    MODELS: ClassVar[Mapping[str, Any]]
    Data: ClassVar[type]
    Options: ClassVar[type]
    SOURCES: ClassVar[tuple[str, ...]]
    metric: ClassVar[str] = "loss"
    columns: tuple[str, ...] = ()
    steps_per_epoch: int

    @abstractmethod
    def __init__(self, data: Any, options: Any, model: nn.Module, setting: Setting) -> None: ...

    @classmethod
    def checks(cls, data: Any, options: Any) -> Sequence[tuple[bool, str]]:
        """Whether each condition on a configuration holds, and what is said where not."""
        return ()

    # Training

    @abstractmethod
    def stages(self, model: nn.Module, epochs: int) -> list[Stage]:
        """The phases of a training with `train.epochs` epochs."""

    def start(self, model: nn.Module, stage: Stage) -> None:  # noqa: B027 (most tasks need none)
        """Make a model ready for a stage: nothing by default."""

    @abstractmethod
    def batches(self, seed: int, epoch: int, *, skip: int = 0, rank: int = 0, count: int = 1) -> Iterator[Batch]:
        """The batches of an epoch, which depend on (seed, epoch) alone.

        Parameters
        ----------
        skip : int
            Batches of the epoch that are done already.
        rank, count : int
            Of `count` processes, the one whose part of each batch this is.
        """

    @abstractmethod
    def loss(self, model: ModelCall, batch: Any, stage: Stage) -> Tensor:
        """The loss of a batch, a scalar: the mean over the part of the batch that is here."""

    def no_device_batches(self) -> str:
        """Why :meth:`device_batches` cannot be made; empty where they can."""
        return "this task makes its batches one by one"

    def device_batches(self, seeds: Sequence[int]) -> DeviceBatches:
        """What :meth:`batches` gives, for runs of these seeds at once and many steps at a time."""
        raise NotImplementedError

    # Validation and what is kept

    @abstractmethod
    def validation(self, model: ModelCall, stage: Stage) -> Validation:
        """The score of a model on the data kept aside, and more numbers of it; no gradients are wanted."""

    def shown_in(self, stage: Stage) -> tuple[float, str]:
        """What losses and scores are multiplied by where they are shown, and the unit they are then in."""
        return 1.0, ""

    def remark(self, values: Mapping[str, Any], stage: Stage) -> str:
        """What is said beside the score of a validation, whose `columns` these values are; empty for nothing."""
        return ""

    @abstractmethod
    def identity(self) -> list[dict[str, Any]]:
        """What must agree when a run is resumed, as plain JSON: for each data set a summary and a digest."""

    def usage(self) -> dict[str, Any]:
        """What a checkpoint must say for its model to be used, beside the configuration: plain JSON by key."""
        return {}

    def facts(self) -> Sequence[str]:
        """What is said when a run begins, a line each."""
        return ()

    def card(self) -> dict[str, Any]:
        """What the card says of the data and of what was learned: plain JSON by key."""
        return {}

    def card_of_ended_stage(self, card: Mapping[str, Any]) -> dict[str, Any]:
        """What the card of a later stage keeps of the best card of the stage before it."""
        return {}
