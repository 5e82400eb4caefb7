"""Training by several processes (`torchrun`): each takes its share of every batch, gradients are summed.

All processes hold the same weights and do the same arithmetic on the same sums, so their states stay equal bit
for bit; only the first one writes files and shows progress.
"""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from physics.errors import InputError

TIMEOUT = timedelta(minutes=30)
"""How long a process waits for the others (the first one may validate meanwhile)."""


class ProcessLostError(InputError):
    """Another process of the run has ended."""


@dataclass(frozen=True)
class Processes:
    """Which process of the run we are, and what it shares with the others.

    Attributes
    ----------
    rank, count : int
    """

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this one writes and shows."""
        return self.rank == 0

    def all_reduce(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors of one dtype and device by their sums over all processes, in one exchange.

        Raises
        ------
        ProcessLostError
        """
        if self.count == 1:
            return
        flat = torch.cat([t.reshape(-1) for t in tensors])
        try:
            dist.all_reduce(flat)
        except RuntimeError as error:  # gloo and nccl raise subclasses of it
            raise ProcessLostError("another process of this run has ended") from error
        position = 0
        for t in tensors:
            t.copy_(flat[position : position + t.numel()].view_as(t))
            position += t.numel()

    def barrier(self) -> None:
        """Wait until all processes are here.

        Raises
        ------
        ProcessLostError
        """
        self.broadcast([0.0])

    def broadcast(self, values: list[float]) -> list[float]:
        """The first process's numbers, on all of them.

        Raises
        ------
        ProcessLostError
        """
        if self.count == 1:
            return values
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        shared = torch.tensor(values, dtype=torch.float64, device=device) * self.first  # a sum with zeros
        self.all_reduce([shared])
        return [float(value) for value in shared]


def joined_processes(device: str) -> Processes:
    """Meet the other processes where torchrun started this one; alone otherwise."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return Processes()
    if device.startswith("cuda"):
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo", timeout=TIMEOUT)
    if dist.get_rank():
        warnings.simplefilter("ignore")  # the first one says them
    return Processes(dist.get_rank(), count)


def leave_processes() -> None:
    """Leave the group, if there is one."""
    if dist.is_initialized():
        dist.destroy_process_group()
