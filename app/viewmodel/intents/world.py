"""The world rotation: turns in a plane, random rotations, reflections, spinning."""

from dataclasses import replace
from typing import TYPE_CHECKING

from app.viewmodel.setup import RandomTurn, Reflect, Turn, active_degrees, with_turn

if TYPE_CHECKING:
    from app.viewmodel.session import Session

SPIN_DEGREES = 4.0


class WorldIntents:
    """Turns the simulated world; neither the view basis nor the camera."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        session.comparison.when_idle.append(self._spin_on)

    def select_plane(self, i: int, j: int) -> None:
        """The plane that the angle box, the dial and spinning act on."""
        self._session.publish(plane=(i, j))

    def rotate(self, i: int, j: int, degrees: float) -> None:
        """Turn the world in plane i-j by some degrees more; nothing in one dimension, which has no plane."""
        if i == j:
            return
        self._session.publish(plane=(i, j))
        operations = with_turn(self._session.state.setup.operations, Turn(i, j, degrees))
        self._session.comparison.change(operations=operations)

    def set_angle(self, degrees: float) -> None:
        """Make the turn in the selected plane exactly so large."""
        i, j = self._session.state.plane
        if i != j:
            self.rotate(i, j, degrees - active_degrees(self._session.state.setup.operations, i, j))

    def random(self, seed: int) -> None:
        """A Haar-random rotation instead of all that was applied."""
        self._session.comparison.change(operations=(RandomTurn(seed),))

    def reflect(self) -> None:
        """Change the sign of the first axis of the selected plane; twice is none."""
        operations = self._session.state.setup.operations
        mirror = Reflect(self._session.state.plane[0])
        changed = operations[:-1] if operations[-1:] == (mirror,) else (*operations, mirror)
        self._session.comparison.change(operations=changed)

    def reset(self) -> None:
        """No rotation."""
        self._session.publish(spinning=False)
        self._session.comparison.change(operations=())

    def stop(self) -> None:
        """Turn no further by itself."""
        self._session.publish(spinning=False)

    def toggle_spin(self) -> None:
        """Let the world turn in the selected plane, one step after each finished forecast; one undo step."""
        state = self._session.state
        spinning = not state.spinning and bool(state.planes)
        self._session.publish(spinning=spinning)
        if spinning and not state.busy:
            self.rotate(*state.plane, SPIN_DEGREES)

    def _spin_on(self) -> None:
        state = self._session.state
        if not state.spinning:
            return
        turn = Turn(*state.plane, SPIN_DEGREES)
        if turn.i == turn.j:
            self._session.publish(spinning=False)
            return
        operations = with_turn(state.setup.operations, turn)
        self._session.comparison.use(replace(state.setup, operations=operations), state.message)
