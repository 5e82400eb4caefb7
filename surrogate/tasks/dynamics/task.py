"""The task of dynamics: from positions, velocities and charges to the positions one horizon later.

A stage of its own may train a velocity head afterwards, with all else frozen.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from physics.datasets.split import DataSplit
from physics.errors import InputError
from physics.types import FloatArray
from surrogate.models import MODELS
from surrogate.models.base import SurrogateModel
from surrogate.tasks.base import ModelCall, Setting, Stage, Task, Validation
from surrogate.tasks.dynamics.agreement import check_fields, check_windows
from surrogate.tasks.dynamics.batches import Batch, DeviceBatches, batches, windows_per_set
from surrogate.tasks.dynamics.config import DataConfig, LossConfig
from surrogate.tasks.dynamics.frames import task_horizon, window_frames
from surrogate.tasks.dynamics.ranges import field_ranges, measured, trained_ranges
from surrogate.tasks.dynamics.scales import Scales, fitted_scales, is_preset
from surrogate.tasks.dynamics.signatures import kept_signatures
from surrogate.tasks.dynamics.splits import Split, TrainingData, training_data
from surrogate.tasks.dynamics.streamed import blocks, outline
from surrogate.tasks.dynamics.windows import (
    FIELDS,
    ROWS,
    Windows,
    data_identity,
    input_times,
    training_range,
    windows,
)

AT_ONCE = 500
"""Windows of one forward pass of a validation."""


class Dynamics(Task):
    """The state of particles one horizon later.

    Attributes
    ----------
    train_sets, valid_sets : list of Windows
        Of each data set.
    scales : Scales
        The units they are in.
    horizon : float [time]
        The one that forecasts have by default.
    units : dict of str to str
        Labels of the data's own units, as far as they are known.
    """

    MODELS = MODELS
    Data, Options = DataConfig, LossConfig
    SOURCES = (
        "surrogate/tasks/dynamics/*.py",
        "physics/boundaries.py",
        "physics/datasets/checks.py",
        "physics/datasets/reading.py",
        "physics/datasets/split.py",
        "physics/datasets/times.py",
        "physics/datasets/formats/*.py",
        "physics/datasets/presets.py",
    )
    metric = "mse"

    def __init__(self, data: DataConfig, options: LossConfig, model: nn.Module, setting: Setting) -> None:
        assert isinstance(model, SurrogateModel)
        self._options, self._setting = options, setting
        self._uses_masses = model.uses_masses
        sets = {path: training_data(path, data, setting.folder) for path in data.paths}
        outlines = {path: outline(one.train) for path, one in sets.items()}
        chosen = [window_frames(outline(one.train), "train", one.config) for one in sets.values()]
        inputs = [frames.inputs for frames in chosen]
        self.scales = fitted_scales([one.train for one in sets.values()], inputs, chosen[0].horizon)

        model.set_length_unit(self.scales.length)
        self._cutoff = _cutoff(model, self.scales)

        def prepared(split: Split, name: str, config: DataConfig) -> Windows:
            centre, dtype, device = model.centres, setting.dtype, setting.device
            frames = model.fractions if name == "train" else (1.0,)
            how = partial(windows, centre=centre, dtype=dtype, device=device, takes=model.takes, fractions=frames)
            return how(split, name, config, self.scales)

        self.train_sets = [prepared(one.train, "train", one.config) for one in sets.values()]
        self.valid_sets = [
            prepared(one.valid, "valid", replace(one.config, windows="task")) for one in sets.values()
        ]
        check_windows(self.train_sets, self.valid_sets, self.scales, options, model, setting)
        acting = [_fields_of(one.train) for one in sets.values()]
        check_fields(self.train_sets[0].source, acting, model)
        self._identity = data_identity(self.train_sets, self.valid_sets)
        per_set = windows_per_set(self.train_sets, setting.batch_size)
        self.steps_per_epoch = min(len(s) for s in self.train_sets) // per_set
        several = len(self.valid_sets) if len(self.valid_sets) > 1 else 0
        self.columns = (*(f"valid_{index}" for index in range(several)), "valid_mse", "valid_relative")
        first = next(iter(outlines.values()))
        self.units = _same_units(list(outlines.values()))
        self.horizon = chosen[0].horizon
        if model.any_horizon and is_preset(first):  # windows of any length train; the data's own task is asked for
            self.horizon = task_horizon(first)
        held = [one.held_out_from for one in sets.values() if one.held_out_from is not None]
        self._card = {
            "frames": [list(one.frames) for one in sets.values()],
            "windows": data.windows,
            "train_samples": [len(s) for s in self.train_sets],
            "velocity_targets": bool(options.velocity_weight),
            **training_range(outlines),
            "input_times": input_times(list(outlines.values()), [c.inputs for c in chosen]),
            "ranges": self._ranges(list(outlines.values())),
            **({"fields": fields} if (fields := field_ranges(acting)) else {}),
            "seen": kept_signatures(_inputs(sets.values(), inputs, data.train_samples)),
            "units": self.units,
            **({"cutoff": self._cutoff} if self._cutoff else {}),
            "notes": sorted({note for head in outlines.values() for note in head.notes}),
            **({"held_out_from": held} if held else {}),
        }

    def _ranges(self, outlines: Sequence[DataSplit]) -> dict[str, Any]:
        """What of the training states bounds the model's use."""
        boxes = (None if head.box is None else head.box / self.scales.length for head in outlines)
        return trained_ranges([measured(s, b) for s, b in zip(self.train_sets, boxes, strict=True)])

    @classmethod
    def checks(cls, data: DataConfig, options: LossConfig) -> Sequence[tuple[bool, str]]:
        """See Task.checks."""
        return (
            (options.loss in ("mse", "relative"), "train.loss must be mse or relative"),
            (options.saturation >= 0, "train.saturation must be >= 0"),
            (options.saturation_form in ("bounded", "log"), "train.saturation_form must be bounded or log"),
            (options.velocity_weight >= 0, "train.velocity_weight must be >= 0"),
            (options.velocity_epochs >= 0, "train.velocity_epochs must be >= 0"),
            (options.augment in ("none", "rotations"), "train.augment must be none or rotations"),
            (data.stream in ("auto", "always", "never"), "data.stream must be auto, always or never"),
            (data.windows in ("task", "all"), "data.windows must be task or all"),
            (data.train_samples >= 0 and data.valid_samples >= 0, "data.*_samples must be >= 0"),
            (data.horizon >= 0, "data.horizon must be >= 0"),
            (not data.horizon or data.target_frame < 0, "data.horizon and data.target_frame exclude each other"),
        )

    def stages(self, model: nn.Module, epochs: int) -> list[Stage]:
        """Positions, then the velocity head where there is one and `train.velocity_epochs` asks for it."""
        assert isinstance(model, SurrogateModel)
        found = [Stage("positions", epochs, tuple(model.position_parameters()))]
        if (head := model.velocity_head_parameters()) and self._options.velocity_epochs:
            found.append(Stage("velocities", self._options.velocity_epochs, tuple(head)))
        return found

    def start(self, model: nn.Module, stage: Stage) -> None:
        """Leave the velocity head out while the positions are trained."""
        assert isinstance(model, SurrogateModel)
        model.set_length_unit(self.scales.length)
        model.skip_velocity_head = stage.name != "velocities" and bool(model.velocity_head_parameters())

    def batches(self, seed: int, epoch: int, *, skip: int = 0, rank: int = 0, count: int = 1) -> Iterator[Batch]:
        """See Task.batches."""
        size, loss, turned = self._setting.batch_size, self._options.loss, self._options.augment == "rotations"
        share = {"skip": skip, "rank": rank, "count": count}
        return batches(self.train_sets, size, seed, epoch, loss, turned=turned, **share)

    def loss(self, model: ModelCall, batch: Batch, stage: Stage) -> Tensor:
        """Mean squared error of positions (and, where the config says so, velocities), weighted per data set."""
        batch = batch.to(self._setting.device)
        masses = batch.m if self._uses_masses else None
        x: Tensor
        v: Tensor
        asked = {} if batch.x_between is None else {"trajectory": True}
        x, v = model(batch.x, batch.v, batch.q, self.train_sets[0].horizon, masses, **batch.given, **asked)
        if stage.name == "velocities":
            return (batch.weight * (v - batch.v_target).square()).mean()
        targets = batch.x_target
        if batch.x_between is not None:  # all of (times, B, N, n)
            targets = torch.cat([batch.x_between.transpose(0, 1), targets.unsqueeze(0)])
        errors = (batch.weight * (x - targets).square()).mean((-2, -1)).view(-1, len(batch.x)).mean(0)
        if self._options.velocity_weight and v is not None:
            of_velocity = (batch.weight * (v - batch.v_target).square()).mean((1, 2))
            errors = errors + self._options.velocity_weight * of_velocity
        limit = self._options.saturation
        if limit and self._options.saturation_form == "log":
            errors = limit * torch.log1p(errors / limit)
        elif limit:
            errors = errors / (1.0 + errors / limit)
        return errors.mean()

    def no_device_batches(self) -> str:
        """See Task.no_device_batches."""
        if any(s.x.device.type != torch.device(self._setting.device).type for s in self.train_sets):
            return "the data set is streamed, not on the device"
        if any(s.between is not None for s in self.train_sets):
            return "times between input and target train, too"
        if self._options.augment != "none":
            return "windows are turned (train.augment)"
        if self.train_sets[0].given:
            return f"{', '.join(self.train_sets[0].given)} come with the data"
        return ""

    def device_batches(self, seeds: Sequence[int]) -> DeviceBatches:
        """See Task.device_batches."""
        return DeviceBatches(self.train_sets, seeds, self._setting.batch_size, self._options.loss)

    def validation(self, model: ModelCall, stage: Stage) -> Validation:
        """The mean error over the data sets, each relative to x + v t where the loss is; one column a set."""
        errors = self.validation_errors(model, stage)
        moving = stage.name == "velocities"
        shares = [
            e / (s.inertial if moving else s.ballistic) for e, s in zip(errors, self.valid_sets, strict=True)
        ]
        unit = self.scales.speed**2 if moving else self.scales.area
        scores = errors
        if self._options.loss == "relative":
            scores = [e / s.ballistic for e, s in zip(errors, self.valid_sets, strict=True)]
        each = errors if len(errors) > 1 else []
        return Validation(float(np.mean(scores)), (*each, unit * float(np.mean(errors)), float(np.mean(shares))))

    def shown_in(self, stage: Stage) -> tuple[float, str]:
        """Errors in the data's own units; relative ones have none."""
        if self._options.loss == "relative":
            return 1.0, ""
        length, time = (self.units.get(name, "") for name in ("length", "time"))
        moving = stage.name == "velocities"
        unit = self.scales.speed**2 if moving else self.scales.area
        label = f"({length}/{time})^2" if moving and length and time else f"{length}^2" if length else ""
        return unit, "" if moving and not (length and time) else label

    def remark(self, values: Mapping[str, Any], stage: Stage) -> str:
        """The error relative to x + v t, or in the velocity stage to velocities that stay as they are."""
        what = "a constant v" if stage.name == "velocities" else "x + v t"
        return f"{values['valid_relative']:.3g} times that of {what}" if "valid_relative" in values else ""

    def validation_errors(self, model: ModelCall, stage: Stage) -> list[float]:
        """MSE on each valid set (of velocities in the velocity stage)."""
        errors = []
        for s in self.valid_sets:
            blocks = (range(i, min(i + ROWS, len(s))) for i in range(0, len(s), ROWS))
            parts = [self._mean_error(model, stage, s, block) for block in blocks]
            errors.append(parts[0][0] if len(parts) == 1 else sum(e * n for e, n in parts) / len(s))
        return errors

    def _mean_error(self, model: ModelCall, stage: Stage, s: Windows, samples: range) -> tuple[float, int]:
        """Mean squared error on some windows of a valid set, and how many they are."""
        chosen = torch.arange(samples.start, samples.stop)
        picked = s.pick(chosen, torch.zeros_like(chosen))
        x, v, q, m, x_target, v_target = (t.to(self._setting.device) for t in picked)
        given = {name: t[chosen.to(t.device)].to(x.device) for name, t in s.given.items()}
        outputs = []
        for i in range(0, len(samples), AT_ONCE):
            part = slice(i, i + AT_ONCE)
            masses = m[part] if self._uses_masses else None
            more = {name: t[part] for name, t in given.items()}
            outputs.append(model(x[part], v[part], q[part], s.horizon, masses, **more))
        which, target = (1, v_target) if stage.name == "velocities" else (0, x_target)
        forecast = torch.cat([output[which] for output in outputs])
        return float((forecast - target).double().square().mean()), len(samples)

    def identity(self) -> list[dict[str, Any]]:
        """See Task.identity."""
        return self._identity

    def usage(self) -> dict[str, Any]:
        """The units the model works in, and the horizon of its forecasts."""
        return {"scales": asdict(self.scales), "horizon": self.horizon}

    def facts(self) -> Sequence[str]:
        """The cut-off in both units, where there is one."""
        texts = (f"{value:.6g} in the {name}'s units" for name, value in self._cutoff.items())
        return (f"cut-off: {', '.join(texts)}",) if self._cutoff else ()

    def card(self) -> dict[str, Any]:
        """Frames, windows, samples, and the range of the data: n, N, laws, times."""
        return self._card

    def card_of_ended_stage(self, card: Mapping[str, Any]) -> dict[str, Any]:
        """What the velocity stage keeps of the position stage, from the best model of either stage."""
        if "position_steps" in card:
            return {k: v for k, v in card.items() if k.startswith(("valid_mse_p", "position_"))}
        return {
            **{k: v for k, v in card.items() if k.startswith("valid_mse")},
            "position_steps": card["steps"],
            "position_best_epoch": card["best_epoch"],
        }


