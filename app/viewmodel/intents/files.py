"""Opening what the user points at, and saving the session."""

from pathlib import Path
from typing import TYPE_CHECKING

from app.viewmodel.intents.system import OWN_SYSTEM
from app.viewmodel.state.draft import Draft
from app.viewmodel.state.saved import SavedSession, load_session, save_session, saved_of
from app.viewmodel.state.setup import Setup
from app.viewmodel.worker.runner import Callbacks
from physics.errors import InputError

if TYPE_CHECKING:
    from app.viewmodel.session import Session


class FileIntents:
    """A checkpoint, a data set or a scenario (the runner says which it is), or a session file.

    Attributes
    ----------
    path : str
        Of the session file in use; empty for none.
    """

    def __init__(self, session: "Session") -> None:
        self._session = session
        self.path = ""

    def open(self, path: str) -> None:
        """Open a checkpoint, a data set or a scenario."""
        session = self._session
        if Path(path).suffix == ".json" and Path(path).name != "zarr.json":
            self._open_session(path)
            return

        def described(found: Setup) -> None:
            if found.data:
                session.comparison.change(**OWN_SYSTEM, scenario="", data=found.data, split=found.split, index=0)
                session.data.unsort()
            elif found.scenario:
                session.system.choose_scenario(found.scenario)
            else:
                session.models.add(found.model)
                session.system.choose_model(found.model)
            session.preferences.add_recent(path)
            session.say(f"opened {Path(path).name}")

        session.runner.submit(path, Callbacks(described, lambda reason: session.say(reason, "error")))

    def save(self, path: str) -> None:
        """Write the session to a file."""
        try:
            save_session(Path(path), saved_of(self._session.state))
        except OSError as error:
            self._session.say(f"not saved: {path}: {error.strerror}", "error")
            return
        self.path = path
        self._session.preferences.add_recent(path)
        self._session.say(f"saved {Path(path).name}")

    def _open_session(self, path: str) -> None:
        session = self._session
        try:
            saved = load_session(Path(path))
        except InputError as error:
            session.say(str(error), "error")
            return
        self.use(saved, path)
        session.preferences.add_recent(path)
        if session.state.message is None:
            session.say(f"opened {Path(path).name}")

    def use(self, saved: SavedSession, path: str, draft: Draft | None = None) -> None:
        """Show a saved session (undoable); `path` of its file, empty for none; `draft` of its scene editor."""
        session = self._session
        session.remember()
        session.comparison.resume_at = saved.playback.position
        session.tours.pause()
        session.publish(
            view=saved.view, playback=saved.playback, plane=saved.plane, draft=draft, camera=saved.camera
        )
        session.comparison.use(saved.setup)
        self.path = path
