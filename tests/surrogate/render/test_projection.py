import numpy as np
import pytest

from physics.errors import InputError
from physics.rotations import random_orthogonal
from surrogate.render import build_scene
from surrogate.render import projection as p

DIMS = range(1, 9)


@pytest.mark.parametrize("n", DIMS)
def test_default_basis_is_orthonormal_and_shows_every_axis_alike(n):
    V = p.default_view_basis(n)
    assert V.shape == (n, 3)
    k = min(n, 3)
    expected = np.diag([1.0] * k + [0.0] * (3 - k))
    np.testing.assert_allclose(V.T @ V, expected, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(V, axis=1), np.sqrt(k / n), atol=1e-12)
    p.view_basis(V, n)


@pytest.mark.parametrize("n", DIMS)
def test_axes_are_drawn_apart(n):
    V = p.default_view_basis(n) / np.sqrt(min(n, 3) / n)
    cosines = np.abs(V @ V.T)[~np.eye(n, dtype=bool)]
    assert (cosines < 0.87).all()  # 30 degrees apart or more


@pytest.mark.parametrize("n", DIMS)
def test_drawn_and_hidden_parts_add_up(n):
    x = np.random.default_rng(n).standard_normal((7, 4, n))
    V = p.default_view_basis(n)
    drawn = p.project(x, V)
    assert drawn.shape == (7, 4, 3)
    total = (drawn**2).sum(-1) + p.hidden_radius(x, V) ** 2
    np.testing.assert_allclose(total, (x**2).sum(-1))


def test_low_dimensions_stay_where_they_are():
    x = np.array([[1.0, 2.0]])
    np.testing.assert_array_equal(p.project(x, p.default_view_basis(2)), [[1.0, 2.0, 0.0]])
    np.testing.assert_array_equal(p.project(x[:, :1], p.default_view_basis(1)), [[1.0, 0.0, 0.0]])
    np.testing.assert_array_equal(p.hidden_radius(x, p.default_view_basis(2)), [0.0])


def test_axis_arrows_are_the_projected_unit_vectors(comparison_of):
    axes = build_scene(comparison_of(5), 0).axes
    np.testing.assert_array_equal(axes, p.project(np.eye(5), p.default_view_basis(5)))
    assert p.axis_labels(5) == ("x0", "x1", "x2", "x3", "x4")


def test_chosen_axes():
    V = p.axis_view_basis(5, (4, 1, 3))
    np.testing.assert_array_equal(p.project(np.arange(5.0), V), [4.0, 1.0, 3.0])
    with pytest.raises(InputError, match="axis 5"):
        p.axis_view_basis(5, (0, 1, 5))


@pytest.mark.parametrize("bad", [np.eye(4), 2 * np.eye(4)[:, :3], np.full((4, 3), np.nan)])
def test_a_bad_basis_is_refused(bad):
    with pytest.raises(InputError, match="view basis"):
        p.view_basis(bad, 4)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_frame_does_not_change_under_rotation(n, comparison_of):
    c = comparison_of(n)
    R = random_orthogonal(n, np.random.default_rng(0))
    before = p.framing(c.truth, c.forecast)
    after = p.framing(c.truth.transformed(R), c.forecast.transformed(R))
    assert after.radius == pytest.approx(before.radius)
    assert after.error_limit == pytest.approx(before.error_limit)
    np.testing.assert_allclose(after.centre, R @ before.centre, atol=1e-12)


def test_the_truth_is_inside_and_a_runaway_does_not_shrink_it(comparison_of):
    c = comparison_of(3)
    alone = p.framing(c.truth)
    distance = np.linalg.norm(c.truth.positions - alone.centre, axis=-1)
    assert distance.max() <= alone.radius * (1 + 1e-12)
    far = c.forecast.positions.copy()
    far[-1, 0] += 1e6
    runaway = type(c.truth)(c.truth.times, far, c.truth.velocities, c.truth.system)
    with_runaway = p.framing(c.truth, runaway)
    assert alone.radius < with_runaway.radius <= p.RUNAWAY * alone.radius * (1 + 1e-12)
    assert with_runaway.error_limit <= alone.radius


def test_particles_in_one_point_still_get_a_frame(comparison_of):
    truth = comparison_of(3).truth
    still = type(truth)(truth.times, np.zeros_like(truth.positions), truth.velocities, truth.system)
    frames = p.framing(still)
    assert frames.radius == 1.0
    assert frames.error_limit == 1.0
