"""What works in the background: a row in the status bar for the newest job, and a small list of all of them."""

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.viewmodel.session import Session
from app.viewmodel.state.view_state import RunningJob, ViewState
from app.views import widgets as ui

PATIENCE_MILLISECONDS = 700
"""A job without a progress is shown when it has run so long: a forecast is mostly there before."""

WIDTH, BAR_WIDTH = 420, 130


class JobBar(QWidget):
    """Stands in the status bar while something works."""

    def __init__(self, window: QWidget, session: Session) -> None:
        super().__init__()
        self._session = session
        self._jobs: tuple[RunningJob, ...] = ()
        self._known: set[int] = set()
        self._old: set[int] = set()
        self.title, self.progress = QLabel(), QProgressBar()
        self.list = JobList(window, session)
        self.cancel = ui.button("Cancel", "Stop this work", self._cancel, small=False)
        tip = "All that works in the background (Ctrl+J)"
        self.more = ui.button("", tip, self.list.open_above, small=False)
        ui.filled(QHBoxLayout(self), self.title, self.progress, self.cancel, self.more)
        self.hide()

    def show_state(self, state: ViewState) -> None:
        """Draw the jobs."""
        if state.jobs == self._jobs and self._known:
            return
        self._jobs = state.jobs
        numbers = {job.number for job in state.jobs}
        for job in state.jobs:
            if job.number not in self._known and job.progress is None:
                QTimer.singleShot(PATIENCE_MILLISECONDS, self, lambda number=job.number: self._grown_old(number))
        self._known = numbers
        self._old &= numbers
        self._draw()

    def _grown_old(self, number: int) -> None:
        if number in self._known:
            self._old.add(number)
            self._draw()

    def seen(self) -> tuple[RunningJob, ...]:
        """The jobs that are worth a look."""
        return tuple(job for job in self._jobs if job.progress is not None or job.number in self._old)

    def _draw(self) -> None:
        jobs = self.seen()
        self.setVisible(bool(jobs))
        self.list.show_jobs(jobs)
        if not jobs:
            return
        newest = jobs[-1]
        self.title.setText(newest.title)
        show_progress(self.progress, newest)
        self.more.setText(f"{len(jobs)} jobs")
        self.more.setVisible(len(jobs) > 1)

    def _cancel(self) -> None:
        jobs = self.seen()
        if jobs:
            self._session.jobs.cancel(jobs[-1].number)


class JobList(QFrame):
    """All jobs, each with its progress and a button that stops it; Escape closes it."""

    def __init__(self, window: QWidget, session: Session) -> None:
        super().__init__(window)
        self.setObjectName("offer")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._window, self._session = window, session
        self._rows: dict[int, tuple[QLabel, QProgressBar, QPushButton]] = {}
        self._grid = QGridLayout()
        self._grid.setColumnStretch(0, 1)
        self.nothing = ui.label("nothing is running")
        parts = (ui.label("Background work", "heading"), self._grid, self.nothing)
        self._column = ui.filled(QVBoxLayout(self), *parts, margins=(14, 10, 14, 12))
        self.hide()

    def open_above(self) -> None:
        """Show it in the corner above the status bar; close it if it is shown."""
        if self.isVisible():
            self.hide()
            return
        self.show()
        self.place()
        self.setFocus()

    def show_jobs(self, jobs: tuple[RunningJob, ...]) -> None:
        """Draw them: rows are kept while their jobs run, so that a button does not go from under the mouse."""
        numbers = [job.number for job in jobs]
        for number in [n for n in self._rows if n not in numbers]:
            ui.discard(self._grid, self._rows.pop(number))
        for job in jobs:
            if job.number not in self._rows:
                self._rows[job.number] = self._row(job.number)
            title, progress, _ = self._rows[job.number]
            title.setText(job.title)
            show_progress(progress, job)
        self.nothing.setVisible(not jobs)
        self.place()

    def buttons(self) -> list[QPushButton]:
        """What stops each job, in their order."""
        return [button for _, _, button in self._rows.values()]

    def _row(self, number: int) -> tuple[QLabel, QProgressBar, QPushButton]:
        row = QLabel(), QProgressBar(), QPushButton("Cancel")
        row[1].setFixedWidth(BAR_WIDTH)
        row[1].setStyleSheet(f"min-width: {BAR_WIDTH}px")  # that of the status bar is wider
        for column, widget in enumerate(row):
            self._grid.addWidget(widget, number, column)
        row[2].clicked.connect(lambda: self._session.jobs.cancel(number))
        return row

    def place(self) -> None:
        """In the corner above the status bar."""
        if not self.isVisible():
            return
        self._column.activate()
        wide, tall = min(WIDTH, self._window.width() - 32), self._column.sizeHint().height()
        foot = QPoint(self._window.width() - wide - 10, self._window.height() - tall - 36)
        self.setGeometry(foot.x(), foot.y(), wide, tall)
        self.raise_()

    def event(self, event: QEvent) -> bool:
        """Escape is not for the window while the list has the keyboard."""
        override = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if override and event.key() == Qt.Key.Key_Escape:  # type: ignore[attr-defined]
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Escape closes."""
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)


def show_progress(bar: QProgressBar, job: RunningJob) -> None:
    """How far a job is; a bar without an end where that is not known."""
    bar.setRange(0, 0 if job.progress is None else 100)
    if job.progress is not None:
        bar.setValue(int(100 * job.progress))
