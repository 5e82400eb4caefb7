"""Going through a lesson."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.viewmodel.state.lessons import load_lesson, setup_at
from app.viewmodel.state.view_state import RunningLesson
from physics.errors import InputError

if TYPE_CHECKING:
    from app.viewmodel.session import Session


class LessonIntents:
    """Starts a lesson, sets its steps up, takes answers."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def start(self, name: str) -> None:
        """Open a lesson at its first step."""
        try:
            lesson = load_lesson(name)
        except InputError as error:
            self._session.say(str(error), "error")
            return
        self._session.clear()
        self._session.publish(lesson=RunningLesson(name, lesson))
        self.go(0)

    def go(self, at: int) -> None:
        """Go to a step and set it up; nothing outside the lesson."""
        session = self._session
        running = session.state.lesson
        if running is None or not 0 <= at < len(running.lesson.steps):
            return
        lesson, step = running.lesson, running.lesson.steps[at]
        session.remember()
        setup = setup_at(lesson, at) if at < running.at else step.setup
        now = session.state
        changes: dict[str, Any] = {}
        if step.view is not None:
            changes["view"] = replace(step.view, theme=now.view.theme)
        if step.playback is not None:
            changes["playback"] = step.playback
            session.comparison.resume_at = step.playback.position
        if step.plane is not None:
            changes["plane"] = step.plane
        session.tours.pause()
        # the setup first: while it is made, no condition is looked at
        if setup is not None and setup != now.setup:
            session.publish(**changes, busy=True, lesson=replace(running, at=at))
            session.comparison.use(setup)
        else:
            session.comparison.resume_at = None
            session.publish(**changes, lesson=replace(running, at=at))
            session.comparison.settle()

    def next(self) -> None:
        """The step after this one; after the last one the lesson is over."""
        running = self._session.state.lesson
        if running is None:
            return
        if running.at + 1 < len(running.lesson.steps):
            self.go(running.at + 1)
        else:
            self.stop()

    def back(self) -> None:
        """The step before this one."""
        running = self._session.state.lesson
        if running is not None:
            self.go(running.at - 1)

    def answer(self, choice: int) -> None:
        """Answer the question of this step; the first answer stands."""
        running = self._session.state.lesson
        if running is None:
            return
        question = running.lesson.steps[running.at].question
        if question is not None and 0 <= choice < len(question.choices) and running.at not in running.answers:
            answers = {**running.answers, running.at: choice}
            self._session.publish(lesson=replace(running, answers=answers))

    def stop(self) -> None:
        """Leave the lesson; what is shown stays."""
        self._session.publish(lesson=None)
