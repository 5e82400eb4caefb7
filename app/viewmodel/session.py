"""The Session: the state of one window, who listens to it, and the steps back. No Qt.

Widgets call intents, which stand in `app.viewmodel.intents`, an area a file: `session.clock.step(1)`,
`session.world.rotate(0, 1, 15.0)`. An intent replaces the frozen state; the Session tells its listeners. Long
work goes to the injected Runner.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from app.viewmodel.intents.autosave import AutosaveIntents
from app.viewmodel.intents.basis import BasisIntents
from app.viewmodel.intents.clock import ClockIntents
from app.viewmodel.intents.comparison import ComparisonIntents
from app.viewmodel.intents.data import DataIntents
from app.viewmodel.intents.export import ExportIntents
from app.viewmodel.intents.files import FileIntents
from app.viewmodel.intents.jobs import JobIntents
from app.viewmodel.intents.lessons import LessonIntents
from app.viewmodel.intents.models import ModelIntents
from app.viewmodel.intents.moving import MovingIntents
from app.viewmodel.intents.picture import PictureIntents
from app.viewmodel.intents.preferences import PreferenceIntents
from app.viewmodel.intents.scene import SceneIntents
from app.viewmodel.intents.selection import SelectionIntents
from app.viewmodel.intents.sketch import SketchIntents
from app.viewmodel.intents.system import SystemIntents
from app.viewmodel.intents.tours import TourIntents
from app.viewmodel.intents.training import TrainIntents
from app.viewmodel.intents.view import ViewIntents
from app.viewmodel.intents.welcome import WelcomeIntents
from app.viewmodel.intents.world import WorldIntents
from app.viewmodel.state.draft import Draft
from app.viewmodel.state.lessons import ticked
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.sketch import kept
from app.viewmodel.state.view_state import Message, View, ViewState
from app.viewmodel.worker.runner import Runner

Listener = Callable[[ViewState], None]

UNDO_DEPTH = 200

Step = tuple[Setup, View, Draft | None]
"""What an undo brings back; theme and help stay as they are."""


class Session:
    """State of one window, and the areas of intents that change it.

    Parameters
    ----------
    runner : Runner
    state : ViewState, optional
        To start from.
    folder : Path, optional
        Where preferences and the autosaved session are stored; nothing is stored without.
    """

    def __init__(self, runner: Runner, state: ViewState | None = None, folder: Path | None = None) -> None:
        self.runner = runner
        self._state = state or ViewState()
        self._listeners: list[Listener] = []
        self._undo: list[Step] = []
        self._redo: list[Step] = []
        self.jobs = JobIntents(self)
        self.comparison = ComparisonIntents(self)
        self.system = SystemIntents(self)
        self.models = ModelIntents(self)
        self.scene = SceneIntents(self)
        self.training = TrainIntents(self)
        self.data = DataIntents(self)
        self.world = WorldIntents(self)
        self.basis = BasisIntents(self)
        self.tours = TourIntents(self)
        self.clock = ClockIntents(self)
        self.view = ViewIntents(self)
        self.picture = PictureIntents(self)
        self.selection = SelectionIntents(self)
        self.export = ExportIntents(self)
        self.files = FileIntents(self)
        self.preferences = PreferenceIntents(self, folder)
        self.autosave = AutosaveIntents(self, folder)
        self.welcome = WelcomeIntents(self)
        self.lessons = LessonIntents(self)
        self.sketch = SketchIntents(self)
        self.moving = MovingIntents(self)

    @property
    def state(self) -> ViewState:
        """What is shown now."""
        return self._state

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with every new state, and once now."""
        self._listeners.append(listener)
        listener(self._state)

    def publish(self, **changes: Any) -> None:
        """Replace fields of the state and tell the listeners; for intents."""
        now = replace(self._state, **changes, can_undo=bool(self._undo), can_redo=bool(self._redo))
        self._state = ticked(kept(now))
        for listener in list(self._listeners):
            listener(self._state)

    def start(self) -> None:
        """Make the first comparison."""
        self.comparison.request()

    def close(self) -> None:
        """Stop all work; nothing is published afterwards."""
        self._listeners.clear()
        self.runner.close()
        self.autosave.close()

    # --- messages -----------------------------------------------------------------------------------------

    def say(self, text: str, kind: Literal["info", "error"] = "info") -> None:
        """Show a message."""
        self.publish(message=Message(text, kind))

    def dismiss(self) -> None:
        """Take the message away."""
        self.publish(message=None)

    def clear(self) -> None:
        """Let go of a particle that is held; else take away what lies over the picture; else the selection."""
        state = self._state
        if state.moving is not None and state.moving.particle is not None:
            self.moving.cancel()
            return
        if not (state.sketch or state.moving or state.welcome or state.view.show_help or state.message):
            self.selection.clear()
        self.sketch.end()
        self.moving.end()
        self.welcome.close()
        if self._state.view.show_help:
            self.view.toggle_help()
        if self._state.message is not None:
            self.dismiss()

    # --- steps back ---------------------------------------------------------------------------------------

    def remember(self) -> None:
        """Make what is now a step to come back to; for intents, before they publish a change."""
        self._undo = [*self._undo, (self._state.setup, self._state.view, self._state.draft)][-UNDO_DEPTH:]
        self._redo = []

    def forget_after(self, setup: Setup) -> None:
        """Drop the steps made since a setup that is in use again because the next one failed."""
        self._undo, self._redo = _before(self._undo, setup), _before(self._redo, setup)

    def undo(self) -> None:
        """Go back to what was before the last change."""
        self._go(self._undo, self._redo)

    def redo(self) -> None:
        """Take the last undo back."""
        self._go(self._redo, self._undo)

    def _go(self, back: list[Step], forth: list[Step]) -> None:
        if not back:
            return
        self.tours.pause()
        self.moving.cancel()
        now = self._state
        forth.append((now.setup, now.view, now.draft))
        setup, view, draft = back.pop()
        view = replace(view, theme=now.view.theme, show_help=now.view.show_help)
        self.publish(view=view, draft=draft, message=None)
        if setup != now.setup:
            self.comparison.use(setup)
        else:  # the step may be from a time when another picture was shown
            self.comparison.settle()


def _before(stack: list[Step], setup: Setup) -> list[Step]:
    """What lies below a setup on an undo or redo stack; all of it where the setup is not there."""
    setups = [step[0] for step in stack]
    return stack[: len(stack) - 1 - setups[::-1].index(setup)] if setup in setups else stack
