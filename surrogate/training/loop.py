"""The training loop, top to bottom: stages, epochs, steps, validations.

A restart point is written at every validation, when the run is stopped, and every few minutes between. An epoch's
batches depend on (seed, epoch) alone, so a resumed run ends with the weights and metrics of an uninterrupted one.
"""

import math
import time
from typing import NoReturn

from surrogate.tasks.base import Stage
from surrogate.training.checkpoint import read_checkpoint
from surrogate.training.distributed import ProcessLostError
from surrogate.training.divergence import DivergedError
from surrogate.training.plan import plan_of
from surrogate.training.progress_bar import ProgressBar
from surrogate.training.restart import save_best, save_restart_point, write_metrics
from surrogate.training.state import Trainer
from surrogate.training.step import TrainingStep

SAVE_EVERY_SECONDS = 300.0
"""Between two restart points where a validation is longer away."""
ADVICE = "the last validated state is kept. Lower train.lr or set train.clip"


def fit(trainer: Trainer, report: ProgressBar) -> None:
    """Train every stage from where the trainer stands to its end.

    Raises
    ------
    KeyboardInterrupt
        Where `trainer.stop_requested` was set; the state is kept then, to the step.
    DivergedError
        Where the losses stay bad.
    ProcessLostError
        Where another process of the run has ended.
    """
    progress = trainer.progress
    while progress.stage < len(trainer.stages):
        stage = trainer.stage
        report.begin(plan_of(trainer), progress, trainer.accelerated.description)
        step = TrainingStep(trainer)
        while progress.epoch < stage.epochs and not out_of_patience(trainer):
            try:
                loss = train_epoch(trainer, step, report)
                if progress.epoch % trainer.config.train.validate_every == 0 or progress.epoch == stage.epochs:
                    validate(trainer, stage, loss)
                    report.validated()
            except ProcessLostError:
                _save_last_step(trainer)
                raise
            report.epoch(progress, loss)
        next_stage(trainer)


def train_epoch(trainer: Trainer, step: TrainingStep, report: ProgressBar) -> float:
    """One pass over the training data, or the rest of it; the mean loss."""
    progress, processes = trainer.progress, trainer.processes
    saved = time.monotonic()
    for batch in trainer.task.batches(
        trainer.config.train.seed,
        trainer.epoch_number(),
        skip=progress.batch,
        rank=processes.rank,
        count=processes.count,
    ):
        rejection = step(batch)
        if rejection:
            count_rejection(trainer, rejection, report)
        progress.count_step(None if rejection else step.loss)
        report.step(progress)
        if trainer.stop_agreed:
            stop(trainer)
        if time.monotonic() - saved > SAVE_EVERY_SECONDS:
            _save_last_step(trainer)
            saved = time.monotonic()
    if not trainer.weights_are_finite():
        count_rejection(trainer, "the weights are not finite", report)
        step.restore(False)
    return close_epoch(trainer)


def close_epoch(trainer: Trainer) -> float:
    """Count an epoch whose batches are done; its mean loss."""
    progress = trainer.progress
    if not progress.loss_count:
        raise DivergedError(
            f"{trainer.out}: every batch of epoch {progress.epoch + 1} had to be skipped; {ADVICE}"
        )
    mean = progress.loss_sum / progress.loss_count
    progress.epoch += 1
    progress.batch, progress.loss_sum, progress.loss_count = 0, 0.0, 0
    return mean


def count_rejection(trainer: Trainer, rejection: str, report: ProgressBar, who: str = "") -> None:
    """Say that a step was rejected; the third time within a few steps, give up. `who` begins the note.

    Raises
    ------
    DivergedError
        Then.
    """
    where = f"{rejection} in epoch {trainer.progress.epoch + 1}, batch {trainer.progress.batch + 1}"
    if trainer.divergence.reject():
        raise DivergedError(f"{trainer.out}: {where}, for the third time within a few steps; {ADVICE}")
    report.note(f"{who}{where}: it is skipped, the weights go back to the last good state")


def validate(trainer: Trainer, stage: Stage, loss: float) -> None:
    """Measure, keep the weights if they are the best so far, and write a restart point."""
    progress = trainer.progress
    found = trainer.validation()
    if not math.isfinite(found.score):
        raise DivergedError(
            f"{trainer.out}: the validation error is not finite in epoch {progress.epoch}; {ADVICE}"
        )
    row: dict[str, float | str | int] = {
        "stage": stage.name,
        "epoch": progress.epoch,
        "step": progress.step,
        "lr": trainer.learning_rate(progress.step),
        "loss": loss,
        "valid": found.score,
    }
    row |= dict(zip(trainer.task.columns, found.values, strict=True))
    progress.history.append(row)
    trainer.before = None  # this state has been measured: nothing before it is wanted again
    better = found.score < progress.best
    if better:
        progress.best, progress.best_epoch = found.score, progress.epoch
    if not trainer.processes.first:
        return
    if better:
        save_best(trainer, found.score)
    save_restart_point(trainer)
    write_metrics(trainer)
    if trainer.curves:
        trainer.curves(row)


def out_of_patience(trainer: Trainer) -> bool:
    """Whether `train.patience` ends the stage: so many epochs were validated without a better score."""
    patience, progress = trainer.config.train.patience, trainer.progress
    validated = [row for row in progress.history if row["stage"] == trainer.stage.name]
    if not patience or not validated or progress.batch:
        return False
    return int(validated[-1]["epoch"]) - progress.best_epoch >= patience


def next_stage(trainer: Trainer) -> None:
    """Move on to the next stage, from the best weights of the one that ended."""
    progress = trainer.progress
    progress.stage += 1
    if progress.stage == len(trainer.stages):
        return
    trainer.processes.barrier()  # the first one has written best/
    best = read_checkpoint(trainer.out / "best")
    trainer.processes.barrier()  # all have read it
    trainer.card.update(trainer.task.card_of_ended_stage(best.info["card"]))
    trainer.model.load_state_dict(best.tensors)
    trainer.average = {name: value.detach().clone() for name, value in trainer.model.state_dict().items()}
    progress.epoch, progress.step, progress.best, progress.best_epoch = 0, 0, math.inf, 0
    trainer.start_stage(progress.stage)
    if trainer.processes.first:
        # twice, so that both restart points are of this stage: best/ will not hold the last one's much longer
        save_restart_point(trainer)
        save_restart_point(trainer)


def stop(trainer: Trainer) -> NoReturn:
    """Keep the state and end the run, saying how to go on."""
    _save_last_step(trainer)
    stage, progress = trainer.stage, trainer.progress
    raise KeyboardInterrupt(
        f"{trainer.out} keeps its state ({stage.name}, epoch {progress.epoch + 1} of {stage.epochs}, "
        f"{progress.batch} of {trainer.steps_per_epoch} batches)"
    )


def _save_last_step(trainer: Trainer) -> None:
    """A restart point from just before the last update, which is done again by whoever goes on."""
    if trainer.before is not None and trainer.processes.first:
        save_restart_point(trainer, trainer.before)
