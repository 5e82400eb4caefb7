"""The closed form of the forecast model's pair law: looked for on request, one search at a time."""

from dataclasses import replace
from typing import Any

from app.viewmodel.intents.jobs import JobIntents
from app.viewmodel.intents.latest import LatestJob
from app.viewmodel.state.formula import FormulaReport, FormulaSearch
from app.viewmodel.store import Store
from app.viewmodel.worker.runner import Callbacks, Runner
from app.viewmodel.worker.tasks.formula import FormulaTask

NO_DATA = "open the data that the model has learned from: a formula is fitted to them"


class FormulaIntents:
    """Look for it, and stop."""

    def __init__(self, store: Store, runner: Runner, jobs: JobIntents) -> None:
        self._store = store
        self._job = LatestJob(runner, jobs, "Formula", self.cancel)

    def find(self) -> None:
        """Fit candidates to the data set that is open, starting from what the forecast model has learned."""
        result = self._store.state.result
        if result is None or not result.n_samples:
            self._store.say(NO_DATA)
            return
        if self._job.running:
            return
        self._store.publish(formula=FormulaSearch("running", result.setup), message=None)
        callbacks = Callbacks(self._done, self._failed, self._progress, self._doing)
        self._job.start(FormulaTask(result.setup), callbacks)

    def cancel(self) -> None:
        """Stop the search."""
        if self._job.cancel():
            self._store.publish(formula=FormulaSearch())

    def _change(self, **changes: Any) -> None:
        self._store.publish(formula=replace(self._store.state.formula, **changes))

    def _progress(self, fraction: float) -> None:
        self._change(progress=min(max(fraction, 0.0), 1.0))

    def _doing(self, text: str) -> None:
        self._change(doing=text)

    def _done(self, report: FormulaReport | None) -> None:
        self._change(status="done" if report else "idle", report=report, progress=1.0)

    def _failed(self, reason: str) -> None:
        self._change(status="failed", reason=reason)
        self._store.say(reason, "error")
