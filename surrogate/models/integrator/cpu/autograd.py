"""The rounds by Numba kernels, as PyTorch sees them: differentiable once."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from surrogate.models.integrator.cpu.adjoint import rounds_backward
from surrogate.models.integrator.cpu.rounds import MOST_SUBSTEPS, Spline, rounds_forward
from surrogate.models.integrator.pair_law import KNOT_SPACING


def rounds_in_numba(
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
    growth: float = math.inf,
) -> tuple[Tensor, Tensor, int]:
    """What :func:`surrogate.models.integrator.rounds.rounds_in_torch` computes, on the CPU in float64."""
    count = [0]
    facts = (x, v, couplings, m, kappa, gamma, table, u0, softening, dt, n_rounds)
    out_x, out_v = _Rounds.apply(*facts, count, most, growth)  # type: ignore[no-untyped-call]
    return out_x, out_v, count[0]


class _Rounds(torch.autograd.Function):
    """The kernels, with their hand-written adjoint."""

    @staticmethod
    def forward(
        ctx: Any,
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
        count: list[int],
        most: int,
        growth: float,
    ) -> tuple[Tensor, Tensor]:
        out_x, out_v = np.array(x.detach().numpy(), order="C"), np.array(v.detach().numpy(), order="C")
        arrays = [np.ascontiguousarray(t.detach().numpy()) for t in (couplings, m, kappa, table)]
        rate, n_systems = float(gamma), len(out_x)
        shape = (n_systems, n_rounds, 2, *out_x.shape[1:]) if any(ctx.needs_input_grad) else (0, 0, 0, 0, 0)
        kept = np.empty(shape)
        c, mass, k, t = arrays
        facts = (c, mass, k, rate, Spline(t, softening * softening, u0, 1.0 / KNOT_SPACING), dt)
        count[0] = rounds_forward(out_x, out_v, *facts, n_rounds, kept, most)
        ctx.kept, ctx.facts, ctx.growth, ctx.most = kept, facts, growth, most
        return torch.from_numpy(out_x), torch.from_numpy(out_v)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        couplings, m, kappa, gamma, spline, dt = ctx.facts
        gx, gv = (np.array(g.numpy(), order="C") for g in grads)
        g_couplings, g_kappa, g_table = (np.zeros_like(array) for array in (couplings, kappa, spline.table))
        g_gamma = rounds_backward(
            ctx.kept,
            couplings,
            m,
            kappa,
            gamma,
            spline,
            dt,
            gx,
            gv,
            g_couplings,
            g_kappa,
            g_table,
            ctx.growth,
            ctx.most,
        )
        made = [torch.from_numpy(g) for g in (gx, gv, g_couplings, g_kappa, g_table)]
        gamma = torch.tensor(g_gamma, dtype=torch.float64)
        return made[0], made[1], made[2], None, made[3], gamma, made[4], *(None,) * 7
