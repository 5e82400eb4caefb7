"""The learned pair law: a small network of the distance, tabulated as a cubic spline for the integrator."""

import math

import torch
from torch import Tensor, nn

from surrogate.nn.mlp import mlp

KNOT_SPACING = 0.04
"""Distance of spline knots in u = log(r^2 + s^2) / 2."""
NODES_PER_KNOT = 4
"""Nodes of the potential's interpolation for each knot of the force's spline."""
FARTHEST = 300.0
"""Where the table ends [length]; the network is asked up to `reach` only and its powers go on beyond."""


class PairLaw(nn.Module):
    """Pair force F_ij = sum_c k_ci k_cj T_c(r) r_ij, T_c(r) = sum_p rho^-p phi_cp(log rho), rho^2 = r^2 + s^2.

    Parameters
    ----------
    n_channels : int
        Couplings: one radial function each.
    powers : tuple of int
        Prefactors rho^-p on offer; (3,) is Coulomb's, (0,) none.
    hidden : int
    softening : float [length]
        s: below it the law is smooth and bounded.
    reach : float [length]
        phi is constant beyond it.
    """

    def __init__(
        self, n_channels: int, powers: tuple[int, ...], hidden: int, softening: float, reach: float
    ) -> None:
        super().__init__()
        self.powers, self.softening, self.reach, self.n_channels = powers, softening, reach, n_channels
        self.phi = mlp(1, hidden, hidden, n_channels * len(powers))
        first, last = self.phi[0], self.phi[-1]
        assert isinstance(first, nn.Linear)
        assert isinstance(last, nn.Linear)
        # First-layer bends are spread over the whole range of log rho, so that every distance has some.
        nn.init.uniform_(first.weight, 1.0, 3.0)
        with torch.no_grad():
            first.weight.mul_(torch.where(torch.rand_like(first.weight) < 0.5, -1.0, 1.0))
            first.bias.copy_(-first.weight[:, 0] * torch.empty(hidden).uniform_(-2.0, 2.0))
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.u0 = math.log(softening)
        self.n_knots = math.ceil((math.log(FARTHEST) - self.u0) / KNOT_SPACING) + 4

    def radial(self, u: Tensor) -> Tensor:
        """T_c at u = log(rho): (n_channels, len(u)), in float64."""
        low, high = self.u0, math.log(self.reach)
        place = (u.clamp(low, high) - 0.5 * (low + high)) * (4.0 / (high - low))
        weight = self.phi[0].weight
        assert isinstance(weight, Tensor)
        phi: Tensor = self.phi(place.to(weight).unsqueeze(-1)).double()
        phi = phi.T.reshape(self.n_channels, len(self.powers), -1)
        scale = torch.stack([torch.exp(-p * u) for p in self.powers])
        values: Tensor = (phi * scale).sum(1)
        return values

    def table(self) -> Tensor:
        """Spline coefficients (n_channels, n_knots) float64; the spline IS the law."""
        device = next(self.parameters()).device
        u = self.u0 + KNOT_SPACING * torch.arange(-1, self.n_knots - 1, dtype=torch.float64, device=device)
        return self.radial(u)

    def coefficients(self, r: Tensor) -> Tensor:
        """T_c at distances r (any shape, float64), from the spline forecasts use: (n_channels, *r.shape)."""
        return spline(self.table(), r.square(), self.softening, self.u0)

    def potentials(self, table: Tensor, r2: Tensor) -> Tensor:
        """Energies whose forces are the spline's, at squared distances: (n_channels, *r2.shape), 0 at r = 0.

        U_c = -int T_c r dr = -int T_c rho^2 du, by Simpson's rule between nodes, cubic Hermite between them.
        """
        values, slopes, step = self.nodes(table)
        place = (0.5 * torch.log(r2 + self.softening**2) - self.u0) / step
        first = place.detach().floor().clamp(0, values.shape[1] - 2)
        t, k = place - first, first.nan_to_num(0.0).long()
        s = 1.0 - t
        hermite = values[:, k] * (1.0 + 2.0 * t) * s * s + values[:, k + 1] * (1.0 + 2.0 * s) * t * t
        return hermite + (slopes[:, k] * s - slopes[:, k + 1] * t) * s * t

    def nodes(self, table: Tensor) -> tuple[Tensor, Tensor, float]:
        """Energies at nodes of u and slopes a node, (n_channels, n_nodes + 1) each; distance of nodes."""
        step = KNOT_SPACING / NODES_PER_KNOT
        n_nodes = (self.n_knots - 4) * NODES_PER_KNOT
        at = torch.arange(2 * n_nodes + 1, dtype=table.dtype, device=table.device)
        u = self.u0 + 0.5 * step * at
        rho2 = torch.exp(2.0 * u)
        slope = -spline(table, rho2 - self.softening**2, self.softening, self.u0) * rho2
        pieces = (slope[:, :-2:2] + 4.0 * slope[:, 1:-1:2] + slope[:, 2::2]) * (step / 6.0)
        return torch.nn.functional.pad(pieces.cumsum(1), (1, 0)), slope[:, ::2] * step, step


def spline(table: Tensor, r2: Tensor, softening: float, u0: float) -> Tensor:
    """The cubic B-spline of `table` (C, G) at squared distances: (C, *r2.shape)."""
    index, t, _ = _place(table, r2, softening, u0)
    s = 1.0 - t
    weights = (
        s**3 / 6.0,
        (4.0 - 6.0 * t**2 + 3.0 * t**3) / 6.0,
        (4.0 - 6.0 * s**2 + 3.0 * s**3) / 6.0,
        t**3 / 6.0,
    )
    return _weighted(table, index, weights)


def spline_derivatives(table: Tensor, r2: Tensor, softening: float, u0: float) -> tuple[Tensor, Tensor, Tensor]:
    """The spline and its first two derivatives by r^2/2, (C, *r2.shape) each; beyond its end they are zero."""
    index, t, inside = _place(table, r2, softening, u0)
    s = 1.0 - t
    by_u = _weighted(table, index, (-0.5 * s**2, 1.5 * t**2 - 2.0 * t, 2.0 * s - 1.5 * s**2, 0.5 * t**2))
    by_uu = _weighted(table, index, (s, 3.0 * t - 2.0, 3.0 * s - 2.0, t))
    by_u, by_uu, rho2 = inside / KNOT_SPACING * by_u, inside / KNOT_SPACING**2 * by_uu, r2 + softening * softening
    return spline(table, r2, softening, u0), by_u / rho2, (by_uu - 2.0 * by_u) / rho2**2


def rough_values(table: Tensor, r2: Tensor, softening: float, u0: float) -> Tensor:
    """The coefficients of the knots below squared distances, (C, *r2.shape): the spline to some percent."""
    return table[:, _place(table, r2, softening, u0)[0] + 1]


def _place(table: Tensor, r2: Tensor, softening: float, u0: float) -> tuple[Tensor, Tensor, Tensor]:
    """The first of four coefficients at squared distances, the place between knots, whether it is in the table."""
    place = (0.5 * torch.log(r2 + softening * softening) - u0) / KNOT_SPACING
    end = table.shape[1] - 4 + 0.999999
    inside = (place < end).to(place)
    place = place.clamp(0.0, end)
    first = place.detach().floor()
    return first.nan_to_num(0.0).long(), place - first, inside


def _weighted(table: Tensor, index: Tensor, weights: tuple[Tensor, ...]) -> Tensor:
    parts = [weight * table[:, index + k] for k, weight in enumerate(weights)]
    return parts[0] + parts[1] + parts[2] + parts[3]
