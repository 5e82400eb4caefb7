"""Every intent of the Session and the state that follows from it: no Qt, no network, hardly any simulation."""

from dataclasses import replace

import numpy as np
import pytest

from app.viewmodel.intents.system import MAX_DIMS, MAX_PARTICLES, MAX_SEED
from app.viewmodel.runner import InlineRunner
from app.viewmodel.saved import SavedSession, save_session
from app.viewmodel.session import Session
from app.viewmodel.setup import Given, RandomTurn, Reflect, Setup, Turn, rotation_matrix
from app.viewmodel.state import SPEEDS, TRAILS, Playback, View, ViewState
from physics.errors import InputError
from tests.app.fakes import PromptRunner, later_session, prepared_for, prompt_session, texts


def test_the_first_comparison():
    states: list[ViewState] = []
    session = Session(PromptRunner(), ViewState(setup=Setup(model="fake")))
    session.subscribe(states.append)
    assert states[0].prepared is None
    assert (states[0].n_frames, states[0].frame, states[0].time, states[0].n_dims) == (0, 0, 0.0, 3)
    session.start()
    assert any(s.busy and s.prepared is None for s in states)
    assert not states[-1].busy
    assert states[-1].n_frames == 12
    assert states[-1].planes == [(0, 1), (0, 2), (1, 2)]
    assert states[-1] is session.state


def test_a_scenario_comes_as_it_is():
    session = prompt_session(seed=8, dims=5, particles=7, clamped=True, contrast="other")
    session.world.rotate(0, 1, 30.0)
    session.system.choose_scenario("hexagon")
    assert session.state.setup == Setup(scenario="hexagon", model="fake", contrast="other")


@pytest.mark.parametrize(
    ("n", "kept"),
    [
        (5, (Turn(0, 3, 10.0), RandomTurn(4), Reflect(2), Turn(0, 1, 5.0))),
        (3, (RandomTurn(4), Reflect(2), Turn(0, 1, 5.0))),
        (2, (RandomTurn(4), Turn(0, 1, 5.0))),
        (1, (RandomTurn(4),)),
    ],
)
def test_dimensions_keep_the_operations_that_exist_there(n, kept):
    session = prompt_session(dims=4, operations=(Turn(0, 3, 10.0), RandomTurn(4), Reflect(2), Turn(0, 1, 5.0)))
    session.system.choose_dims(n)
    assert session.state.setup.dims == n
    assert session.state.setup.operations == kept
    assert session.state.n_dims == n
    assert max(session.state.plane) < n


def test_dimensions_stay_in_range():
    session = prompt_session()
    session.system.choose_dims(99)
    assert session.state.n_dims == MAX_DIMS
    session.system.add_dimension()
    assert session.state.n_dims == MAX_DIMS
    session.system.choose_dims(-3)
    assert session.state.n_dims == 1
    session.system.add_dimension()
    assert session.state.n_dims == 2


def test_fewer_dimensions_drop_the_plane_and_the_axes():
    session = prompt_session(dims=5)
    session.world.select_plane(2, 4)
    session.view.set(axes=(0, 1, 4))
    session.system.choose_dims(4)
    assert session.state.plane == (0, 1)
    assert session.state.view.axes is None
    session.view.set(axes=(0, 1, 3))
    session.system.choose_dims(6)
    assert session.state.view.axes == (0, 1, 3)


def test_particles_seed_model_contrast_clamped():
    session = prompt_session()
    session.system.choose_particles(9)
    assert session.state.setup.particles == 9
    session.system.choose_particles(10**6)
    assert session.state.setup.particles == MAX_PARTICLES
    session.system.choose_particles(0)
    assert session.state.setup.particles == 2
    session.system.next_seed()
    assert session.state.setup.seed == 4
    for wrong in (-1, MAX_SEED + 1, 2**40):
        session.system.choose_seed(wrong)
        assert session.state.setup.seed == 4
        assert session.state.message.text == f"a seed is a whole number from 0 to 4294967295; got {wrong}"
    session.system.choose_seed(MAX_SEED)
    assert session.state.setup.seed == MAX_SEED == 2**32 - 1
    session.system.next_seed()
    assert session.state.setup.seed == 0
    session.system.choose_model("better")
    assert session.state.prepared.comparison.model_name == "better"
    session.system.choose_contrast("worse")
    assert session.state.prepared.contrast.model_name == "worse"
    session.system.choose_contrast("")
    assert session.state.prepared.contrast is None
    session.system.toggle_clamped()
    assert session.state.setup.clamped
    session.system.toggle_clamped()
    assert not session.state.setup.clamped


