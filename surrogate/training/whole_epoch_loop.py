"""The training loop for epochs that are made as one (whole_epochs.py), of one run or of several stacked.

As `loop.fit`, with the same validations, restart points and stages, but the results of steps are read between
epochs only: there what was rejected is counted, and a requested stop is made.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from torch import Tensor

from surrogate.tasks.base import Stage
from surrogate.training.config import Config
from surrogate.training.divergence import DivergedError
from surrogate.training.loop import (
    SAVE_EVERY_SECONDS,
    close_epoch,
    count_rejection,
    next_stage,
    out_of_patience,
    validate,
)
from surrogate.training.plan import plan_of
from surrogate.training.progress_bar import ProgressBar
from surrogate.training.restart import save_restart_point
from surrogate.training.state import Snapshot, Trainer, own_rate
from surrogate.training.whole_epochs import Record, WholeEpochs


@dataclass
class Group:
    """Runs that train together.

    Attributes
    ----------
    trainers : sequence of Trainer
        At the same step.
    name : str
        What is said of all of them.
    ended : dict of int to DivergedError
        The runs that diverged; they stay in the stack, so that the others' numbers do not change.
    """

    trainers: Sequence[Trainer]
    name: str
    ended: dict[int, DivergedError] = field(default_factory=dict)

    def running(self) -> list[tuple[int, Trainer]]:
        """The runs that go on, with their rows."""
        return [(i, t) for i, t in enumerate(self.trainers) if i not in self.ended]


def trained_as_epochs(config: Config, device: str) -> bool:
    """Whether `train.captured` asks for it on this device."""
    captured = config.train.captured
    return captured == "always" or (captured == "auto" and device.startswith("cuda"))


def cannot_take_epochs(trainer: Trainer) -> str:
    """Why a run's epochs cannot be made as one; empty where they can."""
    if trainer.processes.count > 1:
        return "the run is shared by several processes"
    if trainer.device.startswith("mps"):
        return "Metal has no double precision"
    if any(own_rate(parameter) != 1.0 for parameter in trainer.model.parameters()):
        return "some of its parameters learn at a rate of their own"
    return trainer.task.no_device_batches()


def fit_epochs(group: Group, report: ProgressBar) -> None:
    """Train every stage of all runs from where they stand to the end, or until all have diverged.

    Raises
    ------
    KeyboardInterrupt
        Where the first trainer's `stop_requested` was set; the state is kept then, to the epoch.
    DivergedError
        Where a single run's losses stay bad; of several it is in `group.ended`.
    """
    while (running := group.running()) and (lead := running[0][1]).progress.stage < len(lead.stages):
        stage = lead.stage
        report.begin(plan_of(lead), lead.progress, lead.accelerated.description)
        epochs = WholeEpochs(group.trainers, group.ended, graph=lead.config.train.captured != "never")
        _train_stage(group, stage, epochs, report)
        for run, trainer in enumerate(group.trainers):
            if run not in group.ended:
                next_stage(trainer)
            elif trainer.progress.stage + 1 < len(trainer.stages):  # its row has the others' parameters
                trainer.progress.stage += 1
                trainer.start_stage(trainer.progress.stage)


def _train_stage(group: Group, stage: Stage, epochs: WholeEpochs, report: ProgressBar) -> None:
    """All epochs of a stage."""
    saved = time.monotonic()
    while running := group.running():
        lead = running[0][1]
        if lead.progress.epoch == stage.epochs or out_of_patience(lead):
            return
        losses = train_epoch(group, epochs, report)
        number = lead.progress.epoch
        validated = number % lead.config.train.validate_every == 0 or number == stage.epochs
        if validated:
            for run, trainer in group.running():
                with _diverging(group, run, epochs, report):
                    validate(trainer, stage, losses[run])
            epochs.validated()
            report.validated()
        if losses:
            report.epoch(lead.progress, next(iter(losses.values())))
        stopping = group.trainers[0].stop_requested and bool(group.running())
        if not validated and (stopping or time.monotonic() - saved > SAVE_EVERY_SECONDS):
            for run, trainer in group.running():
                save_between(trainer, epochs.before.row(run))
        if validated or time.monotonic() - saved > SAVE_EVERY_SECONDS:
            saved = time.monotonic()
        if stopping and (number < stage.epochs or stage is not lead.stages[-1]):
            stop(group, lead, stage)


def train_epoch(group: Group, epochs: WholeEpochs, report: ProgressBar) -> dict[int, float]:
    """The epoch that the runs stand in, and what is accepted of it; the mean losses by row."""
    record = epochs.train()
    losses = {}
    for run, trainer in group.running():
        with _diverging(group, run, epochs, report):
            who = f"{trainer.out.name}: " if len(group.trainers) > 1 else ""
            losses[run] = count_epoch(trainer, record, run, report, who)
    report.step(epochs.lead.progress, len(record.losses))
    return losses


def count_epoch(trainer: Trainer, record: Record, run: int, report: ProgressBar, who: str) -> float:
    """Count the steps of a run that were made on the device, as if they had just been made; the mean loss.

    The weights have gone back where they had to while the steps were made.
    """
    for loss, norm in zip(record.losses[:, run].tolist(), record.norms[:, run].tolist(), strict=True):
        rejection = trainer.divergence.rejection(loss, norm)
        if rejection:
            count_rejection(trainer, rejection, report, who)
        trainer.progress.count_step(None if rejection else loss)
    if not record.finite[run]:
        count_rejection(trainer, "the weights are not finite", report, who)
    return close_epoch(trainer)


@contextmanager
def _diverging(group: Group, run: int, epochs: WholeEpochs, report: ProgressBar) -> Iterator[None]:
    """One of several runs ends where it diverges, and the others go on; a single one ends as ever."""
    try:
        yield
    except DivergedError as error:
        if len(group.trainers) == 1:
            raise
        group.ended[run] = error
        epochs.end(run)
        report.note(str(error))


def save_between(trainer: Trainer, before: Mapping[str, Tensor]) -> None:
    """A restart point of now, between two validations, with the state that a rejected step goes back to."""
    tensors = {**trainer.tensors(), **{f"good.{name}": value for name, value in before.items()}}
    save_restart_point(trainer, Snapshot(tensors, trainer.progress, trainer.divergence))


def stop(group: Group, lead: Trainer, stage: Stage) -> NoReturn:
    """End the runs, whose state is on the disk, saying where they are."""
    raise KeyboardInterrupt(
        f"{group.name} keeps its state ({stage.name}, after epoch {lead.progress.epoch} of {stage.epochs})"
    )
