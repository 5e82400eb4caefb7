"""Who does the long work: at once (tests), or a child process with the answers posted back to the window."""

import multiprocessing
import os
import shutil
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from app.viewmodel.glimpse import Glimpse
from app.viewmodel.setup import Setup
from app.viewmodel.tasks.task import Task
from app.viewmodel.tasks.train import PATIENCE, TrainTask
from app.viewmodel.work import ExportRequest, Prepared, describe_file, export, glimpse, prepared_parts
from physics.errors import InputError

CANCEL_PATIENCE = 1.0
"""Seconds a cancelled export may take to end by itself before its process is stopped."""

PAINT_SECONDS = 0.06
"""After a glimpse the child waits so long for a newer request: meanwhile the window paints, undisturbed."""

ENDED = "the working process ended unexpectedly; try again"

Request = Setup | ExportRequest | Task | str


@dataclass
class Callbacks:
    """Where a job's answers go; called in the window's thread.

    Attributes
    ----------
    done, failed, progress : callable
    first : callable
        Given what can be shown before all is measured.
    glimpse : callable
        Given what is on the screen before all is forecast.
    near : (int, int) or None
        Which frames those are; no glimpse for None.
    """

    done: Callable[[Any], None]
    failed: Callable[[str], None]
    progress: Callable[[float], None] = lambda _: None
    first: Callable[[Any], None] = lambda _: None
    glimpse: Callable[[Glimpse], None] = lambda _: None
    near: tuple[int, int] | None = None


class Job(Protocol):
    """A job that can be cancelled."""

    def cancel(self) -> None:
        """Ask the job to stop; nothing is reported afterwards but its end."""


class Runner(Protocol):
    """Runs requests: a Setup is prepared, an ExportRequest exported, a Task done, a path described."""

    def submit(self, request: Request, callbacks: Callbacks) -> Job:
        """Start a job; its callbacks come later, or at once for the inline runner."""

    def close(self) -> None:
        """Stop everything; no callback comes after this."""


def answer(
    request: Request,
    progress: Callable[[float], None],
    cancelled: Callable[[], bool],
    first: Callable[[Any], None] = lambda _: None,
) -> Any:
    """What a request asks for, computed here and now."""
    if isinstance(request, Setup):
        for part in prepared_parts(request, progress):
            if not part.measured:
                first(part)
        return part
    if isinstance(request, ExportRequest):
        return export(request, progress, cancelled)
    if isinstance(request, Task):
        return request.run(progress, cancelled, first)
    return describe_file(request)


class _Done:
    def cancel(self) -> None:
        """Nothing to stop."""


class InlineRunner:
    """Answers before `submit` returns: for tests of the Session."""

    def submit(self, request: Request, callbacks: Callbacks) -> Job:
        """See Runner."""
        try:
            result = answer(request, callbacks.progress, lambda: False, callbacks.first)
        except InputError as error:
            callbacks.failed(str(error))
        else:
            callbacks.done(result)
        return _Done()

    def close(self) -> None:
        """See Runner."""


def _serve(connection: Connection, cancel: Any) -> None:
    """The child process: answer requests until the pipe closes."""
    # Half the cores, set before PyTorch loads: its threads wait for each other by spinning, and beside the
    # drawing window on a small machine a forecast of 0.2 s then takes seconds now and then.
    os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import surrogate.loading
    import surrogate.side_by_side  # noqa: F401  (PyTorch, while the window is still being made)

    kept: deque[tuple[int, Request, tuple[int, int] | None]] = deque()

    def outdated(seconds: float) -> bool:
        """Whether another comparison was asked for meanwhile."""
        while connection.poll(seconds):
            kept.append(connection.recv())
            seconds = 0.0
        return any(isinstance(asked, Setup) for _, asked, _ in kept)

    while True:
        try:
            number, request, near = kept.popleft() if kept else connection.recv()
        except (EOFError, OSError):
            return

        def report(fraction: float, number: int = number) -> None:
            connection.send((number, "progress", fraction))

        def first(part: Any, number: int = number) -> None:
            connection.send((number, "first", part))

        try:
            if isinstance(request, ExportRequest):  # when stopped: unwind, so that the staging folder is removed
                signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
            if isinstance(request, Setup) and near is not None:
                seen = glimpse(request, near)
                if seen is not None:
                    connection.send((number, "glimpse", seen))
                    if outdated(PAINT_SECONDS):
                        connection.send((number, "dropped", None))
                        continue
            connection.send((number, "done", answer(request, report, cancel.is_set, first)))
        except SystemExit:
            os._exit(1)  # at once: the window waits
        except InputError as error:
            connection.send((number, "failed", str(error)))
        except (BrokenPipeError, EOFError):
            return
        except Exception as error:  # shown in the window; the process goes on
            connection.send((number, "failed", f"{type(error).__name__}: {error}"))
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


