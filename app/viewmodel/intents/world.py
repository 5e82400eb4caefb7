"""The world rotation: turns in a plane, random rotations, reflections, matrices, dragging."""

from dataclasses import replace
from typing import TYPE_CHECKING

from app.viewmodel.intents.basis import rows_of
from app.viewmodel.state.matrices import parse_matrix, trackball
from app.viewmodel.state.setup import Given, Operation, RandomTurn, Reflect, Turn, active_degrees, with_turn
from physics.errors import InputError
from surrogate.render.projection import FloatArray

if TYPE_CHECKING:
    from app.viewmodel.session import Session

DRAGGED = "dragged into x{}"


def snapped(degrees: float, step: float) -> float:
    """The nearest multiple of `step`; the angle itself where that is 0."""
    return step * round(degrees / step) if step else degrees


class WorldIntents:
    """Turns the simulated world; neither the view basis nor the camera. What the user turns stops the tours."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._fresh = False  # a drag has begun and changed nothing yet

    def select_plane(self, i: int, j: int) -> None:
        """The plane that the angle box, the dial and the sweep act on."""
        self._session.publish(plane=(i, j))

    def rotate(self, i: int, j: int, degrees: float) -> None:
        """Turn the world in plane i-j by some degrees more; nothing in one dimension, which has no plane."""
        if i == j:
            return
        self._session.publish(plane=(i, j))
        self._use(with_turn(self._operations, Turn(i, j, degrees)))

    def set_angle(self, degrees: float) -> None:
        """Make the turn in the selected plane exactly so large."""
        i, j = self._session.state.plane
        if i != j:
            self.rotate(i, j, degrees - active_degrees(self._operations, i, j))

    def turn_to(self, degrees: float, snap: float = 0.0, *, begins: bool = True) -> None:
        """As `set_angle`, to a multiple of `snap` unless that is 0; what follows the beginning is no undo step."""
        session, plane = self._session, self._session.state.plane
        if plane[0] == plane[1]:
            return
        wanted = snapped(degrees, snap)
        turn = Turn(*plane, wanted - active_degrees(self._operations, *plane))
        operations = with_turn(self._operations, turn)
        if begins:
            session.tours.pause()
        self._fresh = self._fresh or begins
        if operations != self._operations:
            if self._fresh:
                session.remember()
            self._fresh = False
            session.comparison.use(replace(session.state.setup, operations=operations))

    def reverse(self, i: int, j: int) -> None:
        """Turn as far the other way in plane i-j, and let tours go the other way round."""
        self._session.tours.reverse()
        angle = active_degrees(self._operations, i, j)
        self._session.publish(plane=(i, j))
        if angle and not self._session.state.touring.world:
            self.rotate(i, j, -2.0 * angle)

    def random(self, seed: int) -> None:
        """A Haar-random rotation instead of all that was applied."""
        self._use((RandomTurn(seed),))

    def reflect(self) -> None:
        """Change the sign of the first axis of the selected plane; twice is none."""
        mirror = Reflect(self._session.state.plane[0])
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
            matrix = parse_matrix(text, self._session.state.n_dims)
        except InputError as error:
            self._session.say(str(error), "error")
            return
        self._use((Given(rows_of(matrix)),))

    def drag(self, drag: tuple[float, float], right: FloatArray, up: FloatArray, *, begins: bool = False) -> None:
        """Turn the direction dragged into the hidden axis; see `matrices.trackball`. One undo step a drag."""
        session, state = self._session, self._session.state
        if state.prepared is None or state.n_dims < 2:
            return
        hidden = state.hidden_axis
        step = trackball(drag, right, up, state.basis, hidden)
        if begins:
            session.tours.pause()
            session.remember()
        operations = self._operations
        name = DRAGGED.format(hidden)
        last = operations[-1] if operations else None
        if isinstance(last, Given) and last.origin == name and len(last.rows) == state.n_dims:
            operations, step = operations[:-1], step @ last.matrix(state.n_dims)
        operations = (*operations, Given(rows_of(step), name))
        session.comparison.use(replace(session.state.setup, operations=operations))

    def reset(self) -> None:
        """No rotation."""
        self._use(())

    def stop(self) -> None:
        """Turn no further by itself."""
        self._session.tours.pause()

    def toggle_spin(self) -> None:
        """Let the world turn in the selected plane, or stop it: the plane sweep."""
        self._session.tours.toggle_world("sweep")

    @property
    def _operations(self) -> tuple[Operation, ...]:
        return self._session.state.setup.operations

    def _use(self, operations: tuple[Operation, ...]) -> None:
        self._session.tours.pause()
        self._session.comparison.change(operations=operations)
