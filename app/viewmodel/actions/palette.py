"""What the command palette lists, and how it is searched: actions, and choices that need an argument."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.viewmodel.actions import Action, Dialogs
from app.viewmodel.presenters.catalogue import Catalogue
from app.viewmodel.session import Session
from app.viewmodel.state.playback import SPEEDS
from app.viewmodel.state.view_state import ViewState

Run = Callable[[Session, Dialogs], None]


@dataclass(frozen=True)
class Entry:
    """A line of the palette."""

    title: str
    group: str
    shortcut: str
    run: Run


@dataclass(frozen=True)
class Choice:
    """A list of things to choose one from.

    Attributes
    ----------
    group : str
    options : callable
        Titles and values, as the state and what is shipped allow.
    choose : callable
        What is done with a value.
    """

    group: str
    options: Callable[[ViewState, Catalogue], Iterable[tuple[str, Any]]]
    choose: Callable[[Session, Any], None]


CHOICES: dict[str, Choice] = {
    "scenario": Choice(
        "Scenario",
        lambda state, catalogue: [(f"{title} ({name})", name) for name, title in catalogue.scenarios.items()],
        lambda session, name: session.system.choose_scenario(name),
    ),
    "model": Choice(
        "Model",
        lambda state, catalogue: [(name, name) for name in (*catalogue.models, *state.models.opened)],
        lambda session, name: session.system.choose_model(name),
    ),
    "contrast": Choice(
        "Second model",
        lambda state, catalogue: [
            ("none", ""),
            *((name, name) for name in (*catalogue.models, *state.models.opened)),
        ],
        lambda session, name: session.system.choose_contrast(name),
    ),
    "plane": Choice(
        "Rotation plane",
        lambda state, catalogue: [(f"{i}-{j}", (i, j)) for i, j in state.planes],
        lambda session, plane: session.world.select_plane(*plane),
    ),
    "hidden-axis": Choice(
        "Hidden axis",
        lambda state, catalogue: [("the most hidden", None), *((f"x{k}", k) for k in range(state.n_dims))],
        lambda session, axis: session.basis.choose_hidden(axis),
    ),
    "lesson": Choice(
        "Lesson",
        lambda state, catalogue: [(title, name) for name, title in catalogue.lessons.items()],
        lambda session, name: session.lessons.start(name),
    ),
    "recent": Choice(
        "Open recent",
        lambda state, catalogue: [(path, path) for path in state.preferences.recent],
        lambda session, path: session.files.open(path),
    ),
    "speed": Choice(
        "Speed",
        lambda state, catalogue: [(f"{speed:g}×", speed) for speed in SPEEDS],
        lambda session, speed: session.clock.set_speed(speed),
    ),
}


def entries(actions: Mapping[str, Action], state: ViewState, catalogue: Catalogue) -> list[Entry]:
    """Everything there is to choose from now: the actions in their order, then the choices."""
    listed = [Entry(a.title, a.group, a.shortcut, a.run) for name, a in actions.items() if name != "palette"]
    for choice in CHOICES.values():
        for title, value in choice.options(state, catalogue):
            listed.append(Entry(title, choice.group, "", _chooser(choice, value)))
    return listed


def _chooser(choice: Choice, value: Any) -> Run:
    return lambda session, dialogs: choice.choose(session, value)


def found(listed: list[Entry], query: str) -> list[Entry]:
    """The entries that have the letters of the query in this order, best first; all of them for none."""
    costs = [match_cost(query, f"{e.title} {e.group}") for e in listed]
    return [e for cost, e in sorted(zip(costs, listed, strict=True), key=lambda x: x[0] or 0) if cost is not None]


def match_cost(query: str, text: str) -> int | None:
    """How badly the query's letters lie in the text: 0 for an empty one; None where they are not there in order.

    A word of the query that stands there in one piece costs least, less still where a word starts; gaps between
    letters cost. The words may be found in any order.
    """
    total = 0
    for word in query.lower().split():
        cost = _word_cost(word, text.lower())
        if cost is None:
            return None
        total += cost
    return total


def _word_cost(word: str, text: str) -> int | None:
    whole = text.find(word)
    if whole >= 0:
        return 0 if whole == 0 or not text[whole - 1].isalnum() else 1
    best: int | None = None
    for start in (k for k, letter in enumerate(text) if letter == word[0]):
        at, cost = start, 2 if start and text[start - 1].isalnum() else 1
        for letter in word[1:]:
            following = text.find(letter, at + 1)
            if following < 0:
                break
            gap = following - at - 1
            cost += min(gap, 3) if text[following - 1].isalnum() else min(gap, 1)
            at = following
        else:
            best = cost + 3 if best is None else min(best, cost + 3)
    return best
