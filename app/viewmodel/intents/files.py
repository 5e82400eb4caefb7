"""Opening what the user points at."""

from pathlib import Path
from typing import TYPE_CHECKING

from app.viewmodel.intents.system import OWN_SYSTEM
from app.viewmodel.runner import Callbacks
from app.viewmodel.setup import Setup

if TYPE_CHECKING:
    from app.viewmodel.session import Session


class FileIntents:
    """A checkpoint, a data set or a scenario; the runner says which it is."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def open(self, path: str) -> None:
        """Open a checkpoint, a data set or a scenario."""
        session = self._session

        def described(found: Setup) -> None:
            if found.data:
                session.comparison.change(**OWN_SYSTEM, scenario="", data=found.data, split=found.split, index=0)
            elif found.scenario:
                session.system.choose_scenario(found.scenario)
            else:
                session.comparison.change(model=found.model)
            session.say(f"opened {Path(path).name}")

        session.runner.submit(path, Callbacks(described, lambda reason: session.say(reason, "error")))
