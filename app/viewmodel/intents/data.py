"""Browsing a data set: by index, by split, worst first."""

from dataclasses import replace
from typing import Any

from app.viewmodel.intents.comparison import ComparisonIntents
from app.viewmodel.intents.jobs import JobIntents
from app.viewmodel.intents.latest import LatestJob
from app.viewmodel.intents.system import SystemIntents
from app.viewmodel.state.samples import Browser, SampleError, same_data
from app.viewmodel.store import Store
from app.viewmodel.worker.runner import Callbacks, Runner
from app.viewmodel.worker.tasks.sample_errors import SampleErrorsTask


class DataIntents:
    """Next, previous, split, and the order."""

    def __init__(
        self, store: Store, runner: Runner, jobs: JobIntents, comparison: ComparisonIntents, system: SystemIntents
    ) -> None:
        self._store, self._comparison, self._system = store, comparison, system
        self._job = LatestJob(runner, jobs, "Errors of the samples", self.unsort)

    def choose_split(self, name: str) -> None:
        """Another split, from its first sample."""
        setup, result = self._store.state.setup, self._store.state.shown
        if setup.data and result is not None and name in result.splits:
            self._comparison.change(split=name, index=0)

    def step(self, by: int) -> None:
        """The next sample or the one before, in the order that is shown; it goes round."""
        state = self._store.state
        result, setup = state.shown, state.setup
        if result is None or not result.n_samples:
            self._store.say("open a data set to browse it")
            return
        order = [index for index, _ in state.browser.errors] if same_data(state.browser.setup, setup) else []
        if setup.index in order:
            self._system.choose_sample(order[(order.index(setup.index) + by) % len(order)])
        elif order:
            self._system.choose_sample(order[0])
        else:
            self._system.choose_sample((setup.index + by) % result.n_samples)

    def sort(self) -> None:
        """Measure the samples with the forecast model, and order them by their error, the worst first."""
        store, result = self._store, self._store.state.result
        if result is None or not result.n_samples:
            store.say("open a data set to sort it")
            return
        if self._job.running:
            return
        store.publish(browser=Browser((), result.setup, 0.0), message=None)
        callbacks = Callbacks(self._done, self._failed, self._progress, self._part)
        self._job.start(SampleErrorsTask(result.setup), callbacks)

    def unsort(self) -> None:
        """The order of the file again; stops measuring."""
        self._job.cancel()
        self._store.publish(browser=Browser())

    def _change(self, **changes: Any) -> None:
        self._store.publish(browser=replace(self._store.state.browser, **changes))

    def _progress(self, fraction: float) -> None:
        self._change(progress=min(max(fraction, 0.0), 1.0))

    def _part(self, errors: tuple[SampleError, ...]) -> None:
        self._change(errors=errors)

    def _done(self, errors: tuple[SampleError, ...]) -> None:
        self._change(errors=errors, progress=None)

    def _failed(self, reason: str) -> None:
        self._store.publish(browser=Browser())
        self._store.say(reason, "error")
