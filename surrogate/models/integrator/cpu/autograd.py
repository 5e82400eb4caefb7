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
from surrogate.models.integrator.cpu.one_body import OneBodyArrays
from surrogate.models.integrator.cpu.rounds import MOST_SUBSTEPS, rounds_forward
from surrogate.models.integrator.cpu.spline import Spline
from surrogate.models.integrator.one_body import OneBody, split_trap
from surrogate.models.integrator.pair_law import KNOT_SPACING
from surrogate.nn.cpu.threads import for_each

PAIRS_A_THREAD = 20_000
"""Pairs times rounds that make another thread worth starting."""
Facts = tuple[FloatArray, FloatArray, OneBodyArrays, Spline, float]


def rounds_in_numba(
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
) -> tuple[Tensor, Tensor, int]:
    """What :func:`surrogate.models.integrator.rounds.rounds_in_torch` computes, on the CPU in float64."""
    count = [0]
    one, trap = split_trap(one, order)
    facts = (u0, softening, dt, n_rounds, count, most, growth, order)
    out_x, out_v = _Rounds.apply(*facts, x, v, couplings, m, table, trap, *one)  # type: ignore[no-untyped-call]
    return out_x, out_v, count[0]


def _forward_in_threads(
    x: FloatArray, v: FloatArray, facts: Facts, n_rounds: int, most: int, trap: FloatArray, order: int
) -> int:
    """`rounds_forward` without gradients, the systems shared by as many threads as it is worth.

    Each thread has copies of its own: Numba counts references to arrays, and one count that threads share would
    keep them waiting for each other.
    """
    couplings, m, one, spline, dt = facts
    n_systems, number = m.shape
    work = n_systems * n_rounds * number * (number - 1) // 2
    n_threads = max(min(torch.get_num_threads(), n_systems, work // PAIRS_A_THREAD), 1)
    bounds = np.linspace(0, n_systems, n_threads + 1).round().astype(int).tolist()
    counts = [0] * n_threads

    def part(index: int) -> None:
        some = slice(bounds[index], bounds[index + 1])
        own_x, own_v = x[some].copy(), v[some].copy()
        own = (couplings[:, some].copy(), m[some].copy(), one.part(some))
        law = spline._replace(table=spline.table.copy())
        none, springs = np.empty((0,) * 5), trap[some].copy()
        counts[index] = rounds_forward(own_x, own_v, *own, law, dt, n_rounds, none, most, springs, order)
        x[some], v[some] = own_x, own_v

    for_each(part, n_threads, n_threads)
    return sum(counts)


class _Rounds(torch.autograd.Function):
    """The kernels, with their hand-written adjoint."""

    @staticmethod
    def forward(
        ctx: Any,
        u0: float,
        softening: float,
        dt: float,
        n_rounds: int,
        count: list[int],
        most: int,
        growth: float,
        order: int,
        x: Tensor,
        v: Tensor,
        *others: Tensor,
    ) -> tuple[Tensor, Tensor]:
        out_x, out_v = np.array(x.detach().numpy(), order="C"), np.array(v.detach().numpy(), order="C")
        c, mass, t, trap, *single = (np.ascontiguousarray(a.detach().numpy()) for a in others)
        one = OneBodyArrays(single[0], single[1].reshape(1), *single[2:])
        shape = (len(out_x), n_rounds, 2, *out_x.shape[1:]) if any(ctx.needs_input_grad) else (0,) * 5
        kept = np.empty(shape)
        facts = (c, mass, one, Spline(t, softening * softening, u0, 1.0 / KNOT_SPACING), dt)
        if out_x.shape[1] >= LARGE and not kept.size:
            count[0] = rounds_of_large_systems(out_x, out_v, *facts, n_rounds, most, trap, order)
        elif kept.size:
            count[0] = rounds_forward(out_x, out_v, *facts, n_rounds, kept, most, trap, order)
        else:
            count[0] = _forward_in_threads(out_x, out_v, facts, n_rounds, most, trap, order)
        ctx.kept, ctx.facts, ctx.growth, ctx.most, ctx.trap, ctx.order = kept, facts, growth, most, trap, order
        return torch.from_numpy(out_x), torch.from_numpy(out_v)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        facts: Facts = ctx.facts
        couplings, _, one, spline, _ = facts
        gx, gv = (np.array(g.numpy(), order="C") for g in grads)
        g_couplings, g_table = np.zeros_like(couplings), np.zeros_like(spline.table)
        g_one = OneBodyArrays(*map(np.zeros_like, one))
        g_trap, made = np.zeros_like(ctx.trap), (gx, gv, g_couplings, g_one, g_table)
        rounds_backward(ctx.kept, *facts, *made, ctx.growth, ctx.most, ctx.trap, g_trap, ctx.order)
        of_x, of_v, of_couplings, of_table, of_trap = map(torch.from_numpy, (gx, gv, g_couplings, g_table, g_trap))
        of_kappa, of_gamma, *of_fields = map(torch.from_numpy, g_one)
        of_one = (of_kappa, of_gamma.reshape(()), *of_fields)
        return *(None,) * 8, of_x, of_v, of_couplings, None, of_table, of_trap, *of_one
