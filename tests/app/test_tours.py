"""Tours of SO(n): orthonormal everywhere, continuous, at constant speed; and each what its name says."""

import itertools
import math

import numpy as np
import pytest

from app.viewmodel.state.tours import TOURS, Course, geodesic, orthonormal, rotation_along
from physics.rotations import plane_rotation, random_rotation
from surrogate.render.projection import default_view_basis

KINDS = list(TOURS)


def course(kind: str, n: int, **changes) -> Course:
    return Course(kind, n, **({"plane": (0, n - 1), "hidden": n - 1, "seed": 4} | changes))


def speed(a, b, step: float) -> float:
    """|log(a^T b)| / sqrt(2) / step, from the angles of its eigenvalues."""
    return float(np.linalg.norm(np.angle(np.linalg.eigvals(a.T @ b))) / math.sqrt(2.0) / step)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [2, 3, 4, 5, 8])
def test_a_path_stays_in_the_group_is_continuous_and_even(kind, n):
    step = 0.01
    ways = np.arange(0.0, 30.0, step)
    path = [rotation_along(course(kind, n), way) for way in ways]
    V = default_view_basis(n)
    seen = V.any(axis=0)
    for R in path[::50]:
        assert np.abs(R.T @ R - np.eye(n)).max() < 1e-12
        assert np.linalg.det(R) == pytest.approx(1.0)
        assert np.abs((R @ V).T @ (R @ V) - np.diag(seen)).max() < 1e-12
    assert np.abs(path[0] - np.eye(n)).max() < 1e-14
    jumps = [np.linalg.norm(b - a) for a, b in itertools.pairwise(path)]
    assert max(jumps) < 1.5 * step  # |dR| = sqrt(2) |speed| dt
    speeds = np.array([speed(a, b, step) for a, b in itertools.pairwise(path)])
    inside = np.abs(speeds - 1.0) < 1e-6
    assert inside.mean() > 0.95  # all but the steps in which one leg ends and another begins
    assert speeds.max() < 1.0 + 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_the_start_of_a_leg_is_the_end_of_the_one_before(kind):
    c, way = course(kind, 5), 0.0
    for number in range(8):
        way += TOURS[kind].leg(c, number).length
        before, after = rotation_along(c, way - 1e-9), rotation_along(c, way + 1e-9)
        assert np.abs(before - after).max() < 1e-8


def test_a_sweep_is_the_turn_in_its_plane():
    for degrees in (0.0, 45.0, 200.0, 359.0, 400.0, 1000.0):
        R = rotation_along(course("sweep", 4, plane=(1, 3)), math.radians(degrees))
        assert np.allclose(R, plane_rotation(4, 1, 3, math.radians(degrees)), atol=1e-12)


def test_a_little_tour_is_axis_parallel_after_every_quarter_turn():
    for quarters in range(12):
        R = rotation_along(course("little", 4), quarters * math.pi / 2)
        assert np.allclose(np.abs(R).round(9).sum(axis=0), 1.0)
        assert quarters == 0 or not np.allclose(
            R, rotation_along(course("little", 4), (quarters - 1) * math.pi / 2)
        )


def test_a_radial_tour_hides_one_axis_in_each_other_and_comes_back():
    c = course("radial", 4, hidden=3)
    for k in range(3):
        out = rotation_along(c, (2 * k + 1) * math.pi / 2)
        assert abs(out[3, k]) == pytest.approx(1.0)
        assert np.allclose(rotation_along(c, (2 * k + 2) * math.pi / 2), np.eye(4), atol=1e-12)


def test_grand_tours_differ_by_seed_and_repeat_themselves():
    at = [rotation_along(course("grand", 4, seed=s), 2.0) for s in (1, 2, 1)]
    assert np.array_equal(at[0], at[2])
    assert np.abs(at[0] - at[1]).max() > 0.1


def test_one_dimension_has_nowhere_to_go():
    assert rotation_along(Course("grand", 1), 3.0).tolist() == [[1.0]]


@pytest.mark.parametrize("n", [3, 4, 7])
def test_a_geodesic_ends_at_its_target(n):
    target = random_rotation(n, np.random.default_rng(n))
    leg = geodesic(target)
    assert np.allclose(leg.at(leg.length), target, atol=1e-10)
    half = leg.at(leg.length / 2)
    assert np.allclose(half @ half, target, atol=1e-10)


def test_orthonormal_mends():
    R = random_rotation(5, np.random.default_rng(0))
    assert np.allclose(orthonormal(R + 1e-9), R, atol=1e-8)
    assert np.abs(orthonormal(R + 1e-3).T @ orthonormal(R + 1e-3) - np.eye(5)).max() < 1e-14
