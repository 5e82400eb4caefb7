"""The batches of windows of one run, or of several side by side, gathered on the device many steps at a time."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from surrogate.tasks.dynamics.batches import Batch, epoch_order, windows_per_set
from surrogate.tasks.dynamics.windows import Windows


class DeviceBatches:
    """What `batches.batches` gives run after run and step after step, as arrays (steps, runs, batch, ...).

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
        self._width = max(s.n_dims for s in sets)
        weights = []
        for s in sets:
            scale = 1.0 / s.ballistic if loss == "relative" else 1.0
            weights.append(torch.full((self._per_set, 1, 1), self._width / s.n_dims * scale))
        self._weight = torch.cat(weights).to(sets[0].x)

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
            [self._padded(field) for field in s.pick(samples[part], starts[part])]
            for s, (samples, starts) in zip(self._sets, order, strict=True)
        ]
        return [torch.cat(pieces, dim=2) for pieces in zip(*picked, strict=True)]

    def batch(self, fields: Sequence[Tensor]) -> Batch:
        """The batch of one step and run."""
        x, v, q, m, x_target, v_target = fields
        return Batch(x, v, q, m, x_target, v_target, self._weight)

    def _padded(self, values: Tensor) -> Tensor:
        """Vectors (steps, runs, batch, N, n) get zeros for the dimensions that another set has."""
        return nn.functional.pad(values, (0, self._width - values.shape[-1])) if values.dim() == 5 else values
