"""What a forecast must not change: angular momentum and energy, restored by the smallest change of velocities."""

from typing import Any

import torch
from torch import Tensor

MOST_SCALING = 2.0
"""Largest factor by which restoring the energy may change speeds; beyond it the energy is left as it is."""


def angular_momentum(x: Tensor, v: Tensor, m: Tensor) -> Tensor:
    """sum_i m_i (x_i v_i^T - v_i x_i^T): (B, n, n), antisymmetric.

    Parameters
    ----------
    x, v : (B, N, n) tensors [length], [length/time]
    m : (B, N) tensor [mass]
    """
    outer = _outer_sum(m.unsqueeze(-1) * x, v)
    return outer - outer.transpose(1, 2)


def _outer_sum(a: Tensor, b: Tensor) -> Tensor:
    """sum_i a_i b_i^T: (B, n, n). Not a matrix product, whose last bits depend on the batch."""
    return (a.unsqueeze(-1) * b.unsqueeze(-2)).sum(1)


def centred(values: Tensor, m: Tensor) -> Tensor:
    """Positions or velocities (B, N, n) relative to the centre of mass."""
    weight = (m / m.sum(1, keepdim=True)).unsqueeze(-1)
    return values - (weight * values).sum(1, keepdim=True)


class _LyapunovSolve(torch.autograd.Function):
    """Omega with I Omega + Omega I = R, for a symmetric I >= 0; where I has no inertia, no turn.

    The adjoint needs no derivative of eigenvectors: with S the (self-adjoint) solve, gR = S(G) and
    gI = -(gR Omega^T + Omega^T gR).
    """

    @staticmethod
    def forward(ctx: Any, inertia: Tensor, rhs: Tensor) -> Tensor:
        known = torch.isfinite(inertia)  # a state that is not finite must not stop the others of its batch
        values, vectors = torch.linalg.eigh(torch.where(known, inertia, torch.zeros_like(inertia)))
        sums = values.unsqueeze(-1) + values.unsqueeze(-2)
        scale = values[:, -1:].unsqueeze(-1).clamp_min(torch.finfo(values.dtype).tiny)
        inverse = torch.where(sums > 1e-12 * scale, 1.0 / sums, torch.zeros_like(sums))
        omega: Tensor = vectors @ (vectors.transpose(1, 2) @ rhs @ vectors * inverse) @ vectors.transpose(1, 2)
        ctx.save_for_backward(vectors, inverse, omega)
        return omega

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        vectors, inverse, omega = ctx.saved_tensors
        g = vectors @ (vectors.transpose(1, 2) @ grads[0] @ vectors * inverse) @ vectors.transpose(1, 2)
        g_inertia = -(g @ omega.transpose(1, 2) + omega.transpose(1, 2) @ g)
        return 0.5 * (g_inertia + g_inertia.transpose(1, 2)), g


def rigid_turn(x: Tensor, momentum: Tensor, m: Tensor) -> Tensor:
    """Velocities (B, N, n) of the rigid rotation about the origin with this angular momentum.

    In n dimensions the angular velocity Omega solves I Omega + Omega I = momentum, I = sum_i m_i x_i x_i^T.

    Parameters
    ----------
    x : (B, N, n) tensor, relative to the centre of mass
    momentum : (B, n, n) tensor, antisymmetric
    m : (B, N) tensor
    """
    inertia = _outer_sum(m.unsqueeze(-1) * x, x)
    omega: Tensor = _LyapunovSolve.apply(inertia, momentum)  # type: ignore[no-untyped-call]
    return x @ omega


def with_angular_momentum(
    x: Tensor, v: Tensor, m: Tensor, wanted: Tensor, time: float = 1e-2
) -> tuple[Tensor, Tensor]:
    """The smallest change of positions and velocities to an angular momentum of `wanted` about the centre of mass.

    v_i <- v_i + x_i Omega and x_i <- x_i - time^2 v_i Omega, with Omega from (I + time^2 V) Omega + Omega (I +
    time^2 V) = missing, V = sum_i m_i v_i v_i^T. With a small `time` positions move only where no turn of
    velocities can help: between directions that the bodies do not span (n > N). Momentum and centre of mass
    stay; the correction commutes with rotations, reflections and permutations.

    Parameters
    ----------
    x, v : (B, N, n) tensors
    m : (B, N) tensor
    wanted : (B, n, n) tensor, antisymmetric
    time : float
        Weighs positions against velocities [time].
    """
    for _ in range(3):  # the second and third remove what the first leaves: second-order terms, round-off
        about, moving = centred(x, m), centred(v, m)
        mass = m.unsqueeze(-1)
        inertia = _outer_sum(mass * about, about) + time**2 * _outer_sum(mass * moving, moving)
        missing = wanted - angular_momentum(about, moving, m)
        omega: Tensor = _LyapunovSolve.apply(inertia, missing)  # type: ignore[no-untyped-call]
        x, v = x - time**2 * (moving @ omega), v + about @ omega
    return x, v


def with_energy(x: Tensor, v: Tensor, m: Tensor, kinetic: Tensor) -> Tensor:
    """Velocities with another kinetic energy, at the same momentum and angular momentum.

    The part of the velocities that is neither a drift nor a rigid rotation carries no momentum of either
    kind; it is scaled. Systems that would need more than a factor `MOST_SCALING` keep their velocities.

    Parameters
    ----------
    x, v : (B, N, n) tensors
    m : (B, N) tensor
    kinetic : (B,) tensor
        Wanted kinetic energy [energy].
    """
    x, moving = centred(x, m), centred(v, m)
    inner = moving - rigid_turn(x, angular_momentum(x, moving, m), m)
    tiny = torch.finfo(v.dtype).tiny
    free = kinetic_energy(inner, m)
    square = 1.0 + (kinetic - kinetic_energy(v, m)) / free.clamp_min(tiny)
    usable = (square > MOST_SCALING**-2) & (square < MOST_SCALING**2)
    factor = torch.where(usable, square, torch.ones_like(square)).sqrt()
    return v + (factor - 1.0)[:, None, None] * inner


def kinetic_energy(v: Tensor, m: Tensor) -> Tensor:
    """sum_i m_i v_i^2 / 2: (B,)."""
    return 0.5 * (m.unsqueeze(-1) * v.square()).sum((1, 2))
