"""Guided sessions as data, and how far the user is in one.

A step has a text, what is set up for it, what the user should do, and the name of a condition
(`app.viewmodel.state.conditions`) that ticks it; a question ticks it when it is answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.viewmodel.state.playback import Playback
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.view import View


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


@dataclass(frozen=True, eq=False)
class RunningLesson:
    """How far the user is in a lesson.

    Attributes
    ----------
    name : str
    lesson : Lesson
    at : int
        The step that is shown.
    done : frozenset of int
        Steps that are ticked.
    answers : mapping of int to int
        The choice for the question of a step.
    """

    name: str
    lesson: Lesson
    at: int = 0
    done: frozenset[int] = frozenset()
    answers: Mapping[int, int] = field(default_factory=dict)


def setup_at(lesson: Lesson, at: int) -> Setup | None:
    """What a step is about: its own setup, else that of the last step before it that has one."""
    found = [step.setup for step in lesson.steps[: at + 1] if step.setup is not None]
    return found[-1] if found else None
