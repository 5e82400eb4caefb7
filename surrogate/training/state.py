"""What a training run consists of: model, optimiser, averaged weights, task, and how far it is.

:mod:`surrogate.training.loop` trains it, :mod:`surrogate.training.restart` keeps it on disk.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from physics.errors import InputError
from surrogate.models.base import Accelerated
from surrogate.tasks import task_class
from surrogate.tasks.base import Batch, Setting, Stage, Task, Validation
from surrogate.training.compiled import compile_in_place
from surrogate.training.config import Config, built_model
from surrogate.training.distributed import Processes
from surrogate.training.divergence import Divergence
from surrogate.training.progress import Progress

DTYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class Snapshot:
    """A state of a run at the beginning of a step.

    Attributes
    ----------
    tensors : dict of str to Tensor
        Copies, named as in a restart point.
    progress : Progress
    divergence : Divergence
    """

    tensors: dict[str, Tensor]
    progress: Progress
    divergence: Divergence


class Trainer:
    """Model, optimiser, average and task of one run.

    Parameters
    ----------
    config : Config
    out : Path
        The run's folder; nothing is written here.
    device, command : str
    processes : Processes, optional
    task : Task, optional
        Of another run with the same data and settings: they are not read again.
    """

    def __init__(
        self,
        config: Config,
        out: Path,
        device: str,
        command: str,
        processes: Processes | None = None,
        task: Task | None = None,
    ) -> None:
        self.config, self.out, self.device, self.command = config, out, device, command
        self.processes = processes or Processes()
        if not config.data.paths:
            raise InputError("no data set: give --data DATA or data.paths in the config")
        if config.train.threads:
            torch.set_num_threads(config.train.threads)
        torch.manual_seed(config.train.seed)
        self.model: nn.Module = built_model(config)
        dtype = DTYPES[config.train.dtype]
        setting = Setting(
            config.model, config.train.batch_size, dtype, device, self.processes.count, _nearest_folder(out)
        )
        self.task = task or task_class(config.task)(config.data, config.task_config, self.model, setting)
        self.identity = self.task.identity()
        self.card = {"command": command, "note": config.note, **self.task.card()}
        self.model.to(device=device, dtype=dtype)
        self.compiled = config.train.compile
        if config.train.compile and (reason := compile_in_place(self.model, device)):
            self.compiled = False
            warnings.warn(f"train.compile: {reason}", stacklevel=2)
        self.average = {name: p.detach().clone() for name, p in self.model.state_dict().items()}
        self.stages = self.task.stages(self.model, config.train.epochs)
        self.progress = Progress()
        self.divergence = Divergence(config.train.spike)
        self.before: Snapshot | None = None  # the last accepted step: what a rejected one goes back to
        self.curves: Callable[[dict[str, Any]], None] | None = None  # gets the row of each validation
        self.good: dict[str, Tensor] = {}  # of a restart point between validations: what whole epochs go back to
        self.stop_requested = False  # of this process
        self.stop_agreed = False  # of all of them: they stop at the same step
        self.latest_is_validated = False  # of the restart point that is on the disk
        self.loop = "step by step"  # which loop makes the steps: the last bits depend on it

    @property
    def stage(self) -> Stage:
        """The one under way."""
        return self.stages[self.progress.stage]

    def start_stage(self, index: int) -> None:
        """Choose what this stage trains and a fresh optimiser for it."""
        stage = self.stages[index]
        self.task.start(self.model, stage)
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)
        for parameter in stage.parameters:
            parameter.requires_grad_(True)
        self.parameters = list(stage.parameters)
        self.accelerated = self._for_training()
        train = self.config.train
        own = {
            rate: [p for p in self.parameters if own_rate(p) == rate] for rate in map(own_rate, self.parameters)
        }
        self.optimiser = torch.optim.AdamW(
            [{"params": some, "own_rate": rate} for rate, some in own.items()],
            lr=train.lr,
            weight_decay=train.weight_decay,
            fused=True,
        )
        self.steps_per_epoch = self.task.steps_per_epoch
        self.total_steps = stage.epochs * self.steps_per_epoch
        self.divergence, self.before = Divergence(train.spike), None

    def _for_training(self) -> Accelerated:
        """What makes the forward passes of training steps: the model's kernels where it offers some."""
        offered = None if self.compiled or self.config.train.amp else getattr(self.model, "for_training", None)
        if offered is not None:
            made: Accelerated = offered()
            return made
        reason = "torch.compile" if self.compiled else "products in bfloat16" if self.config.train.amp else ""
        return Accelerated(self.model, f"PyTorch: {reason}" if reason else "PyTorch", differentiable=True)

    def epoch_number(self) -> int:
        """Of the epoch under way, counted through all stages: with the seed it decides the order of the data."""
        return self.progress.epoch + 1 + 1_000_000 * self.progress.stage

    def learning_rate(self, step: int) -> float:
        """One-cycle: cosine up over the warm-up, cosine down to zero; or constant."""
        train = self.config.train
        if train.schedule == "constant":
            return train.lr
        rise = max(train.warmup * self.total_steps, 1.0)
        if step < rise:
            return train.lr * (0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * step / rise)))
        fraction = (step - rise) / max(self.total_steps - rise, 1.0)
        return train.lr * 0.5 * (1 + math.cos(math.pi * min(fraction, 1.0)))

    def average_decay(self, steps: int) -> float:
        """What the average of the weights keeps of itself after so many steps.

        It warms up, so that the first steps do not drag the random initial weights along.
        """
        return min(self.config.train.ema, (1 + steps) / (10 + steps))

    def loss(self, batch: Batch, model: Callable[..., Any] | None = None) -> Tensor:
        """The task's loss of a batch: the one place where a training step calls the model.

        `model` stands in for the run's own: the same one with other weights (surrogate/training/whole_epochs.py).
        """

        def called(*inputs: Any, **given: Any) -> Any:
            with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.config.train.amp):
                return (model or self.accelerated.forward)(*inputs, **given)

        return self.task.loss(called, batch, self.stage)

    @torch.no_grad()
    def validation(self) -> Validation:
        """What the averaged weights come to; where several processes train, the first one measures for all."""
        if not self.processes.first:
            score, *values = self.processes.broadcast([0.0] * (1 + len(self.task.columns)))
            return Validation(score, values)
        live = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        offered = None if self.compiled else getattr(self.model, "for_inference", None)
        found = self.task.validation(offered().forward if offered else self.model, self.stage)
        self.model.load_state_dict(live)
        score, *values = self.processes.broadcast([found.score, *found.values])
        return Validation(score, values)

    def tensors(self) -> dict[str, Tensor]:
        """Weights, their average, the optimiser's state and the random state, named as in a restart point."""
        return self.trained_tensors() | self.random_state()

    def trained_tensors(self) -> dict[str, Tensor]:
        """All of :meth:`tensors` that a step changes."""
        named = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        named |= {f"average.{name}": value for name, value in self.average.items()}
        for index, state in self.optimiser.state_dict()["state"].items():
            named |= {f"adam.{index}.{name}": torch.as_tensor(value) for name, value in state.items()}
        return named

    def random_state(self) -> dict[str, Tensor]:
        """Of PyTorch's generators, for models and losses that draw numbers."""
        named = {"random.cpu": torch.get_rng_state()}
        if self.device.startswith("cuda"):
            named["random.cuda"] = torch.cuda.get_rng_state()
        return named

    def set_tensors(self, named: dict[str, Tensor]) -> None:
        """Take over what `tensors` gave."""
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "adam": {}, "random": {}, "good": {}}
        for name, tensor in named.items():
            group, _, rest = name.partition(".")
            groups[group][rest] = tensor
        self.good = groups["good"]
        self.model.load_state_dict(groups["model"])
        self.average = {name: value.to(self.device, copy=True) for name, value in groups["average"].items()}
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in groups["adam"].items():
            index, _, leaf = name.partition(".")
            state.setdefault(int(index), {})[leaf] = tensor.clone()
        self.optimiser.load_state_dict(
            {"state": state, "param_groups": self.optimiser.state_dict()["param_groups"]}
        )
        self.set_random_state(named)

    def set_random_state(self, named: dict[str, Tensor]) -> None:
        """Take over what `random_state` gave; restart points of older versions have none of it."""
        if "random.cpu" in named:
            torch.set_rng_state(named["random.cpu"])
        if "random.cuda" in named and self.device.startswith("cuda"):
            torch.cuda.set_rng_state(named["random.cuda"])

    def weights_are_finite(self) -> bool:
        """Whether all weights and their averages are."""
        values = [*self.model.state_dict().values(), *self.average.values()]
        return all(bool(torch.isfinite(value).all()) for value in values)


def own_rate(parameter: Tensor) -> float:
    """By how much a parameter learns faster than others: its `own_rate` where it has one, 1 else."""
    return float(getattr(parameter, "own_rate", 1.0))


def _nearest_folder(path: Path) -> Path:
    """The folder of `path`, or the nearest one above it that is there."""
    folder = path.absolute().parent
    while not folder.is_dir():
        folder = folder.parent
    return folder
