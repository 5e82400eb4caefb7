"""The Session as a whole: which request wins, what a failure leaves, undo and redo. No Qt, no network."""

from app.viewmodel.session import Session
from app.viewmodel.state.setup import Setup, Turn
from app.viewmodel.state.view import TRAILS
from app.viewmodel.state.view_state import ViewState
from app.viewmodel.worker.runner import InlineRunner
from tests.app.fakes import PromptRunner, later_session, prompt_session, texts


def test_the_first_comparison():
    states: list[ViewState] = []
    session = Session(PromptRunner(), ViewState(setup=Setup(model="fake")))
    session.subscribe(states.append)
    assert states[0].result is None
    assert (states[0].n_frames, states[0].frame, states[0].time, states[0].n_dims) == (0, 0, 0.0, 3)
    session.start()
    assert any(s.busy and s.result is None for s in states)
    assert not states[-1].busy
    assert states[-1].n_frames == 12
    assert states[-1].planes == [(0, 1), (0, 2), (1, 2)]
    assert states[-1] is session.state


def test_nothing_is_asked_for_what_is_there_already():
    session, runner = later_session()
    session.system.choose_model("fake")
    session.world.reset()
    session.comparison.change()
    assert runner.asked == []
    assert not session.state.can_undo


def test_undo_and_redo():
    session = prompt_session()
    session.system.choose_seed(5)
    session.world.rotate(0, 1, 30.0)
    session.system.choose_dims(4)
    assert session.state.can_undo
    assert not session.state.can_redo
    session.history.undo()
    session.history.undo()
    assert session.state.setup == Setup(model="fake", seed=5)
    session.history.redo()
    assert session.state.setup.operations == (Turn(0, 1, 30.0),)
    session.system.choose_seed(6)
    assert not session.state.can_redo
    session.history.redo()
    assert session.state.setup.seed == 6
    for _ in range(5):
        session.history.undo()
    assert session.state.setup == Setup(model="fake")
    assert not session.state.can_undo
    assert session.state.result.setup == Setup(model="fake")


def test_the_latest_request_wins_and_the_old_picture_stays():
    session, runner = later_session()
    old = session.state.result
    for degrees in (10.0, 10.0, 10.0, 10.0):
        session.world.rotate(0, 1, degrees)
    assert [r.operations for r in runner.asked] == [(Turn(0, 1, 10.0),)]
    assert session.state.busy
    assert session.state.result is old
    runner.finish()
    assert session.state.busy
    assert session.state.result.setup.operations == (Turn(0, 1, 10.0),)
    assert [r.operations for r in runner.asked] == [(Turn(0, 1, 10.0),), (Turn(0, 1, 40.0),)]
    runner.finish()
    assert not session.state.busy
    assert session.state.result.setup.operations == (Turn(0, 1, 40.0),)
    assert runner.pending == []


def test_a_failure_gives_the_controls_back_to_the_picture():
    session, runner = later_session()
    shown = session.state.setup
    session.system.choose_model("missing")
    runner.fail("missing: no such model")
    assert session.state.setup == shown
    assert session.state.result.setup == shown
    assert not session.state.busy
    assert not session.state.can_undo
    assert texts(session) == ("error", "missing: no such model")
    session.world.rotate(0, 1, 5.0)
    assert session.state.message is None
    runner.finish()
    assert session.state.result.setup.operations == (Turn(0, 1, 5.0),)


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
    session.history.undo()
    assert session.state.setup == Setup(model="fake")
    runner.finish()


def test_a_failed_undo_leaves_no_step_to_redo():
    session, runner = later_session()
    session.system.choose_seed(4)
    runner.finish()
    session.history.undo()
    runner.fail()
    assert session.state.setup.seed == 4
    assert not session.state.can_redo


def test_axes_of_more_dimensions_are_not_drawn_while_the_step_back_is_made():
    session, runner = later_session(scenario="free-6d")
    session.basis.choose_axis(2, 5)
    session.system.choose_scenario("bound-4d")
    runner.finish()
    session.history.undo()
    assert session.state.view.axes == (0, 1, 5)
    assert session.state.basis.shape == (4, 3)
    runner.finish()
    assert session.state.basis[5, 2] == 1.0


def test_a_draft_of_another_picture_does_not_come_back():
    session, runner = later_session()
    session.system.choose_scenario("bound-4d")
    session.editor.set_title("mine")
    runner.finish()
    assert session.state.draft is None
    session.history.undo()
    session.history.undo()
    runner.finish()
    session.history.redo()
    session.history.redo()
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
    assert session.state.result is not None


def test_a_message_of_the_inline_runner():
    session = Session(InlineRunner(), ViewState(setup=Setup(scenario="nonsense", model="egnn-nbody")))
    session.start()
    kind, text = texts(session)
    assert kind == "error"
    assert "nonsense" in text


def test_closing_stops_the_work_and_publishes_nothing():
    session, runner = later_session()
    seen = []
    session.subscribe(seen.append)
    session.close()
    session.say("after")
    assert runner.closed
    assert len(seen) == 1


def test_undo_brings_the_view_back_but_not_the_theme():
    session, runner = later_session()
    session.picture.toggle_colour()
    session.view.change_trail(1)
    session.view.toggle_theme()
    session.view.toggle_help()
    trail = session.state.view.trail
    session.history.undo()
    assert session.state.view.trail < trail
    assert session.state.view.colour_by == "error"
    session.history.undo()
    assert (session.state.view.colour_by, session.state.view.theme) == ("charge", "light")
    assert not session.state.can_undo
    session.history.redo()
    session.history.redo()
    assert session.state.view.trail == trail
    assert not session.state.can_redo
    assert runner.asked == []  # no number depends on it
    session.system.choose_model("missing")
    runner.fail()
    session.history.undo()
    assert session.state.view.trail < trail


def test_the_view_changes_no_number():
    session, runner = later_session()
    view = session.state.view
    session.picture.toggle_colour()
    session.view.toggle_theme()
    session.view.toggle_rollout()
    session.view.toggle_help()
    session.view.change_trail(1)
    changed = session.state.view
    assert (changed.colour_by, changed.theme, changed.show_rollout, changed.show_help) == (
        "error", "light", True, True,
    )  # fmt: skip
    assert changed.trail == TRAILS[TRAILS.index(view.trail) + 1]
    session.picture.toggle_colour()
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
