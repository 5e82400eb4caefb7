"""The lessons: a list to choose from, then one step after the other."""

from functools import partial

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from app.viewmodel.presenters.catalogue import Catalogue
from app.viewmodel.session import Session
from app.viewmodel.state.lessons import RunningLesson
from app.viewmodel.state.view_state import ViewState
from app.views import widgets as ui

DONE, OPEN, HERE = "✓", "○", "●"

LAYERS = 4
"""Layouts that tell one after the other: reader, panel, what scrolls, and again where the bar narrows them."""


class Wrapped(QLabel):
    """Text in lines that is never squeezed: where it is low, the panel scrolls."""

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def setText(self, text: str) -> None:  # noqa: N802  (Qt's name)
        """As QLabel, and as high as the text needs."""
        super().setText(text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  (Qt's name)
        """As high as the text needs at this width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setMinimumHeight(0)  # of the text before, which heightForWidth would keep
        self.setMinimumHeight(max(self.heightForWidth(self.width()), 0))


class LessonPanel(QWidget):
    """Shows step k of m with its text, its task and its tick."""

    def __init__(self, session: Session, catalogue: Catalogue) -> None:
        super().__init__()
        self._session = session
        self._shown: object = ()
        self.chooser, self.reader = QWidget(), QWidget()
        ui.filled(QVBoxLayout(self), self.chooser, self.reader)
        self.starts = self._build_chooser(catalogue)
        self._build_reader()

    def _build_chooser(self, catalogue: Catalogue) -> dict[str, QPushButton]:
        note = ui.label("Each takes about ten minutes and sets up the window for you.", wraps=True)
        start = self._session.lessons.start
        starts = {
            name: ui.button(title, "", partial(start, name), small=False, name="choice")
            for name, title in catalogue.lessons.items()
        }
        ui.filled(QVBoxLayout(self.chooser), note, *starts.values(), spacing=6)
        return starts

    def _build_reader(self) -> None:
        lessons = self._session.lessons
        self.place, self.title, self.text = Wrapped("muted"), Wrapped("heading"), Wrapped()
        self.task, self.question, self.explanation = Wrapped("task"), Wrapped(), Wrapped("muted")
        tip = "Close the lesson; what is shown stays"
        self.leave = ui.button("Leave", tip, lessons.stop, small=False)
        self.back = ui.button("Back", "Previous step (PgUp)", lessons.back, small=False)
        self.next = ui.button("Next", "Next step (PgDown)", lessons.next, small=False)
        self.marks = ui.label()
        self.marks.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.choices: list[QPushButton] = []
        self._choices = ui.filled(QVBoxLayout(), spacing=4)
        steps = ui.row(self.leave, (self.marks, 1), self.back, self.next)
        texts = (self.place, self.title, self.text, self.task, self.question)
        ui.filled(QVBoxLayout(self.reader), steps, *texts, self._choices, self.explanation, spacing=7)

    def show_state(self, state: ViewState) -> None:
        """Draw the lesson if it has changed."""
        if state.lesson is self._shown:
            return
        self._shown = state.lesson
        self.chooser.setVisible(state.lesson is None)
        self.reader.setVisible(state.lesson is not None)
        if state.lesson is not None:
            self._show(state.lesson)

    def _show(self, running: RunningLesson) -> None:
        lesson, at = running.lesson, running.at
        step, last = lesson.steps[at], len(lesson.steps) - 1
        done = at in running.done
        marks = [HERE if k == at else DONE if k in running.done else OPEN for k in range(last + 1)]
        self.marks.setText(" ".join(marks))
        self.place.setText(f"{lesson.title}: step {at + 1} of {last + 1}")
        self.title.setText(step.title)
        self.text.setText(step.text)
        self.task.setText(f"{DONE if done else OPEN}  {step.task}")
        self.task.setVisible(bool(step.task))
        self.task.setProperty("done", done)
        ui.restyle(self.task)
        self._ask(running)
        self.back.setEnabled(at > 0)
        self.next.setText("Finish" if at == last else "Next")
        primary = done or (not step.condition and step.question is None)
        ui.restyle(self.next, "primary" if primary else "")
        for _ in range(LAYERS):  # at once: texts that wait for more room overlap meanwhile
            QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)

    def _ask(self, running: RunningLesson) -> None:
        question = running.lesson.steps[running.at].question
        self.question.setVisible(question is not None)
        ui.discard(self._choices, self.choices)
        self.choices = []
        given = running.answers.get(running.at)
        self.explanation.setVisible(question is not None and given is not None)
        if question is None:
            return
        self.question.setText(question.text)
        for k, choice in enumerate(question.choices):
            mark = "" if given is None else f"{DONE} " if k == question.answer else "✗ " if k == given else ""
            answer = partial(self._session.lessons.answer, k)
            button = ui.button(f"{mark}{choice}", "", answer, small=False, name="choice")
            button.setEnabled(given is None)
            self._choices.addWidget(button)
            button.setMinimumHeight(button.sizeHint().height())
            self.choices.append(button)
        right = given == question.answer
        self.explanation.setText(f"{'Right. ' if right else 'Not quite. '}{question.explanation}")
