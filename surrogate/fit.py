"""The training loop, top to bottom: epochs, validations, stages.

A restart point is written at every validation; an epoch's batches depend on (seed, epoch) alone, so a resumed run
ends with the weights and metrics of an uninterrupted one.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from physics.errors import InputError
from surrogate.checkpoint import read_checkpoint
from surrogate.data import batches
from surrogate.restart import position_facts, save_best, save_restart_point, write_metrics
from surrogate.trainer import Stage, Trainer


def fit(trainer: Trainer, report: Callable[[dict[str, Any]], None]) -> None:
    """Train every stage from where the trainer stands to its end.

    Parameters
    ----------
    trainer : Trainer
    report : callable
        Gets stage, epoch, epochs, loss, valid, best after each epoch.
    """
    train = trainer.config.train
    while trainer.progress.stage < len(trainer.stages):
        stage = trainer.stages[trainer.progress.stage]
        while trainer.progress.epoch < stage.epochs:
            trainer.progress.epoch += 1
            loss = train_epoch(trainer)
            epoch = trainer.progress.epoch
            if epoch % train.validate_every == 0 or epoch == stage.epochs:
                validate(trainer, stage, loss)
            report(
                {
                    "stage": stage.name,
                    "epoch": epoch,
                    "epochs": stage.epochs,
                    "loss": loss,
                    "best": trainer.progress.best,
                    "best_epoch": trainer.progress.best_epoch,
                    "valid": (trainer.progress.history or [{}])[-1].get("valid"),
                }
            )
        next_stage(trainer)


def train_epoch(trainer: Trainer) -> float:
    """One pass over the training windows; the mean loss."""
    train, progress = trainer.config.train, trainer.progress
    epoch = progress.epoch + 1_000_000 * progress.stage
    total, count = 0.0, 0
    for batch in batches(trainer.train_sets, train.batch_size, train.seed, epoch, train.loss):
        for group in trainer.optimiser.param_groups:
            group["lr"] = trainer.learning_rate(progress.step)
        loss = trainer.loss(batch)
        trainer.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if train.clip:
            torch.nn.utils.clip_grad_norm_(trainer.parameters, train.clip)
        trainer.optimiser.step()
        progress.step += 1
        trainer.update_average()
        total, count = total + float(loss.detach()), count + 1
    if not math.isfinite(total):
        raise InputError(
            f"{trainer.out}: the loss is not finite in epoch {progress.epoch}; the last validated state is kept. "
            "Lower train.lr or set train.clip"
        )
    return total / count


def validate(trainer: Trainer, stage: Stage, loss: float) -> None:
    """Measure, keep the weights if they are the best so far, and write a restart point."""
    progress = trainer.progress
    errors = trainer.validation_errors()
    relative = trainer.config.train.loss == "relative"
    shares = [e / s.ballistic if relative else e for e, s in zip(errors, trainer.valid_sets, strict=True)]
    score = float(np.mean(shares))
    if not math.isfinite(score):
        raise InputError(
            f"{trainer.out}: the validation error is not finite in epoch {progress.epoch}; the last validated "
            "state is kept. Lower train.lr or set train.clip"
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
    assert progress.history is not None
    progress.history.append(row)
    if score < progress.best:
        progress.best, progress.best_epoch = score, progress.epoch
        save_best(trainer, score)
    save_restart_point(trainer)
    write_metrics(trainer)


def next_stage(trainer: Trainer) -> None:
    """Move on to the next stage, from the best weights of the one that ended."""
    progress = trainer.progress
    progress.stage += 1
    if progress.stage == len(trainer.stages):
        return
    best = read_checkpoint(trainer.out / "best")
    trainer.card.update(position_facts(best.info["card"]))
    trainer.model.load_state_dict(best.tensors)
    trainer.average = {name: value.to(trainer.device).clone() for name, value in best.tensors.items()}
    progress.epoch, progress.step, progress.best, progress.best_epoch = 0, 0, math.inf, 0
    trainer.start_stage(progress.stage)
    save_restart_point(trainer)
