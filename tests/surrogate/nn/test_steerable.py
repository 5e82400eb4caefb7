"""Harmonics, Clebsch-Gordan coefficients, tensor products and gates: equivariant, and normalised as stated."""

import numpy as np
import pytest
import torch
from scipy.special import sph_harm_y

from physics.errors import InputError
from physics.rotations import random_orthogonal
from surrogate.nn.steerable.clebsch_gordan import clebsch_gordan
from surrogate.nn.steerable.gate import SIGMOID_FACTOR, SILU_FACTOR, Gate
from surrogate.nn.steerable.harmonics import INTEGRAL, Harmonics
from surrogate.nn.steerable.irreps import Block, irreps, natural_irreps
from surrogate.nn.steerable.tensor_product import Linear, Plan, TensorProduct
from tests.surrogate.nn.steerable_helpers import drawn, harmonics, turned, wigner

TRIPLES = [(a, b, c) for a in range(5) for b in range(5) for c in range(abs(a - b), min(a + b, 4) + 1)]
MATRIX = random_orthogonal(3, np.random.default_rng(2))
ROTATION = MATRIX * np.linalg.det(MATRIX)


def apart(f, g):
    return max(float((a - b).detach().abs().max()) for a, b in zip(f, g, strict=True))


@pytest.mark.parametrize("triple", TRIPLES, ids=str)
def test_clebsch_gordan_maps_commute_with_rotations_and_are_isometries(triple):
    c = clebsch_gordan(*triple)
    d1, d2, d3 = (wigner(degree, ROTATION) for degree in triple)
    there = np.einsum("abc,ai,bj->ijc", c, d1, d2)
    assert np.abs(there - np.einsum("ijc,kc->ijk", c, d3)).max() < 1e-12
    assert np.abs(np.einsum("abc,abd->cd", c, c) - np.eye(2 * triple[2] + 1)).max() < 1e-13
    if min(triple) > 0:
        wrong = np.einsum("abc,ai,bj->ijc", np.roll(c, 1, axis=0), d1, d2)
        assert np.abs(wrong - np.einsum("ijc,kc->ijk", np.roll(c, 1, axis=0), d3)).max() > 0.01


def test_signs_and_sizes_of_the_lowest_coefficients():
    for k in range(5):
        assert np.allclose(clebsch_gordan(k, k, 0)[..., 0], np.eye(2 * k + 1) / np.sqrt(2 * k + 1))
        assert np.allclose(clebsch_gordan(0, k, k)[0], np.eye(2 * k + 1))
        assert np.allclose(clebsch_gordan(k, 0, k)[:, 0], np.eye(2 * k + 1))
    a, b = np.random.default_rng(0).standard_normal((2, 3))
    assert np.allclose(np.einsum("a,b,abc->c", a, b, clebsch_gordan(1, 1, 1)), np.cross(a, b) / np.sqrt(2))


@pytest.mark.parametrize("degree", range(5))
def test_harmonics_are_the_real_ones_with_the_polar_axis_along_y(degree):
    points = np.random.default_rng(1).standard_normal((20, 3))
    x, y, z = (points / np.linalg.norm(points, axis=1, keepdims=True)).T
    theta, phi = np.arccos(y), np.arctan2(x, z)
    expected = []
    for m in range(-degree, degree + 1):
        whole = sph_harm_y(degree, abs(m), theta, phi) * (-1) ** m
        expected.append(np.sqrt(2) * (whole.imag if m < 0 else whole.real) if m else whole.real)
    found = INTEGRAL * harmonics(degree, points)
    assert np.abs(found - np.array(expected).T).max() < 1e-8  # the 1e-16 added to squared lengths
    assert np.allclose((found**2).sum(1), (2 * degree + 1) / (4 * np.pi))
    if degree == 1:
        assert np.allclose(found, 0.4886025 * np.array([x, y, z]).T)


def test_directions_of_nothing_are_nothing_with_finite_gradients():
    r = torch.zeros(2, 3, requires_grad=True)
    values = Harmonics(4, 0).values(r)
    sum(v.sum() for v in values).backward()
    assert all(not v.any() for v in values)
    assert torch.isfinite(r.grad).all()


@pytest.mark.parametrize("mix_first", [False, True])
@pytest.mark.parametrize("reflections", [True, False], ids=["E(3)", "SE(3)"])
@pytest.mark.parametrize("degrees", [(1, 1, 1), (2, 2, 2), (1, 2, 3), (3, 4, 1)], ids=str)
def test_products_are_equivariant_and_other_orders_of_components_are_not(degrees, reflections, mix_first):
    inner, edge, outer = degrees
    kind_in = natural_irreps(4, inner, reflections) + natural_irreps(3, inner, reflections)
    kind_out, sh = natural_irreps(5, outer, reflections), natural_irreps(1, edge, reflections)
    torch.manual_seed(0)
    product = TensorProduct(kind_in, sh, kind_out, mix_first=mix_first).double()
    y = Harmonics(edge, max(inner, outer)).double()
    f, r = drawn(kind_in, 7), drawn((Block(1, 1, -1),), 7)[0]
    for matrix in (ROTATION, -ROTATION):
        there = product(turned(f, kind_in, matrix), y(r @ torch.as_tensor(matrix).T))
        error = apart(there, turned(product(f, y(r)), kind_out, matrix))
        if reflections or matrix is ROTATION:
            assert error < 1e-12
        elif edge > 1 or inner > 1:
            assert error > 1e-3
    swapped = [t.clone() for t in f]
    swapped[1] = swapped[1].view(7, 3, 4)[:, [1, 2, 0]].flatten(1)  # another order of components
    one = product(tuple(swapped), y(r))
    turn = turned(f, kind_in, ROTATION)
    other = [t.clone() for t in turn]
    other[1] = other[1].view(7, 3, 4)[:, [1, 2, 0]].flatten(1)
    there = product(tuple(other), y(r @ torch.as_tensor(ROTATION).T))
    assert apart(there, turned(one, kind_out, ROTATION)) > 1e-3


