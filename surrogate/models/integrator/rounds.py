"""The integrator's rounds in PyTorch: for GPUs, to check the Numba kernel against, and for a clamp it lacks."""

import math
from typing import Any

import torch
from torch import Tensor

from surrogate.models.integrator.cpu.rounds import MOST_SUBSTEPS, SUBSTEP_ANGLE
from surrogate.models.integrator.pair_law import spline


class LimitedGrowth:
    """Keeps the gradient of each (chaotic) system from growing more than `limit` times on its way back.

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
    kappa: Tensor,
    gamma: Tensor,
    table: Tensor,
    u0: float,
    softening: float,
    dt: float,
    n_rounds: int,
    most: int = MOST_SUBSTEPS,
    limit: Tensor | None = None,
    growth: float = math.inf,
) -> tuple[Tensor, Tensor, int]:
    """What the kernel computes, in PyTorch: positions, velocities, law calls.

    With `limit` (a scalar), each Cartesian component of a pair's force stays within it: the published
    simulator's clamp, which the kernel does not know.
    """
    first, second = torch.triu_indices(x.shape[1], x.shape[1], 1, device=x.device)
    inverse = 1.0 / m[:, first] + 1.0 / m[:, second]
    factors = couplings[:, :, first] * couplings[:, :, second] * inverse
    share = (m[:, second] / (m[:, first] + m[:, second])).unsqueeze(-1)
    weight = (m / m.sum(1, keepdim=True)).unsqueeze(-1)
    shrink, calls = torch.exp(-0.5 * gamma * dt), 0
    pull = (0.5 * dt * kappa)[:, None, None]

    def law(p: Tensor, f: Tensor) -> Tensor:
        return (f * spline(table, p.square().sum(-1), softening, u0)).sum(0).unsqueeze(-1)

    def acceleration(p: Tensor, f: Tensor, both: Tensor) -> Tensor:
        free = law(p, f) * p
        return free if limit is None else torch.minimum(torch.maximum(free, -limit * both), limit * both)

    limited = LimitedGrowth(growth)
    for _ in range(n_rounds):
        x, v = limited(x, v)
        v = shrink * v - pull * (x - (weight * x).sum(1, keepdim=True))
        r, w = x[:, first] - x[:, second], v[:, first] - v[:, second]
        with torch.no_grad():
            ww = w.square().sum(-1)
            t = (-(r * w).sum(-1) / ww.clamp_min(torch.finfo(ww.dtype).tiny)).clamp(0.0, dt)
            near = r + t.unsqueeze(-1) * w
            pace = law(near, factors).squeeze(-1).abs() + ww / (near.square().sum(-1) + softening * softening)
            wanted = torch.log2((dt * pace.sqrt() / SUBSTEP_ANGLE).clamp_min(1.0)).ceil()
            counts = wanted.exp2().long().clamp_max(most)
        d, e = torch.zeros_like(r), torch.zeros_like(w)
        for count in sorted(set(counts.flatten().tolist())):
            b, p = (counts == count).nonzero(as_tuple=True)
            dd, ee = torch.zeros_like(r[b, p]), torch.zeros_like(r[b, p])
            h = dt / count
            for s in range(count):
                dd = dd + 0.5 * h * ee
                path = r[b, p] + (s + 0.5) * h * w[b, p] + dd
                ee = ee + h * acceleration(path, factors[:, b, p], inverse[b, p].unsqueeze(-1))
                dd = dd + 0.5 * h * ee
            calls += count * len(b)
            d, e = d.index_put((b, p), dd), e.index_put((b, p), ee)
        x = x + dt * v
        x = x.index_add(1, first, share * d).index_add(1, second, (share - 1.0) * d)
        v = v.index_add(1, first, share * e).index_add(1, second, (share - 1.0) * e)
        v = shrink * (v - pull * (x - (weight * x).sum(1, keepdim=True)))
    x, v = limited(x, v)
    return x, v, calls
