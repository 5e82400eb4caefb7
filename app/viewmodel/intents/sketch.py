"""Drawing where the particles will go, and seeing who was right."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.state.sketch import fresh_sketch
from surrogate.render.projection import project

if TYPE_CHECKING:
    from app.viewmodel.session import Session


class SketchIntents:
    """While a sketch is drawn the clock stands still and does not go beyond its start."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def toggle(self) -> None:
        """Begin a sketch at the shown frame, or put the pen away."""
        if self._session.state.sketch is None:
            self.begin()
        else:
            self.end()

    def begin(self) -> None:
        """Pause, hide what comes, and wait for the pen."""
        session = self._session
        sketch = fresh_sketch(session.state)
        if sketch is None:
            session.say("there is nothing to draw over yet: it takes a film longer than the model's horizon")
            return
        session.moving.end()
        session.world.stop()
        session.clock.seek(sketch.start)
        session.view.set(layout="twin", maximised=None)  # the truth has a pane to draw in
        session.publish(sketch=sketch, welcome=False)

    def draw(self, particle: int, points: NDArray[np.float64]) -> None:
        """The path of a particle, (n_points, 3) in the drawn space, from where it is; replaces an earlier one."""
        state = self._session.state
        sketch, prepared = state.sketch, state.prepared
        if sketch is None or sketch.revealed or prepared is None or not len(points):
            return
        truth = prepared.comparison.truth
        if not 0 <= particle < truth.system.n_particles:
            return
        here = project(truth.positions[sketch.start, particle], sketch.basis)
        path = np.concatenate([here[None], np.asarray(points, dtype=np.float64)])
        self._session.publish(sketch=replace(sketch, paths={**sketch.paths, particle: path}))

    def wipe(self) -> None:
        """Take all paths away."""
        sketch = self._session.state.sketch
        if sketch is not None:
            self._session.clock.seek(sketch.start)
            self._session.publish(sketch=replace(sketch, paths={}, revealed=False))

    def reveal(self) -> None:
        """Show what really happens, from the frame the sketch starts at."""
        state = self._session.state
        if state.sketch is None:
            return
        if not state.sketch.paths:
            self._session.say("draw a path for at least one charge first")
            return
        playback = replace(state.playback, playing=True, position=float(state.sketch.start))
        self._session.publish(sketch=replace(state.sketch, revealed=True), playback=playback)

    def end(self) -> None:
        """Put the pen away."""
        if self._session.state.sketch is not None:
            self._session.publish(sketch=None)