def test_samples_of_a_data_set():
    session = prompt_session(data="some.npz", scenario="")
    session.system.next_seed()
    assert session.state.setup.index == 1
    session.system.choose_sample(99)
    assert session.state.setup.index == 6
    session.system.next_seed()
    assert session.state.setup.index == 0
    session.system.choose_sample(-5)
    assert session.state.setup.index == 0


def test_nothing_is_asked_for_what_is_there_already():
    session, runner = later_session()
    session.system.choose_model("fake")
    session.world.reset()
    session.comparison.change()
    assert runner.asked == []
    assert not session.state.can_undo


# --- the world rotation -----------------------------------------------------------------------------------


def test_turns_in_one_plane_add_up():
    session = prompt_session(dims=5)
    session.world.rotate(0, 4, 30.0)
    session.world.rotate(0, 4, 45.0)
    assert session.state.setup.operations == (Turn(0, 4, 75.0),)
    assert session.state.plane_degrees == 75.0
    session.world.rotate(1, 2, 10.0)
    session.world.rotate(0, 4, 5.0)
    assert session.state.setup.operations == (Turn(0, 4, 75.0), Turn(1, 2, 10.0), Turn(0, 4, 5.0))
    assert session.state.plane == (0, 4)
    session.world.rotate(0, 4, -5.0)
    assert session.state.setup.operations == (Turn(0, 4, 75.0), Turn(1, 2, 10.0))


@pytest.mark.parametrize(
    ("turns", "total"),
    [((100.0, 100.0), -160.0), ((90.0, 90.0), 180.0), ((-90.0, -90.0), 180.0), ((170, 370), 180)],
)
def test_angles_wrap_at_half_a_turn(turns, total):
    session = prompt_session()
    for degrees in turns:
        session.world.rotate(0, 1, float(degrees))
    (turn,) = session.state.setup.operations
    assert turn.degrees == total
    expected = rotation_matrix((Turn(0, 1, float(sum(turns))),), 3)
    assert np.allclose(session.state.prepared.comparison.rotation, expected, atol=1e-12)


def test_a_full_turn_is_none():
    session = prompt_session()
    session.world.rotate(0, 1, 200.0)
    session.world.rotate(0, 1, 160.0)
    assert session.state.setup.operations == ()


def test_an_exact_angle():
    session = prompt_session()
    session.world.select_plane(1, 2)
    session.world.set_angle(33.25)
    session.world.set_angle(180.0)
    assert session.state.setup.operations == (Turn(1, 2, 180.0),)
    assert session.state.plane_degrees == 180.0
    session.world.set_angle(-20.0)
    assert session.state.setup.operations == (Turn(1, 2, -20.0),)
    session.world.select_plane(0, 1)
    assert session.state.plane_degrees == 0.0
    session.world.set_angle(0.0)
    assert session.state.setup.operations == (Turn(1, 2, -20.0),)
    session.world.select_plane(1, 2)
    session.world.set_angle(0.0)
    assert session.state.setup.operations == ()


def test_random_rotation_replaces_and_reflecting_twice_is_none():
    session = prompt_session()
    session.world.rotate(0, 1, 30.0)
    session.world.random(5)
    assert session.state.setup.operations == (RandomTurn(5),)
    assert np.isclose(np.linalg.det(session.state.prepared.comparison.rotation), 1.0)
    session.world.reflect()
    assert session.state.setup.operations == (RandomTurn(5), Reflect(0))
    assert np.isclose(np.linalg.det(session.state.prepared.comparison.rotation), -1.0)
    session.world.reflect()
    assert session.state.setup.operations == (RandomTurn(5),)
    session.world.reset()
    assert session.state.setup.operations == ()


