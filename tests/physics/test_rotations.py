import math

import numpy as np
import pytest

from physics.errors import InputError
from physics.rotations import (
    parse_operations,
    plane_rotation,
    random_orthogonal,
    random_rotation,
    reflection,
)
from tests.physics.tolerances import tolerance


def unit(n, i):
    return np.eye(n)[i]


@pytest.mark.parametrize("n", range(2, 7))
def test_plane_rotation_turns_the_first_axis_toward_the_second(n):
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            R = plane_rotation(n, i, j, math.radians(30))
            np.testing.assert_allclose(
                unit(n, i) @ R.T, math.sqrt(0.75) * unit(n, i) + 0.5 * unit(n, j), atol=1e-15
            )
            np.testing.assert_allclose(R, plane_rotation(n, j, i, -math.radians(30)), atol=1e-15)
            for k in set(range(n)) - {i, j}:
                np.testing.assert_array_equal(R @ unit(n, k), unit(n, k))
            assert np.linalg.det(R) == pytest.approx(1.0)


def test_turns_apply_left_to_right():
    for text, axis in (("0-1:90, 1-2:90", 2), ("1-2:90,0-1:90", 1)):
        np.testing.assert_allclose(unit(3, 0) @ parse_operations(text, 3)[0].T, unit(3, axis), atol=1e-15)


def test_parse():
    for text, turn in ((" 2 - 0 : -1.5e1 ", (2, 0, -15.0)), ("0-3:.5", (0, 3, 0.5)), ("1-2:+3.", (1, 2, 3.0))):
        i, j, degrees = turn
        matrix, words = parse_operations(text, 4)
        np.testing.assert_array_equal(matrix, plane_rotation(4, i, j, math.radians(degrees)))
        assert words == [f"{i}-{j}: {degrees:g}°"]


@pytest.mark.parametrize(
    "text",
    [
        *("", ",", "0-1", "0-1:", "0-1:x", "0:1-30", "0-1:30,", "-1-0:3", "0-1:nan", "0-1:inf", "0-1:1e999"),
        *("0-1:3 4", "1" * 5000 + "-0:3", "0-1:" + "9" * 5000),
    ],
)
def test_what_does_not_parse_is_named_in_one_line(text):
    with pytest.raises(InputError, match=r"rotation '") as caught:
        parse_operations(text, 3)
    assert len(str(caught.value)) < 160


def test_operations_of_all_kinds_apply_left_to_right():
    matrix, words = parse_operations("0-1:90, random:17,reflect:2", 3)
    drawn = random_rotation(3, np.random.default_rng(17))
    np.testing.assert_allclose(matrix, reflection(3, 2) @ drawn @ plane_rotation(3, 0, 1, math.pi / 2), atol=1e-15)
    assert words == ["0-1: 90°", "random rotation 17", "reflect x2"]
    assert not np.allclose(matrix, parse_operations("reflect:2,random:17,0-1:90", 3)[0])


@pytest.mark.parametrize(
    "text",
    [
        *("", "0-1", "random", "random:", "random:-1", "random:x", "random:4294967296", "reflect:1.5", "turn:3"),
        *("random:" + "0" * 12 + "9" * 5000, "reflect:٣"),
    ],
)
def test_operations_that_do_not_parse_are_named_in_one_line(text):
    with pytest.raises(InputError, match=r"rotation '") as caught:
        parse_operations(text, 3)
    assert len(str(caught.value)) < 160


def test_axes_are_checked():
    for i, j in ((0, 3), (-1, 0)):
        with pytest.raises(InputError, match="does not exist in 3 dimensions"):
            plane_rotation(3, i, j, 1.0)
    with pytest.raises(InputError, match="two different axes; got 1-1"):
        parse_operations("1-1:20", 3)
    with pytest.raises(InputError, match="axis 2 does not exist in 2 dimensions"):
        reflection(2, 2)


@pytest.mark.parametrize("n", range(1, 5))
def test_reflection(n):
    for axis in range(n):
        R = reflection(n, axis)
        assert np.linalg.det(R) == pytest.approx(-1.0)
        np.testing.assert_array_equal(R @ R, np.eye(n))
        assert R[axis, axis] == -1


def moments_mismatch(draw, n, rng, count=4000):
    """How far the mean and the second moments of the entries are from those of the Haar measure: 0 and 1/n."""
    sample = np.array([draw(n, rng) for _ in range(count)])
    return max(np.abs(sample.mean(axis=0)).max(), np.abs((sample**2).mean(axis=0) - 1 / n).max()) * math.sqrt(
        count
    )


def unsigned_qr(n, rng):
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


@pytest.mark.parametrize("n", range(2, 6))
def test_random_orthogonal_is_haar(n, rng):
    determinants = []
    for _ in range(100):
        R = random_orthogonal(n, rng)
        assert np.abs(R @ R.T - np.eye(n)).max() < tolerance("orthogonal")
        determinants.append(np.linalg.det(R))
    assert 30 < sum(d > 0 for d in determinants) < 70
    assert moments_mismatch(random_orthogonal, n, rng) < 5  # standard errors
    assert moments_mismatch(unsigned_qr, n, rng) > 5  # the usual mistake is noticed


@pytest.mark.parametrize("n", range(1, 6))
def test_random_rotation_has_determinant_one(n, rng):
    for _ in range(50):
        R = random_rotation(n, rng)
        assert np.linalg.det(R) == pytest.approx(1.0)
        assert np.abs(R @ R.T - np.eye(n)).max() < tolerance("orthogonal")
    if n > 1:
        assert moments_mismatch(random_rotation, n, rng, 2000) < 5


def test_one_dimension_has_two_elements(rng):
    drawn = {float(random_orthogonal(1, rng)[0, 0]) for _ in range(50)}
    assert drawn == {-1.0, 1.0}


def test_a_seed_determines_the_draw():
    first, again = (random_rotation(4, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
