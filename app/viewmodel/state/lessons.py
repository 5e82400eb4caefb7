"""Guided sessions: TOML files in resources/lessons, read with every value checked, and how far the user is in one.

A lesson is data. A step has a text, what is set up for it, what the user should do, and the name of a condition
(`app.viewmodel.state.conditions`) that ticks it; a question ticks it when it is answered.
"""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.viewmodel.state.conditions import CONDITIONS
from app.viewmodel.state.documents import checked
from app.viewmodel.state.saved import SavedSession, check_session
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.view_state import Playback, RunningLesson, View
from physics.errors import InputError, unknown_name
from physics.files import bounded_text
from resources import LESSONS

if TYPE_CHECKING:
    from app.viewmodel.state.view_state import ViewState

LIMIT = 1 << 16
"""Bytes of a lesson."""

MAX_DOTS = 4
"""In a key: tomllib needs quadratic time for dotted ones."""


@dataclass(frozen=True)
class Question:
    """Asked in a step.

    Attributes
    ----------
    text : str
    choices : tuple of str
    answer : int
        Index of the right choice.
    explanation : str
        Shown once it is answered.
    """

    text: str
    choices: tuple[str, ...]
    answer: int
    explanation: str


@dataclass(frozen=True)
class LessonStep:
    """One page of a lesson.

    Attributes
    ----------
    title, text : str
    task : str
        What the user should do; empty for a question or a page to read.
    condition : str
        A name of CONDITIONS; ticks the step. Empty: nothing to do.
    value : str
        What the condition compares with; empty where it needs nothing.
    setup, view, playback, plane
        What is set when the step comes up; None leaves it as it is.
    question : Question or None
    """

    title: str
    text: str
    task: str = ""
    condition: str = ""
    value: str = ""
    setup: Setup | None = None
    view: View | None = None
    playback: Playback | None = None
    plane: tuple[int, int] | None = None
    question: Question | None = None


@dataclass(frozen=True)
class Lesson:
    """A guided session.

    Attributes
    ----------
    title, summary : str
    minutes : int
        About how long it takes.
    steps : tuple of LessonStep
    """

    title: str
    summary: str
    minutes: int
    steps: tuple[LessonStep, ...]


def shipped_lessons() -> dict[str, Path]:
    """Names and paths of the lessons, in their order (file names start with a number)."""
    return {path.stem: path for path in sorted(LESSONS.glob("*.toml"))}


def lesson_titles() -> dict[str, str]:
    """Names and titles of the lessons."""
    trees = {name: tomllib.loads(path.read_text(encoding="utf-8")) for name, path in shipped_lessons().items()}
    return {name: str(tree["title"]) for name, tree in trees.items()}  # the tests read the rest of them


def load_lesson(name: str) -> Lesson:
    """A lesson by its name.

    Raises
    ------
    InputError
        One line: the file, the place in it, what was expected.
    """
    shipped = shipped_lessons()
    if name not in shipped:
        raise unknown_name("lesson", name, shipped)
    return read_lesson(shipped[name])


def read_lesson(path: Path) -> Lesson:
    """A lesson from a file; InputError as for `load_lesson`."""
    text = bounded_text(path, LIMIT)
    for number, line in enumerate(text.splitlines(), 1):
        key, equals, _ = line.partition("=")
        named = (equals or line.lstrip().startswith("[")) and " " not in key.strip()
        if named and key.count(".") > MAX_DOTS:
            raise InputError(f"{path}: line {number} is too deeply nested")
    try:
        tree: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid TOML ({error})") from None
    try:
        lesson: Lesson = checked(Lesson, tree, "")
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    if not lesson.steps:
        raise InputError(f"{path}: steps: none; expected at least one")
    for number, step in enumerate(lesson.steps):
        _check_step(step, f"{path}: steps[{number}]")
    return lesson


def _check_step(step: LessonStep, where: str) -> None:
    if step.condition and step.condition not in CONDITIONS:
        raise InputError(f"{where}: {unknown_name('condition', step.condition, CONDITIONS)}")
    if step.condition and CONDITIONS[step.condition].takes_value != bool(step.value):
        wanted = "a value" if CONDITIONS[step.condition].takes_value else "no value"
        raise InputError(f"{where}: condition {step.condition!r} takes {wanted}; got {step.value!r}")
    if step.condition and not step.task:
        raise InputError(f"{where}: a condition without a task: the user must know what to do")
    if step.question is not None and step.condition:
        raise InputError(f"{where}: expected a question or a condition, not both")
    if step.question is not None and not 0 <= step.question.answer < len(step.question.choices):
        raise InputError(f"{where}: question.answer must be 0 to {len(step.question.choices) - 1}")
    plane = step.plane or (0, 1)
    check_session(
        SavedSession(step.setup or Setup(), step.view or View(), step.playback or Playback(), plane), where
    )


def setup_at(lesson: Lesson, at: int) -> Setup | None:
    """What a step is about: its own setup, else that of the last step before it that has one."""
    found = [step.setup for step in lesson.steps[: at + 1] if step.setup is not None]
    return found[-1] if found else None


def ticked(state: "ViewState") -> "ViewState":
    """The state with the present step of its lesson ticked if its condition is met."""
    running = state.lesson
    if running is None or running.at in running.done or state.busy or state.prepared is None:
        return state
    step = running.lesson.steps[running.at]
    asked = step.question is not None
    if asked:
        met = running.at in running.answers
    else:
        met = not step.condition or CONDITIONS[step.condition].met(state, step)
    if not met:
        return state
    return replace(state, lesson=replace(running, done=running.done | {running.at}))


__all__ = ["Lesson", "LessonStep", "Question", "RunningLesson", "load_lesson", "read_lesson", "setup_at", "ticked"]
