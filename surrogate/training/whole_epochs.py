"""An epoch's steps made as one on the device, for one run or for several stacked ones: nothing waits within it.

Each step is `step.apply_gradients` on the rows of a flat state: where a loss or gradient is rejected, the run's
row goes back to before its last update, by `torch.where`; losses and norms are read once, at the end of the epoch.
On CUDA the steps are captured in a graph and replayed; elsewhere the same function runs.
"""

import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from surrogate.training.divergence import verdict
from surrogate.training.flat_state import FlatState
from surrogate.training.state import DTYPES, Trainer
from surrogate.training.step import apply_gradients

LONGEST_BLOCK = 100
"""Steps that are gathered, and captured, at a time: a longer graph would take long to make and much memory."""
WARM_UP_STEPS = 3
"""Steps on a side stream before a capture: libraries take their memory and choose their kernels in them."""


@dataclass(frozen=True)
class Record:
    """What the steps of an epoch came to, on the host.

    Attributes
    ----------
    losses, norms : (steps, runs) float64 arrays
        Norms of the gradients before they are clipped.
    finite : (runs,) bool array
        Whether the weights are at the end; where not, they have gone back.
    """

    losses: NDArray[np.float64]
    norms: NDArray[np.float64]
    finite: NDArray[np.bool_]


def can_capture(device: torch.device) -> bool:
    """Whether steps on a device can be captured in a graph."""
    return device.type == "cuda"


