"""Session files: what is saved comes back; a bad one changes nothing and says what is wrong."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.files.autosave import read_autosave
from app.viewmodel.files.sessions import load_session
from physics.errors import InputError
from surrogate.render import Camera
from tests.app.fakes import FakeDialogs, prompt_session, texts

DATA = Path(__file__).parents[1] / "data"
CAMERA = Camera((0.6, 0.0, 0.8), (0.0, 1.0, 0.0), 0.5, (0.1, 0.0, -0.2))


def saved(path):
    session = prompt_session(dims=5)
    session.world.rotate(0, 4, 30.0)
    session.view.set(axes=(0, 1, 4), colour_by="error")
    session.clock.set_speed(2.0)
    session.clock.seek(7)
    session.view.camera_moved(CAMERA)
    ACTIONS["save"].run(session, FakeDialogs(saved=str(path)))
    assert texts(session) == ("info", f"saved {path.name}")
    return session


@pytest.mark.parametrize(
    "content",
    [
        "9" * 5000,
        '{"plane": [1, 2], "playback": {"speed": 1' + "0" * 400 + "}}",
        '{"setup": {"operations": [{"kind": []}]}}',
    ],
    ids=["5000 digits", "no float", "kind of lists"],
)
def test_numbers_and_kinds_that_nobody_writes(tmp_path, content):
    path = tmp_path / "s.json"
    path.write_text(f'{{"isotwin": "session", "version": 1, "content": {content}}}')
    with pytest.raises(InputError) as caught:
        load_session(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_files_of_earlier_versions_still_open():
    """Written when the user's own system was called a scene."""
    saved = load_session(DATA / "old-session.json")
    assert saved.setup.own.title == "Two charges"
    assert saved.setup.own.velocities == ((0.0, 0.3), (0.0, -0.3))
    kept = read_autosave(DATA / "old-autosave.json")
    assert kept.session == saved
    assert kept.draft.system == replace(saved.setup.own, title="mine")
    assert kept.draft.base == saved.setup.own
    assert kept.draft.trouble() == {"mass 1": "'heavy' is not a number"}


def test_a_session_comes_back(tmp_path):
    path = tmp_path / "my session.json"
    old = saved(path).state
    session = prompt_session()
    session.files.open(str(path))
    new = session.state
    assert (new.setup, new.plane, new.playback, new.frame) == (old.setup, (0, 4), old.playback, 7)
    assert (new.view.axes, new.view.colour_by, new.view.show_help) == ((0, 1, 4), "error", False)
    assert new.camera == CAMERA
    assert new.preferences.recent == (str(path),)
    session.history.undo()
    assert session.state.setup.dims is None
    session.clock.seek(3)
    ACTIONS["save"].run(session, FakeDialogs(saved="asked again"))
    assert json.loads(path.read_text())["content"]["playback"]["position"] == 3.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["content"]["setup"].update(dims=99), "setup.dims: 99; expected 1 to 8"),
        (lambda d: d["content"]["playback"].update(speed=-1), "playback.speed: -1.0; expected"),
        (lambda d: d["content"].pop("view"), "expected also view"),
        (lambda d: d["content"]["camera"].update(up=[1.2, 0, 1.6]), "camera: towards and up must have length 1"),
        (lambda d: d["content"]["camera"].update(up=[0.6, 0, 0.8]), "camera: up must not be towards"),
        (lambda d: d["content"]["camera"].update(distance=0), "camera: distance 0; expected 0.001 to 1000"),
        (lambda d: d["content"]["camera"].update(shift=[0, 1e9, 0]), "camera: shift; expected at most 1000"),
        (lambda d: d.update(version=7), "version 7; expected 1"),
    ],
)
def test_a_bad_one_changes_nothing(tmp_path, change, words):
    path = tmp_path / "s.json"
    saved(path)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    session = prompt_session()
    before = session.state
    session.files.open(str(path))
    assert words in session.state.message.text
    assert str(path) in session.state.message.text
    assert (session.state.setup, session.state.view) == (before.setup, before.view)


def test_a_session_from_before_there_was_a_camera(tmp_path):
    path = tmp_path / "s.json"
    saved(path)
    document = json.loads(path.read_text())
    del document["content"]["camera"]
    path.write_text(json.dumps(document))
    session = prompt_session()
    session.view.camera_moved(CAMERA)
    session.files.open(str(path))
    assert session.state.camera is None
    assert session.state.setup.dims == 5


def test_the_camera_stays_while_the_world_turns_and_starts_anew_with_another_system():
    session = prompt_session()
    session.view.camera_moved(CAMERA)
    session.world.rotate(0, 1, 30.0)
    assert session.state.camera == CAMERA
    session.history.undo()
    assert session.state.camera == CAMERA  # no step of its own, and not touched by others
    session.system.choose_dims(4)
    assert session.state.camera is None


def test_where_it_cannot_be_written(tmp_path):
    session = prompt_session()
    session.files.save(str(tmp_path / "no" / "folder.json"))
    assert texts(session)[0] == "error"
    assert session.files.path == ""
