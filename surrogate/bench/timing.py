"""What the timings of layers share, on the CPU and on a GPU: the model, its input, and calls timed in turns."""

import time
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor

from surrogate.models.egnn.model import EGNN, EGNNConfig

Call = Callable[[], object]

PARTICLES = 5
LOW = 0.05
"""The quantile of the repeated times that is kept."""
AGREEMENT = 2e-6
"""Largest difference of two layouts, relative to the largest coordinate."""


def states(n_systems: int, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Random positions and velocities (B, N, 3) and charges (B, N), float32."""
    generator = torch.Generator().manual_seed(0)
    x, v = torch.randn(2, n_systems, n, 3, generator=generator)
    return x, v, torch.randn(n_systems, n, generator=generator).sign()


def fresh_model() -> EGNN:
    """The paper's size, 4 layers x 64, with weights drawn anew."""
    torch.manual_seed(0)
    return EGNN(EGNNConfig())


def stepper(parameters: Iterable[Tensor], forward: Callable[[], Tensor], target: Tensor) -> Call:
    """Forward, backward and the trainer's optimiser; on a GPU one that a graph can record."""
    optimiser = torch.optim.AdamW(parameters, lr=1e-5, fused=True, capturable=target.is_cuda)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        loss: Tensor = (forward() - target).square().mean()
        torch.autograd.backward(loss)
        optimiser.step()

    return step


def low_times(calls: dict[str, Call], seconds: float) -> dict[str, float]:
    """Seconds of each call, made in turns for about `seconds` in all."""
    for call in calls.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or not times[next(iter(times))]:
        for name, call in calls.items():
            call()  # brings its weights and code back into the caches
            begin = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - begin)
    return {name: float(np.quantile(values, LOW)) for name, values in times.items()}


def checked_errors(found: dict[str, Tensor], exact: Tensor) -> dict[str, float]:
    """The distance of each layout's result from the exact one; those that differ from "textbook" are refused."""
    for name, value in found.items():
        if distance(value, found["textbook"]) > AGREEMENT:
            raise RuntimeError(f"{name} and textbook layouts differ by more than {AGREEMENT:g}")
    return {f"{name}_error": distance(value, exact) for name, value in found.items()}


def distance(a: Tensor, b: Tensor) -> float:
    """Largest difference, relative to the largest number."""
    return float((a.detach().double() - b.detach().double()).abs().max() / b.detach().abs().max())
