"""Drawing where the particles will go, and seeing who was right."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.intents.clock import ClockIntents
from app.viewmodel.intents.tours import TourIntents
from app.viewmodel.intents.view import ViewIntents
from app.viewmodel.state.sketch import Sketch
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.store import Store
from physics.datasets.times import same_spacing
from surrogate.render.captions import mean_spacing
from surrogate.render.projection import project


class SketchIntents:
    """While a sketch is drawn the clock stands still and does not go beyond its start."""

    def __init__(self, store: Store, tours: TourIntents, clock: ClockIntents, view: ViewIntents) -> None:
        self._store, self._tours, self._clock, self._view = store, tours, clock, view

    def toggle(self) -> None:
        """Begin a sketch at the shown frame, or end it."""
        if self._store.state.sketch is None:
            self.begin()
        else:
            self.end()

    def begin(self) -> None:
        """Pause, hide what comes, and wait for paths."""
        store = self._store
        sketch = fresh_sketch(store.state)
        if sketch is None:
            store.say("there is nothing to draw over yet: it takes a film longer than the model's horizon")
            return
        self._tours.pause()
        self._clock.seek(sketch.start)
        self._view.set(layout="twin", maximised=None)  # the truth has a pane to draw in
        store.publish(sketch=sketch, moving=None, welcome=False)

    def draw(self, particle: int, points: NDArray[np.float64]) -> None:
        """The path of a particle, (n_points, 3) in the drawn space, from where it is; replaces an earlier one."""
        state = self._store.state
        sketch, result = state.sketch, state.result
        if sketch is None or sketch.revealed or result is None or not len(points):
            return
        truth = result.comparison.truth
        if not 0 <= particle < truth.system.n_particles:
            return
        here = project(truth.positions[sketch.start, particle], sketch.basis)
        path = np.concatenate([here[None], np.asarray(points, dtype=np.float64)])
        self._store.publish(sketch=replace(sketch, paths={**sketch.paths, particle: path}))

    def wipe(self) -> None:
        """Take all paths away."""
        sketch = self._store.state.sketch
        if sketch is not None:
            self._clock.seek(sketch.start)
            self._store.publish(sketch=replace(sketch, paths={}, revealed=False))

    def reveal(self) -> None:
        """Show what really happens, from the frame the sketch starts at."""
        state = self._store.state
        if state.sketch is None:
            return
        if not state.sketch.paths:
            self._store.say("draw a path for at least one charge first")
            return
        playback = replace(state.playback, playing=True, position=float(state.sketch.start))
        self._store.publish(sketch=replace(state.sketch, revealed=True), playback=playback)

    def end(self) -> None:
        """End the sketch."""
        if self._store.state.sketch is not None:
            self._store.publish(sketch=None)


def fresh_sketch(state: ViewState) -> Sketch | None:
    """A sketch from the shown frame on, or from the last one that has a horizon after it; None without room."""
    if state.result is None:
        return None
    comparison = state.result.comparison
    times = comparison.truth.times
    if comparison.horizon is None or len(times) < 2:
        return None
    n_frames = round(comparison.horizon / mean_spacing(times))
    last = len(times) - 1 - n_frames
    if n_frames < 1 or last < 0:
        return None
    start, made = min(state.frame, last), state.result.made
    if made is not None and not (made[start + n_frames] and same_spacing(times)):
        return None
    return Sketch(state.result.setup, state.basis, start, n_frames)
