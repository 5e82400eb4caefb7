"""The world rotation: turns in a plane, random rotations, reflections, matrices, dragging."""

from dataclasses import replace
from typing import Any

from app.viewmodel.intents.basis import rows_of
from app.viewmodel.intents.comparison import ComparisonIntents
from app.viewmodel.intents.tours import TourIntents
from app.viewmodel.state.matrices import parse_matrix, trackball
from app.viewmodel.state.setup import Given, Operation, RandomTurn, Reflect, Turn, active_degrees, with_turn
from app.viewmodel.store import Store
from physics.errors import InputError
from physics.types import FloatArray

DRAGGED = "dragged into x{}"


def snapped(degrees: float, step: float) -> float:
    """The nearest multiple of `step`; the angle itself where that is 0."""
    return step * round(degrees / step) if step else degrees


class WorldIntents:
    """Turns the simulated world; neither the view basis nor the camera. What the user turns stops the tours."""

    def __init__(self, store: Store, comparison: ComparisonIntents, tours: TourIntents) -> None:
        self._store, self._comparison, self._tours = store, comparison, tours
        self._fresh = False  # a drag has begun and changed nothing yet

    def select_plane(self, i: int, j: int) -> None:
        """The plane that the angle box, the dial and the sweep act on."""
        self._store.publish(plane=(i, j))

    def rotate(self, i: int, j: int, degrees: float) -> None:
        """Turn the world in plane i-j by some degrees more; nothing in one dimension, which has no plane."""
        if i != j:
            self._use(with_turn(self._operations, Turn(i, j, degrees)), plane=(i, j))

    def set_angle(self, degrees: float) -> None:
        """Make the turn in the selected plane exactly so large."""
        i, j = self._store.state.plane
        self.rotate(i, j, degrees - active_degrees(self._operations, i, j))

    def turn_to(self, degrees: float, snap: float = 0.0, *, begins: bool = True) -> None:
        """As `set_angle`, to a multiple of `snap` unless that is 0; what follows the beginning is no undo step."""
        store, plane = self._store, self._store.state.plane
        if plane[0] == plane[1]:
            return
        wanted = snapped(degrees, snap)
        turn = Turn(*plane, wanted - active_degrees(self._operations, *plane))
        operations = with_turn(self._operations, turn)
        if begins:
            self._tours.pause()
        self._fresh = self._fresh or begins
        if operations != self._operations:
            if self._fresh:
                store.remember()
            self._fresh = False
            self._comparison.use(replace(store.state.setup, operations=operations))

    def reverse(self, i: int, j: int) -> None:
        """Turn as far the other way in plane i-j, and let tours go the other way round."""
        self._tours.reverse()
        angle = active_degrees(self._operations, i, j)
        self._store.publish(plane=(i, j))
        if angle and not self._store.state.touring.world:
            self.rotate(i, j, -2.0 * angle)

    def random(self, seed: int) -> None:
        """A Haar-random rotation instead of all that was applied."""
        self._use((RandomTurn(seed),))

    def reflect(self) -> None:
        """Change the sign of the first axis of the selected plane; twice is none."""
        mirror = Reflect(self._store.state.plane[0])
        operations = self._operations
        self._use(operations[:-1] if operations[-1:] == (mirror,) else (*operations, mirror))

    def remove(self, index: int) -> None:
        """Leave one of the applied operations out; the others stay in their order."""
        operations = self._operations
        if 0 <= index < len(operations):
            self._use((*operations[:index], *operations[index + 1 :]))

    def paste(self, text: str) -> None:
        """The matrix in a text instead of all that was applied."""
        try:
            matrix = parse_matrix(text, self._store.state.n_dims)
        except InputError as error:
            self._store.say(str(error), "error")
            return
        self._use((Given(rows_of(matrix)),))

    def drag(self, drag: tuple[float, float], right: FloatArray, up: FloatArray, *, begins: bool = False) -> None:
        """Turn the direction dragged into the hidden axis; see `matrices.trackball`. One undo step a drag."""
        store, state = self._store, self._store.state
        if state.shown is None or state.n_dims < 2:
            return
        hidden = state.hidden_axis
        step = trackball(drag, right, up, state.basis, hidden)
        if begins:
            self._tours.pause()
            store.remember()
        operations = self._operations
        name = DRAGGED.format(hidden)
        last = operations[-1] if operations else None
        if isinstance(last, Given) and last.origin == name and len(last.rows) == state.n_dims:
            operations, step = operations[:-1], step @ last.matrix(state.n_dims)
        operations = (*operations, Given(rows_of(step), name))
        self._comparison.use(replace(store.state.setup, operations=operations))

    def reset(self) -> None:
        """No rotation."""
        self._use(())

    def toggle_spin(self) -> None:
        """Let the world turn in the selected plane, or stop it: the plane sweep."""
        self._tours.toggle_world("sweep")

    @property
    def _operations(self) -> tuple[Operation, ...]:
        return self._store.state.setup.operations

    def _use(self, operations: tuple[Operation, ...], **shown: Any) -> None:
        """Turn the world (undoable), and change other fields of the state with it."""
        self._tours.pause()
        setup = replace(self._store.state.setup, operations=operations)
        if setup != self._store.state.setup:
            self._store.remember()
            self._comparison.use(setup, **shown)
        elif shown:
            self._store.publish(**shown)
