"""The lessons: a list to choose from, then one step after the other."""

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.viewmodel.presenters.catalogue import Catalogue
from app.viewmodel.session import Session
from app.viewmodel.state.lessons import RunningLesson
from app.viewmodel.state.view_state import ViewState

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
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.chooser, self.reader = QWidget(), QWidget()
        column.addWidget(self.chooser)
        column.addWidget(self.reader)
        self.starts = self._build_chooser(catalogue)
        self._build_reader()

    def _build_chooser(self, catalogue: Catalogue) -> dict[str, QPushButton]:
        column = QVBoxLayout(self.chooser)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        note = QLabel("Each takes about ten minutes and sets up the window for you.")
        note.setObjectName("muted")
        note.setWordWrap(True)
        column.addWidget(note)
        starts = {}
        for name, title in catalogue.lessons.items():
            button = QPushButton(title)
            button.setObjectName("choice")
            button.clicked.connect(lambda _=False, name=name: self._session.lessons.start(name))
            column.addWidget(button)
            starts[name] = button
        return starts

    def _build_reader(self) -> None:
        session = self._session
        column = self._column = QVBoxLayout(self.reader)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(7)
        self.place, self.title, self.text = Wrapped("muted"), Wrapped("heading"), Wrapped()
        self.task, self.question, self.explanation = Wrapped("task"), Wrapped(), Wrapped("muted")
        row = QHBoxLayout()
        self.leave, self.back, self.next = QPushButton("Leave"), QPushButton("Back"), QPushButton("Next")
        self.leave.setToolTip("Close the lesson; what is shown stays")
        self.back.setToolTip("Previous step (PgUp)")
        self.next.setToolTip("Next step (PgDown)")
        self.leave.clicked.connect(session.lessons.stop)
        self.back.clicked.connect(session.lessons.back)
        self.next.clicked.connect(session.lessons.next)
        self.marks = QLabel()
        self.marks.setObjectName("muted")
        row.addWidget(self.leave)
        row.addWidget(self.marks, 1, Qt.AlignmentFlag.AlignCenter)
        row.addWidget(self.back)
        row.addWidget(self.next)
        column.addLayout(row)
        for label in (self.place, self.title, self.text, self.task, self.question):
            column.addWidget(label)
        self._choices = QVBoxLayout()
        self._choices.setSpacing(4)
        self.choices: list[QPushButton] = []
        column.addLayout(self._choices)
        column.addWidget(self.explanation)

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
        self.task.style().unpolish(self.task)  # the style depends on it
        self.task.style().polish(self.task)
        self._ask(running)
        self.back.setEnabled(at > 0)
        self.next.setText("Finish" if at == last else "Next")
        primary = done or (not step.condition and step.question is None)
        self.next.setObjectName("primary" if primary else "")
        self.next.style().unpolish(self.next)
        self.next.style().polish(self.next)
        for _ in range(LAYERS):  # at once: texts that wait for more room overlap meanwhile
            QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)

    def _ask(self, running: RunningLesson) -> None:
        question = running.lesson.steps[running.at].question
        self.question.setVisible(question is not None)
        for button in self.choices:
            self._choices.removeWidget(button)
            button.hide()  # at once: it is deleted a moment later
            button.deleteLater()
        self.choices = []
        given = running.answers.get(running.at)
        self.explanation.setVisible(question is not None and given is not None)
        if question is None:
            return
        self.question.setText(question.text)
        for k, choice in enumerate(question.choices):
            mark = "" if given is None else f"{DONE} " if k == question.answer else "✗ " if k == given else ""
            button = QPushButton(f"{mark}{choice}")
            button.setObjectName("choice")
            button.setEnabled(given is None)
            button.clicked.connect(lambda _=False, k=k: self._session.lessons.answer(k))
            self._choices.addWidget(button)
            button.setMinimumHeight(button.sizeHint().height())
            self.choices.append(button)
        right = given == question.answer
        self.explanation.setText(f"{'Right. ' if right else 'Not quite. '}{question.explanation}")
