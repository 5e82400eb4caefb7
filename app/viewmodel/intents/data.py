"""Browsing a data set: by index, by split, worst first."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.viewmodel.intents.latest import LatestJob
from app.viewmodel.state.view_state import Browser, same_data
from app.viewmodel.worker.runner import Callbacks
from app.viewmodel.worker.tasks.sample_errors import SampleError, SampleErrorsTask

if TYPE_CHECKING:
    from app.viewmodel.session import Session


class DataIntents:
    """Next, previous, split, and the order."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._job = LatestJob(session, "Errors of the samples", self.unsort)

    def choose_split(self, name: str) -> None:
        """Another split, from its first sample."""
        setup, prepared = self._session.state.setup, self._session.state.prepared
        if setup.data and prepared is not None and name in prepared.splits:
            self._session.comparison.change(split=name, index=0)

    def step(self, by: int) -> None:
        """The next sample or the one before, in the order that is shown; it goes round."""
        state = self._session.state
        prepared, setup = state.prepared, state.setup
        if prepared is None or not prepared.n_samples:
            self._session.say("open a data set to browse it")
            return
        order = [index for index, _ in state.browser.errors] if same_data(state.browser.setup, setup) else []
        if setup.index in order:
            self._session.system.choose_sample(order[(order.index(setup.index) + by) % len(order)])
        elif order:
            self._session.system.choose_sample(order[0])
        else:
            self._session.system.choose_sample((setup.index + by) % prepared.n_samples)

    def sort(self) -> None:
        """Measure the samples with the forecast model, and order them by their error, the worst first."""
        session, prepared = self._session, self._session.state.prepared
        if prepared is None or not prepared.n_samples:
            session.say("open a data set to sort it")
            return
        if self._job.running:
            return
        session.publish(browser=Browser((), prepared.setup, 0.0), message=None)
        callbacks = Callbacks(self._done, self._failed, self._progress, self._part)
        self._job.start(SampleErrorsTask(prepared.setup), callbacks)

    def unsort(self) -> None:
        """The order of the file again; stops measuring."""
        self._job.cancel()
        self._session.publish(browser=Browser())

    def _change(self, **changes: Any) -> None:
        self._session.publish(browser=replace(self._session.state.browser, **changes))

    def _progress(self, fraction: float) -> None:
        self._change(progress=min(max(fraction, 0.0), 1.0))

    def _part(self, errors: tuple[SampleError, ...]) -> None:
        self._change(errors=errors)

    def _done(self, errors: tuple[SampleError, ...]) -> None:
        self._change(errors=errors, progress=None)

    def _failed(self, reason: str) -> None:
        self._session.publish(browser=Browser())
        self._session.say(reason, "error")
