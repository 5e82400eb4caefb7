"""The runner of the application: reading, forecasts, exports in child processes, trainings as commands."""

import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.viewmodel.state.setup import Setup
from app.viewmodel.worker.child import FILES, Child
from app.viewmodel.worker.export import ExportRequest
from app.viewmodel.worker.runner import Callbacks, Job, Request, StoredTruth
from app.viewmodel.worker.tasks.task import Task
from app.viewmodel.worker.tasks.train import PATIENCE, TrainTask
from physics.errors import InputError

CANCEL_PATIENCE = 0.7
"""Seconds a cancelled export may take to end by itself before its process is stopped."""


def sweeper(folder: Path) -> Callable[[], None]:
    """What removes the traces of an export into `folder` once its process has ended (killed, it cannot do so)."""
    existed = folder.exists()
    earlier = set(folder.glob(".export-*"))

    def sweep() -> None:
        for staging in set(folder.glob(".export-*")) - earlier:
            shutil.rmtree(staging, ignore_errors=True)
        if not existed:
            with suppress(OSError):  # not there, or not empty: then it holds finished files
                folder.rmdir()

    return sweep


class _Job:
    """A request on its way to a child; see Job."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self.cancel = cancel


class _Watcher:
    """A training: commands of their own, watched by a thread of this process."""

    def __init__(self, task: TrainTask, callbacks: Callbacks, post: Callable[[Callable[[], None]], None]) -> None:
        self._stop = threading.Event()
        self._closed = False

        def tell(then: Callable[[Any], None], value: Any) -> None:
            if not self._closed:
                post(lambda: then(value))

        def work() -> None:
            try:
                ended = task.run(
                    lambda fraction: tell(callbacks.progress, fraction),
                    self._stop.is_set,
                    lambda part: tell(callbacks.first, part),
                )
            except (InputError, OSError) as error:
                tell(callbacks.failed, str(error))
            else:
                tell(callbacks.done, ended)

        self._thread = threading.Thread(target=work, daemon=True, name="isotwin training")
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def cancel(self) -> None:
        self._stop.set()

    def close(self) -> None:
        """Stop the command and wait until it is: it keeps its last validated state."""
        self._closed = True
        self._stop.set()
        self._thread.join(PATIENCE + 2.0)


class ProcessRunner:
    """Forecasts in one long-lived child, files in another, exports and tasks in a fresh one each.

    The child for files loads no PyTorch and never waits for a forecast: stored data are shown at once. Trainings
    are commands.

    Parameters
    ----------
    post : callable
        Runs a function in the window's thread.
    at_once : bool
        Let the child load PyTorch now; else with the first request.
    """

    def __init__(self, post: Callable[[Callable[[], None]], None], at_once: bool = True) -> None:
        self._post = post
        self._forecasts = Child(post, "isotwin forecasts") if at_once else None
        self._files: Child | None = None
        self._closed = False
        self._exports: list[Child] = []
        self._stopped: list[Child] = []
        self._trainings: list[_Watcher] = []

    def submit(self, request: Request, callbacks: Callbacks) -> Job:
        """See Runner."""
        if isinstance(request, TrainTask):
            watcher = _Watcher(request, callbacks, self._post)
            self._trainings = [w for w in self._trainings if w.alive] + [watcher]
            return watcher
        if isinstance(request, ExportRequest | Task):
            if isinstance(request, ExportRequest):
                child = Child(self._post, "isotwin export", sweeper(Path(request.folder)))
            else:
                child = Child(self._post, "isotwin measurement")
            self._exports = [c for c in self._exports if c.running] + [child]

            def ended(then: Callable[[Any], None]) -> Callable[[Any], None]:
                def run(value: Any) -> None:
                    child.stop()
                    then(value)

                return run

            done, failed = ended(callbacks.done), ended(callbacks.failed)
            child.send(request, Callbacks(done, failed, callbacks.progress, callbacks.first))

            def let_end() -> None:  # the export may take its staging folder away itself
                child.cancel()
                timer = threading.Timer(CANCEL_PATIENCE, child.close)
                timer.daemon = True
                timer.start()

            return _Job(let_end if isinstance(request, ExportRequest) else child.stop)
        if isinstance(request, str):
            return self._read(request, callbacks)
        if isinstance(request, Setup) and request.forecasts and request.data and callbacks.truth:
            self._read(StoredTruth(request), Callbacks(callbacks.first, callbacks.failed))
        return self._after_a_pause(request, callbacks) if callbacks.pause else self._forecast(request, callbacks)

    def _after_a_pause(self, request: Request, callbacks: Callbacks) -> Job:
        """Forecast if nobody cancels it in the meantime."""
        begun: list[Job] = []
        cancelled = threading.Event()

        def begin() -> None:
            if not self._closed and not cancelled.is_set():
                begun.append(self._forecast(request, callbacks))

        def cancel() -> None:
            timer.cancel()
            cancelled.set()
            for job in begun:
                job.cancel()

        timer = threading.Timer(callbacks.pause, lambda: self._post(begin))
        timer.daemon = True
        timer.start()
        return _Job(cancel)

    def _forecast(self, request: Request, callbacks: Callbacks) -> Job:
        if self._forecasts is None or not self._forecasts.alive:
            self._forecasts = Child(self._post, "isotwin forecasts")
        child = self._forecasts
        child.send(request, callbacks)

        def restart() -> None:  # the next process starts at once, to be ready
            if self._forecasts is child:
                child.stop()
                self._stopped = [c for c in self._stopped if c.running] + [child]
                self._forecasts = Child(self._post, "isotwin forecasts")

        return _Job(restart)

    def _read(self, request: StoredTruth | str, callbacks: Callbacks) -> Job:
        if self._files is None or not self._files.alive:
            self._files = Child(self._post, "isotwin files", modules=(FILES,))
        self._files.send(request, callbacks)
        return _Job(self._files.stop)

    def close(self) -> None:
        """See Runner."""
        self._closed = True
        for child in (self._forecasts, self._files, *self._exports, *self._stopped):
            if child is not None:
                child.close()
        for training in self._trainings:
            training.close()
