"""Going through a lesson."""

from dataclasses import replace
from typing import Any

from app.viewmodel.files.lessons import load_lesson
from app.viewmodel.intents.comparison import ComparisonIntents
from app.viewmodel.intents.overlays import OverlayIntents
from app.viewmodel.intents.tours import TourIntents
from app.viewmodel.state.lessons import RunningLesson, setup_at
from app.viewmodel.store import Store
from physics.errors import InputError


class LessonIntents:
    """Starts a lesson, sets its steps up, takes answers."""

    def __init__(
        self, store: Store, comparison: ComparisonIntents, tours: TourIntents, overlays: OverlayIntents
    ) -> None:
        self._store, self._comparison = store, comparison
        self._tours, self._overlays = tours, overlays

    def start(self, name: str) -> None:
        """Open a lesson at its first step."""
        try:
            lesson = load_lesson(name)
        except InputError as error:
            self._store.say(str(error), "error")
            return
        self._overlays.clear()
        self._store.publish(lesson=RunningLesson(name, lesson))
        self.go(0)

    def go(self, at: int) -> None:
        """Go to a step and set it up; nothing outside the lesson."""
        store = self._store
        running = store.state.lesson
        if running is None or not 0 <= at < len(running.lesson.steps):
            return
        lesson, step = running.lesson, running.lesson.steps[at]
        store.remember()
        setup = setup_at(lesson, at) if at < running.at else step.setup
        now = store.state
        changes: dict[str, Any] = {}
        if step.view is not None:
            changes["view"] = replace(step.view, theme=now.view.theme)
        if step.playback is not None:
            changes["playback"] = step.playback
            self._comparison.resume_at = step.playback.position
        if step.plane is not None:
            changes["plane"] = step.plane
        self._tours.pause()
        # the setup first: while it is made, no condition is looked at
        if setup is not None and setup != now.setup:
            store.publish(**changes, busy=True, lesson=replace(running, at=at))
            self._comparison.use(setup)
        else:
            self._comparison.resume_at = None
            store.publish(**changes, lesson=replace(running, at=at))
            self._comparison.settle()

    def next(self) -> None:
        """The step after this one; after the last one the lesson is over."""
        running = self._store.state.lesson
        if running is None:
            return
        if running.at + 1 < len(running.lesson.steps):
            self.go(running.at + 1)
        else:
            self.stop()

    def back(self) -> None:
        """The step before this one."""
        running = self._store.state.lesson
        if running is not None:
            self.go(running.at - 1)

    def answer(self, choice: int) -> None:
        """Answer the question of this step; the first answer stands."""
        running = self._store.state.lesson
        if running is None:
            return
        question = running.lesson.steps[running.at].question
        if question is not None and 0 <= choice < len(question.choices) and running.at not in running.answers:
            answers = {**running.answers, running.at: choice}
            self._store.publish(lesson=replace(running, answers=answers))

    def stop(self) -> None:
        """Leave the lesson; what is shown stays."""
        self._store.publish(lesson=None)
