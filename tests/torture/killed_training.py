"""A training run in a process of its own, that may be killed at one of its file operations."""

import os
import signal
from pathlib import Path

import torch

from surrogate.training.config import load_config
from surrogate.training.stacked import train_stacked
from tests.surrogate.small_runs import run


def trained(out: str, die_at: int, device: str = "cpu", seeds: int = 1) -> None:
    """Train, or go on; with `die_at`, die of SIGKILL right before that file operation.

    Several seeds are one stacked run, each in a folder below `out`.
    """
    torch.set_num_threads(1)
    count = 0

    def deadly(inner):
        def call(*arguments, **options):
            nonlocal count
            count += 1
            if count == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return inner(*arguments, **options)

        return call

    os.fsync = deadly(os.fsync)
    Path.replace = deadly(Path.replace)
    if seeds == 1:
        run(out, resume=(Path(out) / "config.toml").exists(), device=device)
    else:
        configs = [load_config("tiny.toml", {"train.seed": str(seed)}) for seed in range(seeds)]
        outs = [Path(out, f"seed={seed}") for seed in range(seeds)]
        train_stacked(configs, outs, device=device, command="the command", quiet=True)
