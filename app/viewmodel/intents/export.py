"""Export of what is shown, in a process of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.viewmodel.state.view_state import Message
from app.viewmodel.worker.runner import Callbacks, Job
from app.viewmodel.worker.work import ExportRequest

if TYPE_CHECKING:
    from app.viewmodel.session import Session


class ExportIntents:
    """One export at a time."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._job: Job | None = None
        self._number = 0
        self._row: int | None = None

    def start(self, folder: str, formats: tuple[str, ...]) -> None:
        """Write the comparison that is shown to a folder."""
        session = self._session
        if self._job is not None or session.state.prepared is None:
            return
        request = ExportRequest(session.state.prepared.setup, folder, formats)
        session.publish(export_progress=0.0, message=None)
        self._row = session.jobs.begin(f"Export to {Path(folder).name}", self.cancel, 0.0)
        self._number += 1
        number = self._number

        def unless_outdated(then: Callable[[Any], None]) -> Callable[[Any], None]:
            # a cancelled export reports its end late, when the next one may run already
            return lambda value: then(value) if number == self._number else None

        callbacks = Callbacks(
            unless_outdated(self._exported), unless_outdated(self._failed), unless_outdated(self._progress)
        )
        job = session.runner.submit(request, callbacks)
        if session.state.export_progress is not None:
            self._job = job

    def cancel(self) -> None:
        """Stop the export; nothing is left under a final name."""
        if self._job is not None:
            job, self._job = self._job, None
            self._number += 1
            self._off_the_list()
            self._session.publish(export_progress=None, message=Message("export cancelled"))
            job.cancel()

    def _progress(self, fraction: float) -> None:
        self._session.publish(export_progress=min(max(fraction, 0.0), 1.0))
        if self._row is not None:
            self._session.jobs.progress(self._row, fraction)

    def _exported(self, paths: list[str]) -> None:
        self._job = None
        self._off_the_list()
        folder = Path(paths[0]).parent if paths else ""
        self._session.publish(export_progress=None, message=Message(f"exported {len(paths)} files to {folder}"))

    def _failed(self, reason: str) -> None:
        self._job = None
        self._off_the_list()
        self._session.publish(export_progress=None)
        self._session.say(reason, "error")

    def _off_the_list(self) -> None:
        self._session.jobs.end(self._row)
        self._row = None
