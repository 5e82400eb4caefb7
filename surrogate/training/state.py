"""What a training run consists of: model, optimiser, averaged weights, data, and how far it is.

:mod:`surrogate.training.loop` drives it, :mod:`surrogate.training.restart` keeps it on disk.
"""

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from physics.errors import InputError
from surrogate.models import SurrogateModel
from surrogate.tasks.dynamics.config import DataConfig
from surrogate.tasks.dynamics.streamed import is_streamed, nearest_folder, outline
from surrogate.tasks.dynamics.windows import (
    ROWS,
    Batch,
    Scales,
    Split,
    Windows,
    batches,
    data_identity,
    fitted_scales,
    input_times,
    streamed_splits,
    task_frames,
    task_horizon,
    training_range,
    training_splits,
    windows,
)
from surrogate.training.compiled import compile_in_place
from surrogate.training.config import Config, built_model
from surrogate.training.distributed import Processes
from surrogate.training.divergence import Guard
from surrogate.training.eta import Plan, PlannedStage

PROBES = 4
"""Passes that are timed to know what a later stage costs."""
DTYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class Stage:
    """One training stage: "positions", or "velocities" (the separate head, all else frozen)."""

    name: str
    epochs: int


@dataclass
class Progress:
    """How far a run is: what a restart point keeps beside the tensors.

    Attributes
    ----------
    stage, epoch, batch : int
        Stages and epochs that are done, and batches of the epoch under way.
    step : int
        Steps of the stage, skipped ones included: the schedule's clock.
    loss_sum, loss_count : float, int
        Of the epoch under way.
    best, best_epoch : float, int
        The least validation error of the stage.
    history : list of dict
        A row for every validation.
    """

    stage: int = 0
    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    loss_count: int = 0
    best: float = math.inf
    best_epoch: int = 0
    history: list[dict[str, float | str | int]] = field(default_factory=list)


@dataclass(frozen=True)
class GoodState:
    """The last state whose loss was seen to be good, before it was updated.

    Attributes
    ----------
    tensors : dict of str to Tensor
        Copies, named as in a restart point.
    progress : Progress
    guard : Guard
    """

    tensors: dict[str, Tensor]
    progress: Progress
    guard: Guard


