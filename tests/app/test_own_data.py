"""Data of the user's own: the truth first, forecasts as they come, its own units, nothing invented."""

from dataclasses import replace

import numpy as np
import pytest

from app.viewmodel.intents.sketch import fresh_sketch
from app.viewmodel.presenters.particles import particle_table, particle_words
from app.viewmodel.presenters.readouts import NONE, readouts
from app.viewmodel.session import Session
from app.viewmodel.state.detail import MOST_IN_FULL, MOST_KNOTS, MOST_MEASURED, detail_of, trail_length
from app.viewmodel.state.results import ForecastPart
from app.viewmodel.state.setup import Setup, Turn
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker import ground_truth
from app.viewmodel.worker.opening import describe_file
from app.viewmodel.worker.runner import InlineRunner
from app.viewmodel.worker.stored import truth_alone, whole_comparison
from physics.types import System
from tests.app.fakes import LaterRunner, later_session, result_for
from tests.app.own_data import at, opened, scene, stored

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

FEMTO = {"length": 1e-10, "time": 1e-15}

# --- the truth first --------------------------------------------------------------------------------------


def test_the_truth_is_there_before_any_forecast_and_all_frames_stay(tmp_path):
    session, seen = opened(stored(tmp_path, n=MOST_IN_FULL + 10, frames=25))
    first, last = seen[0], seen[-1]
    assert not first.made.any()
    assert first.comparison.truth.n_frames == last.comparison.truth.n_frames == 25
    counts = [int(result.made.sum()) for result in seen]
    assert counts == sorted(counts)
    assert len(set(counts)) > 1  # how many parts there are is a matter of time
    assert last.measured
    assert last.made.tolist() == [False] * 10 + [True] * 15
    assert session.state.playback.playing


def test_the_forecast_of_the_shown_frame_is_made_first(tmp_path):
    path = stored(tmp_path, n=MOST_IN_FULL + 10, frames=40)
    runner = LaterRunner()
    session = Session(runner, ViewState(setup=Setup(scenario="", data=path, model="integrator-nd")))
    session.start()
    setup, callbacks = runner.pending.pop()
    callbacks.first(truth_alone(setup))
    session.clock.seek(30)
    session.system.choose_model("egnn-nd")
    assert runner.pending[-1][1].frame == 30
    parts = []
    InlineRunner().submit(setup, replace(callbacks, first=parts.append, done=parts.append, frame=30))
    made = [part for part in parts if isinstance(part, ForecastPart)]
    assert made[0].frames[0] == 30
    assert made[-1].frames[-1] == 29
    assert sorted(np.concatenate([part.frames for part in made])) == list(range(10, 40))


def test_forecasts_that_come_before_the_truth_wait_for_it(tmp_path):
    setup = Setup(scenario="", data=stored(tmp_path), model="fake")
    runner = LaterRunner()
    session = Session(runner, ViewState(setup=setup))
    session.start()
    _, callbacks = runner.pending.pop()
    truth = truth_alone(setup)
    x = truth.comparison.truth.positions[:2] + 1.0
    callbacks.first(ForecastPart(setup, np.array([12, 20]), x, x, {"horizon": 1.0}, ("a note",)))
    assert session.state.result is None
    callbacks.first(truth)
    shown = session.state.result
    assert np.flatnonzero(shown.made).tolist() == [12, 20]
    np.testing.assert_array_equal(shown.comparison.forecast.positions[[12, 20]], x)
    assert shown.comparison.horizon == 1.0
    assert "a note" in shown.notes
    np.testing.assert_array_equal(truth.comparison.truth.positions, shown.comparison.truth.positions)


def test_the_truth_after_everything_changes_nothing(tmp_path):
    setup = Setup(scenario="", data=stored(tmp_path), model="fake")
    runner = LaterRunner()
    session = Session(runner, ViewState(setup=setup))
    session.start()
    _, callbacks = runner.pending.pop()
    callbacks.done(result_for(setup))
    whole = session.state.result
    callbacks.first(truth_alone(setup))
    assert session.state.result is whole


