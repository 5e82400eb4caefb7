"""What a run consists of: its stages, their steps and validations, and what a step of a later stage costs."""

import time
from dataclasses import dataclass

from surrogate.training.state import Trainer

TIMED_PASSES = 4
"""Passes that are timed to know what a later stage costs."""


@dataclass(frozen=True)
class Work:
    """What a stage has still to do.

    Attributes
    ----------
    steps, validations : int
    cost : float
        Of its step, in steps of the stage under way.
    """

    steps: int
    validations: int
    cost: float = 1.0


@dataclass(frozen=True)
class PlannedStage:
    """A stage and what its step costs, in steps of the one under way."""

    name: str
    epochs: int
    cost: float = 1.0


@dataclass(frozen=True)
class Plan:
    """A whole run: its stages, batches an epoch, epochs between validations."""

    stages: tuple[PlannedStage, ...]
    steps_per_epoch: int
    validate_every: int

    def left(self, stage: int, epoch: int, batch: int) -> list[Work]:
        """What remains after so many stages, epochs of this one, and batches of this epoch."""
        works = []
        for planned in self.stages[stage:]:
            steps = (planned.epochs - epoch) * self.steps_per_epoch - batch
            validations = -(-planned.epochs // self.validate_every) - epoch // self.validate_every
            works.append(Work(max(steps, 0), validations if epoch < planned.epochs else 0, planned.cost))
            epoch, batch = 0, 0
        return works


def plan_of(trainer: Trainer) -> Plan:
    """The plan of a run, with the cost of each stage's step in steps of the one under way."""
    costs = [1.0] * len(trainer.stages)
    if trainer.progress.stage + 1 < len(trainer.stages):
        costs = _step_costs(trainer)
    stages = zip(trainer.stages, costs, strict=True)
    return Plan(
        tuple(PlannedStage(stage.name, stage.epochs, cost) for stage, cost in stages),
        trainer.steps_per_epoch,
        trainer.config.train.validate_every,
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
