"""`python -m tests.torture.random_window ACTIONS`: a random user of the real window, with its child process.

Prints one line of JSON as `random_actions` does. Keys, mouse and menus go through Qt; every exception counts, also
those that the window catches and shows, and those of the child. Trainings and the end of the window are left out.
"""

import json
import os
import re
import sys
import tempfile
import threading
import traceback
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from tests.torture.memory import resident
from tests.torture.random_actions import MEASURED, look
from tests.torture.random_files import written_files
from tests.torture.random_moves import MOVES, NOT_HERE, RandomDialogs, User

UNEXPECTED = re.compile(r"\b[A-Z]\w*(Error|Exception|Warning): ")
"""How the window and the child word an exception that nobody meant for the user."""

LEFT_OUT = (*NOT_HERE, "start-training", "resume-training")
HANDS = {"menu": 6, "intent": 5, "mouse": 4, "key": 3, "size": 0.3}
BREATH = 60
"""Milliseconds of event loop after an action at most."""

SETTLED_EVERY = 50
"""So often it is waited until the forecasts are there."""


class Hands:
    """Does what a user does with a window.

    Parameters
    ----------
    window : MainWindow
    user : User
        For the intents with parameters.
    """

    def __init__(self, window: Any, user: User) -> None:
        self._window, self._user, self._rng = window, user, user.rng
        self._menu = [name for name in window.actions_by_name if name not in LEFT_OUT]
        self._moves = [name for name in MOVES if name not in ("an action", "a line of the palette", "autosave")]
        shortcuts = [window.actions_by_name[name].shortcut() for name in self._menu]
        self._keys = [s for s in shortcuts if not s.isEmpty()]

    def act(self) -> str:
        """Do something; what it was."""
        kinds = list(HANDS)
        shares = np.array([HANDS[kind] for kind in kinds], dtype=float)
        kind = kinds[int(self._rng.choice(len(kinds), p=shares / shares.sum()))]
        return f"{kind} {getattr(self, kind)()}"

    def menu(self) -> str:
        """An action of the menus."""
        name = self._user.one(self._menu)
        self._window.actions_by_name[name].trigger()
        return name

    def intent(self) -> str:
        """An intent with parameters, as a panel would call it."""
        name = self._user.one(self._moves)
        MOVES[name][1](self._user)
        return name

    def mouse(self) -> str:
        """A click, a double click or a drag somewhere on something."""
        seen = [w for w in self._window.findChildren(QWidget) if w.isVisible() and w.isEnabled() and w.width() > 3]
        widget = seen[self._user.below(len(seen))]
        name = f"{type(widget).__name__} {widget.objectName()}"
        at, to = (QPoint(self._user.below(widget.width()), self._user.below(widget.height())) for _ in range(2))
        held = [Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier]
        modifier, left = held[self._user.below(3)], Qt.MouseButton.LeftButton
        luck = self._rng.random()
        if luck < 0.6:
            QTest.mouseClick(widget, left, modifier, at)
        elif luck < 0.7:
            QTest.mouseDClick(widget, left, modifier, at)
        else:
            QTest.mousePress(widget, left, modifier, at)
            QTest.mouseMove(widget, (at + to) / 2)
            QTest.mouseMove(widget, to)
            QTest.mouseRelease(widget, left, modifier, to)
        popup = QApplication.activePopupWidget()
        if popup is not None:
            popup.close()
        return name

    def key(self) -> str:
        """A shortcut, or a key for what has the keyboard."""
        focus = QApplication.focusWidget() or self._window
        if self._rng.random() < 0.7:
            sequence = self._keys[self._user.below(len(self._keys))]
            QTest.keySequence(focus, QKeySequence(sequence))
            return sequence.toString()
        key = [Qt.Key.Key_Tab, Qt.Key.Key_Return, Qt.Key.Key_5, Qt.Key.Key_Up, Qt.Key.Key_Escape][
            self._user.below(5)
        ]
        QTest.keyClick(focus, key)
        return key.name

    def size(self) -> str:
        """Another size of the window."""
        self._window.resize(760 + self._user.below(840), 500 + self._user.below(500))
        return ""


def random_use(n_actions: int, folder: Path) -> dict[str, Any]:
    """Open the window, use it, close it."""
    from app.viewmodel.state.setup import Setup
    from app.views.start import make_window

    wrong: list[tuple[int, int, str, str]] = []
    now = [0, "opening"]

    def note(how: str) -> None:
        wrong.append((0, int(now[0]), str(now[1]), how))

    def hook(kind: Any, error: Any, trace: Any) -> None:
        last = traceback.extract_tb(trace)[-1]
        note(f"{kind.__name__}: {error} ({Path(last.filename).name}:{last.lineno})")

    sys.excepthook = hook
    threading.excepthook = lambda given: hook(given.exc_type, given.exc_value, given.exc_traceback)
    sys.unraisablehook = lambda given: hook(given.exc_type, given.exc_value, given.exc_traceback)
    application = QApplication(["isotwin"])
    (folder / "files").mkdir()
    files = written_files(folder / "files")
    rng = np.random.default_rng(22)
    dialogs = RandomDialogs(rng=rng, files=files, folder_to_write=folder)
    QFileDialog.getOpenFileName = lambda *_: (dialogs.open_path(), "")  # type: ignore[method-assign]
    QFileDialog.getSaveFileName = lambda *_: (dialogs.save_path(), "")  # type: ignore[method-assign]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the imports of pyvistaqt and pyqtgraph
        window = make_window(None, Setup(scenario="bound", model="egnn-nbody"), folder)
    session = window.session
    session.training.start = lambda resume=False: None  # type: ignore[method-assign]
    said = [""]

    def listen(state: Any) -> None:
        text = state.message.text if state.message is not None else ""
        if text != said[0] and UNEXPECTED.search(text):
            note(f"shown: {text}")
        said[0] = text

    session.subscribe(listen)
    window.show()
    QTest.qWaitForWindowActive(window)
    session.start()

    def settle() -> None:
        for _ in range(3600):  # 200 particles take a minute, several where others use the machine
            if not session.state.busy:
                return
            QTest.qWait(50)
        note("busy without end")

    settle()
    hands, memory = Hands(window, User(session, dialogs, rng)), list[int]()
    every = max(n_actions // MEASURED, 1)
    for number in range(n_actions):
        now[:] = [number, ""]
        try:
            now[1] = hands.act()
            QTest.qWait(int(rng.integers(BREATH)))
            if number % SETTLED_EVERY == 0:
                session.tours.pause()
                settle()
                for how in look(session, folder):
                    note(how)
        except Exception as error:
            hook(type(error), error, error.__traceback__)
        if number % every == 0:
            memory.append(resident())
        if not window.isVisible():
            note("the window is gone")
            break
    window.close()
    window.deleteLater()
    application.processEvents()
    return {"actions": n_actions, "wrong": wrong, "memory": memory}


def main() -> None:
    """Run it in a folder that goes away."""
    with tempfile.TemporaryDirectory() as place:
        os.environ["ISOTWIN_CONFIG"] = place
        found = random_use(int(sys.argv[1]), Path(place))
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
