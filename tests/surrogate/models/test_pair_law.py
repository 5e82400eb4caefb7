"""The spline is the law: what the kernel evaluates, what its potential's derivative is, what lies beyond."""

import math

import numpy as np
import pytest
import torch

from surrogate.models.integrator.cpu import spline as spline_kernels
from surrogate.models.integrator.pair_law import FARTHEST, KNOT_SPACING, PairLaw, spline
from tests.surrogate.models.integrators import coulomb_table


def law(powers: tuple[int, ...] = (0, 1, 2, 3), channels: int = 2, softening: float = 0.1) -> PairLaw:
    torch.manual_seed(1)
    made = PairLaw(channels, powers, 16, softening, 30.0)
    with torch.no_grad():
        for p in made.phi[-1].parameters():
            p.normal_(0, 0.3)
    return made


def test_an_untrained_law_is_no_force() -> None:
    assert not PairLaw(2, (0, 3), 8, 0.1, 30.0).table().any()


@pytest.mark.parametrize("softening", [0.03, 0.1, 1.0])
def test_the_force_is_minus_the_slope_of_its_potential(softening: float) -> None:
    made = law(softening=softening)
    table = made.table().detach()
    r = torch.logspace(-2, 2, 400, dtype=torch.float64).requires_grad_()
    potentials = made.potentials(table, r.square())
    for c in range(2):
        (slope,) = torch.autograd.grad(potentials[c].sum(), r, retain_graph=True)
        force = (spline(table, r.square(), softening, made.u0)[c] * r).detach()
        scale = float(force.abs().max())
        assert scale > 0.01
        assert float((slope + force).abs().max()) < 1e-4 * scale
        assert float((slope - force).abs().max()) > 0.1 * scale
    assert float(made.potentials(table, torch.zeros(1).double()).abs().max()) == 0


def test_the_potential_of_coulomb_is_one_over_rho() -> None:
    made = law((3,), 1)
    table = coulomb_table(made)[None]
    r = torch.logspace(-3, 2, 200, dtype=torch.float64)
    expected = (r.square() + 0.01).rsqrt() - 1 / 0.1
    torch.testing.assert_close(made.potentials(table, r.square())[0], expected, rtol=0, atol=3e-6)


def test_the_kernel_evaluates_the_same_spline() -> None:
    made = law()
    table = made.table().detach()
    factors = np.array([0.7, -1.3])
    for r in (0.0, 1e-8, 0.013, 0.1, 0.5, 2.0, 29.0, 31.0, 250.0, 1e4):
        for u_or_value in (0, 1):
            r2 = torch.tensor(r * r, dtype=torch.float64)
            u = 0.5 * torch.log(r2 + 0.01)
            u.requires_grad_()
            values = spline(table, torch.exp(2 * u) - 0.01, 0.1, made.u0)
            combined = (torch.as_tensor(factors) * values).sum()
            (slope,) = torch.autograd.grad(combined, u)
            kept = spline_kernels.Spline(table.numpy(), 0.01, made.u0, 1 / KNOT_SPACING)
            out = spline_kernels.pair_law(float(r2), kept, factors)
            expected = (float(combined.detach()), float(slope))[u_or_value]
            if u_or_value and (r < 1e-6 or r > FARTHEST):
                continue  # at the ends of the table the clamp's one-sided slopes differ
            assert out[u_or_value] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_spline_follows_the_network() -> None:
    made = law((3,), 1).double()
    r = torch.logspace(-2, 1.4, 300, dtype=torch.float64)
    u = 0.5 * torch.log(r.square() + 0.01)
    with torch.no_grad():
        exact, found = made.radial(u), made.coefficients(r)
    # coefficients are the network's values at the knots, so the spline is it but for (p h)^2 / 6
    phi, spoken = torch.exp(3 * u) * exact, torch.exp(3 * u) * found
    assert float((spoken - phi).abs().max()) < 0.01 * float(phi.abs().max())
    assert float((spoken - 1.05 * phi).abs().max()) > 0.02 * float(phi.abs().max())


@pytest.mark.parametrize("power", [0, 1, 3])
def test_beyond_its_reach_the_law_goes_on_as_a_power(power: int) -> None:
    made = law((power,), 1)
    with torch.no_grad():
        found = made.coefficients(torch.tensor([40.0, 60.0, 100.0, 290.0], dtype=torch.float64))[0]
        near = made.coefficients(torch.linspace(25, 36, 400, dtype=torch.float64))[0]
        far = made.coefficients(torch.tensor([3e2, 1e5, 1e150], dtype=torch.float64))[0]
    rho = (torch.tensor([40.0, 60.0, 100.0, 290.0]).double().square() + 0.01).sqrt()
    torch.testing.assert_close(found * rho**power, (found * rho**power)[:1].expand(4), rtol=1e-6, atol=0)
    assert float(found[0].abs()) > 1e-8
    assert float(near.diff().diff().abs().max()) < 1e-3 * float(near.abs().max())  # no step where it begins
    assert torch.isfinite(far).all()


def test_the_table_covers_what_it_says() -> None:
    made = law()
    end = made.u0 + KNOT_SPACING * (made.n_knots - 4)
    assert math.log(FARTHEST) <= end < math.log(FARTHEST) + 2 * KNOT_SPACING
    assert made.table().shape == (2, made.n_knots)
    assert made.table().dtype == torch.float64
