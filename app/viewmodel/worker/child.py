"""A child process that does the long work, and the side of it that the window's process holds."""

import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from app.viewmodel.state.results import ForecastPart
from app.viewmodel.state.setup import Setup
from app.viewmodel.worker.export import ExportRequest
from app.viewmodel.worker.preview import preview
from app.viewmodel.worker.runner import Callbacks, Request, answer
from physics.errors import InputError

TERMINATED_PATIENCE = 0.7
"""Seconds a terminated process may take before it is killed."""
PAINT_SECONDS = 0.06
"""After a preview the child waits so long for a newer request: meanwhile the window paints, undisturbed."""

FORECASTS, FILES = "surrogate.comparison.forecasts", "surrogate.comparison.ground_truth"
"""Modules a child loads before it is asked: PyTorch, or what reads data."""

ENDED = "the working process ended unexpectedly; try again"


class SupersededError(Exception):
    """A newer comparison was asked for: nobody waits for the rest of this one."""


def serve(connection: Connection, cancel: Any, modules: tuple[str, ...]) -> None:
    """The child process: answer requests until the pipe closes; `modules` are loaded before the first one."""
    # Half the cores, set before PyTorch loads: its threads wait for each other by spinning, and beside the
    # drawing window on a small machine a forecast of 0.2 s then takes seconds now and then.
    os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in modules:  # PyTorch, while the window is still being made
        importlib.import_module(name)
    server = _Server(connection, cancel)
    while True:
        try:
            server.answer_next()
        except (BrokenPipeError, EOFError, OSError):
            return
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


class _Server:
    """The requests of one connection, answered one after the other."""

    def __init__(self, connection: Connection, cancel: Any) -> None:
        self._connection, self._cancel = connection, cancel
        self._kept: deque[tuple[int, Request, tuple[int, int] | None, int]] = deque()

    def _drop_if_outdated(self, seconds: float = 0.0) -> None:
        """Raise SupersededError if another comparison was asked for meanwhile."""
        while self._connection.poll(seconds):
            self._kept.append(self._connection.recv())
            seconds = 0.0
        if any(isinstance(asked, Setup) for _, asked, *_ in self._kept):
            raise SupersededError

    def answer_next(self) -> None:
        """The answer to the next request; what goes wrong is one, too, and the process goes on."""
        number, request, near, frame = self._kept.popleft() if self._kept else self._connection.recv()
        try:
            kind, value = "done", self._answer(number, request, near, frame)
        except SystemExit:
            os._exit(1)  # at once: the window waits
        except SupersededError:
            kind, value = "dropped", None
        except InputError as error:
            kind, value = "failed", str(error)
        except (BrokenPipeError, EOFError):
            raise
        except Exception as error:  # shown in the window
            kind, value = "failed", f"{type(error).__name__}: {error}"
        self._connection.send((number, kind, value))

    def _answer(self, number: int, request: Request, near: tuple[int, int] | None, frame: int) -> Any:
        def report(fraction: float) -> None:
            self._connection.send((number, "progress", fraction))
            if isinstance(request, Setup) and request.data:
                self._drop_if_outdated()

        def first(part: Any) -> None:
            self._connection.send((number, "first", part))
            if isinstance(part, ForecastPart):
                self._drop_if_outdated()

        if isinstance(request, ExportRequest):  # when stopped: unwind, so that the staging folder is removed
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        if isinstance(request, Setup):
            self._drop_if_outdated()
            seen = preview(request, near) if near is not None else None
            if seen is not None:
                self._connection.send((number, "preview", seen))
                self._drop_if_outdated(PAINT_SECONDS)
        return answer(request, report, self._cancel.is_set, first, frame)


class Child:
    """One child process and the thread that listens to it."""

    def __init__(
        self,
        post: Callable[[Callable[[], None]], None],
        name: str,
        sweep: Callable[[], None] = lambda: None,
        modules: tuple[str, ...] = (FORECASTS,),
    ) -> None:
        self._sweep = sweep
        context = multiprocessing.get_context("spawn")
        self._post = post
        self._mine, theirs = context.Pipe()
        self._cancel = context.Event()
        self._process = context.Process(target=serve, args=(theirs, self._cancel, modules), daemon=True, name=name)
        self._process.start()
        theirs.close()
        self._waiting: dict[int, Callbacks] = {}
        self._count = 0
        self._closed = False
        self._disconnected = False  # a killed process closes its pipe a moment before it counts as ended
        self._lock = threading.Lock()
        self._ending = threading.Lock()
        threading.Thread(target=self._listen, daemon=True, name=f"{name} listener").start()

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.is_alive() and not self._closed and not self._disconnected

    @property
    def running(self) -> bool:
        """Whether there is a process still, stopped or not."""
        return self._process.is_alive()

    def send(self, request: Request, callbacks: Callbacks) -> None:
        """Ask it; the answers are posted."""
        with self._lock:
            self._count += 1
            self._waiting[self._count] = callbacks
            try:
                self._mine.send((self._count, request, callbacks.near, callbacks.frame))
            except OSError:  # it ended this moment
                if self._waiting.pop(self._count, None) is not None:
                    self._post(lambda: callbacks.failed(ENDED))

    def cancel(self) -> None:
        """Tell what is under way to end by itself."""
        self._cancel.set()

    def stop(self) -> None:
        """As `close`, without waiting until it has ended: the window could not answer meanwhile."""
        self._disconnect()
        threading.Thread(
            target=self._wait_for_end, daemon=True, name="isotwin waits for a stopped process"
        ).start()

    def close(self) -> None:
        """Take no more answers of it; it has ended when this returns."""
        self._disconnect()
        self._wait_for_end()

    def _disconnect(self) -> None:
        with self._lock:
            self._closed = True
            self._waiting.clear()
        self._cancel.set()
        self._process.terminate()

    def _wait_for_end(self) -> None:
        with self._ending:
            self._process.join(TERMINATED_PATIENCE)
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
            self._disconnected = True
            left = [] if self._closed else list(self._waiting.values())
            self._waiting.clear()
        for callbacks in left:
            self._post(lambda c=callbacks: c.failed(ENDED))  # type: ignore[misc]
