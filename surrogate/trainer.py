"""What a training run consists of: model, optimiser, averaged weights, data, and how far it is.

:mod:`surrogate.fit` drives it, :mod:`surrogate.restart` keeps it on disk.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from physics.dataset import DataSplit
from physics.errors import InputError
from surrogate.config import Config, DataConfig, built_model
from surrogate.data import (
    Batch,
    Scales,
    Windows,
    data_identity,
    fitted_scales,
    input_times,
    task_frames,
    task_horizon,
    training_range,
    training_splits,
    windows,
)
from surrogate.models import SurrogateModel


@dataclass(frozen=True)
class Stage:
    """One training stage: "positions", or "velocities" (the separate head, all else frozen)."""

    name: str
    epochs: int


@dataclass
class Progress:
    """What a restart point keeps beside the tensors."""

    stage: int = 0
    epoch: int = 0
    step: int = 0
    best: float = math.inf
    best_epoch: int = 0
    history: list[dict[str, float | str | int]] | None = None


class Trainer:
    """Model, optimiser, average and data of one run; `fit` drives it."""

    def __init__(self, config: Config, out: Path, device: str, command: str) -> None:
        self.config, self.out, self.device, self.command = config, out, device, command
        if not config.data.paths:
            raise InputError("no data set: give --data DATA or data.paths in the config")
        if config.train.threads:
            torch.set_num_threads(config.train.threads)
        torch.manual_seed(config.train.seed)
        self.model: SurrogateModel = built_model(config)
        splits = {path: training_splits(path) for path in config.data.paths}
        frames = [
            task_frames(t, "train", config.data.input_frame, config.data.target_frame) for t, _ in splits.values()
        ]
        self.scales = fitted_scales(next(iter(splits.values()))[0], frames[0]) if len(splits) == 1 else Scales()

        def prepared(split: DataSplit, name: str, data: DataConfig) -> Windows:
            return windows(split, name, data, self.scales, centre=self.model.centres, device=device)

        self.train_sets = [prepared(t, "train", config.data) for t, _ in splits.values()]
        one_window = replace(config.data, windows="task")
        self.valid_sets = [prepared(v, "valid", one_window) for _, v in splits.values()]
        self._check_data([split for pair in splits.values() for split in pair])
        self.identity = data_identity(self.train_sets, self.valid_sets)
        self.card = {
            "command": command,
            "note": config.note,
            "frames": [list(pair) for pair in frames],
            "windows": config.data.windows,
            "train_samples": [len(s) for s in self.train_sets],
            "velocity_targets": bool(config.train.velocity_weight),
            **training_range({path: train for path, (train, _) in splits.items()}),
            "input_times": input_times([t for t, _ in splits.values()], frames, config.data.windows == "all"),
        }
        self.horizon = self.train_sets[0].horizon * self.scales.time
        if self.model.any_horizon:  # trained on windows of any length; forecasts the data's own task by default
            self.horizon = task_horizon(next(iter(splits.values()))[0])
        self.model.to(device)
        self.average = {name: p.detach().clone() for name, p in self.model.state_dict().items()}
        self.stages = [Stage("positions", config.train.epochs)]
        if self.model.velocity_head_parameters() and config.train.velocity_epochs:
            self.stages.append(Stage("velocities", config.train.velocity_epochs))
        self.progress = Progress(history=[])

    def _check_data(self, splits: list[DataSplit]) -> None:
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
        if not self.model.uses_masses and any((split.masses != 1).any() for split in splits):
            raise InputError(f"model {self.config.model!r} is for unit masses; the data has others")
        if self.model.dims is not None and dims != {self.model.dims}:
            raise InputError(
                f"model {self.config.model!r} is for n = {self.model.dims} (model.dims); "
                f"the data has n = {', '.join(map(str, sorted(dims)))}"
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

    def loss(self, batch: Batch) -> Tensor:
        """Mean squared error of positions (and, where the config says so, velocities), weighted per data set."""
        masses = batch.m if self.model.uses_masses else None
        outputs: tuple[Tensor, Tensor | None] = self.model(
            batch.x, batch.v, batch.q, self.train_sets[0].horizon, masses
        )
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

    @torch.no_grad()
    def update_average(self) -> None:
        """Move the averaged weights towards the live ones."""
        # The average warms up, so that the first steps do not drag the random initial weights along.
        decay = min(self.config.train.ema, (1 + self.progress.step) / (10 + self.progress.step))
        live = self.model.state_dict()
        names = list(live)
        torch._foreach_lerp_([self.average[k] for k in names], [live[k] for k in names], 1 - decay)

    @torch.no_grad()
    def validation_errors(self) -> list[float]:
        """MSE on each valid set with the averaged weights (of velocities in the velocity stage)."""
        live = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        errors = []
        for s in self.valid_sets:
            everything = torch.arange(len(s))
            x, v, q, m, x_target, v_target = s.pick(everything, torch.zeros_like(everything))
            outputs = []
            for i in range(0, len(s), 500):
                part = slice(i, i + 500)
                masses = m[part] if self.model.uses_masses else None
                outputs.append(self.model(x[part], v[part], q[part], s.horizon, masses))
            if self.stages[self.progress.stage].name == "velocities":
                forecast, target = torch.cat([o[1] for o in outputs]), v_target
            else:
                forecast, target = torch.cat([o[0] for o in outputs]), x_target
            errors.append(float((forecast - target).double().square().mean()))
        self.model.load_state_dict(live)
        return errors