def test_one_dimension_has_no_plane():
    session = prompt_session(dims=1)
    session.world.rotate(*session.state.plane, 15.0)
    session.world.set_angle(20.0)
    session.world.toggle_spin()
    assert session.state.setup.operations == ()
    assert not session.state.spinning
    session.world.reflect()
    assert session.state.setup.operations == (Reflect(0),)


# --- undo, and who wins -----------------------------------------------------------------------------------


def test_undo_and_redo():
    session = prompt_session()
    session.system.choose_seed(5)
    session.world.rotate(0, 1, 30.0)
    session.system.choose_dims(4)
    assert session.state.can_undo
    assert not session.state.can_redo
    session.undo()
    session.undo()
    assert session.state.setup == Setup(model="fake", seed=5)
    session.redo()
    assert session.state.setup.operations == (Turn(0, 1, 30.0),)
    session.system.choose_seed(6)
    assert not session.state.can_redo
    session.redo()
    assert session.state.setup.seed == 6
    for _ in range(5):
        session.undo()
    assert session.state.setup == Setup(model="fake")
    assert not session.state.can_undo
    assert session.state.prepared.setup == Setup(model="fake")


def test_the_latest_request_wins_and_the_old_picture_stays():
    session, runner = later_session()
    old = session.state.prepared
    for degrees in (10.0, 10.0, 10.0, 10.0):
        session.world.rotate(0, 1, degrees)
    assert [r.operations for r in runner.asked] == [(Turn(0, 1, 10.0),)]
    assert session.state.busy
    assert session.state.prepared is old
    runner.finish()
    assert session.state.busy
    assert session.state.prepared.setup.operations == (Turn(0, 1, 10.0),)
    assert [r.operations for r in runner.asked] == [(Turn(0, 1, 10.0),), (Turn(0, 1, 40.0),)]
    runner.finish()
    assert not session.state.busy
    assert session.state.prepared.setup.operations == (Turn(0, 1, 40.0),)
    assert runner.pending == []


def test_a_failure_gives_the_controls_back_to_the_picture():
    session, runner = later_session()
    shown = session.state.setup
    session.system.choose_model("missing")
    runner.fail("missing: no such model")
    assert session.state.setup == shown
    assert session.state.prepared.setup == shown
    assert not session.state.busy
    assert not session.state.can_undo
    assert texts(session) == ("error", "missing: no such model")
    session.world.rotate(0, 1, 5.0)
    assert session.state.message is None
    runner.finish()
    assert session.state.prepared.setup.operations == (Turn(0, 1, 5.0),)


def test_two_failures_leave_no_broken_step_to_undo():
    session, runner = later_session()
    session.system.choose_seed(4)
    runner.finish()
    session.system.choose_model("missing")
    session.system.choose_model("missing too")
    runner.fail()
    assert session.state.busy
    assert session.state.message is None
    runner.fail("missing too: no such model")
    assert session.state.setup.seed == 4
    session.undo()
    assert session.state.setup == Setup(model="fake")
    runner.finish()


def test_a_failed_undo_leaves_no_step_to_redo():
    session, runner = later_session()
    session.system.choose_seed(4)
    runner.finish()
    session.undo()
    runner.fail()
    assert session.state.setup.seed == 4
    assert not session.state.can_redo


def test_a_session_file_that_fails_leaves_clock_and_plane_within_the_picture(tmp_path):
    path = tmp_path / "far.json"
    save_session(path, SavedSession(Setup(scenario="free-6d", model="x"), View(), Playback(1e6), (4, 5)))
    session, runner = later_session()
    session.files.open(str(path))
    runner.fail("no such model")
    state = session.state
    assert state.playback.position <= state.n_frames - 1
    assert state.plane in state.planes


def test_from_one_dimension_to_three_there_is_a_plane_again():
    session = prompt_session()
    session.tours.toggle_world("grand")
    session.system.choose_dims(1)
    session.tours.tick(0.1)
    assert (session.state.plane, session.state.touring.world) == ((0, 0), "")
    session.undo()
    assert session.state.plane == (0, 1)


