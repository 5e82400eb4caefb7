"""What a run consists of (its stages, their steps and validations), and how long it will still take.

Steps and validations are timed apart, so that a long validation every so many epochs is not mistaken for slow
steps; older times count less. Stages to come are scaled by what their step costs.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from surrogate.training.state import Trainer

TIMED_PASSES = 4
"""Passes that are timed to know what a later stage costs."""
WARM_UP_STEPS = 5
"""The first steps of a process compile and fill caches: they say nothing about the rest."""
MEMORY = 300.0
"""Seconds after which a measured time counts 1/e."""


@dataclass(frozen=True)
class PlannedStage:
    """A stage and what its step costs, in steps of the one under way.

    Attributes
    ----------
    name : str
    epochs : int
    cost : float
    shown_in : (float, str)
        Losses are shown times this, in this unit.
    remark : callable
        From the row of a validation to what is said beside it.
    """

    name: str
    epochs: int
    cost: float = 1.0
    shown_in: tuple[float, str] = (1.0, "")
    remark: Callable[[Mapping[str, Any]], str] = lambda row: ""


@dataclass(frozen=True)
class Plan:
    """A whole run: its stages, batches an epoch, epochs between validations, and what is said of it at first."""

    stages: tuple[PlannedStage, ...]
    steps_per_epoch: int
    validate_every: int
    facts: tuple[str, ...] = ()

    def left(self, stage: int, epoch: int, batch: int) -> tuple[float, int]:
        """Steps (as of the stage under way) and validations that remain after so many stages, epochs, batches."""
        steps, validations = 0.0, 0
        for planned in self.stages[stage:]:
            steps += planned.cost * max((planned.epochs - epoch) * self.steps_per_epoch - batch, 0)
            if epoch < planned.epochs:
                validations += -(-planned.epochs // self.validate_every) - epoch // self.validate_every
            epoch, batch = 0, 0
        return steps, validations


def plan_of(trainer: Trainer) -> Plan:
    """The plan of a run, with the cost of each stage's step in steps of the one under way."""
    costs = [1.0] * len(trainer.stages)
    if trainer.progress.stage + 1 < len(trainer.stages):
        costs = _step_costs(trainer)
    task = trainer.task
    return Plan(
        tuple(
            PlannedStage(stage.name, stage.epochs, cost, task.shown_in(stage), partial(task.remark, stage=stage))
            for stage, cost in zip(trainer.stages, costs, strict=True)
        ),
        trainer.steps_per_epoch,
        trainer.config.train.validate_every,
        tuple(task.facts()),
    )


def _step_costs(trainer: Trainer) -> list[float]:
    """Each stage's step against one of the present stage, timed on one batch; nothing is changed by it."""
    present, optimiser = trainer.progress.stage, trainer.optimiser
    before, divergence, random = trainer.before, trainer.divergence, trainer.random_state()
    rank, count = trainer.processes.rank, trainer.processes.count
    batch = next(iter(trainer.task.batches(0, 0, rank=rank, count=count)))
    seconds = []
    for index in range(len(trainer.stages)):
        trainer.start_stage(index)
        trainer.progress.stage = index
        times = []
        for _ in range(TIMED_PASSES):
            began = time.perf_counter()
            trainer.optimiser.zero_grad(set_to_none=True)
            trainer.loss(batch).backward()  # type: ignore[no-untyped-call]
            times.append(time.perf_counter() - began)
        seconds.append(min(times))
        trainer.optimiser.zero_grad(set_to_none=True)
    trainer.set_random_state(random)
    trainer.progress.stage = present
    trainer.start_stage(present)
    trainer.optimiser, trainer.before, trainer.divergence = optimiser, before, divergence
    return [value / seconds[present] for value in seconds]


class _Mean:
    """A mean of durations of which older ones count less."""

    def __init__(self) -> None:
        self.total = self.weight = 0.0

    def add(self, seconds: float) -> None:
        fading = math.exp(-seconds / MEMORY)
        self.total, self.weight = fading * self.total + seconds, fading * self.weight + 1.0

    @property
    def value(self) -> float | None:
        return self.total / self.weight if self.weight else None


class Eta:
    """Times the steps and validations of a run; `left` says what remains.

    Parameters
    ----------
    clock : callable
        Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._step, self._validation = _Mean(), _Mean()
        self._last = clock()
        self._seen = 0

    def stepped(self, steps: int = 1) -> None:
        """A step has just ended, or several that were made as one."""
        now = self._clock()
        if self._seen >= WARM_UP_STEPS:
            for _ in range(steps):
                self._step.add((now - self._last) / steps)
        self._seen += steps
        self._last = now

    def validated(self) -> None:
        """A validation, with the files it wrote, has just ended."""
        now = self._clock()
        self._validation.add(now - self._last)
        self._last = now

    def new_stage(self) -> None:
        """The steps from now on cost something else."""
        self._step, self._seen, self._last = _Mean(), 0, self._clock()

    @property
    def steps_per_second(self) -> float | None:
        """Lately; None before anything is known."""
        mean = self._step.value
        return 1.0 / mean if mean else None

    def left(self, steps: float, validations: int) -> float | None:
        """Seconds that so much takes; None before anything is known."""
        step = self._step.value
        return None if step is None else steps * step + validations * (self._validation.value or 0.0)