class Trainer:
    """Model, optimiser, average and data of one run; `fit` drives it."""

    def __init__(
        self, config: Config, out: Path, device: str, command: str, processes: Processes | None = None
    ) -> None:
        self.config, self.out, self.device, self.command = config, out, device, command
        self.processes = processes or Processes()
        if not config.data.paths:
            raise InputError("no data set: give --data DATA or data.paths in the config")
        if config.train.threads:
            torch.set_num_threads(config.train.threads)
        torch.manual_seed(config.train.seed)
        self.model: SurrogateModel = built_model(config)
        dtype = DTYPES[config.train.dtype]
        place = nearest_folder(out)  # for the files of data sets that do not fit in memory
        splits: dict[str, tuple[Split, Split]] = {
            path: streamed_splits(path, place) if is_streamed(path, config.data.stream) else training_splits(path)
            for path in config.data.paths
        }
        outlines = {path: outline(train) for path, (train, _) in splits.items()}
        frames = [
            task_frames(s, "train", config.data.input_frame, config.data.target_frame) for s in outlines.values()
        ]
        self.scales = fitted_scales(next(iter(splits.values()))[0], frames[0]) if len(splits) == 1 else Scales()

        def prepared(split: Split, name: str, data: DataConfig) -> Windows:
            return windows(split, name, data, self.scales, centre=self.model.centres, dtype=dtype, device=device)

        self.train_sets = [prepared(t, "train", config.data) for t, _ in splits.values()]
        one_window = replace(config.data, windows="task")
        self.valid_sets = [prepared(v, "valid", one_window) for _, v in splits.values()]
        self._check_data()
        self.identity = data_identity(self.train_sets, self.valid_sets)
        self.card = {
            "command": command,
            "note": config.note,
            "frames": [list(pair) for pair in frames],
            "windows": config.data.windows,
            "train_samples": [len(s) for s in self.train_sets],
            "velocity_targets": bool(config.train.velocity_weight),
            **training_range(outlines),
            "input_times": input_times(list(outlines.values()), frames, config.data.windows == "all"),
        }
        self.horizon = self.train_sets[0].horizon * self.scales.time
        if self.model.any_horizon:  # trained on windows of any length; forecasts the data's own task by default
            self.horizon = task_horizon(next(iter(outlines.values())))
        self.model.to(device=device, dtype=dtype)
        self.compiled = config.train.compile
        if config.train.compile and (reason := compile_in_place(self.model, device)):
            self.compiled = False
            warnings.warn(f"train.compile: {reason}", stacklevel=2)
        self.average = {name: p.detach().clone() for name, p in self.model.state_dict().items()}
        self.stages = [Stage("positions", config.train.epochs)]
        if self.model.velocity_head_parameters() and config.train.velocity_epochs:
            self.stages.append(Stage("velocities", config.train.velocity_epochs))
        self.progress = Progress()
        self.guard = Guard(config.train.spike)
        self.good: GoodState | None = None
        self._live: dict[str, Tensor] = {}  # what is copied before every update, and the copies
        self._copies: dict[str, Tensor] = {}
        self._watched = -1
        self.stop_requested = False  # of this process
        self.stop_agreed = False  # of all of them: they stop at the same step
        self.latest_is_validated = False  # of the restart point that is on the disk
        self.loop = "step by step"  # which loop makes the steps: the last bits depend on it

    def _check_data(self) -> None:
        sets = self.train_sets + self.valid_sets
        horizons = {round(s.horizon, 6) for s in sets}
        particles = {s.x.shape[2] for s in sets}
        dims = {s.n_dims for s in sets}
        if len(horizons) > 1 or len(particles) > 1:
            raise InputError(
                f"data sets and splits of one run must agree in horizon and particles; got {horizons}, {particles}"
            )
        if particles == {1}:
            raise InputError(f"{sets[0].source}: systems of one particle; models need at least 2")
        if not self.model.uses_masses and any(bool((s.m != 1).any()) for s in sets):
            raise InputError(f"model {self.config.model!r} is for unit masses; the data has others")
        if self.model.dims is not None and dims != {self.model.dims}:
            raise InputError(
                f"model {self.config.model!r} is for n = {self.model.dims} (model.dims); "
                f"the data has n = {', '.join(map(str, sorted(dims)))}"
            )
        batch_size, count = self.config.train.batch_size, self.processes.count
        if min(batch_size // len(self.train_sets), *(len(s) for s in self.train_sets)) < count > 1:
            raise InputError(
                f"train.batch_size {batch_size}: less than one window of each data set for {count} processes"
            )
        if self.config.train.velocity_weight and (
            not self.model.gives_velocity or self.model.velocity_head_parameters()
        ):
            raise InputError(
                f"train.velocity_weight: model {self.config.model!r} gives no velocity with its positions; "
                "a velocity head is trained by train.velocity_epochs"
            )

    def start_stage(self, index: int) -> None:
        """Choose what this stage trains and a fresh optimiser for it."""
        velocities = self.stages[index].name == "velocities"
        self.model.skip_velocity_head = not velocities and bool(self.model.velocity_head_parameters())
        chosen = self.model.velocity_head_parameters() if velocities else self.model.position_parameters()
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)
        for parameter in chosen:
            parameter.requires_grad_(True)
        self.parameters = chosen
        self.optimiser = torch.optim.AdamW(
            chosen, lr=self.config.train.lr, weight_decay=self.config.train.weight_decay, fused=True
        )
        share = max(self.config.train.batch_size // len(self.train_sets), 1)
        smallest = min(len(s) for s in self.train_sets)
        self.steps_per_epoch = smallest // min(share, smallest)
        self.total_steps = self.stages[index].epochs * self.steps_per_epoch
        self.guard, self.good, self._watched = Guard(self.config.train.spike), None, -1

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

    def loss(self, batch: Batch, model: Callable[..., tuple[Tensor, Tensor | None]] | None = None) -> Tensor:
        """Mean squared error of positions (and, where the config says so, velocities), weighted per data set.

        `model` stands in for the run's own: the same one with other weights (surrogate/training/whole_epochs.py).
        """
        batch = batch.to(self.device)
        masses = batch.m if self.model.uses_masses else None
        outputs: tuple[Tensor, Tensor | None]
        with torch.autocast(batch.x.device.type, torch.bfloat16, enabled=self.config.train.amp):
            outputs = (model or self.model)(batch.x, batch.v, batch.q, self.train_sets[0].horizon, masses)
        x, v = outputs
        if self.stages[self.progress.stage].name == "velocities":
            assert v is not None
            return (batch.weight * (v - batch.v_target).square()).mean()
        errors = (batch.weight * (x - batch.x_target).square()).mean((1, 2))
        if self.config.train.velocity_weight and v is not None:
            of_velocity = (batch.weight * (v - batch.v_target).square()).mean((1, 2))
            errors = errors + self.config.train.velocity_weight * of_velocity
        limit = self.config.train.saturation
        if limit and self.config.train.saturation_form == "log":
            errors = limit * torch.log1p(errors / limit)
        elif limit:
            errors = errors / (1.0 + errors / limit)
        return errors.mean()

    def shared_loss(self, batch: Batch) -> Tensor:
        """`loss`, weighted so that the sum over all processes is the mean over the whole batch."""
        return self.loss(batch) if batch.share == 1.0 else self.loss(batch) * batch.share

    def update(self, batch: Batch) -> Tensor:
        """One plain step of the optimiser at its present rate, with nothing watched or averaged; the loss."""
        loss = self.loss(batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.config.train.clip:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.config.train.clip)
        self.optimiser.step()
        return loss.detach()

    def plan(self) -> Plan:
        """What the run consists of, with the cost of each stage's step in steps of the present one."""
        costs = [1.0] * len(self.stages)
        if self.progress.stage + 1 < len(self.stages):
            costs = self._step_costs()
        stages = zip(self.stages, costs, strict=True)
        return Plan(
            tuple(PlannedStage(stage.name, stage.epochs, cost) for stage, cost in stages),
            self.steps_per_epoch,
            self.config.train.validate_every,
        )

    def _step_costs(self) -> list[float]:
        """Each stage's step against one of the present stage, timed on one batch; nothing is changed by it."""
        present, optimiser, good, guard = self.progress.stage, self.optimiser, self.good, self.guard
        train, processes = self.config.train, self.processes
        (batch, *_) = islice(
            batches(
                self.train_sets, train.batch_size, 0, 0, train.loss, rank=processes.rank, count=processes.count
            ),
            1,
        )
        random = torch.get_rng_state()
        seconds = []
        for index in range(len(self.stages)):
            self.start_stage(index)
            self.progress.stage = index
            times = []
            for _ in range(PROBES):
                began = time.perf_counter()
                self.optimiser.zero_grad(set_to_none=True)
                self.loss(batch).backward()  # type: ignore[no-untyped-call]
                times.append(time.perf_counter() - began)
            seconds.append(min(times))
            self.optimiser.zero_grad(set_to_none=True)
        torch.set_rng_state(random)
        self.progress.stage = present
        self.start_stage(present)
        self.optimiser, self.good, self.guard = optimiser, good, guard
        return [value / seconds[present] for value in seconds]

    def tensors(self) -> dict[str, Tensor]:
        """Weights, their average, the optimiser's state and the random state, named as in a restart point."""
        named = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        named |= {f"average.{name}": value for name, value in self.average.items()}
        for index, state in self.optimiser.state_dict()["state"].items():
            named |= {f"adam.{index}.{name}": torch.as_tensor(value) for name, value in state.items()}
        return named | self._random_state()

    def _random_state(self) -> dict[str, Tensor]:
        named = {"random.cpu": torch.get_rng_state()}
        if self.device.startswith("cuda"):
            named["random.cuda"] = torch.cuda.get_rng_state()
        return named

    def set_tensors(self, named: dict[str, Tensor]) -> None:
        """Take over what `tensors` gave."""
        self._watched = -1
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "adam": {}, "random": {}, "good": {}}
        for name, tensor in named.items():
            group, _, rest = name.partition(".")
            groups[group][rest] = tensor
        self.model.load_state_dict(groups["model"])
        self.average = {name: value.to(self.device, copy=True) for name, value in groups["average"].items()}
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in groups["adam"].items():
            index, _, leaf = name.partition(".")
            state.setdefault(int(index), {})[leaf] = tensor.clone()
        self.optimiser.load_state_dict(
            {"state": state, "param_groups": self.optimiser.state_dict()["param_groups"]}
        )
        if "cpu" in groups["random"]:  # restart points of before have none: no model draws while it is trained
            torch.set_rng_state(groups["random"]["cpu"])
        if "cuda" in groups["random"] and self.device.startswith("cuda"):
            torch.cuda.set_rng_state(groups["random"]["cuda"])

    @torch.no_grad()
    def keep_good(self) -> None:
        """Remember this state as the one to go back to."""
        if len(self.optimiser.state) != self._watched:  # a new optimiser, or its first step: other tensors
            self._live = {name: value.detach() for name, value in self.tensors().items() if "random" not in name}
            self._copies = {name: value.clone() for name, value in self._live.items()}
            self._watched = len(self.optimiser.state)
        else:
            torch._foreach_copy_(list(self._copies.values()), list(self._live.values()))
        kept = {**self._copies, **self._random_state()}
        self.good = GoodState(kept, replace(self.progress), replace(self.guard))

    def roll_back(self) -> None:
        """The weights, average and optimiser of the last good state; position and schedule go on."""
        if self.good is not None:
            self.set_tensors(self.good.tensors)

    def weights_are_finite(self) -> bool:
        """Whether all weights and their averages are."""
        values = [*self.model.state_dict().values(), *self.average.values()]
        return all(bool(torch.isfinite(value).all()) for value in values)

    @torch.no_grad()
    def update_average(self) -> None:
        """Move the averaged weights towards the live ones, after :meth:`keep_good`, which has looked them up."""
        decay = self.average_decay(self.progress.step + 1)  # with the step that has just been made
        live = [self._live[f"model.{name}"] for name in self.average]
        torch._foreach_lerp_(list(self.average.values()), live, 1 - decay)

    def average_decay(self, steps: int) -> float:
        """What the average keeps of itself after so many steps.

        It warms up, so that the first steps do not drag the random initial weights along.
        """
        return min(self.config.train.ema, (1 + steps) / (10 + steps))

    @torch.no_grad()
    def validation_errors(self) -> list[float]:
        """MSE on each valid set with the averaged weights (of velocities in the velocity stage).

        Where several processes train, the first one measures for all.
        """
        if not self.processes.first:
            return self.processes.of_the_first([0.0] * len(self.valid_sets))
        live = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        errors = []
        for s in self.valid_sets:
            parts = [self._mean_error(s, range(i, min(i + ROWS, len(s)))) for i in range(0, len(s), ROWS)]
            errors.append(parts[0][0] if len(parts) == 1 else sum(e * n for e, n in parts) / len(s))
        self.model.load_state_dict(live)
        return self.processes.of_the_first(errors)

    def _mean_error(self, s: Windows, samples: range) -> tuple[float, int]:
        """Mean squared error on some windows of a valid set, and how many they are."""
        chosen = torch.arange(samples.start, samples.stop)
        picked = s.pick(chosen, torch.zeros_like(chosen))
        x, v, q, m, x_target, v_target = (t.to(self.device) for t in picked)
        outputs = []
        for i in range(0, len(samples), 500):
            part = slice(i, i + 500)
            masses = m[part] if self.model.uses_masses else None
            outputs.append(self.model(x[part], v[part], q[part], s.horizon, masses))
        if self.stages[self.progress.stage].name == "velocities":
            forecast, target = torch.cat([o[1] for o in outputs]), v_target
        else:
            forecast, target = torch.cat([o[0] for o in outputs]), x_target
        return float((forecast - target).double().square().mean()), len(samples)
