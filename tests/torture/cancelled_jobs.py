"""`python -m tests.torture.cancelled_jobs TIMES`: each kind of long job cancelled in the real window.

Prints one line of JSON: for each kind, seconds from each cancel to the window's next answer, to the end of the
job's processes, and of the processor up to the answer; and how many processes are left when the window is closed.
A job is cancelled at a random time.
"""

import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.viewmodel.actions.file import EXPORT_FORMATS
from app.viewmodel.files.preferences import VARIABLE
from app.viewmodel.state.setup import Setup
from tests.patience import PATIENCE
from tests.torture.processes import TRACKER, descendants, with_variable

TINY = """
[model]
name = "egnn"
hidden = 8
layers = 2
[data]
[train]
batch_size = 4
threads = 1
"""


def stored(folder: Path) -> str:
    """A data set to browse and to train on."""
    rng = np.random.default_rng(3)
    x, v = rng.normal(size=(2, 400, 1, 5, 3))
    times = 0.1 * np.arange(25)
    positions = x + v * times[:, None, None]
    velocities = np.broadcast_to(v, positions.shape)
    path = folder / "stored.npz"
    np.savez(
        path, positions=positions, velocities=velocities, charges=rng.choice([-1.0, 1.0], (400, 5)), times=times
    )
    return str(path)


def compare(session: Any, folder: Path, number: int) -> None:
    """Another draw, with a model to compare."""
    session.system.choose_seed(1000 + number)


def export(session: Any, folder: Path, number: int) -> None:
    """Video, pictures, tables, report."""
    session.export.start(str(folder / f"export-{number}"), EXPORT_FORMATS)


def measure(session: Any, folder: Path, number: int) -> None:
    """The table of all models."""
    session.models.measure()


def sort(session: Any, folder: Path, number: int) -> None:
    """The samples of the data set that is shown, by their error."""
    session.data.sort()


def find(session: Any, folder: Path, number: int) -> None:
    """Look for the formula of what the model has learned."""
    session.formula.find()


def train(session: Any, folder: Path, number: int) -> None:
    """A run that would take minutes."""
    config = folder / "tiny.toml"
    config.write_text(TINY)
    out = str(folder / f"run-{number}")
    session.training.set(preset="", data=str(folder / "stored.npz"), config=str(config), epochs=10_000, out=out)
    session.training.start()


KINDS: Mapping[str, tuple[str, Callable[[Any, Path, int], None], float, bool]] = {
    "comparison": ("Simulation and forecasts", compare, 0.3, False),
    "export": ("Export", export, 5.0, False),
    "training": ("Training", train, 5.0, False),
    "model table": ("Measuring all models", measure, 5.0, False),
    "samples by error": ("Errors of the samples", sort, 4.0, True),
    "formula": ("Formula", find, 3.0, True),
}
"""Each with its title in the list of jobs, what starts it, the latest cancel [second], if it needs a data set."""


class Desk:
    """The window, and the loop it runs in."""

    def __init__(self, folder: Path, rng: np.random.Generator, hurry: float) -> None:
        from app.views.start import make_window

        self.folder, self.rng, self.hurry = folder, rng, hurry
        self.application = QApplication(["isotwin"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the imports of pyvistaqt and pyqtgraph
            self.window = make_window(None, Setup(scenario="bound", model="egnn-nbody"), folder)
        self.session = self.window.session
        self.window.show()
        QTest.qWaitForWindowActive(self.window)
        self.session.start()
        self.until(lambda: not self.session.state.busy)
        self.session.clock.seek(0)

    def until(self, reached: Callable[[], bool]) -> None:
        """Run the event loop until then."""
        deadline = time.monotonic() + PATIENCE
        while not reached():
            QTest.qWait(2)
            if time.monotonic() > deadline:
                raise AssertionError(f"not reached; the window says {self.session.state.message}")

    def titles(self) -> list[str]:
        """Of the jobs that run."""
        return [job.title for job in self.session.state.jobs]

    def cancelled(self, kind: str, number: int) -> tuple[float, float, float] | None:
        """Start a job and cancel it; None if it was over.

        Returns
        -------
        (float, float, float)
            Seconds to the window's answer, to the job's end, and of the processor in the window's thread up to its
            answer (on a machine that others use, the first is longer).
        """
        title, start, latest, _ = KINDS[kind]
        self.until(lambda: not self.session.state.busy)
        before = descendants() if kind != "comparison" else set()
        start(self.session, self.folder, number)
        QTest.qWait(int(1000 * latest * self.hurry * self.rng.random()))
        jobs = [job.number for job in self.session.state.jobs if job.title.startswith(title)]
        if not jobs:
            return None
        took: list[float] = []
        over: list[int] = []

        def cancel() -> None:
            if all(job.number != jobs[0] for job in self.session.state.jobs):
                over.append(jobs[0])  # it ended between two turns of the event loop: nothing is left to cancel
                return
            took[:] = [time.monotonic(), time.thread_time()]
            QTimer.singleShot(0, lambda: took.extend([time.monotonic(), time.thread_time()]))
            self.session.jobs.cancel(jobs[0])

        mine = descendants() - before
        QTimer.singleShot(0, cancel)
        self.until(lambda: bool(over) or len(took) == 4)
        if over:
            return None
        self.until(lambda: not mine & descendants() and not any(t.startswith(title) for t in self.titles()))
        return took[2] - took[0], time.monotonic() - took[0], took[3] - took[1]


def main() -> None:
    """Open the window, and cancel."""
    times = int(sys.argv[1])
    found: dict[str, list[tuple[float, float, float]]] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ[VARIABLE] = place
        data = stored(folder)
        desk = Desk(folder, np.random.default_rng(20), 1.0 if times > 1 else 0.2)
        for kind, (_, _, _, needs_data) in KINDS.items():
            if needs_data:
                desk.session.files.open(data)
                desk.until(lambda: desk.session.state.setup.data == data and not desk.session.state.busy)
            found[kind] = []
            for number in range(4 * times):
                if len(found[kind]) < times:
                    took = desk.cancelled(kind, number)
                    found[kind] += [took] if took is not None else []
        desk.window.close()
        desk.application.processEvents()
        time.sleep(0.5)
        left = [pid for pid in with_variable(VARIABLE, place) if pid != os.getpid() and not tracker(pid)]
        print(json.dumps({"kinds": found, "left": len(left)}), flush=True)


def tracker(pid: int) -> bool:
    """Whether a process is Python's own."""
    try:
        return TRACKER in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return True


if __name__ == "__main__":
    main()
