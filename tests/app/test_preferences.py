"""Preferences: written whole, read with every value checked, a bad file kept aside."""

import json

import pytest

from app.viewmodel.files.documents import checked, plain, read_document, write_document
from app.viewmodel.files.preferences import FILE, config_folder, load_preferences, save_preferences
from app.viewmodel.session import Session
from app.viewmodel.state.preferences import Preferences
from app.viewmodel.state.setup import RandomTurn, Reflect, Setup, Turn
from app.viewmodel.state.view import View
from physics.errors import InputError
from tests.app.fakes import PromptRunner


def test_they_come_back(tmp_path):
    folder = tmp_path / "new" / "folder"
    assert load_preferences(folder) == (Preferences(), "")
    kept = Preferences(theme="light", trail=15, loop=False, recent=("/a b/c.toml",))
    save_preferences(folder, kept)
    assert load_preferences(folder) == (kept, "")
    assert [p.name for p in folder.iterdir()] == [FILE]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d | {"version": 99}, "version 99; expected 1"),
        (lambda d: d | {"isotwin": "session"}, "expected an Isotwin preferences file"),
        (
            lambda d: d | {"content": d["content"] | {"theme": "pink"}},
            "theme: 'pink'; expected one of 'dark', 'light'",
        ),
        (lambda d: d | {"content": d["content"] | {"trail": True}}, "trail: True; expected a whole number"),
        (lambda d: d | {"content": d["content"] | {"colour": 1}}, "unknown field 'colour'"),
        (lambda d: d | {"content": d["content"] | {"recent": [1]}}, "recent[0]: 1; expected text"),
        (lambda d: [], "expected an Isotwin preferences file"),
    ],
)
def test_a_bad_file_is_one_line_and_kept_aside(tmp_path, change, words):
    save_preferences(tmp_path, Preferences())
    path = tmp_path / FILE
    bad = json.dumps(change(json.loads(path.read_text())))
    path.write_text(bad)
    preferences, trouble = load_preferences(tmp_path)
    assert preferences == Preferences()
    assert words in trouble
    assert str(path) in trouble
    assert "\n" not in trouble
    assert (tmp_path / "preferences.bad.json").read_text() == bad
    assert load_preferences(tmp_path) == (Preferences(), "")


def test_a_torn_file_names_the_line(tmp_path):
    (tmp_path / FILE).write_text('{"isotwin":\n "pref')
    assert "line 2" in load_preferences(tmp_path)[1]


def test_setups_and_views_come_back(tmp_path):
    setup = Setup(dims=5, operations=(Turn(0, 4, 12.5), RandomTurn(3), Reflect(1)))
    for value in (setup, View(axes=(0, 1, 4), colour_by="error")):
        write_document(tmp_path / "x.json", "thing", 2, value)
        assert read_document(tmp_path / "x.json", "thing", 2, type(value)) == value
    for wrong in (
        {"kind": "Spiral"},
        {"kind": "Turn", "i": 0},
        {"kind": "Turn", "i": 0, "j": 1, "degrees": 1e999},
    ):
        with pytest.raises(InputError, match=r"operations\[0\]"):
            checked(Setup, plain(setup) | {"operations": [wrong]}, "")


def test_the_folder_follows_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("ISOTWIN_CONFIG", str(tmp_path / "mine"))
    assert config_folder() == tmp_path / "mine"


def test_a_session_uses_and_stores_them(tmp_path):
    session = Session(PromptRunner(), folder=tmp_path)
    session.preferences.set(theme="light", trail=15, loop=False, model="egnn-nd")
    assert (session.state.view.theme, session.state.view.trail, session.state.playback.loop) == (
        "light",
        15,
        False,
    )
    assert load_preferences(tmp_path)[0] == session.state.preferences
    session.view.toggle_theme()
    assert load_preferences(tmp_path)[0].theme == "dark"
    session.preferences.add_recent("b.toml")
    session.preferences.reset()
    assert session.state.preferences.model == ""
    assert len(session.state.preferences.recent) == 1
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    broken = Session(PromptRunner(), folder=in_the_way)
    broken.preferences.set(theme="light")
    assert broken.state.message.text.startswith("preferences not stored")


def test_playing_once_stops_at_the_end_and_starts_again():
    from tests.app.fakes import prompt_session

    session = prompt_session()
    session.clock.toggle_loop()
    session.clock.tick(100.0)
    assert (session.state.frame, session.state.playback.playing) == (11, False)
    session.clock.toggle_play()
    assert (session.state.frame, session.state.playback.playing) == (0, True)
