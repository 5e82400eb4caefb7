"""The pair part of a round to fourth order in PyTorch: see `cpu/fourth_order.py` for what it is."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from surrogate.models.integrator.cpu import fourth_order as kernels
from surrogate.models.integrator.cpu.fourth_order import STIFFEST, SUBSTEP_ANGLE_4
from surrogate.models.integrator.pair_law import rough_values, spline_derivatives

Formula = Callable[..., tuple[Tensor, Tensor, Tensor, Tensor]]


def _of_tensors(kernel: Any) -> Formula:
    """The formula of a kernel, for tensors in place of numbers."""
    formula: Formula = getattr(kernel, "py_func", kernel)
    return formula


taylor, moments = _of_tensors(kernels.taylor), _of_tensors(kernels.moments)


def fourth_order_sums(
    x: Tensor,
    v: Tensor,
    factors: Tensor,
    m: Tensor,
    trap: Tensor,
    table: Tensor,
    u0: float,
    softening: float,
    dt: float,
    most: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """What all pairs move systems beyond free flight over dt.

    Parameters
    ----------
    x, v : (B, N, n) tensor [length], [length/time]
    factors : (C, B, pairs) tensor
        k_i k_j (1/m_i + 1/m_j), pairs as in torch.triu_indices.
    m : (B, N) tensor [mass]
    trap : (B,) tensor
        Strength of the trap.
    table : (C, G) tensor
    u0, softening, dt : float
    most : int
        Sub-steps a pair may take.

    Returns
    -------
    displacements, changes of velocity : (B, N, n) tensors
    counts : (B, pairs) tensor
        Sub-steps of each pair.
    """
    first, second = torch.triu_indices(x.shape[1], x.shape[1], 1, device=x.device)
    share = (m[:, second] / (m[:, first] + m[:, second])).unsqueeze(-1)
    spring = trap.unsqueeze(-1) * (m[:, first] + m[:, second]) / m.sum(1, keepdim=True)
    r, w = x[:, first] - x[:, second], v[:, first] - v[:, second]

    def law(p: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        value, by1, by2 = spline_derivatives(table, _dot(p, p), softening, u0)
        return (factors * value).sum(0) - spring, (factors * by1).sum(0), (factors * by2).sum(0)

    def over_particles(values: Tensor) -> Tensor:
        zero = torch.zeros_like(x)
        return zero.index_add(1, first, share * values).index_add(1, second, (share - 1.0) * values)

    with torch.no_grad():
        ww = _dot(w, w)
        t = (-_dot(r, w) / ww.clamp_min(torch.finfo(ww.dtype).tiny)).clamp(0.0, dt)
        near = r + t.unsqueeze(-1) * w
        rough = (factors * rough_values(table, _dot(near, near), softening, u0)).sum(0) - spring
        rate2 = rough.abs() + ww / (_dot(near, near) + softening * softening)
        wanted = torch.log2((dt * rate2.sqrt() / SUBSTEP_ANGLE_4).clamp_min(1.0)).ceil()
        counts = wanted.exp2().clamp_max(most)
        steps = int(counts.max()) if x.device.type == "cpu" else most
    q, u, path = torch.zeros_like(r), torch.zeros_like(w), []
    length = dt / counts
    for step in range(steps):
        h = torch.where(counts > step, length, 0.0)
        start = step * h
        p = r + (start + 0.5 * h).unsqueeze(-1) * w + q + (0.5 * h).unsqueeze(-1) * u
        moving = w + u
        value, by1, by2 = law(p)
        a, b, c, d = taylor(h, value, by1, by2, _dot(p, p), _dot(p, moving), _dot(moving, moving))
        q = q + h.unsqueeze(-1) * u + a.unsqueeze(-1) * p + b.unsqueeze(-1) * moving
        u = u + c.unsqueeze(-1) * p + d.unsqueeze(-1) * moving
        path.append((start, h, p, moving, value, by1, by2))
    far, fast = over_particles(q), over_particles(u)
    z = far[:, first] - far[:, second] - q
    speed = dt * (fast[:, first] - fast[:, second] - u)
    z2, z3 = 3.0 * z - speed, speed - 2.0 * z
    gd, ge, stiff = torch.zeros_like(r), torch.zeros_like(w), torch.zeros_like(spring)
    for start, h, p, moving, value, by1, by2 in path:
        i2, i3, m2, m3 = (part.unsqueeze(-1) for part in moments(start, h, dt))
        z, y = i2 * z2 + i3 * z3, m2 * z2 + m3 * z3
        stiff = stiff + dt * h * value
        pw, py, wy = (_dot(*two).unsqueeze(-1) for two in ((p, moving), (p, y), (moving, y)))
        value, by1, by2 = value.unsqueeze(-1), by1.unsqueeze(-1), by2.unsqueeze(-1)
        tide = value * z + by1 * _dot(p, z).unsqueeze(-1) * p
        ge = ge + tide + by1 * (pw * y + py * moving + wy * p) + by2 * pw * py * p
        gd = gd + (dt - start - 0.5 * h).unsqueeze(-1) * tide - value * y - by1 * py * p
    part = (1.0 / (1.0 + (stiff / STIFFEST) ** 2)).unsqueeze(-1)
    return far + over_particles(part * gd), fast + over_particles(part * ge), counts


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Scalar products over the last axis."""
    return (a * b).sum(-1)
