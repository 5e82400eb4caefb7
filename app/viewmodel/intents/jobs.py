"""What works in the background: one list, whoever started it."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from app.viewmodel.state.view_state import RunningJob

if TYPE_CHECKING:
    from app.viewmodel.session import Session


class JobIntents:
    """Areas add their work with `begin`, tell how far it is with `progress`, and take it off with `end`.

    What `cancel` calls must end the job's row itself: it knows when the work has stopped.
    """

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._cancels: dict[int, Callable[[], None]] = {}
        self._count = 0

    def begin(self, title: str, cancel: Callable[[], None], progress: float | None = None) -> int:
        """Add a job; its number. `progress` is None where nobody can tell how far it is."""
        self._count += 1
        self._cancels[self._count] = cancel
        job = RunningJob(self._count, title, progress)
        self._session.publish(jobs=(*self._session.state.jobs, job))
        return self._count

    def progress(self, number: int, fraction: float, title: str | None = None) -> None:
        """How far a job is, 0 to 1, and what it does now; nothing for one that has ended."""
        within = min(max(fraction, 0.0), 1.0)
        self._session.publish(
            jobs=tuple(
                replace(job, progress=within, title=job.title if title is None else title)
                if job.number == number
                else job
                for job in self._session.state.jobs
            )
        )

    def end(self, number: int | None) -> None:
        """Take a job off the list; nothing for None or one that has ended."""
        if number in self._cancels:
            del self._cancels[number]
            self._session.publish(jobs=tuple(j for j in self._session.state.jobs if j.number != number))

    def cancel(self, number: int) -> None:
        """Stop a job."""
        cancel = self._cancels.get(number)
        if cancel is not None:
            cancel()

    def cancel_all(self) -> None:
        """Stop all that works."""
        for number in list(self._cancels):
            self.cancel(number)
