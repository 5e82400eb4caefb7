"""The integrator's rounds in PyTorch: on any device, differentiable as often as wanted."""

import math
from typing import Any

import torch
from torch import Tensor

from surrogate.models.integrator.cpu.rounds import MOST_SUBSTEPS, SUBSTEP_ANGLE
from surrogate.models.integrator.fourth_order import fourth_order_sums
from surrogate.models.integrator.one_body import OneBody, first_half, second_half, split_trap
from surrogate.models.integrator.pair_law import spline


class LimitedGrowth:
    """Keeps the gradient of each (chaotic) system from growing more than `limit` times in a backward pass.

    Call it on the state before each round: the first call of a backward pass, at the last round, sees the size
    that others are held against.

    Parameters
    ----------
    limit : float
        math.inf for none.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.ceiling: Tensor | None = None

    def __call__(self, x: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """The same x, v (B, N, n)."""
        if math.isinf(self.limit):
            return x, v
        made: tuple[Tensor, Tensor] = _Scaled.apply(x, v, self)  # type: ignore[no-untyped-call]
        return made

    def scaled(self, gx: Tensor, gv: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients (B, N, n) with joint norms within the ceiling."""
        size = (gx.square().sum((1, 2)) + gv.square().sum((1, 2))).sqrt()
        if self.ceiling is None:
            self.ceiling = self.limit * size
        factor = (self.ceiling / size.clamp_min(torch.finfo(size.dtype).tiny)).clamp_max(1.0)[:, None, None]
        return factor * gx, factor * gv


class _Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, v: Tensor, growth: LimitedGrowth) -> tuple[Tensor, Tensor]:
        ctx.growth = growth
        return x.clone(), v.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return *ctx.growth.scaled(*grads), None


def rounds_in_torch(
    x: Tensor,
    v: Tensor,
    couplings: Tensor,
    m: Tensor,
    one: OneBody,
    table: Tensor,
    u0: float,
    softening: float,
    dt: float,
    n_rounds: int,
    most: int = MOST_SUBSTEPS,
    growth: float = math.inf,
    order: int = 2,
    limit: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """The rounds of `cpu/rounds.py` in PyTorch, where nothing waits for the device.

    Parameters
    ----------
    x, v : (B, N, n) tensor [length], [length/time]
    couplings : (C, B, N) tensor
    m : (B, N) tensor [mass]
    one : OneBody
        What acts on each particle by itself, for this dt.
    table : (C, G) tensor
        Coefficients of the pair law's spline.
    u0, softening, dt : float
    n_rounds : int
    most : int
        Sub-steps a pair may take in a round.
    growth : float
        Of gradients: see :class:`LimitedGrowth`.
    order : int
        2, or 4 as in `cpu/fourth_order.py`.
    limit : scalar tensor, optional
        Each Cartesian component of a pair's force stays within it: the published simulator's clamp, which the
        kernels and order 4 do not know.

    Returns
    -------
    positions, velocities : (B, N, n) tensor
    evaluations : scalar tensor
        Evaluations of the pair law.

    Notes
    -----
    All pairs take as many sub-steps as one of them may, those beyond a pair's own of length zero. How many that
    is, is looked up on the CPU alone, where that waits for nothing.
    **Checked by** tests/surrogate/models/test_integrator_rounds.py.
    """
    first, second = torch.triu_indices(x.shape[1], x.shape[1], 1, device=x.device)
    inverse = 1.0 / m[:, first] + 1.0 / m[:, second]
    factors = couplings[:, :, first] * couplings[:, :, second] * inverse
    share = (m[:, second] / (m[:, first] + m[:, second])).unsqueeze(-1)
    weight = (m / m.sum(1, keepdim=True)).unsqueeze(-1)
    evaluations = x.new_zeros(())
    one, trap = split_trap(one, order)

    def law(p: Tensor, f: Tensor) -> Tensor:
        return (f * spline(table, p.square().sum(-1), softening, u0)).sum(0).unsqueeze(-1)

    def acceleration(p: Tensor, f: Tensor, both: Tensor) -> Tensor:
        free = law(p, f) * p
        return free if limit is None else torch.minimum(torch.maximum(free, -limit * both), limit * both)

    limited = LimitedGrowth(growth)
    for _ in range(n_rounds):
        x, v = limited(x, v)
        x, v = first_half(one, x, v, weight, dt)
        if order == 4:
            d, e, counts = fourth_order_sums(x, v, factors, m, trap, table, u0, softening, dt, most)
            evaluations = evaluations + counts.sum()
            x, v = second_half(one, x + dt * v + d, v + e, weight, dt)
            continue
        r, w = x[:, first] - x[:, second], v[:, first] - v[:, second]
        with torch.no_grad():
            ww = w.square().sum(-1)
            t = (-(r * w).sum(-1) / ww.clamp_min(torch.finfo(ww.dtype).tiny)).clamp(0.0, dt)
            near = r + t.unsqueeze(-1) * w
            rate2 = law(near, factors).squeeze(-1).abs() + ww / (near.square().sum(-1) + softening * softening)
            wanted = torch.log2((dt * rate2.sqrt() / SUBSTEP_ANGLE).clamp_min(1.0)).ceil()
            counts = wanted.exp2().clamp_max(most)
            steps = int(counts.max()) if x.device.type == "cpu" else most
        d, e = torch.zeros_like(r), torch.zeros_like(w)
        length = (dt / counts).unsqueeze(-1)
        for step in range(steps):
            h = torch.where(counts.unsqueeze(-1) > step, length, 0.0)
            d = d + 0.5 * h * e
            path = r + (step + 0.5) * h * w + d
            e = e + h * acceleration(path, factors, inverse.unsqueeze(-1))
            d = d + 0.5 * h * e
        evaluations = evaluations + counts.sum()
        x = x + dt * v
        x = x.index_add(1, first, share * d).index_add(1, second, (share - 1.0) * d)
        v = v.index_add(1, first, share * e).index_add(1, second, (share - 1.0) * e)
        x, v = second_half(one, x, v, weight, dt)
    x, v = limited(x, v)
    return x, v, evaluations
