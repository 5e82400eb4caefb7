"""The ProcessRunner with real children, without Qt: answers, failures, kills, cancelled exports, no orphans."""

import multiprocessing
import os
import queue
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.viewmodel.session import Session
from app.viewmodel.state.setup import Setup, Turn
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.child import ENDED
from app.viewmodel.worker.export import ExportRequest
from app.viewmodel.worker.loaded_models import default_model
from app.viewmodel.worker.process_runner import ProcessRunner, sweeper
from app.viewmodel.worker.runner import Callbacks
from tests.app.fakes import texts
from tests.app.own_data import stored
from tests.patience import PATIENCE


class Loop:
    """Stands for the window's event loop: runs what the runner posts, in this thread."""

    def __init__(self) -> None:
        self._posted: queue.Queue[Callable[[], None]] = queue.Queue()
        self.post = self._posted.put

    def until(self, done: Callable[[], bool], seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, "nothing came"
            try:
                self._posted.get(timeout=0.02)()
            except queue.Empty:
                continue


def children() -> list[str]:
    return [p.name for p in multiprocessing.active_children() if p.name.startswith("isotwin")]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def loop():
    return Loop()


@pytest.fixture
def runner(loop):
    made = ProcessRunner(loop.post)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared():
    """One child for the exports' tests: a start takes three seconds."""
    loop = Loop()
    runner = ProcessRunner(loop.post)
    yield session_of(runner, loop), loop
    runner.close()


def session_of(runner: ProcessRunner, loop: Loop, **setup: object) -> Session:
    session = Session(runner, ViewState(setup=Setup(**{"scenario": "bound", "model": default_model(), **setup})))
    session.start()
    loop.until(lambda: session.state.result is not None and not session.state.busy)
    return session


def test_a_child_answers_fails_dies_and_is_replaced(runner, loop):
    session = session_of(runner, loop)
    first = session.state.result
    session.system.choose_model("no-such-model")
    loop.until(lambda: not session.state.busy)
    kind, text = texts(session)
    assert kind == "error"
    assert "no-such-model" in text
    assert session.state.result is first

    (child,) = [p for p in multiprocessing.active_children() if p.name == "isotwin forecasts"]
    session.system.choose_dims(5)
    os.kill(child.pid, signal.SIGKILL)
    loop.until(lambda: not session.state.busy)
    assert texts(session) == ("error", ENDED)
    assert session.state.setup == first.setup
    session.world.rotate(0, 1, 30.0)
    loop.until(lambda: not session.state.busy)
    assert session.state.result.setup.operations == (Turn(0, 1, 30.0),)
    assert children() == ["isotwin forecasts"]

    (child,) = [p for p in multiprocessing.active_children() if p.name == "isotwin forecasts"]
    os.kill(child.pid, signal.SIGKILL)  # this time while it has nothing to do
    child.join()
    session.world.rotate(0, 1, 10.0)
    loop.until(lambda: not session.state.busy)
    assert session.state.result.setup.operations == (Turn(0, 1, 40.0),)

    before = [p.pid for p in multiprocessing.active_children() if p.name == "isotwin forecasts"]
    session.close()
    assert all(gone(pid) for pid in before)
    assert gone(child.pid)


def test_closing_at_once(loop):
    runner = ProcessRunner(loop.post)
    failed: list[str] = []
    runner.submit(Setup(), Callbacks(lambda _: failed.append("done"), failed.append))
    runner.submit(ExportRequest(Setup(), str(Path("nowhere")), ("npz",)), Callbacks(lambda _: None, failed.append))
    runner.close()
    runner.close()
    assert children() == []
    time.sleep(0.1)
    with pytest.raises(AssertionError, match="nothing came"):
        loop.until(lambda: False, 0.2)
    assert failed == []
    assert not Path("nowhere").exists()


def test_an_export_ends_and_its_child_with_it(shared, tmp_path):
    session, loop = shared
    folder = tmp_path / "out"
    session.export.start(str(folder), ("npz", "csv"))
    assert len(children()) == 2
    loop.until(lambda: session.state.export_progress is None)
    assert texts(session)[0] == "info", texts(session)
    assert (folder / "comparison.json").is_file()
    loop.until(lambda: children() == ["isotwin forecasts"])


@pytest.mark.parametrize("when", ["at once", "under way"])
def test_a_cancelled_export_leaves_nothing(shared, tmp_path, when):
    session, loop = shared
    folder = tmp_path / "out"
    session.export.start(str(folder), ("npz", "mp4"))
    if when == "under way":
        loop.until(lambda: (session.state.export_progress or 0.0) > 0.1)
    session.export.cancel()
    assert session.state.export_progress is None
    loop.until(lambda: children() == ["isotwin forecasts"])
    assert not folder.exists(), sorted(p.name for p in folder.rglob("*"))
    assert texts(session) == ("info", "export cancelled")
    session.world.rotate(0, 1, 5.0)
    loop.until(lambda: not session.state.busy)


@pytest.mark.parametrize("existed", [False, True])
def test_a_killed_export_leaves_nothing_behind(tmp_path: Path, existed: bool) -> None:
    folder = tmp_path / "out"
    if existed:
        (folder / ".export-of-another").mkdir(parents=True)
        (folder / "comparison.mp4").write_bytes(b"earlier")
    sweep = sweeper(folder)
    (folder / ".export-1").mkdir(parents=True)
    (folder / ".export-1" / "half.mp4").write_bytes(b"half")
    sweep()
    assert folder.exists() == existed
    assert not (folder / ".export-1").exists()
    if existed:
        assert sorted(p.name for p in folder.iterdir()) == [".export-of-another", "comparison.mp4"]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_stored_data_are_shown_by_a_child_that_forecasts_nothing(loop, tmp_path):
    before = children()  # of the session that other tests share
    runner = ProcessRunner(loop.post, at_once=False)
    state = ViewState(setup=Setup(scenario="", data="", model=default_model()))
    session = Session(runner, state)
    session.files.open(stored(tmp_path, n=400, frames=12))
    loop.until(lambda: session.state.result is not None)
    shown = session.state.result
    assert not shown.made.any()
    assert "isotwin files" in children()
    assert session.state.busy
    loop.until(lambda: session.state.result.made.any())
    np.testing.assert_array_equal(
        session.state.result.comparison.truth.positions, shown.comparison.truth.positions
    )
    session.comparison.cancel()
    assert session.state.result.no_forecast == "stopped"
    session.close()
    assert children() == before
