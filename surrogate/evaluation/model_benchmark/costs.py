"""What an entry costs, measured in a process of its own: forward, training step, memory, parameters."""

import ctypes
import gc
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from surrogate.evaluation.single_forecasts import FORWARD_BATCH, median_milliseconds
from surrogate.models.base import SurrogateModel
from surrogate.tasks.dynamics.batches import Batch
from surrogate.training.config import Config
from surrogate.training.machine import keep_freed_memory, machine, memory_in_use
from surrogate.training.state import Trainer
from surrogate.training.step import TrainingStep

REPEATS = 20
WARM_UP = 3


def costs_of(config: Config) -> dict[str, Any]:
    """Costs of the untrained model of a configuration, measured in a child process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measured_costs, config).result()


def measured_costs(config: Config) -> dict[str, Any]:
    """The same in this process.

    Returns
    -------
    dict
        forward_ms, forward_one_ms: median time of a forward pass, a batch of 100 and of 1; step_ms: of a training
        step; memory_mb: the most that a step of a batch held at once, beyond what the process held before;
        parameters; computes: what makes the steps.
    """
    trainer = Trainer(config, Path("costs"), "cpu", "")
    trainer.start_stage(0)
    network, batch = trainer.model, next(iter(trainer.task.batches(0, 0)))
    assert isinstance(network, SurrogateModel)
    assert isinstance(batch, Batch)
    step = TrainingStep(trainer)
    step(batch)  # compiles
    memory = _most_held(lambda: step(batch))
    keep_freed_memory()
    for _ in range(WARM_UP):
        step(batch)
    step_ms = median_milliseconds(lambda: step(batch), REPEATS)
    forward = network.for_inference().forward

    def passes(rows: int) -> float:
        x, v, q, m = (t[:rows] for t in (batch.x, batch.v, batch.q, batch.m))
        given = {name: t[:rows] for name, t in batch.given.items()}
        masses = m if network.uses_masses else None
        with torch.no_grad():
            return median_milliseconds(lambda: forward(x, v, q, 1.0, masses, **given), REPEATS)

    return {
        "forward_ms": passes(FORWARD_BATCH),
        "forward_one_ms": passes(1),
        "step_ms": step_ms,
        "memory_mb": memory / 1e6,
        "parameters": network.n_parameters,
        "computes": trainer.accelerated.description,
        "machine": machine(),
        "date": time.strftime("%Y-%m-%d"),
    }


def _most_held(call: Callable[[], object]) -> int:
    """Bytes that a call held at once beyond what the process held before; 0 where the system does not tell."""
    gc.collect()
    if not sys.platform.startswith("linux"):
        return 0
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):  # musl has none
        trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak is the present
    before = memory_in_use()
    call()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return max((int(peak.split()[1]) << 10) - before, 0)
