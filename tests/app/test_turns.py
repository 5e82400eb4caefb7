"""The world rotation: turns that add up in their plane, random rotations, reflections."""

import numpy as np
import pytest

from app.viewmodel.state.setup import Given, RandomTurn, Reflect, Turn, rotation_matrix
from physics.errors import InputError
from tests.app.fakes import later_session, prompt_session


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
