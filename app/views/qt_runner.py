"""Posting functions into the window's thread: the only Qt the runner needs."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot


class Poster(QObject):
    """`post(f)` from any thread runs f in the thread this object was made in, through a queued signal."""

    _posted = Signal(object)

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        super().__init__()
        self._failed = failed
        self._open = True
        self._posted.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def post(self, function: Callable[[], None]) -> None:
        """Queue a function."""
        if self._open:
            self._posted.emit(function)

    def close(self) -> None:
        """Drop what is queued and what still comes."""
        self._open = False

    @Slot(object)
    def _run(self, function: Callable[[], None]) -> None:
        if not self._open:
            return
        try:
            function()
        except Exception as error:  # an exception in a slot would abort the process: show it
            self._failed(error)
