"""Export of what is shown, in a process of its own."""

from pathlib import Path

from app.viewmodel.intents.jobs import JobIntents
from app.viewmodel.intents.latest import LatestJob
from app.viewmodel.state.view_state import Message
from app.viewmodel.store import Store
from app.viewmodel.worker.export import ExportRequest
from app.viewmodel.worker.runner import Callbacks, Runner


class ExportIntents:
    """One export at a time."""

    def __init__(self, store: Store, runner: Runner, jobs: JobIntents) -> None:
        self._store = store
        self._job = LatestJob(runner, jobs, "Export", self.cancel)

    def start(self, folder: str, formats: tuple[str, ...]) -> None:
        """Write the comparison that is shown to a folder."""
        shown = self._store.state.shown
        if self._job.running or shown is None:
            return
        self._store.publish(export_progress=0.0, message=None)
        callbacks = Callbacks(self._exported, self._failed, self._progress)
        request = ExportRequest(shown.setup, folder, formats)
        self._job.start(request, callbacks, f"Export to {Path(folder).name}", 0.0)

    def cancel(self) -> None:
        """Stop the export; nothing is left under a final name."""
        if self._job.cancel():
            self._end(Message("export cancelled"))

    def _progress(self, fraction: float) -> None:
        self._store.publish(export_progress=min(max(fraction, 0.0), 1.0))

    def _exported(self, paths: list[str]) -> None:
        folder = Path(paths[0]).parent if paths else ""
        self._end(Message(f"exported {len(paths)} files to {folder}"))

    def _failed(self, reason: str) -> None:
        self._end(Message(reason, "error"))

    def _end(self, message: Message) -> None:
        self._store.publish(export_progress=None, message=message)
