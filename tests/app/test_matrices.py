"""Matrices of O(n) from the clipboard and from the mouse, and taken apart for the command line."""

import json
import math

import numpy as np
import pytest

from app.viewmodel.state.matrices import (
    DEGREES_PER_PIXEL,
    as_option,
    parse_matrix,
    plane_turns,
    trackball,
    turn_between,
)
from app.viewmodel.state.setup import MENDED_EVERY, Given, Reflect, TourTurn, Turn, fits, rotation_matrix
from app.viewmodel.state.tours import TOURS, Course
from physics.errors import InputError
from physics.rotations import parse_operations, plane_rotation, random_orthogonal
from surrogate.render.projection import default_view_basis


def some(n: int, seed: int = 0):
    return random_orthogonal(n, np.random.default_rng(seed))


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_every_way_of_writing_a_matrix(n):
    R = some(n)
    rows = [" ".join(map(repr, row)) for row in R.tolist()]
    for text in (
        json.dumps(R.tolist()),
        repr(R.tolist()),
        "\n".join(rows),
        "\r\n".join(rows) + "\r\n",
        "\n".join(row.replace(" ", ",\t") for row in rows),
        ";".join(rows),
        "  " + ",\n".join(rows),
    ):
        assert np.array_equal(parse_matrix(text, n), R), text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no text"),
        ("hello", "row 1, column 1: 'hello' is no number"),
        ("1 0\n0 x", "row 2, column 2: 'x' is no number"),
        ("[[1, 0], [0, 1]", "line 1, column 16 is not part of a nested list"),
        ("[[1, 0], [0, true]]", "row 2, column 2: True is no number"),
        ("[[[1], 0], [0, 1]]", "row 1, column 1: [1] is no number"),
        ("1 0 0\n0 1 0\n0 0 1", "3 rows"),
        ("1 0\n0", "row 2 has 1 number;"),
        ("1 0", "1 row;"),
        ("1 0\n0 nan", "row 2, column 2 is nan"),
        ("1e300 0\n0 1", "|RᵀR - I| is inf"),
        ("1 0\n0 1.01", "|RᵀR - I| is 0.02"),
        ("0 0\n0 0", "|RᵀR - I| is 1"),
        ("[" * 5000, "nested list"),
        ("[1" + "0" * 400 + "]", "is no number"),
    ],
)
def test_a_bad_paste_is_one_clear_line(text, said):
    with pytest.raises(InputError) as caught:
        parse_matrix(text, 2)
    message = str(caught.value)
    assert message.startswith("pasted matrix: ")
    assert said in message
    assert "expected an orthogonal 2 x 2 matrix with |RᵀR - I| below 1e-06" in message
    assert "\n" not in message
    assert len(message) < 200


def test_a_matrix_of_few_digits_is_mended():
    R = np.round(some(4), 8)
    given = Given(tuple(map(tuple, parse_matrix(repr(R.tolist()), 4).tolist())))
    made = given.matrix(4)
    assert np.abs(made.T @ made - np.eye(4)).max() < 1e-14
    assert np.allclose(made, R, atol=1e-7)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("seed", range(4))
def test_turns_in_planes_make_the_matrix_again(n, seed):
    R = some(n, seed)
    turns, mirrored = plane_turns(R)
    assert len(turns) <= n * (n - 1) // 2
    assert (mirrored is not None) == (np.linalg.det(R) < 0)
    option = as_option(R)
    made = parse_operations(option, n)[0] if option else np.eye(n)
    assert np.abs(made - R).max() < 1e-13
    assert as_option(np.eye(n)) == ""


@pytest.mark.parametrize("kind", list(TOURS))
def test_a_tour_is_an_operation_with_an_option(kind):
    step = TourTurn(Course(kind, 4, (0, 3), 3, 1), 123.0)
    R = step.matrix(4)
    assert np.abs(parse_operations(step.option, 4)[0] - R).max() < 1e-13
    assert np.array_equal(step.matrix(5)[:4, :4], R)
    assert "123°" in str(step)


def test_long_lists_stay_orthogonal():
    operations = tuple(Turn(k % 3, 3 + k % 2, 0.1 * k) for k in range(20 * MENDED_EVERY))
    R = rotation_matrix(operations, 5)
    assert np.abs(R.T @ R - np.eye(5)).max() < 5e-15


def test_what_fits_fewer_dimensions():
    assert fits(Given(((1.0,),)), 1)
    assert not fits(Given(((1.0, 0.0), (0.0, 1.0))), 1)
    assert not fits(TourTurn(Course("grand", 4), 3.0), 3)
    assert not fits(Turn(0, 3, 1.0), 3)
    assert not fits(Reflect(3), 3)


# --- dragging ---------------------------------------------------------------------------------------------


def test_between_axes_it_is_the_turn_of_their_plane():
    e = np.eye(5)
    assert np.allclose(turn_between(e[1], e[4], 0.3), plane_rotation(5, 1, 4, 0.3))
    assert np.allclose(turn_between(3 * e[1] + 9 * e[4], 2 * e[4], 0.3), plane_rotation(5, 1, 4, 0.3))
    for start, end in ((e[4], e[4]), (0 * e[1], e[4]), (e[1], 0 * e[1])):
        assert np.array_equal(turn_between(start, end, 0.3), np.eye(5))


@pytest.mark.parametrize("n", [2, 3, 4, 8])
def test_a_drag_turns_what_is_seen_to_the_right_into_the_hidden_axis(n):
    V = default_view_basis(n)
    right, up = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
    hidden = n - 1
    R = trackball((100.0, 0.0), right, up, V, hidden)
    assert np.abs(R.T @ R - np.eye(n)).max() < 1e-14
    assert np.linalg.det(R) == pytest.approx(1.0)
    angles = np.abs(np.angle(np.linalg.eigvals(R)))
    assert angles.max() == pytest.approx(math.radians(100 * DEGREES_PER_PIXEL))
    assert (angles > 1e-6).sum() == 2  # one plane
    direction = V @ right
    axis = np.eye(n)[hidden]
    inside = direction - (direction @ axis) * axis
    assert (R @ inside) @ axis > 0.1 * np.linalg.norm(inside)
    there_and_back = trackball((-100.0, 0.0), right, up, V, hidden) @ R
    assert np.allclose(there_and_back, np.eye(n), atol=1e-12)
    assert np.array_equal(trackball((0.0, 0.0), right, up, V, hidden), np.eye(n))