def test_turns_of_the_picture_that_is_shown_do_not_reach_one_of_fewer_dimensions():
    session, _ = later_session(scenario="bound-4d")
    session.system.choose_dims(2)
    session.world.rotate(0, 3, 20.0)
    session.world.rotate(0, 1, 20.0)
    assert session.state.setup.operations == (Turn(0, 1, 20.0),)
    with pytest.raises(InputError, match=r"rotation 1 .* does not exist in 2 dimensions"):
        rotation_matrix((Given(tuple(map(tuple, np.eye(3).tolist()))),), 2)


def test_axes_of_more_dimensions_are_not_drawn_while_the_step_back_is_made():
    session, runner = later_session(scenario="free-6d")
    session.basis.choose_axis(2, 5)
    session.system.choose_scenario("bound-4d")
    runner.finish()
    session.undo()
    assert session.state.view.axes == (0, 1, 5)
    assert session.state.basis.shape == (4, 3)
    runner.finish()
    assert session.state.basis[5, 2] == 1.0


def test_a_draft_of_another_picture_does_not_come_back():
    session, runner = later_session()
    session.system.choose_scenario("bound-4d")
    session.scene.set_title("mine")
    runner.finish()
    assert session.state.draft is None
    session.undo()
    session.undo()
    runner.finish()
    session.redo()
    session.redo()
    runner.finish()
    assert session.state.draft is None


def test_a_colour_scale_without_an_extent_is_not_kept():
    session = prompt_session()
    session.picture.colour_by("mass")  # all the same
    session.picture.toggle_range()
    assert session.state.view.colour_range is None
    assert "must end above its beginning" in texts(session)[1]


def test_a_failure_before_there_is_a_picture():
    session, runner = later_session()
    session = Session(runner, ViewState(setup=Setup(model="gone")))
    session.start()
    runner.fail("gone: no such model")
    assert not session.state.busy
    assert texts(session) == ("error", "gone: no such model")
    session.system.choose_model("fake")
    runner.finish()
    assert session.state.prepared is not None


def test_another_system_starts_the_clock_anew_another_turn_does_not():
    session = prompt_session()
    session.clock.seek(7)
    session.world.rotate(0, 1, 30.0)
    session.system.choose_model("other")
    assert session.state.frame == 7
    session.system.choose_seed(9)
    assert session.state.frame == 0


def test_the_clock_stays_within_a_shorter_film():
    session, runner = later_session()
    session.clock.seek(11)
    session.system.choose_model("other")
    short = prepared_for(Setup(model="fake"))
    cut = {name: getattr(short.comparison.truth, name)[:4] for name in ("times", "positions", "velocities")}
    truth = replace(short.comparison.truth, **cut)
    runner.finish(comparison=replace(short.comparison, truth=truth, forecast=truth, rollout=None))
    assert session.state.frame == 3


def test_closing_stops_the_work_and_publishes_nothing():
    session, runner = later_session()
    seen = []
    session.subscribe(seen.append)
    session.close()
    session.say("after")
    assert runner.closed
    assert len(seen) == 1


# --- the clock --------------------------------------------------------------------------------------------


def test_the_clock_runs_at_its_speed_and_loops():
    session = prompt_session()  # twelve frames, 0.1 apart
    session.clock.tick(0.25)
    assert session.state.frame == 2
    assert session.state.time == pytest.approx(0.2)
    session.clock.set_speed(4.0)
    session.clock.tick(0.1)
    assert session.state.frame == 6
    session.clock.tick(0.14)
    assert session.state.frame == 0
    session.clock.toggle_play()
    session.clock.tick(1.0)
    assert session.state.frame == 0


def test_step_and_seek_pause_and_stay_inside():
    session = prompt_session()
    session.clock.step(3)
    assert (session.state.frame, session.state.playback.playing) == (3, False)
    session.clock.step(-25)
    assert session.state.frame == 0
    session.clock.seek(99)
    assert session.state.frame == 11
    session.clock.toggle_play()
    session.clock.rewind()
    assert session.state.playback == Playback(0.0, True, 1.0)


