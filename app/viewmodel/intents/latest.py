"""A job of which there is at most one; what an ended or cancelled one still reports is dropped."""

from collections.abc import Callable
from typing import Any

from app.viewmodel.intents.jobs import JobIntents
from app.viewmodel.worker.runner import Callbacks, Job, Request, Runner


class LatestJob:
    """Starts a job unless one runs; cancels it. It stands in the list of background work.

    Parameters
    ----------
    runner : Runner
    jobs : JobIntents
    title : str
        In that list.
    stop : callable
        What its cancel button does there.
    """

    def __init__(self, runner: Runner, jobs: JobIntents, title: str, stop: Callable[[], None]) -> None:
        self._runner, self._jobs, self._title, self._stop = runner, jobs, title, stop
        self._row: int | None = None
        self._job: Job | None = None
        self._running = False
        self._number = 0

    @property
    def running(self) -> bool:
        """Whether there is one."""
        return self._running

    def start(
        self, request: Request, callbacks: Callbacks, title: str = "", progress_now: float | None = None
    ) -> None:
        """Hand a request to the runner; ignored while one runs. It may have a title and a progress of its own."""
        if self._running:
            return
        self._running = True
        self._number += 1
        number = self._number
        row = self._row = self._jobs.begin(title or self._title, self._stop, progress_now)

        def progress(fraction: float) -> None:
            self._jobs.progress(row, fraction)
            callbacks.progress(fraction)

        def current(then: Callable[[Any], None], last: bool = False) -> Callable[[Any], None]:
            def run(value: Any) -> None:
                if number == self._number and self._running:
                    self._running = not last
                    if last:
                        self._jobs.end(row)
                    then(value)

            return run

        self._job = self._runner.submit(
            request,
            Callbacks(
                current(callbacks.done, True),
                current(callbacks.failed, True),
                current(progress),
                current(callbacks.first),
            ),
        )

    def ask_to_stop(self) -> None:
        """Cancel it, but hear how it ends."""
        if self._job is not None:
            self._job.cancel()

    def cancel(self) -> bool:
        """Stop it; whether there was one."""
        if not self._running or self._job is None:
            return False
        self._running = False
        self._jobs.end(self._row)
        self._job.cancel()
        return True
