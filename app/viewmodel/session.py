"""The Session: the store of one window and everything the user can do in it, wired together. No Qt.

Widgets call intents, which stand in `app.viewmodel.intents`, an area a file: `session.clock.step(1)`,
`session.world.rotate(0, 1, 15.0)`. An intent replaces the frozen state of the Store, which calls its listeners.
Long work goes to the Runner. Each area is given what it uses, so an area stands below those that use it.
"""

from pathlib import Path

from app.viewmodel.intents.autosave import AutosaveIntents
from app.viewmodel.intents.basis import BasisIntents
from app.viewmodel.intents.clock import ClockIntents
from app.viewmodel.intents.comparison import ComparisonIntents
from app.viewmodel.intents.data import DataIntents
from app.viewmodel.intents.editor import EditorIntents
from app.viewmodel.intents.export import ExportIntents
from app.viewmodel.intents.files import FileIntents
from app.viewmodel.intents.formula import FormulaIntents
from app.viewmodel.intents.history import HistoryIntents
from app.viewmodel.intents.jobs import JobIntents
from app.viewmodel.intents.lessons import LessonIntents
from app.viewmodel.intents.models import ModelIntents
from app.viewmodel.intents.moving import MovingIntents
from app.viewmodel.intents.overlays import OverlayIntents
from app.viewmodel.intents.picture import PictureIntents
from app.viewmodel.intents.preferences import PreferenceIntents
from app.viewmodel.intents.selection import SelectionIntents
from app.viewmodel.intents.sketch import SketchIntents
from app.viewmodel.intents.system import SystemIntents
from app.viewmodel.intents.tours import TourIntents
from app.viewmodel.intents.training import TrainIntents
from app.viewmodel.intents.view import ViewIntents
from app.viewmodel.intents.welcome import WelcomeIntents
from app.viewmodel.intents.world import WorldIntents
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.store import Store
from app.viewmodel.worker.runner import Runner


class Session:
    """The store of one window, and the areas of intents that change its state.

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
        store = self.store = Store(state)
        self.subscribe, self.say, self.dismiss = store.subscribe, store.say, store.dismiss
        self.jobs = JobIntents(store)
        self.preferences = PreferenceIntents(store, folder)
        self.view = ViewIntents(store, self.preferences)
        self.picture = PictureIntents(store, self.view)
        self.selection = SelectionIntents(store)
        self.clock = ClockIntents(store, self.preferences)
        self.welcome = WelcomeIntents(store, self.preferences)
        self.comparison = ComparisonIntents(store, runner, self.jobs)
        self.tours = TourIntents(store, self.comparison)
        self.world = WorldIntents(store, self.comparison, self.tours)
        self.basis = BasisIntents(store, self.view, self.tours)
        self.system = SystemIntents(store, self.comparison)
        self.editor = EditorIntents(store, self.comparison, self.preferences)
        self.moving = MovingIntents(store, self.tours, self.view, self.selection, self.editor)
        self.sketch = SketchIntents(store, self.tours, self.clock, self.view)
        self.models = ModelIntents(store, runner, self.jobs, self.comparison)
        self.training = TrainIntents(store, runner, self.jobs, self.models, self.comparison, self.system)
        self.data = DataIntents(store, runner, self.jobs, self.comparison, self.system)
        self.formula = FormulaIntents(store, runner, self.jobs)
        self.export = ExportIntents(store, runner, self.jobs)
        self.files = FileIntents(
            store, runner, self.comparison, self.tours, self.system, self.models, self.data, self.preferences
        )
        self.autosave = AutosaveIntents(store, self.files, folder)
        self.history = HistoryIntents(store, self.comparison, self.tours, self.moving)
        self.overlays = OverlayIntents(store, self.moving, self.sketch, self.selection, self.welcome, self.view)
        self.lessons = LessonIntents(store, self.comparison, self.tours, self.overlays)

    @property
    def state(self) -> ViewState:
        """What is shown now."""
        return self.store.state

    def start(self) -> None:
        """Make the first comparison, unless a file was opened already."""
        if self.comparison.idle:
            self.comparison.request()

    def close(self) -> None:
        """Stop all work; nothing is published afterwards."""
        self.store.close()
        self.runner.close()
        self.autosave.close()