def test_other_data_do_not_wait_for_forecasts_under_way(tmp_path):
    one, two = (stored(tmp_path, name, n=n) for name, n in (("a.npz", 5), ("b.npz", 6)))
    session, runner = later_session()
    session.world.rotate(0, 1, 10.0)  # under way
    session.comparison.change(scenario="", data=one, operations=())
    assert runner.asked[-1].data == one
    runner.pending[-1][1].first(truth_alone(runner.asked[-1]))
    assert session.state.result.setup.data == one
    late = runner.pending[0]
    late[1].done(result_for(late[0]))
    assert session.state.result.setup.data == one  # the older answer is dropped
    session.comparison.change(data=two)
    assert runner.asked[-1].data == two


@pytest.mark.parametrize("way", ["failed", "cancelled"])
def test_what_ends_early_keeps_the_truth_and_says_so(tmp_path, way):
    setup = Setup(scenario="", data=stored(tmp_path), model="fake")
    runner = LaterRunner()
    session = Session(runner, ViewState(setup=setup))
    session.start()
    _, callbacks = runner.pending.pop()
    callbacks.first(truth_alone(setup))
    if way == "failed":
        callbacks.failed("the working process ended unexpectedly; try again")
    else:
        session.comparison.cancel()
        assert runner.jobs[-1].cancelled
    state = session.state
    assert not state.busy
    assert state.setup == setup
    assert state.result.comparison.truth.n_frames == 30
    pane = scene(state).panes[1]
    assert ("ended unexpectedly" if way == "failed" else "stopped") in pane.badge


def test_a_refused_file_leaves_what_is_shown(tmp_path):
    session, _ = opened(stored(tmp_path))
    before = session.state.result
    bad = tmp_path / "bad.npz"
    np.savez(bad, positions=np.full((1, 3, 4, 3), np.inf), times=np.arange(3.0))
    for path in (bad, tmp_path / "none.npz"):
        session.files.open(str(path))
        assert session.state.message.kind == "error"
        assert session.state.result is before
        assert session.state.setup == before.setup


def test_large_trajectories_are_thinned_and_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(ground_truth, "MOST_NUMBERS", 5 * 3 * 10)
    path = stored(tmp_path, frames=31)
    shown = truth_alone(describe_file(path))
    assert shown.comparison.truth.n_frames == 8
    np.testing.assert_allclose(np.diff(shown.comparison.truth.times), 0.4)
    assert "every 4th frame" in "; ".join(shown.notes)


# --- what has no forecast ---------------------------------------------------------------------------------


def test_no_frame_shows_the_truth_as_a_forecast(tmp_path):
    session, seen = opened(stored(tmp_path, frames=30))
    for state in (at(session, 3), ViewState(setup=seen[0].setup, result=seen[0])):
        drawn = scene(state).panes[1]
        assert not drawn.radii.any()
        assert not drawn.trail_colours[..., 3].any()
        assert "RMSE" not in drawn.footer
        assert readouts(state).table[0] == ("RMSE", (NONE,))
        table = particle_table(state)
        assert np.isnan(table.values[:, table.columns.index("error")]).all()
        assert "error" not in particle_words(state, 0)
    state = at(session, 14)  # its trail reaches back to frames without a forecast
    pane = scene(state).panes[1]
    alpha = pane.trail_colours[:, 0, 3]
    assert pane.radii.all()
    assert alpha[-1] > 0
    assert not alpha[: len(alpha) - 5].any()
    assert alpha[-5:].all()
    errors = state.result.errors()
    assert np.isnan(errors[:10]).all()
    assert np.isfinite(errors[10:]).all()
    overlay = replace(at(session, 3), view=replace(state.view, layout="overlay"))
    assert [pane.source for pane in scene(overlay).panes] == ["truth"]


