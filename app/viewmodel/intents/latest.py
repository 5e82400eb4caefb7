"""A job of which there is at most one; what an ended or cancelled one still reports is dropped."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.viewmodel.runner import Callbacks, Job, Request

if TYPE_CHECKING:
    from app.viewmodel.session import Session


class LatestJob:
    """Starts a job unless one runs; cancels it."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._job: Job | None = None
        self._running = False
        self._number = 0

    @property
    def running(self) -> bool:
        """Whether there is one."""
        return self._running

    def start(self, request: Request, callbacks: Callbacks) -> None:
        """Hand a request to the runner; ignored while one runs."""
        if self._running:
            return
        self._running = True
        self._number += 1
        number = self._number

        def current(then: Callable[[Any], None], last: bool = False) -> Callable[[Any], None]:
            def run(value: Any) -> None:
                if number == self._number and self._running:
                    self._running = not last
                    then(value)

            return run

        self._job = self._session.runner.submit(
            request,
            Callbacks(
                current(callbacks.done, True),
                current(callbacks.failed, True),
                current(callbacks.progress),
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
        self._job.cancel()
        return True
