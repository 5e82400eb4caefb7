"""Export of what is shown, in a process of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.viewmodel.intents.jobs import JobIntents
from app.viewmodel.state.view_state import Message
from app.viewmodel.store import Store
from app.viewmodel.worker.export import ExportRequest
from app.viewmodel.worker.runner import Callbacks, Job, Runner


class ExportIntents:
    """One export at a time."""

    def __init__(self, store: Store, runner: Runner, jobs: JobIntents) -> None:
        self._store, self._runner, self._jobs = store, runner, jobs
        self._job: Job | None = None
        self._number = 0
        self._row: int | None = None

    def start(self, folder: str, formats: tuple[str, ...]) -> None:
        """Write the comparison that is shown to a folder."""
        store = self._store
        if self._job is not None or store.state.result is None:
            return
        request = ExportRequest(store.state.result.setup, folder, formats)
        store.publish(export_progress=0.0, message=None)
        self._row = self._jobs.begin(f"Export to {Path(folder).name}", self.cancel, 0.0)
        self._number += 1
        number = self._number

        def unless_outdated(then: Callable[[Any], None]) -> Callable[[Any], None]:
            # a cancelled export reports its end late, when the next one may run already
            return lambda value: then(value) if number == self._number else None

        callbacks = Callbacks(
            unless_outdated(self._exported), unless_outdated(self._failed), unless_outdated(self._progress)
        )
        job = self._runner.submit(request, callbacks)
        if store.state.export_progress is not None:
            self._job = job

    def cancel(self) -> None:
        """Stop the export; nothing is left under a final name."""
        if self._job is not None:
            job, self._job = self._job, None
            self._number += 1
            self._off_the_list()
            self._store.publish(export_progress=None, message=Message("export cancelled"))
            job.cancel()

    def _progress(self, fraction: float) -> None:
        self._store.publish(export_progress=min(max(fraction, 0.0), 1.0))
        if self._row is not None:
            self._jobs.progress(self._row, fraction)

    def _exported(self, paths: list[str]) -> None:
        self._job = None
        self._off_the_list()
        folder = Path(paths[0]).parent if paths else ""
        self._store.publish(export_progress=None, message=Message(f"exported {len(paths)} files to {folder}"))

    def _failed(self, reason: str) -> None:
        self._job = None
        self._off_the_list()
        self._store.publish(export_progress=None)
        self._store.say(reason, "error")

    def _off_the_list(self) -> None:
        self._jobs.end(self._row)
        self._row = None