def test_the_clock_without_a_picture():
    session = Session(PromptRunner())
    session.clock.tick(1.0)
    session.clock.step(1)
    session.system.next_seed()
    session.export.start("out", ("npz",))
    assert session.state.frame == 0


def test_the_ladder_of_speeds():
    session = prompt_session()
    for _ in range(20):
        session.clock.change_speed(1)
    assert session.state.playback.speed == SPEEDS[-1]
    session.clock.change_speed(-1)
    assert session.state.playback.speed == SPEEDS[-2]
    for _ in range(20):
        session.clock.change_speed(-1)
    assert session.state.playback.speed == SPEEDS[0]
    session.clock.set_speed(1.3)
    session.clock.change_speed(1)
    assert session.state.playback.speed == 2.0


# --- the view ---------------------------------------------------------------------------------------------


def test_the_view_changes_no_number():
    session, runner = later_session()
    view = session.state.view
    session.view.toggle_colour()
    session.view.toggle_theme()
    session.view.toggle_rollout()
    session.view.toggle_help()
    session.view.change_trail(1)
    changed = session.state.view
    assert (changed.colour_by, changed.theme, changed.show_rollout, changed.show_help) == (
        "error", "light", True, True,
    )  # fmt: skip
    assert changed.trail == TRAILS[TRAILS.index(view.trail) + 1]
    session.view.toggle_colour()
    session.view.toggle_theme()
    session.view.toggle_rollout()
    session.view.toggle_help()
    session.view.change_trail(-1)
    assert session.state.view == view
    for _ in range(9):
        session.view.change_trail(-1)
    assert session.state.view.trail == TRAILS[0]
    assert runner.asked == []
    session.say("hello")
    session.dismiss()
    assert session.state.message is None


# --- export -----------------------------------------------------------------------------------------------


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


# --- opening ----------------------------------------------------------------------------------------------


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
    assert session.state.prepared is shown.prepared
    assert texts(session) == ("error", "junk.bin: not something to open")


def test_a_data_set_has_its_own_dimension_and_law():
    session = Session(PromptRunner(found=lambda _: Setup(scenario="", data="d.npz")))
    session.start()
    session.comparison.change(dims=4, particles=9, seed=2, clamped=True, contrast="other")
    session.files.open("d.npz")
    own = Setup(scenario="", data="d.npz", contrast="other")
    assert session.state.setup == own
    session.system.add_dimension()
    session.system.toggle_clamped()
    assert session.state.setup == own
    assert "own law" in texts(session)[1]
    session.system.choose_scenario("bound")
    assert session.state.setup == Setup(contrast="other")


def test_a_message_of_the_inline_runner():
    session = Session(InlineRunner(), ViewState(setup=Setup(scenario="nonsense", model="egnn-nbody")))
    session.start()
    kind, text = texts(session)
    assert kind == "error"
    assert "nonsense" in text


def test_a_clamp_that_never_acts_is_said_once():
    session, runner = later_session()
    session.start()
    runner.finish()
    session.system.toggle_clamped()
    runner.finish(clamp_note="the clamp was never reached")
    assert session.state.message.text == "the clamp was never reached"
    session.dismiss()
    session.world.rotate(0, 1, 5.0)
    runner.finish(clamp_note="the clamp was never reached")
    assert session.state.message is None
    session.system.choose_seed(1)
    runner.finish()
    assert session.state.message is None


def test_undo_brings_the_view_back_but_not_the_theme():
    session, runner = later_session()
    session.view.toggle_colour()
    session.view.change_trail(1)
    session.view.toggle_theme()
    session.view.toggle_help()
    trail = session.state.view.trail
    session.undo()
    assert session.state.view.trail < trail
    assert session.state.view.colour_by == "error"
    session.undo()
    assert (session.state.view.colour_by, session.state.view.theme) == ("charge", "light")
    assert not session.state.can_undo
    session.redo()
    session.redo()
    assert session.state.view.trail == trail
    assert not session.state.can_redo
    assert runner.asked == []  # no number depends on it
    session.system.choose_model("missing")
    runner.fail()
    session.undo()
    assert session.state.view.trail < trail