def test_a_model_that_does_not_fit_says_why_beside_the_playing_truth(tmp_path):
    session, _ = opened(stored(tmp_path, spacing=0.3), model="egnn-nbody")
    state = session.state
    assert state.message is None or state.message.kind == "info"
    truth, forecast = scene(state).panes
    assert truth.radii.all()
    assert "0.3 apart" in forecast.badge
    assert "0.3 apart" in readouts(state).explanation
    before = state.playback.position
    session.clock.tick(0.3)
    assert session.state.playback.position > before


@pytest.mark.parametrize("kind", ["uneven", "spacing", "femtoseconds", "float32 times"])
def test_a_model_of_any_horizon_forecasts_any_spacing(tmp_path, kind):
    path = stored(
        tmp_path, **(FEMTO if kind == "femtoseconds" else {}), spacing=0.37 if kind == "spacing" else 0.1
    )
    if kind in ("uneven", "float32 times"):
        with np.load(path) as given:
            arrays = dict(given)
        times = np.sort(np.random.default_rng(0).uniform(0, 3, 30)) if kind == "uneven" else arrays["times"]
        np.savez(path, **{**arrays, "times": times.astype(np.float32)})
    session, _ = opened(path)
    result = session.state.result
    assert result.measured
    assert result.made.sum() > 10
    if kind != "float32 times":
        assert ("uneven" if kind == "uneven" else "horizon") in "; ".join(result.notes)


def test_a_sketch_takes_a_frame_that_has_a_forecast(tmp_path):
    session, seen = opened(stored(tmp_path))
    assert fresh_sketch(session.state) is not None
    assert fresh_sketch(replace(session.state, result=replace(seen[-1], made=seen[0].made))) is None


def test_a_turned_world_previews_frames_of_stored_data(tmp_path):
    from app.viewmodel.worker.preview import preview

    setup = Setup(scenario="", data=stored(tmp_path), model="integrator-nd", operations=(Turn(0, 1, 30.0),))
    seen = preview(setup, (5, 20))
    assert seen.made.tolist() == [False] * 5 + [True] * 10
    whole, _ = opened(setup.data, operations=setup.operations)
    there = whole.state.result.comparison
    np.testing.assert_allclose(seen.comparison.truth.positions, there.truth.positions[5:20], atol=1e-12)
    np.testing.assert_allclose(seen.comparison.forecast.positions, there.forecast.positions[5:20], atol=1e-5)


def test_an_export_has_the_frames_of_compare(tmp_path):
    session, _ = opened(stored(tmp_path))
    whole, shown = whole_comparison(session.state.setup), session.state.result
    np.testing.assert_allclose(
        whole.forecast.positions, shown.comparison.forecast.positions[shown.made], atol=1e-5
    )
    assert "no splits" in whole.notes


# --- nothing invented -------------------------------------------------------------------------------------


def test_nothing_is_said_of_an_unknown_law(tmp_path):
    from app.views.charts import error_curves
    from surrogate.render.theme import THEMES

    session, _ = opened(stored(tmp_path))
    state = session.state
    result = state.result
    assert result.growth is None
    assert not result.energies
    assert result.system is None
    said = readouts(state)
    words = " ".join([said.explanation, *(f"{a} {b}" for a, b in said.lines), *(row[0] for row in said.table)])
    assert "law of these data is unknown" in words
    assert not any(word in words for word in ("perturbation has grown", "chaos", "energy", "coulomb"))
    assert [curve.name for curve in error_curves(result, state, THEMES["dark"])] == ["integrator-nd"]
    assert "coulomb" not in scene(state).headline
    assert "law unknown" in scene(state).headline
    assert session.editor.draft is None
    session.moving.begin()
    assert session.state.moving is None
    assert "law is unknown" in session.state.message.text
    assert np.isnan(particle_table(state).values[:, 5]).all()


