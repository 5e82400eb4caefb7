"""Generate data and train, as commands in processes of their own that are watched from a thread."""

import csv
import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from app.viewmodel.state.training import TrainPlan, TrainReport, TrainRow, commands
from app.viewmodel.worker.tasks.task import Cancelled, Part, Progress, Task
from physics.cli import EXIT_INTERRUPTED
from physics.errors import InputError

POLL = 0.2
"""Between two reports [second]."""
LOOKS = 5
"""Between them it is looked so often whether it is to be stopped."""
PATIENCE = 8.0
"""Seconds a command may take to end by itself when it is stopped."""


@dataclass(frozen=True)
class TrainTask(Task):
    """Run the commands of a plan one after the other; "done" or "stopped"."""

    plan: TrainPlan
    resume: bool = False

    def run(self, progress: Progress, cancelled: Cancelled, part: Part) -> str:
        """See Task. What was validated is kept whenever it is stopped."""
        begin = time.monotonic()
        for phase, line in commands(self.plan, self.resume):
            watch = _Watch(self.plan, "data" if phase == "data" else "training", begin, part)
            if not watch.follow(line, cancelled):
                return "stopped"
        return "done"


class _Watch:
    """One command: its last line, its metrics, its end."""

    def __init__(self, plan: TrainPlan, phase: str, begin: float, part: Part) -> None:
        self._plan, self._phase, self._begin, self._part = plan, phase, begin, part
        self._lines: list[str] = []
        self._rows: tuple[TrainRow, ...] = ()
        self._stamp = 0
        self._first: tuple[float, int] | None = None

    def follow(self, line: list[str], cancelled: Cancelled) -> bool:
        """Run it to its end; False where it was stopped.

        Raises
        ------
        InputError
            The line in which it says why it failed.
        """
        # half the cores, as for the forecasts: the window draws beside it
        environment = {"OMP_NUM_THREADS": str(max((os.cpu_count() or 2) // 2, 1)), **os.environ}
        Path(self._plan.out).parent.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            encoding="utf-8", errors="replace", env=environment,
        )  # fmt: skip
        reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        reader.start()
        limit = 60.0 * self._plan.minutes
        stopped = False
        while process.poll() is None:
            # counted from the first validation, so that there is a best model to keep
            late = self._first is not None and time.monotonic() - self._first[0] > limit > 0
            if cancelled() or late:
                stopped = True
                process.terminate()
                try:
                    process.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    process.kill()
                break
            self._report()
            for _ in range(LOOKS):
                if not cancelled():
                    time.sleep(POLL / LOOKS)
        status = process.wait()
        reader.join(1.0)
        self._report()
        if status == 0:
            return True
        if stopped or status == EXIT_INTERRUPTED:
            return False
        raise InputError(self._why(status))

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stderr is not None
        with process.stderr as stream:
            for line in stream:
                if line.strip():
                    self._lines = [*self._lines, line.strip()][-20:]

    def _why(self, status: int) -> str:
        said = [line.removeprefix("error: ") for line in self._lines if line.startswith("error: ")]
        return said[-1] if said else (self._lines[-1] if self._lines else f"it ended with status {status}")

    def _report(self) -> None:
        now = time.monotonic()
        if self._phase == "training":
            self._read_metrics(now)
        left = None
        if self._first is not None and self._rows:
            at, epoch = self._first
            done = self._rows[-1].epoch - epoch
            if done > 0 and self._rows[-1].stage == self._rows[0].stage:
                left = (now - at) / done * max(self._plan.epochs - self._rows[-1].epoch, 0)
        line = self._lines[-1] if self._lines else ""
        phase = "data" if self._phase == "data" else "training"
        self._part(TrainReport(phase, self._rows, line, now - self._begin, left))  # type: ignore[arg-type]

    def _read_metrics(self, now: float) -> None:
        path = Path(self._plan.out) / "metrics.csv"
        try:
            stamp = path.stat().st_mtime_ns
            if stamp == self._stamp:
                return
            self._rows, self._stamp = rows_of(path), stamp
        except OSError:
            return
        if self._first is None and self._rows:
            self._first = (now, self._rows[-1].epoch)


def rows_of(path: Path) -> tuple[TrainRow, ...]:
    """The lines of a metrics.csv, which is always whole (it is replaced, never appended to)."""
    with path.open(encoding="utf-8", newline="") as stream:
        return tuple(
            TrainRow(row["stage"], int(row["epoch"]), float(row["loss"]), float(row["valid"]))
            for row in csv.DictReader(stream)
        )
