"""What moves a particle by itself in a round: drag, a trap, uniform fields; `cpu/one_body.py` has the kernels.

Half of it comes before the pair motions of a round and half after. With an acceleration A and a matrix W (q B / m
of a magnetic field), both of a particle and constant, it is the exact motion of v' = A + W v, x' = v in a round
where no pair acts: with h = dt / 2, P(s) = int_0^s exp(W u) du and K = int_0^h P(s) ds,

    first half    v <- exp(h W) v + P(h) A,    x <- x + D v + d
    drift         x <- x + dt v, with what the pairs add
    second half   x <- x + D v + d,            v <- exp(h W) v + P(h) A

where 2 D = P(h) + P(h)^T - dt and 2 d = (K - K^T) A. Without W only the kicks h A are left.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

TERMS = 18
"""Of a series in a matrix of norm 1 or less: what follows is below 1 / 18! = 2e-16."""


class OneBody(NamedTuple):
    """The one-body motions of some systems in rounds of one length.

    Attributes
    ----------
    kappa : (B,) tensor [1/time^2]
        Strength of the trap about the centre of mass.
    gamma : scalar tensor [1/time]
        Drag.
    kick : (B, N, n) tensor [length/time]
        P(h) A; of shape (0, 0, 0) without uniform fields.
    rotation, drift : (B, N, n, n) tensors
        exp(h W), and D [time]; of shape (0, 0, 0, 0) without a magnetic field.
    offset : (B, N, n) tensor [length]
        d; there with `rotation`.
    """

    kappa: Tensor
    gamma: Tensor
    kick: Tensor
    rotation: Tensor
    drift: Tensor
    offset: Tensor


def one_body(
    kappa: Tensor,
    gamma: Tensor,
    dt: float,
    acceleration: Tensor | None = None,
    ratio: Tensor | None = None,
    magnetic: Tensor | None = None,
) -> OneBody:
    """The motions of rounds of length dt > 0.

    Parameters
    ----------
    kappa : (B,) tensor
    gamma : scalar tensor
    dt : float [time]
    acceleration : (B, N, n) tensor, optional [length/time^2]
        A of each particle.
    ratio : (B, N) tensor, optional [charge/mass]
    magnetic : (B, n, n) or (1, n, n) tensor, optional [mass/(charge time)]
        Antisymmetric: W of a particle is its ratio times this.
    """
    none, no_matrix = kappa.new_empty((0,) * 3), kappa.new_empty((0,) * 4)
    if ratio is None or magnetic is None:
        kick = none if acceleration is None else 0.5 * dt * acceleration
        return OneBody(kappa, gamma, kick, no_matrix, no_matrix, none)
    rotation, once, twice = exponential_integrals(ratio, magnetic, 0.5 * dt)
    unit = torch.eye(magnetic.shape[-1], dtype=magnetic.dtype, device=magnetic.device)
    drift = 0.5 * (once + once.mT - dt * unit)
    if acceleration is None:
        still = torch.zeros_like(rotation[..., 0])
        return OneBody(kappa, gamma, still, rotation, drift, still)
    kick, offset = _applied(once, acceleration), 0.5 * _applied(twice - twice.mT, acceleration)
    return OneBody(kappa, gamma, kick, rotation, drift, offset)


def split_trap(one: OneBody, order: int) -> tuple[OneBody, Tensor]:
    """The one-body motions less the trap, and the (B,) strength of one that pairs take as springs (order 4)."""
    none = torch.zeros_like(one.kappa)
    return (one._replace(kappa=none), one.kappa) if order == 4 else (one, none)


def exponential_integrals(ratio: Tensor, b: Tensor, h: float) -> tuple[Tensor, Tensor, Tensor]:
    """exp(h W), its integral P(h) and that of P from 0 to h, of W = ratio b: (B, N, n, n) each.

    Their series in W, whose powers of b all particles of a system share; of h / 2^k where |h W| is above 1, and
    doubled k times.
    """
    largest = float((ratio.detach().abs().amax(-1) * b.detach().norm(dim=(-2, -1))).max()) * h
    halvings = math.ceil(math.log2(largest)) if 1.0 < largest < math.inf else 0
    h /= 2**halvings
    angle, unit = h * ratio, torch.eye(b.shape[-1], dtype=b.dtype, device=b.device).expand_as(b)
    powers, monomials = [unit], [torch.ones_like(angle)]
    for _ in range(1, TERMS):
        powers.append(powers[-1] @ b)
        monomials.append(monomials[-1] * angle)
    matrices, factors = torch.stack(powers, 1).unsqueeze(1), torch.stack(monomials, -1)

    def series(shift: int) -> Tensor:
        inverses = [1.0 / math.factorial(k + shift) for k in range(TERMS)]
        weights = factors * torch.tensor(inverses, dtype=factors.dtype, device=factors.device)
        return h**shift * (weights[..., None, None] * matrices).sum(2)

    rotation, once, twice = (series(shift) for shift in range(3))
    for _ in range(halvings):
        twice = twice + h * once + rotation @ twice
        once = once + rotation @ once
        rotation, h = rotation @ rotation, 2 * h
    return rotation, once, twice


def first_half(one: OneBody, x: Tensor, v: Tensor, weight: Tensor, dt: float) -> tuple[Tensor, Tensor]:
    """Positions and velocities (B, N, n) after the half before the pairs: drag, trap, fields.

    Parameters
    ----------
    weight : (B, N, 1) tensor
        Each particle's share of the mass.
    """
    shrink, trap = _of_half(one, dt)
    v = shrink * v - trap * (x - (weight * x).sum(1, keepdim=True))
    if len(one.rotation):
        v = _applied(one.rotation, v) + one.kick
        x = x + _applied(one.drift, v) + one.offset
    elif len(one.kick):
        v = v + one.kick
    return x, v


def second_half(one: OneBody, x: Tensor, v: Tensor, weight: Tensor, dt: float) -> tuple[Tensor, Tensor]:
    """The half after the pairs, in the opposite order: fields, trap, drag."""
    if len(one.rotation):
        x = x + _applied(one.drift, v) + one.offset
        v = _applied(one.rotation, v) + one.kick
    elif len(one.kick):
        v = v + one.kick
    shrink, trap = _of_half(one, dt)
    return x, shrink * (v - trap * (x - (weight * x).sum(1, keepdim=True)))


def _of_half(one: OneBody, dt: float) -> tuple[Tensor, Tensor]:
    return torch.exp(-0.5 * one.gamma * dt), (0.5 * dt * one.kappa)[:, None, None]


def _applied(matrices: Tensor, vectors: Tensor) -> Tensor:
    """Matrices (B, N, n, n) on vectors (B, N, n); no matrix product, whose last bits depend on the batch."""
    return (matrices * vectors.unsqueeze(-2)).sum(-1)
