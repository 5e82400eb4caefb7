"""Lessons: TOML files in resources/lessons, read with every value checked."""

import tomllib
from pathlib import Path
from typing import Any

from app.viewmodel.files.documents import checked
from app.viewmodel.files.sessions import SavedSession, check_session
from app.viewmodel.state.conditions import CONDITIONS
from app.viewmodel.state.lessons import Lesson, LessonStep
from app.viewmodel.state.playback import Playback
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.view import View
from physics.errors import InputError, unknown_name
from physics.files import bounded_text
from resources import LESSONS

LIMIT = 1 << 16
"""Bytes of a lesson."""


MAX_DOTS = 4
"""In a key: tomllib needs quadratic time for dotted ones."""


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
