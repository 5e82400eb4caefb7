"""What is compared: one request at a time, the old picture stays meanwhile, only the newest one waits."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeGuard

from app.viewmodel.intents.jobs import JobIntents
from app.viewmodel.state.detail import MOST_IN_FULL, MOST_MEASURED
from app.viewmodel.state.results import ComparisonResult, ForecastPart, Preview, with_parts
from app.viewmodel.state.sample_result import SampleResult
from app.viewmodel.state.setup import Setup, fitting_operations, planes
from app.viewmodel.state.view import fitting, fitting_dims
from app.viewmodel.state.view_state import Message, Selection, ViewState
from app.viewmodel.store import Store
from app.viewmodel.worker.preview import frames_near
from app.viewmodel.worker.runner import Callbacks, Job, Runner

PAUSE = 0.5
"""Before many particles are forecast anew: turning a world asks for one comparison after the other [second]."""

QUICK = 0.5
"""Where forecasts took no longer, what is measured on them follows at once [second]."""


class ComparisonIntents:
    """Asks the runner for comparisons; each request and each answer is published once.

    Attributes
    ----------
    resume_at : float or None
        Frame at which the clock of the next comparison stands, as a session file says.
    when_idle : list of callable
        Called after a comparison, or the end of one, that no other request follows.
    """

    def __init__(self, store: Store, runner: Runner, jobs: JobIntents) -> None:
        self._store, self._runner, self._jobs = store, runner, jobs
        self._in_flight: Setup | None = None
        self._waiting = False
        self._previewed = False  # then the one in flight need not be waited for
        self._early: list[ForecastPart] = []  # of the one in flight, whose truth is not here yet
        self._job: Job | None = None
        self._row: int | None = None
        self._number = 0
        self.resume_at: float | None = None
        self.when_idle: list[Callable[[], None]] = []

    @property
    def idle(self) -> bool:
        """Whether nothing is being made."""
        return self._in_flight is None

    def change(self, **changes: Any) -> None:
        """Change the setup (undoable) and make the comparison anew."""
        setup = replace(self._store.state.setup, **changes)
        if setup != self._store.state.setup:
            self._store.remember()
            self.use(setup)

    def use(self, setup: Setup, message: Message | None = None, **shown: Any) -> None:
        """Make the comparison of a setup, without a step to undo; `shown` are other fields that change with it."""
        if setup.known_dims is not None:  # turns of the picture that is still shown, which has more dimensions
            setup = replace(setup, operations=fitting_operations(setup.operations, setup.known_dims))
        self.request(setup=setup, message=message, **shown)

    def request(self, **changes: Any) -> None:
        """Make the comparison that the state asks for, now or when the one under way is there.

        `changes` of the state are published with it.
        """
        if self._in_flight is not None and not self._previewed and not self._shown_at_once(changes):
            self._waiting = True
            self._store.publish(**{**changes, "busy": True})
            return
        if self._job is not None and self._slow():
            self._job.cancel()
        self._jobs.remove(self._row)
        self._row, self._job = self._jobs.add("Simulation and forecasts", self.cancel), None
        self._number += 1
        number = self._number
        setup = self._in_flight = changes.get("setup", self._store.state.setup)
        self._previewed, self._waiting, self._early = False, False, []
        self._store.publish(**{**changes, "busy": True, "jobs": self._jobs.rows})

        def unless_outdated(then: Callable[[Any], None]) -> Callable[[Any], None]:
            # once it was cancelled, or a newer request follows a preview, no answer to the older one matters
            return lambda value: then(value) if number == self._number else None

        near = self._near()
        callbacks = Callbacks(
            unless_outdated(self._measured),
            unless_outdated(self._failed),
            progress=unless_outdated(self._progress),
            first=unless_outdated(self._forecast),
            preview=unless_outdated(self._preview),
            near=near,
            frame=self._store.state.frame,
            truth=near is None and not self._little_changed(setup),
            pause=PAUSE if self._many(setup) else 0.0,
        )
        job = self._runner.submit(setup, callbacks)
        if number == self._number and self._in_flight is not None:  # else it was answered at once
            self._job = job

    def _near(self) -> tuple[int, int] | None:
        """The frames on the screen, where a new world rotation is all that changes."""
        state = self._store.state
        old = state.result
        if old is None or replace(old.setup, operations=state.setup.operations) != state.setup:
            return None
        if old.n_samples and old.comparison.truth.system.n_particles > MOST_IN_FULL:
            return None  # the truth comes at once, and the forecasts one after the other
        return None if state.view.show_rollout else frames_near(state.frame, state.view.trail, state.n_frames)

    def _little_changed(self, setup: Setup) -> bool:
        """Whether the truth of few particles stays, whose new forecasts will soon take the place of the old."""
        shown = self._store.state.result
        if shown is None or shown.comparison.truth.system.n_particles > MOST_IN_FULL:
            return False
        same = replace(setup, model=shown.setup.model, contrast=shown.setup.contrast)
        return replace(same, effort=shown.setup.effort, contrast_effort=shown.setup.contrast_effort) == shown.setup

    def _many(self, setup: Setup) -> bool:
        """Whether the data that are shown stay and have so many particles that a forecast takes long to stop."""
        shown = self._store.state.result
        if shown is None or shown.setup.data != setup.data or not setup.data:
            return False
        return shown.comparison.truth.system.n_particles > MOST_MEASURED

    def _preview(self, seen: Preview) -> None:
        """Draw what is on the screen already; a request that waits need not wait for the rest."""
        self._previewed = True
        if self._waiting:
            self._waiting = False
            self.request(preview=seen)
        else:
            self._store.publish(preview=seen)

    def _forecast(self, result: ComparisonResult | ForecastPart) -> None:
        """Draw the forecasts at once; the read-outs follow. A roll-out that is shown would be missing: wait.

        Where the preview shows the frame already, the next tick of the clock or the measurements come soon enough.
        """
        state = self._store.state
        if self._in_flight is None:
            return  # the truth alone, after all of it
        if isinstance(result, ForecastPart):
            self._early.append(result)
            if _unfinished(state.result, self._in_flight):
                self._use_early(state.result)
            return
        if not result.has_any_forecast:
            if not _unfinished(state.result, self._in_flight):
                self._previewed = True
                self._store.publish(**self._taken(result, busy=True))
                if self._early:
                    self._use_early(self._store.state.result)
                if self._waiting:
                    self.request()
            return
        if state.view.show_rollout:
            return
        changes = self._taken(result, busy=True)
        soon = state.playback.playing or result.seconds < QUICK
        if state.preview is not None and state.seen is state.preview and soon and "message" not in changes:
            self._store.amend(**changes)
        else:
            self._store.publish(**changes)

    def _use_early(self, shown: ComparisonResult | None) -> None:
        """Draw the forecasts that are here, on the truth that is shown."""
        assert shown is not None
        parts, self._early = self._early, []
        self._store.publish(result=with_parts(shown, parts))

    def _shown_at_once(self, changes: dict[str, Any]) -> bool:
        """Whether what is asked for now is stored data, whose truth need not wait for any forecast."""
        setup, before = changes.get("setup", self._store.state.setup), self._in_flight
        assert before is not None
        same = (setup.data, setup.split, setup.index) == (before.data, before.split, before.index)
        return bool(setup.data) and not same

    def _slow(self) -> bool:
        """Whether a part of the forecasts under way may take long, so that its process cannot be asked to stop."""
        result = self._store.state.result
        return _unfinished(result, self._in_flight) and result.comparison.truth.system.n_particles > MOST_MEASURED

    def _measured(self, result: ComparisonResult | SampleResult) -> None:
        more, self._waiting = self._waiting, False
        self._end()
        changes = self._taken(result, busy=more)
        if more:
            self.request(**changes)
            return
        self._store.publish(jobs=self._jobs.rows, **changes)
        self._idle()

    def _progress(self, share: float) -> None:
        if self._row is not None:
            self._jobs.progress(self._row, share)

    def _failed(self, reason: str) -> None:
        asked, self._number = self._in_flight, self._number + 1
        self._end()
        if self._waiting:
            self.resume_at = None
            self._waiting = False
            self.request()
        elif _unfinished(self._store.state.result, asked):
            self._keep_the_truth(reason, Message(reason, "error"))
        else:
            self._back_to_what_is_shown(Message(reason, "error"))

    def cancel(self) -> None:
        """Stop what is being made; the picture that is shown stays, and the controls go back to it."""
        if self._in_flight is None:
            return
        job, asked = self._job, self._in_flight
        self._number += 1
        self._end()
        self._waiting = False
        if _unfinished(self._store.state.result, asked):
            self._keep_the_truth("stopped", Message("stopped; the forecasts that are made stay"))
        else:
            self._back_to_what_is_shown(Message("stopped; the last picture stays"))
        if job is not None:
            job.cancel()

    def _end(self) -> None:
        """The one in flight is over; its row goes from the list with what is published next."""
        self._in_flight, self._job = None, None
        self._jobs.remove(self._row)
        self._row = None

    def _keep_the_truth(self, reason: str, message: Message) -> None:
        """No more forecasts come for the stored data that are shown."""
        result = self._store.state.result
        assert result is not None
        self._store.publish(result=result.ended(reason))
        self._back_to_what_is_shown(message)

    def _back_to_what_is_shown(self, message: Message) -> None:
        """Bring the controls in step with the picture that stays, which may be the first answer of what failed."""
        self.resume_at = None
        state = self._store.state
        changes: dict[str, Any] = {}
        if state.shown is not None:
            self._store.forget_after(state.shown.setup)
            changes = {"setup": state.shown.setup, "preview": None, **_within(state, state.shown)}
        touring = replace(state.touring, world="", view="")
        self._store.publish(busy=False, jobs=self._jobs.rows, touring=touring, message=message, **changes)
        if state.shown is not None:
            self._idle()

    def settle(self) -> None:
        """Bring clock, plane, view and draft in step with what is shown, where nothing else is on its way."""
        state = self._store.state
        if state.shown is not None and self._in_flight is None:
            self._store.publish(**_within(state, state.shown))
            self._idle()

    def _idle(self) -> None:
        for call in self.when_idle:
            call()

    def _taken(self, result: ComparisonResult | SampleResult, busy: bool) -> dict[str, Any]:
        """What changes in the state where a result takes the place of the one that is shown."""
        state = self._store.state
        if isinstance(result, SampleResult):
            return _sample_taken(state, result, busy)
        old = state.result
        playback, selection, camera = state.playback, state.selection, state.camera
        moved = state.moving is not None and old is not None and _as_many(old, result)
        if not moved and (old is None or _other_motion(old.setup, result.setup)):
            selection = Selection()
            if self.resume_at is None:
                playback = replace(playback, position=0.0, backwards=False, mark_in=None, mark_out=None)
                camera = None
        if self.resume_at is not None:
            playback, self.resume_at = replace(playback, position=self.resume_at), None
        changes = {"result": result, "selection": selection, "camera": camera, "busy": busy, "preview": None}
        changes["sample"] = None
        told = _notes(old) if old is not None and old.setup.data == result.setup.data else ()
        new = [text for text in _notes(result) if text and text not in told]
        if new:
            named = f"{Path(result.setup.data).name}: " if result.setup.data else ""
            changes["message"] = Message(named + "; ".join(new))
        return changes | _within(replace(state, playback=playback), result)


def _sample_taken(state: ViewState, result: SampleResult, busy: bool) -> dict[str, Any]:
    """As `_taken`: a sample has no time, no particles to select, nothing to draw or edit."""
    same = state.sample is not None and state.sample.n_dims == result.n_dims
    ended = {"draft": None, "moving": None, "sketch": None, "selection": Selection(), "preview": None}
    ended |= {} if same else {"camera": None}
    return {"sample": result, "result": None, "busy": busy, **ended, **_within(state, result)}


def _within(state: ViewState, shown: ComparisonResult | SampleResult) -> dict[str, Any]:
    """Clock, plane and view as far as they exist in what is shown; a file or another n may ask for more."""
    known = planes(shown.n_dims) or [(0, 0)]
    found: dict[str, Any] = {"plane": state.plane if state.plane in known else known[0]}
    if isinstance(shown, SampleResult):
        playback = replace(state.playback, playing=False, position=0.0)
        return {**found, "playback": playback, "view": fitting_dims(state.view, shown.n_dims)}
    last = float(shown.comparison.truth.n_frames - 1)
    playback = replace(state.playback, position=min(state.playback.position, last))
    return {**found, "playback": playback, "view": fitting(state.view, shown.comparison)}


def _notes(result: ComparisonResult) -> tuple[str, ...]:
    return (*result.notes, result.clamp_note, result.left_out)


def _unfinished(shown: ComparisonResult | None, asked: Setup | None) -> TypeGuard[ComparisonResult]:
    """Whether the truth of what is asked for is shown, and its forecasts are still coming."""
    return shown is not None and shown.setup == asked and shown.made is not None and not shown.measured


def _as_many(a: ComparisonResult, b: ComparisonResult) -> bool:
    """Whether it is still the same particles, moved in the view: then the clock and the selection stay."""
    return a.comparison.truth.positions.shape[1:] == b.comparison.truth.positions.shape[1:]


def _other_motion(a: Setup, b: Setup) -> bool:
    """Whether the clock starts anew: another system, not another rotation or model."""
    keys = ("scenario", "data", "split", "index", "dims", "particles", "seed", "clamped", "own", "in_full")
    return any(getattr(a, key) != getattr(b, key) for key in keys)
