"""Moving particles in the view, by mouse or by keys: a drag is one step back, and simulated when it ends."""

from dataclasses import replace

import numpy as np

from app.viewmodel.intents.editor import EditorIntents
from app.viewmodel.intents.selection import SelectionIntents
from app.viewmodel.intents.tours import TourIntents
from app.viewmodel.intents.view import ViewIntents
from app.viewmodel.presenters.edited_system import drawing, in_view, nudge_length
from app.viewmodel.state.draft import Moving
from app.viewmodel.store import Store
from physics.types import FloatArray


class MovingIntents:
    """A mode: the truth's pane shows the system's first state, and what is dragged there."""

    def __init__(
        self,
        store: Store,
        tours: TourIntents,
        view: ViewIntents,
        selection: SelectionIntents,
        editor: EditorIntents,
    ) -> None:
        self._store, self._tours, self._view, self._selection, self._editor = store, tours, view, selection, editor

    def toggle(self) -> None:
        """Begin to move particles, or leave it."""
        if self._store.state.moving is None:
            self.begin()
        else:
            self.end()

    def begin(self) -> None:
        """Show the first state in the truth's pane."""
        store = self._store
        if store.state.result is None:
            store.say("there is no particle to move yet")
            return
        if store.state.result.system is None:
            store.say(f"these data cannot be edited: {store.state.result.not_editable}")
            return
        self._tours.pause()
        if not in_view(store.state):
            self._view.set(layout="twin", maximised=None)  # the truth has a pane to drag in
        store.publish(moving=Moving(), sketch=None, welcome=False)
        if drawing(store.state) is None:
            store.say("apply the scene first: it has another number of dimensions than the picture")

    def end(self) -> None:
        """Leave the mode; what is held goes back to its place."""
        if self._store.state.moving is not None:
            self._store.publish(moving=None)

    def grab(self, particle: int, velocity: bool = False) -> None:
        """Hold a particle by its place or by its velocity, and select it."""
        state = self._store.state
        edited = drawing(state)
        if edited is None or not in_view(state) or not 0 <= particle < edited.system.n_particles:
            return
        self._selection.select((particle,))
        self._store.publish(moving=Moving(particle, velocity, edited.system))

    def drag(self, point: FloatArray) -> None:
        """Take what is held to a drawn point, (3,) [length]."""
        moving, edited = self._store.state.moving, drawing(self._store.state)
        if moving is None or moving.particle is None or edited is None:
            return
        to = edited.with_tip if moving.velocity else edited.with_place
        self._store.publish(moving=replace(moving, system=to(moving.particle, np.asarray(point))))

    def drop(self) -> None:
        """Let go: simulate it and forecast it."""
        moving = self._store.state.moving
        if moving is not None and moving.system is not None:
            self._store.publish(moving=Moving())
            self._editor.take(moving.system)

    def cancel(self) -> None:
        """Put what is held back to its place."""
        moving = self._store.state.moving
        if moving is not None and moving.particle is not None:
            self._store.publish(moving=Moving())

    def nudge(self, way: tuple[int, int], right: FloatArray, up: FloatArray, velocity: bool = False) -> None:
        """Move the selected particle (or the tip of its velocity) by a little.

        Parameters
        ----------
        way : (int, int)
            Steps to the right and up on the screen.
        right, up : (3,) float64
            What that is in the drawn space.
        """
        state = self._store.state
        edited, chosen = drawing(state), state.selection.particles
        if edited is None:
            self._store.say("arrow keys nudge where particles are moved in the view (Shift+M)")
            return
        if not chosen or chosen[-1] >= edited.system.n_particles:
            self._store.say("select a particle to nudge first: click it, or . and ,")
            return
        at = chosen[-1]
        step = nudge_length(edited.system) * (way[0] * right + way[1] * up)
        if velocity:
            self._editor.take(edited.with_tip(at, edited.tips[at] + step))
        else:
            self._editor.take(edited.with_place(at, edited.places[at] + step))
