"""What works in the background: one list, whoever started it."""

from collections.abc import Callable
from dataclasses import replace

from app.viewmodel.state.view_state import RunningJob
from app.viewmodel.store import Store


class JobIntents:
    """Areas add their work with `begin`, say how far it is with `progress`, and take it off with `end`.

    Who publishes more than its row uses `add` and `remove` and publishes the list with the rest, in one go. What
    `cancel` calls must end the job's row itself: it knows when the work has stopped.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows: dict[int, RunningJob] = {}
        self._cancels: dict[int, Callable[[], None]] = {}
        self._count = 0

    @property
    def rows(self) -> tuple[RunningJob, ...]:
        """The list, the oldest first: what the field `jobs` of the state has to be."""
        return tuple(self._rows.values())

    def add(self, title: str, cancel: Callable[[], None], progress: float | None = None) -> int:
        """Put a job on the list; its number. `progress` is None where that is not known."""
        self._count += 1
        self._cancels[self._count] = cancel
        self._rows[self._count] = RunningJob(self._count, title, progress)
        return self._count

    def remove(self, number: int | None) -> bool:
        """Take a job off the list; whether it was there."""
        if number not in self._rows:
            return False
        del self._rows[number], self._cancels[number]
        return True

    def begin(self, title: str, cancel: Callable[[], None], progress: float | None = None) -> int:
        """Add a job and publish it; its number."""
        number = self.add(title, cancel, progress)
        self._store.publish(jobs=self.rows)
        return number

    def progress(self, number: int, fraction: float, title: str | None = None) -> None:
        """How far a job is, 0 to 1, and what it does now; nothing for one that has ended."""
        row = self._rows.get(number)
        if row is not None:
            within = min(max(fraction, 0.0), 1.0)
            self._rows[number] = replace(row, progress=within, title=row.title if title is None else title)
            self._store.publish(jobs=self.rows)

    def end(self, number: int | None) -> None:
        """Take a job off the list and publish that; nothing for None or one that has ended."""
        if self.remove(number):
            self._store.publish(jobs=self.rows)

    def cancel(self, number: int) -> None:
        """Stop a job."""
        cancel = self._cancels.get(number)
        if cancel is not None:
            cancel()

    def cancel_all(self) -> None:
        """Stop all that works."""
        for number in list(self._cancels):
            self.cancel(number)
