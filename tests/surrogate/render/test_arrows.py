"""Arrows of fields: they turn with the world, and show what the engine does."""

from dataclasses import replace

import numpy as np
import pytest

from physics.fields import Fields
from physics.rotations import random_orthogonal, reflection
from surrogate.render import DARK, ViewOptions, build_scene
from surrogate.render.arrows import ARROW_SIZE, RING_ARROWS, field_key, field_vectors, turning_planes


def fields_in(n: int) -> Fields:
    rng = np.random.default_rng(n)
    a = rng.standard_normal((n, n))
    return Fields(rng.standard_normal(n), a - a.T)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8])
def test_turning_planes_are_the_matrix_taken_apart(n):
    magnetic = fields_in(n).magnetic
    planes = turning_planes(magnetic)
    assert len(planes) == n // 2
    assert [rate for rate, _ in planes] == sorted((rate for rate, _ in planes), reverse=True)
    again = np.zeros((n, n))
    for rate, (u, w) in planes:
        again += rate * (np.outer(w, u) - np.outer(u, w))  # B u = rate w, B w = -rate u
    np.testing.assert_allclose(again, magnetic, atol=1e-10)
    everything = np.concatenate([axes for _, axes in planes])
    np.testing.assert_allclose(everything @ everything.T, np.eye(len(everything)), atol=1e-10)
    assert turning_planes(np.zeros((n, n))) == []


def test_equally_fast_planes_are_two():
    magnetic = np.kron(np.eye(2), [[0.0, 2.0], [-2.0, 0.0]])
    assert [round(rate, 12) for rate, _ in turning_planes(magnetic)] == [2.0, 2.0]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_arrows_go_round_with_the_world(n):
    fields = fields_in(n)
    before = field_vectors(fields, np.eye(n), 2.0)
    assert set(before) == ({"electric", "magnetic"} if n > 1 else {"electric"})
    R = random_orthogonal(n, np.random.default_rng(4))
    for matrix in (R, reflection(n, 0) @ R):
        after = field_vectors(fields.transformed(matrix), matrix, 2.0)
        for name, field in before.items():
            axial = np.linalg.det(matrix) if (name, n) == ("magnetic", 3) else 1.0
            middle, there = field.points + 0.5 * field.values, after[name].points + 0.5 * after[name].values
            np.testing.assert_allclose(there, middle @ matrix.T, atol=1e-9)
            np.testing.assert_allclose(after[name].values, axial * field.values @ matrix.T, atol=1e-9)


def test_arrows_of_three_dimensions_are_the_field_and_its_dual():
    b, e = np.array([0.3, -0.5, 2.0]), np.array([0.0, 0.4, 0.0])
    cross = np.array([[0.0, b[2], -b[1]], [-b[2], 0.0, b[0]], [b[1], -b[0], 0.0]])  # v x b = cross @ v
    np.testing.assert_allclose(cross @ [1.0, 2.0, 3.0], np.cross([1.0, 2.0, 3.0], b))
    drawn = field_vectors(Fields(e, cross), np.eye(3), 2.0)
    for name, vector in (("electric", e), ("magnetic", b)):
        expected = np.broadcast_to(2.0 * ARROW_SIZE * vector / np.linalg.norm(vector), drawn[name].values.shape)
        np.testing.assert_allclose(drawn[name].values, expected, atol=1e-12)


@pytest.mark.parametrize("n", [2, 4, 5])
def test_rings_go_the_way_positive_charges_do(n):
    magnetic = fields_in(n).magnetic
    ring = field_vectors(Fields(magnetic=magnetic), np.eye(n), 2.0)["magnetic"]
    middle = ring.points + 0.5 * ring.values
    along = np.einsum("ki,ki->k", middle @ magnetic.T, ring.values)  # about its centre a charge moves with B d
    assert (along > 0).all()
    assert np.linalg.norm(ring.values, axis=1).max() < ARROW_SIZE * 2.0  # no arrow is cut: the ring is closed
    heads = ring.points + ring.values
    apart = np.linalg.norm(heads[:, None] - ring.points[None], axis=-1).min(axis=1)
    np.testing.assert_allclose(apart, 0.0, atol=1e-12)


def test_the_legend_names_them_and_says_how_strong():
    assert field_key(Fields(), DARK) == ()
    three = Fields([0.0, 3.0, 4.0], [[0, 2.0, 0], [-2.0, 0, 0], [0, 0, 0]])
    assert field_key(three, DARK) == (("electric 5", DARK.electric), ("magnetic 2", DARK.magnetic))
    four = np.kron(np.diag([2.0, 1.0]), [[0.0, 1.0], [-1.0, 0.0]])
    assert field_key(Fields(magnetic=four), DARK) == (("magnetic 2, 1 (+ turns so)", DARK.magnetic),)
    assert "up to" in field_key(fields_in(6), DARK)[1][0]


def test_a_scene_shows_its_systems_fields_unless_told_not_to(comparison_of):
    plain = comparison_of(4)
    assert build_scene(plain, 3).vectors is None
    system = replace(plain.truth.system, fields=fields_in(4))
    fielded = replace(plain, truth=replace(plain.truth, system=system))
    scene = build_scene(fielded, 3)
    assert len(scene.vectors.points) == 8 + 2 * RING_ARROWS
    assert [word.split()[0] for word, _ in scene.legend.arrows] == ["electric", "magnetic"]
    assert scene.vectors is build_scene(fielded, 5).vectors  # made once
    hidden = build_scene(fielded, 3, ViewOptions(fields=False))
    assert hidden.vectors is None
    assert hidden.legend.arrows == ()
