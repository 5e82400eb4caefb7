"""The first sight of a turned world: the same forecasts as the whole comparison, of fewer frames, and sooner."""

from dataclasses import replace

import numpy as np
import pytest

from app.viewmodel.presenters.scene import scene_of
from app.viewmodel.session import Session
from app.viewmodel.state.results import Preview
from app.viewmodel.state.setup import Setup, Turn
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.comparison import result_of
from app.viewmodel.worker.loaded_models import default_model
from app.viewmodel.worker.preview import CHAOTIC_GROWTH, frames_near, preview, turned_is_enough
from app.viewmodel.worker.process_runner import ProcessRunner
from tests.app.fakes import comparison, later_session, result_for
from tests.app.test_runner import Loop

NEAR = (20, 60)
TURNED = Setup(scenario="bound", model=default_model(), contrast="gnn-nbody", operations=(Turn(0, 1, 40.0),))


@pytest.mark.parametrize("clamped", [False, True])
def test_it_shows_what_the_whole_comparison_shows(clamped):
    setup = replace(TURNED, clamped=clamped, seed=2)
    seen, whole = preview(setup, NEAR), result_of(setup)
    assert seen.first == NEAR[0]
    for part, all_of_it in ((seen.comparison, whole.comparison), (seen.contrast, whole.contrast)):
        window = slice(*NEAR)
        assert np.array_equal(part.truth.times, all_of_it.truth.times[window])
        assert np.allclose(part.truth.positions, all_of_it.truth.positions[window], rtol=0, atol=1e-8)
        assert np.allclose(part.forecast.positions, all_of_it.forecast.positions[window], rtol=0, atol=1e-4)
        assert part.outside_training == all_of_it.outside_training
        assert np.array_equal(part.rotation, all_of_it.rotation)
        assert part.law_known
        for source in ("truth", "forecast"):
            shares = all_of_it.energy_shares[source][window]
            assert np.allclose(part.energy_shares[source], shares, rtol=0, atol=1e-3 * np.abs(shares).max())


def test_a_contrast_that_cannot_is_left_to_the_whole_comparison():
    assert preview(replace(TURNED, dims=4), NEAR).contrast is None
    assert preview(replace(TURNED, dims=4, model="gnn-nbody"), NEAR) is None


def test_when_the_truth_is_simulated_anew():
    growth = np.array([1.0, 10.0, CHAOTIC_GROWTH])
    assert turned_is_enough(growth, True, 2)
    assert not turned_is_enough(growth, True, 3)
    assert not turned_is_enough(growth, False, 2)


def test_frames_near():
    assert frames_near(100, 60, 226) == (40, 109)
    assert frames_near(3, 60, 226) == (0, 12)
    assert frames_near(225, 0, 226) == (225, 226)


def seen_of(setup: Setup, first: int = 2) -> Preview:
    return Preview(setup, comparison(n_frames=6, operations=setup.operations), None, first)


def test_a_session_draws_it_and_keeps_all_else():
    session, runner = later_session()
    before = session.state.result
    session.clock.seek(4)
    session.world.rotate(0, 1, 30.0)
    request, callbacks = runner.pending[0]
    assert callbacks.near == (0, 12)
    seen = seen_of(request)
    callbacks.preview(seen)
    state = session.state
    assert state.busy
    assert state.result is before
    assert state.seen is seen
    scene = scene_of(state, before.frames)
    assert np.allclose(scene.panes[0].points, seen.comparison.truth.positions[2], atol=1e-6)
    assert "frame 5 of 12" in scene.headline
    session.clock.seek(9)  # not in it
    assert session.state.seen is before
    runner.finish()
    assert session.state.preview is None
    assert session.state.seen is session.state.result is not before


def test_it_keeps_the_colours_of_energies_and_says_no_drift_from_another_start():
    session, runner = later_session()
    session.picture.colour_by("energy")
    before = scene_of(session.state, session.state.result.frames)
    assert "energy drift" in before.panes[0].footer
    session.world.rotate(0, 1, 30.0)
    request, callbacks = runner.pending[0]
    callbacks.preview(seen_of(request, first=0))
    state = session.state
    assert state.seen is state.preview
    scene = scene_of(state, state.result.frames)
    assert scene.colour_range == before.colour_range
    assert np.array_equal(scene.panes[0].colours, before.panes[0].colours)  # the same motion, turned
    assert all("energy drift" not in pane.footer for pane in scene.panes)


def test_a_rollout_asked_for_meanwhile_is_that_of_the_comparison_before():
    session, runner = later_session()
    session.world.rotate(0, 1, 30.0)
    request, callbacks = runner.pending[0]
    short = seen_of(request, first=0)
    callbacks.preview(replace(short, comparison=replace(short.comparison, rollout=None)))
    session.view.toggle_rollout()
    state = session.state
    assert state.preview is not None
    assert state.seen is state.result
    assert len(scene_of(state, state.result.frames).panes) == 3


def test_a_request_that_waits_follows_a_preview_at_once():
    session, runner = later_session()
    session.world.rotate(0, 1, 30.0)
    session.world.rotate(0, 1, 30.0)
    assert len(runner.asked) == 1
    request, old = runner.pending.pop(0)
    old.preview(seen_of(request))
    assert [asked.operations for asked in runner.asked] == [(Turn(0, 1, 30.0),), (Turn(0, 1, 60.0),)]
    shown = session.state.result
    old.done(result_for(request))  # too late: another was asked for
    old.failed("nor this")
    assert session.state.result is shown
    assert session.state.busy
    runner.finish()
    assert session.state.result.setup.operations == (Turn(0, 1, 60.0),)
    assert not session.state.busy


def test_no_preview_of_another_system_or_for_a_rollout():
    session, runner = later_session()
    session.system.choose_dims(4)
    assert runner.pending[0][1].near is None
    runner.finish()
    session.view.set(show_rollout=True)
    session.world.rotate(0, 1, 3.0)
    assert runner.pending[0][1].near is None


def test_a_failure_takes_the_preview_away():
    session, runner = later_session()
    session.world.rotate(0, 1, 30.0)
    runner.pending[0][1].preview(seen_of(session.state.setup))
    runner.fail()
    assert session.state.preview is None
    assert session.state.setup.operations == ()


def test_the_child_gives_previews_and_drops_what_is_outdated():
    loop = Loop()
    session = Session(ProcessRunner(loop.post), ViewState(setup=replace(TURNED, operations=())))
    try:
        session.start()
        loop.until(lambda: not session.state.busy)
        kinds: list[str] = []
        session.subscribe(lambda state: kinds.append("preview" if state.preview else "whole"))
        for _ in range(5):
            session.world.rotate(0, 1, 10.0)
        loop.until(lambda: not session.state.busy)
        assert session.state.result.setup.operations == (Turn(0, 1, 50.0),)
        assert session.state.result.measured
        assert "preview" in kinds
        assert kinds[-1] == "whole"
    finally:
        session.close()
