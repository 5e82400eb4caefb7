"""The learning-rate finder: a short run whose rate grows step by step, and the rate to begin with.

Source: L. N. Smith, Cyclical Learning Rates for Training Neural Networks (2017), section 3.3: the loss against a
growing rate falls, is least, and diverges. Deviations: the rate grows exponentially, losses are smoothed, and the
suggestion is a third of the rate at which the smoothed loss is least. Nothing of the run is kept but its curve.
"""

import math
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np

from physics.errors import InputError
from physics.files import atomic_path, write_csv
from surrogate.training.divergence import Divergence
from surrogate.training.state import Trainer
from surrogate.training.step import TrainingStep

LOWEST, HIGHEST = 1e-6, 0.9
STEPS = 150
SMOOTHING = 0.9
"""Share of the running mean in the smoothed loss."""
DIVERGED = 4.0
"""A smoothed loss so many times the least one ends the search."""
SAFETY = 3.0
"""The suggestion is so many times below the rate of the least loss."""


@dataclass(frozen=True)
class RateCurve:
    """The rates that were tried, and the smoothed loss at each."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def suggestion(self) -> float:
        """The rate to train with."""
        return self.rates[int(np.argmin(self.losses))] / SAFETY


def rate_curve(trainer: Trainer, steps: int = STEPS) -> RateCurve:
    """Train from the start with a rate that grows from LOWEST to HIGHEST, until the loss diverges.

    Raises
    ------
    InputError
        Where the very first losses are not finite.
    """
    trainer.start_stage(0)
    trainer.divergence = Divergence(limit=0.0)
    step = TrainingStep(trainer)
    rates: list[float] = []
    losses: list[float] = []
    smooth, weight = 0.0, 0.0
    epochs = (trainer.task.batches(trainer.config.train.seed, epoch) for epoch in count(1))
    for index, batch in zip(range(steps), chain.from_iterable(epochs), strict=False):
        rate = LOWEST * (HIGHEST / LOWEST) ** (index / (steps - 1))
        rejection, loss = step(batch, rate), step.loss
        if not math.isfinite(loss):
            break
        smooth, weight = SMOOTHING * smooth + (1 - SMOOTHING) * loss, SMOOTHING * weight + (1 - SMOOTHING)
        rates.append(rate)
        losses.append(smooth / weight)
        if rejection or losses[-1] > DIVERGED * min(losses):
            break
    if not losses:
        raise InputError(f"{trainer.out}: the loss is not finite before anything was trained")
    return RateCurve(tuple(rates), tuple(losses))


def write_rates(curve: RateCurve, out: Path) -> None:
    """`rates.csv` and `rates.png`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    out.mkdir(parents=True, exist_ok=True)
    write_csv(out / "rates.csv", [("lr", "loss"), *zip(curve.rates, curve.losses, strict=True)])
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot(curve.rates, curve.losses, color="#2b6cb0")
    axes.axvline(curve.suggestion, color="#c05621", linestyle="--")
    place: dict[str, Any] = {"xytext": (-6, -4), "textcoords": "offset points", "ha": "right", "va": "top"}
    corner = (curve.suggestion, max(curve.losses))
    axes.annotate(f"suggested: {curve.suggestion:.2g}", corner, color="#c05621", **place)
    axes.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="training loss, smoothed")
    axes.grid(alpha=0.25)
    with atomic_path(out / "rates.png") as temporary:
        figure.savefig(temporary, dpi=120)
