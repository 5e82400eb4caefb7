"""The command palette without a window: what it lists and how it searches."""

import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.actions.palette import CHOICES, entries, found, match_cost
from app.viewmodel.presenters.catalogue import Catalogue
from app.viewmodel.state.playback import SPEEDS
from app.viewmodel.state.preferences import Preferences
from app.viewmodel.state.view_state import ViewState
from tests.app.fakes import FakeDialogs, prompt_session

CATALOGUE = Catalogue(
    {"bound": "Bound charges", "hexagon": "Hexagon"}, ("egnn-nd", "gnn-nbody"), {"1-a": "A lesson"}
)


def chosen(query, session):
    listed = entries(ACTIONS, session.state, CATALOGUE)
    found(listed, query)[0].run(session, FakeDialogs())
    return session.state


def test_everything_is_listed_once_and_nothing_searched_shows_all():
    listed = entries(ACTIONS, ViewState(preferences=Preferences(recent=("/a/b.toml",))), CATALOGUE)
    assert len({(e.group, e.title) for e in listed}) == len(listed)
    assert {e.title for e in listed} >= {a.title for n, a in ACTIONS.items() if n != "palette"}
    assert found(listed, "") == found(listed, "  ") == listed
    assert found(listed, "qqqq") == []
    assert {e.group for e in listed} >= {c.group for c in CHOICES.values()}


@pytest.mark.parametrize(
    ("query", "first"),
    [("undo", "Undo"),
     ("rand rot", "Random rotation"), ("hexa", "Hexagon (hexagon)"), ("cpcmd", "Copy as command line"),
     ("clamp", "Clamped law"), ("4× speed", "4×")],
)  # fmt: skip
def test_the_best_comes_first(query, first):
    assert found(entries(ACTIONS, ViewState(), CATALOGUE), query)[0].title == first


def test_choices_do_what_they_say():
    session = prompt_session(dims=4)
    assert chosen("scenario hexagon", session).setup.scenario == "hexagon"
    assert chosen("second model gnn", session).setup.contrast == "gnn-nbody"
    assert chosen("second model none", session).setup.contrast == ""
    assert chosen("plane 1-2", session).plane == (1, 2)
    assert chosen(f"speed {SPEEDS[-1]:g}×", session).playback.speed == SPEEDS[-1]
    assert chosen("model egnn", prompt_session()).setup.model == "egnn-nd"


def test_scores():
    assert match_cost("", "anything") == 0
    assert match_cost("xyz", "random") is None
    assert (
        match_cost("rot", "Random rotation")
        < match_cost("otat", "Random rotation")
        < match_cost("rdro", "Random rotation")
    )
    assert match_cost("rotation random", "Random rotation") == 0
