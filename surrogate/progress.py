"""What a training run shows while it works: a live line on a terminal, one line now and then elsewhere."""

import sys
import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LINE_EVERY_SECONDS = 20.0


class TrainingProgress:
    """A context manager that gives `fit` its report function."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._last = 0.0
        self._started = time.monotonic()
        self._first_epoch: dict[str, int] = {}
        self._stage_started: dict[str, float] = {}
        console = Console(stderr=True)
        self._live = None
        if console.is_terminal and not quiet:
            self._live = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("epoch {task.completed:.0f}/{task.total:.0f}"),
                TextColumn("loss {task.fields[loss]} valid {task.fields[valid]} best {task.fields[best]}"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=console,
            )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> "TrainingProgress":
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def __call__(self, row: dict[str, Any]) -> None:
        """Show one epoch's row."""
        if self._quiet:
            return
        stage, epoch, epochs = row["stage"], row["epoch"], row["epochs"]
        shown: dict[str, Any] = {
            key: f"{row[key]:.5g}" if row.get(key) is not None else "-" for key in ("loss", "valid", "best")
        }
        now = time.monotonic()
        if stage not in self._first_epoch:
            self._first_epoch[stage], self._stage_started[stage] = epoch - 1, self._last_tick(now)
        if self._live:
            if stage not in self._tasks:
                self._tasks[stage] = self._live.add_task(stage, total=epochs, completed=epoch, **shown)
            self._live.update(self._tasks[stage], completed=epoch, **shown)
        elif now - self._last > LINE_EVERY_SECONDS or epoch == epochs:
            self._last = now
            done = epoch - self._first_epoch[stage]
            left = (now - self._stage_started[stage]) / max(done, 1) * (epochs - epoch)
            sys.stderr.write(
                f"{stage} epoch {epoch}/{epochs} loss {shown['loss']} valid {shown['valid']} "
                f"best {shown['best']} left {left:.0f} s\n"
            )
            sys.stderr.flush()

    def _last_tick(self, now: float) -> float:
        return max(self._stage_started.values(), default=self._started) if not self._stage_started else now
