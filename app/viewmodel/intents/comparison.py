"""What is compared: one request at a time, the old picture stays meanwhile, only the newest one waits."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.viewmodel.presenters.picture import fitting
from app.viewmodel.state.setup import Setup, fitting_operations, planes
from app.viewmodel.state.view_state import Message, Selection, ViewState
from app.viewmodel.worker.preview import Glimpse, frames_near
from app.viewmodel.worker.runner import Callbacks, Job
from app.viewmodel.worker.work import Prepared

if TYPE_CHECKING:
    from app.viewmodel.session import Session


class ComparisonIntents:
    """Asks the runner for comparisons and publishes them.

    Attributes
    ----------
    resume_at : float or None
        Frame at which the clock of the next comparison stands, as a session file says.
    when_idle : list of callable
        Called after a comparison, or the end of one, that no other request follows.
    """

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._in_flight: Setup | None = None
        self._waiting = False
        self._glimpsed = False  # then the one in flight need not be waited for
        self._job: Job | None = None
        self._row: int | None = None
        self._number = 0
        self.resume_at: float | None = None
        self.when_idle: list[Callable[[], None]] = []

    def change(self, **changes: Any) -> None:
        """Change the setup (undoable) and make the comparison anew."""
        setup = replace(self._session.state.setup, **changes)
        if setup != self._session.state.setup:
            self._session.remember()
            self.use(setup)

    def use(self, setup: Setup, message: Message | None = None) -> None:
        """Make the comparison of a setup, without a step to undo."""
        if setup.known_dims is not None:  # turns of the picture that is still shown, which has more dimensions
            setup = replace(setup, operations=fitting_operations(setup.operations, setup.known_dims))
        self._session.publish(setup=setup, message=message)
        self.request()

    def request(self) -> None:
        """Make the comparison that the state asks for, now or when the one under way is there."""
        if self._in_flight is not None and not self._glimpsed:
            self._waiting = True
            self._session.publish(busy=True)
            return
        state = self._session.state
        self._in_flight, self._glimpsed = state.setup, False
        self._session.publish(busy=True)
        self._number += 1
        number = self._number
        self._session.jobs.end(self._row)
        self._row, self._job = self._session.jobs.begin("Simulation and forecasts", self.cancel), None

        def unless_outdated(then: Callable[[Any], None]) -> Callable[[Any], None]:
            # once it was cancelled, or a newer request follows a glimpse, no answer to the older one matters
            return lambda value: then(value) if number == self._number else None

        callbacks = Callbacks(
            unless_outdated(self._prepared),
            unless_outdated(self._failed),
            progress=unless_outdated(self._progress),
            first=unless_outdated(self._forecast),
            glimpse=unless_outdated(self._glimpse),
            near=self._near(),
        )
        job = self._session.runner.submit(state.setup, callbacks)
        if number == self._number and self._in_flight is not None:  # else it was answered at once
            self._job = job

    def _near(self) -> tuple[int, int] | None:
        """The frames on the screen, where a new world rotation is all that changes."""
        state = self._session.state
        old = state.prepared
        if old is None or replace(old.setup, operations=state.setup.operations) != state.setup:
            return None
        return None if state.view.show_rollout else frames_near(state.frame, state.view.trail, state.n_frames)

    def _glimpse(self, seen: Glimpse) -> None:
        """Draw what is on the screen already; a request that waits need not wait for the rest."""
        self._glimpsed = True
        self._session.publish(glimpse=seen)
        if self._waiting:
            self._waiting = False
            self.request()

    def cancel(self) -> None:
        """Stop what is being made; the picture that is shown stays, and the controls go back to it."""
        if self._in_flight is None:
            return
        job, self._job = self._job, None
        self._number += 1
        self._over()
        self._waiting = False
        self._back_to_what_is_shown()
        self._session.say("stopped; the last picture stays")
        if job is not None:
            job.cancel()

    def _over(self) -> None:
        self._in_flight, self._job = None, None
        self._session.jobs.end(self._row)
        self._row = None

    def _back_to_what_is_shown(self) -> None:
        self.resume_at = None
        shown = self._session.state.prepared
        if shown is not None:  # keep the controls in step with the picture that stays
            self._session.forget_after(shown.setup)
            self._session.publish(setup=shown.setup, glimpse=None)
        self._session.publish(busy=False, touring=replace(self._session.state.touring, world="", view=""))
        self.settle()  # what is shown may be the first answer of what was stopped

    def settle(self) -> None:
        """Bring clock, plane, view and draft in step with what is shown, where nothing else is on its way."""
        state = self._session.state
        if state.prepared is not None and self._in_flight is None:
            self._session.publish(**_within(state, state.prepared))
            for call in self.when_idle:
                call()

    def _progress(self, share: float) -> None:
        if self._row is not None:
            self._session.jobs.progress(self._row, share)

    def _forecast(self, prepared: Prepared) -> None:
        """Draw the forecasts at once; the read-outs follow. A roll-out that is shown would be missing: wait."""
        if not self._session.state.view.show_rollout:
            self._take(prepared, busy=True)

    def _prepared(self, prepared: Prepared) -> None:
        self._over()
        more = self._waiting
        self._waiting = False
        self._take(prepared, busy=more)
        if more:
            self.request()
        else:
            for call in self.when_idle:
                call()

    def _take(self, prepared: Prepared, busy: bool) -> None:
        state = self._session.state
        old = state.prepared
        playback, selection, camera = state.playback, state.selection, state.camera
        moved = state.moving is not None and old is not None and _as_many(old, prepared)
        if not moved and (old is None or _different_film(old.setup, prepared.setup)):
            selection = Selection()
            if self.resume_at is None:
                playback = replace(playback, position=0.0, backwards=False, mark_in=None, mark_out=None)
                camera = None
        if self.resume_at is not None:
            playback, self.resume_at = replace(playback, position=self.resume_at), None
        self._session.publish(
            prepared=prepared,
            selection=selection,
            camera=camera,
            busy=busy,
            glimpse=None,
            **_within(replace(state, playback=playback), prepared),
        )
        for note in ("left_out", "clamp_note"):
            text = getattr(prepared, note)
            if text and (old is None or getattr(old, note) != text):
                self._session.say(text)

    def _failed(self, reason: str) -> None:
        self._over()
        if self._waiting:
            self.resume_at = None
            self._waiting = False
            self.request()
            return
        self._back_to_what_is_shown()
        self._session.say(reason, "error")


def _within(state: ViewState, shown: Prepared) -> dict[str, Any]:
    """Clock, plane and view as far as they exist in a comparison; a session file or another n may ask for more."""
    truth = shown.comparison.truth
    known = planes(truth.n_dims) or [(0, 0)]
    return {
        "playback": replace(state.playback, position=min(state.playback.position, float(truth.n_frames - 1))),
        "plane": state.plane if state.plane in known else known[0],
        "view": fitting(state.view, shown.comparison),
    }


def _as_many(a: Prepared, b: Prepared) -> bool:
    """Whether it is still the same particles, moved in the view: then the clock and the selection stay."""
    return a.comparison.truth.positions.shape[1:] == b.comparison.truth.positions.shape[1:]


def _different_film(a: Setup, b: Setup) -> bool:
    """Whether the clock starts anew: another system, not another rotation or model."""
    keys = ("scenario", "data", "split", "index", "dims", "particles", "seed", "clamped", "own", "in_full")
    return any(getattr(a, key) != getattr(b, key) for key in keys)