@pytest.mark.parametrize("mix_first", [False, True])
def test_a_product_is_the_sum_over_paths_of_mixed_and_coupled_channels(mix_first):
    kind_in, sh, kind_out = irreps("3x0e+2x1o+4x1e"), natural_irreps(1, 2), irreps("5x0e+2x1o+3x2e")
    torch.manual_seed(0)
    product = TensorProduct(kind_in, sh, kind_out, mix_first=mix_first, scales=[1.0, 2.0, 3.0]).double()
    y = Harmonics(2, 2).double()
    f, r = drawn(kind_in, 6), torch.randn(6, 3, dtype=torch.float64)
    values = [torch.ones(6, 1).double(), *y.values(r)]
    expected = [torch.zeros(6, 2 * b.degree + 1, b.channels).double() for b in kind_out]
    for path in product.plan.paths:
        s, j, t = path
        c = torch.tensor(clebsch_gordan(kind_in[s].degree, j, kind_out[t].degree))
        block = f[s].view(6, -1, kind_in[s].channels) * (1.0, 2.0, 3.0)[s]
        expected[t] += torch.einsum(
            "eau,eb,abc,uw->ecw", block, values[j], c, product.plan.at(path, product.weight)
        )
    expected[0] += product.bias
    assert apart(product(f, y(r)), [e.flatten(1) for e in expected]) < 1e-12
    assert product.weight.numel() == product.plan.n_weights


def test_mixing_at_nodes_and_coupling_on_edges_is_the_product():
    kind, sh = natural_irreps(4, 1), natural_irreps(1, 1)
    product, y = TensorProduct(kind, sh, kind, mix_first=True).double(), Harmonics(1, 1).double()
    f, r, at = drawn(kind, 3), torch.randn(8, 3).double(), torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    nodes = product.plan.mixed(f, product.weights(), product.bias)
    there = product.plan.coupled([m[at] for m in nodes], y(r))
    assert apart([t.flatten(1) for t in there], product(tuple(t[at] for t in f), y(r))) < 1e-13


def test_a_product_acts_like_a_linear_layer_of_equal_fan_in():
    kind, sh = natural_irreps(32, 1), natural_irreps(1, 1)
    torch.manual_seed(0)
    products = [TensorProduct(kind, sh, kind, bias=False).double() for _ in range(10)]
    y = Harmonics(1, 1).double()
    f, r = drawn(kind, 1000), torch.randn(1000, 3).double()
    with torch.no_grad():
        found = [torch.cat([p(f, y(r))[t] for p in products]).var() for t in (0, 1)]
    for variance, fan_in in zip(found, (64, 64), strict=True):
        weights = torch.nn.Linear(fan_in, 1000, bias=False).weight.detach()
        assert float(variance) == pytest.approx(fan_in * float(weights.var()), rel=0.1)
        assert float(variance) == pytest.approx(1 / 3, rel=0.1)


def test_gates_and_linear_maps_are_equivariant_and_activations_keep_second_moments():
    kind = irreps("4x0e+3x1o+2x2e")
    gate, linear = Gate(kind), Linear(kind + kind, Gate(kind).irreps_in).double()
    assert gate.irreps_in == irreps("9x0e+3x1o+2x2e")
    f = drawn(kind + kind, 5)
    here = gate(linear(f))
    for matrix in (ROTATION, -ROTATION):
        assert apart(gate(linear(turned(f, kind + kind, matrix))), turned(here, kind, matrix)) < 1e-12
    z = np.random.default_rng(0).standard_normal(1_000_000)
    assert SILU_FACTOR**2 * np.mean((z / (1 + np.exp(-z))) ** 2) == pytest.approx(1, abs=0.01)
    assert SIGMOID_FACTOR**2 * np.mean((1 / (1 + np.exp(-z))) ** 2) == pytest.approx(1, abs=0.01)


def test_refusals():
    with pytest.raises(InputError, match="irreps"):
        irreps("32x0e+32xo")
    with pytest.raises(InputError, match="no path"):
        Plan(irreps("2x0e"), natural_irreps(1, 1), irreps("2x0e+1x1e"))


def test_products_are_counted_without_memory():
    kind = natural_irreps(4, 2)
    with torch.device("meta"):
        product = TensorProduct(kind, natural_irreps(1, 2), kind, scales=[1.0, 2.0, 3.0])
        Harmonics(2, 2)
    assert sum(p.numel() for p in product.parameters()) == product.plan.n_weights + 4