class WholeEpochs:
    """The steps of one stage of one run, or of several runs that differ in their seeds alone.

    Parameters
    ----------
    trainers : sequence of Trainer
        From here on their weights, averages and optimiser states are rows of `now`.
    ended : collection of int
        Runs among them that train no more.
    graph : bool
        Whether steps are captured where the device is CUDA.
    """

    def __init__(self, trainers: Sequence[Trainer], ended: Collection[int] = (), *, graph: bool = True) -> None:
        self.trainers, self._ended = trainers, set(ended)
        self.lead = next(t for i, t in enumerate(trainers) if i not in self._ended)
        self._device = torch.device(self.lead.device)
        self._graph = graph and can_capture(self._device)
        self._graphs: dict[int, torch.cuda.CUDAGraph | None] = {}
        self._allocate_block()
        trained = self._trained_names()
        self.now, self.before = FlatState(trainers, trained), FlatState(trainers, trained)
        for index, trainer in enumerate(trainers):
            self.now.bind(index, trainer)
        self.before.copy_from(self.now)
        for index, trainer in enumerate(trainers):
            if trainer.good and index not in self._ended:
                self.before.take(index, trainer.good)
            trainer.good = {}
        self._prepare_losses(trained)
        self._prepare_update()
        runs = len(trainers)
        self._alive = torch.tensor([i not in ended for i in range(runs)], device=self._device)
        self._level = torch.zeros(runs, dtype=torch.float64, device=self._device)
        self._seen = torch.zeros(runs, dtype=torch.int64, device=self._device)
        self._present = 0  # the step of the block that is made

    def _allocate_block(self) -> None:
        """Buffers for a block of steps: batches (the first ones of the epoch), rates, and what comes out."""
        lead, steps = self.lead, min(self.lead.steps_per_epoch, LONGEST_BLOCK)
        self._data = lead.task.device_batches([t.config.train.seed for t in self.trainers])
        self._fields = self._data.gathered(self._data.order(lead.epoch_number()), 0, steps)
        on_cuda = self._device.type == "cuda"  # there the fused kernel reads a rate as float32
        rate_type = torch.float32 if on_cuda else torch.float64
        self._rates = torch.zeros(steps, dtype=rate_type, device=self._device)
        self._fading = torch.zeros(steps, dtype=DTYPES[lead.config.train.dtype], device=self._device)
        self._found = torch.zeros(2, steps, len(self.trainers), dtype=torch.float64, device=self._device)

    def _trained_names(self) -> list[str]:
        """The parameters of the stage that the loss depends on; the optimiser leaves the others alone."""
        lead = self.lead
        random = lead.random_state()
        loss = lead.loss(self._data.batch([field[0, 0] for field in self._fields]), lead.model.forward)
        found = torch.autograd.grad(loss, lead.parameters, allow_unused=True)
        lead.set_random_state(random)
        reached = {id(p) for p, g in zip(lead.parameters, found, strict=True) if g is not None}
        return [name for name, p in lead.model.named_parameters() if id(p) in reached]

    def _prepare_losses(self, trained: list[str]) -> None:
        """Buffers of gradients, and for several runs one function of stacked weights."""
        self._gradient = torch.zeros_like(self.now.weights)
        self._gradients = list(self.now.stacks(self._gradient).values())
        if len(self.trainers) == 1:
            self._leaves: dict[str, Tensor] = {n: self.lead.model.get_parameter(n) for n in trained}
            return
        states = [trainer.model.state_dict() for trainer in self.trainers]
        self._fixed = {n: torch.stack([s[n] for s in states]) for n in states[0] if n not in set(trained)}
        self._leaves = {
            name: view.detach().requires_grad_() for name, view in self.now.stacks(self.now.weights).items()
        }
        plain, lead = _Uncompiled(self.lead.model), self.lead

        def loss(weights: dict[str, Tensor], fixed: dict[str, Tensor], *fields: Tensor) -> Tensor:
            named = {f"model.{name}": value for name, value in {**weights, **fixed}.items()}

            def model(*inputs: Any) -> Any:
                return torch.func.functional_call(plain, named, inputs)

            return lead.loss(self._data.batch(list(fields)), model)

        stacked = torch.func.vmap(loss)
        self._stacked_loss = torch.compile(stacked) if lead.compiled else stacked

    def _prepare_update(self) -> None:
        """One fused AdamW on the rows; its rate is a tensor, set before every step."""
        train = self.lead.config.train
        on_cuda = self._device.type == "cuda"
        rows = [row.detach().requires_grad_() for row in self.now.weights.unbind()]
        self._rate = torch.zeros((), dtype=self._rates.dtype, device=self._device)
        self._optimiser = torch.optim.AdamW(
            rows, lr=self._rate, weight_decay=train.weight_decay, fused=True, capturable=on_cuda
        )
        for index, row in enumerate(rows):
            row.grad = self._gradient[index]
            self._optimiser.state[row] = {
                "step": self.now.steps[index],
                "exp_avg": self.now.first[index],
                "exp_avg_sq": self.now.second[index],
            }

    def end(self, run: int) -> None:
        """Train a run no more: its row stays as it is."""
        self._alive[run] = False
        self._ended.add(run)
        self.lead = next((t for i, t in enumerate(self.trainers) if i not in self._ended), self.lead)

    def validated(self) -> None:
        """Go back no farther than to now: this state has been measured."""
        self.before.copy_from(self.now)

    def train(self) -> Record:
        """The rest of the epoch that the runs stand in."""
        lead, steps = self.lead, self.lead.steps_per_epoch
        self._level.copy_(torch.tensor([t.divergence.level for t in self.trainers], dtype=torch.float64))
        self._seen.copy_(torch.tensor([t.divergence.seen for t in self.trainers]))
        order, found = self._data.order(lead.epoch_number()), []
        for first in range(lead.progress.batch, steps, LONGEST_BLOCK):
            count = min(LONGEST_BLOCK, steps - first)
            for buffer, values in zip(self._fields, self._data.gathered(order, first, count), strict=True):
                buffer[:count].copy_(values)
            begin = lead.progress.step + first - lead.progress.batch
            rates = [lead.learning_rate(step) for step in range(begin, begin + count)]
            fading = [1 - lead.average_decay(step + 1) for step in range(begin, begin + count)]
            self._rates[:count].copy_(torch.tensor(rates, dtype=torch.float64))
            self._fading[:count].copy_(torch.tensor(fading, dtype=torch.float64))
            self._play(count)
            found.append(self._found[:, :count].clone())
        finite = torch.isfinite(self.now.weights).all(1) & torch.isfinite(self.now.average).all(1)
        self.now.choose(finite, self.before)
        flat = torch.cat([torch.cat(found, dim=1).flatten(), finite.double()]).cpu().numpy()  # the one wait
        runs = len(self.trainers)
        losses, norms = flat[:-runs].reshape(2, -1, runs)
        return Record(losses, norms, flat[-runs:] > 0)

    def gradients(self, step: int) -> Tensor:
        """Losses (runs,) of a batch of the block; their gradients are in place for the update."""
        fields = [field[step] for field in self._fields]
        leaves = list(self._leaves.values())
        if len(self.trainers) == 1:
            losses = self.lead.loss(self._data.batch([field[0] for field in fields])).reshape(1)
        else:
            losses = self._stacked_loss(self._leaves, self._fixed, *fields)
        found = torch.autograd.grad(losses.sum(), leaves)
        torch._foreach_copy_(
            self._gradients, [g.view_as(to) for g, to in zip(found, self._gradients, strict=True)]
        )
        return losses.detach()

    def _step(self, step: int) -> None:
        """One update of every run whose step is accepted; the others go back to before their last."""
        losses = self.gradients(step)
        self._present = step

        def accepts(norms: Tensor) -> Any:
            self._found[0, step].copy_(losses)
            self._found[1, step].copy_(norms)
            judged = torch.where(self._alive, losses.double(), torch.inf)  # a run that has ended is rejected
            limit = self.lead.divergence.limit
            accepted, level, seen = verdict(torch, judged, norms, self._level, self._seen, limit)
            self._level.copy_(level)
            self._seen.copy_(seen)
            return accepted

        with torch.no_grad():
            apply_gradients(self, self.lead.config.train.clip, accepts)

    def norms(self) -> Tensor:
        """See Trained: (runs,)."""
        found: Tensor = torch.linalg.vector_norm(self._gradient, dim=1)
        return found

    def scale(self, factor: Tensor) -> None:
        """See Trained."""
        self._gradient.mul_(factor.unsqueeze(1))

    def keep(self, accepted: Tensor) -> None:
        """See Trained."""
        self.before.choose(~accepted, self.now)

    def update(self) -> None:
        """See Trained; of all rows."""
        self._rate.copy_(self._rates[self._present])
        self._optimiser.step()
        self.now.average.lerp_(self.now.weights, self._fading[self._present])

    def restore(self, accepted: Tensor) -> None:
        """See Trained."""
        self.now.choose(accepted, self.before)

    def _steps(self, count: int) -> None:
        for step in range(count):
            self._step(step)

    def _play(self, count: int) -> None:
        """The first `count` steps of the block, from a graph where there can be one."""
        if self._graph and count not in self._graphs:
            self._graphs[count] = self._captured(count)
        graph = self._graphs.get(count)
        if graph is None:
            self._steps(count)
        else:
            graph.replay()

    def _captured(self, count: int) -> torch.cuda.CUDAGraph | None:
        """A graph of so many steps; None, with a warning once, where the model cannot be captured."""
        changing = [*self.now.tensors(), *self.before.tensors(), self._level, self._seen]
        before = [t.clone() for t in changing]
        try:
            return recorded(lambda: self._steps(min(count, WARM_UP_STEPS)), lambda: self._steps(count))
        except Exception as error:  # whatever a model does that a graph cannot hold
            self._graph = False
            first_line = str(error).strip().partition("\n")[0]
            warnings.warn(
                f"{self.lead.out}: steps are not captured in a CUDA graph, but made one by one "
                f"({type(error).__name__}: {first_line[:120]})",
                stacklevel=2,
            )
            return None
        finally:  # the warm-up steps have moved it
            for t, value in zip(changing, before, strict=True):
                t.copy_(value)


class _Uncompiled(nn.Module):
    """A model without what `torch.compile` put before its `forward`: all runs together are compiled instead."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: Any) -> Any:
        """`model.forward`."""
        return self.model.forward(*inputs)


def recorded(warm_up: Callable[[], object], steps: Callable[[], object]) -> torch.cuda.CUDAGraph:
    """A CUDA graph of what `steps` does, after `warm_up` has run on a side stream; capturing runs nothing."""
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        warm_up()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        steps()
    return graph
