"""One training step: gradient, clipping, verdict, update, average, and the way back from a rejected step.

`apply_gradients` is the step, written once. :class:`TrainingStep` makes it for one run, step by step: there the
verdict is known at once. whole_epochs.py makes it for the rows of one or several runs without waiting for a
device: there every row is updated, and the rejected ones are put back.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor

from surrogate.tasks.base import Batch
from surrogate.training.state import Snapshot, Trainer

MARGIN = 1e-6
"""Added to a gradient's norm where it is clipped, as PyTorch does."""


class Trained(Protocol):
    """Weights with their gradients, average and optimiser, and a copy from before the last accepted update.

    `accepted` is a bool, or a (runs,) bool tensor on the device.
    """

    def norms(self) -> Tensor:
        """Of the gradients: () or (runs,)."""

    def scale(self, factor: Tensor) -> None:
        """Multiply the gradients; () or (runs,)."""

    def keep(self, accepted: Any) -> None:
        """Copy what was accepted."""

    def update(self) -> None:
        """A step of the optimiser, then of the average."""

    def restore(self, accepted: Any) -> None:
        """Go back to the copy where it was not accepted."""


def apply_gradients(trained: Trained, clip: float, accepts: Callable[[Tensor], Any]) -> None:
    """Clip the gradients, and update the weights if the step is accepted.

    Parameters
    ----------
    trained : Trained
        With its gradients.
    clip : float
        Largest norm of a gradient; 0 is off.
    accepts : callable
        The verdict on the norms, taken before they are clipped.
    """
    norms = trained.norms()
    if clip:
        trained.scale((clip / (norms + MARGIN)).clamp(max=1.0))
    accepted = accepts(norms)
    trained.keep(accepted)
    if accepted is not False:
        trained.update()
    trained.restore(accepted)


class TrainingStep:
    """The steps of one stage of one run.

    Attributes
    ----------
    loss : float
        Of the last batch, accepted or not.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.loss = float("nan")
        self._rate = 0.0
        self._gradients: list[Tensor] = []
        self._begin: Snapshot
        self._live: dict[str, Tensor] = {}  # what an update changes, and the copy of it
        self._copy: dict[str, Tensor] = {}
        self._states = -1  # parameters with a state of the optimiser when `_live` was looked up

    def __call__(self, batch: Batch, rate: float | None = None) -> str:
        """Update the weights; why not, where the step is rejected.

        Parameters
        ----------
        batch : Batch
        rate : float, optional
            The learning rate; by default the schedule's.
        """
        trainer = self.trainer
        progress = trainer.progress
        self._rate = trainer.learning_rate(progress.step) if rate is None else rate
        self._begin = Snapshot(trainer.random_state(), replace(progress), replace(trainer.divergence))
        loss = trainer.loss(batch)
        if batch.fraction != 1.0:  # so that the sum over all processes is the mean over the whole batch
            loss = loss * batch.fraction
        trainer.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._gradients = [p.grad for p in trainer.parameters if p.grad is not None]
        value = self._summed(loss.detach())
        rejection = ""

        def accepts(norm: Tensor) -> bool:
            nonlocal rejection
            self.loss = float(value)
            rejection = trainer.divergence.rejection(self.loss, float(norm))
            return not rejection

        apply_gradients(self, trainer.config.train.clip, accepts)
        return rejection

    def _summed(self, loss: Tensor) -> Tensor:
        """The loss, it and the gradients summed over all processes, which agree on stopping with that."""
        trainer = self.trainer
        if trainer.processes.count > 1:
            stops = torch.full_like(loss, float(trainer.stop_requested))  # all stop at the same step
            trainer.processes.all_reduce([loss, stops, *self._gradients])
            trainer.stop_agreed = bool(stops > 0)
        else:
            trainer.stop_agreed = trainer.stop_requested
        return loss

    def norms(self) -> Tensor:
        """See Trained."""
        return torch.nn.utils.get_total_norm(self._gradients)

    def scale(self, factor: Tensor) -> None:
        """See Trained."""
        torch._foreach_mul_(self._gradients, factor)

    @torch.no_grad()
    def keep(self, accepted: bool) -> None:
        """See Trained; `trainer.before` is the copy."""
        if not accepted:
            return
        if len(self.trainer.optimiser.state) != self._states:  # a new optimiser, or its first step: other tensors
            self._live = {name: value.detach() for name, value in self.trainer.trained_tensors().items()}
            self._copy = {name: value.clone() for name, value in self._live.items()}
            self._states = len(self.trainer.optimiser.state)
        else:
            torch._foreach_copy_(list(self._copy.values()), list(self._live.values()))
        begin = self._begin
        self.trainer.before = Snapshot({**self._copy, **begin.tensors}, begin.progress, begin.divergence)

    @torch.no_grad()
    def update(self) -> None:
        """See Trained."""
        trainer = self.trainer
        for group in trainer.optimiser.param_groups:
            group["lr"] = self._rate * group["own_rate"]
        trainer.optimiser.step()
        decay = trainer.average_decay(trainer.progress.step + 1)  # with the step that has just been made
        live = [self._live[f"model.{name}"] for name in trainer.average]
        torch._foreach_lerp_(list(trainer.average.values()), live, 1 - decay)

    def restore(self, accepted: bool) -> None:
        """See Trained; position and schedule go on. Nothing where this state has been validated."""
        if not accepted and self.trainer.before is not None:
            self.trainer.set_tensors(self.trainer.before.tensors)
            self._states = -1
