"""Browsing data: the Session's part, and real errors of a real model."""

import numpy as np
import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.session import Session
from app.viewmodel.state.samples import same_data
from app.viewmodel.state.setup import Effort, Setup
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.comparison import result_of
from app.viewmodel.worker.runner import InlineRunner
from app.viewmodel.worker.tasks.sample_errors import MOST, SampleErrorsTask, ranked
from physics.datasets import request as requests
from physics.errors import InputError
from physics.generate import generate
from tests.app.fakes import FakeDialogs, LaterRunner, later_session, prompt_session, result_for, texts
from tests.surrogate.helpers import npz, saved_model, tiny_arrays

RANKED = ((4, 0.9), (1, 0.5), (0, 0.1))


@pytest.fixture(scope="module")
def chunked(tmp_path_factory):
    out = tmp_path_factory.mktemp("data") / "a.zarr"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests, "CHUNK_BYTES", 1)
        sizes = {"train": "3", "valid": "2", "test": "6"}
        generate(requests.request_from_options("charged-iso", sizes, 3, 3, None, {"dt": "1e-3"}), out)
    return str(out)


def test_next_and_previous_in_file_order_and_in_the_order_of_errors():
    session, runner = later_session(scenario="", data="d.npz")
    ACTIONS["next-sample"].run(session, FakeDialogs())
    runner.finish()
    assert session.state.setup.index == 1
    for _ in range(2):
        ACTIONS["previous-sample"].run(session, FakeDialogs())
        runner.finish()
    assert session.state.setup.index == 6  # of seven: it goes round
    ACTIONS["sort-samples"].run(session, FakeDialogs())
    task, callbacks = runner.pending.pop()
    assert isinstance(task, SampleErrorsTask)
    callbacks.progress(0.5)
    callbacks.first(RANKED[:1])
    assert session.state.browser.progress == 0.5
    callbacks.done(RANKED)
    seen = []
    for _ in range(4):
        session.data.step(1)
        runner.finish()
        seen.append(session.state.setup.index)
    assert seen == [4, 1, 0, 4]
    session.system.choose_model("another")
    runner.finish()
    assert not same_data(session.state.browser.setup, session.state.setup)
    session.data.step(1)
    runner.finish()
    assert session.state.setup.index == 5
    ACTIONS["unsort-samples"].run(session, FakeDialogs())
    assert session.state.browser.errors == ()


def test_sorting_is_cancelled_and_fails_with_its_reason():
    session, runner = later_session(scenario="", data="d.npz")
    session.data.sort()
    _, callbacks = runner.pending[-1]
    session.data.unsort()
    assert runner.jobs[-1].cancelled
    callbacks.done(RANKED)
    assert session.state.browser.errors == ()
    session.data.sort()
    runner.pending[-1][1].failed("it does not fit")
    assert texts(session) == ("error", "it does not fit")


def test_without_data_it_says_what_to_do():
    session = prompt_session()
    for name in ("next-sample", "sort-samples"):
        session.dismiss()
        ACTIONS[name].run(session, FakeDialogs())
        assert "open a data set" in texts(session)[1]
    session.data.choose_split("train")
    assert session.state.setup.split == "test"


@pytest.mark.gui
def test_the_panel_shows_no_controls_without_data(qtbot):
    from app.views.data_panel import EMPTY, DataPanel

    session = Session(LaterRunner(), ViewState(setup=Setup(model="fake")))
    panel = DataPanel(session)
    qtbot.addWidget(panel)
    panel.show_state(session.state)
    assert (panel.empty.isHidden(), panel.index.isVisibleTo(panel)) == (False, False)
    assert "Ctrl+O" in EMPTY
    data = Setup(scenario="", data="some.npz", model="fake")
    panel.show_state(ViewState(setup=data, result=result_for(data, n_samples=7)))
    assert (panel.empty.isHidden(), panel.index.isVisibleTo(panel)) == (True, True)


def test_splits_of_a_zarr(chunked):
    session = Session(InlineRunner(), ViewState(setup=Setup(scenario="bound", model="integrator-nd")))
    session.start()
    session.files.open(chunked)
    result = session.state.result
    assert (result.splits, result.n_samples) == (("train", "valid", "test"), 6)
    session.data.step(-1)
    assert session.state.setup.index == 5
    session.data.choose_split("train")
    assert (session.state.setup.index, session.state.result.n_samples) == (0, 3)
    session.data.choose_split("nothing")
    assert session.state.setup.split == "train"
    session.history.undo()
    assert session.state.result.n_samples == 6


def test_the_errors_are_those_of_the_comparison(chunked):
    setup = Setup(scenario="", data=chunked, model="integrator-nd", effort=Effort(8))
    parts, fractions = [], []
    errors = SampleErrorsTask(setup).run(fractions.append, lambda: False, parts.append)
    assert sorted(index for index, _ in errors) == list(range(6))
    assert [e for _, e in errors] == sorted((e for _, e in errors), reverse=True)
    assert fractions[-1] == 1.0
    assert parts[-1] == errors
    worst, error = errors[0]
    made = result_of(Setup(scenario="", data=chunked, model="integrator-nd", effort=Effort(8), index=worst))
    assert error == pytest.approx(made.errors()[made.made][0], rel=1e-5)


def test_npz_at_most_some_hundreds_and_what_does_not_fit(tmp_path):
    model = str(saved_model(tmp_path / "m", info={"horizon": 0.5}))
    path = npz(tmp_path / "many.npz", tiny_arrays(samples=MOST + 30, frames=3))
    errors = SampleErrorsTask(Setup(scenario="", data=str(path), model=model)).run(
        lambda _: None, lambda: False, lambda _: None
    )
    assert len(errors) == MOST
    calls = []
    SampleErrorsTask(Setup(scenario="", data=str(path), model=model)).run(
        lambda _: None, lambda: len(calls) > 1, calls.append
    )
    assert len(calls) == 2  # cancelled
    plane = npz(tmp_path / "plane.npz", tiny_arrays(n=2))
    gnn = str(saved_model(tmp_path / "g", "gnn", info={"horizon": 0.5}))
    with pytest.raises(InputError, match="n = 3 only"):
        SampleErrorsTask(Setup(scenario="", data=str(plane), model=gnn)).run(id, lambda: False, id)
    assert ranked([(0, 1.0), (1, np.inf)])[0] == (1, np.inf)
