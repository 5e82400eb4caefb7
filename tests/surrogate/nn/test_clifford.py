"""The geometric product: what defines it, and that these tests bite."""

import itertools

import numpy as np
import pytest
import torch

from physics.rotations import random_orthogonal
from surrogate.nn import clifford
from surrogate.nn.clifford import algebra, geometric_product

dims = pytest.mark.parametrize("n", [1, 2, 3, 4, 5])


def drawn(n, count, seed=0):
    return torch.randn(count, 2**n, 3, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def vectors(n, count):
    made = torch.zeros_like(drawn(n, count))
    made[:, 1 : n + 1] = drawn(n, count)[:, 1 : n + 1]
    return made


def outermorphism(matrix):
    """A linear map of vectors as one of multivectors: minors of the matrix, grade by grade."""
    n = len(matrix)
    of_grades = []
    for g in range(n + 1):
        blades = [list(axes) for axes in itertools.combinations(range(n), g)]
        minors = [float(torch.linalg.det(matrix[i][:, j])) if g else 1.0 for i in blades for j in blades]
        of_grades.append(torch.tensor(minors, dtype=torch.float64).view(len(blades), len(blades)))
    return torch.block_diag(*of_grades)


def associator(n):
    f, g, h = drawn(n, 3)
    left = geometric_product(geometric_product(f, g), h)
    return float((left - geometric_product(f, geometric_product(g, h))).abs().max())


@dims
def test_the_product_is_associative(n):
    assert associator(n) < 1e-12


def test_one_wrong_sign_is_not_associative(monkeypatch):
    a = algebra(3)
    monkeypatch.setattr(clifford, "algebra", lambda n: a)
    a.signs[5, 2] *= -1
    try:
        assert associator(3) > 0.1
    finally:
        a.signs[5, 2] *= -1


@dims
def test_a_vector_squares_to_its_square_norm(n):
    v, w = vectors(n, 2)
    square = geometric_product(v, v)
    assert torch.allclose(square[0], v.square().sum(0))
    assert float(square[1:].abs().max()) < 1e-13 if n > 1 else True
    both = geometric_product(v, w) + geometric_product(w, v)
    assert torch.allclose(both[0], 2 * (v * w).sum(0))
    assert torch.allclose(both[1:], torch.zeros_like(both[1:]), atol=1e-13)


def test_in_three_dimensions_two_vectors_make_their_cross_product():
    v, w = vectors(3, 2)
    e12, e13, e23 = geometric_product(v, w)[4:7]
    cross = torch.linalg.cross(v[1:4], w[1:4], dim=0)
    assert torch.allclose(torch.stack([e23, -e13, e12]), cross)


@dims
def test_orthogonal_maps_commute_with_every_grade_path(n):
    turn = outermorphism(torch.as_tensor(random_orthogonal(n, np.random.default_rng(n))))
    f, h = drawn(n, 2)
    a = algebra(n)
    weights = torch.randn(len(a.paths), 3, 1, dtype=torch.float64)

    def turned(m):
        return torch.einsum("ij,jcr->icr", turn, m)

    here = turned(geometric_product(f, h, weights))
    assert torch.allclose(geometric_product(turned(f), turned(h), weights), here, atol=1e-10)
    by_blade = torch.randn(2**n, 2**n, 1, 1, dtype=torch.float64)

    def weighted(f, h):  # each blade by its own: no longer a grade as a whole
        return sum(f[i] * h[a.right[i]] * a.signs[i].view(-1, 1, 1) * by_blade[i] for i in range(2**n))

    error = (turned(weighted(f, h)) - weighted(turned(f), turned(h))).abs().max()
    assert n == 1 or float(error) > 1e-3


@pytest.mark.parametrize(("n", "paths"), [(1, 4), (2, 10), (3, 20), (4, 35), (5, 56)])
def test_grade_paths(n, paths):
    a = algebra(n)
    assert len(a.paths) == paths
    assert a.n_blades == 2**n
    assert [s.stop - s.start for s in a.slices] == [int((a.grades == g).sum()) for g in range(n + 1)]


def test_tables_are_made_for_models_on_the_meta_device_too():
    algebra.cache_clear()
    with torch.device("meta"):
        a = algebra(3)
    assert {t.device.type for t in (a.grades, a.right, a.signs, a.path)} == {"cpu"}
