"""The training loop, top to bottom: stages, epochs, steps, validations.

A restart point is written at every validation, when the run is stopped, and every few minutes between. An epoch's
batches depend on (seed, epoch) alone, so a resumed run ends with the weights and metrics of an uninterrupted one.
"""

import math
import time
from typing import NoReturn

import numpy as np
import torch

from surrogate.tasks.dynamics.windows import Batch, batches
from surrogate.training.checkpoint import read_checkpoint
from surrogate.training.distributed import ProcessLostError
from surrogate.training.divergence import DivergedError
from surrogate.training.progress import TrainingProgress
from surrogate.training.restart import position_facts, save_best, save_restart_point, write_metrics
from surrogate.training.state import Stage, Trainer

SAVE_EVERY_SECONDS = 300.0
"""Between two restart points where a validation is longer away."""
ADVICE = "the last validated state is kept. Lower train.lr or set train.clip"


def fit(trainer: Trainer, report: TrainingProgress) -> None:
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
        stage = trainer.stages[progress.stage]
        report.begin(trainer.plan(), progress)
        while progress.epoch < stage.epochs and not out_of_patience(trainer):
            try:
                loss = train_epoch(trainer, report)
                if progress.epoch % trainer.config.train.validate_every == 0 or progress.epoch == stage.epochs:
                    validate(trainer, stage, loss)
                    report.validated(progress)
            except ProcessLostError:
                _keep_last_step(trainer)
                raise
            report.epoch(progress, loss)
        next_stage(trainer)


def train_epoch(trainer: Trainer, report: TrainingProgress) -> float:
    """One pass over the training windows, or the rest of it; the mean loss."""
    train, progress, processes = trainer.config.train, trainer.progress, trainer.processes
    saved = time.monotonic()
    for batch in batches(
        trainer.train_sets,
        train.batch_size,
        train.seed,
        trainer.epoch_number(),
        train.loss,
        skip=progress.batch,
        rank=processes.rank,
        count=processes.count,
    ):
        trouble = train_step(trainer, batch)
        if trouble:
            answer_trouble(trainer, trouble, report)
        progress.batch += 1
        progress.step += 1
        report.step(progress)
        if trainer.stop_agreed:
            stop(trainer)
        if time.monotonic() - saved > SAVE_EVERY_SECONDS:
            _keep_last_step(trainer)
            saved = time.monotonic()
    if not trainer.weights_are_finite():
        answer_trouble(trainer, "the weights are not finite", report)
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


def train_step(trainer: Trainer, batch: Batch) -> str:
    """One update of the weights; what was wrong, if anything: then nothing is updated."""
    for group in trainer.optimiser.param_groups:
        group["lr"] = trainer.learning_rate(trainer.progress.step)
    loss = trainer.shared_loss(batch)
    trainer.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    value = loss.detach()
    if trainer.processes.count > 1:
        wish = torch.full_like(value, float(trainer.stop_requested))  # all stop at the same step
        trainer.processes.add_up([value, wish, *(p.grad for p in trainer.parameters if p.grad is not None)])
        trainer.stop_agreed = bool(wish > 0)
    else:
        trainer.stop_agreed = trainer.stop_requested
    if trainer.config.train.clip:
        norm = torch.nn.utils.clip_grad_norm_(trainer.parameters, trainer.config.train.clip)
    else:
        norm = torch.nn.utils.get_total_norm([p.grad for p in trainer.parameters if p.grad is not None])
    found = float(value)
    trouble = trainer.guard.trouble(found, float(norm))
    if trouble:
        return trouble
    trainer.keep_good()
    trainer.guard.accept(found)
    trainer.optimiser.step()
    trainer.update_average()
    trainer.progress.loss_sum += found
    trainer.progress.loss_count += 1
    return ""


def answer_trouble(trainer: Trainer, trouble: str, report: TrainingProgress, who: str = "") -> None:
    """Back to the last good weights; the third time within a few steps, give up. `who` begins the note.

    Raises
    ------
    DivergedError
        Then.
    """
    where = f"{trouble} in epoch {trainer.progress.epoch + 1}, batch {trainer.progress.batch + 1}"
    if trainer.guard.strike():
        raise DivergedError(f"{trainer.out}: {where}, for the third time within a few steps; {ADVICE}")
    trainer.roll_back()
    report.note(f"{who}{where}: it is skipped, the weights go back to the last good state")


def validate(trainer: Trainer, stage: Stage, loss: float) -> None:
    """Measure, keep the weights if they are the best so far, and write a restart point."""
    progress = trainer.progress
    errors = trainer.validation_errors()
    relative = trainer.config.train.loss == "relative"
    shares = [e / s.ballistic if relative else e for e, s in zip(errors, trainer.valid_sets, strict=True)]
    score = float(np.mean(shares))
    if not math.isfinite(score):
        raise DivergedError(
            f"{trainer.out}: the validation error is not finite in epoch {progress.epoch}; {ADVICE}"
        )
    row: dict[str, float | str | int] = {
        "stage": stage.name,
        "epoch": progress.epoch,
        "step": progress.step,
        "lr": trainer.learning_rate(progress.step),
        "loss": loss,
        "valid": score,
    }
    for index, error in enumerate(errors if len(errors) > 1 else []):
        row[f"valid_{index}"] = error
    progress.history.append(row)
    trainer.good = None  # this state has been measured: nothing before it is wanted again
    better = score < progress.best
    if better:
        progress.best, progress.best_epoch = score, progress.epoch
    if not trainer.processes.first:
        return
    if better:
        save_best(trainer, score)
    save_restart_point(trainer)
    write_metrics(trainer)


def out_of_patience(trainer: Trainer) -> bool:
    """Whether `train.patience` ends the stage: so many epochs were validated without a better error."""
    patience, progress = trainer.config.train.patience, trainer.progress
    validated = [row for row in progress.history if row["stage"] == trainer.stages[progress.stage].name]
    if not patience or not validated or progress.batch:
        return False
    return int(validated[-1]["epoch"]) - progress.best_epoch >= patience


def next_stage(trainer: Trainer) -> None:
    """Move on to the next stage, from the best weights of the one that ended."""
    progress = trainer.progress
    progress.stage += 1
    if progress.stage == len(trainer.stages):
        return
    trainer.processes.meet()  # the first one has written best/
    best = read_checkpoint(trainer.out / "best")
    trainer.processes.meet()  # all have read it
    trainer.card.update(position_facts(best.info["card"]))
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
    _keep_last_step(trainer)
    stage, progress = trainer.stages[trainer.progress.stage], trainer.progress
    raise KeyboardInterrupt(
        f"{trainer.out} keeps its state ({stage.name}, epoch {progress.epoch + 1} of {stage.epochs}, "
        f"{progress.batch} of {trainer.steps_per_epoch} batches)"
    )


def _keep_last_step(trainer: Trainer) -> None:
    """A restart point from just before the last update, which is done again by whoever goes on."""
    if trainer.good is not None and trainer.processes.first:
        save_restart_point(trainer, trainer.good)
