"""Opening what the user points at, and saving the session."""

from pathlib import Path

from app.viewmodel.files.sessions import SavedSession, load_session, save_session, saved_of
from app.viewmodel.intents.comparison import ComparisonIntents
from app.viewmodel.intents.data import DataIntents
from app.viewmodel.intents.models import ModelIntents
from app.viewmodel.intents.preferences import PreferenceIntents
from app.viewmodel.intents.system import OWN_SYSTEM, SystemIntents
from app.viewmodel.intents.tours import TourIntents
from app.viewmodel.state.draft import Draft
from app.viewmodel.state.setup import Setup
from app.viewmodel.store import Store
from app.viewmodel.worker.runner import Callbacks, Runner
from physics.errors import InputError


class FileIntents:
    """A checkpoint, a data set or a scenario (the runner says which it is), or a session file.

    Attributes
    ----------
    path : str
        Of the session file in use; empty for none.
    """

    def __init__(
        self,
        store: Store,
        runner: Runner,
        comparison: ComparisonIntents,
        tours: TourIntents,
        system: SystemIntents,
        models: ModelIntents,
        data: DataIntents,
        preferences: PreferenceIntents,
    ) -> None:
        self._store, self._runner, self._preferences = store, runner, preferences
        self._comparison, self._tours, self._system = comparison, tours, system
        self._models, self._data = models, data
        self.path = ""

    def open(self, path: str) -> None:
        """Open a checkpoint, a data set or a scenario."""
        store = self._store
        if Path(path).suffix == ".json" and Path(path).name != "zarr.json":
            self._open_session(path)
            return

        def described(found: Setup) -> None:
            if not found.forecasts:
                self._models.add_of_task(found.task, found.task_model)
                self._system.show_set(found.task, found.data, found.split, found.task_model)
            elif found.data:
                self._comparison.change(**OWN_SYSTEM, scenario="", data=found.data, split=found.split, index=0)
                self._data.unsort()
            elif found.scenario:
                self._system.choose_scenario(found.scenario)
            else:
                self._models.add(found.model)
                self._system.choose_model(found.model)
            self._preferences.add_recent(path)
            if store.state.message is None:  # else what is said of the data
                store.say(f"opened {Path(path).name}")

        store.amend(message=None)
        self._runner.submit(path, Callbacks(described, lambda reason: store.say(reason, "error")))

    def save(self, path: str) -> None:
        """Write the session to a file."""
        try:
            save_session(Path(path), saved_of(self._store.state))
        except OSError as error:
            self._store.say(f"not saved: {path}: {error.strerror}", "error")
            return
        self.path = path
        self._preferences.add_recent(path)
        self._store.say(f"saved {Path(path).name}")

    def _open_session(self, path: str) -> None:
        store = self._store
        try:
            saved = load_session(Path(path))
        except InputError as error:
            store.say(str(error), "error")
            return
        self.use(saved, path)
        self._preferences.add_recent(path)
        if store.state.message is None:
            store.say(f"opened {Path(path).name}")

    def use(self, saved: SavedSession, path: str, draft: Draft | None = None) -> None:
        """Show a saved session (undoable); `path` of its file, empty for none; `draft` of its scene editor."""
        store = self._store
        store.remember()
        self._comparison.resume_at = saved.playback.position
        self._tours.pause()
        store.publish(
            view=saved.view, playback=saved.playback, plane=saved.plane, draft=draft, camera=saved.camera
        )
        self._comparison.use(saved.setup)
        self.path = path