def test_an_unknown_law_does_not_blame_chaos(tmp_path):
    from app.viewmodel.presenters.verdicts import model_verdict
    from tests.app.fakes import symmetry

    noisy = symmetry(5, 1e-2, 1e-14)
    assert "chaos" not in model_verdict("m", noisy, np.arange(5.0), chaos_known=False)
    assert "chaos" in model_verdict("m", noisy, np.arange(5.0))


def test_data_with_a_known_law_keep_their_energies_and_chaos(tmp_path):
    from physics import State, simulate

    rng = np.random.default_rng(0)
    system = System(charges=1.0 - 2.0 * (np.arange(4) % 2), parameters={"eps": 0.1})
    state = State(rng.standard_normal((4, 3)), 0.3 * rng.standard_normal((4, 3)))
    made = simulate(system, state, 2.4, n_frames=25)
    path = tmp_path / "known.npz"
    recipe = np.array('{"law": "coulomb", "parameters": {"eps": 0.1}}')
    arrays = {
        "positions": made.positions[None],
        "velocities": made.velocities[None],
        "charges": system.charges[None],
    }
    np.savez(path, times=made.times, recipe=recipe, **arrays)
    session, _ = opened(str(path))
    result = session.state.result
    assert result.growth.shape == (25,)
    assert result.system is not None
    assert np.isnan(result.energies["forecast"][:10]).all()
    assert np.isfinite(result.energies["truth"]).all()
    assert "a 1e-6 perturbation has grown" in dict(readouts(at(session, 20)).lines)


def test_many_particles_get_their_forecasts_alone():
    assert detail_of(MOST_MEASURED + 1, False, stored=True).measured is False
    assert detail_of(MOST_MEASURED + 1, True, stored=True).measured
    assert detail_of(MOST_MEASURED, False, stored=True).measured
    assert trail_length(60, 5) == 60
    assert 4 <= trail_length(60, 2000) <= MOST_KNOTS / 2000
    assert trail_length(60, 10_000) == 0


def test_a_turning_world_of_many_particles_waits_before_it_forecasts(tmp_path, monkeypatch):
    from app.viewmodel.intents import comparison

    monkeypatch.setattr(comparison, "MOST_MEASURED", 4)
    monkeypatch.setattr(comparison, "MOST_IN_FULL", 4)
    session, runner = later_session()
    session.comparison.change(scenario="", data=stored(tmp_path), operations=())
    setup, callbacks = runner.pending[-1]
    assert callbacks.truth
    assert not callbacks.pause
    callbacks.first(truth_alone(setup))
    for _k in range(3):
        session.world.rotate(0, 1, 10.0)
        setup, callbacks = runner.pending[-1]
        assert callbacks.truth
        assert callbacks.pause
        assert callbacks.near is None
        callbacks.first(truth_alone(setup))
        assert session.state.result.setup.operations == setup.operations
        assert runner.jobs[-2].cancelled
    assert len(runner.asked) == 4


def test_another_model_of_few_particles_keeps_the_old_forecasts_until_it_has_its_own(tmp_path):
    session, runner = later_session(scenario="", data="d.npz")
    session.system.choose_model("another")
    assert not runner.pending[-1][1].truth
    session.data.step(1)
    runner.finish()
    assert runner.pending[-1][1].truth


def test_measuring_stops_where_a_newer_comparison_was_asked_for(tmp_path):
    from app.viewmodel.worker.stored import MADE, stored_parts

    class Stop(Exception):  # noqa: N818  (what the child raises there)
        pass

    def progress(share):
        if share >= MADE and seen:
            raise Stop

    seen = []
    setup = Setup(scenario="", data=stored(tmp_path), model="integrator-nd")
    parts = (part for part in stored_parts(setup, progress, 0) if not isinstance(part, ForecastPart))
    with pytest.raises(Stop):
        any(seen.append(part) for part in parts)
    assert [result.measured for result in seen] == [False]
