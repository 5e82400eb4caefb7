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
from surrogate.nn.cpu.threads import for_each

PAIRS_A_THREAD = 20_000
"""Pairs times rounds that make another thread worth starting."""
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


def _forward_in_threads(x: FloatArray, v: FloatArray, facts: Facts, n_rounds: int, most: int) -> int:
    """`rounds_forward` without gradients, the systems shared by as many threads as it is worth.

    Each thread has copies of its own: Numba counts references to arrays, and one count that threads share would
    keep them waiting for each other.
    """
    couplings, m, kappa, gamma, spline, dt = facts
    n_systems, number = m.shape
    work = n_systems * n_rounds * number * (number - 1) // 2
    n_threads = max(min(torch.get_num_threads(), n_systems, work // PAIRS_A_THREAD), 1)
    bounds = np.linspace(0, n_systems, n_threads + 1).round().astype(int).tolist()
    counts = [0] * n_threads

    def part(index: int) -> None:
        some = slice(bounds[index], bounds[index + 1])
        own_x, own_v = x[some].copy(), v[some].copy()
        own = (couplings[:, some].copy(), m[some].copy(), kappa[some].copy(), gamma)
        law = spline._replace(table=spline.table.copy())
        counts[index] = rounds_forward(own_x, own_v, *own, law, dt, n_rounds, np.empty((0,) * 5), most)
        x[some], v[some] = own_x, own_v

    for_each(part, n_threads, n_threads)
    return sum(counts)


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
        elif kept.size:
            count[0] = rounds_forward(out_x, out_v, *facts, n_rounds, kept, most)
        else:
            count[0] = _forward_in_threads(out_x, out_v, facts, n_rounds, most)
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
