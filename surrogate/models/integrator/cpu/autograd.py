"""The rounds by Numba kernels, as PyTorch sees them: differentiable once."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from physics.types import FloatArray
from surrogate.models.integrator.cpu.adjoint import rounds_backward
from surrogate.models.integrator.cpu.large_systems import LARGE, rounds_of_large_systems
from surrogate.models.integrator.cpu.rounds import MOST_SUBSTEPS, Spline, rounds_forward
from surrogate.models.integrator.pair_law import KNOT_SPACING

Facts = tuple[FloatArray, FloatArray, FloatArray, float, Spline, float]


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
        c, mass, k, t = (np.ascontiguousarray(a.detach().numpy()) for a in (couplings, m, kappa, table))
        shape = (len(out_x), n_rounds, 2, *out_x.shape[1:]) if any(ctx.needs_input_grad) else (0,) * 5
        kept = np.empty(shape)
        facts = (c, mass, k, float(gamma), Spline(t, softening * softening, u0, 1.0 / KNOT_SPACING), dt)
        if out_x.shape[1] >= LARGE and not kept.size:
            count[0] = rounds_of_large_systems(out_x, out_v, *facts, n_rounds, most)
        else:
            count[0] = rounds_forward(out_x, out_v, *facts, n_rounds, kept, most)
        ctx.kept, ctx.facts, ctx.growth, ctx.most = kept, facts, growth, most
        return torch.from_numpy(out_x), torch.from_numpy(out_v)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        facts: Facts = ctx.facts
        couplings, _, kappa, _, spline, _ = facts
        gx, gv = (np.array(g.numpy(), order="C") for g in grads)
        g_couplings, g_kappa, g_table = (np.zeros_like(array) for array in (couplings, kappa, spline.table))
        made = (gx, gv, g_couplings, g_kappa, g_table)
        g_gamma = torch.tensor(rounds_backward(ctx.kept, *facts, *made, ctx.growth, ctx.most), dtype=torch.float64)
        of_x, of_v, of_couplings, of_kappa, of_table = map(torch.from_numpy, made)
        return of_x, of_v, of_couplings, None, of_kappa, g_gamma, of_table, *(None,) * 7
