"""What a training run shows while it works: a live line on a terminal, one line now and then elsewhere."""

import sys
import threading
import time
from types import TracebackType
from typing import Any

import rich.progress
from rich.console import Console

from surrogate.training.machine import memory_in_use
from surrogate.training.plan import Eta, Plan
from surrogate.training.progress import Progress

LINE_EVERY_SECONDS = 20.0
FIRST_LINE_SECONDS = 3.0
LIVE_EVERY_SECONDS = 0.2
EXPLAINED_AFTER_SECONDS = 2.0
"""After so long without a first step it is said why."""
PREPARING = "preparing the first step: kernels are compiled once on a machine, which may take a minute"
ONE_LINE = 120
"""Columns of a terminal from which on all stands on one live line; below, on two without a bar."""


class ProgressBar:
    """A context manager that is called after every step, epoch and validation.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._eta = Eta(lambda: time.monotonic())
        self._plan = Plan((), 1, 1)
        self._loss: float | None = None
        self._shown_at = time.monotonic() - LINE_EVERY_SECONDS + FIRST_LINE_SECONDS
        self._live: rich.progress.Progress | None = None
        self._tasks: dict[int, rich.progress.TaskID] = {}
        self._waiting = threading.Timer(EXPLAINED_AFTER_SECONDS, self._say, (PREPARING,))
        self._waiting.daemon = True
        console = Console(stderr=True)
        self._wide = console.width >= ONE_LINE
        if console.is_terminal and not quiet:
            self._live = rich.progress.Progress(
                rich.progress.TextColumn("{task.description}"),
                *([rich.progress.BarColumn(bar_width=16)] if self._wide else []),
                rich.progress.TextColumn("{task.fields[text]}"),
                *([rich.progress.TimeElapsedColumn()] if self._wide else []),
                console=console,
            )

    def __enter__(self) -> "ProgressBar":
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

    def begin(self, plan: Plan, progress: Progress, computing: str = "") -> None:
        """A stage starts (or goes on); `computing` is what makes its steps, said where kernels cannot."""
        self._plan, self._loss = plan, None
        for line in plan.facts:
            self._say(line)
        if computing.startswith("PyTorch: "):
            self._say(f"{plan.stages[progress.stage].name}: {computing}")
        self._eta.new_stage()
        if self._live:
            stage = plan.stages[progress.stage]
            total = stage.epochs * plan.steps_per_epoch
            self._tasks[progress.stage] = self._live.add_task(stage.name, total=total, text="")

    def step(self, progress: Progress, steps: int = 1) -> None:
        """A step has ended, or several that were made as one."""
        self._waiting.cancel()
        self._eta.stepped(steps)
        if progress.loss_count:
            self._loss = progress.loss_sum / progress.loss_count
        if self._quiet:
            return
        now = time.monotonic()
        if now - self._shown_at > (LIVE_EVERY_SECONDS if self._live else LINE_EVERY_SECONDS):
            self._shown_at = now
            self._show(progress)

    def validated(self) -> None:
        """A validation has been measured and written."""
        self._eta.validated()

    def epoch(self, progress: Progress, loss: float) -> None:
        """An epoch has ended, with this mean loss."""
        self._loss = loss
        if self._live or progress.epoch == self._plan.stages[progress.stage].epochs:
            self._show(progress)

    def note(self, text: str) -> None:
        """Say something that should not be missed."""
        self._say(f"warning: {text}")

    def _say(self, line: str) -> None:
        if self._live:
            self._live.console.print(line, highlight=False, markup=False)
        elif not self._quiet:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    def left(self, progress: Progress) -> float | None:
        """Seconds until the run ends, as far as is known."""
        return self._eta.left(*self._plan.left(progress.stage, progress.epoch, progress.batch))

    def _text(self, progress: Progress) -> str:
        stage = self._plan.stages[progress.stage]
        last = progress.history[-1]["valid"] if progress.history else None
        best = progress.best if progress.best < float("inf") else None
        gap = "\n" if self._live and not self._wide else " "
        rate, left = self._eta.steps_per_second, self.left(progress)
        loss, valid, least = (_number(value, stage.shown_in[0]) for value in (self._loss, last, best))
        remark = stage.remark(progress.history[-1]) if progress.history else ""
        beside = f"{stage.shown_in[1]} {f'({remark})' if remark else ''}".strip()
        return (
            f"epoch {progress.epoch + (progress.batch > 0)}/{stage.epochs} loss {loss} valid {valid} best {least}"
            f"{f' {beside}' if beside else ''}{gap}"
            f"{'-' if rate is None else f'{rate:.3g}'} steps/s, left {duration(left)}, "
            f"{memory_in_use() / 1e6:.0f} MB"
        )

    def _show(self, progress: Progress) -> None:
        if self._live:
            done = progress.epoch * self._plan.steps_per_epoch + progress.batch
            self._live.update(self._tasks[progress.stage], completed=done, text=self._text(progress))
        else:
            self._say(f"{self._plan.stages[progress.stage].name} {self._text(progress)}")


def _number(value: Any, unit: float) -> str:
    return "-" if value is None else f"{value * unit:.5g}"


def duration(seconds: float | None) -> str:
    """Seconds in words of a length that fits a line."""
    if seconds is None:
        return "-"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"