class _Child:
    """One child process and the thread that listens to it."""

    def __init__(
        self,
        post: Callable[[Callable[[], None]], None],
        name: str,
        sweep: Callable[[], None] = lambda: None,
    ) -> None:
        self._sweep = sweep
        context = multiprocessing.get_context("spawn")
        self._post = post
        self._mine, theirs = context.Pipe()
        self._cancel = context.Event()
        self._process = context.Process(target=_serve, args=(theirs, self._cancel), daemon=True, name=name)
        self._process.start()
        theirs.close()
        self._waiting: dict[int, Callbacks] = {}
        self._count = 0
        self._closed = False
        self._hung_up = False  # a killed process closes its pipe a moment before it counts as dead
        self._lock = threading.Lock()
        self._burial = threading.Lock()
        threading.Thread(target=self._listen, daemon=True, name=f"{name} listener").start()

    @property
    def alive(self) -> bool:
        return self._process.is_alive() and not self._closed and not self._hung_up

    @property
    def running(self) -> bool:
        """Whether there is a process still, stopped or not."""
        return self._process.is_alive()

    def send(self, request: Request, callbacks: Callbacks) -> None:
        with self._lock:
            self._count += 1
            self._waiting[self._count] = callbacks
            try:
                self._mine.send((self._count, request, callbacks.near))
            except OSError:  # it died this moment
                if self._waiting.pop(self._count, None) is not None:
                    self._post(lambda: callbacks.failed(ENDED))

    def cancel(self) -> None:
        self._cancel.set()

    def stop(self) -> None:
        """As `close`, without waiting until it is dead: the window could not answer meanwhile."""
        self._hang_up()
        threading.Thread(target=self._bury, daemon=True, name="isotwin waits for a stopped process").start()

    def close(self) -> None:
        """Hear nothing more of it; it is dead when this returns."""
        self._hang_up()
        self._bury()

    def _hang_up(self) -> None:
        with self._lock:
            self._closed = True
            self._waiting.clear()
        self._cancel.set()
        self._process.terminate()

    def _bury(self) -> None:
        with self._burial:
            self._process.join(1.0)
            if self._process.is_alive():
                self._process.kill()
                self._process.join(1.0)
            self._sweep()

    def _listen(self) -> None:
        while True:
            try:
                number, kind, value = self._mine.recv()
            except (EOFError, OSError):
                break
            with self._lock:
                callbacks = self._waiting.get(number)
                if kind in ("done", "failed", "dropped"):
                    self._waiting.pop(number, None)
            if callbacks is not None and kind != "dropped":
                target = getattr(callbacks, kind)
                self._post(lambda target=target, value=value: target(value))  # type: ignore[misc]
        with self._lock:
            self._hung_up = True
            left = [] if self._closed else list(self._waiting.values())
            self._waiting.clear()
        for callbacks in left:
            self._post(lambda c=callbacks: c.failed(ENDED))  # type: ignore[misc]


def _sweeper(folder: Path) -> Callable[[], None]:
    """What removes the traces of an export into `folder` once its process is dead (killed, it cannot do so)."""
    existed = folder.exists()
    earlier = set(folder.glob(".export-*"))

    def sweep() -> None:
        for staging in set(folder.glob(".export-*")) - earlier:
            shutil.rmtree(staging, ignore_errors=True)
        if not existed:
            with suppress(OSError):  # not there, or not empty: then it holds finished files
                folder.rmdir()

    return sweep


class _ExportJob:
    """An export in a process of its own: cancelling it cannot disturb the forecasts."""

    def __init__(self, child: _Child) -> None:
        self._child = child

    def cancel(self) -> None:
        """See Job. It may end by itself first, and take its staging folder away."""
        self._child.cancel()
        timer = threading.Timer(CANCEL_PATIENCE, self._child.close)
        timer.daemon = True
        timer.start()


class _TaskJob:
    """A task in a process of its own; it leaves nothing behind, so it is stopped at once."""

    def __init__(self, child: _Child) -> None:
        self._child = child

    def cancel(self) -> None:
        """See Job."""
        self._child.stop()


class _ForecastJob:
    """A comparison; cancelling it ends its process, and the next one starts at once to be ready."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel

    def cancel(self) -> None:
        """See Job."""
        self._cancel()


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
    """Forecasts in one long-lived child, exports and tasks in a fresh one each, trainings as commands.

    Parameters
    ----------
    post : callable
        Runs a function in the window's thread.
    at_once : bool
        Let the child load PyTorch now; else with the first request.
    """

    def __init__(self, post: Callable[[Callable[[], None]], None], at_once: bool = True) -> None:
        self._post = post
        self._forecasts = _Child(post, "isotwin forecasts") if at_once else None
        self._exports: list[_Child] = []
        self._stopped: list[_Child] = []
        self._trainings: list[_Watcher] = []

    def submit(self, request: Request, callbacks: Callbacks) -> Job:
        """See Runner."""
        if isinstance(request, TrainTask):
            watcher = _Watcher(request, callbacks, self._post)
            self._trainings = [w for w in self._trainings if w.alive] + [watcher]
            return watcher
        if isinstance(request, ExportRequest | Task):
            if isinstance(request, ExportRequest):
                child = _Child(self._post, "isotwin export", _sweeper(Path(request.folder)))
            else:
                child = _Child(self._post, "isotwin measurement")
            self._exports = [c for c in self._exports if c.running] + [child]

            def ended(then: Callable[[Any], None]) -> Callable[[Any], None]:
                def run(value: Any) -> None:
                    child.stop()
                    then(value)

                return run

            done, failed = ended(callbacks.done), ended(callbacks.failed)
            child.send(request, Callbacks(done, failed, callbacks.progress, callbacks.first))
            return _ExportJob(child) if isinstance(request, ExportRequest) else _TaskJob(child)
        if self._forecasts is None or not self._forecasts.alive:
            self._forecasts = _Child(self._post, "isotwin forecasts")
        child = self._forecasts
        child.send(request, callbacks)

        def restart() -> None:
            if self._forecasts is child:
                child.stop()
                self._stopped = [c for c in self._stopped if c.running] + [child]
                self._forecasts = _Child(self._post, "isotwin forecasts")

        return _ForecastJob(restart)

    def close(self) -> None:
        """See Runner."""
        for child in (self._forecasts, *self._exports, *self._stopped):
            if child is not None:
                child.close()
        for training in self._trainings:
            training.close()


__all__ = ["Callbacks", "InlineRunner", "Job", "Prepared", "ProcessRunner", "Runner"]
