"""Batches of training windows: every batch has an equal share of every data set.

Data sets of different dimension share a batch by padding coordinates with zeros: an E(n) model keeps a
subspace, so this is exact for it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from surrogate.tasks.dynamics.windows import Windows


@dataclass(frozen=True)
class Batch:
    """Inputs and targets; `weight` (B, 1, 1) turns squared errors into the loss of mixed data sets.

    `fraction` is the part of the whole batch that this is: 1 but where several processes divide it.
    """

    x: Tensor
    v: Tensor
    q: Tensor
    m: Tensor
    x_target: Tensor
    v_target: Tensor
    weight: Tensor
    fraction: float = 1.0

    def to(self, device: str) -> "Batch":
        """The batch on a device (those of mapped data sets come from the CPU)."""
        if self.x.device.type == torch.device(device).type:
            return self
        tensors = (self.x, self.v, self.q, self.m, self.x_target, self.v_target, self.weight)
        x, v, q, m, x_target, v_target, weight = (t.to(device) for t in tensors)
        return Batch(x, v, q, m, x_target, v_target, weight, self.fraction)


def windows_per_set(sets: Sequence[Windows], batch_size: int) -> int:
    """Windows of each set in a batch."""
    return min(max(batch_size // len(sets), 1), min(len(s) for s in sets))


def epoch_order(
    sets: Sequence[Windows], seed: int, epoch: int
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    """For each set the order of its samples in an epoch, and the start frame of the window at each place."""
    rng = np.random.default_rng([seed, epoch])
    orders = [rng.permutation(len(s)) for s in sets]
    return orders, [rng.choice(s.starts, size=len(s)) for s in sets]


def batches(
    sets: list[Windows],
    batch_size: int,
    seed: int,
    epoch: int,
    loss: str,
    *,
    skip: int = 0,
    rank: int = 0,
    count: int = 1,
) -> Iterator[Batch]:
    """One epoch: every sample of the smallest set once, each batch an equal share of every set.

    The order and the start frames depend on (seed, epoch) alone, so a resumed run sees what an
    uninterrupted one would have seen. The last short batch is dropped.

    Parameters
    ----------
    skip : int
        Batches of the epoch that are done already.
    rank, count : int
        Of `count` processes, the one whose part of each batch this is.
    """
    per_set, smallest = windows_per_set(sets, batch_size), min(len(s) for s in sets)
    orders, begins = epoch_order(sets, seed, epoch)
    width = max(s.n_dims for s in sets)
    low, high = per_set * rank // count, per_set * (rank + 1) // count
    for first in range(skip * per_set, smallest - per_set + 1, per_set):
        parts = []
        for s, order, begin in zip(sets, orders, begins, strict=True):
            which = slice(first + low, first + high)
            picked = s.pick(torch.as_tensor(order[which]), torch.as_tensor(begin[which]))
            scale = 1.0 / s.ballistic if loss == "relative" else 1.0
            parts.append((picked, width / s.n_dims * scale))
        yield _mixed(parts, width, (high - low) / per_set)


def _mixed(parts: Sequence[tuple[tuple[Tensor, ...], float]], width: int, fraction: float) -> Batch:
    def padded(values: Tensor) -> Tensor:
        return torch.nn.functional.pad(values, (0, width - values.shape[-1]))

    columns = []
    for field in range(6):
        pieces = [picked[field] if field in (2, 3) else padded(picked[field]) for picked, _ in parts]
        columns.append(pieces[0] if len(pieces) == 1 else torch.cat(pieces))
    weight = torch.cat([torch.full((len(picked[0]), 1, 1), scale) for picked, scale in parts])
    x = columns[0]
    return Batch(columns[0], columns[1], columns[2], columns[3], columns[4], columns[5], weight.to(x), fraction)
