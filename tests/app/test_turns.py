"""The world rotation: turns that add up in their plane, random rotations, reflections."""

from dataclasses import replace

import numpy as np
import pytest

from app.viewmodel.state.results import Preview
from app.viewmodel.state.setup import Given, RandomTurn, Reflect, Turn, rotation_matrix
from physics.errors import InputError
from tests.app.fakes import comparison, later_session, prompt_session, result_for


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
    assert np.allclose(session.state.result.comparison.rotation, expected, atol=1e-12)


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
    assert np.isclose(np.linalg.det(session.state.result.comparison.rotation), 1.0)
    session.world.reflect()
    assert session.state.setup.operations == (RandomTurn(5), Reflect(0))
    assert np.isclose(np.linalg.det(session.state.result.comparison.rotation), -1.0)
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


def test_from_one_dimension_to_three_there_is_a_plane_again():
    session = prompt_session()
    session.tours.toggle_world("grand")
    session.system.choose_dims(1)
    session.tours.tick(0.1)
    assert (session.state.plane, session.state.touring.world) == ((0, 0), "")
    session.history.undo()
    assert session.state.plane == (0, 1)


def test_turns_of_the_picture_that_is_shown_do_not_reach_one_of_fewer_dimensions():
    session, _ = later_session(scenario="bound-4d")
    session.system.choose_dims(2)
    session.world.rotate(0, 3, 20.0)
    session.world.rotate(0, 1, 20.0)
    assert session.state.setup.operations == (Turn(0, 1, 20.0),)
    with pytest.raises(InputError, match=r"rotation 1 .* does not exist in 2 dimensions"):
        rotation_matrix((Given(tuple(map(tuple, np.eye(3).tolist()))),), 2)


def a_turn_answered(playing: bool, seconds: float = 0.1, near: bool = True):
    """What was published from the dial to the last answer, and where the state stood after the forecasts came."""
    session, runner = later_session()
    if not playing:
        session.clock.toggle_play()
    published = []
    session.subscribe(published.append)
    published.clear()
    session.world.turn_to(30.0)
    request, callbacks = runner.pending.pop()
    whole = result_for(request, seconds=seconds)
    if near:
        callbacks.preview(Preview(request, comparison(n_frames=9, operations=request.operations), None, 0))
    callbacks.first(replace(whole, measured=False))
    meanwhile = session.state
    callbacks.done(whole)
    return published, meanwhile


@pytest.mark.parametrize("playing", [True, False])
def test_a_turn_is_published_with_the_dial_with_its_preview_and_when_it_is_measured(playing):
    (dial, preview, measured), meanwhile = a_turn_answered(playing)
    assert dial.setup.operations == (Turn(0, 1, 30.0),)
    assert (dial.busy, len(dial.jobs), dial.preview) == (True, 1, None)
    assert preview.seen is preview.preview is not None
    assert (meanwhile.busy, meanwhile.result.measured, meanwhile.preview) == (True, False, None)
    assert (measured.busy, measured.result.measured, measured.jobs, measured.preview) == (False, True, (), None)


def test_forecasts_are_published_where_the_preview_does_not_stand_for_them():
    published, _ = a_turn_answered(playing=True, near=False)
    assert [state.result.measured for state in published] == [True, False, True]  # the first is of before the turn
    published, _ = a_turn_answered(playing=False, seconds=5.0)  # the measurements will take their time
    assert [state.result.measured for state in published] == [True, True, False, True]


def test_the_clock_goes_on_with_forecasts_that_came_meanwhile():
    session, runner = later_session()
    session.world.turn_to(30.0)
    request, callbacks = runner.pending.pop()
    callbacks.preview(Preview(request, comparison(n_frames=3, operations=request.operations), None, 0))
    forecasts = result_for(request, measured=False)
    callbacks.first(forecasts)
    published = []
    session.subscribe(published.append)
    session.clock.tick(0.5)
    assert published[-1].frame > 3
    assert published[-1].seen is forecasts


def test_turns_that_wait_are_published_once_each():
    session, runner = later_session()
    published = []
    session.subscribe(published.append)
    published.clear()
    for degrees in (10.0, 20.0, 30.0):
        session.world.turn_to(degrees, begins=degrees == 10.0)
    assert [state.plane_degrees for state in published] == [10.0, 20.0, 30.0]
    runner.pending.pop()[1].preview(Preview(published[0].setup, comparison(n_frames=9), None, 0))
    assert len(published) == 4
    assert (published[-1].preview.setup, len(published[-1].jobs)) == (published[0].setup, 1)
    runner.finish()
    assert len(published) == 5
    assert session.state.result.setup.operations == (Turn(0, 1, 30.0),)