def _cutoff(model: SurrogateModel, scales: Scales) -> dict[str, float]:
    """The cut-off of a model of near pairs in the units of the run and of the data; nothing of other models."""
    cutoff = float(getattr(model, "cutoff", math.inf))
    return {"run": cutoff, "data": cutoff * scales.length} if math.isfinite(cutoff) else {}


def _fields_of(split: Split) -> dict[str, NDArray[Any]]:
    """The fields that act in a split, (samples, ...) by name; none where all are 0."""
    found: dict[str, list[NDArray[Any]]] = {}
    for block in blocks(split):
        for name in FIELDS:
            if (values := getattr(block, name)) is not None:
                found.setdefault(name, []).append(values)
    whole = {name: np.concatenate(parts) for name, parts in found.items()}
    return {name: values for name, values in whole.items() if values.any()}


def _same_units(heads: Sequence[DataSplit]) -> dict[str, str]:
    """The labels of the units of all data sets.

    Raises
    ------
    InputError
        Where two sets have different ones: nothing is converted.
    """
    found: dict[str, str] = {}
    for head in heads:
        for quantity, label in head.units.items():
            if found.setdefault(quantity, label) != label:
                raise InputError(
                    f"{head.source}: {quantity} in {label}, where another data set of the run has "
                    f"{found[quantity]}; bring them to the same units, labels are never converted"
                )
    return found


def _inputs(
    sets: Iterable[TrainingData], inputs: Sequence[NDArray[np.int64]], limit: int
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Positions and velocities of all samples at the first input frame, (samples, N, n), a block at a time."""
    for one, frames in zip(sets, inputs, strict=True):
        train = one.train.part(slice(0, limit)) if limit else one.train
        yield from ((b.positions[:, frames[0]], b.velocities[:, frames[0]]) for b in blocks(train))
