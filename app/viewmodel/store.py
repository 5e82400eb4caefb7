"""The Store: the state of one window, who listens to it, and the steps back. It knows no intents."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from app.viewmodel.state.draft import Draft
from app.viewmodel.state.invariants import consistent
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.view import View
from app.viewmodel.state.view_state import Message, ViewState

Listener = Callable[[ViewState], None]

UNDO_DEPTH = 200

Step = tuple[Setup, View, Draft | None]
"""What an undo brings back; theme and help stay as they are."""


class Store:
    """Holds the frozen state and replaces it.

    Parameters
    ----------
    state : ViewState, optional
        To start from.
    """

    def __init__(self, state: ViewState | None = None) -> None:
        self._state = state or ViewState()
        self._listeners: list[Listener] = []
        self._undo: list[Step] = []
        self._redo: list[Step] = []

    @property
    def state(self) -> ViewState:
        """What there is now."""
        return self._state

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with every new state, and once now."""
        self._listeners.append(listener)
        listener(self._state)

    def publish(self, **changes: Any) -> None:
        """Replace fields of the state and call the listeners."""
        self.amend(**changes)
        for listener in list(self._listeners):
            listener(self._state)

    def amend(self, **changes: Any) -> None:
        """Replace fields of the state where nothing on the screen changes; the next `publish` shows it too."""
        now = replace(self._state, **changes, can_undo=bool(self._undo), can_redo=bool(self._redo))
        self._state = consistent(now)

    def close(self) -> None:
        """Call no listener any more."""
        self._listeners.clear()

    # --- messages -----------------------------------------------------------------------------------------

    def say(self, text: str, kind: Literal["info", "error"] = "info") -> None:
        """Show a message."""
        self.publish(message=Message(text, kind))

    def dismiss(self) -> None:
        """Take the message away."""
        self.publish(message=None)

    # --- steps back ---------------------------------------------------------------------------------------

    def remember(self) -> None:
        """Make what is now a step to come back to; called before a change is published."""
        self._undo = [*self._undo, self._step()][-UNDO_DEPTH:]
        self._redo = []

    def forget_after(self, setup: Setup) -> None:
        """Drop the steps made since a setup that is in use again because the next one failed."""
        self._undo, self._redo = _before(self._undo, setup), _before(self._redo, setup)

    def undo(self) -> Setup | None:
        """Publish view and draft of before the last change; the setup of then, None without a step back."""
        return self._go(self._undo, self._redo)

    def redo(self) -> Setup | None:
        """The same for the last undo, taken back."""
        return self._go(self._redo, self._undo)

    def _step(self) -> Step:
        return self._state.setup, self._state.view, self._state.draft

    def _go(self, back: list[Step], forth: list[Step]) -> Setup | None:
        if not back:
            return None
        forth.append(self._step())
        setup, view, draft = back.pop()
        now = self._state.view
        self.publish(view=replace(view, theme=now.theme, show_help=now.show_help), draft=draft, message=None)
        return setup


def _before(stack: list[Step], setup: Setup) -> list[Step]:
    """What lies below a setup on an undo or redo stack; all of it where the setup is not there."""
    setups = [step[0] for step in stack]
    return stack[: len(stack) - 1 - setups[::-1].index(setup)] if setup in setups else stack
