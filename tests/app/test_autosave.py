"""Autosave: what kill -9 leaves is offered, what runs is not touched, what is damaged is kept aside."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.files.autosave import (
    EARLIER,
    FOLDER,
    Autosave,
    Left,
    Lock,
    OwnFile,
    left_behind,
    read_autosave,
    write_autosave,
)
from app.viewmodel.files.sessions import SavedSession
from app.viewmodel.state.playback import Playback
from app.viewmodel.state.setup import Setup
from app.viewmodel.state.view import View
from physics.errors import InputError
from tests.app.fakes import FakeDialogs, prompt_session, texts
from tests.patience import PATIENCE

HEADLESS = """
import sys, time
from pathlib import Path
from app.viewmodel.session import Session
from tests.app.fakes import prompt_session
session = prompt_session(Path(sys.argv[1]))
session.system.choose_seed(int(sys.argv[2]))
session.world.rotate(0, 2, 40.0)
while True:
    session.autosave.tick()
    time.sleep(0.01)
"""

WINDOW = """
import sys
from PySide6.QtCore import QTimer
from app.views.start import run
def opened(window):
    QTimer.singleShot(200, lambda: window.session.system.choose_seed(int(sys.argv[2])))
run((), opened)
"""


def kept(seed=5, written=None, **changes) -> Autosave:
    session = SavedSession(Setup(seed=seed, model="fake", **changes), View(show_help=False), Playback(), (0, 1))
    return Autosave(session, "", time.time() if written is None else written)


def leave(folder, name="1-a", **given) -> None:
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    write_autosave(folder / FOLDER / f"{name}.json", kept(**given))


def after_a_kill(folder, to):
    """A configuration folder as killed windows of another one would leave it: their locks are free."""
    shutil.copytree(folder / FOLDER, to / FOLDER, ignore=shutil.ignore_patterns("*.lock"))
    return to


def files(folder) -> list[str]:
    return sorted(p.name for p in (folder / FOLDER).iterdir())


def let_go(found: list[Left]) -> None:
    for left in found:
        left.let_go()


def killed(folder, seed: int, code: str = HEADLESS) -> None:
    """Run a session until its autosave is there, and kill it without warning."""
    before = set((folder / FOLDER).glob("*.json"))
    command = [sys.executable, "-c", code, str(folder), str(seed)]
    process = subprocess.Popen(
        command, stderr=subprocess.DEVNULL, env={**os.environ, "ISOTWIN_CONFIG": str(folder)}
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not any(
            f'"seed": {seed}' in p.read_text() for p in set((folder / FOLDER).glob("[0-9]*.json")) - before
        ):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_only_what_has_changed_is_written_and_a_clean_exit_leaves_nothing(tmp_path):
    session = prompt_session(tmp_path)
    session.autosave.tick()
    session.clock.tick(0.1)
    session.autosave.tick()
    assert not (tmp_path / FOLDER).exists()
    session.system.choose_seed(8)
    session.autosave.tick()
    session.autosave.flush()
    (path,) = (tmp_path / FOLDER).glob("*.json")
    assert read_autosave(path).session.setup.seed == 8
    stamp = path.stat().st_mtime_ns
    session.autosave.tick()
    session.autosave.flush()
    assert path.stat().st_mtime_ns == stamp
    session.close()
    session.close()
    assert files(tmp_path) == []


def test_switched_off_it_writes_nothing_and_removes_what_was(tmp_path):
    session = prompt_session(tmp_path)
    session.system.choose_seed(8)
    session.autosave.tick()
    session.autosave.flush()
    session.preferences.set(autosave=False)
    session.autosave.tick()
    session.autosave.flush()
    assert files(tmp_path) == []
    session.preferences.set(autosave=True)
    session.autosave.tick()
    session.autosave.flush()
    assert len(files(tmp_path)) == 2
    session.close()


def test_killed_then_offered_then_restored(tmp_path):
    killed(tmp_path, 77)
    session = prompt_session(tmp_path)
    assert session.state.offer is None
    session.autosave.look()
    assert "Restore" in session.state.offer.accept
    assert session.state.setup.seed is None  # never silently
    other = prompt_session(tmp_path)
    other.autosave.look()
    assert other.state.offer is None  # one window asks, not all of them
    other.close()
    ACTIONS["restore"].run(session, FakeDialogs())
    assert session.state.setup.seed == 77
    assert [str(o) for o in session.state.setup.operations] == ["0-2 by 40°"]
    assert session.state.offer is None
    assert texts(session) == ("info", "session restored")
    session.autosave.flush()
    (path,) = (tmp_path / FOLDER).glob("*.json")  # its own one now
    assert read_autosave(path).session.setup.seed == 77
    session.history.undo()
    assert session.state.setup.seed is None
    session.close()
    assert files(tmp_path) == []


def test_an_answer_that_is_not_given_is_asked_for_again(tmp_path):
    killed(tmp_path, 5)
    for _ in range(2):
        session = prompt_session(tmp_path)
        session.autosave.look()
        assert session.state.offer is not None
        session.close()
    session = prompt_session(tmp_path)
    session.autosave.look()
    ACTIONS["discard-kept"].run(session, FakeDialogs())
    assert (session.state.offer, session.state.setup.seed) == (None, None)
    assert files(tmp_path) == []
    ACTIONS["restore"].run(session, FakeDialogs())
    ACTIONS["discard-kept"].run(session, FakeDialogs())
    session.close()


def test_two_crashes_are_offered_one_after_the_other_the_newest_first(tmp_path):
    leave(tmp_path, "2-old", seed=1, written=1000.0)
    leave(tmp_path, "1-new", seed=2, written=2000.0)
    os.utime(tmp_path / FOLDER / "2-old.json")  # the newest file is not the newest session
    session = prompt_session(tmp_path)
    session.autosave.look()
    session.autosave.restore()
    assert session.state.setup.seed == 2
    assert session.state.offer is not None
    session.autosave.restore()
    assert session.state.setup.seed == 1
    session.close()
    assert files(tmp_path) == []


def test_running_windows_keep_files_of_their_own(tmp_path):
    sessions = [prompt_session(tmp_path) for _ in range(3)]
    for seed, session in enumerate(sessions, 10):
        session.system.choose_seed(seed)
        session.autosave.tick()
    for session in sessions:
        session.autosave.flush()
    written = [read_autosave(p).session.setup.seed for p in (tmp_path / FOLDER).glob("*.json")]
    assert sorted(written) == [10, 11, 12]
    assert left_behind(tmp_path) == ([], [])
    sessions[0].close()
    assert len(list((tmp_path / FOLDER).glob("*.json"))) == 2
    for session in sessions[1:]:
        session.close()


def test_where_the_last_one_is_damaged_the_one_before_it_is_offered(tmp_path):
    own = OwnFile(tmp_path)
    for seed in (1, 2, 3):
        own.write(kept(seed))
    left = after_a_kill(tmp_path, tmp_path / "left")
    damaged = left / FOLDER / own.path.name
    damaged.write_bytes(damaged.read_bytes()[:100])
    session = prompt_session(left)
    session.autosave.look()
    assert "expected JSON" in texts(session)[1]
    session.autosave.restore()
    assert session.state.setup.seed == 2
    session.close()
    assert files(left) == [damaged.with_suffix(".bad").name]
    own.remove()


def test_killed_between_two_files_the_earlier_one_is_offered(tmp_path):
    own = OwnFile(tmp_path)
    own.write(kept(1))
    left = after_a_kill(tmp_path, tmp_path / "left")
    path = left / FOLDER / own.path.name
    path.replace(path.with_suffix(EARLIER))
    session = prompt_session(left)
    session.autosave.look()
    session.autosave.discard()
    session.close()
    assert files(left) == []
    own.remove()


def test_what_the_scene_editor_has_is_kept_too(tmp_path):
    session = prompt_session(tmp_path)
    session.editor.set_value(0, "x0", "0.125")
    session.editor.set_value(1, "charge", "much")
    session.autosave.tick()
    session.autosave.flush()
    draft = session.state.draft
    other = prompt_session(after_a_kill(tmp_path, tmp_path / "left"))
    other.autosave.look()
    other.autosave.restore()
    assert other.state.draft == draft
    assert other.state.draft.system.positions[0][0] == 0.125
    other.history.undo()
    assert other.state.draft is None
    other.close()
    session.close()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[: len(text) // 2], "expected JSON"),
        (lambda text: text.replace('"seed": 5', '"seed": 6'), "checksum"),
        (lambda text: text.replace('"version": 2', '"version": 9'), "version 9"),
        (lambda text: "", "expected JSON"),
    ],
)
def test_a_damaged_one_is_a_message_and_kept_aside(tmp_path, damage, words):
    leave(tmp_path)
    path = tmp_path / FOLDER / "1-a.json"
    bad = damage(path.read_text())
    path.write_text(bad)
    session = prompt_session(tmp_path)
    session.autosave.look()
    kind, text = texts(session)
    assert kind == "error"
    assert words in text
    assert "\n" not in text
    assert session.state.offer is None
    assert files(tmp_path) == ["1-a.bad"]
    assert (tmp_path / FOLDER / "1-a.bad").read_text() == bad
    session.close()


def test_numbers_out_of_range_are_refused_with_a_right_checksum(tmp_path):
    leave(tmp_path, dims=99)
    with pytest.raises(InputError, match=r"setup\.dims: 99"):
        read_autosave(tmp_path / FOLDER / "1-a.json")


def test_the_valid_one_of_many_is_found(tmp_path):
    leave(tmp_path, "1-a", seed=1, written=10.0)
    for name in ("2-b", "3-c"):
        (tmp_path / FOLDER / f"{name}.json").write_text("{")
    (tmp_path / FOLDER / ".1-a-x.part.json").write_text("half written")
    session = prompt_session(tmp_path)
    session.autosave.look()
    assert "and 1 more" in texts(session)[1]
    session.autosave.restore()
    assert session.state.setup.seed == 1
    session.close()
    assert files(tmp_path) == ["2-b.bad", "3-c.bad"]


def test_where_it_cannot_be_written_it_is_said_once(tmp_path):
    (tmp_path / FOLDER).write_text("a file in the way")
    session = prompt_session(tmp_path)
    for seed in (1, 2):
        session.system.choose_seed(seed)
        session.autosave.tick()
        session.autosave.flush()
        assert texts(session)[1].startswith("not autosaved") == (seed == 1)
        session.dismiss()
    session.close()


def test_a_lock_dies_with_its_holder(tmp_path):
    first, second = Lock(tmp_path / "x"), Lock(tmp_path / "x")
    assert first.take()
    assert not second.take()
    first.release(remove=False)
    assert second.take()
    second.release(remove=True)
    assert not (tmp_path / "x").exists()


def test_own_files_have_names_of_their_own(tmp_path):
    assert OwnFile(tmp_path).path != OwnFile(tmp_path).path


def test_the_digest_covers_all_of_it():
    saved = kept().sealed()
    assert replace(saved, digest="x").sealed() == saved
    assert replace(saved, path="other").sealed().digest != saved.digest
    assert replace(saved, written=0.0).sealed().digest != saved.digest


@pytest.mark.gui
def test_the_real_window_killed_and_restored(open_window, qtbot, own_config):
    from PySide6.QtCore import Qt

    killed(own_config, 41, WINDOW)
    window = open_window(folder=own_config)
    card = window.overlays.offer
    qtbot.waitUntil(card.isVisible)
    assert window.session.state.setup.seed != 41
    assert window.viewport.widget.rect().contains(card.geometry())
    qtbot.mouseClick(card.accept, Qt.MouseButton.LeftButton)
    assert window.session.state.setup.seed == 41
    assert not card.isVisible()
    window.close()
    assert files(own_config) == []
    assert json.loads((own_config / "preferences.json").read_text())["content"]["autosave"]
