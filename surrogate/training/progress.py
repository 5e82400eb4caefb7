"""What a training run shows while it works: a live line on a terminal, one line now and then elsewhere."""

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from surrogate.training.eta import Pace, Plan
from surrogate.training.machine import memory_in_use
from surrogate.training.state import Progress as Standing

LINE_EVERY_SECONDS = 20.0
FIRST_LINE_SECONDS = 3.0
LIVE_EVERY_SECONDS = 0.2
PATIENCE_SECONDS = 2.0
"""After so long without a step it is said why."""
PREPARING = "preparing the first step: kernels are compiled once on a machine, which may take a minute"
ONE_LINE = 120
"""Columns of a terminal from which on all stands on one live line; below, on two without a bar."""


class TrainingProgress:
    """A context manager that `fit` tells about steps, epochs and validations.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    on_validation : callable or None
        Gets the row of each validation (for TensorBoard).
    """

    def __init__(self, quiet: bool = False, on_validation: Callable[[dict[str, Any]], None] | None = None) -> None:
        self._quiet, self._on_validation = quiet, on_validation
        self._pace = Pace(lambda: time.monotonic())
        self._plan = Plan((), 1, 1)
        self._loss: float | None = None
        self._shown_at = time.monotonic() - LINE_EVERY_SECONDS + FIRST_LINE_SECONDS
        self._live: Progress | None = None
        self._tasks: dict[int, TaskID] = {}
        self._waiting = threading.Timer(PATIENCE_SECONDS, self._say, (PREPARING,))
        self._waiting.daemon = True
        console = Console(stderr=True)
        self._wide = console.width >= ONE_LINE
        if console.is_terminal and not quiet:
            self._live = Progress(
                TextColumn("{task.description}"),
                *([BarColumn(bar_width=16)] if self._wide else []),
                TextColumn("{task.fields[told]}"),
                *([TimeElapsedColumn()] if self._wide else []),
                console=console,
            )

    def __enter__(self) -> "TrainingProgress":
        if self._live:
            self._live.start()
        if not self._quiet:
            self._waiting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.cancel()
        if self._live:
            self._live.stop()

    def begin(self, plan: Plan, standing: Standing) -> None:
        """A stage starts (or goes on)."""
        self._plan, self._loss = plan, None
        self._pace.new_stage()
        if self._live:
            stage = plan.stages[standing.stage]
            total = stage.epochs * plan.steps_per_epoch
            self._tasks[standing.stage] = self._live.add_task(stage.name, total=total, told="")

    def step(self, standing: Standing, steps: int = 1) -> None:
        """A step has ended, or several that were made as one."""
        self._waiting.cancel()
        self._pace.stepped(steps)
        if standing.loss_count:
            self._loss = standing.loss_sum / standing.loss_count
        if self._quiet:
            return
        now = time.monotonic()
        if self._live and now - self._shown_at > LIVE_EVERY_SECONDS:
            self._shown_at = now
            self._show(standing)
        elif not self._live and now - self._shown_at > LINE_EVERY_SECONDS:
            self._shown_at = now
            self._write(standing)

    def validated(self, standing: Standing) -> None:
        """A validation has been measured and written."""
        self._pace.validated()
        if self._on_validation:
            self._on_validation(standing.history[-1])

    def epoch(self, standing: Standing, loss: float) -> None:
        """An epoch has ended, with this mean loss."""
        self._loss = loss
        if self._quiet:
            return
        if self._live:
            self._show(standing)
        elif standing.epoch == self._plan.stages[standing.stage].epochs:
            self._write(standing)

    def note(self, text: str) -> None:
        """Say something that should not be missed."""
        self._say(f"warning: {text}")

    def _say(self, line: str) -> None:
        if self._live:
            self._live.console.print(line, highlight=False, markup=False)
        elif not self._quiet:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    def left(self, standing: Standing) -> float | None:
        """Seconds until the run ends, as far as can be told."""
        return self._pace.left(self._plan.left(standing.stage, standing.epoch, standing.batch))

    def _told(self, standing: Standing) -> str:
        stage = self._plan.stages[standing.stage]
        last = standing.history[-1]["valid"] if standing.history else None
        best = standing.best if standing.best < float("inf") else None
        gap = "\n" if self._live and not self._wide else " "
        rate, left = self._pace.steps_per_second, self.left(standing)
        return (
            f"epoch {standing.epoch + (standing.batch > 0)}/{stage.epochs} loss {_number(self._loss)} "
            f"valid {_number(last)} best {_number(best)}{gap}"
            f"{'-' if rate is None else f'{rate:.3g}'} steps/s, left {duration(left)}, "
            f"{memory_in_use() / 1e6:.0f} MB"
        )

    def _show(self, standing: Standing) -> None:
        assert self._live is not None
        done = standing.epoch * self._plan.steps_per_epoch + standing.batch
        self._live.update(self._tasks[standing.stage], completed=done, told=self._told(standing))

    def _write(self, standing: Standing) -> None:
        sys.stderr.write(f"{self._plan.stages[standing.stage].name} {self._told(standing)}\n")
        sys.stderr.flush()


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:.5g}"


def duration(seconds: float | None) -> str:
    """Seconds in words of a length that fits a line."""
    if seconds is None:
        return "-"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"
