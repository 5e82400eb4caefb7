"""What moves a particle by itself in a round: drag, a trap, uniform fields; `cpu/one_body.py` has the kernels.

Half of it comes before the pair motions of a round and half after. With an acceleration A and a matrix W (q B / m
of a magnetic field), both of a particle and constant, it is the exact motion of v' = A + W v, x' = v in a round
where no pair acts: with h = dt / 2, P(s) = int_0^s exp(W u) du and K = int_0^h P(s) ds,

    first half    v <- exp(h W) v + P(h) A,    x <- x + D v + d
    drift         x <- x + dt v, with what the pairs add
    second half   x <- x + D v + d,            v <- exp(h W) v + P(h) A

where 2 D = P(h) + P(h)^T - dt and 2 d = (K - K^T) A. Without W only the kicks h A are left.
"""

from typing import NamedTuple

import torch
from torch import Tensor


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
    kappa: Tensor, gamma: Tensor, dt: float, acceleration: Tensor | None = None, gyration: Tensor | None = None
) -> OneBody:
    """The motions of rounds of length dt > 0.

    Parameters
    ----------
    kappa : (B,) tensor
    gamma : scalar tensor
    dt : float [time]
    acceleration : (B, N, n) tensor, optional [length/time^2]
        A of each particle.
    gyration : (B, N, n, n) tensor, optional [1/time]
        W of each particle, antisymmetric.
    """
    none, no_matrix = kappa.new_empty((0,) * 3), kappa.new_empty((0,) * 4)
    if gyration is None:
        kick = none if acceleration is None else 0.5 * dt * acceleration
        return OneBody(kappa, gamma, kick, no_matrix, no_matrix, none)
    rotation, once, twice = exponential_integrals(gyration, 0.5 * dt)
    unit = torch.eye(gyration.shape[-1], dtype=gyration.dtype, device=gyration.device)
    drift = 0.5 * (once + once.mT - dt * unit)
    if acceleration is None:
        still = torch.zeros_like(gyration[..., 0])
        return OneBody(kappa, gamma, still, rotation, drift, still)
    kick, offset = _applied(once, acceleration), 0.5 * _applied(twice - twice.mT, acceleration)
    return OneBody(kappa, gamma, kick, rotation, drift, offset)


def split_trap(one: OneBody, order: int) -> tuple[OneBody, Tensor]:
    """The one-body motions less the trap, and the (B,) strength of one that pairs take as springs (order 4)."""
    none = torch.zeros_like(one.kappa)
    return (one._replace(kappa=none), one.kappa) if order == 4 else (one, none)


def exponential_integrals(w: Tensor, h: float) -> tuple[Tensor, Tensor, Tensor]:
    """exp(h W), its integral P(h) and that of P from 0 to h, (..., n, n) each.

    Blocks of the exponential of [[W, 1, 0], [0, 0, 1], [0, 0, 0]] h.
    """
    n = w.shape[-1]
    unit = torch.eye(n, dtype=w.dtype, device=w.device).expand(w.shape)
    none = torch.zeros_like(w)
    rows = [torch.cat(row, -1) for row in ((w, unit, none), (none, none, unit), (none, none, none))]
    found: Tensor = torch.linalg.matrix_exp(h * torch.cat(rows, -2))
    return found[..., :n, :n], found[..., :n, n : 2 * n], found[..., :n, 2 * n :]


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
