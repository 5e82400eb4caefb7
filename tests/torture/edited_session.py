"""`python -m tests.torture.edited_session CONFIG ORIGINAL LOG SECONDS [restore]`: a session that is to be killed.

It opens a session file and edits on and on; each edit is a line of the log, written once it is made: number, time.
SECONDS apart it autosaves, as the window's timer does. With `restore` it first takes what a crash has left.
"""

import sys
import time
from pathlib import Path

from app.viewmodel.files.autosave import Autosave
from app.viewmodel.session import Session
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.runner import Callbacks, Request
from tests.app.fakes import FakeJob
from tests.torture.random_runner import answer_for

PAUSE = 0.05
TITLE = "edit "


class PromptRunner:
    """Answers every comparison at once."""

    def submit(self, request: Request, callbacks: Callbacks) -> FakeJob:
        assert isinstance(request, Setup)
        callbacks.done(answer_for(request))
        return FakeJob()

    def close(self) -> None:
        """Nothing to stop."""


def edit(session: Session, number: int) -> None:
    """The edit of a number: of the setup, or, half of the time, of the scene editor's draft."""
    if number % 10 < 5:
        session.system.choose_seed(number)
    else:
        session.editor.set_title(f"{TITLE}{number}")


def last_edit(saved: Autosave) -> int:
    """The number of the newest edit in what was kept."""
    title = saved.draft.system.title if saved.draft is not None else ""
    return max(saved.session.setup.seed or 0, int(title.removeprefix(TITLE)) if title.startswith(TITLE) else 0)


def main() -> None:
    """Edit until killed."""
    config, original, log, seconds = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), float(sys.argv[4])
    session = Session(PromptRunner(), ViewState(setup=Setup(model="fake")), config)
    session.start()
    number = 0
    with log.open("a") as stream:
        if "restore" in sys.argv:
            session.autosave.look()
            number = max((int(line.split()[0]) for line in log.read_text().splitlines()), default=0)
            stream.write(f"{number} {time.time()}\n")  # from now on it restores
            stream.flush()
            session.autosave.restore()
        else:
            session.files.open(original)
        due = time.monotonic() + seconds
        while True:
            number += 1
            edit(session, number)
            stream.write(f"{number} {time.time()}\n")
            stream.flush()
            if time.monotonic() >= due:
                session.autosave.tick()
                due += seconds
            time.sleep(PAUSE)


if __name__ == "__main__":
    main()
