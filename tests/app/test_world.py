"""World rotation, view basis and tours through the Session, with no window."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from app.viewmodel.actions import ACTIONS
from app.viewmodel.files.documents import checked, plain
from app.viewmodel.files.sessions import SavedSession, load_session, save_session
from app.viewmodel.intents.tours import FULL_EVERY, SPEEDS
from app.viewmodel.intents.world import snapped
from app.viewmodel.presenters.scene import scene_of
from app.viewmodel.state.matrices import DEGREES_PER_PIXEL
from app.viewmodel.state.playback import Playback
from app.viewmodel.state.setup import Given, RandomTurn, Reflect, Setup, TourTurn, Turn, rotation_matrix
from app.viewmodel.state.tours import TOURS, Course, rotation_along
from app.viewmodel.state.view import View
from physics.errors import InputError
from physics.rotations import random_orthogonal
from surrogate.render.projection import default_view_basis
from tests.app.fakes import FakeDialogs, later_session, prompt_session, texts
from tests.app.test_preview import seen_of

RIGHT, UP = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])


# --- the world rotation -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "step", "made"), [(33.0, 0.0, 33.0), (33.0, 5.0, 35.0), (33.0, 45.0, 45.0)])
def test_snapping(given, step, made):
    assert snapped(given, step) == made
    session = prompt_session()
    session.world.turn_to(given, step)
    assert session.state.plane_degrees == made


def test_a_drag_of_a_cell_is_one_undo_step():
    session = prompt_session(dims=4)
    session.world.select_plane(1, 3)
    for k in range(1, 6):
        session.world.turn_to(3.0 * k, begins=k == 1)
    assert session.state.setup.operations == (Turn(1, 3, 15.0),)
    session.history.undo()
    assert session.state.setup.operations == ()


def test_reversing_turns_as_far_the_other_way_and_tours_too():
    session = prompt_session(dims=4)
    session.world.rotate(0, 3, 40.0)
    session.world.reverse(0, 3)
    assert session.state.setup.operations == (Turn(0, 3, -40.0),)
    assert session.state.touring.backwards
    session.world.reverse(1, 2)
    assert session.state.plane == (1, 2)
    assert session.state.setup.operations == (Turn(0, 3, -40.0),)
    assert not session.state.touring.backwards


def test_any_operation_can_be_taken_out():
    session = prompt_session(dims=4)
    session.world.random(7)
    session.world.rotate(0, 1, 30.0)
    session.world.reflect()
    session.world.remove(1)
    assert session.state.setup.operations == (RandomTurn(7), Reflect(0))
    session.world.remove(5)
    session.world.remove(-1)
    assert session.state.setup.operations == (RandomTurn(7), Reflect(0))
    session.history.undo()
    assert len(session.state.setup.operations) == 3


@pytest.mark.parametrize("n", [2, 3, 6])
def test_copy_and_paste_are_each_others_inverse(n):
    session, dialogs = prompt_session(dims=n), FakeDialogs()
    session.world.random(3)
    session.world.reflect()
    R = session.state.result.comparison.rotation
    ACTIONS["copy-matrix"].run(session, dialogs)
    assert np.array_equal(json.loads(dialogs.copied[0]), R)
    session.world.reset()
    dialogs.pasted = dialogs.copied[0]
    ACTIONS["paste-matrix"].run(session, dialogs)
    assert np.allclose(session.state.result.comparison.rotation, R, rtol=0, atol=1e-14)
    assert [str(o) for o in session.state.setup.operations] == ["pasted matrix"]
    before = session.state.setup
    dialogs.pasted = "1 2 3"
    ACTIONS["paste-matrix"].run(session, dialogs)
    kind, text = texts(session)
    assert (kind, session.state.setup) == ("error", before)
    assert f"expected an orthogonal {n} x {n} matrix" in text


def test_a_drag_in_the_view_turns_into_the_hidden_axis_and_is_one_step():
    session = prompt_session(dims=4)
    session.basis.choose_hidden(3)
    for k in range(4):
        session.world.drag((10.0, 0.0), RIGHT, UP, begins=k == 0)
    (operation,) = session.state.setup.operations
    assert str(operation) == "dragged into x3"
    R = operation.matrix(4)
    angles = np.abs(np.angle(np.linalg.eigvals(R)))
    assert 0 < angles.max() <= math.radians(40 * DEGREES_PER_PIXEL) + 1e-9
    seen = default_view_basis(4) @ RIGHT
    assert (R @ seen)[3] > seen[3]
    session.history.undo()
    assert session.state.setup.operations == ()
    one = prompt_session(dims=1)
    one.world.drag((10.0, 0.0), RIGHT, UP, begins=True)
    assert one.state.setup.operations == ()


def test_the_same_drag_of_the_view_shows_the_same_and_computes_nothing():
    world, view = prompt_session(dims=5), prompt_session(dims=5)
    for session in (world, view):
        session.basis.choose_hidden(4)
    asked = len(view.runner.asked)
    world.world.drag((40.0, 15.0), RIGHT, UP, begins=True)
    view.basis.drag((40.0, 15.0), RIGHT, UP, begins=True)
    assert len(view.runner.asked) == asked
    pictures = [scene_of(s.state, s.state.result.frames).panes[0].points for s in (world, view)]
    assert np.allclose(*pictures, atol=1e-5)
    V = view.state.basis
    assert np.abs(V.T @ V - np.eye(3)).max() < 1e-14
    view.history.undo()
    assert view.state.view.basis is None


# --- the view basis ---------------------------------------------------------------------------------------


def test_three_axes_are_chosen_and_never_twice():
    session = prompt_session(dims=5)
    session.basis.choose_axis(0, 4)
    assert session.state.view.axes == (4, 1, 2)
    session.basis.choose_axis(1, 4)
    assert session.state.view.axes == (1, 4, 2)
    assert session.state.hidden_axis == 3
    session.basis.choose_axis(1, 9)
    session.basis.choose_axis(1, -1)
    assert session.state.view.axes == (1, 4, 2)
    session.basis.reset()
    assert session.state.view.axes is None
    flat = prompt_session(dims=3)
    flat.basis.choose_axis(0, 2)
    assert flat.state.view.axes is None


def test_the_hidden_axis_is_the_one_of_the_colours():
    session = prompt_session(dims=5)
    session.view.set(colour_by="charge")
    session.basis.choose_hidden(1)
    assert session.state.hidden_axis == 1
    session.basis.choose_hidden(7)
    assert session.state.hidden_axis == 1
    session.system.choose_dims(1)
    assert session.state.view.hidden_axis is None


# --- tours ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(TOURS))
@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_tour_of_the_view_only_projects(kind, n):
    session = prompt_session(dims=n)
    session.world.select_plane(0, n - 1)
    asked, V = len(session.runner.asked), session.state.basis
    ACTIONS[f"view-{kind}"].run(session, FakeDialogs())
    assert ACTIONS[f"view-{kind}"].checked(session.state)
    for _ in range(20):
        session.tours.tick(0.033)
    assert len(session.runner.asked) == asked
    course = Course(kind, n, (0, n - 1) if kind == "sweep" else (0, 1), session.state.hidden_axis)
    if kind != "radial":  # its hidden axis may change on the way
        course = replace(course, hidden=0)
        expected = rotation_along(course, math.radians(30.0 * 20 * 0.033)) @ V
        assert np.allclose(session.state.basis, expected, atol=1e-12)
    assert not np.allclose(session.state.basis, V)
    session.tours.toggle_view(kind)
    assert session.state.touring.view == ""
    session.history.undo()
    assert np.array_equal(session.state.basis, V)


@pytest.mark.parametrize("kind", list(TOURS))
def test_a_tour_of_the_world_is_forecast_at_every_step(kind):
    session, runner = later_session(dims=4)
    session.tours.toggle_world(kind)
    for _ in range(3):
        session.tours.tick(0.1)
        runner.finish()
    assert len(runner.asked) == 3
    (operation,) = session.state.setup.operations
    assert operation.degrees == pytest.approx(9.0)
    assert isinstance(operation, Turn if kind == "sweep" else TourTurn)
    R = session.state.result.comparison.rotation
    assert np.abs(R.T @ R - np.eye(4)).max() < 1e-13
    session.tours.toggle_world(kind)
    session.history.undo()
    assert session.state.setup.operations == ()


def test_a_tour_keeps_its_speed_whatever_a_forecast_takes():
    session, runner = later_session()
    session.tours.toggle_world("sweep")
    for _ in range(10):
        session.tours.tick(0.05)  # the first is under way all the time
    assert len(runner.asked) == 1
    runner.finish()
    session.tours.tick(0.05)
    assert session.state.plane_degrees == pytest.approx(30.0 * 11 * 0.05)


def test_a_touring_world_goes_on_from_a_preview_but_not_for_ever():
    session, runner = later_session()
    session.tours.toggle_world("sweep")
    session.tours.tick(0.1)
    steps = round(2 * FULL_EVERY / 0.1)
    for _ in range(steps):
        request, callbacks = runner.pending[-1]
        callbacks.preview(seen_of(request))
        session.tours.tick(0.1)
    assert FULL_EVERY / 0.1 - 2 <= len(runner.asked) < steps  # then it waits for a whole one
    del runner.pending[:-1]
    runner.finish()
    assert session.state.result.measured
    assert not session.state.busy


@pytest.mark.parametrize(
    "touch",
    [
        lambda s: s.world.rotate(0, 1, 5.0),
        lambda s: s.world.set_angle(50.0),
        lambda s: s.world.turn_to(50.0),
        lambda s: s.world.random(1),
        lambda s: s.world.reflect(),
        lambda s: s.world.reset(),
        lambda s: s.world.paste("[[0, 1, 0], [1, 0, 0], [0, 0, 1]]"),
        lambda s: s.world.drag((5.0, 0.0), RIGHT, UP, begins=True),
        lambda s: s.basis.drag((5.0, 0.0), RIGHT, UP, begins=True),
        lambda s: s.basis.reset(),
        lambda s: s.history.undo(),
    ],
)
@pytest.mark.parametrize("start", ["toggle_world", "toggle_view"])
def test_any_turn_by_hand_stops_the_tours(touch, start):
    session = prompt_session()
    getattr(session.tours, start)("grand")
    assert session.state.touring.world or session.state.touring.view
    touch(session)
    assert not session.state.touring.world
    assert not session.state.touring.view


def test_one_tour_at_a_time_both_ways_and_within_speeds():
    session = prompt_session()
    session.tours.toggle_world("sweep")
    assert session.state.spinning
    session.tours.toggle_view("grand")
    assert (session.state.touring.world, session.state.touring.view) == ("", "grand")
    session.tours.toggle_world("little")
    assert (session.state.touring.world, session.state.touring.view) == ("little", "")
    session.tours.pause()
    for asked, got in ((1.0, SPEEDS[0]), (90.0, 90.0), (1e9, SPEEDS[1])):
        session.tours.set_speed(asked)
        assert session.state.touring.speed == got
    session.tours.set_speed(100.0)
    session.tours.reverse()
    session.world.toggle_spin()
    session.tours.tick(0.1)
    assert session.state.plane_degrees == pytest.approx(-10.0)


def test_a_tour_stops_where_it_cannot_go_on():
    session, runner = later_session()
    session.tours.toggle_world("grand")
    session.tours.tick(0.1)
    runner.fail()
    assert session.state.touring.world == ""
    line = prompt_session(dims=1)
    line.world.toggle_spin()
    line.tours.toggle_view("grand")
    line.tours.tick(0.1)
    assert not line.state.spinning
    assert line.state.setup.operations == ()
    view = prompt_session(dims=5)
    view.tours.toggle_view("grand")
    view.tours.tick(0.1)
    view.system.choose_dims(4)
    view.tours.tick(0.1)
    assert view.state.touring.view == ""
    assert view.state.view.basis is None


# --- files ------------------------------------------------------------------------------------------------


def test_tours_and_matrices_are_kept_in_a_session_file(tmp_path):
    R = random_orthogonal(4, np.random.default_rng(1))
    operations = (Given(tuple(map(tuple, R.tolist()))), TourTurn(Course("grand", 4, seed=3), 77.5))
    rows = tuple(map(tuple, default_view_basis(4).tolist()))
    saved = SavedSession(Setup(dims=4, operations=operations), View(basis=rows, hidden_axis=2), Playback(), (0, 3))
    save_session(tmp_path / "s.json", saved)
    again = load_session(tmp_path / "s.json")
    assert again == saved
    assert np.array_equal(rotation_matrix(again.setup.operations, 4), rotation_matrix(operations, 4))


@pytest.mark.parametrize(
    "wrong",
    [
        {"setup": Setup(operations=(Given(((1.0, 1.0), (0.0, 1.0))),))},
        {"setup": Setup(operations=(Given(((1.0, 1.0),)),))},
        {"setup": Setup(operations=(Given(()),))},
        {"setup": Setup(operations=(TourTurn(Course("grandest", 4), 1.0),))},
        {"setup": Setup(operations=(TourTurn(Course("grand", 99), 1.0),))},
        {"setup": Setup(operations=(TourTurn(Course("sweep", 4, (1, 1)), 1.0),))},
        {"setup": Setup(operations=(TourTurn(Course("radial", 4, hidden=4), 1.0),))},
        {"setup": Setup(operations=(TourTurn(Course("grand", 4), 1e300),))},
        {"view": View(basis=((1.0, 0.0, 0.0), (1.0, 0.0, 0.0)))},
        {"view": View(basis=((1.0,), (1.0, 0.0, 0.0)))},
        {"view": View(basis=())},
    ],
)
def test_a_session_file_that_makes_no_rotation_is_refused(tmp_path, wrong):
    given = {"setup": Setup(), "view": View(), "playback": Playback(), "plane": (0, 1)} | wrong
    save_session(tmp_path / "s.json", SavedSession(**given))
    with pytest.raises(InputError) as caught:
        load_session(tmp_path / "s.json")
    assert "content." in str(caught.value)
    assert "\n" not in str(caught.value)


def test_plain_and_back():
    step = TourTurn(Course("little", 3), 5.0)
    assert checked(TourTurn, json.loads(json.dumps(plain(step))), "here") == step
