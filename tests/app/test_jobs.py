"""Background work: one list with progress and cancel, whoever started it."""

import multiprocessing
import time

import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.intents.latest import LatestJob
from app.viewmodel.state.setup import Setup
from app.viewmodel.worker.loaded_models import default_model
from app.viewmodel.worker.process_runner import ProcessRunner
from app.viewmodel.worker.runner import Callbacks
from tests.app.fakes import FakeDialogs, LaterRunner, later_session, prompt_session, texts
from tests.patience import PATIENCE


def titles(session):
    return [job.title for job in session.state.jobs]


def test_a_comparison_is_a_job_until_it_is_there():
    session, runner = later_session()
    assert session.state.jobs == ()
    session.system.choose_seed(4)
    assert titles(session) == ["Simulation and forecasts"]
    session.system.choose_seed(5)
    assert len(session.state.jobs) == 1
    runner.finish()
    assert len(session.state.jobs) == 1  # the one that waited
    runner.finish()
    assert session.state.jobs == ()
    session.system.choose_seed(6)
    runner.fail()
    assert session.state.jobs == ()


def test_a_cancelled_comparison_leaves_what_is_shown():
    session, runner = later_session()
    shown = session.state.setup
    session.system.choose_seed(4)
    session.system.choose_seed(5)
    _, late = runner.pending[0]
    session.jobs.cancel(session.state.jobs[0].number)
    assert runner.jobs[-1].cancelled
    assert (session.state.setup, session.state.busy, session.state.jobs) == (shown, False, ())
    assert texts(session) == ("info", "stopped; the last picture stays")
    late.failed("too late")
    late.done(None)
    late.first(None)
    assert session.state.result.setup == shown
    session.comparison.cancel()  # nothing to stop
    session.system.choose_seed(6)
    runner.pending.pop(0)
    runner.finish()
    assert session.state.result.setup.seed == 6


def test_an_export_tells_how_far_it_is():
    session, runner = later_session()
    session.export.start("out/film", ("mp4",))
    _, callbacks = runner.pending[-1]
    callbacks.progress(0.25)
    (job,) = session.state.jobs
    assert (job.title, job.progress) == ("Export to film", 0.25)
    session.system.choose_seed(4)
    assert titles(session) == ["Export to film", "Simulation and forecasts"]
    ACTIONS["cancel-jobs"].run(session, FakeDialogs())
    assert session.state.jobs == ()
    assert all(job.cancelled for job in runner.jobs[1:])
    callbacks.progress(0.5)
    assert session.state.jobs == ()


def test_others_can_add_to_it():
    session = prompt_session()
    stopped = []
    number = session.jobs.begin("Training", lambda: stopped.append(number), 0.0)
    session.jobs.progress(number, 7.0, "Training, epoch 3")
    assert session.state.jobs[0].progress == 1.0
    assert titles(session) == ["Training, epoch 3"]
    session.jobs.cancel(number)
    assert stopped == [number]
    session.jobs.end(number)
    session.jobs.end(number)
    session.jobs.end(None)
    session.jobs.cancel(number)
    session.jobs.progress(number, 0.5)
    assert (session.state.jobs, stopped) == ((), [number])


def test_a_real_comparison_is_stopped_and_the_next_one_comes():
    runner = ProcessRunner(lambda function: function())
    try:
        seen, failed = [], []
        setup = Setup(scenario="bound", model=default_model())
        job = runner.submit(setup, Callbacks(seen.append, failed.append))
        job.cancel()
        job.cancel()
        runner.submit(setup, Callbacks(seen.append, failed.append))
        deadline = time.monotonic() + PATIENCE
        while not seen and not failed and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (len(seen), failed) == (1, [])
    finally:
        runner.close()
    assert [p for p in multiprocessing.active_children() if p.name.startswith("isotwin")] == []


@pytest.mark.gui
def test_the_row_and_the_list(open_window, qtbot):
    from PySide6.QtCore import Qt

    runner = LaterRunner()
    window = open_window(runner=runner)
    runner.finish()
    session, bar, left = window.session, window.jobs, Qt.MouseButton.LeftButton
    assert not bar.isVisible()
    session.system.choose_seed(9)
    assert not bar.isVisible()  # most are over before one could read it
    qtbot.waitUntil(bar.isVisible)
    assert (bar.title.text(), bar.more.isVisible()) == ("Simulation and forecasts", False)
    session.export.start("out/film", ("mp4",))
    runner.pending[-1][1].progress(0.4)
    assert (bar.title.text(), bar.progress.value(), bar.more.text()) == ("Export to film", 40, "2 jobs")
    window.actions_by_name["jobs"].trigger()
    assert bar.list.isVisible()
    assert window.rect().contains(bar.list.geometry())
    assert len(bar.list.buttons()) == 2
    qtbot.mouseClick(bar.list.buttons()[0], left)
    assert [job.title for job in session.state.jobs] == ["Export to film"]
    qtbot.mouseClick(bar.cancel, left)
    assert session.state.jobs == ()
    assert not bar.isVisible()
    assert bar.list.nothing.isVisible()
    qtbot.keyClick(bar.list, Qt.Key.Key_Escape)
    assert not bar.list.isVisible()


def test_work_on_request_stands_in_the_list_until_it_ends():
    session, runner = later_session()
    asked, heard = [], []
    job = LatestJob(runner, session.jobs, "Work", lambda: asked.append(True))
    job.start(object(), Callbacks(heard.append, heard.append, heard.append, heard.append))
    (row,) = session.state.jobs
    assert row.title == "Work"
    session.jobs.cancel(row.number)
    assert asked == [True]
    _, callbacks = runner.pending.pop()
    callbacks.progress(0.25)
    assert session.state.jobs[0].progress == 0.25
    callbacks.done("ended")
    assert session.state.jobs == ()
    assert heard == [0.25, "ended"]
