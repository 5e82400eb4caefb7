"""Tours of the world and of the view basis: one of each at most, driven by the window's clock."""

from dataclasses import replace

import numpy as np

from app.viewmodel.intents.comparison import ComparisonIntents
from app.viewmodel.state.setup import Operation, TourTurn, Turn, with_turn
from app.viewmodel.state.tours import Course, Touring, rotation_along
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.store import Store

FULL_EVERY = 1.0
"""While the world tours, forecasts follow each other as soon as they are on the screen; but so often, one is made
whole, so that read-outs and curves come along [second]."""

SPEEDS = (5.0, 180.0)
"""Slowest and fastest tour [degree/second]."""


class TourIntents:
    """Starts and stops tours, and goes on with them at every tick."""

    def __init__(self, store: Store, comparison: ComparisonIntents) -> None:
        self._store, self._comparison = store, comparison
        self._owed = 0.0
        self._since_whole = 0.0
        self._way = 0.0
        self._course: Course | None = None
        self._from: tuple[tuple[float, ...], ...] = ()

    def toggle_world(self, kind: str) -> None:
        """Start a tour of the world (every step is simulated and forecast anew), or stop it; one undo step."""
        store, touring = self._store, self._store.state.touring
        if touring.world == kind or not store.state.planes:
            self.pause()
            return
        self._owed = self._since_whole = 0.0
        store.remember()
        store.publish(touring=replace(touring, world=kind, view=""))

    def toggle_view(self, kind: str) -> None:
        """Start a tour of the view basis (nothing is computed anew), or stop it; one undo step."""
        store, state = self._store, self._store.state
        if state.touring.view == kind or not state.planes:
            self.pause()
            return
        self._way = 0.0
        self._course = _course(state, kind)
        self._from = tuple(map(tuple, state.basis.tolist()))
        store.remember()
        store.publish(touring=replace(state.touring, view=kind, world=""))

    def pause(self) -> None:
        """Stop both."""
        touring = self._store.state.touring
        if touring.world or touring.view:
            self._store.publish(touring=replace(touring, world="", view=""))

    def reverse(self) -> None:
        """The other way round from now on."""
        touring = self._store.state.touring
        self._store.publish(touring=replace(touring, backwards=not touring.backwards))

    def set_speed(self, degrees: float) -> None:
        """Of both tours [degree/second]."""
        speed = min(max(degrees, SPEEDS[0]), SPEEDS[1])
        self._store.publish(touring=replace(self._store.state.touring, speed=speed))

    def tick(self, seconds: float) -> None:
        """Let a tour go on by some wall time."""
        state = self._store.state
        if state.shown is None:
            return
        if not state.planes:  # one dimension by now
            self.pause()
        elif state.touring.view:
            self._go_on_with_view(state, seconds)
        elif state.touring.world:
            self._go_on_with_world(state, seconds)

    def _go_on_with_view(self, state: ViewState, seconds: float) -> None:
        touring = state.touring
        course = _course(state, touring.view)
        if self._course is None or course.n_dims != self._course.n_dims:
            self.pause()
            return
        if course != self._course:  # another plane or hidden axis: on from here
            self._course, self._way, self._from = course, 0.0, tuple(map(tuple, state.basis.tolist()))
        self._way += np.radians(touring.signed_speed) * seconds
        turned = rotation_along(course, abs(self._way))
        basis = (turned if self._way >= 0 else turned.T) @ np.array(self._from)
        rows = tuple(map(tuple, basis.tolist()))
        self._store.publish(view=replace(state.view, basis=rows, axes=None))

    def _go_on_with_world(self, state: ViewState, seconds: float) -> None:
        self._owed += state.touring.signed_speed * seconds
        self._since_whole = self._since_whole + seconds if state.busy else 0.0
        seen = state.preview is not None and state.preview.setup == state.setup
        if state.busy and (not seen or self._since_whole > FULL_EVERY):
            return
        operations = toured(state.setup.operations, _course(state, state.touring.world), self._owed)
        self._owed = 0.0
        self._comparison.use(replace(state.setup, operations=operations), state.message)


def _course(state: ViewState, kind: str) -> Course:
    """The tour of a kind as the selected plane and the hidden axis make it."""
    course = Course(kind, state.n_dims, seed=state.touring.seed)
    if kind == "sweep":
        return replace(course, plane=state.plane)
    return replace(course, hidden=state.hidden_axis) if kind == "radial" else course


def toured(operations: tuple[Operation, ...], course: Course, degrees: float) -> tuple[Operation, ...]:
    """The operations after so much more of a tour; a sweep is a turn in its plane."""
    if course.tour == "sweep":
        return with_turn(operations, Turn(*course.plane, degrees))
    last = operations[-1] if operations else None
    if isinstance(last, TourTurn) and last.course == course:
        return (*operations[:-1], replace(last, degrees=max(last.degrees + degrees, 0.0)))
    return (*operations, TourTurn(course, max(degrees, 0.0)))


__all__ = ["TourIntents", "Touring", "toured"]
