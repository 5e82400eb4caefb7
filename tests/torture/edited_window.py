"""`python -m tests.torture.edited_window ORIGINAL LOG`: the real window, edited on and on until it is killed."""

import itertools
import sys
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer

from app.views.start import run
from tests.torture.edited_session import edit

PAUSE_MILLISECONDS = 200
"""Slow enough for the forecasts to come along now and then."""


def main() -> None:
    """Open a session file, and edit."""
    log = Path(sys.argv[2]).open("a")  # noqa: SIM115  (open as long as the process lives)
    numbers = itertools.count(1)

    def opened(window: Any) -> None:
        def go_on() -> None:
            if window.session.state.result is None:
                return
            number = next(numbers)
            edit(window.session, number)
            log.write(f"{number} {time.time()}\n")
            log.flush()

        timer = QTimer(window)
        timer.timeout.connect(go_on)
        timer.start(PAUSE_MILLISECONDS)

    run([sys.argv[1]], opened)


if __name__ == "__main__":
    main()
