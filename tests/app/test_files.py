"""What is written and opened: exports that report, fail, are cancelled; files of every kind, and garbage."""

from dataclasses import replace

import pytest

from app.viewmodel.files.sessions import SavedSession, save_session
from app.viewmodel.session import Session
from app.viewmodel.state.playback import Playback
from app.viewmodel.state.setup import Setup, Turn
from app.viewmodel.state.view import View
from app.viewmodel.state.view_state import ViewState
from tests.app.fakes import PromptRunner, later_session, prompt_session, texts


def test_an_export_reports_and_ends():
    session, runner = later_session()
    session.export.start("out/film", ("mp4", "npz"))
    request, callbacks = runner.pending.pop()
    assert (request.folder, request.formats, request.setup) == ("out/film", ("mp4", "npz"), session.state.setup)
    assert session.state.export_progress == 0.0
    callbacks.progress(0.4)
    assert session.state.export_progress == 0.4
    callbacks.progress(1.7)
    assert session.state.export_progress == 1.0
    session.export.start("out/second", ("npz",))
    assert runner.pending == []
    callbacks.done(["out/film/comparison.mp4", "out/film/metrics.json"])
    assert session.state.export_progress is None
    assert texts(session) == ("info", "exported 2 files to out/film")
    session.export.start("out/second", ("npz",))
    assert len(runner.pending) == 1


def test_the_export_is_of_what_is_shown():
    session, runner = later_session()
    shown = session.state.setup
    session.world.rotate(0, 1, 10.0)
    session.export.start("out", ("npz",))
    assert runner.asked[-1].setup == shown


def test_a_failed_export_says_why():
    session, runner = later_session()
    session.export.start("out", ("npz",))
    runner.fail("out: disk full")
    assert session.state.export_progress is None
    assert texts(session) == ("error", "out: disk full")
    session.export.start("out", ("npz",))
    assert session.state.export_progress == 0.0


def test_a_cancelled_export_does_not_disturb_the_next():
    session, runner = later_session()
    session.export.cancel()
    session.export.start("out/a", ("mp4",))
    session.export.cancel()
    assert runner.jobs[-1].cancelled
    assert session.state.export_progress is None
    assert texts(session) == ("info", "export cancelled")
    session.export.start("out/b", ("mp4",))
    (_, first), (_, second) = runner.pending
    first.progress(0.9)
    assert session.state.export_progress == 0.0
    first.failed("ExportCancelled: export cancelled")
    assert session.state.export_progress == 0.0
    assert session.state.message is None
    second.done(["out/b/comparison.mp4"])
    assert texts(session) == ("info", "exported 1 files to out/b")


def test_an_export_that_ends_at_once():
    session = prompt_session()
    session.export.start("out/x", ("npz", "csv"))
    assert session.state.export_progress is None
    assert texts(session)[1] == "exported 2 files to out/x"
    session.export.start("out/y", ("npz",))
    assert texts(session)[1] == "exported 1 files to out/y"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Setup(scenario="mine.toml"), {"scenario": "mine.toml"}),
        (Setup(scenario="", data="d.zarr", split="train"), {"scenario": "", "data": "d.zarr", "split": "train"}),
        (Setup(scenario="", model="runs/a"), {"model": "runs/a", "operations": (Turn(0, 1, 9.0),)}),
    ],
)
def test_opening(found, expected):
    session = Session(PromptRunner(found=lambda _: found), ViewState(setup=Setup(model="fake")))
    session.start()
    session.world.rotate(0, 1, 9.0)
    session.files.open("/some/where/file")
    assert session.state.setup == replace(Setup(model="fake"), **expected)
    assert texts(session) == ("info", "opened file")


def test_opening_garbage_keeps_everything():
    session, runner = later_session()
    shown = session.state
    session.files.open("junk.bin")
    assert runner.asked == ["junk.bin"]
    runner.fail("junk.bin: not something to open")
    assert session.state.setup == shown.setup
    assert session.state.result is shown.result
    assert texts(session) == ("error", "junk.bin: not something to open")


def test_a_session_file_that_fails_leaves_clock_and_plane_within_the_picture(tmp_path):
    path = tmp_path / "far.json"
    save_session(path, SavedSession(Setup(scenario="free-6d", model="x"), View(), Playback(1e6), (4, 5)))
    session, runner = later_session()
    session.files.open(str(path))
    runner.fail("no such model")
    state = session.state
    assert state.playback.position <= state.n_frames - 1
    assert state.plane in state.planes
