"""Batches of training windows: every batch has an equal share of every data set.

Data sets of different dimension share a batch by padding coordinates with zeros: an E(n) model keeps a
subspace, so this is exact for it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from physics.rotations import random_rotation
from surrogate.tasks.dynamics.windows import FIELDS, Windows


@dataclass(frozen=True)
class Batch:
    """Inputs and targets; `weight` (B, 1, 1) turns squared errors into the loss of mixed data sets.

    `fraction` is the part of the whole batch that this is: 1 but where several processes divide it. `given` holds
    what the model takes beside the states, (B, ...) by name.
    """

    x: Tensor
    v: Tensor
    q: Tensor
    m: Tensor
    x_target: Tensor
    v_target: Tensor
    weight: Tensor
    fraction: float = 1.0
    given: dict[str, Tensor] = field(default_factory=dict)
    x_between: Tensor | None = None

    def to(self, device: str) -> "Batch":
        """The batch on a device (those of mapped data sets come from the CPU)."""
        if self.x.device.type == torch.device(device).type:
            return self
        names = [f.name for f in fields(self) if f.name not in ("fraction", "given", "x_between")]
        given = {name: t.to(device) for name, t in self.given.items()}
        between = None if self.x_between is None else self.x_between.to(device)
        moved = {name: getattr(self, name).to(device) for name in names}
        return replace(self, given=given, x_between=between, **moved)

    def turned(self, rotations: Tensor) -> "Batch":
        """Every window turned by its matrix (B, n, n)."""
        transposed = rotations.to(self.x).mT
        names = ("x", "v", "x_target", "v_target")
        vectors = {name: getattr(self, name) @ transposed for name in names}
        given = dict(self.given)
        if "uniform_field" in given:
            given["uniform_field"] = (given["uniform_field"].unsqueeze(1) @ transposed).squeeze(1)
        if "magnetic_field" in given:
            given["magnetic_field"] = transposed.mT @ given["magnetic_field"] @ transposed
        between = None if self.x_between is None else self.x_between @ transposed.unsqueeze(1)
        return replace(self, given=given, x_between=between, **vectors)


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
    turned: bool = False,
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
    turned : bool
        Whether every window is turned by a random rotation of its own, which depends on (seed, epoch), too.
    """
    per_set, smallest = windows_per_set(sets, batch_size), min(len(s) for s in sets)
    orders, begins = epoch_order(sets, seed, epoch)
    low, high = per_set * rank // count, per_set * (rank + 1) // count
    weight = _weights(sets, high - low, loss)
    for first in range(skip * per_set, smallest - per_set + 1, per_set):
        which = slice(first + low, first + high)
        samples = [torch.as_tensor(order[which]) for order in orders]
        starts = [torch.as_tensor(begin[which]) for begin in begins]
        chosen = list(zip(sets, samples, starts, strict=True))
        x, v, q, m, x_target, v_target = _side_by_side(sets, [s.pick(*at) for s, *at in chosen], 0)
        given, between = _given(sets, samples), None
        if all(s.between is not None for s in sets):
            (between,) = _side_by_side(sets, [[s.positions_between(*at)] for s, *at in chosen], 0)
        batch = Batch(x, v, q, m, x_target, v_target, weight.to(x), (high - low) / per_set, given, between)
        if turned:
            rng = np.random.default_rng([seed, epoch, first, len(sets)])
            matrices = np.stack([random_rotation(x.shape[-1], rng) for _ in range(per_set * len(sets))])
            own = matrices.reshape(len(sets), per_set, *matrices.shape[1:])[:, low:high]
            batch = batch.turned(torch.as_tensor(own.reshape(len(x), *matrices.shape[1:])))
        yield batch


def _given(sets: Sequence[Windows], samples: Sequence[Tensor]) -> dict[str, Tensor]:
    """What the model takes beside the states of some samples of each set; fields and boxes get zeros."""
    width, found = max(s.n_dims for s in sets), {}
    for name in sets[0].given:
        pieces = [s.given[name][at.to(s.x.device)] for s, at in zip(sets, samples, strict=True)]
        if name in (*FIELDS, "box"):
            more = [width - s.n_dims for s in sets]
            axes = 2 if name == "magnetic_field" else 1
            pieces = [nn.functional.pad(p, (0, k) * axes) for p, k in zip(pieces, more, strict=True)]
        found[name] = torch.cat(pieces)
    return found


def _weights(sets: Sequence[Windows], count: int, loss: str) -> Tensor:
    """`Batch.weight` of `count` windows of each set."""
    width = max(s.n_dims for s in sets)
    scales = (width / s.n_dims * (1.0 / s.ballistic if loss == "relative" else 1.0) for s in sets)
    return torch.cat([torch.full((count, 1, 1), scale) for scale in scales])


def _side_by_side(sets: Sequence[Windows], picked: Sequence[Sequence[Tensor]], dim: int) -> list[Tensor]:
    """The fields of all sets behind each other along `dim`; vectors get zeros for dimensions of other sets."""
    width, columns = max(s.n_dims for s in sets), []
    for index, pieces in enumerate(zip(*picked, strict=True)):
        if index not in (2, 3):  # charges and masses
            pieces = tuple(nn.functional.pad(piece, (0, width - piece.shape[-1])) for piece in pieces)
        columns.append(pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim))
    return columns


class DeviceBatches:
    """What `batches` gives run after run and step after step, as arrays (steps, runs, batch, ...).

    Parameters
    ----------
    sets : sequence of Windows
        On the device; every batch has an equal share of each.
    seeds : sequence of int
        Of the runs: each has its own order of the same windows.
    batch_size : int
    loss : str
        As `train.loss`.
    """

    def __init__(self, sets: Sequence[Windows], seeds: Sequence[int], batch_size: int, loss: str) -> None:
        self._sets, self._seeds = sets, seeds
        self._per_set = windows_per_set(sets, batch_size)
        self.steps = min(len(s) for s in sets) // self._per_set
        self._weight = _weights(sets, self._per_set, loss).to(sets[0].x)

    def order(self, epoch: int) -> list[tuple[Tensor, Tensor]]:
        """For each data set samples and start frames of an epoch, (steps, runs, windows), on the device."""
        orders = [epoch_order(self._sets, seed, epoch) for seed in self._seeds]

        def placed(rows: Sequence[NDArray[np.int64]]) -> Tensor:
            kept = np.stack([row[: self.steps * self._per_set] for row in rows])
            by_step = kept.reshape(len(kept), self.steps, self._per_set).swapaxes(0, 1)
            return torch.as_tensor(np.ascontiguousarray(by_step), dtype=torch.int64).to(self._sets[0].x.device)

        return [
            (placed([samples[i] for samples, _ in orders]), placed([starts[i] for _, starts in orders]))
            for i in range(len(self._sets))
        ]

    def gathered(self, order: list[tuple[Tensor, Tensor]], first: int, count: int) -> list[Tensor]:
        """x, v, q, m and targets x, v of steps first..first + count - 1, the sets side by side in the batch."""
        part = slice(first, first + count)
        picked = [
            s.pick(samples[part], starts[part]) for s, (samples, starts) in zip(self._sets, order, strict=True)
        ]
        return _side_by_side(self._sets, picked, 2)

    def batch(self, fields: Sequence[Tensor]) -> Batch:
        """The batch of one step and run."""
        x, v, q, m, x_target, v_target = fields
        return Batch(x, v, q, m, x_target, v_target, self._weight)
