"""Moving particles in the view, by mouse or by keys: a drag is one step back, and simulated when it ends."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.viewmodel.state.moving import Moving, drawing, in_view, nudge_length

if TYPE_CHECKING:
    from app.viewmodel.session import Session

FloatArray = NDArray[np.float64]


class MovingIntents:
    """A mode: the truth's pane shows the scene's first state, and what is dragged there."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def toggle(self) -> None:
        """Begin to move particles, or leave it."""
        if self._session.state.moving is None:
            self.begin()
        else:
            self.end()

    def begin(self) -> None:
        """Show the first state in the truth's pane."""
        session = self._session
        if session.state.prepared is None:
            session.say("there is no particle to move yet")
            return
        session.sketch.end()
        session.tours.pause()
        if not in_view(session.state):
            session.view.set(layout="twin", maximised=None)  # the truth has a pane to drag in
        session.publish(moving=Moving(), welcome=False)
        if drawing(session.state) is None:
            session.say("apply the scene first: it has another number of dimensions than the picture")

    def end(self) -> None:
        """Leave the mode; what is held falls back."""
        if self._session.state.moving is not None:
            self._session.publish(moving=None)

    def grab(self, particle: int, velocity: bool = False) -> None:
        """Hold a particle by its place or by its velocity, and select it."""
        state = self._session.state
        edited = drawing(state)
        if edited is None or not in_view(state) or not 0 <= particle < edited.scene.n_particles:
            return
        self._session.selection.select((particle,))
        self._session.publish(moving=Moving(particle, velocity, edited.scene))

    def drag(self, point: FloatArray) -> None:
        """Take what is held to a drawn point, (3,) [length]."""
        moving, edited = self._session.state.moving, drawing(self._session.state)
        if moving is None or moving.particle is None or edited is None:
            return
        to = edited.with_tip if moving.velocity else edited.with_place
        self._session.publish(moving=replace(moving, scene=to(moving.particle, np.asarray(point))))

    def drop(self) -> None:
        """Let go: simulate it and forecast it."""
        moving = self._session.state.moving
        if moving is not None and moving.scene is not None:
            self._session.publish(moving=Moving())
            self._session.scene.take(moving.scene)

    def cancel(self) -> None:
        """Let what is held fall back."""
        moving = self._session.state.moving
        if moving is not None and moving.particle is not None:
            self._session.publish(moving=Moving())

    def nudge(self, way: tuple[int, int], right: FloatArray, up: FloatArray, velocity: bool = False) -> None:
        """Move the selected particle (or the tip of its velocity) by a little.

        Parameters
        ----------
        way : (int, int)
            Steps to the right and up on the screen.
        right, up : (3,) float64
            What that is in the drawn space.
        """
        state = self._session.state
        edited, chosen = drawing(state), state.selection.particles
        if edited is None:
            self._session.say("arrow keys nudge where particles are moved in the view (Shift+M)")
            return
        if not chosen or chosen[-1] >= edited.scene.n_particles:
            self._session.say("select a particle to nudge first: click it, or . and ,")
            return
        at = chosen[-1]
        step = nudge_length(edited.scene) * (way[0] * right + way[1] * up)
        if velocity:
            self._session.scene.take(edited.with_tip(at, edited.tips[at] + step))
        else:
            self._session.scene.take(edited.with_place(at, edited.places[at] + step))
