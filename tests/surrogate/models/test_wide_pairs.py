"""Pairs eight at once: vectors against numbers, and whole forecasts against PyTorch."""

import math

import numpy as np
import pytest
import torch

from physics.kernels.jit import kernel
from physics.kernels.vectors import load, store
from physics.types import FloatArray
from surrogate.models.integrator.cpu.pair_chunks import PAIRS
from surrogate.models.integrator.cpu.row_motions import MOST_KEPT
from surrogate.models.integrator.cpu.spline import Spline, law_derivatives
from surrogate.models.integrator.cpu.system_law import SystemLaw, piece_laws, system_law
from surrogate.models.integrator.cpu.vector_spline import LANES, all_positive, laws
from tests.surrogate.models.integrators import drawn, knowing_coulomb, state


@kernel
def wide(r2: FloatArray, table: FloatArray, factors: FloatArray, out: FloatArray) -> None:
    for at in range(0, len(r2), LANES):
        found = laws(load(r2, at, LANES), table, 0.01, math.log(0.1), 25.0, factors, at)
        store(out, at, found[0])
        store(out, len(r2) + at, found[1])
        store(out, 2 * len(r2) + at, found[2])


def test_the_spline_of_several_pairs_is_that_of_each() -> None:
    rng = np.random.default_rng(0)
    table, factors = rng.standard_normal((2, 210)), rng.standard_normal((2, 64))
    r2 = np.concatenate([[0.0, 1e6], 10.0 ** rng.uniform(-6, 6, 62)])
    found, known = np.empty((2, 3, 64))
    wide(r2, table, factors, found)
    for p in range(64):
        known[:, p] = law_derivatives(r2[p], table, 0.01, math.log(0.1), 25.0, factors[:, p])[:3]
    size = np.abs(known).max(1, keepdims=True)
    np.testing.assert_allclose(found / size, known / size, rtol=1e-9, atol=1e-12)
    beyond = r2 > 1.1 * (0.1 * math.exp(206 / 25)) ** 2
    assert beyond.any()
    assert (found[1:, beyond] == 0).all()


@kernel
def by_pieces(r2: FloatArray, law: SystemLaw, factors: FloatArray, out: FloatArray) -> bool:
    s2, u0, per_knot = law.spline.s2, law.spline.u0, law.spline.per_knot
    found = piece_laws(load(r2, 0, LANES), law.pieces, s2, u0, per_knot, factors)
    store(out, 0, found[0])
    store(out, LANES, found[1])
    store(out, 2 * LANES, found[2])
    return all_positive(load(r2, 0, LANES))


def test_channels_that_are_alike_are_one_law() -> None:
    rng = np.random.default_rng(0)
    spline = Spline(rng.standard_normal((3, 210)), 0.01, math.log(0.1), 25.0)
    q, one, out = rng.choice([-1.0, 1.0], 9), np.ones(9), np.empty((3, LANES))
    law = system_law(spline, np.stack([one, q, -3 * one]), np.full(9, 2.0), 0.0, 0.1, 64)
    assert law.couplings.shape == (2, 9 + LANES)
    assert (law.couplings[:, 9:] == 0).all()
    r2, factors = 10.0 ** rng.uniform(-3, 3, LANES), np.stack([q[1:], one[1:]])  # as i = 0 and q_0 = 1 have them
    r2[0] = 1e6
    assert by_pieces(r2, law, factors, out)
    for p in range(LANES):
        given = np.array([1.0, q[1 + p], 9.0])
        known = law_derivatives(r2[p], spline.table, *spline[1:], given)[:3]
        np.testing.assert_allclose(out[:, p], known, rtol=1e-9, atol=1e-11 * np.abs(known).max())
    for wrong in (0.0, -1.0, math.nan):
        r2[3] = wrong
        assert not by_pieces(r2, law, factors, out)


@pytest.mark.parametrize(
    ("particles", "n"), [(2, 3), (5, 2), (16, 3), (17, 2), (17, 3), (40, 3), (40, 4), (150, 3)]
)
def test_forecasts_are_what_pytorch_computes(particles: int, n: int) -> None:
    """Within a chunk, as many pairs as it holds, rows whose motions are kept, and more; some take sub-steps."""
    assert 40 * 40 // 2 < MOST_KEPT * LANES < 150 * 149 // 2
    assert 16 * 15 // 2 <= PAIRS < 17 * 16 // 2
    for model in (knowing_coulomb(order=4, pull="always"), drawn(0.2, order=4).eval()):
        x, v, q, m = state(3 if particles < 100 else 1, particles, n)
        with torch.no_grad():
            found, count = model.for_inference().forward(x, v, q, 0.3, m, 3), float(model.force_evaluations)
            known = model(x, v, q, 0.3, m, 3)
        assert count == float(model.force_evaluations)
        assert count > 3 or particles == 2
        for one, other in zip(found, known, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-11)


def test_a_state_that_is_not_finite_stops_no_other() -> None:
    model = knowing_coulomb(order=4)
    x, v, q, m = state(3, 5)
    x[1, 2, 0] = math.nan
    v[2, 1, 1] = math.inf
    with torch.no_grad():
        found, _ = model.for_inference().forward(x, v, q, 0.3, m, 3)
        alone, _ = model.for_inference().forward(x[:1], v[:1], q[:1], 0.3, m[:1], 3)
    assert torch.equal(found[:1], alone)
    assert found[1:].isnan().all()
