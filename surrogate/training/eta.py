"""How long a run will still take, from the steps and validations so far.

Steps and validations are timed apart, so that a long validation every so many epochs is not mistaken for slow
steps; older times count less. Stages to come are scaled by the cost of their step (plan.py).
"""

import math
import time
from collections.abc import Callable, Sequence

from surrogate.training.plan import Work

WARM_UP_STEPS = 5
"""The first steps of a process compile and fill caches: they say nothing about the rest."""
MEMORY = 300.0
"""Seconds after which a measured time counts 1/e."""


class _Mean:
    """A mean of durations of which older ones count less."""

    def __init__(self) -> None:
        self.total = self.weight = 0.0

    def add(self, seconds: float) -> None:
        fading = math.exp(-seconds / MEMORY)
        self.total, self.weight = fading * self.total + seconds, fading * self.weight + 1.0

    @property
    def value(self) -> float | None:
        return self.total / self.weight if self.weight else None


class Eta:
    """Times the steps and validations of a run; `left` says what remains.

    Parameters
    ----------
    clock : callable
        Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._step, self._validation = _Mean(), _Mean()
        self._last = clock()
        self._seen = 0

    def stepped(self, steps: int = 1) -> None:
        """A step has just ended, or several that were made as one."""
        now = self._clock()
        if self._seen >= WARM_UP_STEPS:
            for _ in range(steps):
                self._step.add((now - self._last) / steps)
        self._seen += steps
        self._last = now

    def validated(self) -> None:
        """A validation, with the files it wrote, has just ended."""
        now = self._clock()
        self._validation.add(now - self._last)
        self._last = now

    def new_stage(self) -> None:
        """The steps from now on cost something else."""
        self._step, self._seen, self._last = _Mean(), 0, self._clock()

    @property
    def steps_per_second(self) -> float | None:
        """Lately; None before anything is known."""
        mean = self._step.value
        return 1.0 / mean if mean else None

    def left(self, work: Sequence[Work]) -> float | None:
        """Seconds that the work takes; None before anything is known."""
        step = self._step.value
        if step is None:
            return None
        validation = self._validation.value or 0.0
        return sum(w.steps * w.cost * step + w.validations * validation for w in work)
