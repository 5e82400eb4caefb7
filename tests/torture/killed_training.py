"""A training run in a process of its own, that may be killed at one of its file operations."""

import os
import signal
from pathlib import Path

import torch

from tests.surrogate.small_runs import run


def trained(out: str, die_at: int) -> None:
    """Train, or go on; with `die_at`, die of SIGKILL right before that file operation."""
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
    run(out, resume=(Path(out) / "config.toml").exists())
